package delivery

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/monev112/monev112/collector/alerting/routing"
	"github.com/monev112/monev112/collector/alerting/whatsapp"
	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/observability/metrics"
	"github.com/monev112/monev112/collector/store"
)

// FolderName is the name of the outbox's folder in the data folder.
const FolderName = "outbox"

// Bounds of the outbox.
const (
	segmentBytes = 4 << 20
	keepFor      = 8 * 24 * time.Hour // statuses come up to a week later
	keepEarly    = time.Hour          // a status whose message is not known
	maxNotices   = 20_000             // in memory
	maxUrgent    = 5_000              // emergencies beyond them
	roomFor      = maxNotices / 20    // how many notices room is made for at once
	shipEvery    = time.Second
	maxShipped   = 20_000 // rows of one insert, unless one notice has more
)

// Errors of Add.
var (
	// ErrUnavailable says that nothing can be kept now: the disk is full or fails, or the outbox is. Alertmanager sends
	// again.
	ErrUnavailable = errors.New("the notification cannot be kept now")
	// ErrReceiver says that nobody stands behind a receiver: the contacts changed since Alertmanager's configuration was
	// written.
	ErrReceiver = errors.New("no contact that the service sends to stands behind this receiver: write Alertmanager's " +
		"configuration again")
	// ErrCenter says that a receiver is of another centre than who asks may see.
	ErrCenter = errors.New("the receiver is of another centre")
)

// Senders hand one message over; each may be nil where the configuration has none. An error is *Refusal where the
// channel refused; anything else is worth another attempt.
type Senders struct {
	WhatsApp func(ctx context.Context, to routing.Phone, m whatsapp.Message) (id string, err error)
	// moved returns the number that a chat has now; text is in Telegram's HTML.
	Telegram func(ctx context.Context, to routing.Chat, moved func(chat int64) int64, text string) error
	Email    func(ctx context.Context, to, subject, text string) error
}

// config is what an Outbox is made of. Every field but Log is required.
type config struct {
	Dir          string
	MinFreeBytes int64
	Contacts     func() (*routing.Contacts, error) // as they are now
	// nil without WhatsApp
	Signed        func(header string, body []byte) bool
	Verify        func(mode, token, challenge string) (answer string, ok bool)
	PhoneNumberID string    // Meta's id of the office's number
	PagesURL      string    // below which the pages lie, ending in a slash
	Takes         []Channel // with a section of their own
	Senders       Senders
	Observe       observer
	Now           func() time.Time
	Log           *slog.Logger
}

// observer is told of each message that came to a state: accepted, delivered, read or failed.
type observer interface{ Message(channel, state string) }

// Outbox is the durable outbox. It is safe for concurrent use.
type Outbox struct {
	cfg     config
	log     *slog.Logger
	journal *journal.Journal
	wake    chan struct{}

	mu    sync.Mutex // over state and append: what is known and what is durable move together
	state *state
}

// open opens the outbox and learns from its journal what is under way.
func open(cfg config) (*Outbox, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	o := &Outbox{
		cfg: cfg, log: cfg.Log.With("component", "delivery"), wake: make(chan struct{}, 1), state: newState(),
	}
	var err error
	o.journal, err = journal.Open(journal.Options{
		Dir: cfg.Dir, SegmentBytes: segmentBytes, MinFreeBytes: cfg.MinFreeBytes, Now: cfg.Now, Logger: o.log,
	})
	if err != nil {
		return nil, fmt.Errorf("outbox: %w", err)
	}
	if err := o.restore(); err != nil {
		_ = o.journal.Close()
		return nil, fmt.Errorf("outbox: %w", err)
	}
	return o, nil
}

func (o *Outbox) restore() error {
	r, err := o.journal.NewReader(o.journal.Stats().First)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		rec, ok, err := r.TryNext()
		if err != nil || !ok {
			return err
		}
		var in record
		if err := json.Unmarshal(rec.Payload, &in); err != nil {
			return fmt.Errorf("a record cannot be read: %w", err)
		}
		o.state.apply(&in)
	}
}

// Close closes the journal. It may be called twice. Without an Outbox it does nothing.
func (o *Outbox) Close() error {
	if o == nil {
		return nil
	}
	return o.journal.Close()
}

// keep makes records durable and applies them. The caller holds mu.
func (o *Outbox) keep(records ...record) error {
	payloads := make([][]byte, len(records))
	for i := range records {
		var err error
		if payloads[i], err = json.Marshal(&records[i]); err != nil {
			return fmt.Errorf("encode a record: %w", err)
		}
	}
	if _, _, err := o.journal.Append(payloads); err != nil {
		return err
	}
	for i := range records {
		o.state.apply(&records[i])
	}
	return nil
}

// Add takes a notification of Alertmanager and returns when it is durable; repeated says that it was taken before. With
// a centre it takes those to its people alone. Errors are ErrPayload, ErrReceiver, ErrCenter and ErrUnavailable.
func (o *Outbox) Add(center string, body []byte) (id string, repeated bool, err error) {
	contacts, err := o.cfg.Contacts()
	if err != nil {
		return "", false, errors.Join(ErrUnavailable, err)
	}
	n, err := decode(body, contacts, o.cfg.PagesURL)
	if err != nil {
		return "", false, err
	}
	if center != "" && n.Center != center {
		return "", false, ErrCenter
	}
	return o.add(n)
}

func (o *Outbox) add(n *Notice) (id string, repeated bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now()
	same, round := o.state.known(n.Key, now)
	if same != nil {
		return same.ID, true, nil
	}
	n.Round, n.At, n.ID = round, now, newID()
	records := []record{{At: now, Queued: n}}
	if kept := len(o.state.notices); kept >= maxNotices {
		dropped := o.state.settled(now, kept-maxNotices+roomFor)
		if kept -= len(dropped); kept >= maxNotices && (!n.Urgent || kept >= maxNotices+maxUrgent) {
			return "", false, fmt.Errorf("%w: %d notifications are kept, which is the limit", ErrUnavailable, kept)
		}
		if len(dropped) > 0 {
			records = append(records, record{At: now, Dropped: dropped})
		}
	}
	if err := o.keep(records...); err != nil {
		return "", false, errors.Join(ErrUnavailable, err)
	}
	o.nudge()
	return n.ID, false, nil
}

// Takes reports whether Alertmanager may hand over for a channel: the configuration has its section.
func (o *Outbox) Takes(by Channel) bool { return slices.Contains(o.cfg.Takes, by) }

// Test queues a test message by a channel to the person or chat of that name, of a centre or, where it is empty,
// wherever the contacts have it.
func (o *Outbox) Test(center string, by Channel, name string) (id string, err error) {
	contacts, err := o.cfg.Contacts()
	if err != nil {
		return "", err
	}
	receiver, to, ok := contacts.Find(center, func(c *routing.Channels) bool {
		return slices.Contains(names(by, c), name)
	})
	if !ok {
		return "", fmt.Errorf("%w: no contact with %s has the name %q", ErrReceiver, by, name)
	}
	now := o.now()
	t, _ := whatsapp.Named(whatsapp.TestMessage)
	m, err := t.Fill("", name, now.In(wib).Format("15.04")+" WIB")
	if err != nil {
		return "", err
	}
	id, _, err = o.add(&Notice{
		Key: "test " + newID(), Receiver: receiver, Center: to.Center, OPD: to.OPD, Kind: kindTest, Message: m,
		To: []Address{{by, name}},
	})
	return id, err
}

var wib = time.FixedZone("WIB", 7*3600)

// ErrSignature says that Meta did not sign a body.
var ErrSignature = errors.New("the signature is not Meta's")

// Verify answers Meta's question whether this address takes its webhooks.
func (o *Outbox) Verify(mode, token, challenge string) (answer string, ok bool) {
	if o.cfg.Verify == nil {
		return "", false
	}
	return o.cfg.Verify(mode, token, challenge)
}

// Webhook takes what Meta says, signed in the header X-Hub-Signature-256, and returns when it is durable. The errors
// are ErrSignature, whatsapp.ErrWebhook and ErrUnavailable.
func (o *Outbox) Webhook(signature string, body []byte) error {
	if o.cfg.Signed == nil || !o.cfg.Signed(signature, body) {
		return ErrSignature
	}
	u, err := whatsapp.ParseWebhook(body, o.cfg.PhoneNumberID)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now()
	var records []record
	for i := range u.Statuses {
		records = append(records, record{At: now, Status: &u.Statuses[i]})
	}
	for i := range u.Templates {
		records = append(records, record{At: now, Template: &u.Templates[i]})
		o.log.Warn("meta changed a template", "template", u.Templates[i].Name, "event", u.Templates[i].Event)
	}
	if len(records) == 0 {
		return nil
	}
	if err := o.keep(records...); err != nil {
		return errors.Join(ErrUnavailable, err)
	}
	for _, s := range u.Statuses {
		if s.State != whatsapp.Sent {
			o.cfg.Observe.Message(string(WhatsApp), string(s.State))
		}
	}
	o.nudge()
	return nil
}

// Find returns a delivery by its id; with a centre those to its people alone.
func (o *Outbox) Find(center, id string) (Delivery, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	d := o.state.notices[id]
	if d == nil || center != "" && d.Center != center {
		return Delivery{}, false
	}
	return d.clone(), true
}

func (d *Delivery) clone() Delivery {
	out := *d
	out.Parts = append([]Progress(nil), d.Parts...)
	return out
}

// health returns the state of the outbox at this instant.
func (o *Outbox) health() metrics.DeliveryState {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.state.health(o.now())
}

// Run sends what is to be sent and ships what became of it to insert, until ctx ends. Without an Outbox it does
// nothing.
func (o *Outbox) Run(ctx context.Context, insert func(context.Context, []store.Notification) error) {
	if o == nil {
		return
	}
	var done sync.WaitGroup
	done.Go(func() { o.ship(ctx, insert) })
	defer done.Wait()
	for ctx.Err() == nil {
		at := o.step(ctx)
		timer := time.NewTimer(max(at.Sub(o.cfg.Now()), 0))
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-o.wake:
		}
		timer.Stop()
	}
}

func (o *Outbox) nudge() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *Outbox) now() time.Time { return o.cfg.Now().UTC().Truncate(time.Millisecond) }

func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
