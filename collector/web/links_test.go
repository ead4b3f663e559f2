package web

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/internal/keyfile"
	_ "github.com/monev112/monev112/collector/internal/rapidseed"
	"pgregory.net/rapid"
)

// A Monday, 10.00 WIB.
var testNow = time.Date(2026, 3, 16, 3, 0, 0, 0, time.UTC)

const publicURL = "https://monev112.example.go.id"

func newLinks(t testing.TB) *Links {
	t.Helper()
	l, _ := newLinksAndFile(t)
	return l
}

func newLinksAndFile(t testing.TB) (*Links, LinkKeys) {
	t.Helper()
	file := LinkKeys{filepath.Join(t.TempDir(), LinkKeysFile)}
	l, err := NewLinks(LinkConfig{File: file.Path, PublicURL: publicURL}, testNow)
	if err != nil {
		t.Fatal(err)
	}
	return l, file
}

func tokenOf(link string) string { return strings.TrimPrefix(link, publicURL+"/p/") }

func TestALinkOpensWhatItNames(t *testing.T) {
	l := newLinks(t)
	rapid.Check(t, func(r *rapid.T) {
		name := rapid.StringMatching(`[a-z0-9._-]{1,24}`)
		center, opd, id := name.Draw(r, "center"), name.Draw(r, "opd"),
			rapid.StringMatching(`[A-Za-z0-9/._-]{1,128}`).Draw(r, "id")
		link := l.Ticket(center, opd, id, testNow)
		if len(link) > maxLinkBytes || !strings.HasPrefix(link, publicURL+"/p/") {
			r.Fatalf("link %q", link)
		}
		got, err := l.open(tokenOf(link), testNow)
		if err != nil || got.center != center || got.opd != opd || got.id != id || got.kind != kindTicket {
			r.Fatalf("%+v, %v", got, err)
		}
		got, err = l.open(tokenOf(l.List(center, opd, testNow)), testNow)
		if err != nil || got.center != center || got.opd != opd || got.id != "" || got.kind != kindList {
			r.Fatalf("%+v, %v", got, err)
		}
	})
}

func TestALinkIsTheSameAllDayInWIB(t *testing.T) {
	l := newLinks(t)
	wib := time.FixedZone("WIB", 7*3600)
	first := l.List("35.15", "dishub", time.Date(2026, 3, 16, 0, 0, 0, 0, wib))
	for _, at := range []time.Time{time.Date(2026, 3, 16, 7, 0, 0, 0, wib), time.Date(2026, 3, 16, 23, 59, 59, 0, wib)} {
		if got := l.List("35.15", "dishub", at); got != first {
			t.Errorf("at %s the link changed", at)
		}
	}
	if l.List("35.15", "dishub", time.Date(2026, 3, 17, 0, 0, 0, 0, wib)) == first {
		t.Error("the link lives for ever")
	}
	for _, c := range []struct {
		at   time.Time
		want bool
	}{{testNow.Add(defaultLifetime), true}, {testNow.Add(defaultLifetime + 24*time.Hour), false}} {
		if _, err := l.open(tokenOf(first), c.at); (err == nil) != c.want {
			t.Errorf("at %s: %v", c.at, err)
		}
	}
}

func TestNoOtherTokenOpens(t *testing.T) {
	l, foreign := newLinks(t), newLinks(t)
	good := tokenOf(l.Ticket("35.15", "dishub", "SDA-2026-00123", testNow))
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw { // each byte is authenticated
		for bit := range 8 {
			changed := append([]byte(nil), raw...)
			changed[i] ^= 1 << bit
			if _, err := l.open(base64.RawURLEncoding.EncodeToString(changed), testNow); err == nil {
				t.Errorf("byte %d bit %d may be changed", i, bit)
			}
		}
	}
	for name, token := range map[string]string{
		"empty": "", "cut": good[:len(good)-1], "longer": good + "A", "padded": good + "=", "no token": "style.css",
		"long":              strings.Repeat("A", maxLinkBytes+1),
		"another service's": tokenOf(foreign.Ticket("35.15", "dishub", "SDA-2026-00123", testNow)),
		"expired":           tokenOf(l.Ticket("35.15", "dishub", "SDA-2026-00123", testNow.Add(-9*24*time.Hour))),
	} {
		if _, err := l.open(token, testNow); !errors.Is(err, errLink) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	l := newLinks(f)
	f.Add(tokenOf(l.List("35.15", "dishub", testNow)))
	f.Add("AQ")
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		got, err := l.open(token, testNow)
		if err == nil && l.sign(got, testNow) != token {
			t.Errorf("%q opens as %+v and was never signed", token, got)
		}
	})
}

func TestRotationKeepsLinksUntilTheyExpire(t *testing.T) {
	l, file := newLinksAndFile(t)
	old := tokenOf(l.List("35.15", "dishub", testNow))
	now := testNow.Add(time.Minute)
	if _, err := file.Rotate(now, false); err != nil {
		t.Fatal(err)
	}
	now = now.Add(keyfile.Recheck)
	fresh := tokenOf(l.List("35.15", "dishub", now))
	if fresh == old {
		t.Error("the new key does not sign")
	}
	if _, err := l.open(old, now); err != nil {
		t.Errorf("an old link: %v", err)
	}
	if _, err := file.Rotate(now, true); err != nil {
		t.Fatal(err)
	}
	now = now.Add(keyfile.Recheck)
	for _, token := range []string{old, fresh} {
		if _, err := l.open(token, now); err == nil {
			t.Error("a link outlived its dropped key")
		}
	}
	if keys, err := file.List(); err != nil || len(keys) != 1 {
		t.Errorf("%v %v", keys, err)
	}
	// A key that no living link can carry goes with the next rotation.
	for range 3 {
		now = now.Add(maxListedLife)
		if _, err := file.Rotate(now, false); err != nil {
			t.Fatal(err)
		}
	}
	if keys, err := file.List(); err != nil || len(keys) != 3 {
		t.Errorf("%v %v", keys, err)
	}
}

func TestTheLinkKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), LinkKeysFile)
	var wg sync.WaitGroup
	links := make([]string, 8)
	for i := range links { // starts at once agree
		wg.Go(func() {
			if l, err := NewLinks(LinkConfig{File: path, PublicURL: publicURL}, testNow); err == nil {
				links[i] = l.List("35.15", "dishub", testNow)
			}
		})
	}
	wg.Wait()
	for _, link := range links {
		if link == "" || link != links[0] {
			t.Fatalf("%q", links)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	keys, err := LinkKeys{path}.file().Read()
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{fmt.Sprint(keys[0]), fmt.Sprintf("%+v", keys), fmt.Sprintf("%#v", keys)} {
		if strings.Contains(shown, keys[0].Secret[:8]) {
			t.Errorf("shown: %s", shown)
		}
	}

	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"empty": "", "no key": `{"version":1,"keys":[]}`,
		"version":      strings.Replace(string(good), `"version": 1`, `"version": 2`, 1),
		"short secret": strings.Replace(string(good), keys[0].Secret, keys[0].Secret[2:], 1),
		"id":           strings.Replace(string(good), keys[0].ID, "xyz", 1),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := NewLinks(LinkConfig{File: path, PublicURL: publicURL}, testNow)
		if err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), keys[0].Secret[4:12]) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := NewLinks(LinkConfig{File: path, PublicURL: publicURL}, testNow); err == nil ||
		!strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("readable by others: %v", err)
	}
}

func TestABrokenKeyFileLeavesTheKeys(t *testing.T) {
	l, file := newLinksAndFile(t)
	token := tokenOf(l.List("35.15", "dishub", testNow))
	if err := os.WriteFile(file.Path, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := l.open(token, testNow.Add(2*keyfile.Recheck)); err != nil {
		t.Error(err)
	}
}

func TestPublicURLThatCannotWork(t *testing.T) {
	for url, ok := range map[string]bool{
		"https://monev112.example.go.id": true, "https://example.go.id/monev112/": true, "http://127.0.0.1:8112": true,
		"http://localhost:8112": true,
		"":                      false, "monev112.example.go.id": false, "http://monev112.example.go.id": false,
		"https://user:x@example.go.id": false,
		"https://example.go.id/?a=b":   false, "https://example.go.id/#x": false, "ftp://example.go.id": false,
		"https://": false,
		"https://example.go.id/" + strings.Repeat("x", maxURLBytes): false,
	} {
		cfg := LinkConfig{PublicURL: url}
		if err := cfg.Check(); (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		}
	}
	for lifetime, ok := range map[time.Duration]bool{
		0: true, time.Hour: false, minLifetime: true, maxLifetime: true, maxLifetime + 1: false,
	} {
		cfg := LinkConfig{PublicURL: publicURL, Lifetime: lifetime}
		if err := cfg.Check(); (err == nil) != ok {
			t.Errorf("%s: %v", lifetime, err)
		}
	}
}

// testdata/link-keys.json, and the link, were made by commit 8bee9c5.
func TestAnEarlierFileOfLinkKeysIsReadAndItsLinksOpen(t *testing.T) {
	text, err := os.ReadFile("testdata/link-keys.json")
	if err != nil {
		t.Fatal(err)
	}
	file := LinkKeys{filepath.Join(t.TempDir(), LinkKeysFile)}
	if err := os.WriteFile(file.Path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	l, err := NewLinks(LinkConfig{File: file.Path, PublicURL: publicURL}, now)
	if err != nil {
		t.Fatal(err)
	}
	got, err := l.open("AUqz6110aw2rkAUzNS4xNQZkaXNodWJTREEtMjAyNi0wMDEyMzUGB_mBpTY4wOPb0HbUQ9U", now)
	if err != nil || got.center != "35.15" || got.opd != "dishub" || got.id != "SDA-2026-00123" {
		t.Errorf("%+v, %v", got, err)
	}
	if keys, err := file.file().Read(); err != nil {
		t.Error(err)
	} else if again, err := formatLinkKeys(keys); err != nil || string(again) != string(text) {
		t.Errorf("%v: it would be written as %s", err, again)
	}
}

// A clock may be behind the one that made the newest key.
func TestAKeyRotatedByASlowClockIsTheNewest(t *testing.T) {
	keys := LinkKeys{filepath.Join(t.TempDir(), LinkKeysFile)}
	if _, err := keys.Rotate(testNow, false); err != nil {
		t.Fatal(err)
	}
	made, err := keys.Rotate(testNow.Add(-time.Hour), false)
	if err != nil {
		t.Fatal(err)
	}
	list, err := keys.List()
	if err != nil || len(list) != 2 || list[1] != made {
		t.Errorf("%v, %v; made %v", list, err, made)
	}
}

func TestLostLinkKeysAreNeverReplacedInSilence(t *testing.T) {
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	foreign := func(t *testing.T) []byte {
		_, f := newLinksAndFile(t)
		text, err := os.ReadFile(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for name, c := range map[string]struct {
		lose    func(t *testing.T, path string) error
		problem string
	}{
		"gone":              {func(_ *testing.T, p string) error { return os.Remove(p) }, "is missing"},
		"emptied":           {func(_ *testing.T, p string) error { return os.WriteFile(p, nil, 0o600) }, "not the JSON"},
		"cut short":         {func(_ *testing.T, p string) error { return os.Truncate(p, 50) }, "not the JSON"},
		"readable by all":   {func(_ *testing.T, p string) error { return os.Chmod(p, 0o644) }, "chmod 600"},
		"a link to nowhere": {func(_ *testing.T, p string) error { return errors.Join(os.Remove(p), os.Symlink("no", p)) }, "nowhere"},
		"another's": {
			func(t *testing.T, p string) error { return os.WriteFile(p, foreign(t), 0o600) }, "of another installation",
		},
	} {
		_, file := newLinksAndFile(t)
		open := func() error {
			_, err := NewLinks(LinkConfig{File: file.Path, PublicURL: "https://example.go.id"}, now)
			return err
		}
		if _, err := file.Rotate(now, true); err != nil { // what a rotation drops is not missed
			t.Fatal(err)
		}
		if err := open(); err != nil {
			t.Errorf("%s: after a rotation: %v", name, err)
		}
		if err := c.lose(t, file.Path); err != nil {
			t.Fatal(err)
		}
		err := open()
		for _, part := range []string{c.problem, file.Path, "no link opens", "monev112 link-key begin"} {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v, want %q", name, err, part)
			}
		}
		if _, err := file.Rotate(now, false); err == nil && name != "another's" {
			t.Errorf("%s: a rotation put another file in its place", name)
		}
		if _, _, err := file.Begin(now, true); err != nil || open() == nil && name != "another's" {
			t.Errorf("%s: a dry run began: %v", name, err)
		}
		if _, _, err := file.Begin(now, false); err != nil {
			t.Error(name, err)
		}
		if err := open(); err != nil {
			t.Errorf("%s: after begin: %v", name, err)
		}
	}
}
