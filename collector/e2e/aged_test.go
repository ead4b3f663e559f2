package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// aging is a service that a test can have run for days: its clock goes on, and all that waits for time to pass is due.
type aging struct {
	*service
	faults string
	hours  int
}

func newAging(t *testing.T, args ...string) *aging {
	a := &aging{service: newService(t, args...), faults: filepath.Join(t.TempDir(), "faults")}
	a.env = append(a.env, "MONEV112_FAULTS="+a.faults)
	a.age(0)
	return a
}

// age lets hours go by.
func (a *aging) age(hours int) {
	a.t.Helper()
	a.hours += hours
	err := os.WriteFile(a.faults+".new", fmt.Appendf(nil, "aged %d\n", a.hours*3600), 0o600)
	if err == nil {
		err = os.Rename(a.faults+".new", a.faults)
	}
	if err != nil {
		a.t.Fatal(err)
	}
}

// now is the present of the service.
func (a *aging) now() time.Time { return time.Now().Add(time.Duration(a.hours) * time.Hour) }
