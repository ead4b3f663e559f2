// Package freeze keeps the figures of a month as they were reported, and explains later what has become of them.
//
// It owns the rules: a month is frozen when it is over and once; again only for a stated reason, as a new revision
// beside the earlier ones. A freeze never moves: what is recomputed later is shown as a difference against it, with its
// reason. The figures themselves are the views monev_*; this package computes none.
package freeze

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/store"
)

// Database is ClickHouse as a freeze needs it; *store.Sink is one.
type Database interface {
	FlushRollups(ctx context.Context) error
	Figures(ctx context.Context, center string, month time.Time, targets store.FigureTargets,
		asOf time.Time) ([]store.Figure, error)
	ReportFigures(ctx context.Context, center string, month time.Time, targets store.FigureTargets,
		asOf time.Time) ([]store.Figure, error)
	Frozen(ctx context.Context, center string, month time.Time) (*store.Freeze, error)
	FrozenMonths(ctx context.Context, center string) ([]time.Time, error)
	KeepFrozen(ctx context.Context, z *store.Freeze) error
	ClockBases(ctx context.Context, center string, month, since, now time.Time) ([]store.ClockBasis, error)
	LateCases(ctx context.Context, center string, month, since time.Time) (calls uint64, tickets map[string]uint64,
		err error)
}

// Center is what a freeze must know of a centre.
type Center struct {
	Code     string
	Location *time.Location
	Targets  store.FigureTargets
}

// CentersOf returns the centres of a directory.
func CentersOf(dir *directory.Directory) (out []Center) {
	for _, c := range dir.Centers() {
		out = append(out, Center{Code: c.Code, Location: c.Location, Targets: store.FigureTargets{
			Answer: uint32(c.AnswerTarget / time.Second), Short: uint32(c.ShortAbandon / time.Second),
		}})
	}
	return out
}

// Request asks for a month of a centre.
type Request struct {
	Center string `json:"center"`
	Month  string `json:"month"` // 2026-10
	// Again freezes a month that is frozen once more, as a new revision, for Reason.
	Again  bool   `json:"again"`
	Reason string `json:"reason"`
	// AsOf freezes the figures as they stood at a past instant, from what is known now; zero as they stand now.
	AsOf time.Time `json:"as_of,omitzero"`
}

// Kept says what was frozen.
type Kept struct {
	Center            string    `json:"center"`
	Month             string    `json:"month"`
	Revision          int       `json:"revision"`
	Figures           int       `json:"figures"`
	DefinitionVersion string    `json:"definition_version"`
	Policies          []string  `json:"policies"`
	Calendars         []string  `json:"calendars"`
	FrozenAt          time.Time `json:"frozen_at"`
}

// RefusedError is a month that cannot be frozen, or a request that makes no sense. Conflict tells a month whose time
// has not come or that stands already from a mistake in the request.
type RefusedError struct {
	Reason   string
	Conflict bool
}

func (e *RefusedError) Error() string { return e.Reason }

func refuse(conflict bool, format string, args ...any) error {
	return &RefusedError{fmt.Sprintf(format, args...), conflict}
}

// ErrNotFrozen is a month of which there is no freeze.
var ErrNotFrozen = errors.New("the month is not frozen")

// MaxReasonBytes bounds the reason of a further revision.
const MaxReasonBytes = 500

const monthLayout = "2006-01"

// Check says whether a request may be carried out at now, as far as that can be told without the database, and returns
// the month's first day.
func Check(r Request, c Center, now time.Time) (time.Time, error) {
	month, err := parseMonth(r.Month)
	if err != nil {
		return month, err
	}
	over := Begins(month.AddDate(0, 1, 0), c.Location)
	reason := strings.TrimSpace(r.Reason)
	switch {
	case now.Before(over):
		return month, refuse(true,
			"%s is not over in centre %s before %s: figures of a month that still runs would be frozen half", r.Month, c.Code,
			over.Format("2006-01-02 15:04 MST"))
	case r.AsOf.After(now):
		return month, refuse(false, "as_of lies in the future: nothing is known of it")
	case !r.AsOf.IsZero() && r.AsOf.Before(month):
		return month, refuse(false, "as_of lies before the month")
	case r.Again && reason == "":
		return month, refuse(false, "a month is frozen again only for a reason: say which")
	case !r.Again && reason != "":
		return month, refuse(false, "a reason belongs to a month that is frozen again")
	case len(reason) > MaxReasonBytes:
		return month, refuse(false, "the reason has %d bytes; at most %d", len(reason), MaxReasonBytes)
	case strings.ContainsFunc(reason, func(r rune) bool { return r < ' ' }):
		return month, refuse(false, "the reason holds a control character")
	}
	return month, nil
}

func parseMonth(s string) (time.Time, error) {
	month, ok := ParseMonth(s)
	if !ok {
		return month, refuse(false, "month %q: give a month such as 2026-10", s)
	}
	return month, nil
}

// ParseMonth reads a month such as 2026-10 that the database can hold, with those that it is compared with: it has no
// date of the first centuries.
func ParseMonth(s string) (month time.Time, ok bool) {
	month, err := time.Parse(monthLayout, s)
	return month, err == nil && month.Year() >= 2000
}

// Begins is when a month, given by its first day, begins in a zone.
func Begins(month time.Time, zone *time.Location) time.Time {
	return time.Date(month.Year(), month.Month(), 1, 0, 0, 0, 0, zone)
}

// Keep freezes a month. Everything that was accepted by asOf must be in the database, and nothing may write case rows
// meanwhile.
func Keep(ctx context.Context, db Database, r Request, c Center, asOf time.Time) (Kept, error) {
	month, err := Check(r, c, asOf)
	if err != nil {
		return Kept{}, err
	}
	standing, err := db.Frozen(ctx, c.Code, month)
	if err != nil {
		return Kept{}, err
	}
	z := store.Freeze{
		Center: c.Code, Month: month, Revision: 1, DefinitionVersion: store.DefinitionVersion,
		FrozenAt: asOf.UTC().Truncate(time.Millisecond),
	}
	switch {
	case standing != nil && !r.Again:
		return Kept{}, refuse(true,
			"%s of centre %s was frozen at %s (revision %d, %d figures) and stands; to keep a new revision beside it say "+
				"again and why",
			r.Month, c.Code, standing.FrozenAt.In(c.Location).Format("2006-01-02 15:04 MST"), standing.Revision,
			len(standing.Figures))
	case standing == nil && r.Again:
		return Kept{}, refuse(true, "%s of centre %s was never frozen: freeze it without again", r.Month, c.Code)
	case standing != nil:
		z.Revision, z.Reason = standing.Revision+1, strings.TrimSpace(r.Reason)
	}
	if z.Figures, err = compute(ctx, db, c, month, asOf, asOf, r.AsOf); err != nil {
		return Kept{}, err
	}
	if len(z.Figures) == 0 {
		return Kept{}, refuse(true, "%s of centre %s holds no call and no ticket: there is nothing to freeze", r.Month,
			c.Code)
	}
	if err := db.KeepFrozen(ctx, &z); err != nil {
		return Kept{}, err
	}
	kept := Kept{Center: c.Code, Month: r.Month, Revision: z.Revision, Figures: len(z.Figures),
		DefinitionVersion: z.DefinitionVersion, FrozenAt: z.FrozenAt,
		Policies: []string{}, Calendars: []string{}}
	for i := range z.Figures {
		kept.Policies, kept.Calendars = Union(kept.Policies, z.Figures[i].Policies),
			Union(kept.Calendars, z.Figures[i].Calendars)
	}
	return kept, nil
}

// Union adds names to a sorted list, each once.
func Union(to, from []string) []string {
	for _, s := range from {
		if i, found := slices.BinarySearch(to, s); !found {
			to = slices.Insert(to, i, s)
		}
	}
	return to
}

// compute gives the figures of a month and those of its report, as of an instant unless it is zero, with what they rest
// on.
func compute(ctx context.Context, db Database, c Center, month, since, now, asOf time.Time) ([]store.Figure, error) {
	if err := db.FlushRollups(ctx); err != nil {
		return nil, err
	}
	figures, err := db.Figures(ctx, c.Code, month, c.Targets, asOf)
	if err != nil {
		return nil, err
	}
	more, err := db.ReportFigures(ctx, c.Code, month, c.Targets, asOf)
	if err != nil {
		return nil, err
	}
	figures = append(figures, more...)
	store.SortFigures(figures)
	bases, err := db.ClockBases(ctx, c.Code, month, since, now)
	if err != nil {
		return nil, err
	}
	for i := range figures {
		f := &figures[i]
		switch f.Name {
		case onTime:
			if b := basisOf(bases, f.Dims); b != nil {
				f.Policies, f.Calendars = b.Policies, b.Calendars
			}
		case serviceLevel:
			f.Parameters = "short=" + strconv.Itoa(int(c.Targets.Short))
		}
		if !asOf.IsZero() {
			f.Parameters = strings.TrimSuffix(asOfParameter+asOf.UTC().Format(time.RFC3339)+","+f.Parameters, ",")
		}
	}
	return figures, nil
}

const asOfParameter = "as_of="

// asOfOf is the instant that a frozen figure was computed as of; zero when it was as things stood.
func asOfOf(f *store.Figure) time.Time {
	text, _ := strings.CutPrefix(f.Parameters, asOfParameter)
	text, _, _ = strings.Cut(text, ",")
	at, _ := time.Parse(time.RFC3339, text)
	return at
}

// The figures whose meaning this package must know to explain them.
const (
	onTime       = "on_time"
	serviceLevel = "service_level"
)

// Targets are the targets that a month was frozen with; what its figures do not say is as it is now.
func Targets(figures []store.Figure, now store.FigureTargets) store.FigureTargets {
	for i := range figures {
		f := &figures[i]
		measure, _ := store.Dim(f.Dims, "measure")
		target, ok := store.Dim(f.Dims, "target")
		if f.Name != serviceLevel || measure != "ketat" || !ok {
			continue
		}
		if answer, err := strconv.ParseUint(target, 10, 32); err == nil {
			now.Answer = uint32(answer)
		}
		for p := range strings.SplitSeq(f.Parameters, ",") {
			if text, ok := strings.CutPrefix(p, "short="); ok {
				if short, err := strconv.ParseUint(text, 10, 32); err == nil {
					now.Short = uint32(short)
				}
			}
		}
	}
	return now
}

// OfReport reports whether a figure is one that the monthly report adds to those of the views monev_*.
func OfReport(name string) bool {
	switch name {
	case "acted", "confirmed", "bounced", "reopened", "arrived_within", "fires_opd", "unobserved", "hoax_cost",
		"hoax_callers",
		"hoax_blocks":
		return true
	}
	return strings.HasPrefix(name, "calls_") || strings.HasPrefix(name, "tickets_")
}

// HasReport reports whether a freeze keeps the figures of the report: those of earlier programs do not.
func HasReport(figures []store.Figure) bool {
	return slices.ContainsFunc(figures, func(f store.Figure) bool { return OfReport(f.Name) })
}

// basisOf finds what a figure of monev_on_time rests on.
func basisOf(bases []store.ClockBasis, dims string) *store.ClockBasis {
	for i := range bases {
		if b := &bases[i]; dims == "clock="+b.Clock+",opd="+b.OPD+",scope="+b.Scope {
			return b
		}
	}
	return nil
}
