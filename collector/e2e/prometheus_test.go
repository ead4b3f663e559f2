package e2e

import (
	"fmt"
	"net/url"
	"strconv"
	"testing"
)

// Prometheus is a real server.
type Prometheus struct{ *process }

// StartPrometheus starts a server on a folder of its own and waits until it is ready. config gets the server's address
// (host:port) and returns the configuration file; paths in it should be absolute. It is asked again at every start.
func StartPrometheus(t testing.TB, config func(addr string) string, args ...string) *Prometheus {
	t.Helper()
	return &Prometheus{newProcess(t, "prometheus", config, func(p *process) []string {
		return append([]string{
			"--config.file=" + p.configFile(), "--storage.tsdb.path=" + p.dir + "/data", "--web.listen-address=" + p.addr,
			"--web.enable-lifecycle", "--enable-feature=exemplar-storage",
			"--scrape.discovery-reload-interval=200ms", // hidden; the default of 5 s delays the first scrape
		}, args...)
	})}
}

// Sample is one series of an instant vector.
type Sample struct {
	Labels map[string]string
	Value  float64
}

// Query evaluates an expression now; a scalar is one sample without labels. It fails the test when the server refuses.
func (p *Prometheus) Query(expr string) []Sample {
	p.t.Helper()
	out, err := p.TryQuery(expr)
	if err != nil {
		p.t.Fatalf("%v\nof %s", err, expr)
	}
	return out
}

// TryQuery is Query for when the server may be away.
func (p *Prometheus) TryQuery(expr string) ([]Sample, error) {
	var a struct {
		Data struct {
			Type   string `json:"resultType"`
			Result any    `json:"result"`
		} `json:"data"`
	}
	if err := p.get("/api/v1/query?query="+url.QueryEscape(expr), &a); err != nil {
		return nil, err
	}
	value := func(pair any) (float64, error) {
		list, ok := pair.([]any)
		if !ok || len(list) != 2 {
			return 0, fmt.Errorf("%v is no sample", pair)
		}
		return strconv.ParseFloat(fmt.Sprint(list[1]), 64)
	}
	if a.Data.Type == "scalar" {
		v, err := value(a.Data.Result)
		return []Sample{{Value: v}}, err
	}
	var out []Sample
	rows, _ := a.Data.Result.([]any)
	for _, r := range rows {
		row, _ := r.(map[string]any)
		if row["value"] == nil {
			return nil, fmt.Errorf("a %s is no instant vector of floats", a.Data.Type)
		}
		v, err := value(row["value"])
		if err != nil {
			return nil, err
		}
		s := Sample{Labels: map[string]string{}, Value: v}
		metric, _ := row["metric"].(map[string]any)
		for k, l := range metric {
			s.Labels[k] = fmt.Sprint(l)
		}
		out = append(out, s)
	}
	return out, nil
}

// WaitScraped waits until each of the jobs has a target and every target of them was read well.
func (p *Prometheus) WaitScraped(jobs ...string) {
	p.t.Helper()
	last := ""
	for _, job := range jobs {
		Until(p.t, "job "+job+" is scraped", func() bool {
			var a struct {
				Data struct {
					ActiveTargets []struct {
						ScrapePool string `json:"scrapePool"`
						Health     string `json:"health"`
						LastError  string `json:"lastError"`
					} `json:"activeTargets"`
				} `json:"data"`
			}
			if err := p.get("/api/v1/targets?state=active", &a); err != nil {
				return false
			}
			up, all := 0, 0
			for _, x := range a.Data.ActiveTargets {
				if x.ScrapePool != job {
					continue
				}
				all++
				if x.Health == "up" {
					up++
				} else if x.LastError != "" && x.LastError != last {
					last = x.LastError
					p.t.Logf("scrape of %s: %s", job, last)
				}
			}
			return all > 0 && up == all
		})
	}
}

// WaitAlertmanagers waits until the server knows n Alertmanagers to send to.
func (p *Prometheus) WaitAlertmanagers(n int) {
	p.t.Helper()
	Until(p.t, fmt.Sprintf("%d Alertmanagers are known", n), func() bool {
		var a struct {
			Data struct {
				Active []struct{ URL string } `json:"activeAlertmanagers"`
			} `json:"data"`
		}
		return p.get("/api/v1/alertmanagers", &a) == nil && len(a.Data.Active) == n
	})
}

// Firing returns the names of the alerts that fire now, once each series.
func (p *Prometheus) Firing() ([]string, error) {
	var a struct {
		Data struct {
			Alerts []struct {
				Labels map[string]string `json:"labels"`
				State  string            `json:"state"`
			} `json:"alerts"`
		} `json:"data"`
	}
	if err := p.get("/api/v1/alerts", &a); err != nil {
		return nil, err
	}
	var out []string
	for _, x := range a.Data.Alerts {
		if x.State == "firing" {
			out = append(out, x.Labels["alertname"])
		}
	}
	return out, nil
}
