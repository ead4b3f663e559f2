package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/internal/keyfile"
)

var testNow = time.Date(2026, 3, 13, 8, 0, 0, 0, time.UTC)

func newFile(t *testing.T) File { return File{filepath.Join(t.TempDir(), FileName)} }

func create(t *testing.T, f File, k Key) (Key, string) {
	t.Helper()
	k, secret, err := f.Create(k, testNow)
	if err != nil {
		t.Fatal(err)
	}
	return k, secret
}

func TestTheFileHoldsNoKey(t *testing.T) {
	f := newFile(t)
	k, secret := create(t, f,
		Key{Name: "jasnita", Scopes: []Scope{EventsWrite}, Source: "pbx", ExpiresAt: testNow.Add(time.Hour)})
	text, err := os.ReadFile(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte(secret)) || bytes.Contains(text, []byte(strings.TrimPrefix(secret, Prefix))) {
		t.Error("the file holds the key")
	}
	for _, p := range []string{f.Path, f.Path + ".lock"} {
		info, err := os.Stat(p)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", filepath.Base(p), info.Mode().Perm())
		}
	}
	if !strings.HasPrefix(secret, Prefix) || len(secret) != len(Prefix)+43 {
		t.Errorf("key %q", secret)
	}
	list, err := f.List()
	if err != nil || len(list) != 1 {
		t.Fatalf("%v %v", list, err)
	}
	if got, want := fmt.Sprint(list[0]), fmt.Sprint(k); got != want {
		t.Errorf("listed %s, created %s", got, want)
	}
}

// testdata/api-keys.json was written by commit 8bee9c5.
func TestAnEarlierFileOfKeysIsRead(t *testing.T) {
	text, err := os.ReadFile("testdata/api-keys.json")
	if err != nil {
		t.Fatal(err)
	}
	f := newFile(t)
	if err := os.WriteFile(f.Path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	g, err := NewGuard(f.Path, func() time.Time { return time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC) }, nil)
	if err != nil {
		t.Fatal(err)
	}
	k, ok := g.Authenticate("monev112_xdTAkRjF_N9szKHfX07wJKzPxVO1_qSsclmUGGp1Pik")
	if !ok || k.Name != "jasnita" || k.Source != "pbx" || !k.Allows(EventsWrite) {
		t.Errorf("%v %v", k, ok)
	}
	if _, ok := g.Authenticate("monev112_DR-_Sc9_r-Tqk_JA8lvFsw0Qt2ZyWLkM2n7QcRqWxIs"); ok {
		t.Error("the revoked key passes")
	}
	keys, err := f.List()
	if err != nil || len(keys) != 2 || keys[1].Center != "35.15" || keys[1].OPDs()[0] != "damkar" ||
		keys[1].RevokedAt.IsZero() || keys[1].ExpiresAt.Year() != 2027 {
		t.Errorf("%+v, %v", keys, err)
	}
	if got, err := format(keys); err != nil || string(got) != string(text) {
		t.Errorf("%v: it would be written as %s", err, got)
	}
}

func TestKeysThatMakeNoSenseAreRefused(t *testing.T) {
	f := newFile(t)
	create(t, f, Key{Name: "taken", Scopes: []Scope{BoardRead}})
	for name, k := range map[string]Key{
		"no name":             {Scopes: []Scope{BoardRead}},
		"a name with a space": {Name: "a b", Scopes: []Scope{BoardRead}},
		"a long name":         {Name: strings.Repeat("a", 65), Scopes: []Scope{BoardRead}},
		"no scope":            {Name: "a"},
		"an unknown scope":    {Name: "a", Scopes: []Scope{"events:read"}},
		"no OPD":              {Name: "a", Scopes: []Scope{OPDRead("")}, Center: "35.15"},
		"an OPD of no centre": {Name: "a", Scopes: []Scope{OPDRead("damkar")}},
		"the unknown OPD":     {Name: "a", Scopes: []Scope{OPDRead("unknown")}, Center: "35.15"},
		"a reader's source":   {Name: "a", Scopes: []Scope{BoardRead}, Source: "s"},
		"already expired":     {Name: "a", Scopes: []Scope{BoardRead}, ExpiresAt: testNow},
		"a name in use":       {Name: "taken", Scopes: []Scope{BoardRead}},
	} {
		if _, _, err := f.Create(k, testNow); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if list, err := f.List(); err != nil || len(list) != 1 {
		t.Errorf("%v %v", list, err)
	}
}

func TestRevokeByNameAndID(t *testing.T) {
	f := newFile(t)
	a, _ := create(t, f, Key{Name: "a", Scopes: []Scope{BoardRead}})
	b, _ := create(t, f, Key{Name: "b", Scopes: []Scope{BoardRead}})
	for _, which := range []string{"a", b.ID, b.ID} {
		if _, err := f.Revoke(which, testNow.Add(time.Minute)); err != nil {
			t.Error(err)
		}
	}
	for _, which := range []string{"a", "c"} { // a name stands for its live key
		if _, err := f.Revoke(which, testNow); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", which, err)
		}
	}
	again, _ := create(t, f, Key{Name: "a", Scopes: []Scope{BoardRead}})
	if again.ID == a.ID {
		t.Error("the id was used again")
	}
	list, _ := f.List()
	if len(list) != 3 || list[0].Live(testNow) || list[1].Live(testNow) || !list[2].Live(testNow) {
		t.Errorf("%+v", list)
	}
}

func TestRevokingWithoutAnyKeyClosesNothing(t *testing.T) {
	f := newFile(t)
	if _, err := f.Revoke("a", testNow); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if g, err := NewGuard(f.Path, time.Now, nil); err != nil || !g.AuthDisabled() {
		t.Errorf("a service that asks for no key is closed: %v", err)
	}
}

func TestABrokenFileIsRefusedWithItsFault(t *testing.T) {
	good := `{"id":"k1","name":"a","scopes":["board:read"],"created_at":"2026-03-13T08:00:00Z","sha256":"` +
		strings.Repeat("ab", 32) + `"}`
	file := func(version int, keys ...string) string {
		return fmt.Sprintf(`{"version":%d,"keys":[%s]}`, version, strings.Join(keys, ","))
	}
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"good":            {file(1, good), 0o600, ""},
		"others may read": {file(1, good), 0o640, "chmod 600"},
		"not JSON":        {"keys: []", 0o600, FileName},
		"another version": {file(2, good), 0o600, "version 2"},
		"unknown member":  {`{"version":1,"keys":[],"x":1}`, 0o600, "x"},
		"id twice":        {file(1, good, good), 0o600, "key 2"},
		"bad hash":        {file(1, strings.Replace(good, "abab", "xy", 1)), 0o600, "sha256"},
		"bad scope":       {file(1, strings.Replace(good, "board:read", "root", 1)), 0o600, "root"},
		"too many":        {file(1, strings.Repeat(good+",", maxKeys)+good), 0o600, "at most"},
		"too large":       {strings.Repeat(" ", maxFileBytes+1), 0o600, "larger"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFile(t)
			if err := os.WriteFile(f.Path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(f.Path, c.mode); err != nil {
				t.Fatal(err)
			}
			_, err := NewGuard(f.Path, time.Now, nil)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(
		`{"version":1,"keys":[{"id":"k1","name":"a","scopes":["opd:read:damkar"],"center":"35.15","created_at":"2026-03-13T08:00:00Z","sha256":"` + strings.Repeat("ab", 32) + `"}]}`))
	f.Add([]byte(`{"version":1,"keys":[]}`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := parse(text)
		if err != nil {
			return
		}
		again, err := json.Marshal(content{version, keys})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parse(again); err != nil {
			t.Errorf("what was read cannot be written and read: %v", err)
		}
	})
}

func TestAGuardFollowsTheFile(t *testing.T) {
	f := newFile(t)
	now := testNow
	var log bytes.Buffer
	g, err := NewGuard(f.Path, func() time.Time { return now }, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if !g.AuthDisabled() {
		t.Fatal("no key exists and the guard is closed")
	}
	k, secret := create(t, f, Key{Name: "a", Scopes: []Scope{BoardRead}, ExpiresAt: testNow.Add(time.Hour)})
	now = now.Add(keyfile.Recheck)
	if g.AuthDisabled() {
		t.Error("a key exists and the guard is open")
	}
	if got, ok := g.Authenticate(secret); !ok || got.ID != k.ID {
		t.Errorf("who: %v %v", got, ok)
	}
	for _, wrong := range []string{
		"", "x", Prefix, secret + "x", secret[:len(secret)-1], strings.TrimPrefix(secret, Prefix),
		Prefix + strings.Repeat("x", 200),
	} {
		if _, ok := g.Authenticate(wrong); ok {
			t.Errorf("%q passes", wrong)
		}
	}

	now = testNow.Add(time.Hour)
	if _, ok := g.Authenticate(secret); ok {
		t.Error("an expired key passes")
	}
	now = testNow.Add(time.Minute) // a clock that steps back
	if _, ok := g.Authenticate(secret); !ok {
		t.Error("the key does not pass")
	}

	if err := os.WriteFile(f.Path, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	now = now.Add(keyfile.Recheck)
	if _, ok := g.Authenticate(secret); !ok {
		t.Error("a broken file took the keys")
	}
	now = now.Add(keyfile.Recheck)
	g.AuthDisabled()
	if n := strings.Count(log.String(), "cannot be read"); n != 1 {
		t.Errorf("%d complaints: %s", n, log.String())
	}

	if err := os.Remove(f.Path); err != nil {
		t.Fatal(err)
	}
	now = now.Add(keyfile.Recheck)
	if _, ok := g.Authenticate(secret); ok || g.AuthDisabled() {
		t.Error("a lost file lets somebody in")
	}
	again, err := NewGuard(f.Path, func() time.Time { return now }, nil)
	if err != nil {
		t.Fatal(err)
	}
	if again.AuthDisabled() {
		t.Error("after a restart a lost file opens the service")
	}
}

// A service whose keys are lost would turn every sender away: it does not start, and says what to do.
func TestLostKeysEndTheStart(t *testing.T) {
	other := newFile(t)
	create(t, other, Key{Name: "b", Scopes: []Scope{BoardRead}})
	foreign, err := os.ReadFile(other.Path)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		lose    func(f File) error
		problem string
	}{
		"as it was": {func(File) error { return nil }, ""},
		"gone":      {func(f File) error { return os.Remove(f.Path) }, "is missing"},
		"gone, no lock": {func(f File) error {
			return errors.Join(os.Remove(f.Path), os.Remove(f.Path+".lock"))
		}, "is missing"},
		"gone, no record": {func(f File) error {
			return errors.Join(os.Remove(f.Path), os.Remove(knownOf(f)))
		}, "is missing"},
		"emptied":         {func(f File) error { return os.WriteFile(f.Path, nil, 0o600) }, "key file"},
		"cut short":       {func(f File) error { return os.Truncate(f.Path, 40) }, "key file"},
		"readable by all": {func(f File) error { return os.Chmod(f.Path, 0o644) }, "chmod 600"},
		"a link to nowhere": {func(f File) error {
			return errors.Join(os.Remove(f.Path), os.Symlink("none", f.Path))
		}, "nowhere"},
		"another's": {func(f File) error { return os.WriteFile(f.Path, foreign, 0o600) }, "of another installation"},
	} {
		f := newFile(t)
		dir := filepath.Dir(f.Path)
		open := func() error {
			_, err := Open(dir, "127.0.0.1:8112", func() time.Time { return testNow }, slog.New(slog.DiscardHandler))
			return err
		}
		if err := open(); err != nil {
			t.Errorf("%s: a fresh folder: %v", name, err)
		}
		create(t, f, Key{Name: "a", Scopes: []Scope{BoardRead}})
		if err := c.lose(f); err != nil {
			t.Fatal(err)
		}
		err := open()
		if c.problem == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		for _, part := range []string{c.problem, f.Path, "monev112 key create", "no sender and no reader is let in"} {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v, want %q", name, err, part)
			}
		}
		if err := os.Rename(f.Path, f.Path+".aside"); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		create(t, f, Key{Name: "a", Scopes: []Scope{BoardRead}})
		if err := open(); err != nil {
			t.Errorf("%s: after a key was created: %v", name, err)
		}
	}
}

// A service may start while the first key is made, whose lock is there before it.
func TestAServiceStartsBesideTheFirstKey(t *testing.T) {
	f := newFile(t)
	made := make(chan error, 1)
	go func() {
		_, _, err := f.Create(Key{Name: "a", Scopes: []Scope{BoardRead}}, testNow)
		made <- err
	}()
	for {
		if err := f.open(testNow); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-made:
			if err != nil {
				t.Fatal(err)
			}
			return
		default:
		}
	}
}

func knownOf(f File) string { return filepath.Join(filepath.Dir(f.Path), keyfile.KnownName) }

func TestARevokedKeyEndsWithinASecond(t *testing.T) {
	f := newFile(t)
	now := testNow
	_, secret := create(t, f, Key{Name: "a", Scopes: []Scope{BoardRead}})
	g, err := NewGuard(f.Path, func() time.Time { return now }, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := g.Authenticate(secret); !ok {
		t.Fatal("the key does not pass")
	}
	if _, err := f.Revoke("a", now); err != nil {
		t.Fatal(err)
	}
	now = now.Add(keyfile.Recheck)
	if _, ok := g.Authenticate(secret); ok {
		t.Error("a revoked key passes")
	}
	if g.AuthDisabled() {
		t.Error("a folder whose keys are all revoked is open")
	}
}

func TestConcurrentChangesLoseNothing(t *testing.T) {
	f := newFile(t)
	g, err := NewGuard(f.Path, time.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			_, secret, err := f.Create(Key{Name: fmt.Sprint("k", i), Scopes: []Scope{BoardRead}}, time.Now())
			if err != nil {
				t.Error(err)
			}
			g.Authenticate(secret)
		})
	}
	wg.Wait()
	if list, err := f.List(); err != nil || len(list) != 20 {
		t.Errorf("%d keys, %v", len(list), err)
	}
	if left, _ := filepath.Glob(f.Path + ".tmp*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestOnlyLoopbackWithoutKeys(t *testing.T) {
	for addr, ok := range map[string]bool{
		"127.0.0.1:8112": true, "127.9.9.9:1": true, "[::1]:8112": true, "localhost:8112": true, "LOCALHOST": true,
		"::1": true, "[::ffff:127.0.0.1]:1": true,
		":8112": false, "0.0.0.0:8112": false, "[::]:8112": false, "192.168.1.5:8112": false, "example.com:80": false,
		"": false, "localhost.evil.example:80": false,
	} {
		if err := CheckListen(addr, false); (err == nil) != ok {
			t.Errorf("%q without keys: %v", addr, err)
		}
		if err := CheckListen(addr, true); err != nil {
			t.Errorf("%q with keys: %v", addr, err)
		}
	}
}
