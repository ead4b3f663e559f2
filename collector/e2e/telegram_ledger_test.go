package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestTelegramLedger follows late tickets through the real Alertmanager to Telegram by the service itself, in an office
// without WhatsApp: what became of each message is recorded, whatever Telegram answers.
func TestTelegramLedger(t *testing.T) {
	t.Parallel()
	p := newPagingBy(t, `mon-sun: ["00:00-24:00"]`, func(p *paging) (top, channels string) {
		p.deliver = "http://" + p.s.addr + "/alertmanager/v1/telegram"
		p.extra = "telegram: {contacts: contacts.yaml, bot_token_file: token}\n"
		return "", ""
	})
	p.s.start().ready()
	// ledger waits until the record of one channel says of one OPD, whatever else it does: state, code, tries, moved.
	ledger := func(opd, channel, want string) {
		t.Helper()
		p.s.until("the ledger says "+want+" of "+opd, func() bool {
			got, err := p.s.tryQuery(fmt.Sprintf("SELECT DISTINCT state, code, tries, moved FROM deliveries "+
				"WHERE ifNull(opd, '') = '%s' AND channel = '%s' AND kind = 'ticket' ORDER BY told_at DESC LIMIT 1", opd, channel))
			return err == nil && strings.Join(strings.Fields(got), " ") == want
		})
	}
	sent := func(r recipient) int { return len(p.telegram.Messages(r.chat)) }
	var lamps []string

	p.step("fifty late tickets are one message, accepted, and one is acknowledged", func(t *testing.T) {
		lamps = p.open(late, slices.Repeat([]matter{lamp}, 50)...)
		Until(t, "Telegram", func() bool { return sent(dishub) > 0 })
		m := p.telegram.Messages(dishub.chat)[0]
		if !strings.Contains(m.Text, "Dinas Perhubungan memiliki 50 tiket") || !strings.Contains(m.Text, "• Tiket "+lamps[9]) ||
			!strings.Contains(m.Text, "dan 40 lainnya") {
			t.Errorf("it reads\n%s", m.Text)
		}
		if page := p.get(t, link(t, m.HTML)); !strings.Contains(page, lamps[49]) {
			t.Errorf("the page behind the link does not list %s", lamps[49])
		}
		p.press(t, p.active(t)[lamps[0]].Annotations["link"])
		ledger("dishub", "telegram", "accepted 0 1 false")
		p.s.until("the times are known", func() bool {
			got, err := p.s.tryQuery("SELECT messages, delivered, reads, acknowledgements, to_acknowledged BETWEEN 3590 AND 7200 " +
				"FROM deliveries_by_opd(since = 0, until = 9999999999999) WHERE opd = 'dishub' AND channel = 'telegram'")
			f := strings.Fields(got) // late for an hour when it was told
			return err == nil && len(f) == 5 && f[1] == f[0] && f[2] == "0" && f[3] == "1" && f[4] == "1"
		})
		if n := len(p.mail.Messages(dishub.mail())); n != 0 {
			t.Errorf("%d messages by e-mail too", n)
		}
	})

	p.step("too many: it comes back when Telegram says", func(t *testing.T) {
		p.telegram.Refuse(dlhk.chat, 1, http.StatusTooManyRequests, map[string]any{"retry_after": 1})
		p.open(late, matter{"dlhk", "sampah", "non_darurat"})
		ledger("dlhk", "telegram", "accepted 0 2 false")
	})

	p.step("blocked: it goes by e-mail at once", func(t *testing.T) {
		p.telegram.Refuse(dpubmsda.chat, -1, http.StatusForbidden, nil)
		p.open(late, matter{"dpubmsda", "jalan_rusak", "non_darurat"})
		ledger("dpubmsda", "telegram", "failed 403 1 false")
		ledger("dpubmsda", "email", "accepted 0 1 false")
		if n := len(p.mail.Messages(dpubmsda.mail())); n == 0 {
			t.Error("no e-mail")
		}
		if out, errs, code := p.s.run("telegram", "test", "--to", "Grup dpubmsda", "--server", "http://"+p.s.addr); code == 0 ||
			!strings.Contains(errs, "the bot was blocked") {
			t.Errorf("a test: %d %s %s", code, out, errs)
		}
	})

	p.step("a group that became a supergroup is followed", func(t *testing.T) {
		now := recipient{"pindah", -1001000009003}
		p.telegram.Refuse(leadership.chat, -1, http.StatusBadRequest, map[string]any{"migrate_to_chat_id": now.chat})
		p.open(veryLate, matter{"dishub", "pju", "non_darurat"})
		ledger("", "telegram", "accepted 0 2 true")
		if sent(now) == 0 {
			t.Error("nothing came to the new number")
		}
	})

	p.step("an emergency is sent by Alertmanager, by every way at once", func(t *testing.T) {
		telegrams, mails := sent(dishub), len(p.mail.Messages(dishub.mail()))
		urgent := p.open(late, matter{"dishub", "kecelakaan", "darurat"})[0]
		Until(t, "all ways", func() bool { return sent(dishub) > telegrams && len(p.mail.Messages(dishub.mail())) > mails })
		Until(t, "the record of Alertmanager's", func() bool {
			got, err := p.s.tryQuery("SELECT count() FROM notifications WHERE channel = '' AND subject = '" + urgent + "'")
			return err == nil && strings.TrimSpace(got) != "0"
		})
		if got := strings.TrimSpace(p.s.query("SELECT count() FROM deliveries WHERE ticket = '" + urgent + "'")); got != "0" {
			t.Errorf("the service sent it too: %s", got)
		}
	})

	p.step("a test message is followed, and the page shows all", func(t *testing.T) {
		out, errs, code := p.s.run("telegram", "test", "--to", "Grup dishub", "--server", "http://"+p.s.addr)
		if code != 0 || !strings.Contains(out, "Grup dishub: accepted by telegram") {
			t.Errorf("%d %s %s", code, out, errs)
		}
		day := func(add int) string { return time.Now().In(wib).AddDate(0, 0, add).Format(time.DateOnly) }
		page := p.get(t, "http://"+p.s.addr+"/pesan?since="+day(-1)+"&until="+day(1))
		for _, want := range []string{"Dinas Perhubungan", "Telegram", "Surel", "(n = 1)"} {
			if !strings.Contains(page, want) {
				t.Errorf("no %q on\n%s", want, page)
			}
		}
	})
}
