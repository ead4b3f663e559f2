package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPrometheusAndAlertmanager shows what other packages rely on: found, scraped, fired, silenced, killed, back.
func TestPrometheusAndAlertmanager(t *testing.T) {
	t.Parallel()
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "answer 42")
	}))
	defer target.Close()
	hook := StartWebhook(t)
	am := StartAlertmanager(t, func(string) string {
		return "route: {receiver: r, group_wait: 0s}\nreceivers: [{name: r, webhook_configs: [{url: '" + hook.URL() +
			"/r'}]}]\n"
	})
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(rules,
		[]byte("groups: [{name: g, rules: [{alert: A, expr: 'answer == 42', labels: {x: y}}]}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	prom := StartPrometheus(t, func(string) string {
		return fmt.Sprintf(`
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%q]
alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}
scrape_configs: [{job_name: j, static_configs: [{targets: [%q]}]}]
`, rules, am.Addr(), strings.TrimPrefix(target.URL, "http://"))
	})
	prom.WaitScraped("j")
	prom.WaitAlertmanagers(1)
	answered := func() bool {
		s, err := prom.TryQuery("answer")
		return err == nil && len(s) == 1 && s[0].Value == 42 && s[0].Labels["job"] == "j"
	}
	Until(t, "the target's answer", answered)
	Until(t, "the alert fires", func() bool {
		f, err := prom.Firing()
		return err == nil && slices.Equal(f, []string{"A"})
	})
	Until(t, "it is delivered", func() bool { return len(hook.Messages("/r")) == 1 })
	if s := prom.Query("scalar(vector(7))"); len(s) != 1 || s[0].Value != 7 {
		t.Errorf("a scalar is %v", s)
	}
	if _, err := prom.TryQuery("answer{"); err == nil {
		t.Error("a broken expression is no error")
	}

	addr := prom.Addr()
	prom.Kill()
	if _, err := prom.TryQuery("answer"); err == nil {
		t.Error("it still answers")
	}
	prom.Start()
	if prom.Addr() != addr {
		t.Errorf("back on %s, was on %s", prom.Addr(), addr)
	}
	Until(t, "the target's answer, again", answered)

	id := am.Silence("x", "y", "seen")
	Until(t, "the alert is silenced", func() bool {
		list, err := am.Alerts(`alertname="A"`)
		return err == nil && len(list) == 1 && slices.Equal(list[0].Status.SilencedBy, []string{id})
	})
	am.Stop()
	am.Start()
	if r, err := am.Receivers(); err != nil || !slices.Equal(r, []string{"r"}) {
		t.Errorf("receivers %v, %v", r, err)
	}
}

// What the stand-ins refuse must be what Telegram and mail servers refuse: else they prove nothing.
func TestTelegramsMarkup(t *testing.T) {
	for markup, want := range map[string]string{
		"<b>51 tiket</b>\n• A &amp; B <a href=\"http://x/?a=1&amp;b=2\">Daftar</a>": "51 tiket\n• A & B Daftar",
		"&#34;q&#x22;":                 `"q"`,
		"a < b":                        "",
		"a > b":                        "",
		"a & b":                        "",
		"&nbsp;":                       "",
		"<b>x":                         "",
		"x</b>":                        "",
		"<b><i>x</b></i>":              "",
		"<div>x</div>":                 "",
		`<b class="x">x</b>`:           "",
		`<a href='x'>x</a>`:            "",
		"&hellip;":                     "",
		"<a href=\"x\">Daftar lengkap": "",
	} {
		got, err := visible(markup)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%q: %q, %v", markup, got, err)
		}
	}
	if checkLength(strings.Repeat("é", TelegramLimit), strings.Repeat("é", TelegramLimit)) != nil ||
		checkLength("x", strings.Repeat("x", TelegramLimit+1)) == nil ||
		checkLength(strings.Repeat("x", TelegramLimit+1), "x") == nil || checkLength("", "") == nil {
		t.Error("the length is judged wrongly")
	}
}

func TestMailsThatAreNotWellFormed(t *testing.T) {
	head := "From: a@b.id\nTo: c@d.id\nDate: Mon, 02 Jan 2006 15:04:05 +0700\nMessage-Id: <1@b>\nMime-Version: 1.0\n"
	plain := "Content-Type: text/plain; charset=utf-8\n\nhalo\n"
	for name, c := range map[string]struct {
		raw string
		ok  bool
	}{
		"good":             {head + "Subject: =?utf-8?q?Tiket_=E2=80=93_2?=\n" + plain, true},
		"no subject":       {head + plain, false},
		"subject in UTF-8": {head + "Subject: tiket – 2\n" + plain, false},
		"two subjects":     {head + "Subject: a\nSubject: b\n" + plain, false},
		"long line":        {head + "Subject: a\n" + plain + strings.Repeat("x", 999), false},
		"no charset":       {head + "Subject: a\nContent-Type: text/plain\n\nhalo\n", false},
		"no date":          {strings.Replace(head, "Date", "Dat", 1) + "Subject: a\n" + plain, false},
	} {
		m := Mail{From: "a@b.id", To: []string{"c@d.id"}}
		if err := m.decode([]byte(c.raw)); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		} else if c.ok && (m.Subject != "Tiket – 2" || m.Text != "halo\n") {
			t.Errorf("%s: %+v", name, m)
		}
	}
}
