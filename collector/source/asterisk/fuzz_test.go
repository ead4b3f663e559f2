package asterisk

import (
	"path/filepath"
	"testing"

	"github.com/monev112/monev112/collector/internal/disk/disktest"
)

// A damaged position file is refused or read.
func FuzzPosition(f *testing.F) {
	for _, s := range []string{
		`{"version":1,"file":{"inode":1,"offset":2,"head_bytes":3,"head_sha256":"00"},"calls":{"1.1":{}},"finished":["1.2"],"agents":{"7":{}}}`,
		`{"version":1,"file":{"offset":-1,"head_bytes":-1}}`, `{"version":1,"calls":{"1":null},"agents":{"7":null}}`,
		`{"version":2}`, `{`, ``, `null`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d := disktest.New(1)
		d.SetBytes(filepath.Join("/d", positionName), text)
		p, ok, err := readPosition(d.Process(), "/d")
		if err != nil || !ok {
			return
		}
		for id, c := range p.Calls {
			if c == nil {
				t.Errorf("call %q is nil: its next line would panic", id)
			}
		}
		for id, a := range p.Agents {
			if a == nil {
				t.Errorf("agent %q is nil: its next line would panic", id)
			}
		}
		if p.File.Offset < 0 || p.File.HeadBytes < 0 {
			t.Errorf("%+v", p.File)
		}
	})
}
