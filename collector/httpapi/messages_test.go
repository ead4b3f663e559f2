package httpapi

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/monev112/monev112/collector/alerting/notifications"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/ingest"
)

func TestMessagesOfAlertmanager(t *testing.T) {
	var taken []string
	var refuse error
	w := start(t, func(c *Config) {
		c.Messages = func(body []byte) (notifications.Notification, bool, error) {
			if refuse != nil {
				return notifications.Notification{}, false, refuse
			}
			taken = append(taken, string(body))
			return notifications.Notification{ID: strings.Repeat("ab", 16), Alerts: 3}, len(taken) > 1, nil
		}
	})
	const path = "/alertmanager/v1/log"
	log := w.key(auth.Key{Name: "alertmanager", Scopes: []auth.Scope{auth.AlertsLog}})
	reader := w.key(auth.Key{Name: "reader", Scopes: []auth.Scope{auth.BoardRead}})
	post := func(secret, mediaType, body string) reply {
		return w.do("POST", path, body, "Content-Type", mediaType, "Authorization", "Bearer "+secret)
	}
	for range 2 {
		if r := post(log, "application/json", `{"version":"4"}`); r.StatusCode != 200 ||
			string(r.body) != fmt.Sprintf(`{"message":"%s","alerts":3,"again":%v}`+"\n", strings.Repeat("ab", 16),
				len(taken) > 1) {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
	}
	for name, tt := range map[string]struct {
		secret, mediaType, body string
		refuse                  error
		status                  int
	}{
		"another scope": {reader, "application/json", "{}", nil, 403},
		"no key":        {"", "application/json", "{}", nil, 401},
		"a form":        {log, "text/plain", "{}", nil, 415},
		"too large":     {log, "application/json", strings.Repeat(" ", notifications.MaxBodyBytes+1), nil, 413},
		"no message":    {log, "application/json", "{}", fmt.Errorf("%w: x", notifications.ErrPayload), 400},
		"a full disk":   {log, "application/json", "{}", errors.Join(notifications.ErrUnavailable, errors.New("disk")), 503},
	} {
		refuse = tt.refuse
		if r := post(tt.secret, tt.mediaType, tt.body); r.StatusCode != tt.status ||
			strings.Contains(string(r.body), "disk") {
			t.Errorf("%s: %d %s", name, r.StatusCode, r.body)
		}
	}
	if len(taken) != 2 {
		t.Errorf("taken: %d", len(taken))
	}
}

// Alertmanager gives up a message that was answered with 429, and sends it again after 503.
func TestABusyServiceLosesNoMessage(t *testing.T) {
	w := start(t, func(c *Config) {
		c.Messages = func([]byte) (notifications.Notification, bool, error) {
			return notifications.Notification{}, false, ingest.ErrBusy
		}
	})
	log := w.key(auth.Key{Name: "alertmanager", Scopes: []auth.Scope{auth.AlertsLog}})
	post := func() reply {
		return w.do("POST", messagesPath, "{}", "Content-Type", "application/json", "Authorization", "Bearer "+log)
	}
	if r := post(); r.StatusCode != 503 {
		t.Errorf("no memory: %d %s", r.StatusCode, r.body)
	}
	for range cap(w.api.slots) {
		w.api.slots <- struct{}{}
	}
	if r := post(); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" {
		t.Errorf("too many requests: %d %s", r.StatusCode, r.body)
	}
}
