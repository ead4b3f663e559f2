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
