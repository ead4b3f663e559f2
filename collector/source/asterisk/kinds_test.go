package asterisk

import (
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
)

// A floor lives through a day of everything that a log can blur, writes the lines, and keeps the truth of its own:
// which callers there were, and where each agent stood. Times are Unix milliseconds.
type blurred struct {
	rng   *rand.Rand
	lines []blurredLine
	calls map[string]blurredCall
	floor []*blurredAgent
	uid   int
	out   int // calls out of the house
	legs  int // questions to a colleague
}

type blurredLine struct {
	at     int64
	fields []string // unique id, queue, agent, event, params
}

type blurredCall struct {
	queued, answered, gone, ended int64
	hold                          int64 // seconds
}

type blurredAgent struct {
	name, code, number string
	listed             bool // the configuration knows the number
	free               int64
	in                 bool
	states             []stay
}

func (b *blurred) line(at int64, uid, queue, agent, word string, params ...string) {
	if i := strings.IndexByte(agent, ' '); i > 0 { // blanks come and go, as people type them
		agent = agent[:i] + []string{" ", "  ", "\t", " \t "}[b.rng.IntN(4)] + agent[i+1:] + []string{"", " "}[b.rng.IntN(2)]
	}
	b.lines = append(b.lines, blurredLine{at, append([]string{uid, queue, agent, word}, params...)})
}

func (a *blurredAgent) stands(at int64, state string) {
	if n := len(a.states); n == 0 || a.states[n-1].state != state {
		a.states = append(a.states, stay{at, state})
	}
}

func (b *blurred) ms(least, most int64) int64 { return least + b.rng.Int64N(most-least+1) }

func (b *blurred) id() string { b.uid++; return fmt.Sprintf("%d.%d", base, b.uid) }

// talk is a caller who waits, is answered by a, and has not hung up; it returns the instant of the answer.
func (b *blurred) talk(at int64, uid string, a *blurredAgent) (answered int64) {
	answered = at + b.ms(500, 40_000)
	hold := (answered - at) / 1000
	b.line(at, uid, "112", "NONE", "ENTERQUEUE", "", fmt.Sprintf("0860%08d", b.rng.IntN(1e8)), "1")
	b.line(answered, uid, "112", a.name, "CONNECT", fmt.Sprint(hold), uid+"1", "0")
	b.calls[uid] = blurredCall{queued: at, answered: answered, hold: hold}
	a.stands(answered, event.AgentBusy)
	return answered
}

func (b *blurred) end(at int64, uid string) {
	c := b.calls[uid]
	c.ended = at
	b.calls[uid] = c
}

// episode is something that happens to one agent, or to two, from the instant at on.
func (b *blurred) episode(at int64, a, other *blurredAgent) {
	uid := b.id()
	switch kind := b.rng.IntN(9); {
	case !a.in:
		if kind < 4 { // a telephone is unpaused though nobody sits there
			b.line(at, "NONE", "NONE", a.name, "UNPAUSEALL", "")
			b.line(at+1, "NONE", "112", a.name, "UNPAUSE", "")
			b.line(at+2, "NONE", "112", a.name, "PAUSE", "")
			at += 2
			break
		}
		b.line(at, uid, "NONE", a.name, "AGENTCALLBACKLOGIN", "x@y")
		a.in = true
		a.stands(at, event.AgentAvailable)
	case kind == 0:
		b.line(at, "NONE", "NONE", a.name, "AGENTCALLBACKLOGOFF", "x@y", "43", "CommandLogoff")
		a.in = false
		a.stands(at, event.AgentOffline)
	case kind == 1:
		b.line(at, "NONE", "NONE", a.name, "PAUSEALL", "makan | minum")
		a.stands(at, event.AgentPaused)
		at += b.ms(1000, 600_000)
		b.line(at, "NONE", "NONE", a.name, "UNPAUSEALL", "")
		a.stands(at, event.AgentAvailable)
	case kind == 2: // gives up
		left := at + b.ms(1000, 60_000)
		b.line(at, uid, "112", "NONE", "ENTERQUEUE", "", "anonim | x", "1")
		b.line(left, uid, "112", "NONE", "ABANDON", "1", "1", fmt.Sprint((left-at)/1000))
		b.calls[uid] = blurredCall{queued: at, gone: left, hold: (left - at) / 1000}
		at = left
	case kind == 3: // out of the house
		b.out++
		b.line(at, uid, "keluar", "NONE", "CALLOUTBOUND", "081234500007", "")
		at += b.ms(1000, 30_000)
		if b.rng.IntN(2) == 0 {
			b.line(at, uid, "keluar", "NONE", "ABANDON", "1", "1", "9")
			break
		}
		b.line(at, uid, "keluar", a.name, "CONNECT", "8", uid+"1", "8")
		a.stands(at, event.AgentBusy)
		at += b.ms(1000, 200_000)
		b.line(at, uid, "keluar", a.name, "COMPLETEAGENT", "8", "52", "1")
		a.stands(at, event.AgentAvailable)
	case kind <= 5 && other.in && other != a: // asks a queue, and hands the caller on, or gives the question up
		at = b.talk(at, uid, a) + b.ms(5000, 100_000)
		leg := b.id()
		b.legs++
		b.line(at, leg, "medis", "NONE", "ENTERQUEUE", "", a.number, "1")
		if a.listed && b.rng.IntN(2) == 0 {
			b.line(at+900, leg, "medis", "NONE", "ABANDON", "1", "1", "0")
			at += b.ms(1000, 100_000)
			b.line(at, uid, "112", a.name, "COMPLETECALLER", "1", "1", "1")
			b.end(at, uid)
			a.stands(at, event.AgentAvailable)
			break
		}
		before := b.rng.IntN(2) == 0 // the colleague answers the question before the caller is put through
		spoken, moved, named := at+2000, at+4000, uid
		if before {
			named = leg
			b.line(spoken, leg, "medis", other.name, "CONNECT", "2", "x", "0")
			other.stands(spoken, event.AgentBusy)
		}
		b.line(moved, leg, "112", a.name, "ATTENDEDTRANSFER", "APP", "Queue", "12", "120", "1")
		a.stands(moved, event.AgentAvailable)
		if !before {
			spoken = moved + b.ms(1000, 9000)
			b.line(spoken, uid, "medis", other.name, "CONNECT", "4", "x", "0")
			other.stands(spoken, event.AgentBusy)
		}
		at = max(spoken, moved) + b.ms(1000, 100_000)
		b.line(at, named, "medis", other.name, "COMPLETEAGENT", "4", "9", "1")
		other.stands(at, event.AgentAvailable)
		b.end(at, uid)
		other.free = at
	default:
		at = b.talk(at, uid, a) + b.ms(1000, 100_000)
		b.line(at, uid, "112", a.name, "COMPLETECALLER", "1", "1", "1")
		b.end(at, uid)
		a.stands(at, event.AgentAvailable)
	}
	a.free = at
}

// TestADayOfEverythingThatBlurs reads such a day as a log and as a dump of a database, and counts it apart from the
// package: callers, answers, waits, ends, and the seconds of each agent in each state.
func TestADayOfEverythingThatBlurs(t *testing.T) {
	cfg := testConfig()
	cfg.Agents = map[string]string{"Petugas 07": "p07", "PJSIP/7007": "p07"}
	cfg.Positions = nil
	names := NewNames(cfg, testKey)
	b := &blurred{rng: rand.New(rand.NewPCG(15, 4)), calls: map[string]blurredCall{}}
	for _, a := range []*blurredAgent{
		{name: "PJSIP/7009", number: "7009", listed: true}, {name: "Petugas 07", number: "7007", listed: true},
		{name: "José Luis", number: "7010"}, {name: "Siti|Aminah", number: "7011"},
		{name: "Agent/3001", number: "3001", listed: true},
	} {
		a.code, _ = names.Code(a.name)
		b.floor = append(b.floor, a)
	}
	for at := int64(base) * 1000; at < (base+86_400)*1000; at += b.ms(1000, 60_000) {
		a, other := b.floor[b.rng.IntN(len(b.floor))], b.floor[b.rng.IntN(len(b.floor))]
		b.episode(max(at, a.free+1, other.free+1), a, other)
	}
	slices.SortStableFunc(b.lines, func(x, y blurredLine) int { return int(x.at - y.at) })

	dir := t.TempDir()
	fromLog := b.read(t, cfg, names, b.writeLog(t, filepath.Join(dir, "queue_log")))
	fromDump := b.read(t, cfg, names, b.writeDump(t, filepath.Join(dir, "queue_log.csv")))
	if !slices.Equal(fromLog, fromDump) {
		t.Error("the log and the dump of one day give different events")
	}
	b.compare(t, fromLog)
}

func (b *blurred) writeLog(t *testing.T, path string) string {
	var text strings.Builder
	for _, l := range b.lines {
		fmt.Fprintf(&text, "%d.%03d%s|%s\n", l.at/1000, l.at%1000, []string{"", "000"}[b.rng.IntN(2)],
			strings.Join(l.fields, "|"))
	}
	latin, err := charmap.Windows1252.NewEncoder().String(text.String())
	if err == nil {
		err = os.WriteFile(path, []byte(latin), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// writeDump writes the table in no order, as a database gives rows.
func (b *blurred) writeDump(t *testing.T, path string) string {
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := csv.NewWriter(f)
	rows := [][]string{{
		"id", "time", "callid", "queuename", "agent", "event", "data1", "data2", "data3", "data4", "data5",
	}}
	for i, l := range b.lines {
		at := time.UnixMilli(l.at).In(time.FixedZone("WIB", 7*3600)).Format("2006-01-02 15:04:05.000000")
		row := append([]string{fmt.Sprint(i + 1), at}, l.fields...)
		for len(row) < len(rows[0]) {
			row = append(row, "")
		}
		rows = append(rows, row)
	}
	b.rng.Shuffle(len(b.lines), func(i, j int) { rows[i+1], rows[j+1] = rows[j+1], rows[i+1] })
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return path
}

func (b *blurred) read(t *testing.T, cfg Config, names *Names, path string) (events []string) {
	t.Helper()
	tally, err := Once(t.Context(), OnceOptions{Config: cfg, Files: []string{path}, Names: names,
		Event: func(d *event.RawEvent, _ Place) error {
			events = append(events, string(d.AppendCloudEvent(nil)))
			return nil
		},
		Malformed: func(at Place, reason ParseError) { t.Errorf("%s:%d: %s", at.File, at.Line, reason) }})
	if err != nil || tally.Lines != len(b.lines) || tally.Outbound != b.out || tally.Legs != b.legs {
		t.Errorf("%v; %+v, want %d lines, %d calls out, %d questions", err, tally, len(b.lines), b.out, b.legs)
	}
	return events
}

func (b *blurred) compare(t *testing.T, events []string) {
	decoder := door(t)
	calls, states := map[string][]*event.Event{}, map[string][]stay{}
	for chunk := range slices.Chunk(events, 5000) {
		var batch event.Batch
		now := time.Unix(base+2*86_400, 0)
		if err := decoder.Decode(&batch, []byte(strings.Join(chunk, "\n")), event.NDJSON, now); err != nil ||
			len(batch.Refusals) > 0 {
			t.Fatalf("%v; refused %+v", err, batch.Refusals)
		}
		for i := range batch.Events {
			switch e := &batch.Events[i]; e.Kind {
			case event.KindCall:
				calls[e.Subject] = append(calls[e.Subject], e)
			case event.KindAgent:
				states[e.Subject] = append(states[e.Subject], stay{e.OccurredAt.UnixMilli(), e.Result})
			}
		}
	}
	ms := func(at time.Time) int64 {
		if at.IsZero() {
			return 0
		}
		return at.UnixMilli()
	}
	got := map[string]blurredCall{}
	for uid, evs := range calls {
		c := casefile.FoldCall(event.Key{Center: "35.15", Kind: event.KindCall, ID: uid}, evs, nil)
		if c.Events == 0 {
			continue // all of it was withdrawn
		}
		hold := int64(-1)
		if d, ok := c.AnswerTime(); ok {
			hold = int64(d / time.Second)
		} else if d, ok := c.AbandonTime(); ok {
			hold = int64(d / time.Second)
		}
		got[uid] = blurredCall{ms(c.QueuedAt), ms(c.AnsweredAt), ms(c.AbandonedAt), ms(c.EndedAt), hold}
	}
	answered := 0
	for uid, want := range b.calls {
		if got[uid] != want {
			t.Errorf("call %s\n%+v, want\n%+v", uid, got[uid], want)
		}
		if want.answered != 0 {
			answered++
		}
	}
	if len(got) != len(b.calls) || answered < 300 || b.out < 50 || b.legs < 50 {
		t.Errorf("%d callers, want %d, of them %d answered; %d calls out, %d questions", len(got), len(b.calls), answered,
			b.out, b.legs)
	}
	for _, a := range b.floor {
		if !slices.Equal(states[a.code], a.states) {
			t.Errorf("%s stood\n%v, want\n%v", a.name, states[a.code], a.states)
		}
	}
}

// A dump in another encoding, with another separator, of the older form with one column of data, without ids.
func TestADumpOfAnOlderTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dump.csv")
	text := "time;callid;queuename;agent;event;data\n" +
		"1774519205;a.1;112;Jos\xe9;CONNECT;4|a.2|1\n" +
		"1774519201;a.1;112;NONE;ENTERQUEUE;|081234567890|1\n" +
		"1774519206;a.1;112;\"Jos\xe9\nx;COMPLETEAGENT;1|1|1\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var got []string
	tally, err := Once(t.Context(), OnceOptions{Config: testConfig(), Files: []string{path},
		Names: NewNames(testConfig(), testKey), Event: func(d *event.RawEvent, _ Place) error {
			got = append(got, d.Type.String()+" "+d.Caller)
			return nil
		}})
	want := []string{"call.queued 081234567890", "call.ringing ", "call.answered ", "agent.state "}
	if err != nil || !slices.Equal(got, want) || tally.Malformed[BadRow] == 0 {
		t.Errorf("%v; %q, want %q; %+v", err, got, want, tally)
	}
}
