package casefile

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// TestFold plays the scenarios of testdata/fold.txt, each in many orders and with repetitions.
func TestFold(t *testing.T) {
	f, err := os.Open("testdata/fold.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var (
		title  string
		events []event.Event
		ran    int
	)
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		switch line := strings.TrimSpace(lines.Text()); {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "== "):
			title, events = line[3:], nil
		case strings.HasPrefix(line, "-> "):
			ran++
			t.Run(title, func(t *testing.T) { checkFold(t, events, strings.Fields(line[3:])) })
		default:
			e, err := parseEvent(line, len(events))
			if err != nil {
				t.Fatalf("fold.txt:%d: %v", n, err)
			}
			events = append(events, e)
		}
	}
	if err := lines.Err(); err != nil || ran == 0 {
		t.Fatalf("%d scenarios ran: %v", ran, err)
	}
}

func checkFold(t *testing.T, events []event.Event, want []string) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 50 {
		refs := make([]*event.Event, 0, 2*len(events))
		for i := range events {
			refs = append(refs, &events[i])
			if round > 0 && r.IntN(3) == 0 {
				refs = append(refs, &events[i])
			}
		}
		r.Shuffle(len(refs), func(i, j int) { refs[i], refs[j] = refs[j], refs[i] })
		var got map[string]string
		if key := events[0].Key(); key.Kind == event.KindCall {
			c := FoldCall(key, refs, nil)
			got = callFacts(&c)
		} else {
			k := FoldTicket(key, refs, CallFacts{})
			got = ticketFacts(&k)
		}
		for _, w := range want {
			name, value, _ := strings.Cut(w, "=")
			if g, ok := got[name]; !ok || g != value {
				t.Fatalf("round %d: %s is %q, want %q", round, name, g, value)
			}
		}
	}
}

var day = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)

func parseEvent(line string, n int) (event.Event, error) {
	fields := strings.Fields(line)
	typ, ok := event.ParseType(event.TypePrefix + fields[0] + "." + fields[1])
	if !ok {
		return event.Event{}, fmt.Errorf("no type %s.%s", fields[0], fields[1])
	}
	at, err := time.Parse(time.TimeOnly, fields[2])
	if err != nil {
		return event.Event{}, err
	}
	e := event.Event{
		Source: "s", ID: "e" + strconv.Itoa(n), Type: typ, Kind: typ.Kind(), Subject: "x", Center: "35.15",
		OccurredAt: day.Add(at.Sub(at.Truncate(24 * time.Hour))),
	}
	e.Digest[0] = byte(n + 1)
	for _, f := range fields[3:] {
		name, v, _ := strings.Cut(f, "=")
		texts := map[string]*string{
			"id": &e.ID, "src": &e.Source, "replaces": &e.Replaces, "opd": &e.OPD, "class": &e.Class, "reason": &e.Reason,
			"result": &e.Result,
			"agent":  &e.Agent, "position": &e.Position, "category": &e.Category, "priority": &e.Priority,
			"kecamatan": &e.Kecamatan, "master": &e.Master,
		}
		switch p := texts[name]; {
		case p != nil:
			*p = v
		case name == "calls":
			e.Calls = strings.Split(v, ",")
		case name == "heard":
			at, err := time.Parse(time.TimeOnly, v)
			if err != nil {
				return e, err
			}
			e.ReceivedAt = day.Add(at.Sub(at.Truncate(24 * time.Hour)))
		case name == "rev":
			i, _ := strconv.Atoi(v)
			e.Revision = uint32(i)
		case name == "wait_ms":
			i, _ := strconv.ParseInt(v, 10, 64)
			e.WaitMS = &i
		default:
			return e, fmt.Errorf("no field %q", name)
		}
	}
	return e, nil
}

func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.TimeOnly)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func callFacts(c *Call) map[string]string {
	m := map[string]string{
		"received": clock(c.ReceivedAt), "queued": clock(c.QueuedAt), "answered": clock(c.AnsweredAt),
		"abandoned": clock(c.AbandonedAt),
		"ended":     clock(c.EndedAt), "classified": clock(c.ClassifiedAt), "first_class": clock(c.FirstClassAt),
		"class": orDash(c.Class),
		"agent": orDash(c.Agent), "flags": orDash(strings.Join(c.Flags, ",")), "events": strconv.Itoa(c.Events),
	}
	if d, ok := c.AnswerTime(); ok {
		m["wait"] = d.String()
	}
	if d, ok := c.AbandonTime(); ok {
		m["abandon_wait"] = d.String()
	}
	return m
}

func ticketFacts(k *Ticket) map[string]string {
	var stays, pauses []string
	for _, s := range k.Assignments {
		text := s.OPD + "@" + clock(s.At)
		if !s.EndedAt.IsZero() {
			text += "-" + clock(s.EndedAt)
		}
		if !s.AcknowledgedAt.IsZero() {
			text += "/" + clock(s.AcknowledgedAt)
		}
		stays = append(stays, text)
	}
	for _, p := range k.Pauses {
		to := ""
		if !p.To.IsZero() {
			to = clock(p.To)
		}
		pauses = append(pauses, clock(p.From)+"-"+to+"/"+p.Reason)
	}
	return map[string]string{
		"state": string(k.State), "opd": orDash(k.OPD), "opened": clock(k.OpenedAt), "assigned": clock(k.AssignedAt),
		"acknowledged": clock(k.AcknowledgedAt),
		"arrived":      clock(k.ArrivedAt), "resolved": clock(k.ResolvedAt), "last_resolved": clock(k.LastResolvedAt),
		"confirmed": clock(k.ConfirmedAt),
		"closed":    clock(k.ClosedAt), "result": orDash(k.Result), "category": orDash(k.Category),
		"calls":   orDash(strings.Join(k.Calls, ",")),
		"bounces": strconv.Itoa(k.Bounces), "reopened": strconv.Itoa(k.Reopened), "stays": orDash(strings.Join(stays, ",")),
		"pauses": orDash(strings.Join(pauses, ",")), "paused": strconv.FormatBool(k.Paused()), "master": orDash(k.Master),
		"flags": orDash(strings.Join(k.Flags, ",")), "events": strconv.Itoa(k.Events),
		"listed": strconv.FormatBool(k.Listed()),
	}
}

// TestAnswerAndAbandonTimes is the second test vector of the domain: ten calls offered, T 15 s, S 5 s.
func TestAnswerAndAbandonTimes(t *testing.T) {
	within, short := 0, 0
	for i, seconds := range []int{3, 8, 12, 14, 16, 19, 25, -2, -4, -30} {
		key := event.Key{Kind: event.KindCall, ID: strconv.Itoa(i)}
		typ := event.CallAnswered
		if seconds < 0 {
			typ, seconds = event.CallAbandoned, -seconds
		}
		c := FoldCall(key, []*event.Event{
			{Source: "s", ID: "q", Type: event.CallQueued, OccurredAt: day},
			{Source: "s", ID: "a", Type: typ, OccurredAt: day.Add(time.Duration(seconds) * time.Second)},
		}, nil)
		if d, ok := c.AnswerTime(); ok && d <= 15*time.Second {
			within++
		}
		if d, ok := c.AbandonTime(); ok && d < 5*time.Second {
			short++
		}
	}
	if within != 4 || short != 2 {
		t.Errorf("%d within 15 s and %d abandoned within 5 s, want 4 and 2", within, short)
	}
}
