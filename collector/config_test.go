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
			`pager.interval: must be a length of time, not "often"; write for example 30s`,
		},
		"a key of the pager": {
			"pager:\n  every: 5s", `:2: pager.every: unknown key; use one of alertmanagers, interval, `,
		},
		"a key of Alertmanager": {
			"pager:\n  alertmanagers:\n    - {url: 'http://127.0.0.1:9093', password: x}",
			`:3: pager.alertmanagers[0].password: unknown key; use one of url, timeout, `,
		},
		"a token file missing": {
			"pager: {alertmanagers: [{url: 'http://127.0.0.1:9093', bearer_file: none}]}",
			"pager.alertmanagers[0].bearer_file: ",
		},
		"links that never die":    {"pages: {public_url: 'https://monev112.example.go.id', link_days: 400}", "lifetime"},
		"half a certificate":      {"tls: {cert_file: a.crt}", "belong together"},
		"a proxy by its name":     {"trusted_proxies: ['10.0.0.1', 'the proxy']", "the proxy"},
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

func TestWrongConfigurationNamesPlaceAndRemedy(t *testing.T) {
	for text, want := range map[string]string{
		"limits:\n  max_cases: 5\n  max_case: 5\n":        `:3: limits.max_case: unknown key; use one of min_free_bytes, `,
		"clickhouse:\n  tls:\n    on: true\n":             `:3: clickhouse.tls.on: unknown key; use one of enabled, ca_file, `,
		"limit: 3\n":                                      `:1: limit: unknown key; use one of clickhouse, directory, `,
		"# text\nlimits:\n  max_cases: many\n":            `:3: limits.max_cases: must be a whole number, not "many"`,
		"metrics_need_key: perhaps\n":                     `:1: metrics_need_key: must be true or false, not "perhaps"`,
		"limits: [\n":                                     `:1: not valid YAML: `,
		"limits:\n  max_cases: -1\n":                      `:2: limits.max_cases: -1 is negative; write a positive number`,
		"clickhouse:\n  protocol: tcp\n":                  `:2: clickhouse.protocol: unknown protocol "tcp"; use one of native, http`,
		"tracing:\n  sample_ratio: 50\n":                  `:2: tracing.sample_ratio: 50 is not a ratio; write a number between 0 and 1`,
		"pager:\n  interval: 15s\n":                       `:2: pager.alertmanagers: none is named; name one, or leave the section out`,
		"asterisk:\n  source: pbx\n":                      `:2: asterisk.queue_log: `,
		"limits:\n  max_cases: 5\n  min_free_bytes: -1\n": "",
		"": "",
	} {
		name := filepath.Join(t.TempDir(), "monev112.yaml")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ReadFile(name)
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", text, err)
		case want != "" && (err == nil || !strings.HasPrefix(err.Error(), name) || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), "\n")):
			t.Errorf("%q: %v\nwant %s", text, err, want)
		}
	}
}
