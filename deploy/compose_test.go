package deploy_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/goccy/go-yaml"

	"github.com/monev112/monev112/collector"
)

// composeProject is compose.yaml as Docker Compose itself would read it: against the schema, with variables put in.
func composeProject(t *testing.T, env types.Mapping) (*types.Project, error) {
	t.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	return loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  dir,
		ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(dir, "compose.yaml")}},
		Environment: env,
	})
}

func mustCompose(t *testing.T) *types.Project {
	t.Helper()
	p, err := composeProject(t, types.Mapping{"MONEV112_HOST": "112.example.go.id"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestComposeAsksForTheHost(t *testing.T) {
	if _, err := composeProject(t, nil); err == nil || !strings.Contains(err.Error(), "MONEV112_HOST") {
		t.Errorf("without a host: %v", err)
	}
}

func TestEveryServiceIsGuardedAndBounded(t *testing.T) {
	p := mustCompose(t)
	if got, want := p.ServiceNames(),
		[]string{"alertmanager", "clickhouse", "door", "grafana", "monev112", "prometheus"}; !slices.Equal(got, want) {
		t.Fatalf("services %v, want %v", got, want)
	}
	pinned := regexp.MustCompile(`:v?\d+\.\d+\.\d+`)
	for name, s := range p.Services {
		if s.Build == nil && !pinned.MatchString(s.Image) {
			t.Errorf("%s: image %s is not pinned to a release", name, s.Image)
		}
		if s.User == "" || strings.HasPrefix(s.User, "0") || strings.HasPrefix(s.User, "root") {
			t.Errorf("%s runs as %q", name, s.User)
		}
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) ||
			!slices.Contains(s.SecurityOpt, "no-new-privileges:true") || s.Privileged {
			t.Errorf("%s: read_only %v, cap_drop %v, security_opt %v", name, s.ReadOnly, s.CapDrop, s.SecurityOpt)
		}
		if want := map[string][]string{"door": {"NET_BIND_SERVICE"}}[name]; !slices.Equal(s.CapAdd, want) {
			t.Errorf("%s adds capabilities %v, want %v", name, s.CapAdd, want)
		}
		if s.MemLimit <= 0 || s.PidsLimit <= 0 {
			t.Errorf("%s: memory limit %d, process limit %d", name, s.MemLimit, s.PidsLimit)
		}
		if s.Restart != "unless-stopped" {
			t.Errorf("%s: restart %q", name, s.Restart)
		}
		if s.HealthCheck == nil || len(s.HealthCheck.Test) < 2 || s.HealthCheck.Interval == nil ||
			s.HealthCheck.Timeout == nil || s.HealthCheck.StartPeriod == nil {
			t.Errorf("%s has no complete health check", name)
		}
		if s.Logging == nil || s.Logging.Options["max-size"] == "" || s.Logging.Options["max-file"] == "" {
			t.Errorf("%s may fill the disk with its log", name)
		}
		if s.NetworkMode != "" || s.Pid != "" || s.Ipc != "" || len(s.Devices) > 0 {
			t.Errorf("%s shares the host's network, processes, memory or devices", name)
		}
	}
}

func TestOnlyTheDoorIsOpen(t *testing.T) {
	p := mustCompose(t)
	for name, s := range p.Services {
		if (len(s.Ports) > 0) != (name == "door") {
			t.Errorf("%s publishes %v", name, s.Ports)
		}
		for network := range s.Networks {
			if inside := p.Networks[network].Internal; !bool(inside) && name != "door" && name != "alertmanager" {
				t.Errorf("%s has a way out by network %s", name, network)
			}
		}
	}
	meet := func(a, b string) bool {
		for n := range p.Services[a].Networks {
			if _, ok := p.Services[b].Networks[n]; ok {
				return true
			}
		}
		return false
	}
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"door", "monev112", true}, {"door", "grafana", true}, {"door", "clickhouse", false}, {"door", "prometheus", false},
		{"monev112", "clickhouse", true}, {"grafana", "clickhouse", true}, {"prometheus", "clickhouse", false},
		{"prometheus", "monev112", true}, {"prometheus", "alertmanager", true}, {"grafana", "prometheus", true},
		{"alertmanager", "monev112", true}, {"monev112", "alertmanager", true}, {"alertmanager", "clickhouse", false},
	} {
		if got := meet(c.a, c.b); got != c.want {
			t.Errorf("%s and %s meet: %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

// written are the files that first-run.sh makes.
var written = []string{
	"compose/alertmanager.yml", "compose/monev112.yaml", "compose/secrets/alertmanager", "compose/secrets/tls.crt",
	"compose/secrets/tls.key",
	"compose/secrets/clickhouse-writer", "compose/secrets/clickhouse-reader", "compose/secrets/clickhouse-users.xml",
	"compose/secrets/grafana-admin", "compose/secrets/grafana-secret-key",
}

func TestWhatIsMountedExists(t *testing.T) {
	p := mustCompose(t)
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	mounted := func(what, path string) {
		rel, err := filepath.Rel(here, path)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(written, rel) {
			return
		}
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	used := map[string]bool{}
	for name, s := range p.Services {
		for _, v := range s.Volumes {
			switch v.Type {
			case "bind":
				mounted(name, v.Source)
				if !v.ReadOnly {
					t.Errorf("%s may write %s", name, v.Source)
				}
			case "volume":
				used[v.Source] = true
			default:
				t.Errorf("%s mounts a %s", name, v.Type)
			}
		}
		for _, secret := range s.Secrets {
			mounted(name, p.Secrets[secret.Source].File)
			used[secret.Source] = true
		}
		if s.Build != nil {
			mounted(name, filepath.Join(s.Build.Context, s.Build.Dockerfile))
		}
	}
	for _, declared := range slices.Concat(slices.Collect(maps.Keys(p.Volumes)), slices.Collect(maps.Keys(p.Secrets))) {
		if !used[declared] {
			t.Errorf("%s is declared and used by nobody", declared)
		}
	}
}

// TestNoPasswordIsWritten looks at every value that compose.yaml gives and every file that it mounts.
func TestNoPasswordIsWritten(t *testing.T) {
	p := mustCompose(t)
	secret := regexp.MustCompile(`(?i)(password|secret|token|_key)`)
	for name, s := range p.Services {
		for k, v := range s.Environment {
			if secret.MatchString(k) && v != nil && !strings.Contains(*v, "/run/secrets/") {
				t.Errorf("%s: %s is %q, not a file of secrets", name, k, *v)
			}
		}
		for _, arg := range s.Command {
			if secret.MatchString(arg) {
				t.Errorf("%s: argument %q", name, arg)
			}
		}
	}
	for _, name := range []string{
		"compose/monev112.example.yaml", "compose/prometheus.yml", "compose/Caddyfile", "clickhouse/users.d/monev112.xml",
		"clickhouse/config.d/monev112.xml",
	} {
		text := read(t, name)
		if m := regexp.MustCompile(`(?im)^\s*<?(password|secret|token|credentials|password_sha256_hex)[:>].*$`).FindString(
			text); m != "" {
			t.Errorf("%s: %s", name, m)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func readYAML(t *testing.T, name string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(read(t, name)), &v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

func TestBothPrometheusConfigurationsAreOne(t *testing.T) {
	one, inside := readYAML(t, "prometheus/prometheus.yml"), readYAML(t, "compose/prometheus.yml")
	names := strings.NewReplacer("monev112:8112", "127.0.0.1:8112", "alertmanager:9093", "127.0.0.1:9093",
		"/etc/prometheus/rules/", "../../alerts/rules/")
	if want, got := fmt.Sprint(one), names.Replace(fmt.Sprint(inside)); want != got {
		t.Errorf("beside the names of the services they differ:\n%s\n%s", want, got)
	}
}

// TestImagesAreTheReleasesThatTheConfigurationIsCheckedWith ties the images to promtool and amtool of the Makefile.
func TestImagesAreTheReleasesThatTheConfigurationIsCheckedWith(t *testing.T) {
	p, makefile := mustCompose(t), read(t, "../Makefile")
	find := func(name string) string {
		m := regexp.MustCompile(`(?m)^` + name + `\s*:= (v\S+)$`).FindStringSubmatch(makefile)
		if m == nil {
			t.Fatalf("Makefile has no %s", name)
		}
		return m[1]
	}
	// Prometheus numbers its Go module v0.316.0 for the release 3.16.0.
	m := regexp.MustCompile(`^v0\.(\d)(\d\d)\.(\d+)$`).FindStringSubmatch(find("PROMETHEUS"))
	if m == nil {
		t.Fatalf("PROMETHEUS is %s", find("PROMETHEUS"))
	}
	if want := "prom/prometheus:v" + m[1] + "." + strings.TrimPrefix(m[2], "0") + "." +
		m[3]; p.Services["prometheus"].Image != want {
		t.Errorf("image %s, checked with %s", p.Services["prometheus"].Image, want)
	}
	if want := "prom/alertmanager:" + find("ALERTMANAGER"); p.Services["alertmanager"].Image != want {
		t.Errorf("image %s, checked with %s", p.Services["alertmanager"].Image, want)
	}
}

func TestGrafanaFindsItsDataSourcesAndPages(t *testing.T) {
	p := mustCompose(t)
	env := p.Services["grafana"].Environment
	for _, m := range regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(read(t,
		"grafana/provisioning/datasources/monev112.yaml"), -1) {
		if m[1] != "NAME" && env[m[1]] == nil { // ${NAME} stands in the explanation
			t.Errorf("the data sources want %s, which compose.yaml does not give", m[1])
		}
	}
	if got := *env["MONEV112_CLICKHOUSE_PASSWORD"]; got != "$__file{/run/secrets/clickhouse-reader}" {
		t.Errorf("Grafana's password is %q", got)
	}
	pages := regexp.MustCompile(`(?m)^\s+path: (\S+)$`).FindStringSubmatch(read(t,
		"grafana/provisioning/dashboards/monev112.yaml"))
	if pages == nil {
		t.Fatal("the provisioning names no folder")
	}
	if !slices.ContainsFunc(p.Services["grafana"].Volumes, func(v types.ServiceVolumeConfig) bool {
		return v.Target == pages[1] && filepath.Base(v.Source) == "json"
	}) {
		t.Errorf("no pages are mounted at %s", pages[1])
	}
}

// TestTheCollectorAndClickHouseAgree holds the collector's file, ClickHouse's users and the secrets together.
func TestTheCollectorAndClickHouseAgree(t *testing.T) {
	p := mustCompose(t)
	c, err := collector.ReadFile("compose/monev112.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := strings.Cut(c.ClickHouse.Address, ":")
	if _, ok := p.Services[host]; !ok || port != "9000" || c.ClickHouse.Protocol != "native" {
		t.Errorf("the collector asks %+v", c.ClickHouse)
	}
	users := read(t, "clickhouse/users.d/monev112.xml")
	for _, user := range []string{c.ClickHouse.User, *p.Services["grafana"].Environment["MONEV112_CLICKHOUSE_USER"]} {
		if !strings.Contains(users, "<"+user+">") {
			t.Errorf("ClickHouse has no user %s", user)
		}
		if !strings.Contains(read(t, "compose/first-run.sh"), "<"+user+"><password_sha256_hex>") {
			t.Errorf("nobody makes a password for %s", user)
		}
	}
	if !strings.Contains(users, "ON "+c.ClickHouse.Database+".*") {
		t.Errorf("nobody may use database %s", c.ClickHouse.Database)
	}
	for _, a := range c.Pager.Alertmanagers {
		if name := strings.TrimSuffix(strings.TrimPrefix(a.URL, "http://"), ":9093"); p.Services[name].Name == "" {
			t.Errorf("late tickets are told to %s", a.URL)
		}
	}
	secret := filepath.Base(c.ClickHouse.PasswordFile)
	if !slices.ContainsFunc(p.Services["monev112"].Secrets, func(s types.ServiceSecretConfig) bool {
		return s.Source == secret
	}) {
		t.Errorf("the collector is not given %s", c.ClickHouse.PasswordFile)
	}
}

// The server acknowledges what is on its disk, as the embedded engine does: the collector's cursor moves on that word.
func TestClickHouseSyncsWhatItAcknowledges(t *testing.T) {
	section := regexp.MustCompile(`(?s)<merge_tree>(.*?)</merge_tree>`)
	settings := func(text string) (out []string) {
		for _, m := range section.FindAllStringSubmatch(text, -1) {
			out = append(out, strings.Fields(m[1])...)
		}
		return out
	}
	server, embedded := settings(read(t, "clickhouse/config.d/monev112.xml")), settings(read(t,
		"../collector/engine/server/database.go"))
	if !slices.Contains(server, "<fsync_after_insert>1</fsync_after_insert>") || !slices.Equal(server, embedded) {
		t.Errorf("the server has %q, the embedded engine %q", server, embedded)
	}
}

func TestClickHouseFilesAreXML(t *testing.T) {
	for _, name := range []string{"clickhouse/config.d/monev112.xml", "clickhouse/users.d/monev112.xml"} {
		d := xml.NewDecoder(strings.NewReader(read(t, name)))
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
}
