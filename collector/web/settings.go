package web

import (
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/httpapi/auth"
)

// Settings say how telephones reach the pages behind the links of alerts. They are a section of the configuration file.
type Settings struct {
	// PublicURL is the address of the service as telephones know it, https://host or https://host/folder. Without one,
	// alerts carry no links, except that a service on loopback names itself.
	PublicURL string `yaml:"public_url"`
	// LinkDays is how many days a link lives; 0 is 7.
	LinkDays int `yaml:"link_days"`
	// GrafanaURL is the address of a Grafana with the dashboards, to which the home page leads; empty is none.
	GrafanaURL string `yaml:"grafana_url"`
}

func (s Settings) links(scheme, listen, dataDir string) LinkConfig {
	cfg := LinkConfig{
		File: filepath.Join(dataDir, LinkKeysFile), PublicURL: s.PublicURL,
		Lifetime: time.Duration(s.LinkDays) * 24 * time.Hour,
	}
	if cfg.PublicURL == "" && auth.Loopback(listen) && !strings.HasSuffix(listen, ":0") {
		cfg.PublicURL = scheme + "://" + listen
	}
	return cfg
}

// Open makes the links of a service that listens on listen; scheme is what it speaks there. It returns nil, and logs
// it, when nobody could reach the pages.
func (s Settings) Open(scheme, listen, dataDir string, now time.Time, log *slog.Logger) (*Links, error) {
	cfg := s.links(scheme, listen, dataDir)
	if cfg.PublicURL == "" {
		log.Info("alerts carry no links: pages.public_url is not set", "component", "web")
		return nil, nil
	}
	cfg.Log = log
	return NewLinks(cfg, now)
}

// Check tells the first mistake, and what would be right. It touches no file.
func (s Settings) Check() error {
	if u, err := url.Parse(s.GrafanaURL); s.GrafanaURL != "" && (err != nil || u.Host == "" || u.User != nil ||
		u.Scheme != "https" && u.Scheme != "http") {
		return fmt.Errorf("grafana_url %q: use https://host or https://host/folder", s.GrafanaURL)
	}
	cfg := s.links("http", "127.0.0.1:8112", "") // without a public URL any address on loopback is as good
	return cfg.Check()
}
