package event

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Form is how the body of a request holds events.
type Form uint8

// The forms that Decoder.Decode reads.
const (
	Structured Form = iota + 1 // application/cloudevents+json: one object
	BatchArray                 // application/cloudevents-batch+json: an array of objects
	NDJSON                     // application/x-ndjson: one object a line, blank lines ignored
)

// Config is what a Decoder needs to know.
type Config struct {
	Keys *Keys // required
	// keys of data beside the vocabulary that are kept; letters, digits and . _ -, at most MaxAttributes
	Attributes []string
	// regular expressions of ids that are no telephone numbers though they look like one; each must match the whole
	AllowIDs     []string
	AcceptTokens bool // accept callers that Decoder.Pseudonymise has replaced: for replays from the quarantine only
}

// Decoder turns CloudEvents 1.0 JSON into events, strictly: what is not understood is refused with its place and
// reason, never guessed. It is immutable and safe for concurrent use.
type Decoder struct {
	keys         *Keys
	attributes   map[string]string // each key to itself, so that an event's map shares the strings
	allowIDs     []*regexp.Regexp
	acceptTokens bool
	pool         sync.Pool
}

// NewDecoder checks c and returns a Decoder.
func NewDecoder(c Config) (*Decoder, error) {
	if c.Keys == nil {
		return nil, errors.New("event decoder: no keys")
	}
	d := &Decoder{keys: c.Keys, attributes: make(map[string]string), acceptTokens: c.AcceptTokens}
	for _, k := range c.Attributes {
		switch {
		case k == "" || len(k) > MaxKeyBytes || !shapeCode.fits(k):
			return nil, fmt.Errorf("attribute key %q: %s, at most %d bytes", k, shapeDetails[shapeCode], MaxKeyBytes)
		case slices.Contains(dataFields, Field(k)):
			return nil, fmt.Errorf("attribute key %q is a field of its own and always kept: leave it out", k)
		}
		d.attributes[k] = k
	}
	if len(d.attributes) > MaxAttributes {
		return nil, fmt.Errorf("%d attribute keys, at most %d are kept", len(d.attributes), MaxAttributes)
	}
	for _, p := range c.AllowIDs {
		re, err := regexp.Compile(`\A(?:` + p + `)\z`)
		if err != nil {
			return nil, fmt.Errorf("pattern of allowed ids %q: %w", p, err)
		}
		d.allowIDs = append(d.allowIDs, re)
	}
	d.pool.New = func() any {
		current := &c.Keys.caller[len(c.Keys.caller)-1]
		return &decodeState{
			d:         d,
			json:      jsontext.NewDecoder(new(bytes.Buffer)),
			digestMAC: hmac.New(sha256.New, c.Keys.digest[:]),
			callerMAC: hmac.New(sha256.New, current.secret[:]),
			keyID:     current.id,
		}
	}
	return d, nil
}

// Batch is what Decoder.Decode makes of one request. A Batch may be used again; Decode overwrites it.
type Batch struct {
	Events   []Event        // the accepted ones, in the order in which they came; ReceivedAt is now
	Index    []int          // position in the request of each of Events
	Refusals []Refusal      // the others, in the order in which they came
	Dropped  map[string]int // how often a key was left out, by name; at most MaxDropped names and OtherKey
}

func (b *Batch) drop(key string) {
	if b.Dropped == nil {
		b.Dropped = make(map[string]int)
	}
	if _, ok := b.Dropped[key]; !ok {
		if len(b.Dropped) >= MaxDropped || len(key) > MaxKeyBytes || !shapeListed.keeps(key, MaxKeyBytes) {
			key = OtherKey
		} else {
			key = strings.Clone(key)
		}
	}
	b.Dropped[key]++
}

// Decode reads body into b. Each event is decoded for itself: a refused one, be it broken JSON, takes none of its
// neighbours with it, as long as its end can be found; where it cannot (an unclosed string or bracket in a BatchArray,
// something between two elements), everything from there on is refused by one Refusal with Rest set. An NDJSON event
// ends with its line.
//
// now is when the request came: events more than MaxFutureSeconds after it are refused, and ReceivedAt is set to it.
// The events do not alias body; Refusal.Raw does. Decode returns ErrTooManyEvents, and leaves b empty, when body holds
// more than MaxBatchEvents events; a body's size is the caller's to limit.
func (d *Decoder) Decode(b *Batch, body []byte, form Form, now time.Time) error {
	b.Events, b.Index, b.Refusals = b.Events[:0], b.Index[:0], b.Refusals[:0]
	clear(b.Dropped)
	ds := d.pool.Get().(*decodeState)
	defer d.pool.Put(ds)
	frames, rest := ds.frames[:0], -1
	switch form {
	case Structured:
		p := skipSpace(body, 0)
		frames = append(frames, frame{p, len(body), depthOf(body)})
	case BatchArray:
		frames, rest = arrayFrames(frames, body, MaxBatchEvents)
	case NDJSON:
		frames = lineFrames(frames, body, MaxBatchEvents)
	default:
		return fmt.Errorf("event decoder: unknown form %d", form)
	}
	ds.frames = frames
	if len(frames) > MaxBatchEvents {
		return ErrTooManyEvents
	}
	if cap(b.Events) < len(frames) {
		b.Events = make([]Event, 0, len(frames))
	} else {
		clear(b.Events[:len(frames)])
	}
	b.Index = slices.Grow(b.Index, len(frames))
	received := now.UTC().Truncate(time.Millisecond)
	for i, f := range frames {
		b.Events = b.Events[:len(b.Events)+1]
		e := &b.Events[len(b.Events)-1]
		raw := body[f.start:f.end]
		if bad := ds.event(e, raw, f.depth, now, b); bad.reason != "" {
			b.Events = b.Events[:len(b.Events)-1]
			b.Refusals = append(b.Refusals, Refusal{
				Index: i, ID: strings.Clone(ds.e.ID), Source: strings.Clone(ds.e.Source),
				Field: Field(strings.Clone(string(bad.field))), Reason: bad.reason, Detail: bad.detail, Raw: raw,
			})
			*e = Event{}
			continue
		}
		e.ReceivedAt = received
		b.Index = append(b.Index, i)
	}
	if rest >= 0 {
		detail := "the batch could not be read from byte " + strconv.Itoa(rest) + " on; what came before it was"
		if len(frames) == 0 {
			detail = "a batch is a JSON array of events"
		}
		b.Refusals = append(b.Refusals, Refusal{
			Index: len(frames), Reason: MalformedJSON, Detail: detail, Rest: true, Raw: body[rest:],
		})
	}
	return nil
}
