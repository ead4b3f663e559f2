package disk_test

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/internal/disk/disktest"
)

func write(content string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, content)
		return err
	}
}

func TestReplaceLeavesTheOldOrTheNewWhole(t *testing.T) {
	content := strings.Repeat("old ", 100)
	next := strings.Repeat("new! ", 100)
	for call := 1; call <= 6; call++ {
		for seed := range int64(50) {
			label := fmt.Sprintf("call %d fails, seed %d", call, seed)
			d := disktest.New(seed)
			if err := disk.Replace(d, "/d/f", 0o600, write(content)); err != nil {
				t.Fatal(err)
			}
			done := d.Calls()
			d.Fail = func(n int, _ disktest.Op, _ string) *disktest.Fault {
				if n == done+call {
					return &disktest.Fault{Err: disktest.ENOSPC, Part: 0.4, Silent: seed%3 == 0}
				}
				return nil
			}
			err := disk.Replace(d, "/d/f", 0o600, write(next))
			if reached := d.Calls() >= done+call; (err != nil) != reached {
				t.Fatalf("%s: reached %v, error %v", label, reached, err)
			}
			d.PowerLoss()
			got := string(d.Bytes("/d/f"))
			if got != content && got != next {
				t.Fatalf("%s: %q", label, got)
			}
			if err == nil && got != next {
				t.Fatalf("%s: reported as done, and the old content stands", label)
			}
		}
	}
}

func TestTheWritersErrorLeavesTheOldContent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := disk.Replace(disk.OS{}, path, 0o600, write("old")); err != nil {
		t.Fatal(err)
	}
	bad := errors.New("bad")
	if err := disk.Replace(disk.OS{}, path, 0o600, func(io.Writer) error { return bad }); !errors.Is(err, bad) {
		t.Fatal(err)
	}
	if b, err := disk.ReadFile(disk.OS{}, path, 10); err != nil || string(b) != "old" {
		t.Fatalf("%q, %v", b, err)
	}
	if _, err := disk.ReadFile(disk.OS{}, path, 2); err == nil {
		t.Fatal("a file above the limit is read")
	}
	if names, err := (disk.OS{}).ReadDir(filepath.Dir(path)); err != nil || len(names) != 1 {
		t.Fatalf("%q, %v", names, err)
	}
}

func TestALockHasOneHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "LOCK")
	first, err := (disk.OS{}).Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (disk.OS{}).Lock(path); !errors.Is(err, disk.ErrLocked) {
		t.Fatalf("second holder: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := (disk.OS{}).Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

// What no fsync covered may be lost by the model; what one covered may not: else the tests above prove nothing.
func TestTheModelForgetsExactlyWhatWasNotSynced(t *testing.T) {
	lost := 0
	for seed := range int64(50) {
		d := disktest.New(seed)
		if err := disk.Replace(d, "/d/f", 0o600, write(strings.Repeat("a", 500))); err != nil {
			t.Fatal(err)
		}
		f, err := d.OpenFile("/d/f", 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte(strings.Repeat("b", 500)), 500); err != nil {
			t.Fatal(err)
		}
		d.PowerLoss()
		b := string(d.Bytes("/d/f"))
		if !strings.HasPrefix(b, strings.Repeat("a", 448)) { // whole sectors below the one that was written to again
			t.Fatalf("seed %d: synced bytes are gone: %q", seed, b)
		}
		if b != strings.Repeat("a", 500)+strings.Repeat("b", 500) {
			lost++
		}
		if _, err := f.WriteAt([]byte("x"), 0); err == nil {
			t.Fatal("a dead process writes")
		}
	}
	if lost < 30 {
		t.Fatalf("unsynced bytes were lost in %d of 50 power cuts only", lost)
	}
}
