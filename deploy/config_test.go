package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/monev112/monev112/collector"
)

// TestThePackagesConfigurationIsUnderstood takes the file as it is, and with every line of the example in force.
func TestThePackagesConfigurationIsUnderstood(t *testing.T) {
	all := regexp.MustCompile(`(?m)^#( *)([a-z_]+:)`).ReplaceAllString(read(t, "debian/monev112.yaml"), "$1$2")
	for name, text := range map[string]string{"as it is": read(t, "debian/monev112.yaml"), "all of it": all} {
		file := filepath.Join(t.TempDir(), "monev112.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := collector.ReadFile(file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if inForce := c.ClickHouse.Address != "" && c.Pages.PublicURL != "" && c.Limits.EngineMemory > 0; inForce != (name == "all of it") {
			t.Errorf("%s: %+v", name, c)
		}
	}
}
