package quarantine_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/ingest/quarantine"
	"github.com/monev112/monev112/collector/internal/disk"
)

// lean is a disk that has as much room as the test says.
type lean struct {
	disk.OS
	free uint64
}

func (l *lean) FreeBytes(string) (uint64, error) { return l.free, nil }

func openDead(t *testing.T, dir string, floor int64, fsys disk.FS) *quarantine.DeadLetters {
	t.Helper()
	d, err := quarantine.OpenDeadLetters(dir, floor, fsys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

var long = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// sent is an event of a source and its journal form.
func sent(source string, at time.Time) (*event.Event, []byte) {
	e := &event.Event{
		Source: source, ID: fmt.Sprint(at.UnixNano()), Kind: event.KindCall, Type: event.CallReceived, Subject: "c",
		Center: "35.15", OccurredAt: at, ReceivedAt: at, Digest: event.Digest{1, 2},
		Caller:     event.Caller{KeyID: "k01234567", Key: strings.Repeat("ab", 16), Last3: "789"},
		Attributes: map[string]string{"shift": "pagi"},
	}
	return e, event.AppendBinary(nil, e)
}

// addConflicts adds n conflicts of a source.
func addConflicts(t *testing.T, d *quarantine.DeadLetters, source string, n int) {
	t.Helper()
	var events []*event.Event
	var payloads [][]byte
	for i := range n {
		e, payload := sent(source, long.Add(time.Duration(i)*time.Hour))
		events, payloads = append(events, e), append(payloads, payload)
	}
	if err := d.AddConflicts(events, payloads, "another content", long); err != nil {
		t.Fatal(err)
	}
}

// TestOnlyTheSourceThatFillsTheDiskIsHeldBack: with room nobody is; without it, only who takes much of it.
func TestOnlyTheSourceThatFillsTheDiskIsHeldBack(t *testing.T) {
	const floor = 1 << 20
	fsys := &lean{free: 100 * floor}
	d := openDead(t, t.TempDir(), floor, fsys)
	addConflicts(t, d, "/crm", 300)
	addConflicts(t, d, "/pbx", 1)
	if d.HeldBack("/crm") {
		t.Error("held back although there is room")
	}
	fsys.free = 2*floor - 1
	if !d.HeldBack("/crm") || d.HeldBack("/pbx") || d.HeldBack("/new") {
		t.Errorf("held back: crm %v, pbx %v, new %v; want crm alone",
			d.HeldBack("/crm"), d.HeldBack("/pbx"), d.HeldBack("/new"))
	}
	fsys.free = floor - 1 // the journal accepts nothing; what it holds may still become dead letters
	addConflicts(t, d, "/pbx", 1)
	fsys.free = floor/2 - 1
	e, payload := sent("/pbx", long)
	if err := d.AddConflicts([]*event.Event{e}, [][]byte{payload}, "", long); !errors.Is(err, quarantine.ErrNoRoom) {
		t.Errorf("%v, want ErrNoRoom", err)
	}
	if d.Conflicts.Len() != 302 {
		t.Errorf("%d conflicts", d.Conflicts.Len())
	}
}

// TestRetentionBlanksWhatIsPersonalInDeadLetters: the event stays, and is the same event: its digest is kept.
func TestRetentionBlanksWhatIsPersonalInDeadLetters(t *testing.T) {
	dir := t.TempDir()
	d := openDead(t, dir, -1, nil)
	cutoff := long.AddDate(0, 6, 0)
	for i, at := range []time.Time{long, cutoff.Add(time.Hour)} {
		e, payload := sent("/crm", at)
		if err := errors.Join(
			d.AddRows("events", [][]byte{payload}, []string{"/crm"}, []string{"bad"}, at),
			d.AddConflicts([]*event.Event{e}, [][]byte{payload}, "other", at),
		); err != nil {
			t.Fatal(i, err)
		}
	}
	for _, apply := range []bool{false, true} {
		callers, attributes, err := d.Redact(cutoff, long, apply)
		if err != nil || callers.Entries != 2 || !callers.Oldest.Equal(long) || attributes.Entries != 0 {
			t.Fatalf("%+v, %+v, %v", callers, attributes, err)
		}
	}
	if callers, _, err := d.Redact(cutoff, long, false); err != nil || callers.Entries != 0 {
		t.Fatalf("%+v, %v: still due", callers, err)
	}
	check := func(d *quarantine.DeadLetters) {
		t.Helper()
		withCaller, n := 0, 0
		if err := d.EachPayload(func(_ string, payload []byte) {
			var e event.Event
			if err := event.DecodeBinary(payload, &e); err != nil {
				t.Fatal(err)
			}
			n++
			if e.Caller.Key != "" {
				withCaller++
			}
			if e.Digest != (event.Digest{1, 2}) || e.Attributes["shift"] != "pagi" {
				t.Errorf("%+v", e)
			}
		}); err != nil || n != 4 || withCaller != 2 {
			t.Errorf("%d events, %d with a caller, %v", n, withCaller, err)
		}
	}
	check(d)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	check(openDead(t, dir, -1, nil))
}

// TestAFolderOfTheFirstStageIsTakenOver: its files as that program wrote them, without source and format.
func TestAFolderOfTheFirstStageIsTakenOver(t *testing.T) {
	dir := t.TempDir()
	e, payload := sent("/crm", long)
	old := fmt.Appendf(nil, `{"id":"1","at":"2026-01-01T00:00:00Z","reason":"bad","table":"events","payload":%q}`+"\n"+
		`{"id":"2","at":"2026-01-02T00:00:00Z","reason":"bad","table":"cases","payload":"Y2FsbAAzNS4xNQBj"}`+"\n"+
		`{"removed":["2"]}`+"\n", quarantine.Base64(payload))
	folder := filepath.Join(dir, quarantine.FolderName)
	if err := errors.Join(os.MkdirAll(folder, 0o700),
		os.WriteFile(filepath.Join(folder, "dead-0000000001.ndjson"), old, 0o600)); err != nil {
		t.Fatal(err)
	}
	d := openDead(t, dir, -1, nil)
	if d.Len() != 1 || d.Stats().Damaged != 0 || d.Source(e.Source).Entries != 1 {
		t.Fatalf("%+v, of the source %+v", d.Stats(), d.Source(e.Source))
	}
	if err := d.AddRows("cases", [][]byte{[]byte("k")}, []string{""}, []string{"worse"}, long); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := d.Get("3"); !ok || err != nil {
		t.Fatalf("ids do not go on: %v", err)
	}
	if err := quarantine.MarkIn(dir, quarantine.DeadName); err != nil {
		t.Fatal(err)
	}
	var got []string
	if n, err := d.Requeued(10, func(p []byte, table string) (bool, error) {
		got = append(got, table)
		return false, nil
	}); n != 2 || err != nil || !slices.Equal(got, []string{"events", "cases"}) {
		t.Fatalf("%d, %v, %q", n, err, got)
	}
}

// TestASendersTokenIsNotGivenBackAsOurs: before Format, a caller in the quarantine could be what the sender wrote.
func TestASendersTokenIsNotGivenBackAsOurs(t *testing.T) {
	dir := t.TempDir()
	const token = "hmac:k01234567:abababababababababababababababab:789"
	body := `{"id":"e","data":{"caller":"` + token + `","agent":"a"}}`
	folder := filepath.Join(dir, quarantine.FolderName)
	if err := errors.Join(os.MkdirAll(folder, 0o700), os.WriteFile(filepath.Join(folder, "refused-0000000001.ndjson"),
		[]byte(`{"id":"1","at":"2026-01-01T00:00:00Z","reason":"bad_code","event":`+body+"}\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	r, err := quarantine.OpenRejected(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Add(quarantine.Entry{At: long, Reason: "bad_code", Event: []byte(body)}); err != nil {
		t.Fatal(err)
	}
	got := r.Replayable(t)
	if len(got) != 2 || strings.Contains(got[0], "hmac") || !strings.Contains(got[0], `"agent":"a"`) || got[1] != body {
		t.Errorf("given back: %q", got)
	}
	for _, apply := range []bool{true, false} {
		want := map[bool]int{true: 2, false: 0}[apply]
		if due, err := r.RedactCallers(time.Now(), apply); err != nil || due.Entries != want {
			t.Errorf("%+v, %v, want %d", due, err, want)
		}
	}
}
