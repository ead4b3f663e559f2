package asterisk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/source/send"
)

// centre lives through a day second by second, writes what an Asterisk would write, and keeps the truth of each call
// and agent as it happens. It knows nothing of lines as the package reads them.
type centre struct {
	rng    *rand.Rand
	now    int64 // true time, unix seconds
	ahead  int64 // how far the clock of the telephone server is ahead
	write  func(line string)
	agents []*worker
	queue  []*waiter
	calls  []*truth
	serial int
}

type worker struct {
	name, code string
	in, paused bool
	call       *truth // in the log's eyes: until COMPLETE, or the next CONNECT where that line is missing
	until      int64
	talks      bool // in truth
	pauseEnds  int64
	said       string
	states     []stay
}

type stay struct {
	at    int64 // by the clock of the log
	state string
}

type waiter struct {
	t              *truth
	queue          string
	entered        int64 // by the log
	since, givesUp int64 // true time
	back           int64 // true time at which it enters the second queue; 0 while it waits
}

type truth struct {
	uid                            string
	queued, answered, gone, unserv int64 // by the log
	reason                         string
	wait                           int64 // seconds; -1 not known
	waited, left                   int64
	ended                          int64
	rings                          int
}

func (c *centre) clock() int64 { return c.now + c.ahead }

func (c *centre) log(format string, args ...any) {
	c.write(fmt.Sprintf("%d|", c.clock()) + fmt.Sprintf(format, args...))
}

// say notes where an agent stands after a line of the log.
func (c *centre) say(w *worker) {
	state := event.AgentAvailable
	switch {
	case !w.in:
		state = event.AgentOffline
	case w.call != nil:
		state = event.AgentBusy
	case w.paused:
		state = event.AgentPaused
	}
	if state != w.said {
		w.said = state
		w.states = append(w.states, stay{c.clock(), state})
	}
}

func (c *centre) chance(permille int) bool { return c.rng.IntN(1000) < permille }

func (c *centre) second() {
	if c.chance(12) {
		c.serial++
		t := &truth{uid: fmt.Sprintf("%d.%d", c.clock(), c.serial), wait: -1, queued: c.clock()}
		c.calls = append(c.calls, t)
		c.queue = append(c.queue,
			&waiter{t: t, queue: "112", entered: c.clock(), since: c.now, givesUp: c.now + 1 + c.rng.Int64N(200)})
		c.log("%s|112|NONE|ENTERQUEUE||0860%08d|%d", t.uid, c.rng.IntN(1e8), len(c.queue))
	}
	for _, w := range c.agents {
		c.work(w)
	}
	c.queue = slices.DeleteFunc(c.queue, c.wait)
	c.now++
}

func (c *centre) work(w *worker) {
	switch {
	case !w.in:
		if c.chance(2) {
			w.in, w.paused = true, false
			c.log("MANAGER|112|%s|ADDMEMBER|", w.name)
			c.log("MANAGER|cadangan|%s|ADDMEMBER|", w.name)
			c.say(w)
		}
	case w.talks && c.now >= w.until:
		w.talks = false
		switch t := w.call; {
		case c.chance(30): // the line is missing
			w.call.ended = -1
			return
		case c.chance(50):
			c.log("%s|112|%s|BLINDTRANSFER|600|luar|1|9|1", t.uid, w.name)
		case c.chance(500):
			c.log("%s|112|%s|COMPLETECALLER|1|9|1", t.uid, w.name)
		default:
			c.log("%s|112|%s|COMPLETEAGENT|1|9|1", t.uid, w.name)
		}
		w.call.ended = c.clock()
		w.call = nil
		c.say(w)
	case !w.talks && w.paused && c.now >= w.pauseEnds:
		w.paused = false
		c.log("NONE|112|%s|UNPAUSE|", w.name)
		c.log("NONE|cadangan|%s|UNPAUSE|", w.name)
		c.log("NONE|NONE|%s|UNPAUSEALL|", w.name)
		c.say(w)
	case !w.talks && !w.paused && c.chance(1):
		w.paused, w.pauseEnds = true, c.now+60+c.rng.Int64N(900)
		c.log("NONE|112|%s|PAUSE|", w.name)
		c.log("NONE|cadangan|%s|PAUSE|", w.name)
		c.say(w)
	case !w.talks && c.rng.IntN(7000) == 0:
		w.in, w.paused, w.call = false, false, nil
		c.log("MANAGER|112|%s|REMOVEMEMBER|", w.name)
		c.log("MANAGER|cadangan|%s|REMOVEMEMBER|", w.name)
		c.say(w)
	}
}

// wait is one second of a caller; true when the caller waits no longer.
func (c *centre) wait(q *waiter) bool {
	t := q.t
	if q.back > 0 {
		if c.now < q.back {
			return false
		}
		t.waited += max(0, c.clock()-t.left)
		t.unserv, t.reason = 0, ""
		q.back, q.queue, q.entered, q.since = 0, "cadangan", c.clock(), c.now
		c.log("%s|cadangan|NONE|ENTERQUEUE||0860|1", t.uid)
		return false
	}
	hold := c.clock() - q.entered // as an Asterisk computes it, wrong when its clock was put
	known := hold >= 0
	for _, w := range c.agents {
		if !w.in || w.talks || w.paused || c.now-q.since < 3 {
			continue
		}
		if c.chance(150) {
			c.log("%s|%s|%s|RINGNOANSWER|15000", t.uid, q.queue, w.name)
			t.rings++
			continue
		}
		if c.chance(100) {
			c.log("%s|%s|%s|RINGNOANSWER|0", t.uid, q.queue, w.name)
			c.log("%s|%s|%s|RINGCANCELED|700", t.uid, q.queue, w.name)
			continue
		}
		c.log("%s|%s|%s|CONNECT|%d|x.%d|2", t.uid, q.queue, w.name, hold, c.serial)
		t.answered = c.clock()
		if known {
			t.wait = t.waited + hold
		} else if t.answered >= t.queued {
			t.wait = t.answered - t.queued
		}
		w.call, w.talks, w.until = t, true, c.now+5+c.rng.Int64N(240)
		c.say(w)
		return true
	}
	switch {
	case c.now >= q.givesUp:
		c.log("%s|%s|NONE|ABANDON|1|1|%d", t.uid, q.queue, hold)
		t.gone = c.clock()
		if known {
			t.wait = t.waited + hold
		} else if t.gone >= t.queued {
			t.wait = t.gone - t.queued
		}
		return true
	case c.now-q.since >= 60:
		name := "EXITWITHTIMEOUT"
		t.reason = ReasonTimeout
		if c.chance(300) {
			name, t.reason = "EXITEMPTY", ReasonEmpty
		}
		c.log("%s|%s|NONE|%s|1|1|%d", t.uid, q.queue, name, hold)
		t.unserv, t.left = c.clock(), c.clock()
		t.waited += max(0, hold)
		if q.queue == "112" && c.chance(600) {
			q.back = c.now + c.rng.Int64N(3)
			return false
		}
		return true
	}
	return false
}

// logFile is written as an Asterisk writes, and rotated in both ways.
type logFile struct {
	t    testing.TB
	path string
	f    *os.File
	n    int
}

func (l *logFile) open() {
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		l.t.Fatal(err)
	}
	l.f = f
}

func (l *logFile) write(text string) {
	if _, err := io.WriteString(l.f, text); err != nil {
		l.t.Fatal(err)
	}
}

// stamp gives rotated files times that differ, however fast the test runs.
func (l *logFile) stamp(name string) {
	l.n++
	at := time.Unix(base+int64(l.n), 0)
	if err := os.Chtimes(name, at, at); err != nil {
		l.t.Fatal(err)
	}
}

func (l *logFile) shift() {
	for i := 8; i > 0; i-- {
		_ = os.Rename(fmt.Sprintf("%s.%d", l.path, i), fmt.Sprintf("%s.%d", l.path, i+1))
	}
}

// rename moves the log away; the telephone system writes on to it until reload.
func (l *logFile) rename() {
	l.shift()
	if err := os.Rename(l.path, l.path+".1"); err != nil {
		l.t.Fatal(err)
	}
}

func (l *logFile) reload() {
	l.stamp(l.path + ".1")
	l.f.Close()
	l.open()
}

func (l *logFile) copyTruncate() {
	l.shift()
	text, err := os.ReadFile(l.path)
	if err == nil {
		err = os.WriteFile(l.path+".1", text, 0o600)
	}
	if err == nil {
		l.stamp(l.path + ".1")
		err = l.f.Truncate(0)
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

// sink is a collector: it knows an event again, and is away now and then.
type sink struct {
	t    testing.TB
	rng  *rand.Rand
	seen map[string]string
	got  []event.RawEvent
}

func (s *sink) deliver(_ context.Context, events []event.RawEvent) error {
	if s.rng.IntN(5) == 0 {
		return errors.New("away")
	}
	for i := range events {
		text := string(events[i].AppendCloudEvent(nil))
		if before, ok := s.seen[events[i].ID]; ok {
			if before != text {
				s.t.Fatalf("the id of\n%s\nwas that of\n%s", text, before)
			}
			continue
		}
		s.seen[events[i].ID] = text
		s.got = append(s.got, events[i])
	}
	return nil
}

func noWait(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// deliverTo is a collector that gives fn the events.
type deliverTo func(context.Context, []event.RawEvent) error

func (fn deliverTo) Submit(ctx context.Context, body []byte, count int) (send.Answer, error) {
	var drafts []event.RawEvent
	for line := range bytes.Lines(body) {
		var e struct {
			Source, ID, Type, Subject string
			Time                      time.Time
			Data                      struct {
				Center, Agent, Position, Queue, Caller, Channel, Reason, Result, Replaces string
				Revision                                                                  uint32
				WaitMS                                                                    *int64 `json:"wait_ms"`
				RingMS                                                                    *int64 `json:"ring_ms"`
			}
		}
		if err := json.Unmarshal(line, &e); err != nil {
			return send.Answer{}, err
		}
		typ, ok := event.ParseType(e.Type)
		_, subject, _ := strings.Cut(e.Subject, "/")
		if !ok {
			return send.Answer{}, errors.New(e.Type)
		}
		drafts = append(drafts, event.RawEvent{
			Source: e.Source, ID: e.ID, Type: typ, Subject: subject, Time: e.Time, Center: e.Data.Center,
			Agent: e.Data.Agent, Position: e.Data.Position, Queue: e.Data.Queue, Caller: e.Data.Caller,
			Channel: e.Data.Channel, Reason: e.Data.Reason, Result: e.Data.Result, Replaces: e.Data.Replaces,
			Revision: e.Data.Revision, WaitMS: e.Data.WaitMS, RingMS: e.Data.RingMS,
		})
	}
	if len(drafts) != count {
		return send.Answer{}, fmt.Errorf("%d events, %d announced", len(drafts), count)
	}
	return send.Answer{Receipt: event.Receipt{Accepted: count}}, fn(ctx, drafts)
}

func testFollower(t testing.TB, path, dir string, deliver func(context.Context, []event.RawEvent) error) *Follower {
	t.Helper()
	c := testConfig()
	c.QueueLog = path
	now := time.Unix(base, 0)
	f, err := NewFollower(FollowerOptions{Config: c, Dir: dir, To: deliverTo(deliver), Wait: noWait,
		Now: func() time.Time {
			now = now.Add(15 * time.Millisecond)
			return now
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// catchUp steps until everything in the log was delivered.
func catchUp(t testing.TB, f *Follower) {
	t.Helper()
	for range 10_000 {
		done, err := f.Step(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if done {
			return
		}
	}
	t.Fatal("the log has no end")
}

// stop ends a follower as SIGTERM does.
func stop(t testing.TB, f *Follower) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := f.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// A day with rotations of both kinds, restarts, crashes, an absent collector and a clock that is put forward and back
// gives exactly the calls and agent times that were lived.
func TestADay(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { testDay(t, seed) })
	}
}

func testDay(t *testing.T, seed uint64) {
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(seed, 112))
	file := &logFile{t: t, path: filepath.Join(dir, "queue_log")}
	file.open()
	defer func() { file.f.Close() }()
	got := &sink{t: t, rng: rng, seen: map[string]string{}}
	start := func() *Follower { return testFollower(t, file.path, filepath.Join(dir, "place"), got.deliver) }
	f := start()

	var held string // the end of a line that was not written yet
	c := &centre{rng: rng, now: base}
	c.write = func(line string) {
		text := held + line + "\n"
		cut := len(text)
		if rng.IntN(4) == 0 {
			cut -= rng.IntN(len(line))
		}
		held = text[cut:]
		file.write(text[:cut])
	}
	for _, w := range []struct{ name, code string }{
		{"SIP/101", "SIP/101"}, {"Budi Santoso", "p07"}, {"Siti Aminah", ""}, {"Agent/7", "Agent/7"},
	} {
		code := w.code
		if code == "" {
			code, _ = f.mapper.names.Code(w.name)
		}
		c.agents = append(c.agents, &worker{name: w.name, code: code})
	}

	const day = 86_400
	reloadAt := int64(0)
	for s := int64(0); s < day; s++ {
		switch s {
		case 4 * 3600, 15 * 3600, 15*3600 + 700, 20 * 3600:
			file.write(held)
			held = ""
			file.rename()
			reloadAt = s + 300
		case 9 * 3600, 15*3600 + 350, 21 * 3600:
			file.write(held)
			held = ""
			file.copyTruncate()
		case 7 * 3600, 18 * 3600:
			c.ahead += 40 // the clock is put forward
		case 11 * 3600, 22 * 3600:
			c.ahead -= 75 // and back
		}
		if s == reloadAt && s > 0 {
			file.write(held)
			held = ""
			file.reload()
			c.log("NONE|NONE|NONE|CONFIGRELOAD|")
		}
		c.second()

		asleep := s > 15*3600-200 && s < 15*3600+1500 // three rotations pass
		switch n := rng.IntN(3000); {
		case s == 15*3600-200:
			stop(t, f)
		case s == 15*3600+1500:
			f = start()
		case asleep:
		case n == 0:
			stop(t, f)
			f = start()
		case n == 1: // killed
			f.Close()
			f = start()
		case n < 30:
			if _, err := f.Step(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
	file.write(held)
	catchUp(t, f)
	stop(t, f)
	if f.tail.lost > 0 {
		t.Errorf("the place was lost %d times", f.tail.lost)
	}
	compareCalls(t, c, got.got)
	compareAgents(t, c, got.got)
	if n := len(c.calls); n < 800 {
		t.Errorf("only %d calls", n)
	}
}

func compareCalls(t *testing.T, c *centre, drafts []event.RawEvent) {
	decoder, events := door(t), map[string][]*event.Event{}
	for len(drafts) > 0 {
		n := min(len(drafts), 5000)
		var body []byte
		for i := range drafts[:n] {
			body = append(drafts[i].AppendCloudEvent(body), '\n')
		}
		drafts = drafts[n:]
		var b event.Batch
		if err := decoder.Decode(&b, body, event.NDJSON, time.Unix(base+2*86_400, 0)); err != nil || len(b.Refusals) > 0 {
			t.Fatalf("%v; refused %+v", err, b.Refusals)
		}
		for i := range b.Events {
			if e := &b.Events[i]; e.Kind == event.KindCall {
				events[e.Subject] = append(events[e.Subject], e)
			}
		}
	}
	if len(events) != len(c.calls) {
		t.Errorf("%d calls, want %d", len(events), len(c.calls))
	}
	type counts struct{ offered, answered, abandoned, timeout, empty, ended, rings int }
	var sum, want counts
	var waits, wantWaits []int64
	for _, x := range c.calls {
		call := casefile.FoldCall(event.Key{Center: "35.15", Kind: event.KindCall, ID: x.uid}, events[x.uid], nil)
		unix := func(at time.Time) int64 {
			if at.IsZero() {
				return 0
			}
			return at.Unix()
		}
		got := truth{uid: x.uid, queued: unix(call.QueuedAt), answered: unix(call.AnsweredAt), gone: unix(call.AbandonedAt),
			unserv: unix(call.UnservedAt), reason: call.UnservedReason, ended: unix(call.EndedAt),
			rings: len(call.RingNoAnswers), wait: -1}
		if d, ok := call.AnswerTime(); ok {
			got.wait = int64(d / time.Second)
			waits = append(waits, got.wait)
		} else if d, ok := call.AbandonTime(); ok {
			got.wait = int64(d / time.Second)
		}
		expect := *x
		expect.waited, expect.left, expect.ended = 0, 0, max(0, x.ended)
		if got != expect {
			t.Errorf("call\n%+v, want\n%+v", got, expect)
		}
		add := func(n *counts, c truth) {
			n.offered++
			switch {
			case c.answered != 0:
				n.answered++
			case c.gone != 0:
				n.abandoned++
			case c.reason == ReasonTimeout:
				n.timeout++
			case c.reason == ReasonEmpty:
				n.empty++
			}
			if c.ended != 0 {
				n.ended++
			}
			n.rings += c.rings
		}
		add(&sum, got)
		add(&want, expect)
		if x.answered != 0 && x.wait >= 0 {
			wantWaits = append(wantWaits, x.wait)
		}
	}
	if sum != want {
		t.Errorf("counted %+v, want %+v", sum, want)
	}
	slices.Sort(waits)
	slices.Sort(wantWaits)
	for _, p := range []int{50, 90, 95} {
		if g, w := rank(waits, p), rank(wantWaits, p); g != w {
			t.Errorf("p%d of the waits is %d s, want %d", p, g, w)
		}
	}
	if want.answered == 0 || want.abandoned == 0 || want.timeout == 0 || want.empty == 0 || want.rings == 0 {
		t.Errorf("the day lacks something: %+v", want)
	}
	t.Logf("%+v, waits p50 %d p90 %d p95 %d s", sum, rank(waits, 50), rank(waits, 90), rank(waits, 95))
}

func rank(sorted []int64, p int) int64 {
	if len(sorted) == 0 {
		return -1
	}
	return sorted[(len(sorted)*p+99)/100-1]
}

// compareAgents adds up how long each agent stood in each state, from the events by their times and from the life.
func compareAgents(t *testing.T, c *centre, drafts []event.RawEvent) {
	add := func(stays []stay) map[string]int64 {
		sum := map[string]int64{}
		for i := 1; i < len(stays); i++ {
			sum[stays[i-1].state] += stays[i].at - stays[i-1].at
		}
		return sum
	}
	for _, w := range c.agents {
		var mine []event.RawEvent
		for _, d := range drafts {
			if d.Type == event.AgentState && d.Subject == w.code {
				mine = append(mine, d)
			}
		}
		slices.Reverse(mine) // the order of arrival must not matter
		slices.SortStableFunc(mine, func(a, b event.RawEvent) int {
			if n := a.Time.Compare(b.Time); n != 0 {
				return n
			}
			return int(a.Revision) - int(b.Revision)
		})
		var got []stay
		for _, d := range mine {
			got = append(got, stay{d.Time.Unix(), d.Result})
		}
		want := slices.Clone(w.states)
		slices.SortStableFunc(want, func(a, b stay) int { return int(a.at - b.at) })
		g, x := fmt.Sprint(add(got)), fmt.Sprint(add(want))
		if g != x || !slices.Equal(got, want) {
			t.Errorf("%s: seconds by state %s, want %s", w.code, g, x)
		}
		if !strings.Contains(x, "busy") || !strings.Contains(x, "paused") {
			t.Errorf("%s did too little: %s", w.code, x)
		}
	}
}
