package web

import (
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/internal/keyfile"
)

func TestADisplaysLinkOpensUntilItIsRevokedOrExpires(t *testing.T) {
	dir, now := t.TempDir(), testNow
	links := LinkList{dir}
	kept, token, err := links.Create("35.15", 365*24*time.Hour, now)
	if err != nil {
		t.Fatal(err)
	}
	d, err := OpenListedLinks(dir, now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if l, ok := d.OpenWallboard(token, now); !ok || l != kept || l.Center != "35.15" || l.To != ToWallboard {
		t.Errorf("%+v %v, want %+v", l, ok, kept)
	}
	gone, second, err := links.Create("35.78", time.Hour, now) // after the service was started
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(keyfile.Recheck)
	if l, ok := d.OpenWallboard(second, now); !ok || l.ID != gone.ID {
		t.Errorf("a later link: %+v %v", l, ok)
	}
	for range 2 {
		if _, err := links.Revoke(gone.ID, now); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := links.Revoke("d00000000", now); !errors.Is(err, ErrNoLink) {
		t.Errorf("an unknown id: %v", err)
	}
	now = now.Add(keyfile.Recheck)
	if _, ok := d.OpenWallboard(second, now); ok {
		t.Error("a revoked link opens")
	}
	if _, ok := d.OpenWallboard(token, now); !ok {
		t.Error("the other link opens no more")
	}
	if _, ok := d.OpenWallboard(token, kept.ExpiresAt); ok {
		t.Error("an expired link opens")
	}
	if _, err := LinkKeysIn(dir).Rotate(now, false); err != nil {
		t.Fatal(err)
	}
	now = now.Add(keyfile.Recheck)
	if _, ok := d.OpenWallboard(token, now); !ok {
		t.Error("the rotation of the key ended a link")
	}
	list, err := links.List()
	if err != nil || len(list) != 2 || !list[1].RevokedAt.Equal(now.Add(-2*keyfile.Recheck).Truncate(time.Second)) {
		t.Errorf("%+v %v", list, err)
	}
}

func TestADisplaysLinkOpensNoPageOfAnOPDAndViceVersa(t *testing.T) {
	dir := t.TempDir()
	_, token, err := LinkList{dir}.Create("35.15", time.Hour, testNow)
	if err != nil {
		t.Fatal(err)
	}
	l, err := NewLinks(LinkConfig{File: LinkKeysIn(dir).Path, PublicURL: publicURL}, testNow)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := l.open(token, testNow); err == nil {
		t.Errorf("a display's link opens %+v", got)
	}
	d, err := OpenListedLinks(dir, testNow, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{
		tokenOf(l.List("35.15", "dishub", testNow)), tokenOf(l.Ticket("35.15", "dishub", "T-1", testNow)), "", "x",
		token[:len(token)-1], token + "A",
	} {
		if got, ok := d.OpenWallboard(other, testNow); ok {
			t.Errorf("%q opens %+v", other, got)
		}
	}
	for i := range token { // any letter changed
		wrong := token[:i] + string(token[i]^1) + token[i+1:]
		if _, ok := d.OpenWallboard(wrong, testNow); ok {
			t.Errorf("letter %d changed: it opens", i)
		}
	}
}

func TestDisplaysLinksThatMakeNoSenseAreRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		center   string
		lifetime time.Duration
		want     string
	}{
		"for ever":  {"35.15", 401 * 24 * time.Hour, "400 days"},
		"no time":   {"35.15", 0, "one minute"},
		"no centre": {"", time.Hour, "cannot be named"},
		"too long":  {strings.Repeat("x", 300), time.Hour, "cannot be named"},
	} {
		dir := t.TempDir()
		_, _, err := LinkList{dir}.Create(tt.center, tt.lifetime, testNow)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
		if found, _ := filepath.Glob(filepath.Join(dir, LinkListFile)); len(found) > 0 {
			t.Errorf("%s: a file was made", name)
		}
	}
}
