package deploy_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/monev112/monev112/collector"
	"github.com/monev112/monev112/collector/e2e/servers"
)

// firstRun runs the script on a folder of its own, with a docker that answers as Docker Compose does and writes down
// what it was asked.
func firstRun(t *testing.T, folder string, docker string, args ...string) (string, error) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can give files away")
	}
	needs(t, "run make packages, or apt-get install openssl", "openssl")
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "docker"), []byte("#!/bin/sh\n"+docker), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "compose/first-run.sh", args...)
	cmd.Env = append(os.Environ(), "MONEV112_DEPLOY_DIR="+folder, "PATH="+bin+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

const (
	noDocker   = "exit 127\n"
	withDocker = `echo "$*" >> "$MONEV112_DEPLOY_DIR/asked"; case "$*" in *"key --data"*) echo mk_secret-of-the-log ;; esac`
)

// contents maps each file below folder to its owner, mode and text.
func contents(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(folder, path)
		all[rel] = fmt.Sprintf("%d %o %s", info.Sys().(*syscall.Stat_t).Uid, info.Mode().Perm(), text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTheFirstRunMakesEachSecretForItsReader(t *testing.T) {
	const host = "112.sidoarjo.example"
	folder := t.TempDir()
	out, err := firstRun(t, folder, withDocker, host)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	made := contents(t, folder)
	p := mustCompose(t)
	owner := func(service string) string { return strings.SplitN(p.Services[service].User, ":", 2)[0] }
	for service, s := range p.Services {
		for _, secret := range s.Secrets {
			rel := filepath.Join("compose/secrets", secret.Source)
			if want := owner(service) + " 600 "; !strings.HasPrefix(made[rel], want) {
				t.Errorf("%s: %.10q, want %q for %s", rel, made[rel], want, service)
			}
		}
	}
	for _, rel := range written {
		if made[rel] == "" && rel != "compose/secrets/alertmanager" {
			t.Errorf("%s was not made", rel)
		}
	}
	if got, want := made["compose/secrets/alertmanager/monev112-log-key"],
		owner("alertmanager")+" 600 mk_secret-of-the-log\n"; got != want {
		t.Errorf("the log's key is %q, want %q", got, want)
	}
	seen := map[string]string{}
	for _, name := range []string{"clickhouse-writer", "clickhouse-reader", "grafana-admin", "grafana-secret-key"} {
		secret := made["compose/secrets/"+name]
		secret = secret[strings.LastIndex(secret, " ")+1:]
		if len(secret) < 32 || seen[secret] != "" {
			t.Errorf("%s: %d characters, the same as %q", name, len(secret), seen[secret])
		}
		seen[secret] = name
		if strings.Contains(out, secret) {
			t.Errorf("%s was printed", name)
		}
		if users := made["compose/secrets/clickhouse-users.xml"]; strings.HasPrefix(name, "clickhouse") {
			sum := sha256.Sum256([]byte(secret))
			if strings.Contains(users, secret) || !strings.Contains(users, hex.EncodeToString(sum[:])) {
				t.Errorf("ClickHouse's users hold %s itself, or not its hash", name)
			}
		}
	}
	if c, err := collector.ReadFile(filepath.Join(folder, "compose/monev112.yaml")); err != nil ||
		c.Pages.PublicURL != "https://"+host {
		t.Errorf("the collector's configuration: %v, links to %q", err, c.Pages.PublicURL)
	}
	if !strings.Contains(made["compose/contacts.yaml"], "http://monev112:8112/") {
		t.Error("the contacts do not name the collector's service")
	}

	if err := os.Remove(filepath.Join(folder, "asked")); err != nil {
		t.Fatal(err)
	}
	delete(made, "asked")
	if out, err = firstRun(t, folder, withDocker); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	again := contents(t, folder)
	if fmt.Sprint(again) != fmt.Sprint(made) {
		t.Errorf("a second run changed something:\n%v\n%v", made, again)
	}
}

func TestAlertmanagerTakesTheFirstConfiguration(t *testing.T) {
	amtool := servers.Tool(t, "amtool")
	folder := t.TempDir()
	if out, err := firstRun(t, folder, noDocker, "112.example.go.id"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := exec.CommandContext(t.Context(), amtool, "check-config",
		filepath.Join(folder, "compose/alertmanager.yml")).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestTheFirstRunCanBeRepeated(t *testing.T) {
	folder := t.TempDir()
	for name, host := range map[string]string{
		"no host": "", "a URL": "https://112.example.go.id", "a port": "112.example.go.id:443", "a shell": "$(id)",
	} {
		if out, err := firstRun(t, folder, noDocker, host); err == nil || len(contents(t, folder)) > 0 {
			t.Errorf("%s is taken: %s", name, out)
		}
	}
	// Without Docker nothing is lost: the next run goes on.
	out, err := firstRun(t, folder, noDocker, "112.example.go.id")
	if err != nil || !strings.Contains(out, "Docker Compose is missing") {
		t.Fatalf("%v\n%s", err, out)
	}
	// A key that could not be made is asked for again.
	if out, err = firstRun(t, folder, `case "$*" in *"key --data"*) exit 1 ;; esac`); err == nil {
		t.Fatalf("a failed container is no failure: %s", out)
	}
	if out, err = firstRun(t, folder, withDocker); err != nil || !strings.Contains(out, "Ready: ") {
		t.Fatalf("%v\n%s", err, out)
	}
}
