package collector

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/tracker"
	"github.com/monev112/monev112/collector/web"
)

// Pages says how telephones reach the pages behind the links of alerts.
type Pages struct {
	// PublicURL is the address of the service as telephones know it, https://host or https://host/folder. Without one,
	// alerts carry no links, except that a service on loopback names itself.
	PublicURL string `yaml:"public_url"`
	// LinkDays is how many days a link lives; 0 is 7.
	LinkDays int `yaml:"link_days"`
}

// links is the configuration of the links of a service that listens on listen; scheme is what it speaks.
func (p *Pages) links(scheme, listen, dataDir string) web.LinkConfig {
	cfg := web.LinkConfig{
		File: filepath.Join(dataDir, web.LinkKeysFile), PublicURL: p.PublicURL,
		Lifetime: time.Duration(p.LinkDays) * 24 * time.Hour,
	}
	if cfg.PublicURL == "" && auth.Loopback(listen) && !strings.HasSuffix(listen, ":0") {
		cfg.PublicURL = scheme + "://" + listen
	}
	return cfg
}

// checkPages refuses links that could not work.
func (f *File) checkPages() error {
	cfg := f.Pages.links("http", DefaultListen, "")
	if err := cfg.Check(); err != nil {
		return fmt.Errorf("pages: %w", err)
	}
	return nil
}

// openLinks opens the keys of the links, unless nobody could reach the pages.
func (a *App) openLinks() (err error) {
	scheme := "http"
	if a.certificate != nil {
		scheme = "https"
	}
	cfg := a.cfg.File.Pages.links(scheme, a.cfg.Listen, a.cfg.DataDir)
	if cfg.PublicURL == "" {
		a.cfg.Log.Info("alerts carry no links: pages.public_url is not set")
		return nil
	}
	cfg.Log = a.cfg.Log
	a.pageLinks, err = web.NewLinks(cfg, a.cfg.Now())
	return err
}

// openPages makes the pages behind the links.
func (a *App) openPages() (err error) {
	if a.pageLinks == nil {
		return nil
	}
	a.pages, err = web.New(web.Config{
		Links: a.pageLinks, Directory: a.dir, Book: a.book, Complete: a.board.Complete, DueSummary: a.board.DueSummary,
		Ticket: func(ctx context.Context, center, id string) (tracker.Row, []*event.Event, bool, error) {
			found, err := a.Find(ctx, event.KindTicket, center, id)
			if errors.Is(err, httpapi.ErrUnavailable) {
				err = errors.Join(web.ErrUnavailable, err)
			}
			if err != nil || len(found) == 0 {
				return tracker.Row{}, nil, false, err
			}
			return found[0].Row, found[0].Events, true, nil
		},
		Row: func(key event.Key) (tracker.Row, bool) {
			row, _, ok := a.board.Case(key)
			return row, ok
		},
		Acknowledge: func(ctx context.Context, e event.RawEvent) (int, error) {
			receipt, err := a.intake.SubmitDrafts(ctx, e)
			return len(receipt.Rejected), err
		},
		Record: a.reads.Record, Now: a.cfg.Now, Log: a.cfg.Log,
	})
	return err
}

// feeds leaves the pages out of a snapshot's sources: people who press a button are no feed that could fall silent.
func feeds(s tracker.Snapshot) tracker.Snapshot {
	s.Sources = slices.DeleteFunc(s.Sources, func(f tracker.SourceSnapshot) bool { return f.Source == web.Source })
	return s
}
