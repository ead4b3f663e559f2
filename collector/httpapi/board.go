package httpapi

import (
	"cmp"

	"github.com/gin-gonic/gin"

	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/tracker"
)

type boardAnswer struct {
	At       instant      `json:"at"`
	Complete bool         `json:"complete"`
	Centers  []centerView `json:"centers"`
	Sources  []sourceView `json:"sources"`
}

type sourceView struct {
	Source      string  `json:"source"`
	LastEventAt instant `json:"last_event_at"`
}

type centerView struct {
	Center               string       `json:"center"`
	Name                 string       `json:"name"`
	CallsWaiting         int          `json:"calls_waiting"`
	OldestWaitingSeconds float64      `json:"oldest_waiting_seconds"`
	CallsUnclassified    int          `json:"calls_unclassified"`
	CallsToCallBack      int          `json:"calls_to_call_back"`
	Agents               []stateCount `json:"agents"`
	RingNoAnswerRecent   []ringCount  `json:"ring_no_answer_recent"`
	Windows              []windowView `json:"windows"`
	SameEvent            []sameView   `json:"same_event_tickets"`
	Open                 []ticketsOf  `json:"tickets_open"`
	AtRisk               []ticketsOf  `json:"tickets_at_risk"`
	Overdue              []ticketsOf  `json:"tickets_overdue"`
	Unrecorded           []ticketsOf  `json:"tickets_unrecorded"`
	OldestOverdue        []oldestView `json:"oldest_overdue"`
	Stale                int          `json:"tickets_stale"`
}

type stateCount struct {
	State string `json:"state"`
	N     int    `json:"n"`
}

type ringCount struct {
	Position string `json:"position"`
	N        int    `json:"n"`
}

type windowView struct {
	Window  string `json:"window"`
	Measure string `json:"measure"`
	N       int    `json:"n"`
}

type sameView struct {
	Category  string `json:"category"`
	Kecamatan string `json:"kecamatan"`
	N         int    `json:"n"`
}

// ticketsOf is a count; the labels that a measure does not have are absent.
type ticketsOf struct {
	OPD      string `json:"opd"`
	OPDName  string `json:"opd_name"`
	Clock    string `json:"clock,omitzero"`
	Priority string `json:"priority,omitzero"`
	Scope    string `json:"scope"`
	N        int    `json:"n"`
}

type oldestView struct {
	OPD         string  `json:"opd"`
	OPDName     string  `json:"opd_name"`
	LateSeconds float64 `json:"late_seconds"`
}

func (a *API) getBoard(c *gin.Context) (any, error) {
	q := a.query(c, "center", "as_of")
	q.presentOnly("the board shows now. Ask /v1/tickets?as_of= for the open tickets of a past instant, and a " +
		"view monev_...(as_of = ...) for figures.")
	center := cmp.Or(q.Get("center"), ownCenter(c))
	if own := ownCenter(c); own != "" && center != own {
		q.keep(notFound("centre"))
	}
	if q.err != nil {
		return nil, q.err
	}
	snap := a.cfg.Cases.Snapshot(q.now)
	out := boardAnswer{At: instant(snap.At), Complete: snap.Complete, Centers: []centerView{}, Sources: []sourceView{}}
	for i := range snap.Centers {
		if center == "" || snap.Centers[i].Center == center {
			out.Centers = append(out.Centers, a.centerView(&snap.Centers[i]))
		}
	}
	if center != "" && len(out.Centers) == 0 && snap.Complete {
		return nil, notFound("centre")
	}
	for _, s := range snap.Sources {
		out.Sources = append(out.Sources, sourceView{s.Source, instant(s.LastEventAt)})
	}
	return out, nil
}

func (a *API) centerView(s *tracker.CenterSnapshot) centerView {
	v := centerView{
		Center: s.Center, CallsWaiting: s.CallsWaiting, OldestWaitingSeconds: s.OldestWaiting.Seconds(),
		CallsUnclassified: s.CallsUnclassified,
		CallsToCallBack:   s.CallsToCallBack, Stale: s.Stale,
		Open: a.ticketsOf(s.Center, s.Open), AtRisk: a.ticketsOf(s.Center, s.AtRisk),
		Overdue: a.ticketsOf(s.Center, s.Overdue), Unrecorded: a.ticketsOf(s.Center, s.Unrecorded),
	}
	if a.cfg.Reads.CenterName != nil {
		v.Name = a.cfg.Reads.CenterName(s.Center)
	}
	for _, l := range s.Agents {
		v.Agents = append(v.Agents, stateCount{l.Label, l.N})
	}
	for _, l := range s.RingNoAnswerRecent {
		v.RingNoAnswerRecent = append(v.RingNoAnswerRecent, ringCount{l.Label, l.N})
	}
	for _, w := range s.Windows {
		v.Windows = append(v.Windows, windowView(w))
	}
	for _, e := range s.SameEvent {
		v.SameEvent = append(v.SameEvent, sameView(e))
	}
	for _, o := range s.OldestOverdue {
		v.OldestOverdue = append(v.OldestOverdue, oldestView{o.OPD, a.opdName(s.Center, o.OPD), o.By.Seconds()})
	}
	return v
}

func (a *API) ticketsOf(center string, counts []tracker.TicketCount) []ticketsOf {
	var out []ticketsOf
	for _, t := range counts {
		out = append(out, ticketsOf{t.OPD, a.opdName(center, t.OPD), t.Clock, t.Priority, t.Scope, t.N})
	}
	return out
}

type reviewAnswer struct {
	Names []ingest.UnresolvedName `json:"names"`
}

func (a *API) getReview(c *gin.Context) (any, error) {
	q := a.query(c, "as_of")
	q.presentOnly("the list shows the names that nobody has resolved now; it keeps no past.")
	out := reviewAnswer{Names: []ingest.UnresolvedName{}}
	for _, n := range a.cfg.Intake.Unresolved() {
		if own := ownCenter(c); own == "" || own == n.Center {
			out.Names = append(out.Names, n)
		}
	}
	return out, q.err
}
