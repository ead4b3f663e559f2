package tracker

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
)

var update = flag.Bool("update", false, "rewrite what the scenarios of testdata/scenarios answer")

// TestScenarios plays the stories of testdata/scenarios. A line says when and what happens; the indented lines below it
// are what the program answers, and are written by -update. README.txt beside them has the words.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/scenarios/*.txt")
	if err != nil || len(files) < 11 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		if filepath.Base(name) == "README.txt" {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			s := newStory()
			for n, line := range strings.Split(strings.TrimSuffix(string(want), "\n"), "\n") {
				if strings.HasPrefix(line, "  ") {
					continue
				}
				fmt.Fprintln(&got, line)
				if line == "" || strings.HasPrefix(line, "#") {
					continue
				}
				answer, err := s.tell(strings.Fields(line))
				if err != nil {
					t.Fatalf("%s:%d: %v", name, n+1, err)
				}
				for _, a := range answer {
					fmt.Fprintf(&got, "  %s\n", a)
				}
			}
			if *update {
				if err := os.WriteFile(name, []byte(got.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			} else if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("(-file +program):\n%s", diff)
			}
		})
	}
}

// story is a board with its journal and its ClickHouse, as far as the board sees them.
type story struct {
	board   *Board
	now     time.Time
	counted []string // by the line being told
	journal []entryOfJournal
	shipped int // entries of the journal
	saved   []byte
	savedAt int
	stored  map[event.Key][]*event.Event // by ClickHouse
	rows    map[event.Key]Row
}

type entryOfJournal struct {
	event   event.Event
	payload []byte
}

func newStory() *story {
	s := &story{
		now:    time.Date(2026, 11, 2, 0, 0, 0, 0, jakarta), // a Monday
		stored: map[event.Key][]*event.Event{}, rows: map[event.Key]Row{},
	}
	s.board = s.newBoard()
	s.board.TrustFilter()
	s.board.SetComplete(true)
	return s
}

// newBoard has two clocks: a ticket must be acknowledged 10 minutes after it was assigned, and resolved within an hour
// that stands still while it is paused.
func (s *story) newBoard() *Board {
	return New(Config{
		Center: func(string) (CenterConfig, bool) {
			return CenterConfig{Location: jakarta, AnswerTarget: 15 * time.Second, ShortAbandon: 5 * time.Second,
				Shifts: []time.Duration{7 * time.Hour, 14 * time.Hour, 21 * time.Hour}}, true
		},
		OPD: func(_, opd string) (string, string) { return opd, "own" },
		TicketClocks: func(t *casefile.Ticket) (clocks []sla.Clock) {
			for i, a := range t.Assignments {
				due := a.At.Add(10 * time.Minute)
				clocks = append(clocks, sla.Clock{Key: t.Key, Name: sla.Acknowledge, Seq: i + 1, OPD: a.OPD, StartedAt: a.At,
					DueAt: due, BreachAt: due, RiskAt: due.Add(-150 * time.Second), StoppedAt: a.AcknowledgedAt, Void: t.Test()})
			}
			if t.OpenedAt.IsZero() {
				return clocks
			}
			c := sla.Clock{Key: t.Key, Name: sla.Resolve, Seq: 1, OPD: t.OPD, StartedAt: t.OpenedAt,
				DueAt: t.OpenedAt.Add(time.Hour), Void: t.State == casefile.Merged || t.Test()}
			if !t.State.Open() {
				c.StoppedAt = t.LastResolvedAt
			}
			for _, p := range t.Pauses {
				if !p.To.IsZero() {
					c.DueAt = c.DueAt.Add(p.To.Sub(p.From))
				}
			}
			c.BreachAt, c.RiskAt = c.DueAt, c.DueAt.Add(-15*time.Minute)
			return append(clocks, c)
		},
		CallClocks: func(*casefile.Call) []sla.Clock { return nil },
		Emit:       func(o Outcome) { s.counted = append(s.counted, outcomeText(o)) },
	})
}

// tell does what a line says and returns what comes of it.
func (s *story) tell(words []string) ([]string, error) {
	if day := slices.Index([]string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}, words[0]); day >= 0 {
		s.now = time.Date(2026, 11, 2+day, 0, 0, 0, 0, jakarta)
		words = words[1:]
	}
	var err error
	if s.now, err = s.at(words[0]); err != nil {
		return nil, err
	}
	s.counted = nil
	switch what, args := words[1], words[2:]; what {
	case "look":
		return s.look(args), nil
	case "ship":
		return s.ship(), nil
	case "evict":
		s.board.Evict(uint64(s.shipped), s.now)
		cases, open := s.board.Size()
		return []string{fmt.Sprintf("in memory: %d cases, %d open tickets", cases, open)}, nil
	case "checkpoint":
		var b bytes.Buffer
		err := s.board.Checkpoint()(&b)
		s.saved, s.savedAt = b.Bytes(), len(s.journal)
		return nil, err
	case "restart":
		return s.restart()
	case "restart-without-checkpoint":
		s.saved, s.savedAt = nil, 0
		return s.restart()
	default:
		return s.apply(words[1:])
	}
}

func (s *story) at(text string) (time.Time, error) {
	for _, layout := range []string{"15:04", "15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			y, m, d := s.now.Date()
			return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, jakarta), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time of day such as 08:00 or 08:00:30", text)
}

// apply takes in an event: its kind, subject and type, then fields. It is received when the line says, and happened
// at=, or then.
func (s *story) apply(words []string) ([]string, error) {
	if len(words) < 3 {
		return nil, fmt.Errorf("%q: an event has a kind, a subject and a type", words)
	}
	kind, _ := event.ParseKind(words[0])
	typ, ok := event.ParseType(event.TypePrefix + words[0] + "." + words[2])
	if words[2] == "withdrawn" {
		typ, ok = event.EventWithdrawn, true
	}
	if !ok {
		return nil, fmt.Errorf("no type %s.%s", words[0], words[2])
	}
	e := event.Event{
		Source: "pbx", ID: fmt.Sprintf("e%d", len(s.journal)+1), Type: typ, Kind: kind, Subject: words[1],
		Center: "35.15", OccurredAt: s.now, ReceivedAt: s.now,
	}
	fields := map[string]*string{
		"id": &e.ID, "source": &e.Source, "replaces": &e.Replaces, "class": &e.Class, "opd": &e.OPD, "priority": &e.Priority, "reason": &e.Reason,
		"result": &e.Result, "master": &e.Master, "category": &e.Category, "kecamatan": &e.Kecamatan, "position": &e.Position,
	}
	for _, w := range words[3:] {
		name, value, _ := strings.Cut(w, "=")
		switch p := fields[name]; {
		case p != nil:
			*p = value
		case name == "calls":
			e.Calls = strings.Split(value, ",")
		case name == "at":
			at, err := s.at(value)
			if err != nil {
				return nil, err
			}
			e.OccurredAt = at
		default:
			return nil, fmt.Errorf("no field %q", name)
		}
	}
	sum := sha256.Sum256([]byte(strings.Join(words, " "))) // other words, other content
	copy(e.Digest[:], sum[:])
	switch verdicts := s.board.Recognize([]*event.Event{&e}); {
	case verdicts == nil || verdicts[0] == NewEvent:
	case verdicts[0] == Duplicate:
		return []string{"refused: a duplicate"}, nil
	default:
		return []string{"refused: a conflict, the same id with other content"}, nil
	}
	j := entryOfJournal{e, event.AppendBinary(nil, &e)}
	s.journal = append(s.journal, j)
	s.board.Apply(&e, j.payload, uint64(len(s.journal)), true)
	if len(s.counted) == 0 {
		return nil, nil
	}
	return []string{"counts " + strings.Join(s.counted, ", ")}, nil
}

// ship does what the shipper does with a batch of everything that waits.
func (s *story) ship() []string {
	var keys []event.Key
	for _, j := range s.journal[s.shipped:] {
		if k := j.event.Key(); !slices.Contains(keys, k) && (k.Kind == event.KindCall || k.Kind == event.KindTicket) {
			keys = append(keys, k)
		}
	}
	out := s.load(keys)
	for _, j := range s.journal[s.shipped:] {
		k, e := j.event.Key(), j.event
		if !slices.ContainsFunc(s.stored[k], func(o *event.Event) bool { return o.ID == e.ID }) {
			s.stored[k] = append(s.stored[k], &e)
		}
	}
	rows := s.board.Rows(keys)
	slices.SortFunc(rows, func(a, b Row) int { return a.Key.Compare(b.Key) })
	for _, r := range rows {
		s.rows[r.Key] = r
		out = append(out, "ClickHouse "+rowText(r))
	}
	s.board.MarkStored(rows)
	s.shipped = len(s.journal)
	if len(s.counted) > 0 {
		out = append(out, "counts "+strings.Join(s.counted, ", "))
	}
	return out
}

// load completes unknown cases from ClickHouse.
func (s *story) load(keys []event.Key) (out []string) {
	for missing := s.board.MissingCases(keys); len(missing) > 0; missing = s.board.MissingCases(keys) {
		slices.SortFunc(missing, event.Key.Compare)
		var loaded []Loaded
		for _, k := range missing {
			l := Loaded{Key: k, Events: s.stored[k]}
			if r, ok := s.rows[k]; ok && r.Call != nil {
				l.Tickets, l.At = r.Call.Tickets, r.Call.At()
			}
			for _, j := range s.journal[:s.shipped] {
				if k.Kind == event.KindTicket && j.event.Master == k.ID {
					l.Tickets = append(l.Tickets, j.event.Subject)
				}
			}
			loaded = append(loaded, l)
			out = append(out, fmt.Sprintf("read back %s: %d events", k.ID, len(l.Events)))
		}
		s.board.Load(loaded)
	}
	return out
}

// restart begins with the last checkpoint, replays the journal behind it, and reads back what is unknown.
func (s *story) restart() ([]string, error) {
	s.board = s.newBoard()
	if s.saved != nil {
		if err := s.board.ReadCheckpoint(bytes.NewReader(s.saved)); err != nil {
			return nil, err
		}
	}
	for i, j := range s.journal[s.savedAt:] {
		s.board.Apply(&j.event, j.payload, uint64(s.savedAt+i+1), false)
	}
	out := []string{fmt.Sprintf("replayed %d events; the board is complete: %v", len(s.journal)-s.savedAt,
		s.board.Complete())}
	if !s.board.FilterTrusted() {
		for k := range s.stored {
			s.board.AddSubjects([]event.Key{k})
		}
		s.board.TrustFilter()
	}
	keys := s.board.UnknownCases(uint64(s.shipped))
	if !s.board.Complete() {
		for k, r := range s.rows {
			if r.Ticket != nil && r.Ticket.State.Open() {
				keys = append(keys, k)
			}
		}
	}
	out = append(out, s.load(keys)...)
	s.board.SetComplete(true)
	if len(s.counted) > 0 {
		out = append(out, "counts "+strings.Join(s.counted, ", "))
	}
	return out, nil
}

// look says what the board shows, and what it knows of the cases named.
func (s *story) look(ids []string) []string {
	snap := s.board.Snapshot(s.now)
	out := []string{"board shows nothing"}
	if len(snap.Centers) > 0 {
		out[0] = "board " + boardText(&snap.Centers[0])
	}
	for _, id := range ids {
		kind := event.KindTicket
		if strings.HasPrefix(id, "C") {
			kind = event.KindCall
		}
		if r, events, ok := s.board.Case(event.Key{Center: "35.15", Kind: kind, ID: id}); ok {
			out = append(out, fmt.Sprintf("%s; %d events%s%s", rowText(r), len(events), clocksText(r.Clocks, s.now),
				correctedText(r.Ticket)))
		} else {
			out = append(out, id+" is not on the board")
		}
	}
	return out
}

// correctedText says what held of a ticket's clocks before they were corrected.
func correctedText(t *casefile.Ticket) (text string) {
	if t == nil {
		return ""
	}
	for _, c := range t.Corrected {
		text += fmt.Sprintf("; until %s %s was late after %s", c.ReceivedAt.In(jakarta).Format(time.TimeOnly), c.Clock,
			c.DueAt.In(jakarta).Format(time.TimeOnly))
		if !c.StoppedAt.IsZero() {
			text += ", stopped " + c.StoppedAt.In(jakarta).Format(time.TimeOnly)
		}
	}
	return text
}

func boardText(c *CenterSnapshot) string {
	var parts []string
	add := func(n int, text string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf(text, n))
		}
	}
	for _, w := range c.Windows {
		if w.Window == "day" {
			add(w.N, w.Measure+" %d")
		}
	}
	day := strings.Join(parts, " ")
	parts = nil
	add(c.CallsWaiting, "%d waiting, since "+c.OldestWaiting.String())
	add(c.CallsUnclassified, "%d to classify")
	add(c.CallsToCallBack, "%d to call back")
	for _, o := range c.Open {
		add(o.N, "%d open at "+o.OPD)
	}
	for _, o := range c.AtRisk {
		add(o.N, "%d at risk at "+o.OPD)
	}
	for _, o := range c.Overdue {
		add(o.N, "%d late to "+o.Clock+" at "+o.OPD)
	}
	for _, o := range c.OldestOverdue {
		parts = append(parts, o.OPD+" late by "+o.By.String())
	}
	for _, o := range c.SameEvent {
		add(o.N, "%d tickets of "+o.Category+" in "+o.Kecamatan)
	}
	add(c.Stale, "%d stale")
	if parts == nil {
		parts = []string{"nothing open"}
	}
	if day != "" {
		day = "; calls of today: " + day
	}
	return strings.Join(parts, ", ") + day
}

func rowText(r Row) string {
	var facts []string
	add := func(name string, at time.Time) {
		if !at.IsZero() {
			facts = append(facts, name+" "+at.In(jakarta).Format(time.TimeOnly))
		}
	}
	if c := r.Call; c != nil {
		add("received", c.ReceivedAt)
		add("answered", c.AnsweredAt)
		add("abandoned", c.AbandonedAt)
		add("ended", c.EndedAt)
		if c.Class != "" {
			facts = append(facts, "class "+c.Class)
		}
		if len(c.Tickets) > 0 {
			facts = append(facts, "ticket "+strings.Join(c.Tickets, " "))
		}
	} else {
		t := r.Ticket
		facts = append(facts, string(t.State))
		if t.OPD != "" {
			facts = append(facts, "at "+t.OPD)
		}
		add("call received", t.ReceivedAt)
		add("opened", t.OpenedAt)
		add("resolved", t.LastResolvedAt)
		if t.Reopened > 0 {
			facts = append(facts, fmt.Sprintf("reopened %d times", t.Reopened))
		}
		if t.Master != "" {
			facts = append(facts, "into "+t.Master)
		}
		for _, f := range t.Flags {
			if strings.HasPrefix(f, "master_") || strings.HasPrefix(f, "merged_") || f == casefile.FlagCorrectedAfterLate ||
				f == casefile.FlagPriorityFromMember || f == casefile.FlagTest {
				facts = append(facts, f)
			}
		}
		if len(t.Calls) > 0 {
			facts = append(facts, "call "+strings.Join(t.Calls, " "))
		}
	}
	return r.Key.ID + ": " + strings.Join(facts, ", ")
}

func clocksText(clocks []sla.Clock, now time.Time) string {
	var b strings.Builder
	for i := range clocks {
		c := &clocks[i]
		fmt.Fprintf(&b, "; %s due %s, %s", c.Name, c.DueAt.In(jakarta).Format(time.TimeOnly), c.State(now))
	}
	return b.String()
}

func outcomeText(o Outcome) string {
	name := [...]string{
		CallBecameReceived: "call received", CallBecameOffered: "call offered", CallBecameAnswered: "call answered",
		CallBecameAbandoned: "call abandoned", CallBecameUnserved: "call unserved", CallBecameBlocked: "call blocked",
		CallBecameClassified: "call classified", CallBecameReclassified: "call reclassified", CallBecameTalked: "call talked",
		TicketBecameOpened: "ticket opened", TicketBounced: "ticket bounced", TicketBecameReopened: "ticket reopened",
		TicketInterval: "interval", ClockStopped: "clock",
	}[o.Kind]
	for _, s := range []string{o.Interval, o.Clock, o.From, o.Class, o.OPD, o.Result} {
		if s != "" {
			name += " " + s
		}
	}
	if o.Short {
		name += " short"
	}
	if o.HasSeconds {
		name += fmt.Sprintf(" %.0fs", o.Seconds)
	}
	return name
}
