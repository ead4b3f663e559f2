package e2e

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/source/simulate"
)

// told is what the messages of a simulation say of one call or ticket, put together by plain rules: the earliest, the
// latest, nothing that was replaced, and once what two sources say within 2 s. It shares no code with the product.
type told struct {
	first, last map[event.Type]time.Time
	class       string
	priority    string
	opd         string // that has the ticket; empty after a rejection
	result      string
	caller      string
	calls       []string
	source      map[event.Type]string // of the last
}

// tell reads messages; the second map holds tickets.
func tell(drafts []event.RawEvent) (calls, tickets map[string]*told) {
	void := map[string]bool{}
	for _, d := range drafts {
		if d.Replaces != "" {
			void[d.Source+" "+d.Replaces] = true
		}
	}
	calls, tickets = map[string]*told{}, map[string]*told{}
	slices.SortStableFunc(drafts, func(a, b event.RawEvent) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID))
	})
	for _, d := range drafts {
		in := calls
		switch d.Type.Kind() {
		case event.KindTicket:
			in = tickets
		case event.KindCall:
		default:
			continue
		}
		if void[d.Source+" "+d.ID] {
			continue
		}
		f := in[d.Subject]
		if f == nil {
			f = &told{first: map[event.Type]time.Time{}, last: map[event.Type]time.Time{}, source: map[event.Type]string{}}
			in[d.Subject] = f
		}
		if other := f.source[d.Type]; other != "" && other != d.Source && d.Time.Sub(f.last[d.Type]) <= 2*time.Second {
			continue
		}
		f.source[d.Type] = d.Source
		if _, ok := f.first[d.Type]; !ok {
			f.first[d.Type] = d.Time
		}
		f.last[d.Type] = d.Time
		f.class, f.caller = cmp.Or(d.Class, f.class), cmp.Or(plain(d.Caller), f.caller)
		f.calls, f.priority = append(f.calls, d.Calls...), cmp.Or(f.priority, d.Priority)
		switch d.Type {
		case event.TicketAssigned:
			f.opd = d.OPD
		case event.TicketRejected:
			f.opd = ""
		case event.TicketConfirmed:
			f.result = cmp.Or(f.result, d.Result)
		case event.TicketResolved:
			f.result = "" // what was confirmed before was another resolution
		}
	}
	return calls, tickets
}

// plain writes a number in one form.
func plain(number string) string {
	number = strings.ReplaceAll(number, "-", "")
	if rest, ok := strings.CutPrefix(number, "+62"); ok {
		return "0" + rest
	}
	return number
}

// open says that someone still has to work on the ticket.
func (f *told) open() bool {
	done := f.last[event.TicketResolved]
	for _, t := range []event.Type{event.TicketConfirmed, event.TicketClosed} {
		if f.last[t].After(done) {
			done = f.last[t]
		}
	}
	_, merged := f.first[event.TicketMerged]
	return !merged && (done.IsZero() || f.last[event.TicketReopened].After(done))
}

func (f *told) hoax() bool { return f.class == "prank" || f.class == "prank_palsu" }

// between gives the time from the first a to b, when both are known and in order.
func (f *told) between(a event.Type, b time.Time) (time.Duration, bool) {
	from, ok := f.first[a]
	return b.Sub(from), ok && !b.IsZero() && !b.Before(from)
}

// TestHoaxCostAgainstTheMessages holds the panels about hoax against what the messages of a week say.
func TestHoaxCostAgainstTheMessages(t *testing.T) {
	t.Parallel()
	// A Monday some weeks ago: what lies years back has lost its numbers to retention.
	today := time.Now().In(wib)
	from := time.Date(today.Year(), today.Month(), today.Day()-35-int(today.Weekday()+6)%7, 0, 0, 0, 0, wib)
	to := from.AddDate(0, 0, 3)
	drawn := time.Date(2026, 10, 19, 0, 0, 0, 0, wib) // a Monday: each run moves the same events
	g, err := simulate.New(simulate.Live,
		simulate.Options{Seed: 4, From: drawn, To: drawn.Add(to.Sub(from)), Rate: 12, TimeScale: 20})
	if err != nil {
		t.Fatal(err)
	}
	var drafts []event.RawEvent
	var body []byte
	for m := range g.All() {
		moved(&m.Draft, from.Sub(drawn))
		drafts = append(drafts, m.Draft)
		body = append(m.Draft.AppendCloudEvent(body), '\n')
	}
	s := newService(t).start()
	if !s.ready() {
		t.Fatal("the service ended")
	}
	s.postAll(body)
	s.shipped()
	calls, tickets := tell(drafts)
	page := s.page("monev112-monev", from, today)
	read := func(t *testing.T, title string, want map[string]float64) {
		t.Helper()
		rows := page.rows(title)
		if len(rows) != 1 {
			t.Fatalf("%q: %d rows", title, len(rows))
		}
		for column, v := range want {
			if got, ok := rows[0][column]; !ok || math.Abs(number(t, got)-v) > 1e-6 {
				t.Errorf("%q: %s is %q, the messages say %v", title, column, got, v)
			}
			if v == 0 && column != "lalu melapor nyata" { // rare: another month may have none
				t.Errorf("%q: %s is 0, so nothing was compared", title, column)
			}
		}
		if len(rows[0]) != len(want) {
			t.Errorf("%q: %d columns, %d were compared", title, len(rows[0]), len(want))
		}
	}

	var talks [][2]time.Time
	byNumber, firstBlock, lastReal := map[string]int{}, map[string]time.Time{}, map[string]time.Time{}
	blocks := 0
	for _, c := range calls {
		if c.hoax() {
			if talk, ok := c.between(event.CallAnswered, c.last[event.CallEnded]); ok {
				talks = append(talks, [2]time.Time{c.first[event.CallAnswered], c.first[event.CallAnswered].Add(talk)})
			}
			if c.caller != "" {
				byNumber[c.caller]++
			}
		}
		at := c.first[event.CallReceived]
		if _, ok := c.first[event.CallBlocked]; ok && c.class != "uji" {
			blocks++
			if earliest, ok := firstBlock[c.caller]; !ok || at.Before(earliest) {
				firstBlock[c.caller] = at
			}
		}
		if c.class == "normal" && at.After(lastReal[c.caller]) {
			lastReal[c.caller] = at
		}
	}

	t.Run("cost", func(t *testing.T) {
		agent, crew := 0.0, 0.0
		for _, talk := range talks {
			agent += talk[1].Sub(talk[0]).Hours()
		}
		falses := 0
		for _, k := range tickets {
			is := k.result == "palsu"
			for _, id := range k.calls {
				is = is || calls[id] != nil && calls[id].class == "prank_palsu"
			}
			if _, merged := k.first[event.TicketMerged]; merged || !is {
				continue
			}
			if out, ok := k.between(event.TicketDeparted, k.first[event.TicketResolved]); ok {
				falses++
				crew += out.Hours()
			}
		}
		held, real := 0, 0
		for _, c := range calls {
			since := c.first[event.CallQueued]
			if since.IsZero() {
				since = c.first[event.CallReceived]
			}
			_, blocked := c.first[event.CallBlocked]
			until, answered := c.first[event.CallAnswered]
			if blocked || !answered || c.class != "normal" && c.class != "informasi" && c.class != "duplikat" {
				continue
			}
			real++
			if until.Sub(since) > 15*time.Second && slices.ContainsFunc(talks, func(talk [2]time.Time) bool {
				return talk[0].Before(until) && talk[1].After(since)
			}) {
				held++
			}
		}
		read(t, "Biaya hoaks, dalam rentang",
			map[string]float64{"jam petugas": agent, "dari n hoaks": float64(len(talks)), "jam regu": crew,
				"dari n tiket palsu": float64(falses), "panggilan tertahan": float64(held), "dari n valid": float64(real)})
	})
	t.Run("callers", func(t *testing.T) {
		var counts []int
		n, top := 0, 0
		for _, c := range byNumber {
			counts = append(counts, c)
			n += c
		}
		slices.Sort(counts)
		slices.Reverse(counts)
		for _, c := range counts[:(len(counts)+99)/100] {
			top += c
		}
		read(t, "Penelepon hoaks",
			map[string]float64{
				"dari 1 % nomor teratas": float64(top) / float64(n), "dari n panggilan hoaks": float64(n),
				"nomor": float64(len(counts)),
			})
	})
	t.Run("blocks", func(t *testing.T) {
		later := 0
		for number, at := range firstBlock {
			if lastReal[number].After(at) {
				later++
			}
		}
		read(t, "Keamanan pemblokiran",
			map[string]float64{
				"lalu melapor nyata": float64(later), "dari n nomor": float64(len(firstBlock)),
				"panggilan diblokir": float64(blocks),
			})
	})
}

// moved is a draft of another moment.
func moved(d *event.RawEvent, by time.Duration) {
	d.Time = d.Time.Add(by)
	if !d.Due.IsZero() {
		d.Due = d.Due.Add(by)
	}
}

// postAll sends lines of events in batches and expects none to be refused.
func (s *service) postAll(lines []byte) {
	s.t.Helper()
	for len(lines) > 0 {
		at := strings.LastIndexByte(string(lines[:min(len(lines), 1<<20)]), '\n') + 1
		if a, status, err := s.post(lines[:at]); err != nil || status != http.StatusOK || len(a.Rejected) > 0 {
			s.t.Fatalf("%d, %v, %+v", status, err, a.Rejected)
		}
		lines = lines[at:]
	}
}
