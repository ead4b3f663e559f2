package delivery

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/alerting/whatsapp"
	"github.com/monev112/monev112/collector/internal/faultpoint"
)

// Refusal is what Telegram or a mail server says against a message.
type Refusal struct {
	Code  int
	After time.Duration // after which to come back; 0: it does not say
	Final bool          // another attempt changes nothing
	// Account: all messages of the channel are refused until a person acts.
	Account bool
	// Chat became a supergroup, with the number Moved; 0: it did not.
	Chat, Moved int64
	// Why says for the log what is wrong on this side, without a secret; empty: the code says it.
	Why string
}

func (r *Refusal) Error() string { return "refused" }

// errGone says that the contacts no longer have an address.
var errGone = &Refusal{Final: true}

const (
	sendTimeout = 15 * time.Second // of one attempt
	maxMoves    = 8                // of one chat that are followed
)

// step does all that is due and returns when to come back at the latest.
func (o *Outbox) step(ctx context.Context) time.Time {
	for ctx.Err() == nil {
		o.mu.Lock()
		now := o.now()
		work := o.state.todo(now)
		var records []record
		for i := range work.next {
			records = append(records, record{At: now, Next: &work.next[i]})
		}
		for _, p := range work.expired {
			records = append(records, record{At: now, Refused: &refused{part: p, Final: true}})
		}
		var err error
		if len(records) > 0 {
			err = o.keep(records...)
		}
		o.mu.Unlock()
		if err != nil {
			o.log.Error("the outbox cannot be written", "error", err)
			return now.Add(lastPause)
		}
		if len(records) > 0 {
			continue // what follows from them
		}
		if len(work.send) == 0 {
			return work.at
		}
		if err := o.attempt(ctx, work.send[0]); err != nil {
			o.log.Error("the outbox cannot be written", "error", err)
			return now.Add(lastPause)
		}
	}
	return o.now()
}

// attempt tries one message. Its error is that of the journal.
func (o *Outbox) attempt(ctx context.Context, p part) error {
	o.mu.Lock()
	d := o.state.notices[p.Notice].clone()
	err := o.keep(record{At: o.now(), Sending: &p})
	o.mu.Unlock()
	if err != nil {
		return err
	}
	faultpoint.Hit("delivery.sending")
	id, err := o.hand(ctx, &d, p.Address)
	faultpoint.Hit("delivery.sent")

	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now()
	if err == nil {
		if err := o.keep(record{At: now, Accepted: &accepted{p, id}}); err != nil {
			return err
		}
		faultpoint.Hit("delivery.recorded")
		o.cfg.Observe.Message(string(p.Address.Channel), "accepted")
		return nil
	}
	if ctx.Err() != nil {
		return nil // the attempt stays open: it may have arrived
	}
	return o.keep(o.refusal(&d, p, err, now)...)
}

// hand gives a message to its channel.
func (o *Outbox) hand(ctx context.Context, d *Delivery, to Address) (id string, err error) {
	contacts, err := o.cfg.Contacts()
	if err != nil {
		return "", err
	}
	who, ok := contacts.Recipient(d.Receiver)
	if !ok {
		return "", errGone
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	i, send, ways := slices.Index(names(to.Channel, &who.Channels), to.Name), o.cfg.Senders, &who.Channels
	switch {
	case i < 0:
	case to.Channel == WhatsApp && send.WhatsApp != nil:
		return send.WhatsApp(ctx, ways.WhatsApp[i], d.Message)
	case to.Channel == Telegram && send.Telegram != nil:
		return "", send.Telegram(ctx, ways.Telegram[i], o.moved, d.markup())
	case to.Channel == Email && send.Email != nil:
		return "", send.Email(ctx, ways.Email[i], d.subject(), d.text())
	}
	return "", errGone
}

// refusal turns an error into what is recorded, and holds back what it stands in the way of.
func (o *Outbox) refusal(d *Delivery, p part, err error, now time.Time) []record {
	s := o.state
	out := refused{part: p}
	var records []record
	_, progress := s.find(p)
	var api *whatsapp.Error
	var other *Refusal
	switch {
	case errors.As(err, &api):
		out.Code = api.Code
		switch api.Scope() {
		case whatsapp.ThisMessage:
			out.Final = true
		case whatsapp.Recipient:
			progress.notBefore = now.Add(max(pairEvery<<min(progress.Tries, 6), api.After))
		case whatsapp.ThisTemplate:
			records = append(records,
				record{At: now, Template: &whatsapp.TemplateStatus{Name: d.Message.Template, Stopped: true}})
		case whatsapp.Account:
			s.accounts[WhatsApp] = now
			s.backOff(WhatsApp, now, max(api.After, lastPause))
		default:
			s.backOff(WhatsApp, now, api.After)
		}
	case errors.As(err, &other) && other.Moved != 0:
		out.Code, out.Moved = other.Code, true
		if progress.Tries > 1 { // it moves on and on
			progress.notBefore = now.Add(pairEvery << min(progress.Tries, 6))
		}
		records = append(records, record{At: now, Moved: &moved{other.Chat, other.Moved}})
		o.log.Warn("a telegram group has a new number: write it into the contacts", "receiver", d.Receiver, "chat",
			p.Address.Name, "chat_id", other.Moved)
	case errors.As(err, &other):
		out.Code, out.Final = other.Code, other.Final
		switch {
		case other.Account:
			s.accounts[p.Address.Channel] = now
			s.backOff(p.Address.Channel, now, max(other.After, lastPause))
		case other.Code == http.StatusTooManyRequests && p.Address.Channel == Telegram:
			s.tooMany(d, progress, now, other.After)
		case !other.Final:
			s.backOff(p.Address.Channel, now, other.After)
		}
	default:
		out.Unsure = true
		s.backOff(p.Address.Channel, now, 0)
	}
	if out.Final {
		o.cfg.Observe.Message(string(p.Address.Channel), "failed")
	}
	var text string // of neither a number; what other errors hold is not known
	switch {
	case api != nil:
		text = api.Error()
	case other != nil && other.Why != "":
		text = other.Why
	case other != nil && p.Address.Channel == Telegram:
		text = TelegramMeaning(other.Code)
	}
	o.log.Warn("a message was not taken", "channel", p.Address.Channel, "receiver", d.Receiver, "code", out.Code,
		"final", out.Final, "reason", text)
	return append(records, record{At: now, Refused: &out})
}

// moved returns the number that a Telegram chat has now.
func (o *Outbox) moved(chat int64) int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	for range maxMoves {
		now, ok := o.state.chats[chat]
		if !ok {
			break
		}
		chat = now
	}
	return chat
}
