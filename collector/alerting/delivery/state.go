package delivery

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/alerting/whatsapp"
)

// How long is waited for what.
const (
	// repeatWindow lies above the time for which Alertmanager tries to hand over (group_interval) and below the time after
	// which it notifies again (repeat_interval).
	repeatWindow = 30 * time.Minute
	// fallbackAfter is when the next channel takes its turn.
	fallbackAfter = 5 * time.Minute
	// giveUpAfter ends the attempts: Alertmanager's next round has begun by then.
	giveUpAfter = 4 * time.Hour
	// lastStatus is when WhatsApp has nearly always said what it will of a message.
	lastStatus = 24 * time.Hour
	// pairEvery is the least time between two messages to one person, a limit of WhatsApp.
	pairEvery = 6 * time.Second
	// probeEvery is how often a template that was refused as stopped is tried again.
	probeEvery = time.Hour

	firstPause = 5 * time.Second
	lastPause  = 5 * time.Minute

	maxEarly = 1000 // statuses that came before the record of their message
)

// Progress is how far one message has come. Times are zero where nothing is known.
type Progress struct {
	Address
	Tries       int
	SendingAt   time.Time // an attempt began, and its end is not recorded
	AcceptedAt  time.Time // the channel took it
	DeliveredAt time.Time
	ReadAt      time.Time
	FailedAt    time.Time // for good
	Code        int       // of the last refusal
	Twice       bool      // it may have been sent twice
	Moved       bool      // the chat has another number than the contacts say
	messageID   string
	notBefore   time.Time
}

// Reached reports whether the person has it, as far as the channel tells: a status of WhatsApp, the acceptance of
// others.
func (p *Progress) Reached() bool {
	return !p.DeliveredAt.IsZero() || p.Channel != WhatsApp && !p.AcceptedAt.IsZero()
}

// Delivery is a notice and what became of it.
type Delivery struct {
	Notice
	Parts    []Progress
	turns    []Channel // the channels that have begun
	turnAt   time.Time // when the last of them did
	revision int       // counts the news
}

// Reached reports whether somebody has it.
func (d *Delivery) Reached() bool {
	return slices.ContainsFunc(d.Parts, func(p Progress) bool { return p.Reached() })
}

// wanted reports whether a message is still to be sent: its channel has had its turn, and nothing ended it. After a
// later channel began, one that the earlier never took is left out: it would be a second message.
func (d *Delivery) wanted(p *Progress) bool {
	return p.AcceptedAt.IsZero() && p.FailedAt.IsZero() && p.Channel == d.turns[len(d.turns)-1]
}

// state is the fold of the journal's records. It has no clock and does no IO.
type state struct {
	notices map[string]*Delivery
	rounds  map[string]*Delivery // by key: its last round
	sentAs  map[string]part      // by the message id of WhatsApp
	early   map[string][]whatsapp.Status
	stopped map[string]time.Time // templates that must not be sent, since when
	chats   map[int64]int64      // Telegram groups that moved
	pair    map[string]time.Time
	dirty   map[string]bool // notices whose rows ClickHouse does not have

	// What follows from failures of this process alone; it is not recorded.
	accounts   map[Channel]time.Time // since when a channel refuses the account; not there: it works
	pauseUntil map[Channel]time.Time // nothing is sent before
	pause      map[Channel]time.Duration
	busy       map[string]time.Time // until when a chat takes no more; keys as of pair
}

func newState() *state {
	return &state{
		notices: map[string]*Delivery{}, rounds: map[string]*Delivery{}, sentAs: map[string]part{},
		early: map[string][]whatsapp.Status{}, stopped: map[string]time.Time{},
		chats: map[int64]int64{}, pair: map[string]time.Time{}, dirty: map[string]bool{},
		accounts: map[Channel]time.Time{}, pauseUntil: map[Channel]time.Time{}, pause: map[Channel]time.Duration{},
		busy: map[string]time.Time{},
	}
}

// apply adds a record. Records of notices that are no longer kept are left out.
func (s *state) apply(r *record) {
	switch {
	case r.Queued != nil:
		s.queue(r.Queued)
	case r.Template != nil:
		if r.Template.Stopped {
			s.stopped[r.Template.Name] = r.At
		} else {
			delete(s.stopped, r.Template.Name)
		}
	case r.Moved != nil:
		s.chats[r.Moved.From] = r.Moved.To
	case r.Dropped != nil:
		for _, id := range r.Dropped {
			s.drop(id)
		}
	case r.Status != nil:
		s.status(r.Status)
	case r.Next != nil:
		if d := s.notices[r.Next.Notice]; d != nil {
			d.turns, d.turnAt = append(d.turns, r.Next.Address.Channel), r.At
		}
	case r.Sending != nil:
		if d, p := s.find(*r.Sending); p != nil {
			p.Twice = p.Twice || !p.SendingAt.IsZero() // the one before has no end on record
			p.SendingAt, p.Tries = r.At, p.Tries+1
			s.touch(d)
		}
	case r.Accepted != nil:
		if d, p := s.find(r.Accepted.part); p != nil {
			p.SendingAt, p.AcceptedAt, p.Code = time.Time{}, r.At, 0
			s.touch(d)
			s.sent(d, p, r)
		}
	case r.Refused != nil:
		if d, p := s.find(r.Refused.part); p != nil {
			p.Code, p.Moved = r.Refused.Code, p.Moved || r.Refused.Moved
			if !r.Refused.Unsure {
				p.SendingAt = time.Time{}
			}
			if r.Refused.Final {
				p.FailedAt = r.At
			}
			s.touch(d)
		}
	}
}

func (s *state) queue(n *Notice) {
	d := &Delivery{Notice: *n, turns: n.channels()[:1], turnAt: n.At}
	for _, a := range n.To {
		d.Parts = append(d.Parts, Progress{Address: a})
	}
	s.notices[n.ID], s.rounds[n.Key], s.dirty[n.ID] = d, d, true
}

// sent notes what follows from an acceptance.
func (s *state) sent(d *Delivery, p *Progress, r *record) {
	s.pauseUntil[p.Channel], s.pause[p.Channel] = time.Time{}, 0
	delete(s.accounts, p.Channel)
	if p.Channel != WhatsApp {
		return
	}
	delete(s.stopped, d.Message.Template) // it was taken
	s.pair[pairOf(d, p)] = r.At
	if id := r.Accepted.MessageID; id != "" {
		p.messageID = id
		s.sentAs[id] = r.Accepted.part
		for _, early := range s.early[id] {
			s.status(&early)
		}
		delete(s.early, id)
	}
}

// status notes what WhatsApp says of a message, in whatever order it comes: the earliest time of each state counts.
func (s *state) status(in *whatsapp.Status) {
	d, p := s.find(s.sentAs[in.ID])
	if p == nil {
		if len(s.early) < maxEarly && len(s.early[in.ID]) < 4 {
			s.early[in.ID] = append(s.early[in.ID], *in)
		}
		return
	}
	set := func(t *time.Time) {
		if t.IsZero() || in.At.Before(*t) {
			*t = in.At
		}
	}
	switch in.State {
	case whatsapp.Read:
		set(&p.ReadAt)
		set(&p.DeliveredAt) // who reads it has it
	case whatsapp.Delivered:
		set(&p.DeliveredAt)
	case whatsapp.Failed:
		set(&p.FailedAt)
		p.Code = in.Code
	}
	s.touch(d)
}

// touch notes that a delivery has news for ClickHouse.
func (s *state) touch(d *Delivery) {
	d.revision++
	s.dirty[d.ID] = true
}

func (s *state) find(k part) (*Delivery, *Progress) {
	d := s.notices[k.Notice]
	if d == nil {
		return nil, nil
	}
	for i := range d.Parts {
		if d.Parts[i].Address == k.Address {
			return d, &d.Parts[i]
		}
	}
	return d, nil
}

// known returns the round that a notice of this key belongs to: the id of the delivery when it is a repetition.
func (s *state) known(key string, now time.Time) (repeated *Delivery, round int) {
	d := s.rounds[key]
	switch {
	case d == nil:
		return nil, 1
	case now.Sub(d.At).Abs() < repeatWindow:
		return d, d.Round
	default:
		return nil, d.Round + 1
	}
}

// todo is what is to be done at now, emergencies and older ones first, and when to look again at the latest.
type todo struct {
	next    []part // channels whose turn it is
	send    []part
	expired []part // too old to be sent
	at      time.Time
}

func (s *state) todo(now time.Time) todo {
	out := todo{at: now.Add(time.Minute)}
	later := func(t time.Time) {
		if t.After(now) && t.Before(out.at) {
			out.at = t
		}
	}
	for _, d := range s.open() {
		if now.Sub(d.At) > giveUpAfter {
			for i := range d.Parts {
				if d.wanted(&d.Parts[i]) {
					out.expired = append(out.expired, part{d.ID, d.Parts[i].Address})
				}
			}
			continue
		}
		if next, ok := d.nextChannel(now, s.hopeless(d, now)); ok {
			out.next = append(out.next, part{d.ID, Address{Channel: next}})
			continue
		}
		later(d.turnAt.Add(fallbackAfter))
		for i := range d.Parts {
			p := &d.Parts[i]
			if !d.wanted(p) {
				continue
			}
			if at := s.earliest(d, p); at.After(now) {
				later(at)
			} else {
				out.send = append(out.send, part{d.ID, p.Address})
			}
		}
	}
	// A person whose messages fail must not stand before others for ever.
	slices.SortStableFunc(out.send, func(a, b part) int {
		x, p := s.find(a)
		y, q := s.find(b)
		return cmp.Or(urgentFirst(x, y), cmp.Compare(p.Tries, q.Tries))
	})
	return out
}

// open returns the notices of which something may be left to do, emergencies first, then by age.
func (s *state) open() (out []*Delivery) {
	for _, d := range s.notices {
		if !d.done() {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b *Delivery) int {
		return cmp.Or(urgentFirst(a, b), byAge(a, b))
	})
	return out
}

// done reports whether nothing is left to do: no message is to be sent, and no channel can take its turn.
func (d *Delivery) done() bool {
	return (d.Reached() || len(d.turns) == len(d.channels())) &&
		!slices.ContainsFunc(d.Parts, func(p Progress) bool { return d.wanted(&p) })
}

func urgentFirst(a, b *Delivery) int {
	switch {
	case a.Urgent == b.Urgent:
		return 0
	case a.Urgent:
		return -1
	default:
		return 1
	}
}

// earliest is when a message may be tried.
func (s *state) earliest(d *Delivery, p *Progress) time.Time {
	at := latest(p.notBefore, s.pauseUntil[p.Channel])
	if p.Channel != WhatsApp {
		return latest(at, s.busy[pairOf(d, p)])
	}
	if last := s.pair[pairOf(d, p)]; !last.IsZero() {
		at = latest(at, last.Add(pairEvery))
	}
	if since, stopped := s.stopped[d.Message.Template]; stopped {
		at = latest(at, since.Add(probeEvery))
	}
	return at
}

// hopeless reports whether the channel that has its turn cannot send the notice for now, so that it is not waited for.
func (s *state) hopeless(d *Delivery, now time.Time) bool {
	since, stopped := s.stopped[d.Message.Template]
	return d.turns[len(d.turns)-1] == WhatsApp && stopped && now.Before(since.Add(probeEvery))
}

// nextChannel says whether another channel takes its turn: everything on this one has failed, or nothing was delivered
// in time.
func (d *Delivery) nextChannel(now time.Time, hopeless bool) (Channel, bool) {
	all := d.channels()
	if d.Reached() || len(d.turns) == len(all) {
		return "", false
	}
	turn := d.turns[len(d.turns)-1]
	failed := !slices.ContainsFunc(d.Parts, func(p Progress) bool { return p.Channel == turn && p.FailedAt.IsZero() })
	if !failed && !hopeless && now.Sub(d.turnAt) < fallbackAfter {
		return "", false
	}
	return all[len(d.turns)], true
}

// pairOf is the key of a person or chat behind a receiver.
func pairOf(d *Delivery, p *Progress) string { return d.Receiver + "\x00" + p.Name }

// tooMany notes that a chat takes no more messages for now. That may be its own limit; a second one that says so within
// that time shows that it is the bot's, and the channel waits.
func (s *state) tooMany(d *Delivery, p *Progress, now time.Time, asked time.Duration) {
	maps.DeleteFunc(s.busy, func(_ string, until time.Time) bool { return !until.After(now) })
	s.busy[pairOf(d, p)] = now.Add(max(pairEvery<<min(p.Tries, 6), min(asked, giveUpAfter)))
	if len(s.busy) > 1 {
		s.backOff(p.Channel, now, asked)
	}
}

// backOff holds a channel back after a failure, longer each time, or as long as it asks for.
func (s *state) backOff(c Channel, now time.Time, asked time.Duration) {
	s.pause[c] = min(max(2*s.pause[c], firstPause), lastPause)
	s.pauseUntil[c] = now.Add(max(s.pause[c], min(asked, giveUpAfter)))
}

// forget lets go of what is older than before; it was stored.
func (s *state) forget(before time.Time) {
	for id, d := range s.notices {
		if d.At.Before(before) && !s.dirty[id] {
			s.drop(id)
		}
	}
}

func (s *state) drop(id string) {
	d := s.notices[id]
	if d == nil {
		return
	}
	delete(s.notices, id)
	delete(s.dirty, id)
	if s.rounds[d.Key] == d {
		delete(s.rounds, d.Key)
	}
	for _, p := range d.Parts {
		delete(s.sentAs, p.messageID)
	}
}

// settled returns at most limit notices, the oldest, that can be let go of before their time: they are stored, nothing
// is left to do or to be heard of them, and Alertmanager no longer repeats them.
func (s *state) settled(now time.Time, limit int) (ids []string) {
	var all []*Delivery
	for id, d := range s.notices {
		quiet := repeatWindow
		if slices.ContainsFunc(d.To, func(a Address) bool { return a.Channel == WhatsApp }) {
			quiet = lastStatus
		}
		if now.Sub(d.At) > quiet && !s.dirty[id] && d.over(now) {
			all = append(all, d)
		}
	}
	slices.SortFunc(all, byAge)
	for _, d := range all[:min(len(all), limit)] {
		ids = append(ids, d.ID)
	}
	return ids
}

// over reports whether nothing more is sent: all is done, or it is too late for what is not.
func (d *Delivery) over(now time.Time) bool {
	late := now.Sub(d.At) > giveUpAfter
	return d.done() || late && !slices.ContainsFunc(d.Parts, func(p Progress) bool { return d.wanted(&p) })
}

func byAge(a, b *Delivery) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) }

// forgetEarly lets go of statuses of before whose message nobody knows: they are of another sender, or of one
// forgotten.
func (s *state) forgetEarly(before time.Time) {
	for id, list := range s.early {
		if list[0].At.Before(before) {
			delete(s.early, id)
		}
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
