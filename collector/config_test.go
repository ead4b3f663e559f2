package collector

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAWrongConfigurationIsRefusedByName(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"nothing said":            {"", ""},
		"a server":                {"clickhouse: {address: 'db:9000'}", ""},
		"a key nobody knows":      {"clickhosue: {}", "clickhosue"},
		"a protocol of the past":  {"clickhouse: {address: 'db:9000', protocol: mysql}", "mysql"},
		"an address without port": {"clickhouse: {address: db}", `address "db"`},
		"links in the clear":      {"pages: {public_url: 'http://monev112.example.go.id'}", "https"},
		"an Alertmanager":         {"pager: {interval: 15s, alertmanagers: [{url: 'http://127.0.0.1:9093'}]}", ""},
		"a pager to nobody":       {"pager: {interval: 15s}", "pager.alertmanagers: none is named"},
		"a pager without haste": {
			"pager: {interval: 1h, alertmanagers: [{url: 'http://127.0.0.1:9093'}]}", "pager.interval: 1h0m0s; use 1s to 2m0s",
		},
		"no length of time": {
			"pager: {interval: often, alertmanagers: [{url: 'http://127.0.0.1:9093'}]}",
			`invalid duration "often"; write a length of time as 30s`,
		},
		"a key of the pager": {
			"pager:\n  every: 5s", `:2: unknown key "every"; the keys here are pager.alertmanagers.bearer_file, `,
		},
		"a key of Alertmanager": {
			"pager:\n  alertmanagers:\n    - {url: 'http://127.0.0.1:9093', password: x}",
			`:3: unknown key "password"; the keys here are pager.alertmanagers.bearer_file, `,
		},
		"a token file missing": {
			"pager: {alertmanagers: [{url: 'http://127.0.0.1:9093', bearer_file: none}]}",
			"pager.alertmanagers[0].bearer_file: ",
		},
		"links that never die":    {"pages: {public_url: 'https://monev112.example.go.id', link_days: 400}", "lifetime"},
		"a password file missing": {"clickhouse: {address: 'db:9000', password_file: none}", "none"},
	} {
		file := filepath.Join(t.TempDir(), "monev112.yaml")
		if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := ReadFile(file)
		if err == nil {
			err = f.Check(t.Context())
		}
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want it to name %s", name, err, tt.want)
		}
	}
}
