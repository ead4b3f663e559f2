package site

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/monev112/monev112/collector/alerting/pager"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/monev/report"
	"github.com/monev112/monev112/collector/monev/rtl"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/source/upload"
	"github.com/monev112/monev112/collector/store/lookup"
	"github.com/monev112/monev112/collector/tracker"
	"github.com/monev112/monev112/collector/upkeep/withdrawal"
	"github.com/monev112/monev112/collector/web"
	"github.com/monev112/monev112/collector/web/figure"
	"github.com/monev112/monev112/collector/web/home"
	"github.com/monev112/monev112/collector/web/imports"
	"github.com/monev112/monev112/collector/web/meeting"
	"github.com/monev112/monev112/collector/web/messages"
	"github.com/monev112/monev112/collector/web/page"
	"github.com/monev112/monev112/collector/web/quality"
	rtlpage "github.com/monev112/monev112/collector/web/rtl"
	"github.com/monev112/monev112/collector/web/wall"
	"github.com/monev112/monev112/docs"
)

// Service is what pages show and do. Every field but Links is required.
type Service struct {
	Links     *web.Links // nil when nobody could reach the pages behind the links of alerts
	Directory *directory.Directory
	Book      *sla.Book
	Board     *tracker.Board
	Cases     *lookup.Cases
	Intake    *ingest.Intake
	Keys      *auth.Guard
	Uploads   *upload.Desk
	Number    figure.Find
	Reports   *report.Runner
	Office    *rtl.Book
	Confirm   func(ctx context.Context, center, ticket, by string) (withdrawal.Confirmed, error)
	Record    func(audit.Entry)
	Settings  web.Settings
	DataDir   string
	Version   string
	Now       func() time.Time
	Log       *slog.Logger
}

// New makes the site, the wall that streams the board to its screens, and the pages behind links, which are signed and
// ask for no key.
func New(s Service) (*page.Site, *wall.Wall, *web.Pages, error) {
	listed, err := web.OpenListedLinks(s.DataDir, s.Now(), s.Log)
	if err != nil {
		return nil, nil, nil, err
	}
	linked, err := pagesBehindLinks(s, listed)
	if err != nil {
		return nil, nil, nil, err
	}
	out, err := page.New(page.Config{Keys: s.Keys, Record: s.Record, Now: s.Now, Log: s.Log})
	if err != nil {
		return nil, nil, nil, err
	}
	screen, err := wall.New(wall.Config{
		Snapshot: s.Board.Snapshot, CallBacks: s.Board.CallBacks, Directory: s.Directory, Listed: listed,
		Version: s.Version, Now: s.Now,
	})
	if err != nil {
		return nil, nil, nil, err
	}
	web.Mount(out, linked)
	imports.Mount(out, s.Uploads)
	figure.Mount(out, s.Number)
	messages.Mount(out, messages.Config{Told: s.Cases.Told, Directory: s.Directory, Now: s.Now})
	quality.Mount(out, quality.Config{
		Flags: s.Cases.Flags, NotRecorded: s.Cases.NotRecorded, Corrected: s.Cases.Corrected,
		Withdrawn: s.Cases.WithdrawnTickets, Confirm: s.Confirm, Directory: s.Directory, Now: s.Now,
	})
	links := meeting.Config{Reports: s.Reports}
	if s.Links != nil {
		links.Link = s.Links.Report
	}
	meeting.Mount(out, links)
	rtlpage.Mount(out, rtlpage.Config{Book: s.Office, Directory: s.Directory, Submit: s.Intake.SubmitOffice})
	if err := home.Mount(out, home.Config{
		Version: s.Version, Grafana: s.Settings.GrafanaURL, Started: s.Now(), Directory: s.Directory,
		Snapshot: s.Board.Snapshot, Incomplete: s.Cases.Incomplete, Definitions: docs.Definitions(),
	}); err != nil {
		return nil, nil, nil, err
	}
	screen.Mount(out)
	return out, screen, linked, nil
}

func pagesBehindLinks(s Service, listed *web.ListedLinks) (*web.Pages, error) {
	return web.New(web.Config{
		Links: s.Links, Listed: listed, Directory: s.Directory, Book: s.Book, Complete: s.Board.Complete,
		DueSummary: s.Board.DueSummary, OpenMatching: s.Board.OpenMatching, Ticket: web.TicketOf(s.Cases),
		OnTime: s.Cases.OPDMonths, Corrected: s.Cases.Corrected,
		Row: func(key event.Key) (tracker.Row, bool) {
			row, _, ok := s.Board.Case(key)
			return row, ok
		},
		Submit: func(ctx context.Context, by string, e event.RawEvent) (int, error) {
			receipt, err := s.Intake.SubmitBy(ctx, by, e)
			return len(receipt.Rejected), err
		},
		Report: func(ctx context.Context, w http.ResponseWriter, center, month string, edition int) bool {
			return meeting.Show(ctx, w, s.Reports, center, month, edition)
		},
		Record: s.Record, Now: s.Now, Log: s.Log,
	})
}

// Announce returns the reports that leadership is told of now, with links to them.
func Announce(reports *report.Runner, links *web.Links, now time.Time) (out []pager.Report) {
	for _, t := range reports.Announcements(now) {
		r := pager.Report{Center: t.Center, CenterName: t.CenterName, Month: t.Month, At: t.At,
			Until:  t.At.Add(report.AnnounceFor),
			Missed: t.Missed, Judged: t.Judged}
		if links != nil {
			r.Link = links.Report(t.Center, t.Month, t.Edition, t.At)
		}
		out = append(out, r)
	}
	return out
}
