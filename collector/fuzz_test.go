package collector

import (
	"os"
	"path/filepath"
	"testing"
)

// Whatever a configuration file holds, it is read or refused.
func FuzzReadFile(f *testing.F) {
	for _, s := range []string{
		"", "limits:\n  min_free_bytes: 1\n", "clickhouse:\n  address: a:1\n  protocol: http\n  tls: {enabled: true}\n",
		"drop:\n  - folder: in\n    mapping: x.yaml\n", "asterisk: {queue_log: /var/log/asterisk/queue_log}\n",
		"attributes: [a, b]\nallow_ids: ['^08']\n",
		"limits: [1]\n", "limits: &a {body_bytes: *a}\n", "x: y\n", "directory: \x00\n", "tracing: {sample_ratio: 2}\n",
		"? : :\n", "a: &a [*a, *a]\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		name := filepath.Join(t.TempDir(), "monev112.yaml")
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _ = ReadFile(name)
	})
}
