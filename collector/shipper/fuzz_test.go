package shipper

import (
	"path/filepath"
	"testing"

	"github.com/monev112/monev112/collector/internal/disk/disktest"
	"github.com/monev112/monev112/collector/journal"
)

// A damaged cursor is refused or read; what was read is written as it was read.
func FuzzCursor(f *testing.F) {
	for _, s := range []string{
		`{"journal":"7f5c7b1e-0000-4000-8000-000000000000","start":10,"end":20}`,
		`{"journal":"x","start":0,"end":0,"boot":"b","closed":true,"again":7,"database":"d"}`,
		`{"start":-1}`, `{"start":18446744073709551615}`, `{"start":18446744073709551616}`, `{`, ``, `null`, `[]`,
	} {
		f.Add([]byte(s), uint64(5))
	}
	f.Fuzz(func(t *testing.T, text []byte, first uint64) {
		d := disktest.New(1)
		d.SetBytes(filepath.Join("/d", CursorFile), text)
		c, err := loadCursor(d.Process(), "/d")
		if err != nil {
			return
		}
		c, _ = c.afterBoot("another boot", journal.Position(first))
		s := &Shipper{cfg: Config{Dir: "/d", FS: d.Process()}}
		if err := s.writeCursor(c); err != nil {
			t.Fatal(err)
		}
		if again, err := loadCursor(d.Process(), "/d"); err != nil || again != c {
			t.Errorf("%+v became %+v, %v", c, again, err)
		}
	})
}
