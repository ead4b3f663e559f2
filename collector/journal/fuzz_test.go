package journal

import (
	"testing"

	"github.com/monev112/monev112/collector/internal/disk/disktest"
)

// Whatever identity and skips hold, the journal opens or says why not.
func FuzzIdentity(f *testing.F) {
	id := `{"format":"` + identityFormat +
		`","birth":"7f5c7b1e-0000-4000-8000-000000000000","uuid":"7f5c7b1e-0000-4000-8000-000000000001"}`
	f.Add([]byte(id), []byte(`[{"from":5,"to":9,"segment":"s","reason":"r","at":"2026-11-02T00:00:00Z"}]`))
	f.Add([]byte(id), []byte(`[{"from":9,"to":5},{"from":0,"to":18446744073709551615},{"from":1,"to":1}]`))
	f.Add([]byte(`{"format":"x"}`), []byte(`null`))
	f.Add([]byte(`{`), []byte(`{`))
	f.Fuzz(func(t *testing.T, identity, skips []byte) {
		d := disktest.New(1)
		d.SetBytes("/d/"+identityName, identity)
		d.SetBytes("/d/"+skipsName, skips)
		j, err := Open(Options{Dir: "/d", FS: d.Process()})
		if err != nil {
			return
		}
		defer j.Close()
		r, err := j.NewReader(j.Stats().First)
		if err != nil {
			return
		}
		defer r.Close()
		if _, _, err := r.TryNext(); err != nil {
			t.Error("an empty journal cannot be read: ", err)
		}
	})
}
