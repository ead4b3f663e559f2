package httpapi

import (
	"cmp"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/tracker"
)

// instant is a time in an answer: RFC 3339 in UTC, null when the fact is absent.
type instant time.Time

// MarshalJSON implements json.Marshaler.
func (t instant) MarshalJSON() ([]byte, error) {
	if time.Time(t).IsZero() {
		return []byte("null"), nil
	}
	return time.Time(t).UTC().AppendFormat(nil, `"2006-01-02T15:04:05.000Z07:00"`), nil
}

type clockView struct {
	Clock           string   `json:"clock"`
	Seq             int      `json:"seq"`
	Kind            sla.Kind `json:"kind"`
	Policy          string   `json:"policy"`
	PolicyVersion   string   `json:"policy_version"`
	CalendarVersion string   `json:"calendar_version"`
	OPD             string   `json:"opd"`
	StartedAt       instant  `json:"started_at"`
	DueAt           instant  `json:"due_at"`
	GrossDueAt      instant  `json:"gross_due_at"`
	StoppedAt       instant  `json:"stopped_at"`
	State           string   `json:"state"`
	UsedRatio       float64  `json:"used_ratio"`
	PausedSeconds   int64    `json:"paused_seconds"`
	Explain         []string `json:"explain"`
}

// correctedView is a verdict that a correction or withdrawal took away after the clock was late, beside that of now.
type correctedView struct {
	Clock      string       `json:"clock"`
	Seq        int          `json:"seq"`
	OPD        string       `json:"opd"`
	ReceivedAt instant      `json:"received_at"` // when the correction was received: until then Before held
	Before     verdictView  `json:"before"`
	After      *verdictView `json:"after"` // null where there is no such clock any more
}

type verdictView struct {
	State     string  `json:"state"`
	DueAt     instant `json:"due_at"`
	StoppedAt instant `json:"stopped_at"`
}

func (a *API) correctedViews(row *tracker.Row, now time.Time) []correctedView {
	out := []correctedView{}
	for _, k := range row.Ticket.Corrected {
		v := correctedView{
			Clock: k.Clock, Seq: k.Seq, OPD: cmp.Or(a.opdID(row.Key.Center, k.OPD), k.OPD), ReceivedAt: instant(k.ReceivedAt),
			Before: verdictView{sla.Breached, instant(k.DueAt), instant(k.StoppedAt)},
		}
		if n := sla.Find(row.Clocks, k.Clock, k.Seq); n != nil {
			v.After = &verdictView{n.State(now), instant(n.BreachAt), instant(n.StoppedAt)}
		}
		out = append(out, v)
	}
	return out
}

// ticketView is a ticket; Events are absent in a list, and so are the explanations.
type ticketView struct {
	ID             string           `json:"id"`
	Center         string           `json:"center"`
	OPD            string           `json:"opd"`
	OPDName        string           `json:"opd_name"`
	Category       string           `json:"category"`
	Priority       string           `json:"priority"`
	Kecamatan      string           `json:"kecamatan"`
	State          casefile.State   `json:"state"`
	Paused         bool             `json:"paused"`
	ReceivedAt     instant          `json:"received_at"`
	OpenedAt       instant          `json:"opened_at"`
	AssignedAt     instant          `json:"assigned_at"`
	AcknowledgedAt instant          `json:"acknowledged_at"`
	DepartedAt     instant          `json:"departed_at"`
	ArrivedAt      instant          `json:"arrived_at"`
	ResolvedAt     instant          `json:"resolved_at"`
	ConfirmedAt    instant          `json:"confirmed_at"`
	ClosedAt       instant          `json:"closed_at"`
	RejectedAt     instant          `json:"rejected_at"`
	Result         string           `json:"result"`
	Reopened       int              `json:"reopened"`
	Bounces        int              `json:"bounces"`
	Master         string           `json:"master"`
	Calls          []string         `json:"calls"`
	Flags          []string         `json:"flags"`
	Corrected      []correctedView  `json:"corrected"`
	Events         []jsontext.Value `json:"events,omitzero"`
	Clocks         []clockView      `json:"clocks"`
}

type callView struct {
	ID             string           `json:"id"`
	Center         string           `json:"center"`
	ReceivedAt     instant          `json:"received_at"`
	QueuedAt       instant          `json:"queued_at"`
	AnsweredAt     instant          `json:"answered_at"`
	AbandonedAt    instant          `json:"abandoned_at"`
	UnservedAt     instant          `json:"unserved_at"`
	UnservedReason string           `json:"unserved_reason"`
	BlockedAt      instant          `json:"blocked_at"`
	EndedAt        instant          `json:"ended_at"`
	ClassifiedAt   instant          `json:"classified_at"`
	CalledBackAt   instant          `json:"called_back_at"`
	Class          string           `json:"class"`
	Agent          string           `json:"agent"`
	Queue          string           `json:"queue"`
	Position       string           `json:"position"`
	Channel        string           `json:"channel"`
	Category       string           `json:"category"`
	Kecamatan      string           `json:"kecamatan"`
	WaitMS         *int64           `json:"wait_ms"`
	CallerLast3    string           `json:"caller_last3"` // never the key: it would link a person's calls outside
	Tickets        []string         `json:"tickets"`
	Flags          []string         `json:"flags"`
	Events         []jsontext.Value `json:"events"`
	Clocks         []clockView      `json:"clocks"`
}

// reading is how a request wants its answer.
type reading struct {
	now     time.Time
	lang    string
	explain bool
}

func (a *API) clockViews(clocks []sla.Clock, t *casefile.Ticket, r reading) []clockView {
	out := make([]clockView, 0, len(clocks))
	for i := range clocks {
		k := &clocks[i]
		v := clockView{
			Clock: k.Name, Seq: k.Seq, Kind: k.Kind, Policy: k.Policy, PolicyVersion: k.PolicyVersion,
			CalendarVersion: k.CalendarVersion,
			OPD:             k.OPD, StartedAt: instant(k.StartedAt), DueAt: instant(k.DueAt), GrossDueAt: instant(k.GrossDueAt),
			StoppedAt:     instant(k.StoppedAt),
			PausedSeconds: k.PausedSeconds, Explain: []string{},
		}
		if a.cfg.Reads.Clock != nil {
			said := a.cfg.Reads.Clock(k, t, r.now, r.lang, r.explain)
			v.State, v.UsedRatio = said.State, said.UsedRatio
			if said.Explain != nil {
				v.Explain = said.Explain
			}
		}
		out = append(out, v)
	}
	return out
}

func (a *API) ticketView(row *tracker.Row, events []*event.Event, r reading) ticketView {
	t := row.Ticket
	return ticketView{
		ID: t.Key.ID, Center: t.Key.Center, OPD: cmp.Or(a.opdID(t.Key.Center, t.OPD), t.OPD),
		OPDName: a.opdName(t.Key.Center, t.OPD), Category: t.Category, Priority: t.Priority,
		Kecamatan: t.Kecamatan, State: t.State, Paused: t.Paused(),
		ReceivedAt: instant(t.ReceivedAt), OpenedAt: instant(t.OpenedAt), AssignedAt: instant(t.AssignedAt),
		AcknowledgedAt: instant(t.AcknowledgedAt),
		DepartedAt:     instant(t.DepartedAt), ArrivedAt: instant(t.ArrivedAt), ResolvedAt: instant(t.ResolvedAt),
		ConfirmedAt: instant(t.ConfirmedAt),
		ClosedAt:    instant(t.ClosedAt), RejectedAt: instant(t.RejectedAt),
		Result: t.Result, Reopened: t.Reopened, Bounces: t.Bounces, Master: t.Master, Calls: t.Calls, Flags: t.Flags,
		Corrected: a.correctedViews(row, r.now),
		Events:    eventViews(events), Clocks: a.clockViews(row.Clocks, t, r),
	}
}

func (a *API) callView(row *tracker.Row, events []*event.Event, r reading) callView {
	c := row.Call
	return callView{
		ID: c.Key.ID, Center: c.Key.Center,
		ReceivedAt: instant(c.ReceivedAt), QueuedAt: instant(c.QueuedAt), AnsweredAt: instant(c.AnsweredAt),
		AbandonedAt: instant(c.AbandonedAt),
		UnservedAt:  instant(c.UnservedAt), UnservedReason: c.UnservedReason, BlockedAt: instant(c.BlockedAt),
		EndedAt:      instant(c.EndedAt),
		ClassifiedAt: instant(c.ClassifiedAt), CalledBackAt: instant(c.CalledBackAt),
		Class: c.Class, Agent: c.Agent, Queue: c.Queue, Position: c.Position, Channel: c.Channel, Category: c.Category,
		Kecamatan: c.Kecamatan,
		WaitMS:    c.WaitMS, CallerLast3: c.Caller.Last3, Tickets: c.Tickets, Flags: c.Flags,
		Events: append([]jsontext.Value{}, eventViews(events)...), Clocks: a.clockViews(row.Clocks, nil, r),
	}
}

// eventViews returns nil for a case that came without its events, as in a list.
func eventViews(events []*event.Event) []jsontext.Value {
	if events == nil {
		return nil
	}
	out := make([]jsontext.Value, len(events))
	voided := casefile.Voided(events)
	for i, e := range events {
		out[i] = event.AppendJSON(nil, e)
		if voided[e] {
			out[i] = append(out[i][:len(out[i])-1], `,"voided":true}`...)
		}
	}
	return out
}

// opdID returns the directory's id of an OPD as a ticket names it, empty when the directory does not know it.
func (a *API) opdID(center, opd string) string {
	if a.cfg.Reads.OPDID == nil || opd == "" {
		return opd
	}
	return a.cfg.Reads.OPDID(center, opd)
}

func (a *API) opdName(center, opd string) string {
	if a.cfg.Reads.OPDName == nil || opd == "" {
		return ""
	}
	return a.cfg.Reads.OPDName(center, opd)
}
