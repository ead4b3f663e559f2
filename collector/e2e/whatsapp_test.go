package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/alerting/whatsapp"
	"github.com/monev112/monev112/collector/alerting/whatsapp/whatsapptest"
)

// officialsNumber is that of the head of Dinas Perhubungan, whom contacts and records call by the office.
const (
	officialsNumber = "6281200000014"
	official        = "Kepala Dinas Perhubungan"
)

// TestWhatsApp follows late tickets through the real Alertmanager to a stand-in of the Cloud API, and back.
func TestWhatsApp(t *testing.T) {
	t.Parallel()
	api := whatsapptest.New()
	t.Cleanup(api.Close)
	p := newPagingBy(t, `mon-sun: ["00:00-24:00"]`, func(p *paging) (top, channels string) {
		files := map[string]string{
			"token_file": whatsapptest.Token, "app_secret_file": whatsapptest.AppSecret,
			"verify_token_file": whatsapptest.VerifyToken,
		}
		p.extra = fmt.Sprintf("whatsapp:\n  contacts: contacts.yaml\n  phone_number_id: %q\n  api_url: %s/v23.0\n",
			whatsapptest.PhoneNumberID, api.URL)
		for name, text := range files {
			p.extra += fmt.Sprintf("  %s: %s\n", name, p.write("secrets/"+name, text))
		}
		return fmt.Sprintf("whatsapp: {url: %q}", "http://"+p.s.addr+"/alertmanager/v1/whatsapp"),
			fmt.Sprintf("whatsapp: [{name: %q, number: %q}]", official, "+"+officialsNumber)
	})
	templates := filepath.Join(p.dir, "templates")
	if out, errs, code := p.s.run("whatsapp", "templates", "--out", templates, "--public-url",
		"http://"+p.s.addr); code != 0 {
		t.Fatalf("%d %s %s", code, out, errs)
	}
	for _, tmpl := range whatsapp.Templates() {
		if err := api.Approve([]byte(read(t, filepath.Join(templates, tmpl.Name+".json")))); err != nil {
			t.Fatal(err)
		}
	}
	p.s.start().ready()
	taken := func() []whatsapptest.Message { m, _ := api.Taken(); return m }
	webhook := func(body []byte, signature string) int {
		req, err := http.NewRequest(http.MethodPost, "http://"+p.s.addr+"/v1/whatsapp/webhook", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Hub-Signature-256", signature)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	said := func(m whatsapptest.Message, state string, code int) {
		t.Helper()
		body := whatsapptest.Status(m.ID, state, time.Now(), code)
		if got := webhook(body, whatsapptest.Sign(body)); got != http.StatusOK {
			t.Fatalf("a webhook is answered %d", got)
		}
	}
	var lamps []string

	p.step("fifty late tickets are one message, delivered, read and acknowledged", func(t *testing.T) {
		lamps = p.open(late, slices.Repeat([]matter{lamp}, 50)...)
		Until(t, "the message", func() bool { return len(taken()) > 0 })
		m := taken()[0]
		if m.To != officialsNumber || m.Template != whatsapp.TicketsLate || !strings.Contains(m.Text, "memiliki 50 tiket") ||
			!strings.Contains(m.Text, lamps[0]) {
			t.Errorf("%+v", m)
		}
		if page := p.get(t, "http://"+p.s.addr+"/p/"+m.Button); !strings.Contains(page, lamps[49]) {
			t.Errorf("the page behind the button does not list %s", lamps[49])
		}
		body := whatsapptest.Status(m.ID, "read", time.Now(), 0)
		if got := webhook(body, "sha256=00"); got != http.StatusForbidden {
			t.Errorf("an unsigned webhook is answered %d", got)
		}
		said(m, "delivered", 0)
		said(m, "read", 0)
		p.press(t, p.active(t)[lamps[0]].Annotations["link"])
		p.s.until("the record says so", func() bool {
			got := strings.Fields(p.s.query("SELECT uniqExact(message), count(), countIf(state = 'read'), " +
				"countIf(acknowledged_at IS NOT NULL) FROM deliveries WHERE channel = 'whatsapp'"))
			return slices.Equal(got, []string{"1", "50", "50", "1"})
		})
		if n := len(p.telegram.Messages(dishub.chat)); n != 0 {
			t.Errorf("%d messages by Telegram too", n)
		}
	})

	p.step("a failed one goes by Telegram, once, also over a kill", func(t *testing.T) {
		p.open(late, lamp)
		Until(t, "the second message", func() bool { return len(taken()) > 1 })
		said(taken()[1], "failed", 131026)
		Until(t, "Telegram", func() bool { return len(p.telegram.Messages(dishub.chat)) > 0 })
		Until(t, "what is known of it to be durable", func() bool { // before that a kill sends it again, marked twice
			return p.s.metric(`monev112_delivery_messages_total{channel="telegram",state="accepted"}`) == 1
		})
		p.s.kill()
		p.s.start().ready()
		p.s.until("the record says so", func() bool { // once the engine runs again
			got, err := p.s.tryQuery("SELECT countIf(channel = 'telegram' AND state = 'accepted') > 0 FROM deliveries")
			return err == nil && strings.TrimSpace(got) == "1"
		})
		if n := len(p.telegram.Messages(dishub.chat)); n != 1 || len(taken()) != 2 {
			t.Errorf("%d messages by Telegram, %d by WhatsApp", n, len(taken()))
		}
	})

	p.step("a paused template is gone around and told", func(t *testing.T) {
		api.Pause(whatsapp.TicketsLate, true)
		p.open(late, lamp)
		Until(t, "Telegram", func() bool { return len(p.telegram.Messages(dishub.chat)) > 1 })
		if got := p.s.metric(`monev112_delivery_template_stopped{template="` + whatsapp.TicketsLate + `"}`); got != 1 {
			t.Errorf("the gauge is %v", got)
		}
	})

	p.step("an emergency goes by every way at once", func(t *testing.T) {
		before, telegrams := len(taken()), len(p.telegram.Messages(dishub.chat))
		p.open(late, matter{"dishub", "kecelakaan", "darurat"})
		Until(t, "all ways", func() bool {
			return len(taken()) > before && len(p.telegram.Messages(dishub.chat)) > telegrams
		})
		if m := taken()[before]; m.Template != whatsapp.TicketsEmergency {
			t.Errorf("%+v", m)
		}
	})

	p.step("a test message is followed", func(t *testing.T) {
		before := len(taken())
		go func() {
			Until(t, "the test message", func() bool { return len(taken()) > before })
			said(taken()[before], "delivered", 0)
		}()
		out, errs, code := p.s.run("whatsapp", "test", "--to", official, "--server", "http://"+p.s.addr)
		if code != 0 || !strings.Contains(out, official+": delivered by whatsapp") {
			t.Errorf("%d %s %s", code, out, errs)
		}
		if _, errs, code := p.s.run("whatsapp", "test", "--to", "Nobody", "--server", "http://"+p.s.addr); code == 0 ||
			!strings.Contains(errs, "contacts file") {
			t.Errorf("nobody: %d %s", code, errs)
		}
	})

	p.step("no number is seen", func(t *testing.T) {
		rows := p.s.query("SELECT * FROM notifications FORMAT JSONEachRow")
		if !strings.Contains(rows, official) {
			t.Errorf("nobody was told: %.300s", rows)
		}
		seen := map[string]string{
			"ClickHouse": rows, "metrics": p.get(t, "http://"+p.s.addr+"/metrics"), "log": p.s.log.String(),
		}
		for where, text := range seen {
			for _, secret := range []string{officialsNumber, officialsNumber[2:], "wamid", whatsapptest.Token} {
				if strings.Contains(text, secret) {
					t.Errorf("%s holds %s", where, secret)
				}
			}
		}
	})
}

// TestTheOutboxOverKills kills the service at every place of the way of a message. It is sent after the next start, and
// a second time only where it had left and nothing said so: that one is marked.
func TestTheOutboxOverKills(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]struct {
		messages int
		twice    string
	}{
		"delivery.sending":  {1, "1"}, // nobody can know that it had not left
		"delivery.sent":     {2, "1"},
		"delivery.recorded": {1, "0"},
	} {
		t.Run(at, func(t *testing.T) {
			api := whatsapptest.New()
			t.Cleanup(api.Close)
			for _, tmpl := range whatsapp.Templates() {
				text, err := json.Marshal(tmpl.Submission("http://127.0.0.1/p/"))
				if err != nil {
					t.Fatal(err)
				}
				if err := api.Approve(text); err != nil {
					t.Fatal(err)
				}
			}
			dir := t.TempDir()
			write := func(name, text string) string {
				path := filepath.Join(dir, name)
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				return path
			}
			write("contacts.yaml", fmt.Sprintf(`version: 1
whatsapp: {url: "http://127.0.0.1:1"}
operations: {webhook: [{url: "http://127.0.0.1:2"}]}
centers: [{code: "35.15", leadership: {whatsapp: [{name: Sekda, number: "+%s"}]}}]
`, officialsNumber))
			config := write("monev112.yaml", fmt.Sprintf("whatsapp:\n  contacts: contacts.yaml\n  phone_number_id: %q\n"+
				"  api_url: %s/v23.0\n  token_file: %s\n  app_secret_file: %s\n  verify_token_file: %s\n",
				whatsapptest.PhoneNumberID, api.URL, write("token", whatsapptest.Token), write("secret", whatsapptest.AppSecret),
				write("verify", whatsapptest.VerifyToken)))
			s := newService(t, "--config", config).start("MONEV112_KILL_AT=" + at + ":1")
			if !s.ready() {
				t.Fatal("the service ended")
			}
			body := `{"version":"4","groupKey":"g","receiver":"pimpinan-35-15","alerts":[{"status":"firing","fingerprint":` +
				`"00000000000000aa","startsAt":"2026-11-23T01:00:00Z","labels":{"alertname":"Monev112Ticket","kind":"ticket",` +
				`"level":"escalated","ticket":"T-1","priority":"mendesak"},"annotations":{"late_by":"3 jam"}}]}`
			hand := func() int {
				resp, err := http.Post("http://"+s.addr+"/alertmanager/v1/whatsapp", "application/json", strings.NewReader(body))
				if err != nil {
					return 0 // it was killed before it could answer
				}
				_ = resp.Body.Close()
				return resp.StatusCode
			}
			if got := hand(); got != http.StatusOK && got != 0 {
				t.Fatalf("handed over: %d", got)
			}
			s.ended("killed at " + at)
			if !s.start().ready() {
				t.Fatal("the second start ended")
			}
			if got := hand(); got != http.StatusOK { // as Alertmanager does, which may have got no answer
				t.Fatalf("handed over again: %d", got)
			}
			s.until("the record says so", func() bool {
				got, err := s.tryQuery("SELECT count(), countIf(twice) FROM deliveries WHERE state = 'accepted'")
				return err == nil && strings.TrimSpace(got) == "1\t"+want.twice
			})
			if taken, _ := api.Taken(); len(taken) != want.messages {
				t.Errorf("%d messages, want %d", len(taken), want.messages)
			}
		})
	}
}
