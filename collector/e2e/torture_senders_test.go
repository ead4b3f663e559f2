package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/monev112/monev112/collector/source/simulate"
)

// How senders behave, per mille of their parcels.
const (
	permilleLate   = 40 // held back and sent after later ones
	permilleRepeat = 60 // sent once more after they were acknowledged
	permilleClash  = 10 // followed by other content under one of their ids
	permilleGiveUp = 30 // of single events that failed once: never sent again
	senderTimeout  = 1500 * time.Millisecond
)

// supply hands out simulated events in parcels, as several sources would: late, repeated, corrected, out of order.
type supply struct {
	mu     sync.Mutex
	rng    *rand.Rand
	ledger *ledger
	seed   uint64
	until  time.Time // events that a simulation has after it are left out: the service refuses the future
	next   func() (*simulate.Message, bool)
	storms int // parcels of storms so far
}

// simulatedHours is how far before the start of the test its events begin. Those of the last hour move counters.
const simulatedHours = 6

func newSupply(seed uint64, l *ledger) *supply {
	return &supply{rng: rand.New(rand.NewPCG(seed, 1)), ledger: l, seed: seed, until: time.Now()}
}

func (p *supply) message() *simulate.Message {
	for {
		if p.next == nil {
			p.seed++
			g, err := simulate.New(simulate.Live,
				simulate.Options{
					Seed: p.seed, From: p.until.Add(-simulatedHours * time.Hour), To: p.until, Rate: 200, TimeScale: 8,
				})
			if err != nil {
				panic(err) // the options are constants
			}
			var m simulate.Message
			p.next = func() (*simulate.Message, bool) { return &m, g.Next(&m) }
		}
		m, ok := p.next()
		if ok && m.At.Before(p.until) {
			return m
		}
		p.next = nil
	}
}

// parcel returns the next events of one request.
func (p *supply) parcel() []*sent {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rng.IntN(1000) < permilleStorm {
		out := p.storm()
		p.rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
		return out
	}
	n := 1
	if p.rng.IntN(2) == 0 {
		n = 2 + p.rng.IntN(40)
	}
	out := make([]*sent, 0, n)
	for range n {
		m := p.message()
		e := p.ledger.know(m.Draft.Source, m.Draft.ID, m.Draft.AppendCloudEvent(nil))
		if !slices.Contains(out, e) {
			out = append(out, e)
		}
	}
	p.rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// sender is one client that sends until it is told to finish; then it sends what it still has.
type sender struct {
	url    string
	rng    *rand.Rand
	supply *supply
	ledger *ledger
	behind *atomic.Bool // the service's clock was set back: it may take the present for the future
	client *http.Client
}

func (c *sender) chance(permille int) bool { return c.rng.IntN(1000) < permille }

// run sends until stop is closed. It returns what could not be delivered when given up on.
func (c *sender) run(stop, abandon <-chan struct{}) (undelivered int) {
	defer c.client.CloseIdleConnections()
	var held [][]*sent
	for {
		select {
		case <-stop:
			for _, p := range held {
				if !c.deliver(p, abandon) {
					undelivered += len(p)
				}
			}
			return undelivered
		case <-time.After(time.Duration(c.rng.IntN(60)) * time.Millisecond):
		}
		p := c.supply.parcel()
		if c.chance(permilleLate) {
			held = append(held, p)
			continue
		}
		if !c.deliver(p, abandon) {
			return undelivered + len(p)
		}
		if c.chance(permilleRepeat) {
			held = append(held, p)
			c.ledger.count(&c.ledger.repeats)
		}
		if len(held) > 0 && c.rng.IntN(4) == 0 {
			i := c.rng.IntN(len(held))
			late := held[i]
			held = slices.Delete(held, i, i+1)
			if !c.deliver(late, abandon) {
				return undelivered + len(late)
			}
		}
	}
}

// deliver sends a parcel until every event of it is acknowledged, in part and in another order after a failure.
func (c *sender) deliver(p []*sent, abandon <-chan struct{}) bool {
	p = slices.Clone(p)
	for wait := 20 * time.Millisecond; len(p) > 0; {
		part := p
		if wait > 20*time.Millisecond && len(p) > 1 && c.rng.IntN(3) == 0 {
			part = p[:1+c.rng.IntN(len(p))]
		}
		left, ok := c.send(part)
		p = append(left, p[len(part):]...)
		if ok && len(left) == 0 {
			continue
		}
		if len(p) == 1 && c.chance(permilleGiveUp) {
			c.ledger.count(&c.ledger.late)
			return true
		}
		select {
		case <-abandon:
			return false
		case <-time.After(wait + time.Duration(c.rng.Int64N(int64(wait)))):
		}
		wait = min(2*wait, 400*time.Millisecond)
		c.rng.Shuffle(len(p), func(i, j int) { p[i], p[j] = p[j], p[i] })
	}
	return true
}

// send makes one request and returns the events that have to come again.
func (c *sender) send(p []*sent) (left []*sent, ok bool) {
	lines := make([][]byte, len(p))
	for i, e := range p {
		lines[i] = e.line
	}
	life, known := c.ledger.trying(p)
	a, status, err := c.post(lines)
	if err != nil || status != http.StatusOK && status != http.StatusBadRequest {
		c.ledger.answered(life, p, -1)
		return slices.Clone(p), false
	}
	refused, given := map[int]bool{}, map[int]bool{}
	for _, r := range a.Rejected {
		refused[r.Index] = true
		if p[r.Index].hostile && r.Field != "time" {
			given[r.Index] = true // a bound that the service states
			continue
		}
		if !c.behind.Load() || r.Field != "time" {
			c.ledger.violate("event %s is refused: %s %s", r.ID, r.Field, r.Reason)
		}
	}
	var took []*sent
	for i, e := range p {
		switch {
		case !refused[i]:
			took = append(took, e)
		case !given[i]:
			left = append(left, e)
		}
	}
	if a.Accepted+a.Duplicates != len(took) {
		c.ledger.violate("%d accepted and %d duplicates of %d events", a.Accepted, a.Duplicates, len(took))
	}
	if a.Accepted > len(p)-known {
		c.ledger.violate("%d accepted of %d events, of which %d were acknowledged before", a.Accepted, len(p), known)
	}
	c.ledger.answered(life, took, a.Accepted)
	if len(took) > 0 && c.chance(permilleClash) {
		c.clash(took[0])
	}
	return left, true
}

// clash sends other content under the id of an acknowledged event. Whatever comes back, it must not be accepted.
func (c *sender) clash(e *sent) {
	line := slices.Clone(e.line)
	i := bytes.Index(line, []byte(`"time":"`))
	second := &line[i+len(`"time":"2006-01-02T15:04:0`)]
	*second = '0' + (*second-'0'+1)%10
	c.ledger.count(&c.ledger.clashes)
	a, status, err := c.post([][]byte{line})
	if err == nil && (status == http.StatusOK || a.Accepted+a.Duplicates > 0) {
		c.ledger.violate("event %s came again with another time and is answered %d %+v", e.id, status, a)
	}
}

// post sends events in one of the forms that the interface takes.
func (c *sender) post(lines [][]byte) (a answer, status int, err error) {
	contentType, body := "application/x-ndjson", bytes.Join(lines, []byte("\n"))
	switch {
	case len(lines) == 1 && c.rng.IntN(2) == 0:
		contentType = "application/cloudevents+json"
	case c.rng.IntN(2) == 0:
		contentType = "application/cloudevents-batch+json"
		body = slices.Concat([]byte("["), bytes.Join(lines, []byte(",")), []byte("]"))
	}
	encoding := ""
	switch c.rng.IntN(4) {
	case 0:
		encoding = "gzip"
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write(body)
		_ = w.Close()
		body = b.Bytes()
	case 1:
		encoding = "zstd"
		w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return a, 0, err
		}
		body = w.EncodeAll(body, nil)
	}
	req, err := http.NewRequest(http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return a, 0, err
	}
	req.Header.Set("Content-Type", contentType)
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	r, err := c.client.Do(req)
	if err != nil {
		return a, 0, err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err == nil && (r.StatusCode == http.StatusOK || r.StatusCode == http.StatusBadRequest) {
		err = json.Unmarshal(text, &a)
	}
	return a, r.StatusCode, err
}
