package collector

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/access"
	"github.com/monev112/monev112/collector/page"
)

// Pages says how telephones reach the pages behind the links of alerts.
type Pages struct {
	// PublicURL is the address of the service as telephones know it, https://host or https://host/folder. Without one,
	// alerts carry no links, except that a service on loopback names itself.
	PublicURL string `yaml:"public_url"`
	// LinkDays is how many days a link lives; 0 is 7.
	LinkDays int `yaml:"link_days"`
}

// links is the configuration of the links of a service that listens on listen.
func (p *Pages) links(listen, dataDir string) page.LinkConfig {
	cfg := page.LinkConfig{File: filepath.Join(dataDir, page.DefaultLinkKeysFile), PublicURL: p.PublicURL, Lifetime: time.Duration(p.LinkDays) * 24 * time.Hour}
	if cfg.PublicURL == "" && access.Loopback(listen) && !strings.HasSuffix(listen, ":0") {
		cfg.PublicURL = "http://" + listen
	}
	return cfg
}

// checkPages refuses links that could not work.
func (f *File) checkPages() error {
	cfg := f.Pages.links(DefaultListen, "")
	if err := cfg.Check(); err != nil {
		return fmt.Errorf("pages: %w", err)
	}
	return nil
}

// openPages opens the keys of the links, unless nobody could reach the pages.
func (a *App) openPages() (err error) {
	cfg := a.cfg.File.Pages.links(a.cfg.Listen, a.cfg.DataDir)
	if cfg.PublicURL == "" {
		a.cfg.Log.Info("alerts carry no links: pages.public_url is not set")
		return nil
	}
	cfg.Log = a.cfg.Log
	a.pageLinks, err = page.NewLinks(cfg, a.cfg.Now())
	return err
}
