package main

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/web"
)

func said(t *testing.T, cmd *cobra.Command, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	err := cmd.Execute()
	return out.String(), err
}

func TestTheCallersKeyIsRotated(t *testing.T) {
	data := t.TempDir()
	if _, err := said(t, callerKeyCommand(), "rotate", "--data", data); err == nil {
		t.Error("a folder without a key is rotated")
	}
	before, err := event.NewKeys(rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "caller-keys"), before.FileText(), 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := said(t, callerKeyCommand(), "rotate", "--data", data)
	if err != nil || !strings.Contains(text, "restart") {
		t.Errorf("%s %v", text, err)
	}
	after, err := ingest.CallerKeys(data)
	if err != nil || after.CurrentID() == before.CurrentID() || !strings.Contains(text, after.CurrentID()) {
		t.Errorf("%v %v", after, err)
	}
	text, err = said(t, callerKeyCommand(), "list", "--data", data)
	if err != nil || !strings.Contains(text, before.CurrentID()) || strings.Count(text, "current") != 1 ||
		strings.Count(text, "earlier") != 1 {
		t.Errorf("%s %v", text, err)
	}
}

func TestLostKeysAreBegunAnew(t *testing.T) {
	for file, cmd := range map[string]func() *cobra.Command{
		"caller-keys": callerKeyCommand, "link-keys.json": linkKeyCommand,
	} {
		data := t.TempDir()
		if err := os.WriteFile(filepath.Join(data, file), []byte("damaged"), 0o600); err != nil {
			t.Fatal(err)
		}
		text, err := said(t, cmd(), "begin", "--dry-run", "--data", data)
		if err != nil || !strings.Contains(text, "dry run: nothing was changed") || !strings.Contains(text, "lost: ") {
			t.Errorf("%s: %s %v", file, text, err)
		}
		text, err = said(t, cmd(), "begin", "--data", data)
		if err != nil || !strings.Contains(text, "kept aside: ") {
			t.Errorf("%s: %s %v", file, text, err)
		}
		if text, err = said(t, cmd(), "list", "--data", data); err != nil || !strings.Contains(text, "current") {
			t.Errorf("%s: %s %v", file, text, err)
		}
	}
}

func TestTheLinksKeyIsRotated(t *testing.T) {
	data, now := t.TempDir(), time.Now()
	cfg := web.LinkConfig{File: web.LinkKeysIn(data).Path, PublicURL: "https://example.go.id"}
	links, err := web.NewLinks(cfg, now)
	if err != nil {
		t.Fatal(err)
	}
	first := links.List("35.15", "dishub", now)
	for i, args := range [][]string{{"rotate"}, {"rotate", "--drop"}} {
		text, err := said(t, linkKeyCommand(), append(args, "--data", data)...)
		if err != nil {
			t.Fatal(err)
		}
		if dead := strings.Contains(text, "links sent before no longer work"); dead != (i == 1) {
			t.Errorf("%v: %s", args, text)
		}
		fresh, err := web.NewLinks(cfg, now)
		if err != nil || fresh.List("35.15", "dishub", now) == first {
			t.Errorf("%v: the key did not change: %v", args, err)
		}
		want := 2 - i
		if text, err = said(t, linkKeyCommand(), "list", "--data", data); err != nil || strings.Count(text, "\n") != 1+want {
			t.Errorf("%s %v", text, err)
		}
	}
}
