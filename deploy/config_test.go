package deploy_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
		if inForce := c.ClickHouse.Address != "" && c.Pages.PublicURL != "" && len(c.TrustedProxies) > 0 &&
			c.Limits.EngineMemory > 0; inForce != (name == "all of it") {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// Without it all senders would have the door's address, and one with a wrong key would be counted as all of them.
func TestComposeKnowsWhoSends(t *testing.T) {
	c, err := collector.ReadFile("compose/monev112.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, door := range []string{"172.18.0.3", "192.168.112.2", "10.89.0.4", "fd00::3"} {
		if !slices.ContainsFunc(c.TrustedProxies, func(p string) bool {
			return netip.MustParsePrefix(p).Contains(netip.MustParseAddr(door))
		}) {
			t.Errorf("a door at %s is not believed", door)
		}
	}
}
