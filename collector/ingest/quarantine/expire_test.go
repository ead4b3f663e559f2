package quarantine

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestExpireLeavesNoTraceOfOldEntries(t *testing.T) {
	dir, day := t.TempDir(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s, err := Open(Options{Dir: dir, Name: "refused"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		if err := s.Add(Entry{At: day.AddDate(0, 0, i), Reason: fmt.Sprintf("reason-%d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Remove("9"); err != nil { // a removed one's line stays until then
		t.Fatal(err)
	}
	before := day.AddDate(0, 0, 5)
	if n, oldest, err := s.Older(before); err != nil || n != 5 || !oldest.Equal(day) {
		t.Errorf("%d entries since %s, %v", n, oldest, err)
	}
	for range 2 { // again changes nothing
		if err := s.Expire(before); err != nil {
			t.Fatal(err)
		}
	}
	look := func(s *Store) {
		t.Helper()
		var got []string
		if err := s.Each(func(e Entry) error { got = append(got, e.ID+e.Reason); return nil }); err != nil {
			t.Fatal(err)
		}
		if want := "[6reason-5 7reason-6 8reason-7 10reason-9]"; fmt.Sprint(got) != want {
			t.Errorf("left are %v, want %s", got, want)
		}
	}
	look(s)
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, gone := range []int{0, 1, 2, 3, 4, 8} {
			if bytes.Contains(b, fmt.Appendf(nil, "reason-%d", gone)) {
				t.Errorf("%s still holds entry %d", f, gone)
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(Options{Dir: dir, Name: "refused"}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	look(s)
	if err := s.Expire(day.AddDate(1, 0, 0)); err != nil || s.Len() != 0 {
		t.Errorf("%v, %d entries are left", err, s.Len())
	}
	if err := s.Add(Entry{Reason: "new"}); err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := s.Get("11"); !ok {
		t.Error("an id was given twice")
	}
}
