package pager

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWrongConfigurationIsExplained(t *testing.T) {
	url := "http://am:9093"
	one := func(a Alertmanager) Config { return Config{Alertmanagers: []Alertmanager{a}} }
	for name, tt := range map[string]struct {
		cfg  Config
		want string
	}{
		"usual": {one(Alertmanager{URL: url}), ""},
		"all": {one(Alertmanager{
			URL: "https://am/prefix/", Timeout: time.Second, ServerName: "am", Username: "u", PasswordFile: "p",
		}), ""},
		"none": {Config{Interval: time.Minute}, "alertmanagers: none is named"},
		"too often": {
			Config{Alertmanagers: []Alertmanager{{URL: url}}, Interval: time.Millisecond}, "interval: 1ms; use 1s to 2m0s",
		},
		"too seldom": {
			Config{Alertmanagers: []Alertmanager{{URL: url}}, Interval: time.Hour}, "interval: 1h0m0s; use 1s to 2m0s",
		},
		"negative": {Config{Alertmanagers: []Alertmanager{{URL: url}}, ClosedFor: -1}, "closed_for: -1ns; use"},
		"no time of day": {
			Config{Alertmanagers: []Alertmanager{{URL: url}}, Digest: "25:00"},
			`digest: "25:00" is no time of day; write it in quotes, as "07:00"`,
		},
		"no address":     {one(Alertmanager{}), `alertmanagers[0].url: ""; write http://host:9093`},
		"no scheme":      {one(Alertmanager{URL: "am:9093"}), "alertmanagers[0].url:"},
		"the whole path": {one(Alertmanager{URL: url + "/api/v2/alerts"}), "leave out /api/v2/alerts"},
		"a secret in it": {one(Alertmanager{URL: "http://u:p@am"}), "username and password_file"},
		"a query":        {one(Alertmanager{URL: url + "?x=1"}), "query"},
		"twice": {
			Config{Alertmanagers: []Alertmanager{{URL: url}, {URL: url + "/"}}},
			"alertmanagers[1].url: http://am:9093/ is listed twice",
		},
		"two ways": {
			one(Alertmanager{URL: url, BearerFile: "b", Username: "u", PasswordFile: "p"}), "use one way",
		},
		"half a way":           {one(Alertmanager{URL: url, Username: "u"}), "go together"},
		"half a pair":          {one(Alertmanager{URL: "https://am", KeyFile: "k"}), "go together"},
		"certificates in vain": {one(Alertmanager{URL: url, CAFile: "ca"}), "write https"},
		"slow":                 {one(Alertmanager{URL: url, Timeout: time.Hour}), "alertmanagers[0].timeout: 1h0m0s; use"},
		"many":                 {Config{Alertmanagers: make([]Alertmanager, 9)}, "at most 8"},
	} {
		err := tt.cfg.Check()
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n")):
			t.Errorf("%s: %v, want it to say %q", name, err, tt.want)
		}
	}
}

func TestFilesThatCannotServeAreRefused(t *testing.T) {
	empty, text := write(t, " \n"), write(t, "text")
	folder := filepath.Dir(empty)
	for want, a := range map[string]Alertmanager{
		"bearer_file: open":     {URL: "http://am", BearerFile: filepath.Join(folder, "none")},
		"must hold one line":    {URL: "http://am", BearerFile: empty},
		"is not a regular file": {URL: "http://am", Username: "u", PasswordFile: folder},
		"holds no certificate":  {URL: "https://am", CAFile: text},
		"cert_file":             {URL: "https://am", CertFile: text, KeyFile: text},
		"ca_file: open":         {URL: "https://am", CAFile: filepath.Join(folder, "none")},
	} {
		cfg := Config{Alertmanagers: []Alertmanager{{URL: "http://other"}, a}}
		if err := cfg.Check(); err != nil {
			t.Fatal(err)
		}
		if err := cfg.CheckFiles(); err == nil || !strings.HasPrefix(err.Error(), "alertmanagers[1].") ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%v, want it to say %q", err, want)
		}
	}
}
