package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/alerting/pager"
	"github.com/monev112/monev112/collector/e2e/servers"
)

// paging is everything between an event and a telephone: the collector, Prometheus, Alertmanager, and stand-ins for
// Telegram, mail and webhooks. Alertmanager's configuration is the one that `alertmanager-config` writes for the
// shipped directory and the contacts below, Prometheus' is the shipped one with the shipped rules; only addresses and
// timings differ.
type paging struct {
	t        *testing.T
	s        *service
	am       *Alertmanager
	prom     *Prometheus
	telegram *TelegramServer
	mail     *MailServer
	hook     *WebhookServer
	dir      string
	config   string // of the collector
	extra    string // sections of it beside the policies, calendars and the pager
	deliver  string // where the contacts say that messages by Telegram are handed over; empty: nowhere
	serial   int
}

// recipient is reached by Telegram, mail and a webhook at once.
type recipient struct {
	name string // also the path of its webhook
	chat int64
}

func (r recipient) path() string { return "/" + r.name }
func (r recipient) mail() string { return r.name + "@example.go.id" }

func (r recipient) channels(hook string) string {
	return fmt.Sprintf("telegram: [{name: Grup %s, chat_id: %d}], email: [%s], webhook: [{url: %q}]", r.name, r.chat,
		r.mail(), hook+r.path())
}

var (
	diskominfo  = recipient{"diskominfo", -1001000000001}
	supervisors = recipient{"koordinator", -1001000000002}
	leadership  = recipient{"pimpinan", -1001000000003}
	dishub      = recipient{"dishub", -1001000000014}
	dpubmsda    = recipient{"dpubmsda", -1001000000015}
	dlhk        = recipient{"dlhk", -1001000000016}
	everyone    = []recipient{diskominfo, supervisors, leadership, dishub, dpubmsda, dlhk}
)

// Of the caller, in events alone: no message may show them.
const (
	callersNumber = "081234567890"
	callersName   = "Sri Wahyuningsih"
)

const botToken = "112:test"

// target is what the policy of these tests gives an OPD to accept a ticket: hours by the wall clock, so that a ticket
// is late, or very late, by the time at which it was given to the OPD.
const target = 10 * time.Hour

// How long ago a ticket was given to its OPD.
const (
	late     = 11 * time.Hour // 110 %
	veryLate = 16 * time.Hour // 160 %: escalated
)

// newPaging starts Alertmanager and prepares a collector; startAll starts it. open are the working hours of the
// calendar.
func newPaging(t *testing.T, open string) *paging { return newPagingBy(t, open, nil) }

// newPagingBy is newPaging with another way to the head of Dinas Perhubungan: what it adds to the contacts file, at its
// top and to the channels of that OPD.
func newPagingBy(t *testing.T, open string, way func(p *paging) (top, channels string)) *paging {
	t.Helper()
	servers.Tool(t, "alertmanager") // before anything is started
	p := &paging{
		t: t, s: newService(t), dir: t.TempDir(),
		telegram: StartTelegram(t, botToken), mail: StartMail(t), hook: StartWebhook(t),
	}
	p.write("token", botToken)
	p.write("policies/sidoarjo.yaml", fmt.Sprintf(`
policy: sidoarjo
version: "test.1"
valid_from: 2023-01-01
title: uji
ladder: {risk: 75, escalated: 150, escalated2: 200}
pauses: {reasons: [cuaca], cap: {elapsed: 72h, hours: 40h, days: 10d}}
clocks:
  - {clock: acknowledge, kind: elapsed, target: %s}
  - {clock: acknowledge, priority: darurat, kind: elapsed, target: %[1]s}
  - {clock: [resolve, resolve_total], kind: elapsed, target: 300h}
`, target))
	p.write("calendars/id-sidoarjo.yaml", `
calendar: id-sidoarjo
version: "test.1"
zone: Asia/Jakarta
valid_from: 2023-01-01
covered_until: 2100-12-31
weekly: [{from: 2023-01-01, windows: {`+open+`}}]
`)
	top, dishubs := "", dishub.channels(p.hook.URL())
	if way != nil {
		var more string
		if top, more = way(p); more != "" {
			dishubs += ", " + more
		}
	}
	bot := fmt.Sprintf("{bot_token_file: %q, api_url: %q}", filepath.Join(p.dir, "token"), p.telegram.URL())
	if p.deliver != "" {
		bot = strings.TrimSuffix(bot, "}") + fmt.Sprintf(", deliver: {url: %q}}", p.deliver)
	}
	p.config = p.write("monev112.yaml", p.collectorConfig(""))
	p.s.args = append(p.s.args, "--config", p.config)
	contacts := p.write("contacts.yaml", fmt.Sprintf(`
version: 1
%s
telegram: %s
smtp: {smarthost: %q, from: peringatan112@example.go.id, require_tls: false}
log: {url: "http://%s/alertmanager/v1/log"}
operations: {%s}
centers:
  - code: "35.15"
    supervisors: {%s}
    leadership: {%s}
    opds:
      - {id: dishub, %s}
      - {id: dpubmsda, %s}
      - {id: dlhk, %s}
`, top, bot, p.mail.Addr(), p.s.addr,
		diskominfo.channels(p.hook.URL()), supervisors.channels(p.hook.URL()), leadership.channels(p.hook.URL()),
		dishubs, dpubmsda.channels(p.hook.URL()), dlhk.channels(p.hook.URL())))
	generated, notes, code := p.s.run("alertmanager-config", "--config", p.config, "--contacts", contacts, "--templates",
		filepath.Join(servers.Root(t), "alerts", "templates", "*.tmpl"))
	if code != 0 {
		t.Fatalf("alertmanager-config: %d\n%s", code, notes)
	}
	p.am = StartAlertmanager(t, func(string) string { return inSeconds(generated) })
	p.setDigest(time.Now().Add(time.Hour + pager.DigestFor)) // not in this test, at whatever hour it runs
	return p
}

// setDigest writes the configuration of the collector's next start with a digest that is due at a time of day.
func (p *paging) setDigest(at time.Time) {
	p.t.Helper()
	p.write("monev112.yaml",
		p.collectorConfig(fmt.Sprintf("{alertmanagers: [{url: %q}], interval: 1s, closed_for: 15s, digest: %q}", p.am.URL(),
			at.In(wib).Format("15:04"))))
}

// wib is the zone of the default centre, and of these tests' calendars.
var wib = time.FixedZone("WIB", 7*60*60)

func (p *paging) collectorConfig(pager string) string {
	text := "policies: [policies/sidoarjo.yaml]\ncalendars: [calendars/id-sidoarjo.yaml]\n"
	if pager != "" {
		text += "pager: " + pager + "\n"
	}
	return text + p.extra
}

// startPrometheus starts it with the shipped configuration and rules.
func (p *paging) startPrometheus() {
	p.t.Helper()
	names, err := filepath.Glob(filepath.Join(servers.Root(p.t), "alerts", "rules", "*.yaml"))
	if err != nil || len(names) == 0 {
		p.t.Fatalf("no rules: %v", err)
	}
	for _, name := range names {
		p.write("rules/"+filepath.Base(name), rulesInSeconds(read(p.t, name)))
	}
	shipped := read(p.t, filepath.Join(servers.Root(p.t), "deploy", "prometheus", "prometheus.yml"))
	p.prom = StartPrometheus(p.t, func(self string) string {
		text := shipped
		for _, r := range [][2]string{
			{"../../alerts/rules/*.yaml", filepath.Join(p.dir, "rules", "*.yaml")},
			{"127.0.0.1:9093", p.am.Addr()}, {"127.0.0.1:8112", p.s.addr}, {"127.0.0.1:9090", self},
		} {
			if !strings.Contains(text, r[0]) {
				p.t.Errorf("the shipped prometheus.yml does not say %s any more", r[0])
			}
			text = strings.ReplaceAll(text, r[0], r[1])
		}
		text = regexp.MustCompile(`scrape_(interval|timeout): \w+`).ReplaceAllString(text, "scrape_$1: 2s")
		return strings.ReplaceAll(text, "evaluation_interval: 15s", "evaluation_interval: 1s")
	})
	p.prom.WaitScraped("monev112", "alertmanager")
	p.prom.WaitAlertmanagers(1)
}

// inSeconds shortens how long Alertmanager gathers; nothing else of its configuration is touched.
func inSeconds(config string) string {
	config = regexp.MustCompile(`group_wait: \w+`).ReplaceAllString(config, "group_wait: 2s")
	return regexp.MustCompile(`group_interval: \w+`).ReplaceAllString(config, "group_interval: 3s")
}

// rulesInSeconds evaluates every second, and asks for a tenth of the time that a condition must hold.
func rulesInSeconds(rules string) string {
	rules = regexp.MustCompile(`(?m)^( +)interval: \w+$`).ReplaceAllString(rules, "${1}interval: 1s")
	return regexp.MustCompile(`(?m)^( +(?:for|keep_firing_for)): (\w+)$`).ReplaceAllStringFunc(rules,
		func(line string) string {
			key, value, _ := strings.Cut(line, ": ")
			d, err := time.ParseDuration(value)
			if err != nil {
				return line
			}
			return key + ": " + max(d/10, time.Second).String()
		})
}

func (p *paging) write(name, text string) string {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return path
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// step runs one part of the story; later parts rest on it.
func (p *paging) step(name string, part func(t *testing.T)) {
	p.t.Helper()
	if !p.t.Run(name, part) {
		p.t.FailNow()
	}
}

// matter is what a ticket is about.
type matter struct{ opd, category, priority string }

var lamp = matter{"dishub", "pju", "non_darurat"} // a street light is out

// open gives OPDs tickets, each by a call of a citizen, in one request; so long ago. It returns their ids.
func (p *paging) open(ago time.Duration, matters ...matter) []string {
	p.t.Helper()
	var ids []string
	var lines strings.Builder
	given := time.Now().Add(-ago)
	for i, r := range matters {
		p.serial++
		id := fmt.Sprintf("SDA-2026-%05d", p.serial)
		ids = append(ids, id)
		at := func(after time.Duration) string {
			return given.Add(after + time.Duration(i)*time.Millisecond).UTC().Format(time.RFC3339Nano)
		}
		for _, e := range []fields{
			{"type": "monev112.call.received", "subject": "call/C-" + id, "time": at(-2 * time.Minute),
				"data": fields{"caller": callersNumber, "name": callersName}},
			{"type": "monev112.call.answered", "subject": "call/C-" + id, "time": at(-2*time.Minute + 5*time.Second)},
			{"type": "monev112.call.ended", "subject": "call/C-" + id, "time": at(-30 * time.Second)},
			{"type": "monev112.ticket.opened", "subject": "ticket/" + id, "time": at(-time.Minute), "data": fields{
				"calls": []string{"C-" + id}, "category": r.category, "priority": r.priority, "kecamatan": "35.15.18",
				"pelapor": callersName, "no_hp": callersNumber}},
			{"type": "monev112.ticket.assigned", "subject": "ticket/" + id, "time": at(0), "data": fields{"opd": r.opd}},
		} {
			lines.WriteString(line(fmt.Sprint(e["type"], "-", id), e) + "\n")
		}
	}
	p.send(lines.String(), 5*len(matters))
	return ids
}

// close closes tickets now, in one request.
func (p *paging) close(ids ...string) {
	p.t.Helper()
	var lines strings.Builder
	for _, id := range ids {
		lines.WriteString(line("closed-"+id, fields{"type": "monev112.ticket.closed", "subject": "ticket/" + id}) + "\n")
	}
	p.send(lines.String(), len(ids))
}

func (p *paging) send(lines string, n int) {
	p.t.Helper()
	a, status, err := p.s.post([]byte(lines))
	if err != nil || status != http.StatusOK || a.Accepted != n {
		p.t.Fatalf("of %d events %+v, status %d, %v", n, a, status, err)
	}
}

// told returns the messages on tickets that a recipient's webhook got.
func (p *paging) told(r recipient) []Webhook {
	return slices.DeleteFunc(p.hook.Messages(r.path()), func(m Webhook) bool {
		return m.Alerts[0].Labels["kind"] != "ticket"
	})
}

// conditions returns the messages on conditions.
func (p *paging) conditions(r recipient) []Webhook {
	return slices.DeleteFunc(p.hook.Messages(r.path()), func(m Webhook) bool {
		return m.Alerts[0].Labels["kind"] != ""
	})
}

// next waits for the next message on tickets to a recipient, after n of them.
func (p *paging) next(t *testing.T, r recipient, n int) Webhook {
	t.Helper()
	Until(t, fmt.Sprintf("message %d to %s", n+1, r.name), func() bool { return len(p.told(r)) > n })
	return p.told(r)[n]
}

// tickets are the ids in a message, sorted.
func tickets(m Webhook) []string {
	var out []string
	for _, a := range m.Alerts {
		out = append(out, a.Labels["ticket"])
	}
	slices.Sort(out)
	return out
}

// texts waits until Telegram and mail have as many messages for a recipient as its webhook, and returns what people
// read.
func (p *paging) texts(t *testing.T, r recipient) []string {
	t.Helper()
	n := len(p.hook.Messages(r.path()))
	Until(t, fmt.Sprintf("%d messages to %s by every channel", n, r.name), func() bool {
		return len(p.telegram.Messages(r.chat)) >= n && len(p.mail.Messages(r.mail())) >= n
	})
	var out []string
	for _, m := range p.telegram.Messages(r.chat) {
		out = append(out, m.Text)
	}
	return out
}

// active returns the ticket alerts that Alertmanager holds, by ticket.
func (p *paging) active(t *testing.T, matchers ...string) map[string]Alert {
	t.Helper()
	list, err := p.am.Alerts(append(matchers, `kind="ticket"`)...)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]Alert{}
	for _, a := range list {
		out[a.Labels["ticket"]] = a
	}
	return out
}

// push posts alerts to Alertmanager as a pager would.
func (p *paging) push(t *testing.T, alerts []Alert, ends time.Time) {
	t.Helper()
	var list []map[string]any
	for _, a := range alerts {
		list = append(list, map[string]any{
			"labels": a.Labels, "annotations": a.Annotations, "startsAt": a.StartsAt, "endsAt": ends,
		})
	}
	body, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.Post(p.am.URL()+"/api/v2/alerts", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusOK {
		t.Fatalf("alerts: %s", r.Status)
	}
}

// expire ends all ticket alerts, which is what their end time does a quarter of an hour after the last push.
func (p *paging) expire(t *testing.T) {
	t.Helper()
	var list []Alert
	for _, a := range p.active(t) {
		list = append(list, a)
	}
	if len(list) == 0 {
		t.Fatal("there is no alert to expire")
	}
	p.push(t, list, time.Now())
	Until(t, "the alerts have ended", func() bool { return len(p.active(t)) == 0 })
}

// pageText returns the text of a page that must be there.
func pageText(t *testing.T, ask func() (*http.Response, error)) string {
	t.Helper()
	r, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%s (%v)\n%s", r.Status, err, text)
	}
	return string(text)
}
