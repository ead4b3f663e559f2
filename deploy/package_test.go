package deploy_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/engine/install"
)

// needs skips the test where a program is missing, saying what brings it.
func needs(t *testing.T, remedy string, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed: %s", p, remedy)
		}
	}
}

func command(t *testing.T, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// TestThePackageOnDebian installs, starts, asks, kills, upgrades, removes and purges the package under a real systemd.
// The machine it runs on stays as it is: see testdata/container.sh.
func TestThePackageOnDebian(t *testing.T) {
	if testing.Short() {
		t.Skip("boots a container")
	}
	if os.Getuid() != 0 {
		t.Skip("only root can make the container")
	}
	needs(t, "this is no Debian machine", "dpkg", "unshare")
	needs(t, "run make packages, or apt-get install systemd-container curl", "systemd-nspawn", "systemd-analyze", "curl")
	nfpm, err := filepath.Abs("../.tools/bin/nfpm")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(nfpm); err != nil {
		t.Skip("nfpm is not built: run make tools")
	}
	library, err := install.Fetch(t.Context(), install.Options{})
	if err != nil {
		t.Skipf("the embedded ClickHouse is not available: %v", err)
	}

	folder := t.TempDir()
	binary := filepath.Join(folder, "monev112")
	command(t, []string{"CGO_ENABLED=0"}, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "../cmd/monev112")
	for name, version := range map[string]string{"one": "v0.1.0", "two": "v0.2.0"} {
		out := filepath.Join(folder, name)
		command(t, []string{"NFPM=" + nfpm}, "debian/build.sh", binary, version, out)
		built, err := filepath.Glob(out + "/*.deb")
		if err != nil || len(built) != 1 {
			t.Fatalf("%s: built %v", version, built)
		}
		if err := os.Rename(built[0], filepath.Join(folder, name+".deb")); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(binary); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(library, filepath.Join(folder, "libchdb.so")); err != nil {
		command(t, nil, "cp", library, folder)
	}
	if err := os.Mkdir(filepath.Join(folder, "memory"), 0o700); err != nil {
		t.Fatal(err)
	}
	command(t, nil, "cp", "testdata/inside.sh", folder)

	ctx, cancel := context.WithTimeout(t.Context(), 45*time.Minute)
	defer cancel()
	said, err := exec.CommandContext(ctx, "unshare", "--mount", "sh", "testdata/container.sh", folder).CombinedOutput()
	log, lerr := os.ReadFile(filepath.Join(folder, "log"))
	if errors.Is(lerr, fs.ErrNotExist) {
		t.Skipf("this machine boots no container (%v):\n%s", err, said)
	}
	if lerr != nil {
		t.Fatal(lerr)
	}
	checks := 0
	for _, line := range strings.Split(string(log), "\n") {
		if strings.HasPrefix(line, "ok ") {
			checks++
		}
		if strings.HasPrefix(line, "FAIL ") {
			t.Error(line)
		}
	}
	want := strings.Count(read(t, "testdata/inside.sh"), "\ncheck \"")
	if ended := strings.Contains(string(log), "\n== end\n"); !ended || checks != want {
		t.Errorf("%d of %d checks passed, ended: %v", checks, want, ended)
	}
	if t.Failed() {
		t.Logf("%s\n%s", said, log)
	}
}
