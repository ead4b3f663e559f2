package delivery

import (
	"slices"
	"time"

	"github.com/monev112/monev112/collector/alerting/whatsapp"
)

// Channel is a way to a person.
type Channel string

// The channels, in the order in which they take their turn.
const (
	WhatsApp Channel = "whatsapp"
	Telegram Channel = "telegram"
	Email    Channel = "email"
)

// String is how people write the channel.
func (c Channel) String() string {
	switch c {
	case WhatsApp:
		return "WhatsApp"
	case Telegram:
		return "Telegram"
	}
	return "e-mail"
}

// Notice is one notification to the people behind one receiver.
type Notice struct {
	ID       string           `json:"id"`    // 32 hexadecimal digits
	Key      string           `json:"key"`   // the same for all rounds
	Round    int              `json:"round"` // from 1
	At       time.Time        `json:"at"`    // when Alertmanager handed it over
	Receiver string           `json:"receiver"`
	Center   string           `json:"center"`
	OPD      string           `json:"opd,omitzero"`
	Kind     string           `json:"kind"` // ticket, digest, report, test
	Level    string           `json:"level,omitzero"`
	Urgent   bool             `json:"urgent,omitzero"` // the other ways are used by Alertmanager at once
	Alerts   []Alert          `json:"alerts"`
	Message  whatsapp.Message `json:"message"`
	Link     string           `json:"link,omitzero"`  // the page, for ways without a button
	Lines    []string         `json:"lines,omitzero"` // of single tickets, for ways that take free text
	To       []Address        `json:"to"`
}

// Alert is one alert of a notice.
type Alert struct {
	Name        string    `json:"name"`
	Ticket      string    `json:"ticket,omitzero"`
	Fingerprint string    `json:"fingerprint"`
	Status      string    `json:"status"`
	Priority    string    `json:"priority,omitzero"`
	StartsAt    time.Time `json:"starts_at"`
	EndsAt      time.Time `json:"ends_at,omitzero"`
	LateSince   time.Time `json:"late_since,omitzero"` // of a late ticket: when its clock was due
}

// Address is a person on a channel, by name.
type Address struct {
	Channel Channel `json:"channel"`
	Name    string  `json:"name"`
}

// record is one fact about the outbox. Exactly one of its facts is set.
type record struct {
	At       time.Time                `json:"at"`
	Queued   *Notice                  `json:"queued,omitzero"`
	Sending  *part                    `json:"sending,omitzero"`
	Accepted *accepted                `json:"accepted,omitzero"`
	Refused  *refused                 `json:"refused,omitzero"`
	Status   *whatsapp.Status         `json:"status,omitzero"`
	Next     *part                    `json:"next,omitzero"` // the channel whose turn it is now; Address is not used
	Template *whatsapp.TemplateStatus `json:"template,omitzero"`
	Moved    *moved                   `json:"moved,omitzero"`
	Dropped  []string                 `json:"dropped,omitzero"` // ids of notices that made room for newer ones
}

// part is one message: a notice to one address.
type part struct {
	Notice  string  `json:"notice"`
	Address Address `json:"address"`
}

type accepted struct {
	part
	MessageID string `json:"message_id,omitzero"` // of WhatsApp
}

type refused struct {
	part
	Code  int  `json:"code,omitzero"`
	Final bool `json:"final"` // no further attempt is made
	// Unsure: no answer came, so that it may have arrived.
	Unsure bool `json:"unsure,omitzero"`
	Moved  bool `json:"moved,omitzero"` // the chat has another number, under which it is tried again
}

// moved says that a Telegram group became a supergroup, with another number.
type moved struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// channels of a notice, in their order.
func (n *Notice) channels() (out []Channel) {
	for _, c := range []Channel{WhatsApp, Telegram, Email} {
		if slices.ContainsFunc(n.To, func(a Address) bool { return a.Channel == c }) {
			out = append(out, c)
		}
	}
	return out
}
