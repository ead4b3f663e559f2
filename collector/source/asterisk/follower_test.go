package asterisk

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/disk"
)

// line i is a call that entered the queue.
func line(i int) string {
	return fmt.Sprintf("%d|c.%d|112|NONE|ENTERQUEUE||0860%d|1\n", base+i, i, i)
}

type following struct {
	t    *testing.T
	file *logFile
	dir  string
	got  []string // subjects
	f    *Follower
}

func follow(t *testing.T) *following {
	dir := t.TempDir()
	w := &following{t: t, file: &logFile{t: t, path: filepath.Join(dir, "queue_log")}, dir: filepath.Join(dir, "place")}
	w.file.open()
	t.Cleanup(func() { w.file.f.Close() })
	w.start()
	return w
}

func (w *following) start() {
	w.f = testFollower(w.t, w.file.path, w.dir, func(_ context.Context, events []event.RawEvent) error {
		for _, e := range events {
			w.got = append(w.got, e.Subject)
		}
		return nil
	})
}

func (w *following) restart() {
	stop(w.t, w.f)
	w.start()
}

// want checks that exactly the calls from 0 to n came, each once, in order.
func (w *following) want(n int) {
	w.t.Helper()
	catchUp(w.t, w.f)
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("c.%d", i))
	}
	if !slices.Equal(w.got, all) {
		w.t.Errorf("got %v, want %d calls", w.got, n)
	}
}

func TestPartOfALineWaits(t *testing.T) {
	w := follow(t)
	w.file.write(line(0) + line(1)[:9])
	w.want(1)
	w.restart()
	w.want(1)
	w.file.write(line(1)[9:])
	w.want(2)
}

func TestRestartGoesOnWhereItWas(t *testing.T) {
	w := follow(t)
	for i := range 5 {
		w.file.write(line(i))
		w.want(i + 1)
		w.restart()
	}
}

func TestRotationByRename(t *testing.T) {
	w := follow(t)
	w.file.write(line(0))
	w.want(1)
	w.file.rename()
	w.file.write(line(1)) // the telephone system has not opened the new file yet
	w.want(2)
	if err := os.WriteFile(w.file.path, nil, 0o600); err != nil { // logrotate's create
		t.Fatal(err)
	}
	w.file.write(line(2))
	w.want(3)
	w.file.write(strings.TrimSuffix(line(3), "\n")) // the last line of the old file has no end
	w.file.reload()
	w.file.write(line(4))
	w.want(5)
}

func TestRotationsWhileNobodyReads(t *testing.T) {
	for _, c := range []struct {
		name   string
		rotate func(*logFile)
	}{
		{"rename", func(l *logFile) { l.rename(); l.reload() }},
		{"copytruncate", func(l *logFile) { l.copyTruncate() }},
		{"rename and gzip", func(l *logFile) {
			l.rename()
			l.reload()
			text, err := os.ReadFile(l.path + ".1")
			if err != nil {
				l.t.Fatal(err)
			}
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			_, _ = z.Write(text)
			_ = z.Close()
			name := fmt.Sprintf("%s-2026112%d.gz", l.path, l.n)
			if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
				l.t.Fatal(err)
			}
			if err := os.Remove(l.path + ".1"); err != nil {
				l.t.Fatal(err)
			}
			l.n--
			l.stamp(name)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, down := range []bool{true, false} {
				w := follow(t)
				w.file.write(line(0))
				w.want(1)
				if down {
					stop(t, w.f)
				}
				for i := 1; i < 4; i++ {
					w.file.write(line(2*i - 1))
					c.rotate(w.file)
					w.file.write(line(2 * i))
				}
				if down {
					w.start()
				}
				w.want(7)
				if w.f.tail.lost > 0 {
					t.Errorf("the place was lost %d times", w.f.tail.lost)
				}
			}
		})
	}
}

func TestARotatedLogThatIsGoneIsToldAndTheLogReadFromItsStart(t *testing.T) {
	w := follow(t)
	w.file.write(line(0))
	w.want(1)
	stop(t, w.f)
	w.file.rename()
	w.file.reload()
	if err := os.Remove(w.file.path + ".1"); err != nil {
		t.Fatal(err)
	}
	w.file.write(line(1))
	w.start()
	w.want(2)
	if w.f.tail.lost != 1 {
		t.Errorf("lost %d times", w.f.tail.lost)
	}
}

func TestAMissingLogIsWaitedFor(t *testing.T) {
	w := follow(t)
	if err := os.Remove(w.file.path); err != nil {
		t.Fatal(err)
	}
	if _, err := w.f.Step(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("%v", err)
	}
	w.file.f.Close()
	w.file.open()
	w.file.write(line(0))
	w.want(1)
}

func TestALineWithoutEndIsLeftOut(t *testing.T) {
	w := follow(t)
	w.file.write(line(0) + strings.Repeat("x", 3*readBytes))
	w.want(1)
	w.file.write("yz\n" + line(1))
	w.want(2)
	if got := w.f.Tally().Malformed[LineTooLong]; got != 1 {
		t.Errorf("counted %d times", got)
	}
}

func TestWhatWasNotDeliveredIsReadAgain(t *testing.T) {
	w := follow(t)
	stop(t, w.f)
	w.file.write(line(0))
	ctx, cancel := context.WithCancel(t.Context())
	f := testFollower(t, w.file.path, w.dir, func(context.Context, []event.RawEvent) error {
		cancel()
		return errors.New("no room")
	})
	if err := f.Run(ctx); err != nil {
		t.Fatal(err)
	}
	f.Close()
	w.start()
	w.want(1)
}

func TestHeartbeatsComeTwiceAMinuteWhenEverythingWasRead(t *testing.T) {
	w := follow(t)
	stop(t, w.f)
	w.file.write(line(0))
	now := time.Unix(base, 0)
	ctx, cancel := context.WithCancel(t.Context())
	var beats []time.Time
	c := testConfig()
	c.QueueLog = w.file.path
	delivered := false
	f, err := NewFollower(FollowerOptions{
		Config: c, Dir: w.dir, Now: func() time.Time { return now },
		To: deliverTo(func(context.Context, []event.RawEvent) error { delivered = true; return nil }),
		Beat: func(_ context.Context, d event.RawEvent) error {
			if d.Type != event.FeedHeartbeat || d.Subject != DefaultFeed || !delivered {
				t.Errorf("%+v, delivered %t", d, delivered)
			}
			beats = append(beats, d.Time)
			return nil
		},
		Wait: func(ctx context.Context, d time.Duration) error {
			if now = now.Add(d); now.Sub(time.Unix(base, 0)) > 95*time.Second {
				cancel()
			}
			return ctx.Err()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if len(beats) != 4 {
		t.Errorf("%d heartbeats in 95 s: %v", len(beats), beats)
	}
}

func TestTwoFollowersNeverShareAFolder(t *testing.T) {
	w := follow(t)
	c := testConfig()
	if _, err := NewFollower(FollowerOptions{Config: c, Dir: w.dir}); !errors.Is(err, disk.ErrLocked) {
		t.Errorf("%v", err)
	}
}

func TestDamagedPositionIsRefusedWithTheRemedy(t *testing.T) {
	w := follow(t)
	stop(t, w.f)
	if err := os.WriteFile(filepath.Join(w.dir, positionName), []byte(`{"version":1,"file":{"offs`), 0o600); err != nil {
		t.Fatal(err)
	}
	c := testConfig()
	if _, err := NewFollower(FollowerOptions{Config: c, Dir: w.dir}); err == nil ||
		!strings.Contains(err.Error(), "remove it") {
		t.Errorf("%v", err)
	}
}

func TestOnceReadsFilesInTheirOrder(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "queue_log.1"), filepath.Join(dir, "queue_log")
	long := strings.Repeat("x", 3*MaxLineBytes)
	for name, text := range map[string]string{
		first:  line(0) + "rubbish\r\n" + strings.Replace(line(1), "\n", "\r\n", 1),
		second: long + "\n\n" + strings.TrimSuffix(line(2), "\n"),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	tally, err := Once(t.Context(), OnceOptions{
		Config: testConfig(), Files: []string{first, second}, Names: NewNames(testConfig(), testKey),
		Event: func(d *event.RawEvent, at Place) error {
			got = append(got, fmt.Sprint(d.Subject, " ", filepath.Base(at.File), ":", at.Line))
			return nil
		},
		Malformed: func(at Place, reason ParseError) {
			got = append(got, fmt.Sprint(reason, " ", filepath.Base(at.File), ":", at.Line))
		},
	})
	want := []string{
		"c.0 queue_log.1:1", "fewer_than_5_fields queue_log.1:2", "c.1 queue_log.1:3", "line_too_long queue_log:1",
		"c.2 queue_log:3",
	}
	if err != nil || !slices.Equal(got, want) || tally.Lines != 5 || tally.Events != 3 {
		t.Errorf("%v, %v, %+v", err, got, tally)
	}
}

func TestMistakesInTheConfigurationSayWhatWouldBeRight(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"queue_log:": func(c *Config) { c.QueueLog = "" },
		"folder":     func(c *Config) { c.QueueLog = "/var/log/asterisk/" },
		"source:":    func(c *Config) { c.Source = "a b" },
		"agents:":    func(c *Config) { c.Agents = map[string]string{"SIP/1": "Budi Santoso"} },
		"positions:": func(c *Config) { c.Positions = map[string]string{"SIP/1": " "} },
		"meja-3":     func(c *Config) { c.Positions = map[string]string{"SIP/1": "Meja Pak Budi"} },
	} {
		c := testConfig()
		change(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
	whole := testConfig()
	if err := whole.Check(); err != nil {
		t.Error(err)
	}
}

// A position of the first version has its times in seconds; the wait of a call that goes on must not grow by them.
func TestAPositionOfTheFirstVersionIsRead(t *testing.T) {
	dir := t.TempDir()
	text := `{"version":1,"file":{},"calls":{"a.1":{"q":"112","w":true,"e":1774519201,"l":1774519200,"s":1}}}`
	if err := os.WriteFile(filepath.Join(dir, positionName), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, ok, err := readPosition(disk.OS{}, dir)
	if c := p.Calls["a.1"]; err != nil || !ok || c.Entered != 1774519201_000 || c.Left != 1774519200_000 {
		t.Errorf("%+v, %v, %v", p.Calls["a.1"], ok, err)
	}
}
