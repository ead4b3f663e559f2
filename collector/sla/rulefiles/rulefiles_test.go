package rulefiles

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const elsewhere = `version: 1
default_center: "35.29"
centers:
  - code: "35.29"
    name: Kabupaten Sumenep
    timezone: Asia/Jakarta
    policy: POLICY
    calendar: id-sidoarjo
    opds:
      - {id: dishub, name: "Dinas Perhubungan", scope: own, hours: working}
`

// A directory alone is enough for another regency, whichever shipped policy it goes by.
func TestADirectoryAlone(t *testing.T) {
	for _, policy := range []string{"sidoarjo", "sp4n", "nena-2020", "spm-damkar-15"} {
		f := Files{Directory: write(t, "directory.yaml", strings.Replace(elsewhere, "POLICY", policy, 1))}
		dir, err := f.LoadDirectory()
		if err != nil {
			t.Fatalf("%s: %v", policy, err)
		}
		if _, err := f.LoadBook(dir); err != nil {
			t.Errorf("%s: %v", policy, err)
		}
	}
}

// An own file is strict, and takes the place of the shipped one of its name.
func TestAnOwnPolicyIsStrict(t *testing.T) {
	const policy = `policy: sidoarjo
version: "9"
valid_from: 2023-01-01
clocks:
  - {clock: acknowledge, kind: elapsed, target: 1h, opd: OPD}
`
	for opd, accepted := range map[string]bool{"dishub": true, "bpbd": false} {
		f := Files{
			Directory: write(t, "directory.yaml", strings.Replace(elsewhere, "POLICY", "sidoarjo", 1)),
			Policies:  []string{write(t, "sidoarjo.yaml", strings.Replace(policy, "OPD", opd, 1))},
		}
		dir, err := f.LoadDirectory()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.LoadBook(dir); (err == nil) != accepted {
			t.Errorf("a policy that names %s: %v", opd, err)
		}
	}
}

func TestLimits(t *testing.T) {
	name := write(t, "big.yaml", strings.Repeat("#", MaxBytes+1))
	if _, err := Read(name); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("a file that is too large: %v", err)
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none")); !os.IsNotExist(err) {
		t.Errorf("a file that is not there: %v", err)
	}
}
