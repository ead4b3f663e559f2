// Package quality owns the page /mutu: the cases that contradict themselves, by flag and source, and what no source
// records. It computes nothing itself: the figures are those of the views flags_by_source and monev_not_recorded.
package quality

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/monev/report"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/upkeep/withdrawal"
	"github.com/monev112/monev112/collector/web/page"
)

//go:embed templates
var files embed.FS

// Config is what the page is made of; every field is required.
type Config struct {
	Flags       func(ctx context.Context, center string, since, until, asOf time.Time) ([]store.FlagCount, error)
	NotRecorded func(ctx context.Context, center string, since, until time.Time) ([]store.NotRecorded, error)
	Corrected   func(ctx context.Context, center string, since, until time.Time) ([]store.Corrected, error)
	Withdrawn   func(ctx context.Context, center string) ([]store.WithdrawnTicket, error)
	// Confirm confirms that a ticket whose every opening was withdrawn never was; by is the id of the key.
	Confirm   func(ctx context.Context, center, ticket, by string) (withdrawal.Confirmed, error)
	Directory *directory.Directory
	Now       func() time.Time
}

// defaultDays is how far back the page looks unless it is told.
const defaultDays = 28

type pages struct {
	cfg       Config
	templates *template.Template
}

// confirmers are who may confirm that a ticket never was: keys with the scope admin.
var confirmers page.Access

// Mount gives the site its page /mutu.
func Mount(s *page.Site, cfg Config) {
	p := &pages{cfg, page.MustParse(files, "templates/*.html")}
	access := page.Scopes(auth.BoardRead, auth.MonevWrite)
	s.Handle("GET /mutu", access, p.show)
	s.Handle("POST /mutu", confirmers, p.confirm)
	s.Menu("/mutu", page.Text{Indonesian: "Mutu data", English: "Data quality"}, access)
}

type view struct {
	page.Days
	Wrong      string
	Flags      []flagRow
	Unrecorded []unrecordedRow
	Corrected  []correctedRow
	More       bool // than are shown
	Waiting    []waitingRow
	MayConfirm bool
}

// waitingRow is an open ticket whose opening was withdrawn.
type waitingRow struct{ Center, Ticket, OPD, Opened, Sources string }

type correctedRow struct{ Ticket, OPD, Clock, At, Before, After string }

type flagRow struct {
	store.FlagCount
	Words, Count string
}

type unrecordedRow struct {
	Center, OPD, Clock, Source, Unobserved, N, Recorded string
	Never                                               bool // carried by what its source says, and never brought
}

func (p *pages) show(r *page.Request) {
	var v view
	v.Days, v.Wrong = r.Days(p.cfg.Now(), defaultDays)
	status := http.StatusOK
	if v.Wrong != "" {
		status = http.StatusBadRequest
	} else if err := p.read(r, &v); err != nil {
		status, v.Wrong = http.StatusServiceUnavailable, r.Say(page.DatabaseAway)
	}
	r.Render(page.Page{
		Title: r.T("Mutu data", "Data quality"), Templates: p.templates, Name: "quality.html", Data: v, Status: status,
	})
}

// confirm takes an admin's word that a ticket whose opening was withdrawn never was.
func (p *pages) confirm(r *page.Request) {
	center, ticket := r.PostForm.Get("center"), r.PostForm.Get("ticket")
	if !r.Person.MaySee(center) || center == "" || ticket == "" {
		r.NotFound()
		return
	}
	by := ""
	if r.Person.Key != nil {
		by = r.Person.Key.ID
	}
	done, err := p.cfg.Confirm(r.Context(), center, ticket, by)
	var no *withdrawal.RefusedError
	title := r.T("Belum dikonfirmasi", "Not confirmed")
	switch {
	case errors.Is(err, withdrawal.ErrNotFound):
		r.NotFound()
	case errors.As(err, &no):
		r.Notice(http.StatusConflict, title, r.Say(page.Text{Indonesian: "Tiket ini memiliki pembukaan yang masih berlaku, " +
			"atau disebut lagi setelah dikonfirmasi. Tarik kembali yang keliru lebih dahulu.", English: no.Reason}))
	case err != nil:
		r.Notice(http.StatusServiceUnavailable, title, r.Say(page.DatabaseAway))
	default:
		if done.Openings > 0 {
			r.Record(audit.Entry{
				Action: audit.Confirm, Kind: "ticket", Center: done.Center, ID: done.Ticket, Name: r.Person.Name(),
			})
		}
		r.Notice(http.StatusOK, r.T("Dikonfirmasi", "Confirmed"),
			r.T("Tiket %s dinyatakan tidak pernah ada dan hilang dari semua daftar dalam beberapa saat.",
				"Ticket %s never was; it leaves every list in a moment.", done.Ticket))
	}
}

func (p *pages) read(r *page.Request, v *view) error {
	center := r.Person.Center()
	since, until := v.Range()
	waiting, err := p.cfg.Withdrawn(r.Context(), center)
	if err != nil {
		return err
	}
	v.MayConfirm = r.Person.May(confirmers)
	for _, w := range waiting {
		v.Waiting = append(v.Waiting, waitingRow{
			w.Center, w.Ticket, p.opdName(r, w.Center, w.OPD), indonesian.Date(w.OpenedAt.In(p.zone(w.Center))),
			strings.Join(w.Sources, ", "),
		})
	}
	flags, err := p.cfg.Flags(r.Context(), center, since, until, time.Time{})
	if err != nil {
		return err
	}
	for _, f := range flags {
		words, ok := flagWords[f.Flag]
		if !ok {
			words = page.Text{Indonesian: f.Flag, English: f.Flag}
		}
		v.Flags = append(v.Flags, flagRow{f, r.T(words.Indonesian, words.English), indonesian.Number(int64(f.Cases))})
	}
	missing, err := p.cfg.NotRecorded(r.Context(), center, since, until)
	if err != nil {
		return err
	}
	for _, m := range missing {
		v.Unrecorded = append(v.Unrecorded, unrecordedRow{
			m.Center, p.opdName(r, m.Center, m.OPD), r.Say(clockWords[m.Clock]), m.Source,
			indonesian.Number(int64(m.Unobserved)),
			indonesian.Number(int64(m.N)), indonesian.Number(int64(m.Recorded)), m.Never,
		})
	}
	corrected, err := p.cfg.Corrected(r.Context(), center, since, until)
	if err != nil {
		return err
	}
	v.More = len(corrected) > maxCorrected
	for _, c := range corrected[:min(len(corrected), maxCorrected)] {
		zone := p.zone(c.Center)
		say := func(at time.Time) string { return indonesian.Date(at.In(zone)) }
		before, after := verdict(&c, say)
		v.Corrected = append(v.Corrected, correctedRow{
			c.Ticket, p.opdName(r, c.Center, c.OPD), r.Say(clockWords[c.Clock]), say(c.CorrectedAt), r.Say(before), r.Say(after),
		})
	}
	slices.SortStableFunc(v.Unrecorded, func(a, b unrecordedRow) int {
		switch {
		case a.Never == b.Never:
			return 0
		case a.Never:
			return -1
		default:
			return 1
		}
	})
	return nil
}

// maxCorrected bounds the corrections that the page shows.
const maxCorrected = 100

func (p *pages) zone(center string) *time.Location {
	return cmp.Or(p.cfg.Directory.Location(center), time.UTC)
}

// opdName names an OPD as a ticket does.
func (p *pages) opdName(r *page.Request, center, opd string) string {
	if id, ok := p.cfg.Directory.ResolveOPD(center, opd); ok {
		if o, ok := p.cfg.Directory.OPD(center, id); ok {
			return o.Name
		}
	}
	if opd == "" {
		return r.T("belum pada OPD", "at no OPD")
	}
	return opd
}

// verdict says both verdicts on a clock that was corrected after it was late.
func verdict(c *store.Corrected, say func(time.Time) string) (before, after page.Text) {
	add := func(t *page.Text, id, en string, at time.Time) {
		t.Indonesian, t.English = t.Indonesian+id+say(at), t.English+en+say(at)
	}
	before = page.Text{Indonesian: "terlambat", English: "late"}
	add(&before, "; batas waktu ", "; due ", c.DueBefore)
	if c.StoppedBefore != nil {
		add(&before, ", berhenti ", ", stopped ", *c.StoppedBefore)
	}
	after, ok := stateWords[c.StateAfter]
	if !ok {
		after = page.Text{Indonesian: c.StateAfter, English: c.StateAfter}
	}
	if c.DueAfter != nil {
		add(&after, "; batas waktu ", "; due ", *c.DueAfter)
	}
	if c.StoppedAfter != nil {
		add(&after, ", berhenti ", ", stopped ", *c.StoppedAfter)
	}
	return before, after
}

var stateWords = map[string]page.Text{
	sla.Met:        {Indonesian: "tepat waktu", English: "on time"},
	sla.Breached:   {Indonesian: "terlambat", English: "late"},
	sla.Running:    {Indonesian: "berjalan", English: "running"},
	sla.Paused:     {Indonesian: "ditunda", English: "paused"},
	sla.Unobserved: {Indonesian: "tidak tercatat", English: "not recorded"},
	"none":         {Indonesian: "tidak dihitung lagi", English: "not counted any more"},
}

// clockWords name what a clock waits for.
var clockWords = map[string]page.Text{
	"acknowledge":   {Indonesian: "Diterima OPD", English: "acknowledged"},
	"arrive":        {Indonesian: "Tiba di lokasi", English: "arrived"},
	"resolve":       {Indonesian: "Selesai ditangani", English: "resolved"},
	"resolve_total": {Indonesian: "Selesai ditangani, seluruhnya", English: "resolved, in all"},
	"given":         {Indonesian: "Selesai menurut batas dari sumber", English: "resolved by the source's own date"},
	"confirm":       {Indonesian: "Dikonfirmasi pelapor", English: "confirmed"},
}

// flagWords say what a flag means, as an official would. In Indonesian the report says the same.
var flagWords = func() map[string]page.Text {
	out := map[string]page.Text{}
	for flag, words := range report.FlagWords() {
		out[flag] = page.Text{Indonesian: words, English: englishFlags[flag]}
	}
	return out
}()

var englishFlags = map[string]string{
	casefile.FlagFieldBlanked:                "a field held a number, an address or free text and was blanked",
	casefile.FlagCaseFull:                    "more events than a case may have",
	casefile.FlagAnsweredBeforeReceived:      "answered before it was received",
	casefile.FlagQueuedBeforeReceived:        "queued before it was received",
	casefile.FlagAnsweredBeforeQueued:        "answered before it was queued",
	casefile.FlagEndedBeforeAnswered:         "ended before it was answered",
	casefile.FlagAnsweredAndAbandoned:        "answered, and abandoned",
	casefile.FlagClassWithoutAnswer:          "classified without an answer",
	casefile.FlagReferenceIgnored:            "a correction names an event that it cannot replace",
	casefile.FlagNotOpened:                   "a ticket without an opening",
	casefile.FlagOpenedBeforeReceived:        "opened before the call was received",
	casefile.FlagClosedBeforeOpened:          "closed before it was opened",
	casefile.FlagResolvedBeforeOpened:        "resolved before it was opened",
	casefile.FlagAssignedBeforeOpened:        "assigned before it was opened",
	casefile.FlagAcknowledgedWithoutAssigned: "acknowledged without an assignment",
	casefile.FlagArrivedBeforeDeparted:       "arrived before departure",
	casefile.FlagReopenedWithoutResolution:   "reopened without a resolution",
	casefile.FlagResumedWithoutPause:         "resumed without a pause",
	casefile.FlagArrivedBeforeReceived:       "arrived before the call was received",
	casefile.FlagPauseAndResumeAtOnce:        "paused and resumed at one instant",
	casefile.FlagMasterUnknown:               "merged into an unknown ticket",
	casefile.FlagMergedInCycle:               "merged in a circle",
	casefile.FlagMasterClosed:                "merged into a closed ticket",
	casefile.FlagMasterYounger:               "merged into a younger ticket",
	casefile.FlagMergedAfterStop:             "merged after it was handled",
	casefile.FlagPriorityFromMember:          "priority of a merged ticket",
	casefile.FlagCorrectedAfterLate:          "a time was corrected after it was late",
	casefile.FlagPriorityFromCategory:        "priority of its category",
	casefile.FlagPriorityAssumed:             "priority assumed to be urgent",
	casefile.FlagTest:                        "a test call's ticket",
	casefile.FlagEventWithdrawn:              "an event was withdrawn",
	casefile.FlagOpeningWithdrawn:            "the opening was withdrawn",
}
