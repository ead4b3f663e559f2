package keyfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/internal/disk"
)

var testNow = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// numberFile is a file of one number.
func numberFile(path string) File[int] {
	return File[int]{
		Path: path, Name: "number file", MaxBytes: 8,
		Parse:  func(text []byte) (int, error) { return strconv.Atoi(string(text)) },
		Format: func(n int) ([]byte, error) { return []byte(strconv.Itoa(n)), nil },
	}
}

func writeFile(t *testing.T, path, content string, mode fs.FileMode) string {
	t.Helper()
	if err := errors.Join(os.WriteFile(path, []byte(content), 0o600), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadPrivateRefusesWhatOthersMayReadAndWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string, mode fs.FileMode) string {
		return writeFile(t, filepath.Join(dir, name), content, mode)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, problem string }{
		{file("whole", "12345678", 0o600), ""},
		{file("read-only", "1234", 0o400), ""},
		{file("long", "123456789", 0o600), "larger than 8 bytes"},
		{file("group", "1234", 0o640), "run chmod 600"},
		{file("group-write", "1234", 0o620), "run chmod 600"},
		{file("all", "1234", 0o604), "run chmod 600"},
		{file("execute", "1234", 0o601), "run chmod 600"},
		{dir, "not a regular file"},
		{pipe, "not a regular file"},
		{filepath.Join(dir, "none"), "no such file"},
	} {
		text, err := ReadPrivate(c.path, 8)
		switch {
		case c.problem == "":
			if err != nil || !strings.HasPrefix("12345678", string(text)) || len(text) < 4 {
				t.Errorf("%s: %q, %v", c.path, text, err)
			}
		case err == nil || !strings.Contains(err.Error(), c.problem) || !strings.Contains(err.Error(), c.path):
			t.Errorf("%s: %v, want the path and %q", c.path, err, c.problem)
		case errors.Is(err, fs.ErrNotExist) != (c.problem == "no such file"):
			t.Errorf("%s: whether it exists: %v", c.path, err)
		}
	}
}

func TestReadLineTakesOneLineOfAFileOfAnyMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "password")
	for content, want := range map[string]string{
		"secret": "secret", "secret\n": "secret", "secret\r\n": "secret", " with spaces \n": " with spaces ", "": "",
	} {
		if line, err := ReadLine(writeFile(t, path, content, 0o644)); err != nil || line != want {
			t.Errorf("%q: %q, %v", content, line, err)
		}
	}
	for _, content := range []string{"two\nlines", strings.Repeat("x", maxLineBytes+1)} {
		if line, err := ReadLine(writeFile(t, path, content, 0o600)); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%.10q: %.10q, %v", content, line, err)
		}
	}
}

func TestTheFirstReadCreatesTheFileAndLaterOnesReadIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "number")
	for _, create := range []int{1, 2} {
		n, err := numberFile(path).ReadOrCreate(func() (int, error) { return create, nil })
		if err != nil || n != 1 {
			t.Errorf("%d, %v", n, err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", err, info.Mode())
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 2 {
		t.Errorf("beside the file and its lock: %v, %v", left, err)
	}
	if _, err := numberFile(path + "/no/folder").ReadOrCreate(nil); err == nil {
		t.Error("a file was made without its folder")
	}
}

func TestProcessesThatStartAtOnceAgree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "number")
	var got [8]int
	var wait sync.WaitGroup
	for i := range got {
		wait.Go(func() { got[i], _ = numberFile(path).ReadOrCreate(func() (int, error) { return i + 1, nil }) })
	}
	wait.Wait()
	for _, n := range got {
		if n == 0 || n != got[0] {
			t.Fatalf("read %v", got)
		}
	}
}

func TestConcurrentChangesLoseNothing(t *testing.T) {
	file := numberFile(filepath.Join(t.TempDir(), "number"))
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if err := file.Change(func(n int) (int, error) { return n + 1, nil }); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n, err := file.Read(); err != nil || n != 20 {
		t.Errorf("%d, %v", n, err)
	}
}

func TestAFileThatCannotBeReadIsNeverReplaced(t *testing.T) {
	file := numberFile(filepath.Join(t.TempDir(), "number"))
	refused := errors.New("refused")
	for content, problem := range map[string]string{"x": "invalid syntax", "": "invalid syntax", "1": "refused"} {
		writeFile(t, file.Path, content, 0o600)
		err := file.Change(func(int) (int, error) { return 0, refused })
		if content == "1" && !errors.Is(err, refused) || err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%q: %v", content, err)
		}
		if content != "1" {
			_, err = file.ReadOrCreate(func() (int, error) { return 2, nil })
			if err == nil || !strings.Contains(err.Error(), "number file "+file.Path) {
				t.Errorf("%q: %v, want the name and the path", content, err)
			}
		}
		if got, _ := os.ReadFile(file.Path); string(got) != content {
			t.Errorf("%q was replaced by %q", content, got)
		}
	}
}

// The service runs as another user than root, who changes its files: it must be able to read what root wrote.
func TestAFileOfRootBelongsToTheOwnerOfTheFolder(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can write into another user's folder")
	}
	const service = 23112
	dir := t.TempDir()
	if err := os.Chown(dir, service, service); err != nil {
		t.Fatal(err)
	}
	file := numberFile(filepath.Join(dir, "number"))
	for _, change := range []func() error{
		func() error { _, err := file.ReadOrCreate(func() (int, error) { return 1, nil }); return err },
		func() error { return file.Change(func(n int) (int, error) { return n + 1, nil }) },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		for _, p := range []string{file.Path, file.Path + LockSuffix} {
			info, err := os.Stat(p)
			if err != nil {
				t.Fatal(err)
			}
			if st := info.Sys().(*syscall.Stat_t); st.Uid != service || st.Gid != service || info.Mode().Perm() != 0o600 {
				t.Errorf("%s belongs to %d:%d, mode %o", filepath.Base(p), st.Uid, st.Gid, info.Mode().Perm())
			}
		}
	}
}

// A folder's owner may lay a link where root is about to write.
func TestAChangeFollowsNoLink(t *testing.T) {
	victim, name := filepath.Join(t.TempDir(), "victim"), filepath.Join(t.TempDir(), "number")
	writeFile(t, victim, "old", 0o600)
	if err := os.Symlink(victim, name+disk.TempSuffix); err != nil {
		t.Fatal(err)
	}
	err := numberFile(name).Change(func(int) (int, error) { return 7, nil })
	got, _ := os.ReadFile(name)
	if left, _ := os.ReadFile(victim); err != nil || string(got) != "7" || string(left) != "old" {
		t.Errorf("%q, %v; the victim has %q", got, err, left)
	}
}

func TestALinkToNowhereIsNeverReplaced(t *testing.T) {
	dir := t.TempDir()
	file := numberFile(filepath.Join(dir, "number"))
	if err := os.Symlink(filepath.Join(dir, "away"), file.Path); err != nil {
		t.Fatal(err)
	}
	_, created := file.ReadOrCreate(func() (int, error) { return 1, nil })
	for _, err := range []error{created, file.Change(func(int) (int, error) { return 2, nil })} {
		if err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), file.Path+" is a link to nowhere") {
			t.Error(err)
		}
	}
	if info, err := os.Lstat(file.Path); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestAWatchedValueFollowsItsFiles(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	writeFile(t, a, "1", 0o600)
	writeFile(t, b, "2", 0o600)
	read := func() (int, error) {
		n, err := numberFile(a).Read()
		m, berr := numberFile(b).Read()
		return n + m, errors.Join(err, berr)
	}
	now := testNow
	var log bytes.Buffer
	w, err := Watch(read, now, slog.New(slog.NewTextHandler(&log, nil)), a, b)
	if err != nil {
		t.Fatal(err)
	}
	want := func(n int) {
		t.Helper()
		if got := w.Get(now); got != n {
			t.Errorf("%d, want %d; %s", got, n, log.String())
		}
	}
	want(3)
	writeFile(t, a, "10", 0o600)
	want(3)
	now = now.Add(Recheck)
	want(12)
	if err := os.Remove(b); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		now = now.Add(Recheck)
		want(12)
	}
	if n := strings.Count(log.String(), "cannot be read"); n != 1 {
		t.Errorf("%d complaints: %s", n, log.String())
	}
	writeFile(t, b, "5", 0o600)
	now = now.Add(-time.Hour) // a clock that is set back hides no change
	want(15)
}

func TestAFirstReadThatFailsIsAnError(t *testing.T) {
	if _, err := Watch(func() (int, error) {
		return 0, io.ErrUnexpectedEOF
	}, testNow, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("no error")
	}
}

func TestAWatchedValueIsReadFromManyGoroutines(t *testing.T) {
	file := numberFile(filepath.Join(t.TempDir(), "number"))
	if err := file.Change(func(int) (int, error) { return 1, nil }); err != nil {
		t.Fatal(err)
	}
	w, err := Watch(file.Read, testNow, slog.New(slog.DiscardHandler), file.Path)
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for j := range 50 {
				if err := file.Change(func(n int) (int, error) { return n + 1, nil }); err != nil {
					t.Error(fmt.Sprint(i, j), err)
				}
				w.Get(testNow.Add(time.Duration(j) * Recheck))
			}
		})
	}
	wait.Wait()
	if n := w.Get(testNow.Add(time.Hour)); n != 401 {
		t.Errorf("%d", n)
	}
}
