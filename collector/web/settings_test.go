package web

import (
	"strings"
	"testing"
)

func TestTheAddressOfGrafanaIsOneForABrowser(t *testing.T) {
	for address, good := range map[string]bool{
		"": true, "https://host/grafana": true, "http://10.0.0.2:3000": true,
		"host/grafana": false, "grafana": false, "ftp://host": false, "https://": false, "https://name:secret@host": false,
		"javascript:alert(1)": false, "https://ho st": false,
	} {
		err := Settings{GrafanaURL: address}.Check()
		if (err == nil) != good {
			t.Errorf("%q: %v", address, err)
		}
		if err != nil && !strings.Contains(err.Error(), "use https://host") {
			t.Errorf("%q is refused without a remedy: %v", address, err)
		}
	}
}
