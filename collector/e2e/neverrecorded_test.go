package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestWhatAFeedNeverBringsIsOneMessage: 25 tickets of each of two OPDs, ten weeks old, none of which was ever
// acknowledged or resolved, are four facts that the feed never brings. Diskominfo gets one message, nobody else any.
func TestWhatAFeedNeverBringsIsOneMessage(t *testing.T) {
	t.Parallel()
	const alert = "Monev112FactNeverRecorded"
	p := newPaging(t, `mon-sun: ["00:00-24:00"]`)
	p.s.start().ready()
	var lines strings.Builder
	for i := range 50 {
		id, opd := fmt.Sprintf("LAMA-%02d", i), []string{"dishub", "dlhk"}[i%2]
		at := time.Now().Add(-70*24*time.Hour + time.Duration(i)*time.Minute).UTC().Format(time.RFC3339Nano)
		for _, e := range []fields{
			{"type": "monev112.ticket.opened", "subject": "ticket/" + id, "time": at, "data": fields{"category": "pju",
				"priority": "non_darurat"}},
			{"type": "monev112.ticket.assigned", "subject": "ticket/" + id, "time": at, "data": fields{"opd": opd}},
		} {
			lines.WriteString(line(fmt.Sprint(e["type"], "-", id), e) + "\n")
		}
	}
	p.send(lines.String(), 100)
	p.s.shipped()
	if got := p.s.query(`SELECT opd, clock FROM monev_not_recorded(since = toString(today() - 100), until = toString(today() + 1))
		WHERE never AND clock IN ('acknowledge', 'resolve') ORDER BY opd, clock`); strings.Count(got, "\n") != 3 {
		t.Fatalf("never brought:\n%s", got)
	}
	p.s.stop() // what is never brought is asked once an hour, and at the start
	p.s.start().ready()
	if !p.s.until("it is counted", func() bool { return p.s.metric(`monev112_facts_never_recorded{center="35.15"}`) == 4 }) {
		t.Fatal("the service ended")
	}
	p.startPrometheus()
	rules := p.dir + "/rules/tickets.yaml"
	text := read(t, rules)
	if !strings.Contains(text, "for: 12m0s") {
		t.Fatal("the rule holds for another time")
	}
	p.write("rules/tickets.yaml", strings.ReplaceAll(text, "for: 12m0s", "for: 1s"))
	r, err := http.Post(p.prom.URL()+"/-/reload", "", nil)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatal(r, err)
	}
	r.Body.Close()

	told := func(to recipient) []Webhook {
		return slices.DeleteFunc(p.conditions(to), func(m Webhook) bool { return m.Alerts[0].Labels["alertname"] != alert })
	}
	Until(t, "Diskominfo is told", func() bool { return len(told(diskominfo)) > 0 })
	m := told(diskominfo)[0]
	if len(m.Alerts) != 1 || !strings.Contains(m.Alerts[0].Annotations["description"], "ada 4 catatan penanganan") {
		t.Errorf("%v: %+v", m, m.Alerts)
	}
	Until(t, "the telephone has it", func() bool {
		return slices.ContainsFunc(p.telegram.Messages(diskominfo.chat), func(m TelegramMessage) bool {
			return strings.Contains(m.Text, "tidak pernah masuk selama 60 hari dan 20 tiket")
		})
	})
	held, err := p.am.Alerts(`alertname="` + alert + `"`)
	if err != nil || len(held) != 1 {
		t.Errorf("Alertmanager holds %d: %v", len(held), err)
	}
	for _, other := range everyone {
		if n := len(told(other)); (n == 1) != (other == diskominfo) {
			t.Errorf("%s got %d messages", other.name, n)
		}
	}
}
