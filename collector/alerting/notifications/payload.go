package notifications

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// Limits of a notification, and how long its repetitions are taken for one.
const (
	MaxBodyBytes = 4 << 20 // five hundred tickets have less than half of one
	maxAlerts    = 2000    // further ones are counted, and not listed
	maxCodeBytes = 128

	// duplicateWindow lies above the time for which Alertmanager tries to deliver (group_interval) and below the time
	// after which it notifies again (repeat_interval).
	duplicateWindow = 30 * time.Minute
)

// Kinds of what people are notified about.
const (
	kindTicket    = "ticket"
	kindDigest    = "digest"
	kindReport    = "report"
	kindCondition = "condition"
)

// ErrPayload says that a body is not Alertmanager's webhook payload of version 4.
var ErrPayload = errors.New("not a webhook payload of Alertmanager, version 4")

// Row is one alert of one notification.
type Row struct {
	Center    string `json:"center,omitzero"`
	Kind      string `json:"kind"`             // ticket, digest, report or condition
	Subject   string `json:"subject,omitzero"` // id of the ticket
	Alertname string `json:"alertname"`
	// Level is, of a ticket, risk, overdue, escalated, escalated2 or closed; of a condition its severity.
	Level       string    `json:"level,omitzero"`
	Status      string    `json:"status"` // firing or resolved
	OPD         string    `json:"opd,omitzero"`
	Priority    string    `json:"priority,omitzero"`
	Fingerprint string    `json:"fingerprint"` // 16 hexadecimal digits
	StartsAt    time.Time `json:"starts_at"`
	EndsAt      time.Time `json:"ends_at,omitzero"` // of a resolved alert
}

// Notification is what one receiver was told at once.
type Notification struct {
	ID       string    `json:"id"`      // 32 hexadecimal digits
	ToldAt   time.Time `json:"told_at"` // when it first arrived here
	Receiver string    `json:"receiver"`
	Alerts   int       `json:"alerts"` // in the notification, also those beyond maxAlerts
	Rows     []Row     `json:"rows"`
}

// payload is what Alertmanager sends; fields that are not read here may be added at any time.
type payload struct {
	Version         string  `json:"version"`
	GroupKey        string  `json:"groupKey"`
	TruncatedAlerts int     `json:"truncatedAlerts"`
	Receiver        string  `json:"receiver"`
	Alerts          []alert `json:"alerts"`
}

type alert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
	Fingerprint string            `json:"fingerprint"`
}

// contentHash tells notifications of different content apart, whenever they arrive.
type contentHash [sha256.Size]byte

// decode reads a body. Of the labels it keeps those that say what the alert was about; annotations, which are text for
// people, are not read.
func decode(body []byte) (n Notification, hash contentHash, err error) {
	var p payload
	if err := json.Unmarshal(body, &p); err != nil {
		return n, hash, fmt.Errorf("%w: it is no such JSON", ErrPayload) // the reader's error could quote text
	}
	switch {
	case p.Version != "4":
		return n, hash, fmt.Errorf("%w: version is not \"4\"", ErrPayload)
	case p.GroupKey == "" || code(p.Receiver) == "":
		return n, hash, fmt.Errorf("%w: groupKey or receiver is missing or no name", ErrPayload)
	case len(p.Alerts) == 0:
		return n, hash, fmt.Errorf("%w: it has no alerts", ErrPayload)
	case p.TruncatedAlerts < 0:
		return n, hash, fmt.Errorf("%w: truncatedAlerts is negative", ErrPayload)
	}
	n.Receiver, n.Alerts = code(p.Receiver), len(p.Alerts)+p.TruncatedAlerts
	for i := range p.Alerts {
		a := &p.Alerts[i]
		if a.Status != "firing" && a.Status != "resolved" || a.StartsAt.IsZero() || !isFingerprint(a.Fingerprint) {
			return n, hash, fmt.Errorf("%w: alert %d lacks a status, a start or a fingerprint", ErrPayload, i)
		}
		n.Rows = append(n.Rows, a.row())
	}
	slices.SortFunc(n.Rows, func(a, b Row) int {
		return strings.Compare(a.Fingerprint+a.Status, b.Fingerprint+b.Status)
	})
	n.Rows = slices.CompactFunc(n.Rows, func(a, b Row) bool { return a.Fingerprint == b.Fingerprint })

	h := sha256.New()
	fmt.Fprintf(h, "%q %q %d\n", p.Receiver, p.GroupKey, n.Alerts)
	for i := range n.Rows {
		r := &n.Rows[i]
		// The end of an alert that fires moves with every push; that of one that ended does not.
		fmt.Fprintf(h, "%s %s %d %d\n", r.Fingerprint, r.Status, r.StartsAt.UnixMilli(), r.EndsAt.UnixMilli())
	}
	n.Rows = n.Rows[:min(len(n.Rows), maxAlerts)]
	return n, contentHash(h.Sum(nil)), nil
}

func (a *alert) row() Row {
	r := Row{
		Center: code(a.Labels["center"]), Kind: kindCondition, Alertname: code(a.Labels["alertname"]),
		Level: code(a.Labels["severity"]), Status: a.Status, OPD: code(a.Labels["opd"]),
		Priority: code(a.Labels["priority"]), Fingerprint: a.Fingerprint,
		StartsAt: a.StartsAt.UTC().Truncate(time.Millisecond),
	}
	switch a.Labels["kind"] {
	case kindTicket:
		r.Kind, r.Subject, r.Level = kindTicket, code(a.Labels["ticket"]), code(a.Labels["level"])
	case kindDigest:
		r.Kind, r.Level = kindDigest, ""
	case kindReport:
		r.Kind, r.Subject, r.Level = kindReport, code(a.Labels["month"]), ""
	}
	if a.Status == "resolved" && !a.EndsAt.IsZero() {
		r.EndsAt = a.EndsAt.UTC().Truncate(time.Millisecond)
	}
	return r
}

// identify gives a notification its time, and the id that follows from content and time.
func (n *Notification) identify(hash contentHash, toldAt time.Time) {
	n.ToldAt = toldAt.UTC().Truncate(time.Millisecond)
	id := sha256.Sum256(fmt.Appendf(hash[:], "%d", n.ToldAt.UnixMilli()))
	n.ID = hex.EncodeToString(id[:16])
}

// code returns s if it has the shape of a name, and nothing else: a label is no place for text.
func code(s string) string {
	if len(s) > maxCodeBytes || strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_./:#@+", r)
	}) {
		return ""
	}
	return s
}

func isFingerprint(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 8
}
