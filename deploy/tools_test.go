package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/monev112/monev112/collector/e2e/servers"
	"github.com/monev112/monev112/collector/engine/enginetest"
)

// TestSystemdAnalyzeFindsNoMistakeInTheUnit looks at the unit without its package; TestThePackageOnDebian runs it.
func TestSystemdAnalyzeFindsNoMistakeInTheUnit(t *testing.T) {
	needs(t, "run make packages, or apt-get install systemd", "systemd-analyze")
	unit := filepath.Join(t.TempDir(), "monev112.service")
	text := strings.Replace(read(t, "systemd/monev112.service"), "ExecStart=/usr/bin/monev112 ", "ExecStart=/bin/true ", 1)
	if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", "--man=no", unit).CombinedOutput()
	if err != nil || strings.Contains(string(out), "monev112.service") {
		t.Errorf("%v\n%s", err, out)
	}
	out, err = exec.CommandContext(t.Context(), "systemd-analyze", "security", "--no-pager", "--offline=true",
		"--threshold=20", unit).CombinedOutput()
	if err != nil {
		t.Errorf("the unit is open to more than 2.0 of 10: %v\n%s", err, out)
	}
}

func TestPromtoolChecksBothConfigurations(t *testing.T) {
	promtool := servers.Tool(t, "promtool")
	inside := filepath.Join(t.TempDir(), "prometheus.yml")
	rules, err := filepath.Abs("../alerts/rules")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(read(t, "compose/prometheus.yml"), "/etc/prometheus/rules", rules, 1)
	if err := os.WriteFile(inside, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"prometheus/prometheus.yml", inside} {
		out, err := exec.CommandContext(t.Context(), promtool, "check", "config", "--lint=all", "--lint-fatal",
			name).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "rules found") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// TestTheServicesFilesNameSettingsThatClickHouseKnows asks the embedded engine, which is the same ClickHouse, for each
// setting that the server's files name, and parses each grant.
func TestTheServicesFilesNameSettingsThatClickHouseKnows(t *testing.T) {
	conn, err := clickhouse.Open(enginetest.Options(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	known := func(table string) map[string]bool {
		t.Helper()
		rows, err := conn.Query(t.Context(), "SELECT name FROM system."+table)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		names := map[string]bool{}
		for rows.Next() {
			var n string
			if err := rows.Scan(&n); err != nil {
				t.Fatal(err)
			}
			names[n] = true
		}
		if err := rows.Err(); err != nil || len(names) < 50 {
			t.Fatalf("%s has %d names: %v", table, len(names), err)
		}
		return names
	}
	users := read(t, "clickhouse/users.d/monev112.xml")
	settings := known("settings")
	profiles, _, _ := strings.Cut(users, "</profiles>")
	found := 0
	for _, m := range regexp.MustCompile(`<(\w+)>[\w.]+</`).FindAllStringSubmatch(profiles, -1) {
		if slices.Contains([]string{"min", "max"}, m[1]) {
			continue
		}
		found++
		if !settings[m[1]] {
			t.Errorf("users.d: ClickHouse has no setting %s", m[1])
		}
	}
	grants := regexp.MustCompile(`<query>(.*)</query>`).FindAllStringSubmatch(users, -1)
	for _, m := range grants {
		if err := conn.Exec(t.Context(), "EXPLAIN AST "+m[1]+" TO somebody"); err != nil {
			t.Errorf("%s: %v", m[1], err)
		}
	}
	server := known("server_settings")
	for _, m := range regexp.MustCompile(
		`(?m)^    <(max_\w+|mark_cache_size|uncompressed_cache_size)>`).FindAllStringSubmatch(read(t,
		"clickhouse/config.d/monev112.xml"), -1) {
		found++
		if !server[m[1]] {
			t.Errorf("config.d: ClickHouse has no server setting %s", m[1])
		}
	}
	if found < 15 || len(grants) < 5 {
		t.Errorf("only %d settings and %d grants were looked at", found, len(grants))
	}
}
