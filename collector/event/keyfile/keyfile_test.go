package keyfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
)

var now = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

func TestFirstStartMakesTheFileAndLaterOnesReadIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	first, err := LoadOrCreate(path, now)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", err, info.Mode())
	}
	second, err := LoadOrCreate(path, now.Add(time.Hour))
	if err != nil || second.CurrentID() != first.CurrentID() {
		t.Errorf("%v: key %v, then %v", err, first, second)
	}
	if left, _ := filepath.Glob(path + ".new-*"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestTwoStartsAtOnceAgree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	var ids [8]string
	var wait sync.WaitGroup
	for i := range ids {
		wait.Go(func() {
			if keys, err := LoadOrCreate(path, now); err == nil {
				ids[i] = keys.CurrentID()
			}
		})
	}
	wait.Wait()
	for _, id := range ids {
		if id == "" || id != ids[0] {
			t.Fatalf("keys %v", ids)
		}
	}
}

func TestFileOfOthersIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	if _, err := LoadOrCreate(path, now); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o620, 0o601} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := LoadOrCreate(path, now)
		if err == nil || !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}

func TestWhatIsNoKeyFileIsRefusedAndNeverReplaced(t *testing.T) {
	dir := t.TempDir()
	if _, err := LoadOrCreate(dir, now); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder: %v", err)
	}
	path := filepath.Join(dir, "keys")
	for _, text := range []string{"", "x", "monev112-keys 1\n", strings.Repeat("#", maxBytes+1)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadOrCreate(path, now); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%.20q: %v", text, err)
		}
		if got, _ := os.ReadFile(path); string(got) != text {
			t.Errorf("%.20q was replaced", text)
		}
	}
	if _, err := LoadOrCreate(filepath.Join(dir, "no", "keys"), now); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

func TestRotateKeepsOldKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	first, err := LoadOrCreate(path, now)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Rotate(path, now.Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	ids, created := loaded.KeyIDs()
	if len(ids) != 2 || ids[0] != first.CurrentID() || ids[1] != second.CurrentID() || loaded.CurrentID() != ids[1] ||
		!created[1].Equal(now.Add(24*time.Hour)) {
		t.Errorf("keys %v of %v", ids, created)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if _, err := Rotate(path+"x", now); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestMistakesNameTheLineAndNoSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	keys, err := LoadOrCreate(path, now)
	if err != nil {
		t.Fatal(err)
	}
	text := keys.FileText()
	lines := strings.Split(strings.TrimSpace(string(text)), "\n") // header, comment, digest, caller
	secret := lines[3][strings.LastIndexByte(lines[3], ' ')+1:]
	digest := strings.TrimPrefix(lines[2], "digest ")
	for name, change := range map[string]func() string{
		"changed key":    func() string { return strings.Replace(string(text), secret, strings.Repeat("ab", 32), 1) },
		"short key":      func() string { return strings.Replace(string(text), secret, secret[:62], 1) },
		"no hex":         func() string { return strings.Replace(string(text), secret, "zz"+secret[2:], 1) },
		"date":           func() string { return strings.Replace(string(text), "2026-11-23T08:00:00Z", "23-11-2026", 1) },
		"second digest":  func() string { return string(text) + lines[2] + "\n" },
		"same key twice": func() string { return string(text) + lines[3] + "\n" },
		"unknown line":   func() string { return string(text) + "old " + secret + "\n" },
		"no digest":      func() string { return strings.Replace(string(text), lines[2]+"\n", "", 1) },
		"no caller":      func() string { return strings.Replace(string(text), lines[3]+"\n", "", 1) },
		"no header":      func() string { return strings.Replace(string(text), lines[0]+"\n", "", 1) },
		"short digest":   func() string { return strings.Replace(string(text), digest, digest[:10], 1) },
		"nothing":        func() string { return "# only a comment\n" },
		"double spaces":  func() string { return strings.ReplaceAll(string(text), " ", "  ") },
	} {
		got, err := event.ParseKeys([]byte(change()))
		if err == nil {
			t.Errorf("%s: accepted as %v", name, got)
			continue
		}
		if strings.Contains(err.Error(), secret[:16]) || strings.Contains(err.Error(), digest[:16]) {
			t.Errorf("%s: the error shows a secret", name)
		}
	}
	if _, err := event.ParseKeys([]byte(strings.ReplaceAll(string(text), "\n", "\r\n"))); err != nil {
		t.Errorf("line ends of Windows: %v", err)
	}
	for _, shown := range []string{fmt.Sprint(keys), fmt.Sprintf("%+v", keys), fmt.Sprintf("%#v", keys), keys.String()} {
		if strings.Contains(shown, secret[:16]) || !strings.Contains(shown, keys.CurrentID()) {
			t.Errorf("shown as %s", shown)
		}
	}
}

// The service runs as another user than root, who rotates.
func TestAFileOfRootBelongsToTheOwnerOfTheFolder(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can write into another user's folder")
	}
	const service = 23112
	dir := t.TempDir()
	if err := os.Chown(dir, service, service); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "keys")
	belongs := func() {
		t.Helper()
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if st := info.Sys().(*syscall.Stat_t); st.Uid != service || info.Mode().Perm() != 0o600 {
			t.Errorf("it belongs to %d, mode %o", st.Uid, info.Mode().Perm())
		}
	}
	if _, err := LoadOrCreate(path, now); err != nil {
		t.Fatal(err)
	}
	belongs()
	if _, err := Rotate(path, now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	belongs()
}
