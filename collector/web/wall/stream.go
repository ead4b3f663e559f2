package wall

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/tracker"
	"github.com/monev112/monev112/collector/web"
)

// The pace of the stream.
const (
	lookEvery   = 250 * time.Millisecond // at the board: at most four snapshots a second
	beatEvery   = 5 * time.Second        // a heartbeat, and whether the reader may still read
	writeWithin = 10 * time.Second       // a write that takes longer ends the stream
	retryAfter  = 2 * time.Second        // a browser comes back after a stream that ended
)

// Bounds of streams. One holds a connection, of which httpapi has 1,024.
const (
	maxStreams   = 600
	maxOfReader  = 100
	maxCallBacks = 20
)

// Config is what a Wall is made of; every field is required.
type Config struct {
	Snapshot  func(now time.Time) tracker.Snapshot
	CallBacks func(center string, now time.Time, limit int) []tracker.CallBack
	Directory *directory.Directory
	Listed    *web.ListedLinks
	Version   string
	Now       func() time.Time
}

// Wall looks at the board for all screens. It is safe for concurrent use.
type Wall struct {
	cfg  Config
	stop chan struct{} // closed by Stop

	mu      sync.Mutex
	feeds   map[topic]*feed
	readers map[string]int // streams by reader
	open    int
	refused int
	stopped bool

	following bool      // somebody looks at the board
	looked    time.Time // when the board was seen last; not by the service's clock
}

// topic is what a stream shows.
type topic struct {
	center string
	calls  bool // with the calls to be called back
}

// feed is the newest state of a topic for those who follow it.
type feed struct {
	streams int
	id      string        // of the state, by its content
	data    []byte        // the state as JSON, without its time
	changed chan struct{} // closed when the state changes
}

// New returns a wall. It does nothing until somebody looks.
func New(cfg Config) (*Wall, error) {
	if cfg.Snapshot == nil || cfg.CallBacks == nil || cfg.Directory == nil || cfg.Listed == nil || cfg.Now == nil {
		return nil, errors.New("wall: every field of the configuration is required")
	}
	return &Wall{cfg: cfg, stop: make(chan struct{}), feeds: map[topic]*feed{}, readers: map[string]int{}}, nil
}

// Stop ends all streams, and those that come later at once after their first snapshot. It may be called twice.
func (w *Wall) Stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.stopped {
		w.stopped = true
		close(w.stop)
	}
}

// Streams says how many streams are open, and how many were refused since the start.
func (w *Wall) Streams() (open, refused int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.open, w.refused
}

// Reader is who asks for a stream.
type Reader struct {
	Name   string // for the bound of one reader's streams
	Center string // empty is the directory's default
	Calls  bool   // may see the calls to be called back, not their count alone
	// Began is told the centre once the stream is granted; it may be nil.
	Began func(center string)
	// Live says whether the reader may still read; it is asked every few seconds.
	Live func() bool
}

// Why a stream is refused.
var (
	ErrTooMany  = errors.New("too many streams are open")
	ErrOfReader = errors.New("too many streams of one reader are open")
	ErrNoCenter = errors.New("no such centre")
)

// Display returns the reader that the link of a display is for.
func (w *Wall) Display(token string) (Reader, bool) {
	l, ok := w.cfg.Listed.OpenWallboard(token, w.cfg.Now())
	if !ok || l.To != web.ToWallboard {
		return Reader{}, false
	}
	return Reader{Name: "link:" + l.ID, Center: l.Center, Live: func() bool {
		_, ok := w.cfg.Listed.OpenWallboard(token, w.cfg.Now())
		return ok
	}}, true
}

// center returns the centre that a reader asks for; a historical one has no board.
func (w *Wall) center(code string) (directory.Center, bool) {
	if code == "" {
		code = w.cfg.Directory.DefaultCenter()
	}
	c, known := w.cfg.Directory.Center(code)
	return c, known && !c.Historical
}

// Stream answers with the events of a centre's board until the reader goes, may read no more, or does not keep up. An
// error means that nothing was sent. lastID is the id of the event that the reader saw last; it is not sent again.
func (w *Wall) Stream(rw http.ResponseWriter, r *http.Request, reader Reader, lastID string) error {
	center, ok := w.center(reader.Center)
	if !ok {
		return ErrNoCenter
	}
	t := topic{center.Code, reader.Calls}
	f, err := w.enter(t, reader.Name)
	if err != nil {
		return err
	}
	defer w.leave(t, reader.Name)
	if reader.Began != nil {
		reader.Began(t.center)
	}

	rc := http.NewResponseController(rw)
	_ = rc.SetReadDeadline(time.Time{}) // that of the request would end the stream
	h := rw.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx passes each write on
	rw.WriteHeader(http.StatusOK)
	send := func(format string, args ...any) bool {
		if rc.SetWriteDeadline(time.Now().Add(writeWithin)) != nil {
			return false
		}
		_, err := fmt.Fprintf(rw, format, args...)
		return err == nil && rc.Flush() == nil
	}
	at := func() string { return w.cfg.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00") }
	if !send("retry: %d\n\n", retryAfter.Milliseconds()) {
		return nil
	}
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	for first := true; ; first = false {
		id, data, changed, fresh := w.newest(f)
		switch {
		case id != "" && id != lastID:
			if !send("id: %s\nevent: board\ndata: {\"at\":\"%s\",%s\n\n", id, at(), data[1:]) {
				return nil
			}
			lastID = id
		case first && fresh && id != "": // the reader has it already, and need not wait to be told that it still holds
			if !send("event: heartbeat\ndata: {\"at\":\"%s\"}\n\n", at()) {
				return nil
			}
		}
		select {
		case <-changed:
		case <-beat.C:
			if !reader.Live() {
				send("event: end\ndata: {\"at\":\"%s\"}\n\n", at())
				return nil
			}
			if _, _, _, fresh = w.newest(f); fresh && !send("event: heartbeat\ndata: {\"at\":\"%s\"}\n\n", at()) {
				return nil
			}
		case <-r.Context().Done():
			return nil
		case <-w.stop:
			return nil
		}
	}
}

// enter counts a stream and returns the feed that it follows. The first of all starts looking at the board.
func (w *Wall) enter(t topic, reader string) (*feed, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.open >= maxStreams:
		w.refused++
		return nil, ErrTooMany
	case w.readers[reader] >= maxOfReader:
		w.refused++
		return nil, ErrOfReader
	}
	w.open++
	w.readers[reader]++
	f := w.feeds[t]
	if f == nil {
		f = &feed{changed: make(chan struct{})}
		w.feeds[t] = f
	}
	f.streams++
	if !w.following {
		w.following = true
		go w.follow()
	}
	return f, nil
}

func (w *Wall) leave(t topic, reader string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open--
	if w.readers[reader]--; w.readers[reader] == 0 {
		delete(w.readers, reader)
	}
	if w.feeds[t].streams--; w.feeds[t].streams == 0 {
		delete(w.feeds, t)
	}
}

// follow looks at the board while anybody does.
func (w *Wall) follow() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for w.look() {
		select {
		case <-tick.C:
		case <-w.stop:
			return
		}
	}
}

// look brings every feed up to date. It returns false when there is none. No lock is held while the board is asked: it
// may take its time, and then heartbeats stop.
func (w *Wall) look() bool {
	w.mu.Lock()
	if w.open == 0 {
		w.following = false
		w.mu.Unlock()
		return false
	}
	topics := slices.Collect(maps.Keys(w.feeds))
	w.mu.Unlock()

	snap := w.cfg.Snapshot(w.cfg.Now())
	states := make([][]byte, len(topics))
	for i, t := range topics {
		states[i], _ = json.Marshal(w.state(snap, t), json.Deterministic(true)) // of plain fields: it cannot fail
	}

	w.mu.Lock()
	defer w.mu.Unlock()
	w.looked = time.Now()
	for i, t := range topics {
		f := w.feeds[t]
		if f == nil || bytes.Equal(f.data, states[i]) {
			continue
		}
		sum := sha256.Sum256(states[i])
		f.id, f.data = hex.EncodeToString(sum[:8]), states[i]
		close(f.changed)
		f.changed = make(chan struct{})
	}
	return true
}

// newest returns the state of a feed, what is closed when it changes, and whether it is what the board says now.
func (w *Wall) newest(f *feed) (id string, data []byte, changed <-chan struct{}, fresh bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return f.id, f.data, f.changed, time.Since(w.looked) < beatEvery
}

// state is what a topic shows of a snapshot.
func (w *Wall) state(snap tracker.Snapshot, t topic) State {
	c, _ := w.cfg.Directory.Center(t.center)
	out := State{
		Center: t.center, Name: c.Name, Complete: snap.Complete, Version: w.cfg.Version,
		LastEventAt: lastEvent(snap, casefile.PageSource),
	}
	if !snap.Complete {
		return out
	}
	out.Counts = counts(snap, t.center, c.AnswerTarget)
	if t.calls && out.Counts.CallsToCallBack > 0 {
		for _, b := range w.cfg.CallBacks(t.center, snap.At, maxCallBacks) {
			out.CallBacks = append(out.CallBacks, CallBack{b.ID, b.AbandonedAt.UTC()})
		}
	}
	return out
}
