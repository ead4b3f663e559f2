package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"
)

// Alertmanager is a real server, alone: without a cluster.
type Alertmanager struct{ *process }

// StartAlertmanager starts a server on a folder of its own and waits until it is ready. config gets the server's
// address (host:port) and returns the configuration file; paths in it should be absolute. It is asked again at every
// start.
func StartAlertmanager(t testing.TB, config func(addr string) string, args ...string) *Alertmanager {
	t.Helper()
	return &Alertmanager{newProcess(t, "alertmanager", config, func(p *process) []string {
		return append([]string{
			"--config.file=" + p.configFile(), "--storage.path=" + p.dir + "/data", "--web.listen-address=" + p.addr,
			"--cluster.listen-address=", // else gossip binds a port and waits for others
		}, args...)
	})}
}

// Alert is an alert as Alertmanager holds it.
type Alert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
	Status      struct {
		State       string   `json:"state"` // active, suppressed, unprocessed
		SilencedBy  []string `json:"silencedBy"`
		InhibitedBy []string `json:"inhibitedBy"`
	} `json:"status"`
}

// Alerts returns the alerts that have not ended and match all matchers, for example kind="ticket".
func (a *Alertmanager) Alerts(matchers ...string) ([]Alert, error) {
	var out []Alert
	err := a.get("/api/v2/alerts?"+url.Values{"filter": matchers}.Encode(), &out)
	return out, err
}

// Muted returns, by receiver, the label "ticket" of the alerts that a time interval holds back, in order.
func (a *Alertmanager) Muted() (map[string][]string, error) {
	var groups []struct {
		Receiver struct{ Name string } `json:"receiver"`
		Alerts   []struct {
			Labels map[string]string `json:"labels"`
			Status struct {
				MutedBy []string `json:"mutedBy"`
			} `json:"status"`
		} `json:"alerts"`
	}
	if err := a.get("/api/v2/alerts/groups", &groups); err != nil {
		return nil, err
	}
	out := map[string][]string{}
	for _, g := range groups {
		for _, x := range g.Alerts {
			if len(x.Status.MutedBy) > 0 {
				out[g.Receiver.Name] = append(out[g.Receiver.Name], x.Labels["ticket"])
			}
		}
	}
	for _, list := range out {
		slices.Sort(list)
	}
	return out, nil
}

// Silence silences, for an hour, the alerts that have the label's value, and returns the id of the silence.
func (a *Alertmanager) Silence(label, value, comment string) string {
	a.t.Helper()
	now := time.Now()
	body, err := json.Marshal(map[string]any{
		"matchers": []map[string]any{{"name": label, "value": value, "isRegex": false, "isEqual": true}},
		"startsAt": now, "endsAt": now.Add(time.Hour), "createdBy": "test", "comment": comment,
	})
	if err != nil {
		a.t.Fatal(err)
	}
	r, err := http.Post(a.URL()+"/api/v2/silences", "application/json", bytes.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		a.t.Fatalf("silence: %s: %s (%v)", r.Status, text, err)
	}
	var answer struct {
		SilenceID string `json:"silenceID"`
	}
	if err := json.Unmarshal(text, &answer); err != nil || answer.SilenceID == "" {
		a.t.Fatalf("silence: %s (%v)", text, err)
	}
	return answer.SilenceID
}

// Receivers returns the names of the receivers.
func (a *Alertmanager) Receivers() ([]string, error) {
	var list []struct{ Name string }
	if err := a.get("/api/v2/receivers", &list); err != nil {
		return nil, err
	}
	var out []string
	for _, r := range list {
		out = append(out, r.Name)
	}
	return out, nil
}
