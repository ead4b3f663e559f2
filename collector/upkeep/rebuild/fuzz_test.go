package rebuild

import (
	"path/filepath"
	"testing"

	"github.com/monev112/monev112/collector/internal/disk/disktest"
)

// Whatever the file of a rebuild holds, it is read or refused, and what was read can be written.
func FuzzJob(f *testing.F) {
	for _, s := range []string{
		`{"id":"1","spec":{"since":"2026-10-01","until":"2026-11-01"},"status":"running","done":1,"total":2}`,
		`{"findings":{}}`, `{`, ``, `null`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d := disktest.New(1)
		d.SetBytes(filepath.Join("/d", File), text)
		j, err := load(d.Process(), "/d")
		if err != nil || j == nil {
			return
		}
		_ = j.clone()
		_ = j.Spec.check()
		if err := j.save(d.Process(), "/d"); err != nil {
			t.Error(err)
		}
	})
}
