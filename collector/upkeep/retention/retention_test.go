package retention

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/store"
)

func TestCutoff(t *testing.T) {
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		policy Policy
		kind   string
		want   string // empty: kept for ever
	}{
		{Policy{}, Caller, "2025-02-28"}, // not 3 March, which would be too early
		{Policy{}, Attributes, "2024-03-31"},
		{Policy{}, Entry, "2025-12-31"},
		{Policy{CallerMonths: 1}, Caller, "2026-02-28"},
		{Policy{CallerMonths: -1}, Caller, ""},
		{Policy{AttributesMonths: -1}, Attributes, ""},
		{Policy{RefusedDays: -1}, Entry, ""},
		{Policy{RefusedDays: 7}, Entry, "2026-03-24"},
	} {
		at, ok := c.policy.Cutoff(c.kind, now)
		if got := at.Format(time.DateOnly); ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%+v %s: %s %v, want %q", c.policy, c.kind, got, ok, c.want)
		}
	}
	if (Policy{CallerMonths: maxMonths + 1}).Check() == nil || (Policy{CallerMonths: -5}).Check() != nil {
		t.Error("what a policy may say")
	}
}

func TestRecordIsAppended(t *testing.T) {
	dir := t.TempDir()
	if !LastRun(dir).IsZero() {
		t.Error("a run without a record")
	}
	r := Report{
		Applied: true, Items: []store.DueItem{
			{DuePlace: store.DuePlace{Where: "events", Kind: Caller}, Due: 5, Left: 1},
			{DuePlace: store.DuePlace{Where: "dead", Kind: Entry}, Due: 2},
		},
	}
	for range 2 {
		if err := Record(dir, r); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(filepath.Join(dir, RecordFile))
	if err != nil || bytes.Count(b, []byte{'\n'}) != 2 || LastRun(dir).IsZero() {
		t.Errorf("%v: %s", err, b)
	}
	var out strings.Builder
	if err := r.Write(&out, time.UTC); err != nil || r.Due() != 7 || r.Left() != 1 ||
		!strings.Contains(out.String(), "events  caller") {
		t.Errorf("%v: %s", err, out.String())
	}
}
