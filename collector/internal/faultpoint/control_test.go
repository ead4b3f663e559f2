//go:build faults

package faultpoint

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAStepMovesTheWallClockAlone(t *testing.T) {
	for _, by := range []time.Duration{0, time.Second, -26 * time.Hour, 300 * 24 * time.Hour} {
		before := time.Now()
		moved := step(before, by)
		if got := moved.Round(0).Sub(before.Round(0)); got != by {
			t.Errorf("the wall clock moved by %s, want %s", got, by)
		}
		if got := moved.Sub(before); got != 0 {
			t.Errorf("after a step by %s, %s went by", by, got)
		}
	}
}

func TestTheFileSaysWhichCallsFail(t *testing.T) {
	c := controlled()
	defer func(was string) { c.name = was }(c.name)
	c.name = filepath.Join(t.TempDir(), "faults")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(c.name+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(c.name+".new", c.name); err != nil {
			t.Fatal(err)
		}
	}
	if Fail("sync", "/d/journal/1") != nil {
		t.Error("a call fails without a file")
	}
	write("clock 60\nfail write journal/ 2 1 ENOSPC 0.5\nfail sync / 0 2 EIO\n")
	var got []string
	for range 4 {
		for _, op := range []string{"write", "sync", "rename"} {
			if f := Fail(op, "/d/journal/1"); f != nil {
				got = append(got, op)
				if op == "write" && (f.Part != 0.5 || !errors.Is(f.Err, syscall.ENOSPC)) {
					t.Errorf("%+v", f)
				}
			}
		}
	}
	if strings.Join(got, " ") != "sync sync write" {
		t.Errorf("failed: %q", got)
	}
	if ahead := Now().Round(0).Sub(time.Now().Round(0)); ahead < 59*time.Second || ahead > 61*time.Second {
		t.Errorf("the clock is %s ahead", ahead)
	}
	if hits, err := os.ReadFile(c.name + ".hits"); err != nil || strings.Count(string(hits), "\n") != 3 {
		t.Errorf("%q, %v", hits, err)
	}
	before := Now()
	write("aged 3600\n")
	if d := Now().Sub(before); d < time.Hour || d > time.Hour+time.Minute {
		t.Errorf("aged by an hour, %s went by", d)
	}
	write("")
	if Fail("sync", "/d/journal/1") != nil || time.Until(Now()) > time.Second {
		t.Error("an empty file fails calls")
	}
	for _, bad := range []string{
		"clok 1", "clock x", "aged -1", "fail write a 0 1 EOOPS", "fail rite a 0 1 EIO", "fail write a b 1 EIO",
		"fail write a 0 1 EIO 2",
	} {
		if _, _, _, err := parseControl(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
