//go:build faults

package faultpoint

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestHelper is the process that is killed.
func TestHelper(t *testing.T) {
	if os.Getenv("MONEV112_KILL_AT") == "" {
		t.Skip("runs as a child only")
	}
	for i := range 5 {
		Hit("other.place")
		fmt.Println("before", i)
		Hit("journal.write")
		fmt.Println("after", i)
	}
}

func child(killAt string) (string, error) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelper$")
	cmd.Env = append(os.Environ(), "MONEV112_KILL_AT="+killAt)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestTheProcessDiesAtTheNamedHit(t *testing.T) {
	out, err := child("journal.write:3")
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("the child lived on: %v\n%s", err, out)
	}
	if ws, ok := exit.Sys().(syscall.WaitStatus); !ok || ws.Signal() != syscall.SIGKILL {
		t.Fatalf("the child ended with %v\n%s", err, out)
	}
	if !strings.Contains(out, "after 1") || !strings.Contains(out, "before 2") || strings.Contains(out, "after 2") {
		t.Fatalf("killed in the wrong place:\n%s", out)
	}
}

func TestAPlaceThatIsNotReachedKillsNothing(t *testing.T) {
	if out, err := child("journal.write:6"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func TestAMisspeltTargetIsRefused(t *testing.T) {
	for _, s := range []string{"journal.write", ":1", "x:0", "x:-1", "x:y"} {
		if _, err := parse(s); err == nil {
			t.Errorf("%q is taken", s)
		}
	}
}
