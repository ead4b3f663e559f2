package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/ingest/quarantine"
	"github.com/monev112/monev112/collector/observability/metrics"
	"github.com/monev112/monev112/collector/observability/telemetry"
	"github.com/monev112/monev112/collector/tracker"
)

// IntakeConfig is what an Intake works with. All of it is required but what may be nil.
type IntakeConfig struct {
	Events    event.Config // how events are decoded
	Directory *directory.Directory
	Board     *tracker.Board
	Rejected  *quarantine.Rejected
	Metrics   *metrics.Registry
	Exemplars *telemetry.Exemplars
	Links     *telemetry.LinkRing
	Tracer    trace.Tracer
	Now       func() time.Time
	Log       *slog.Logger
	// StoredDigests returns what ClickHouse holds under the source and id of each event, zero where nothing; it is false
	// when that cannot be told now, and bounds how long it takes. Nil tells nothing.
	StoredDigests func(ctx context.Context, events []*event.Event) ([]event.Digest, bool)
	// HeldBack reports whether a source has to wait until an operator has seen to its dead letters. Nil is never.
	HeldBack func(source string) bool
}

// HeldBackError says that the events of a source cannot be accepted for now, while those of others can: what it sent
// before waits as dead letters and takes the room that is left. It is an ErrBusy.
type HeldBackError struct{ Source string }

func (e *HeldBackError) Error() string {
	return fmt.Sprintf("dead letters of source %q take the room that is left on the disk", e.Source)
}

// Unwrap makes it an ErrBusy.
func (e *HeldBackError) Unwrap() error { return ErrBusy }

// Intake is the way in for the events of every source: it decodes them, resolves their names against the directory,
// submits them to the loop, and keeps and counts what is rejected. It is safe for concurrent use.
type Intake struct {
	cfg        IntakeConfig
	loop       *Loop
	decoder    *event.Decoder
	replay     *event.Decoder // also takes the tokens that the quarantine holds in the place of callers
	unresolved unresolved
}

// NewIntake returns the intake of a loop.
func NewIntake(cfg IntakeConfig, loop *Loop) (*Intake, error) {
	in := &Intake{cfg: cfg, loop: loop}
	var err error
	if in.decoder, err = event.NewDecoder(cfg.Events); err != nil {
		return nil, err
	}
	// A sender who could name callers by token could claim to be anybody.
	cfg.Events.AcceptTokens = true
	in.replay, err = event.NewDecoder(cfg.Events)
	return in, err
}

// Request is the body of one request.
type Request struct {
	Form event.Form
	Body []byte // not needed after Submit has returned
	// Source, unless empty, is the only source whose events the sender may send.
	Source string
	// Reserved are the sources that the sender may not send whatever Source says: the service's own.
	Reserved []string
	// What an API key allows of the events of the office (event.Kind.OfOffice).
	Office Office
	// By, unless empty, is who answers for the events, noted on each: the holder of the link that a page was opened with.
	// Such events name the centre, and an OPD as its ticket does: they stay in these words.
	By string
}

// Office says who sends events of the office.
type Office struct {
	Allowed bool   // the sender may send them
	Only    bool   // and no others
	By      string // name of the sender's key, noted on each; empty where nobody has to sign in
	Center  string // the only centre whose events the sender may write; empty is any
}

// refuse says why the sender may not send e, or is empty.
func (o *Office) refuse(e *event.Event) string {
	switch {
	case o.Only && (!e.Kind.OfOffice() || e.Type == event.EventWithdrawn):
		return "The API key writes recommendations, remarks and forms only: other events need the scope events:write."
	case e.Kind.OfOffice() && !o.Allowed:
		return "Recommendations, remarks and forms need an API key with the scope monev:write or admin."
	case e.Kind.OfOffice() && o.Center != "" && e.Center != o.Center:
		return "The API key is for another centre."
	}
	return ""
}

// Submit decodes the events of a request and returns when those that are accepted are on stable storage and on the
// board. It returns event.ErrTooManyEvents, or an error of Loop.Submit with nothing accepted, counted or kept: the
// sender repeats the whole request.
func (in *Intake) Submit(ctx context.Context, r Request) (event.Receipt, error) {
	now := in.cfg.Now()
	var b event.Batch
	if err := in.decoder.Decode(&b, r.Body, r.Form, now); err != nil {
		return event.Receipt{}, err
	}
	var foreign []event.Refusal
	events, index := make([]*event.Event, 0, len(b.Events)), make([]int, 0, len(b.Events)) // index: in the request
	for i := range b.Events {
		e := &b.Events[i]
		if e.Type == event.FeedHeartbeat && len(e.Carries) > 0 && e.Subject != e.Source {
			foreign = append(foreign, event.Refusal{
				Index: b.Index[i], ID: e.ID, Field: event.FieldSubject, Reason: event.WrongSubject,
				Detail: "A source says of itself alone what it carries: the subject is feed/ and the source.",
			})
			continue
		}
		if r.Source != "" && e.Source != r.Source {
			foreign = append(foreign, event.Refusal{
				Index: b.Index[i], ID: e.ID, Field: event.FieldSource, Reason: event.SourceNotAllowed,
				Detail: "The API key is for another source.",
			})
			continue
		}
		if slices.Contains(r.Reserved, e.Source) {
			foreign = append(foreign, event.Refusal{
				Index: b.Index[i], ID: e.ID, Field: event.FieldSource, Reason: event.SourceNotAllowed,
				Detail: "The source is reserved: the service itself sends it, or a key that has the scope admin too.",
			})
			continue
		}
		if r.By == "" {
			in.normalize(e)
		}
		if detail := r.Office.refuse(e); detail != "" {
			foreign = append(foreign, event.Refusal{
				Index: b.Index[i], ID: e.ID, Field: event.FieldType, Reason: event.TypeNotAllowed, Detail: detail,
			})
			continue
		}
		if e.Kind.OfOffice() {
			e.ChangedBy = r.Office.By
			if refused := in.resolveScope(e); refused != nil {
				refused.Index, refused.ID = b.Index[i], e.ID
				foreign = append(foreign, *refused)
				continue
			}
		}
		if r.By != "" {
			e.ChangedBy = r.By
		}
		events, index = append(events, e), append(index, b.Index[i])
	}
	in.stamp(events)
	done, err := in.accept(ctx, events)
	if err != nil {
		return event.Receipt{}, err
	}
	rejected := slices.Concat(b.Refusals, foreign)
	for i := range rejected {
		rejected[i].Raw = nil // it aliases the body
		in.cfg.Metrics.CountRejected(string(rejected[i].Reason))
	}
	for key, n := range b.Dropped {
		in.cfg.Metrics.CountDroppedAttributes(key, n)
	}
	var conflicts, full []*event.Event
	for _, i := range done.full {
		full = append(full, events[i])
		in.cfg.Metrics.CountRejected(string(event.CaseFull))
		rejected = append(rejected, event.Refusal{
			Index: index[i], ID: events[i].ID, Field: event.FieldSubject, Reason: event.CaseFull,
			Detail: fullDetail,
		})
	}
	var reduced []event.Refusal
	for _, i := range done.reduced {
		in.cfg.Metrics.CountReduced()
		reduced = append(reduced, event.Refusal{
			Index: index[i], ID: events[i].ID, Field: event.FieldCalls, Reason: event.CaseFull, Detail: reducedDetail,
		})
	}
	for _, i := range done.conflicts {
		e := events[i]
		conflicts = append(conflicts, e)
		in.cfg.Metrics.CountConflicts(e.Source, metrics.BeforeAcceptance, 1)
		rejected = append(rejected, event.Refusal{
			Index: index[i], ID: e.ID, Field: event.FieldID, Reason: event.Conflict,
			Detail: "An event of this source and id was accepted before with other content; " +
				"a correction needs an id of its own and names this one in replaces.",
		})
	}
	if err := errors.Join(in.cfg.Rejected.AddRefusals(in.decoder, b.Refusals, now),
		in.cfg.Rejected.AddEvents(conflicts, event.FieldID, event.Conflict, now),
		in.cfg.Rejected.AddEvents(full, event.FieldSubject, event.CaseFull, now)); err != nil {
		in.cfg.Log.Warn("rejected events not kept", "error", err)
	}
	slices.SortStableFunc(rejected, func(x, y event.Refusal) int { return x.Index - y.Index })
	return event.Receipt{
		Accepted: done.accepted, Duplicates: done.duplicates, Rejected: rejected, Reduced: reduced,
	}, nil
}

// stamp notes on the events that bring a call or a ticket what their source carries, so that a case is a set of events
// and nothing else. What a request itself says of its source counts for all of it, wherever it stands in it. The digest
// does not cover the note: sent again, the event is the same.
func (in *Intake) stamp(events []*event.Event) {
	said := map[event.Key][]*event.Event{}
	for _, e := range events {
		if e.Type == event.FeedHeartbeat && len(e.Carries) > 0 {
			said[e.Key()] = append(said[e.Key()], e)
		}
	}
	for _, e := range events {
		switch e.Type {
		case event.CallReceived, event.CallQueued, event.TicketOpened, event.TicketAssigned:
		default:
			continue
		}
		if len(e.Carries) > 0 {
			continue
		}
		e.Carries = in.cfg.Board.Carries(e.Center, e.Source, e.OccurredAt)
		var since time.Time
		for _, s := range said[event.Key{Center: e.Center, Kind: event.KindFeed, ID: e.Source}] {
			if !s.OccurredAt.After(e.OccurredAt) && !s.OccurredAt.Before(since) {
				since, e.Carries = s.OccurredAt, s.Carries
			}
		}
	}
}

// normalize puts an event into the directory's words, and notes what a person has to look at.
func (in *Intake) normalize(e *event.Event) {
	in.unresolved.add(in.cfg.Directory.Normalize(e))
	for _, f := range e.Blanked {
		in.cfg.Metrics.CountBlanked(f)
	}
}

// resolveScope puts the scope of a recommendation into the directory's words: a name that it does not know would be
// measured as nothing.
func (in *Intake) resolveScope(e *event.Event) *event.Refusal {
	d := in.cfg.Directory
	if _, known := d.Center(e.Center); !known {
		return nil
	}
	for _, part := range [...]struct {
		name, what string
		resolve    func(center, name string) (string, bool)
	}{
		{event.RecordOPD, "OPD", d.ResolveOPD}, {event.RecordCategory, "category", d.ResolveCategory},
		{event.RecordKecamatan, "kecamatan", d.ResolveKecamatan},
	} {
		name := e.Record[part.name]
		if name == "" {
			continue
		}
		id, known := part.resolve(e.Center, name)
		if !known {
			return &event.Refusal{
				Field: event.FieldRecord + "." + event.Field(part.name), Reason: event.UnknownCode,
				Detail: "The directory of the centre has no such " + part.what + ".",
			}
		}
		e.Record[part.name] = id
	}
	return nil
}

// What senders are told at the bounds of a case.
const (
	fullDetail = "The call or ticket has as many events as it can hold; it is flagged case_full. " +
		"Use an id of its own for every call and ticket."
	reducedDetail = "The event is accepted without some of its calls: " +
		"the ticket names as many as it can hold, or as many tickets name the call."
)

// SubmitDrafts is Submit for events that were made in this process; none of the office is among them.
func (in *Intake) SubmitDrafts(ctx context.Context, drafts ...event.RawEvent) (event.Receipt, error) {
	return in.SubmitOffice(ctx, Office{}, drafts...)
}

// SubmitOffice is SubmitDrafts for what people write on a page.
func (in *Intake) SubmitOffice(ctx context.Context, o Office, drafts ...event.RawEvent) (event.Receipt, error) {
	return in.Submit(ctx, Request{Form: event.NDJSON, Body: bodyOf(drafts), Office: o})
}

// SubmitBy is SubmitDrafts for what somebody records of a ticket on a page.
func (in *Intake) SubmitBy(ctx context.Context, by string, drafts ...event.RawEvent) (event.Receipt, error) {
	return in.Submit(ctx, Request{Form: event.NDJSON, Body: bodyOf(drafts), By: by})
}

func bodyOf(drafts []event.RawEvent) (body []byte) {
	for i := range drafts {
		body = append(drafts[i].AppendCloudEvent(body), '\n')
	}
	return body
}

// Retry submits a rejected event once more, in the form in which the quarantine keeps it. The error wraps
// quarantine.ErrLater when nothing can be accepted now, and is an *event.Refusal when the event is rejected again.
func (in *Intake) Retry(ctx context.Context, text []byte) error {
	var b event.Batch
	if err := in.replay.Decode(&b, text, event.Structured, in.cfg.Now()); err != nil {
		return err
	}
	if len(b.Refusals) > 0 {
		return &b.Refusals[0]
	}
	e := &b.Events[0]
	in.normalize(e)
	in.stamp([]*event.Event{e})
	done, err := in.accept(ctx, []*event.Event{e})
	switch {
	case errors.Is(err, ErrBusy), errors.Is(err, ErrUnavailable), ctx.Err() != nil:
		return fmt.Errorf("%w: %w", quarantine.ErrLater, errors.Join(err, ctx.Err()))
	case err != nil:
		return err
	case len(done.conflicts) > 0:
		return &event.Refusal{
			Field: event.FieldID, Reason: event.Conflict,
			Detail: "the same source and id was accepted before with other content",
		}
	case len(done.full) > 0:
		return &event.Refusal{Field: event.FieldSubject, Reason: event.CaseFull, Detail: fullDetail}
	}
	return nil
}

// accepted says what became of the events of one call of accept.
type accepted struct {
	accepted, duplicates int
	// positions in events, ascending
	conflicts, full, reduced []int
}

// accept puts events into the journal, unless they are known: the board remembers an event for as long as its case is
// in memory, the loop for a bounded time but also of cases that were evicted, and ClickHouse is asked for what happened
// before that time.
func (in *Intake) accept(ctx context.Context, events []*event.Event) (accepted, error) {
	var out accepted
	if len(events) == 0 {
		return out, nil
	}
	if in.cfg.Board.Full() {
		return out, fmt.Errorf("%w: the board is full until ClickHouse takes cases over", ErrBusy)
	}
	if err := in.heldBack(events); err != nil {
		return out, err
	}
	verdicts := in.cfg.Board.Recognize(events)
	verdicts = in.recognizeStored(ctx, events, verdicts)
	unknown, position := events, []int(nil) // position in events of each of unknown; nil: the same
	if verdicts != nil {
		unknown = make([]*event.Event, 0, len(events))
		for i, e := range events {
			switch verdicts[i] {
			case tracker.Duplicate:
				out.duplicates++
			case tracker.Conflict:
				out.conflicts = append(out.conflicts, i)
			default:
				unknown, position = append(unknown, e), append(position, i)
			}
		}
	}
	ctx, span := in.cfg.Tracer.Start(ctx, "append to the journal",
		trace.WithAttributes(attribute.Int("monev112.events", len(unknown))))
	defer span.End()
	defer in.cfg.Exemplars.Begin(span.SpanContext(), unknown)()
	r, err := in.loop.Submit(ctx, unknown)
	if err != nil {
		return accepted{}, err
	}
	// The loop counts what it found out itself.
	in.cfg.Metrics.CountEvents(metrics.Duplicate, out.duplicates)
	in.cfg.Metrics.CountEvents(metrics.Conflict, len(out.conflicts))
	out.accepted = r.Accepted
	out.duplicates += r.Duplicates
	backfilled := 0
	for i, status := range r.Statuses {
		at := i
		if position != nil {
			at = position[i]
		}
		switch status {
		case Conflict:
			out.conflicts = append(out.conflicts, at)
		case Full:
			out.full = append(out.full, at)
		case Reduced:
			out.reduced = append(out.reduced, at)
		}
		if (status == Accepted || status == Reduced) &&
			unknown[i].ReceivedAt.Sub(unknown[i].OccurredAt) > tracker.LiveWindow {
			backfilled++
		}
	}
	slices.Sort(out.conflicts)
	in.cfg.Metrics.CountEvents(metrics.Backfilled, backfilled)
	if r.Accepted > 0 && span.SpanContext().IsSampled() {
		in.cfg.Links.Add(ctx, uint64(in.loop.jrn.End()))
	}
	return out, nil
}

// heldBack refuses a request with events of a source that has to wait. Nothing of it is taken: a refusal of single
// events would be final.
func (in *Intake) heldBack(events []*event.Event) error {
	if in.cfg.HeldBack == nil {
		return nil
	}
	last := ""
	for _, e := range events {
		if e.Source != last && in.cfg.HeldBack(e.Source) {
			in.cfg.Metrics.CountHeldBack(e.Source)
			return &HeldBackError{e.Source}
		}
		last = e.Source
	}
	return nil
}

// recognizeStored adds to verdicts, which may be nil, what ClickHouse knows of events that happened before the loop's
// memory reaches. Live events are never asked for.
func (in *Intake) recognizeStored(ctx context.Context, events []*event.Event,
	verdicts []tracker.Verdict) []tracker.Verdict {
	if in.cfg.StoredDigests == nil {
		return verdicts
	}
	var old []*event.Event
	var position []int // in events of each of old
	for i, e := range events {
		if e.ReceivedAt.Sub(e.OccurredAt) > in.loop.cfg.SeenFor && (verdicts == nil || verdicts[i] == tracker.NewEvent) {
			old, position = append(old, e), append(position, i)
		}
	}
	if len(old) > 0 {
		unproven := in.cfg.Board.Unproven(old)
		for n, i := range unproven {
			old[n], position[n] = old[i], position[i]
		}
		old, position = old[:len(unproven)], position[:len(unproven)]
	}
	if len(old) == 0 {
		return verdicts
	}
	digests, ok := in.cfg.StoredDigests(ctx, old)
	if !ok {
		return verdicts
	}
	if verdicts == nil {
		verdicts = make([]tracker.Verdict, len(events))
	}
	for j, i := range position {
		switch digests[j] {
		case event.Digest{}:
		case old[j].Digest:
			verdicts[i] = tracker.Duplicate
		default:
			verdicts[i] = tracker.Conflict
		}
	}
	return verdicts
}
