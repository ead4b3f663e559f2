package pager

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/monev112/monev112/collector/internal/disk/disktest"
)

// A damaged state file is put aside, never the end of the pager; what was read is written as it was read.
func FuzzState(f *testing.F) {
	for _, s := range []string{
		`{"version":1}`, `{"version":1,"active":[{}],"ended":[{}],"waiting":[{}],"closings":[{}],"digests":[{}],"digest_told":{"35.15":"2026-11-02T00:00:00Z"}}`,
		`{"version":1,"active":[null]}`, `{"version":2}`, `{"version":1,"x":1}`, `{`, ``, `null`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d := disktest.New(1)
		d.SetBytes("/d/"+stateFile, text)
		s, err := load(d.Process(), "/d/"+stateFile, slog.New(slog.DiscardHandler))
		if err != nil || s == nil || s.Version != stateVersion {
			t.Fatal(s, err)
		}
		first, err := s.encode()
		if err != nil {
			t.Fatal(err)
		}
		d.SetBytes("/d/"+stateFile, first)
		again, err := load(d.Process(), "/d/"+stateFile, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if second, err := again.encode(); err != nil || !bytes.Equal(first, second) {
			t.Errorf("%s became %s, %v", first, second, err)
		}
	})
}
