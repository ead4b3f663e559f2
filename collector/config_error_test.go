package collector

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWrongConfigurationNamesPlaceAndRemedy(t *testing.T) {
	for text, want := range map[string]string{
		"limits:\n  max_cases: 5\n  max_case: 5\n":        `:3: unknown key "max_case"; the keys here are limits.batch_rows, `,
		"clickhouse:\n  tls:\n    on: true\n":             `:3: unknown key "on"; the keys here are clickhouse.tls.ca_file, `,
		"limit: 3\n":                                      `:1: unknown key "limit"; the keys here are allow_ids, `,
		"# text\nlimits:\n  max_cases: many\n":            `:3: "many" stands where a whole number belongs`,
		"metrics_need_key: perhaps\n":                     `:1: "perhaps" stands where true or false belongs`,
		"limits: [\n":                                     `:1: not YAML: `,
		"limits:\n  max_cases: -1\n":                      `limits.max_cases is -1; a limit is a positive number`,
		"clickhouse:\n  protocol: tcp\n":                  `clickhouse.protocol is "tcp"; say native or http`,
		"tracing:\n  sample_ratio: 50\n":                  `tracing.sample_ratio is 50; it lies between 0 and 1`,
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
