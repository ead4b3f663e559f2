package delivery

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/monev112/monev112/collector/alerting/routing"
	"github.com/monev112/monev112/collector/alerting/whatsapp"
)

// Bounds of a notification.
const (
	MaxBodyBytes = 4 << 20
	maxAlerts    = 500 // whose ids are kept; all are counted
	maxIDBytes   = 128
)

// Kinds of notifications.
const (
	kindTicket = "ticket"
	kindDigest = "digest"
	kindReport = "report"
	kindTest   = "test"
)

// ErrPayload says that a body is not a notification of tickets, a digest or a report from Alertmanager, version 4.
var ErrPayload = errors.New("not a notification of Alertmanager that goes by WhatsApp")

type payload struct {
	Version         string       `json:"version"`
	GroupKey        string       `json:"groupKey"`
	TruncatedAlerts int          `json:"truncatedAlerts"`
	Receiver        string       `json:"receiver"`
	Alerts          []alertInput `json:"alerts"`
}

type alertInput struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
	Fingerprint string            `json:"fingerprint"`
}

// decode makes a notice of what Alertmanager sends, without id, time and round.
func decode(body []byte, contacts *routing.Contacts, pagesURL string) (*Notice, error) {
	var p payload
	if err := json.Unmarshal(body, &p); err != nil {
		return nil, fmt.Errorf("%w: it is no such JSON", ErrPayload) // the reader's error could quote text
	}
	if p.Version != "4" || p.GroupKey == "" || len(p.Alerts) == 0 || p.TruncatedAlerts < 0 {
		return nil, fmt.Errorf("%w: version, groupKey or alerts are missing", ErrPayload)
	}
	to, ok := contacts.Recipient(p.Receiver)
	if !ok || len(to.Channels.WhatsApp) == 0 {
		return nil, ErrReceiver
	}
	first := p.Alerts[0].Labels
	n := &Notice{
		Receiver: p.Receiver, Center: to.Center, OPD: to.OPD, Kind: first["kind"], Level: cut(first["level"]),
		Urgent: to.Urgent,
	}
	for i := range p.Alerts {
		a := &p.Alerts[i]
		if a.Labels["kind"] != n.Kind || cut(a.Labels["level"]) != n.Level || a.Fingerprint == "" ||
			len(a.Fingerprint) > maxIDBytes || a.Status != "firing" && a.Status != "resolved" || a.StartsAt.IsZero() {
			return nil, fmt.Errorf("%w: alert %d is of another kind or level, or lacks a status, a start or a fingerprint",
				ErrPayload, i)
		}
	}
	// What ended is told by a closing of its own, or not at all.
	firing := slices.DeleteFunc(slices.Clone(p.Alerts), func(a alertInput) bool { return a.Status != "firing" })
	if len(firing) == 0 {
		firing = p.Alerts
	}
	slices.SortStableFunc(firing, func(a, b alertInput) int {
		return cmp.Or(strings.Compare(order(&a), order(&b)), strings.Compare(a.Fingerprint, b.Fingerprint))
	})
	for i := range firing {
		a := &firing[i]
		n.Alerts = append(n.Alerts, Alert{
			Name: cut(a.Labels["alertname"]), Ticket: cut(a.Labels["ticket"]), Fingerprint: a.Fingerprint, Status: a.Status,
			Priority: cut(a.Labels["priority"]), StartsAt: a.StartsAt.UTC().Truncate(time.Millisecond),
		})
	}
	n.Key = keyOf(&p, n)
	if err := n.write(firing, len(firing)+p.TruncatedAlerts, pagesURL); err != nil {
		return nil, err
	}
	n.Alerts = n.Alerts[:min(len(n.Alerts), maxAlerts)]
	if t, _ := whatsapp.Named(n.Message.Template); (t.Button == "") == (n.Message.Button == "") {
		for _, ph := range to.Channels.WhatsApp {
			n.To = append(n.To, Address{WhatsApp, ph.Name})
		}
	}
	if !n.Urgent {
		for _, name := range names(Telegram, len(to.Channels.Telegram)) {
			n.To = append(n.To, Address{Telegram, name})
		}
		for _, name := range names(Email, len(to.Channels.Email)) {
			n.To = append(n.To, Address{Email, name})
		}
	}
	if len(n.To) == 0 {
		return nil, fmt.Errorf("%w: it has no link to a page of this service, and its receiver no other way", ErrPayload)
	}
	return n, nil
}

// order puts the oldest first: the earliest due time, or closing.
func order(a *alertInput) string {
	return cmp.Or(a.Annotations["closed_at"], a.Annotations["due_at"], "9") + " " + a.Labels["ticket"]
}

// keyOf names a notification by its receiver, group, level and set of alerts.
func keyOf(p *payload, n *Notice) string {
	var list []string
	for _, a := range n.Alerts {
		list = append(list, fmt.Sprintf("%s %s %d", a.Fingerprint, a.Status, a.StartsAt.UnixMilli()))
	}
	slices.Sort(list)
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q %d %q", p.Receiver, p.GroupKey, n.Kind, n.Level, p.TruncatedAlerts, slices.Compact(list))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// write chooses the template and fills it. count is how many alerts there are, the first of list the oldest.
func (n *Notice) write(list []alertInput, count int, pagesURL string) error {
	oldest := &list[0]
	note := func(key string) string { return cmp.Or(oldest.Annotations[key], "-") }
	who := cmp.Or(common(list, "opd_name"), "beberapa perangkat daerah")
	ticket := cmp.Or(oldest.Labels["ticket"], "-")
	if about := strings.Join(slices.DeleteFunc([]string{
		oldest.Annotations["category"], prefixed("Kec. ", oldest.Annotations["kecamatan"]),
	}, func(s string) bool { return s == "" }), ", "); about != "" {
		ticket += " (" + about + ")"
	}
	number := strconv.Itoa(count)
	var name string
	var params []string
	switch {
	case n.Kind == kindDigest:
		name, params = whatsapp.MorningDigest,
			[]string{who, note("open"), note("overdue"), note("at_risk"), note("escalated"), note("closed")}
	case n.Kind == kindReport:
		name, params = whatsapp.ReportReady, []string{cmp.Or(oldest.Annotations["period"], oldest.Labels["month"], "-")}
	case n.Kind != kindTicket:
		return fmt.Errorf("%w: its kind is not ticket, digest or report", ErrPayload)
	case n.Level == "closed":
		name, params = whatsapp.TicketsClosed, []string{who, number, ticket}
	case n.Level == "escalated" || n.Level == "escalated2":
		name, params = whatsapp.TicketsEscalated, []string{who, number, ticket, note("late_by")}
	case n.Urgent && n.Level == "risk":
		name, params = whatsapp.TicketsEmergency,
			[]string{who, number, "mendekati batas waktu", ticket, "tersisa " + note("left")}
	case n.Urgent:
		name, params = whatsapp.TicketsEmergency, []string{who, number, "terlambat", ticket, "terlambat " + note("late_by")}
	case n.Level == "risk":
		name, params = whatsapp.TicketsAtRisk, []string{who, number, ticket, note("left")}
	case n.Level == "overdue":
		name, params = whatsapp.TicketsLate, []string{who, number, ticket, note("late_by")}
	default:
		return fmt.Errorf("%w: its level is not known", ErrPayload)
	}
	t, _ := whatsapp.Named(name)
	button := ""
	if t.Button != "" {
		n.Link = cmp.Or(common(list, "list_link"), common(list, "link"))
		if button, _ = strings.CutPrefix(n.Link, pagesURL); button == n.Link {
			button = "" // not a page of this service: the button of the template cannot lead there
		}
	}
	var err error
	n.Message, err = t.Fill(button, params...)
	return err
}

// common returns the annotation that all have alike, else nothing.
func common(list []alertInput, key string) string {
	for i := range list {
		if list[i].Annotations[key] != list[0].Annotations[key] {
			return ""
		}
	}
	return list[0].Annotations[key]
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

// cut keeps a label that has the shape of a code, and nothing else.
func cut(s string) string {
	if len(s) > maxIDBytes || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return ""
	}
	return s
}

// names of the addresses of a channel that has no names of its own, by their place in the contacts.
func names(c Channel, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s %d", c, i+1)
	}
	return out
}

// text is the notice for ways that take free text.
func (d *Delivery) text() string {
	text := d.Message.Text()
	if d.Link != "" {
		text = strings.ReplaceAll(text, "tombol di bawah ini", "tautan di bawah ini") + "\n\n" + d.Link
	}
	return text
}

func (d *Delivery) subject() string { return "[112] " + firstSentence(d.Message.Text()) }

func firstSentence(s string) string {
	if i := strings.Index(s, ". "); i > 0 {
		s = s[:i]
	}
	return whatsapp.Parameter(s, 120)
}
