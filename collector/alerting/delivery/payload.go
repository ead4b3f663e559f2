package delivery

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
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
var ErrPayload = errors.New("not a notification of Alertmanager that the service sends")

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
	all := &to.Channels
	if !ok || len(all.WhatsApp) == 0 && (to.Urgent || len(all.Telegram)+len(all.Email) == 0) {
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
			Priority: cut(a.Labels["priority"]), StartsAt: a.StartsAt.UTC().Truncate(time.Millisecond), LateSince: a.lateSince(),
		})
	}
	n.Key = keyOf(&p, n)
	if err := n.write(firing, len(firing)+p.TruncatedAlerts, pagesURL); err != nil {
		return nil, err
	}
	n.Alerts = n.Alerts[:min(len(n.Alerts), maxAlerts)]
	if t, _ := whatsapp.Named(n.Message.Template); (t.Button == "") == (n.Message.Button == "") {
		n.address(WhatsApp, all)
	}
	if !n.Urgent {
		n.address(Telegram, all)
		n.address(Email, all)
	}
	if len(n.To) == 0 {
		return nil, fmt.Errorf("%w: it has no link to a page of this service, and its receiver no other way", ErrPayload)
	}
	return n, nil
}

func (n *Notice) address(by Channel, to *routing.Channels) {
	for _, name := range names(by, to) {
		n.To = append(n.To, Address{by, name})
	}
}

// lateSince is when the clock of a late ticket was due; zero of everything else.
func (a *alertInput) lateSince() time.Time {
	if a.Labels["kind"] != kindTicket ||
		!slices.Contains([]string{"overdue", "escalated", "escalated2"}, a.Labels["level"]) {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, a.Annotations["due_at"])
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
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
	ticket := oldest.ticket(maxIDBytes)
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
	n.Lines = n.lines(list, count)
	var err error
	n.Message, err = t.Fill(button, params...)
	return err
}

// maxLines is how many tickets a message by free text lists.
const maxLines = 10

// lines are what the template has no room for: several tickets each, the oldest first, and the rest of a digest or a
// report.
func (n *Notice) lines(list []alertInput, count int) (out []string) {
	note := func(key string) string { return list[0].Annotations[key] }
	switch {
	case n.Kind == kindDigest && note("unrecorded") != "":
		return []string{
			"Penanganan tidak tercatat: " + whatsapp.Parameter(note("unrecorded"), 20) + " (bukan keterlambatan).",
		}
	case n.Kind == kindReport && note("judged") != "":
		return []string{fmt.Sprintf("%s dari %s indikator tidak tercapai.", whatsapp.Parameter(note("missed"), 20),
			whatsapp.Parameter(note("judged"), 20))}
	case n.Kind == kindTicket && count > 1:
		for i := range list[:min(len(list), maxLines)] {
			out = append(out, "• "+list[i].line(n.Level))
		}
		if more := count - len(out); more > 0 {
			out = append(out, fmt.Sprintf("dan %d lainnya", more))
		}
	}
	if unlisted := common(list, "unlisted"); unlisted != "" {
		out = append(out, "Masih ada "+whatsapp.Parameter(unlisted, 20)+" tiket lain di luar hitungan pesan ini.")
	}
	return out
}

// line says of one ticket what it is and how late.
func (a *alertInput) line(level string) string {
	says, when := "melewati batas waktu", a.Annotations["late_by"]
	switch level {
	case "closed":
		says, when = "ditutup", a.Annotations["closed"]
	case "risk":
		says, when = "mendekati batas waktu, sisa", a.Annotations["left"]
	}
	return "Tiket " + a.ticket(maxTextRunes) + " " + says + " " + whatsapp.Parameter(when, maxTextRunes)
}

// maxTextRunes bounds each text of a line, so that ten lines fit into a message of Telegram.
const maxTextRunes = 32

// ticket names the ticket, with its category and place where they may be shown.
func (a *alertInput) ticket(most int) string {
	var about []string
	for _, s := range []string{a.Annotations["category"], prefixed("Kec. ", a.Annotations["kecamatan"])} {
		if s != "" {
			about = append(about, whatsapp.Parameter(s, most))
		}
	}
	out := whatsapp.Parameter(a.Labels["ticket"], most)
	if len(about) > 0 {
		out += " (" + strings.Join(about, ", ") + ")"
	}
	return out
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

// names of the addresses of a channel, in the order of the contacts.
func names(by Channel, c *routing.Channels) (out []string) {
	switch by {
	case WhatsApp:
		for _, p := range c.WhatsApp {
			out = append(out, p.Name)
		}
	case Telegram:
		for i := range c.Telegram {
			out = append(out, c.ChatName(i))
		}
	case Email:
		for i := range c.Email {
			out = append(out, fmt.Sprintf("%s %d", by, i+1))
		}
	}
	return out
}

// text is the notice for e-mail.
func (d *Delivery) text() string {
	text := d.freeText()
	if d.Link != "" {
		text += "\n\n" + d.Link
	}
	return text
}

// markup is the notice in Telegram's HTML.
func (d *Delivery) markup() string {
	text := html.EscapeString(d.freeText())
	if t, _ := whatsapp.Named(d.Message.Template); d.Link != "" && len(d.Link) <= maxLinkBytes {
		text += fmt.Sprintf("\n\n<a href=\"%s\">%s</a>", html.EscapeString(d.Link), html.EscapeString(t.Button))
	}
	return text
}

// maxLinkBytes is more than a link of the service has; a longer one could cost the message.
const maxLinkBytes = 1000

func (d *Delivery) freeText() string {
	text := strings.ReplaceAll(d.Message.Text(), "tombol di bawah ini", "tautan di bawah ini")
	if len(d.Lines) > 0 {
		text += "\n\n" + strings.Join(d.Lines, "\n")
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
