package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/alerting/pager"
)

// pushes stands in for Alertmanager and keeps what is pushed.
type pushes struct {
	url string
	mu  sync.Mutex
	all [][]pager.Alert
}

func newPushes(t *testing.T) *pushes {
	p := &pushes{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil { // the service was killed while it pushed
			return
		}
		var alerts []pager.Alert
		if err := json.Unmarshal(text, &alerts); err != nil || r.Method != http.MethodPost ||
			r.URL.Path != "/api/v2/alerts" {
			t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
			http.Error(w, "no", http.StatusBadRequest)
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.all = append(p.all, alerts)
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

// since returns the pushes after the first n.
func (p *pushes) since(n int) [][]pager.Alert {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all[n:len(p.all):len(p.all)]
}

// find returns the ticket's alert of a level in a push.
func find(push []pager.Alert, ticket, level string) *pager.Alert {
	for i := range push {
		if l := push[i].Labels; l["ticket"] == ticket && l["level"] == level {
			return &push[i]
		}
	}
	return nil
}

// starts returns the instants at which the pushes say that the alert started, each once, in order.
func (p *pushes) starts(ticket, level string) (out []string) {
	for _, push := range p.since(0) {
		if a := find(push, ticket, level); a != nil {
			if s := a.StartsAt.Format(time.RFC3339Nano); len(out) == 0 || out[len(out)-1] != s {
				out = append(out, s)
			}
		}
	}
	return out
}

// TestPager: a late ticket is told under one start until it is closed, its closing is told once, and no kill repeats
// either.
func TestPager(t *testing.T) {
	t.Parallel()
	am := newPushes(t)
	config := filepath.Join(t.TempDir(), "monev112.yaml")
	text := fmt.Sprintf(
		"pager:\n  interval: 1s\n  closed_for: 4s\n  alertmanagers:\n    - url: %s\n    - {url: 'http://127.0.0.1:1', "+
			"timeout: 1s}\n", am.url)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newService(t, "--config", config)
	start := func() {
		if !s.start().ready() {
			t.Fatal("the service ended")
		}
	}
	waitFor := func(what string, n int, ok func(push []pager.Alert) bool) {
		t.Helper()
		if !s.until(what, func() bool {
			for _, push := range am.since(n) {
				if ok(push) {
					return true
				}
			}
			return false
		}) {
			t.Fatal("the service ended")
		}
	}

	begun := time.Now().Add(-time.Second)
	start()
	n := 0
	say := func(ticket, typ string, ago time.Duration, data fields) {
		t.Helper()
		n++
		event := line(fmt.Sprint("pager-", n), fields{"type": "monev112.ticket." + typ, "subject": "ticket/" + ticket,
			"time": time.Now().Add(-ago).UTC().Format(time.RFC3339Nano), "data": data})
		if a, status, err := s.post([]byte(event)); err != nil || status != http.StatusOK || a.Accepted != 1 {
			t.Fatalf("%s: %+v %d %v", typ, a, status, err)
		}
	}
	// An urgent ticket is due on the scene an hour after the report, and escalated half an hour later: far beyond this
	// test.
	late := func(ticket string) {
		say(ticket, "opened", 61*time.Minute, fields{"category": "banjir", "priority": "mendesak", "kecamatan": "Waru"})
		say(ticket, "assigned", 60*time.Minute, fields{"opd": "damkar"})
		say(ticket, "acknowledged", 59*time.Minute, nil)
	}
	late("SDA-1")
	var told *pager.Alert
	waitFor("the late ticket", 0, func(push []pager.Alert) bool {
		told = find(push, "SDA-1", "overdue")
		return told != nil
	})
	for key, want := range map[string]string{
		"alertname": "Monev112Ticket", "kind": "ticket", "center": "35.15", "opd": "damkar", "priority": "mendesak",
	} {
		if told.Labels[key] != want {
			t.Errorf("label %s is %q, want %q", key, told.Labels[key], want)
		}
	}
	for key, want := range map[string]string{
		"opd_name": "Bidang Pemadam Kebakaran dan Penyelamatan", "category": "Banjir", "kecamatan": "Waru",
	} {
		if told.Annotations[key] != want {
			t.Errorf("annotation %s is %q, want %q", key, told.Annotations[key], want)
		}
	}
	if !strings.Contains(told.Annotations["list_link"], "/p/") || !strings.Contains(told.Annotations["link"], "/p/") ||
		told.Annotations["late_by"] == "" {
		t.Errorf("annotations %v", told.Annotations)
	}
	if told.StartsAt.Before(begun) {
		t.Errorf("starts at %s: not when it was first pushed", told.StartsAt)
	}
	if !s.until("the figures of the last push", func() bool {
		return s.metric(`monev112_pager_alerts{level="overdue"}`) == 1
	}) {
		t.Fatal("the service ended")
	}
	if wall := s.metric(`monev112_tickets_overdue{`); wall != 1 {
		t.Errorf("the wall shows %v late", wall)
	}

	late("SDA-2")
	waitFor("a second late ticket", 0, func(push []pager.Alert) bool { return find(push, "SDA-2", "overdue") != nil })
	say("SDA-2", "arrived", time.Minute, nil)
	say("SDA-2", "closed", time.Second, nil)
	waitFor("its closing", 0, func(push []pager.Alert) bool {
		told = find(push, "SDA-2", "closed")
		return told != nil && told.Annotations["closed_at"] != ""
	})

	s.kill()
	mark := len(am.since(0))
	start()
	waitFor("the late ticket after a kill", mark, func(push []pager.Alert) bool {
		return find(push, "SDA-1", "overdue") != nil
	})
	waitFor("a push without the closing", mark, func(push []pager.Alert) bool {
		return find(push, "SDA-2", "closed") == nil
	})
	say("SDA-1", "arrived", time.Minute, nil)
	say("SDA-1", "closed", time.Second, nil)
	waitFor("the closing of a ticket that was paged before the kill", mark, func(push []pager.Alert) bool {
		return find(push, "SDA-1", "closed") != nil
	})
	waitFor("the end of all", mark, func(push []pager.Alert) bool {
		return find(push, "SDA-1", "closed") == nil && find(push, "SDA-1", "overdue") != nil &&
			find(push, "SDA-1", "overdue").EndsAt.Before(time.Now())
	})
	for _, ticket := range []string{"SDA-1", "SDA-2"} {
		for _, level := range []string{"overdue", "closed"} {
			if got := am.starts(ticket, level); len(got) != 1 {
				t.Errorf("%s %s started at %v, want one start", ticket, level, got)
			}
		}
	}
	if code := s.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
