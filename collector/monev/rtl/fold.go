package rtl

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// Ledger is everything that the office of one centre wrote, as it stands.
type Ledger struct {
	Recommendations []Recommendation // by id
	Remarks         []Remark         // by month and section
	Forms           []Form           // by month and name
}

// Recommendation is one recommendation of a monev meeting. Days are YYYY-MM-DD and months YYYY-MM, in the centre's own
// time zone; an empty text means that nobody has said it.
type Recommendation struct {
	Center string `json:"center"`
	ID     string `json:"id"`
	Text   string `json:"text"`
	Owner  string `json:"owner"` // code of an OPD or the function of an office
	Month  string `json:"month"` // of the meeting that recommended it
	Due    string `json:"due"`
	Status string `json:"status"` // see event.RTLStatuses; usulan where nobody has said one
	// Completed is the day of completion; the day on which it was set to selesai where nobody named another, and empty
	// while the status is another one.
	Completed string `json:"completed"`
	Indicator string `json:"indicator"` // see Indicators
	Scope
	Baseline string `json:"baseline"` // month that it is held against
	Remarks  string `json:"remarks"`
	History
}

// Scope is where a recommendation should move its indicator; an empty part is everything.
type Scope struct {
	OPD       string `json:"opd"`
	Category  string `json:"category"`
	Priority  string `json:"priority"`
	Kecamatan string `json:"kecamatan"`
}

// Whole reports whether s is the whole centre, so that nothing is outside.
func (s Scope) Whole() bool { return s == Scope{} }

// Remark is what people remark to a section of a month's report.
type Remark struct {
	Center  string `json:"center"`
	Month   string `json:"month"`
	Section string `json:"section"`
	Text    string `json:"text"` // empty: it was taken back
	History
}

// Form is the data that people typed for a month: see form.Parse.
type Form struct {
	Center string `json:"center"`
	Month  string `json:"month"`
	Name   string `json:"name"` // sdm, anggaran or skm
	Data   string `json:"data"` // JSON; empty: it was taken back
	History
}

// History is how something came to be what it is, the first change first. It has one at least.
type History struct {
	Changes []Change `json:"history"`
}

// Last returns the change that was made last.
func (h History) Last() Change { return h.Changes[len(h.Changes)-1] }

// Change is one change: the members that it set and what they were before.
type Change struct {
	At  time.Time `json:"at"`
	By  string    `json:"by"` // name of an API key; empty where nobody had to sign in
	Set []Setting `json:"set"`
}

// Setting is one member of a change; see event.RecordMembers.
type Setting struct {
	Name string `json:"name"`
	From string `json:"from"`
	To   string `json:"to"`
}

// Fold makes the ledger of one centre from the events of its office, in any order and each any number of times; others
// are passed over. loc is the centre's time zone. The events stay as they are.
func Fold(events []*event.Event, loc *time.Location) Ledger {
	var l Ledger
	for _, subject := range subjects(events) {
		first := subject[0]
		now, history := fold(subject)
		switch first.Kind {
		case event.KindRTL:
			r := Recommendation{
				Center: first.Center, ID: first.Subject, Text: now[event.RecordText], Owner: now[event.RecordOwner],
				Month: now[event.RecordMonth], Due: now[event.RecordDue],
				Status:    cmp.Or(now[event.RecordStatus], event.RTLUsulan),
				Indicator: now[event.RecordIndicator], Baseline: now[event.RecordBaseline], Remarks: now[event.RecordRemarks],
				Scope: Scope{now[event.RecordOPD], now[event.RecordCategory], now[event.RecordPriority],
					now[event.RecordKecamatan]},
				History: history,
			}
			if r.Status == event.RTLSelesai {
				r.Completed = cmp.Or(now[event.RecordCompleted], history.since(event.RecordStatus).In(loc).Format(time.DateOnly))
			}
			l.Recommendations = append(l.Recommendations, r)
		case event.KindRemark:
			month, section, _ := strings.Cut(first.Subject, "/")
			l.Remarks = append(l.Remarks, Remark{first.Center, month, section, now[event.RecordText], history})
		case event.KindForm:
			month, name, _ := strings.Cut(first.Subject, "/")
			l.Forms = append(l.Forms, Form{first.Center, month, name, now[event.RecordData], history})
		}
	}
	return l
}

// subjects groups the changes that count by their subject, each group in the order in which they take effect.
func subjects(events []*event.Event) [][]*event.Event {
	type id struct {
		key        event.Key
		source, id string
	}
	void := map[id]bool{}
	once := map[id]*event.Event{}
	for _, e := range events {
		if !e.Kind.OfOffice() {
			continue
		}
		if e.Replaces != "" && e.Replaces != e.ID {
			void[id{e.Key(), e.Source, e.Replaces}] = true
		}
		if e.Type == event.EventWithdrawn {
			continue
		}
		k := id{e.Key(), e.Source, e.ID}
		if was := once[k]; was == nil || receipt(e, was) < 0 {
			once[k] = e
		}
	}
	by := map[event.Key][]*event.Event{}
	for k, e := range once {
		if !void[k] {
			by[k.key] = append(by[k.key], e)
		}
	}
	keys := slices.SortedFunc(maps.Keys(by), event.Key.Compare)
	out := make([][]*event.Event, len(keys))
	for i, k := range keys {
		slices.SortFunc(by[k], func(a, b *event.Event) int {
			return cmp.Or(a.OccurredAt.Compare(b.OccurredAt), cmp.Compare(a.Revision, b.Revision), strings.Compare(a.ID, b.ID),
				strings.Compare(a.Source, b.Source))
		})
		out[i] = by[k]
	}
	return out
}

// receipt orders the receipts of one event: the first counts.
func receipt(a, b *event.Event) int {
	return cmp.Or(a.ReceivedAt.Compare(b.ReceivedAt), slices.Compare(a.Digest[:], b.Digest[:]))
}

// fold applies changes in their order.
func fold(changes []*event.Event) (now map[string]string, h History) {
	now = map[string]string{}
	for _, e := range changes {
		c := Change{At: e.OccurredAt, By: e.ChangedBy, Set: []Setting{}}
		for _, name := range event.RecordMembers(e.Type) {
			if to, ok := e.Record[name]; ok && to != now[name] {
				c.Set = append(c.Set, Setting{name, now[name], to})
				now[name] = to
			}
		}
		h.Changes = append(h.Changes, c)
	}
	return now, h
}

// since is when a member got the text that it has.
func (h History) since(name string) (at time.Time) {
	for _, c := range h.Changes {
		if slices.ContainsFunc(c.Set, func(s Setting) bool { return s.Name == name }) {
			at = c.At
		}
	}
	return at
}

// Open reports whether somebody has to do something yet.
func (r *Recommendation) Open() bool {
	return r.Status != event.RTLSelesai && r.Status != event.RTLBatal
}

// Overdue reports whether r is open after the day on which it was due; today is YYYY-MM-DD.
func (r *Recommendation) Overdue(today string) bool { return r.Open() && r.Due != "" && r.Due < today }

// Listed returns the recommendations in the order in which they are listed: overdue ones first, the longest overdue at
// the top; then open ones by due day, those without one last; then completed ones, the latest first; then those that
// were given up.
func Listed(rs []Recommendation, today string) []Recommendation {
	rank := func(r *Recommendation) int {
		switch {
		case r.Overdue(today):
			return 0
		case r.Open():
			return 1
		case r.Status == event.RTLSelesai:
			return 2
		}
		return 3
	}
	out := slices.Clone(rs)
	slices.SortStableFunc(out, func(a, b Recommendation) int {
		c := cmp.Compare(rank(&a), rank(&b))
		if c == 0 && rank(&a) == 2 {
			c = strings.Compare(b.Completed, a.Completed)
		}
		return cmp.Or(c, strings.Compare(cmp.Or(a.Due, "9"), cmp.Or(b.Due, "9")), strings.Compare(a.ID, b.ID))
	})
	return out
}
