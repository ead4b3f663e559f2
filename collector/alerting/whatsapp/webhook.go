package whatsapp

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxWebhookBytes bounds the body of a webhook: Meta sends at most 3 MB.
const MaxWebhookBytes = 4 << 20

// Signed reports whether Meta signed body with the app's secret; header is X-Hub-Signature-256.
func Signed(secret, header string, body []byte) bool {
	sum, ok := strings.CutPrefix(header, "sha256=")
	got, err := hex.DecodeString(sum)
	if !ok || err != nil || secret == "" {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hmac.Equal(got, mac.Sum(nil))
}

// Challenge answers the request by which Meta verifies the address of a webhook: what it is to be told, or false for
// one that does not know the verify token.
func Challenge(token, mode, sent, challenge string) (string, bool) {
	if token == "" || mode != "subscribe" || subtle.ConstantTimeCompare([]byte(token), []byte(sent)) != 1 {
		return "", false
	}
	if _, err := strconv.ParseUint(challenge, 10, 64); err != nil {
		return "", false // what is echoed is a number and nothing else
	}
	return challenge, true
}

// State is how far a message has come.
type State string

// The states that a status names.
const (
	Sent      State = "sent" // left Meta
	Delivered State = "delivered"
	Read      State = "read"
	Failed    State = "failed"
)

// Status is news of one message.
type Status struct {
	ID    string // that Send returned
	State State
	At    time.Time
	Code  int // of a failure; 0: none was given
}

// TemplateStatus is news of a template: it may be sent or not.
type TemplateStatus struct {
	Name    string
	Stopped bool   // paused, disabled, rejected or deleted
	Event   string // as Meta names it, in lower case
}

// Updates are what one webhook says. Messages of people to the number are not read.
type Updates struct {
	Statuses  []Status
	Templates []TemplateStatus
}

// ErrWebhook says that a signed body is not what the Cloud API sends.
var ErrWebhook = errors.New("not a webhook of the WhatsApp Business Platform")

// templateEvents says which events of a template stop it; others say nothing of whether it may be sent.
var templateEvents = map[string]bool{
	"APPROVED": false, "REINSTATED": false, "UNPAUSED": false,
	"PAUSED": true, "DISABLED": true, "REJECTED": true, "PENDING_DELETION": true, "DELETED": true,
}

// ParseWebhook reads a signed body. What it does not know it leaves out: Meta adds fields at any time. So is what is
// said of messages of another business number of the same app than phoneNumberID.
func ParseWebhook(body []byte, phoneNumberID string) (u Updates, err error) {
	var in struct {
		Object string `json:"object"`
		Entry  []struct {
			Changes []struct {
				Field string         `json:"field"`
				Value jsontext.Value `json:"value"`
			} `json:"changes"`
		} `json:"entry"`
	}
	if json.Unmarshal(body, &in) != nil || in.Object != "whatsapp_business_account" {
		return u, ErrWebhook
	}
	for _, e := range in.Entry {
		for _, c := range e.Changes {
			switch c.Field {
			case "messages":
				u.readMessages(c.Value, phoneNumberID)
			case "message_template_status_update":
				var t struct {
					Event string `json:"event"`
					Name  string `json:"message_template_name"`
				}
				if json.Unmarshal(c.Value, &t) != nil || !templateName.MatchString(t.Name) {
					continue
				}
				if stopped, known := templateEvents[t.Event]; known {
					u.Templates = append(u.Templates, TemplateStatus{t.Name, stopped, strings.ToLower(t.Event)})
				}
			}
		}
	}
	return u, nil
}

func (u *Updates) readMessages(text []byte, phoneNumberID string) {
	var v struct {
		Metadata struct {
			PhoneNumberID string `json:"phone_number_id"`
		} `json:"metadata"`
		Statuses []struct {
			ID        string `json:"id"`
			Status    State  `json:"status"`
			Timestamp string `json:"timestamp"`
			Errors    []struct {
				Code int `json:"code"`
			} `json:"errors"`
		} `json:"statuses"`
	}
	if json.Unmarshal(text, &v) != nil || v.Metadata.PhoneNumberID != phoneNumberID {
		return
	}
	for _, s := range v.Statuses {
		seconds, err := strconv.ParseInt(s.Timestamp, 10, 64)
		if err != nil || s.ID == "" || len(s.ID) > 512 {
			continue
		}
		switch s.Status {
		case Sent, Delivered, Read, Failed:
		default:
			continue // deleted, warning and what may come
		}
		status := Status{ID: s.ID, State: s.Status, At: time.Unix(seconds, 0).UTC()}
		if len(s.Errors) > 0 {
			status.Code = s.Errors[0].Code
		}
		u.Statuses = append(u.Statuses, status)
	}
}
