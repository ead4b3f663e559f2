package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Webhook is what Alertmanager posts to a webhook.
type Webhook struct {
	Path              string            `json:"-"` // it was posted to
	Version           string            `json:"version"`
	Receiver          string            `json:"receiver"`
	Status            string            `json:"status"`
	GroupKey          string            `json:"groupKey"`
	Alerts            []WebhookAlert    `json:"alerts"`
	GroupLabels       map[string]string `json:"groupLabels"`
	CommonLabels      map[string]string `json:"commonLabels"`
	CommonAnnotations map[string]string `json:"commonAnnotations"`
}

// WebhookAlert is one alert of it.
type WebhookAlert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

func (w Webhook) String() string {
	return fmt.Sprintf("%s %s %v: %d alerts", w.Path, w.Status, w.GroupLabels, len(w.Alerts))
}

// WebhookServer keeps what is posted to it. A request that Alertmanager's own would not look like fails the test.
type WebhookServer struct {
	server *httptest.Server
	mu     sync.Mutex
	all    []Webhook
}

// StartWebhook starts a server that ends with the test.
func StartWebhook(t testing.TB) *WebhookServer {
	s := &WebhookServer{}
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the sender was killed
		}
		m := Webhook{Path: r.URL.Path}
		if err := m.decode(r, body); err != nil {
			t.Errorf("webhook %s: %v", r.URL.Path, err)
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.all = append(s.all, m)
	}))
	t.Cleanup(s.server.Close)
	return s
}

func (m *Webhook) decode(r *http.Request, body []byte) error {
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
		return fmt.Errorf("%s of %q", r.Method, r.Header.Get("Content-Type"))
	}
	if err := json.Unmarshal(body, m); err != nil {
		return err
	}
	if m.Version != "4" || len(m.Alerts) == 0 {
		return fmt.Errorf("version %q with %d alerts", m.Version, len(m.Alerts))
	}
	return nil
}

// URL is the base address; a recipient is a path of it.
func (s *WebhookServer) URL() string { return s.server.URL }

// Messages returns what was posted to a path, in order; of all paths when it is empty.
func (s *WebhookServer) Messages(path string) []Webhook {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Webhook
	for _, m := range s.all {
		if path == "" || m.Path == path {
			out = append(out, m)
		}
	}
	return out
}
