// Package withdrawal takes the events of a source back, and confirms that a ticket whose opening was taken back never
// was, both for an operator and through the intake that every event passes.
//
// Nothing is deleted: a withdrawal is an event beside the one that it voids. It holds the id of the key that asked for
// it, as its agent.
package withdrawal

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/source/importer"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/store/lookup"
)

// Service withdraws and confirms. All fields are required.
type Service struct {
	Stored interface {
		SourceEvents(ctx context.Context, center, source string, since, until time.Time, after event.Key) (
			[]store.SourceEvent, *event.Key, error)
	}
	Find   func(ctx context.Context, kind event.Kind, center, id string) ([]lookup.Case, error)
	Submit func(ctx context.Context, events ...event.RawEvent) (event.Receipt, error)
	// Forget makes the service's own imports of a source look at what it holds. It is called before anything of a centre
	// is withdrawn, and fails while such an import runs.
	Forget func(center, source string) error
	Now    func() time.Time
}

// Query chooses the events of a source that stand and happened since <= t < until; zero times are no bounds.
type Query struct {
	Center, Source string // of all centres when Center is empty
	Since, Until   time.Time
	After          event.Key // the last case of the portion before; the zero key begins
}

// Page is a portion of what a Query chooses; Next is nil in the last one.
type Page struct {
	Events []store.SourceEvent
	Next   *event.Key
}

// Done says what became of the events of a page.
type Done struct {
	Page
	Withdrawn, Already int
	Rejected           []event.Refusal // Index is the place in Page.Events
}

// RefusedError says why a request cannot be done, in words for whoever asked.
type RefusedError struct {
	Reason string
	Wait   bool // it can be done later
}

func (e *RefusedError) Error() string { return e.Reason }

// List returns a portion of what q chooses.
func (s *Service) List(ctx context.Context, q Query) (p Page, err error) {
	if q.Source == "" {
		return p, &RefusedError{Reason: "Name a source."}
	}
	p.Events, p.Next, err = s.Stored.SourceEvents(ctx, q.Center, q.Source, q.Since, q.Until, q.After)
	if err != nil {
		err = &store.UnavailableError{Reason: "ClickHouse does not answer now.", Err: err}
	}
	return p, err
}

// Withdraw takes a portion of what q chooses back; by is the id of the key that asks for it, empty where none exists.
// The same portion again withdraws nothing.
func (s *Service) Withdraw(ctx context.Context, q Query, by string) (d Done, err error) {
	if q.Source == casefile.ConfirmSource {
		return d, &RefusedError{Reason: "A confirmation is not taken back: what is true after all is sent anew."}
	}
	if d.Page, err = s.List(ctx, q); err != nil || len(d.Events) == 0 {
		return d, err
	}
	events := make([]event.RawEvent, len(d.Events))
	center := ""
	for i, e := range d.Events {
		if e.Case.Center != center {
			center = e.Case.Center
			if err := s.Forget(center, q.Source); err != nil {
				return d, &RefusedError{Reason: fmt.Sprintf("The service's own imports: %s.", err), Wait: true}
			}
		}
		w := event.RawEvent{
			Source: q.Source, Type: event.EventWithdrawn, Kind: e.Case.Kind, Subject: e.Case.ID, Center: center, Time: e.At,
			Replaces: e.ID, Agent: agent(by),
		}
		w.ID, w.Revision = importer.WithdrawalID(e.ID)
		events[i] = w
	}
	d.Withdrawn, d.Already, d.Rejected, err = s.submit(ctx, events)
	return d, err
}

// agent is how an event names the key that caused it.
func agent(key string) string {
	if key == "" {
		return ""
	}
	return "key-" + key
}

// submit sends withdrawals. A conflict is one that came before: from an import, or for another key.
func (s *Service) submit(ctx context.Context, events []event.RawEvent) (taken, already int, rejected []event.Refusal,
	err error) {
	receipt, err := s.Submit(ctx, events...)
	if err != nil {
		return 0, 0, nil, err
	}
	rejected = slices.DeleteFunc(receipt.Rejected, func(r event.Refusal) bool { return r.Reason == event.Conflict })
	return receipt.Accepted, receipt.Duplicates + len(receipt.Rejected) - len(rejected), rejected, nil
}

// ErrNotFound says that there is no such ticket.
var ErrNotFound = errors.New("no such ticket")

// Confirmed is a ticket after a confirmation.
type Confirmed struct {
	Center, Ticket string
	Openings       int // withdrawn openings that were confirmed now; 0: all were before, or the ticket has none
	Listed         bool
}

// Confirm confirms that a ticket whose every opening was withdrawn never was. by is as for Withdraw. A ticket with an
// opening that stands is refused; one that was confirmed before stays as it is.
func (s *Service) Confirm(ctx context.Context, center, ticket, by string) (c Confirmed, err error) {
	if ticket == "" {
		return c, &RefusedError{Reason: "Name a ticket."}
	}
	found, err := s.Find(ctx, event.KindTicket, center, ticket)
	if err != nil {
		return c, err
	}
	found = slices.DeleteFunc(found, func(k lookup.Case) bool { return k.Row.Ticket == nil })
	switch len(found) {
	case 0:
		return c, ErrNotFound
	case 1:
	default:
		return c, &RefusedError{Reason: "Several centres have this ticket; name the centre."}
	}
	t := found[0].Row.Ticket
	c = Confirmed{Center: t.Key.Center, Ticket: t.Key.ID}
	if !t.Withdrawn {
		if c.Listed = t.Listed(); c.Listed {
			return c, &RefusedError{Reason: "No withdrawn opening of this ticket waits for a confirmation: it has an opening " +
				"that stands, or was spoken of after it was confirmed. Withdraw what is wrong first."}
		}
		return c, nil
	}
	var events []event.RawEvent
	for _, opening := range t.Openings {
		events = append(events, event.RawEvent{
			Source: casefile.ConfirmSource, ID: confirmationID(t.Key, opening), Type: event.EventWithdrawn,
			Kind:    event.KindTicket,
			Subject: t.Key.ID, Center: t.Key.Center, Time: s.Now(), Replaces: opening, Agent: agent(by),
		})
	}
	_, _, rejected, err := s.submit(ctx, events)
	if err == nil && len(rejected) > 0 {
		err = &RefusedError{Reason: fmt.Sprintf("The confirmation was not taken: %s.", &rejected[0])}
	}
	c.Openings = len(events)
	return c, err
}

// confirmationID is the same each time.
func confirmationID(of event.Key, opening string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{of.Center, of.ID, opening}, "\x00")))
	return "confirm-" + event.Letters(sum[:16])
}
