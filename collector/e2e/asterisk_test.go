package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// queueLog is a log that a telephone system writes.
type queueLog struct {
	t    *testing.T
	path string
}

func newQueueLog(t *testing.T) *queueLog {
	return &queueLog{t, filepath.Join(t.TempDir(), "queue_log")}
}

// write adds one line, as of so many seconds ago.
func (l *queueLog) write(ago int, format string, args ...any) {
	l.t.Helper()
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		l.t.Fatal(err)
	}
	_, err = fmt.Fprintf(f, "%d|%s\n", time.Now().Unix()-int64(ago), fmt.Sprintf(format, args...))
	if cerr := f.Close(); err != nil || cerr != nil {
		l.t.Fatal(err, cerr)
	}
}

func (l *queueLog) rotate() {
	l.t.Helper()
	if err := os.Rename(l.path, l.path+".1"); err != nil {
		l.t.Fatal(err)
	}
}

// shows waits until a series has a value.
func (s *service) shows(series string, want float64) {
	s.t.Helper()
	if !s.until(fmt.Sprintf("%s is %g", series, want), func() bool { return s.metric(series) == want }) {
		s.t.Fatal("the service ended")
	}
}

const waiting = `monev112_calls_waiting{center="35.15"}`

// serve follows a queue_log by configuration: a waiting caller shows, an answer ends the wait, and the wait is the
// queue's hold time, whatever a call detail record says. A restart in the middle of a rotation misses nothing.
func TestServeFollowsAQueueLog(t *testing.T) {
	t.Parallel()
	log := newQueueLog(t)
	config := filepath.Join(filepath.Dir(log.path), "monev112.yaml")
	text := "asterisk:\n  queue_log: queue_log\n  source: pbx\n  positions: {SIP/101: meja-1}\n  agents: {Budi Santoso: " +
		"p07}\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newService(t, "--config", config).start()
	if !s.ready() {
		t.Fatal("the service ended")
	}
	log.write(40, "1700000000.1|112|NONE|ENTERQUEUE||081234567890|1")
	s.shows(waiting, 1)
	log.write(20, "1700000000.1|112|SIP/101|RINGNOANSWER|1000")
	log.write(18, "1700000000.1|112|Budi Santoso|CONNECT|22|1700000000.2|4")
	s.shows(waiting, 0)
	s.shows(`monev112_ring_no_answer_recent{center="35.15",position="meja-1"}`, 1)
	s.shows(`monev112_agents{center="35.15",state="busy"}`, 1)

	written := time.Now()
	log.write(12, "1700000000.3|112|NONE|ENTERQUEUE||anonymous|1")
	s.shows(waiting, 1)
	t.Logf("a waiting caller shows in /metrics %s after the line", time.Since(written).Round(time.Millisecond))
	if code := s.stop(); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	log.write(9, "1700000000.1|112|Budi Santoso|COMPLETECALLER|22|9|1")
	log.rotate()
	log.write(5, "1700000000.3|112|NONE|ABANDON|1|1|7")
	log.write(3, "1700000000.4|112|NONE|ENTERQUEUE|||1")
	s.start()
	s.shows(`monev112_calls_to_call_back{center="35.15"}`, 1)
	s.shows(waiting, 1)
	s.shipped()
	got := s.query(
		`SELECT id, agent, wait_ms, isNotNull(answered_at), isNotNull(abandoned_at), isNotNull(ended_at), ifNull(caller_key,
			'') != '' FROM calls_now ORDER BY id FORMAT TSV`)
	want := "1700000000.1\tp07\t22000\t1\t0\t1\t1\n1700000000.3\t\\N\t7000\t0\t1\t0\t0\n1700000000.4\t\\N\t\\N\t0\t0\t0\t0"
	if got = strings.NewReplacer("true", "1", "false", "0").Replace(got); got != want {
		t.Errorf("calls\n%s, want\n%s", got, want)
	}
	if got := s.query(
		`SELECT toInt64(ring_ms) FROM events_now WHERE type IN ('call.ring_no_answer', 'call.answered') ORDER BY occurred_at
			FORMAT TSV`); got != "1000\n4000" {
		t.Errorf("rings of %q ms", got)
	}
}

// follow runs beside the telephone system: it keeps what the collector cannot take, goes on after kill -9, and a file
// that is read again as a whole changes nothing.
func TestFollowKeepsWhileTheCollectorIsAway(t *testing.T) {
	t.Parallel()
	log := newQueueLog(t)
	spool := filepath.Join(t.TempDir(), "spool")
	s := newService(t).start()
	if !s.ready() {
		t.Fatal("the service ended")
	}
	var followed *exec.Cmd
	var out *syncBuffer
	start := func() {
		path, err := binary()
		if err != nil {
			t.Fatal(err)
		}
		out = &syncBuffer{}
		followed = exec.Command(path, "follow", "--queue-log", log.path, "--server", "http://"+s.addr, "--spool", spool)
		followed.Stderr = out
		if err := followed.Start(); err != nil {
			t.Fatal(err)
		}
	}
	end := func(how os.Signal) error {
		_ = followed.Process.Signal(how)
		return followed.Wait()
	}
	start()
	defer func() {
		_ = end(os.Kill)
		if t.Failed() {
			t.Logf("log of follow:\n%s", tail(out.String(), 4000))
		}
	}()
	log.write(30, "1700000000.1|112|NONE|ENTERQUEUE||081234567890|1")
	s.shows(waiting, 1)
	if s.metric(`monev112_source_last_event_timestamp_seconds{source="asterisk"}`) < 0 {
		t.Error("the source is not shown")
	}

	s.kill()
	log.write(20, "1700000000.1|112|SIP/101|CONNECT|10|1700000000.2|4")
	log.write(19, "1700000000.3|112|NONE|ENTERQUEUE|||1")
	s.eventually(t, "the events are kept", func() bool {
		files, _ := filepath.Glob(filepath.Join(spool, "journal", "*"))
		return slices.ContainsFunc(files, func(f string) bool { return holdsText(f, "1700000000.3") })
	})
	_ = end(os.Kill)
	log.rotate()
	log.write(10, "1700000000.4|112|NONE|ENTERQUEUE|||1")
	start()
	s.start()
	s.shows(waiting, 2)
	s.shipped()
	if got := s.query("SELECT countIf(isNotNull(answered_at)), count() FROM calls_now"); got != "1\t3" {
		t.Errorf("calls answered, and all: %s, want 1 and 3", got)
	}
	if err := end(os.Interrupt); err != nil {
		t.Errorf("follow does not stop cleanly: %v", err)
	}

	if _, stderr, code := s.run("follow", "--once", "--server", "http://"+s.addr, "--spool", spool, log.path+".1",
		log.path); code != 0 ||
		!strings.Contains(stderr, "0 accepted, 6 known already, 0 refused") {
		t.Errorf("the files read again: code %d, %s", code, stderr)
	}
	log.write(5, "what is this")
	if _, stderr, code := s.run("follow", "--once", "--server", "http://"+s.addr, "--spool", spool, log.path); code != 1 ||
		!strings.Contains(stderr, "queue_log:2: no line of a queue_log: fewer_than_5_fields") {
		t.Errorf("a strange line: code %d, %s", code, stderr)
	}
	if _, stderr, code := s.run("follow", "--server", "http://"+s.addr); code != 2 ||
		!strings.Contains(stderr, "queue_log") {
		t.Errorf("no log named: code %d, %s", code, stderr)
	}
}

// eventually is until for what goes on without the service.
func (s *service) eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", patience, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func holdsText(name, text string) bool {
	b, err := os.ReadFile(name)
	return err == nil && strings.Contains(string(b), text)
}
