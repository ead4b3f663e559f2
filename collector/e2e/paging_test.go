package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestPaging follows late tickets to the telephones of those who are responsible, through the real servers.
func TestPaging(t *testing.T) {
	t.Parallel()
	p := newPaging(t, `mon-sun: ["00:00-24:00"]`)
	p.s.start().ready()
	p.startPrometheus()
	var lamps, closed, escalated []string // tickets; lamps are the late ones of Dinas Perhubungan

	p.step("fifty late tickets are one message", func(t *testing.T) {
		lamps = p.open(late, slices.Repeat([]matter{lamp}, 50)...)
		m := p.next(t, dishub, 0)
		if got := tickets(m); !slices.Equal(got, lamps) {
			t.Errorf("told of %d tickets: %v", len(got), got)
		}
		text := p.texts(t, dishub)[0]
		for _, want := range []string{
			"50 tiket terlambat: Dinas Perhubungan",
			"\n• Tiket " + lamps[0] + " (Penerangan jalan umum, Kec. Waru) melewati batas waktu 1 jam", "\ndan 40 lainnya\n",
			"Daftar lengkap",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}
		if n := strings.Count(text, "• Tiket"); n != 10 {
			t.Errorf("%d tickets are listed", n)
		}
		if page := p.get(t, link(t, p.telegram.Messages(dishub.chat)[0].HTML)); !strings.Contains(page, lamps[49]) {
			t.Errorf("the page behind the link does not list %s:\n%s", lamps[49], page)
		}
	})

	p.step("one more is one update", func(t *testing.T) {
		lamps = append(lamps, p.open(late, lamp)...)
		if got := tickets(p.next(t, dishub, 1)); !slices.Equal(got, lamps) {
			t.Errorf("told of %d tickets, want 51", len(got))
		}
		if text := p.texts(t, dishub)[1]; !strings.Contains(text, "51 tiket terlambat") ||
			!strings.Contains(text, "dan 41 lainnya") {
			t.Errorf("the update reads\n%s", text)
		}
	})

	p.step("a silence and the button acknowledge a ticket", func(t *testing.T) {
		silenced, pressed := lamps[0], lamps[1]
		id := p.am.Silence("ticket", silenced, "diterima lewat telepon")
		p.press(t, p.active(t)[pressed].Annotations["link"])
		Until(t, "both are taken", func() bool {
			a := p.active(t)
			_, still := a[pressed]
			return !still && slices.Contains(a[silenced].Status.SilencedBy, id)
		})
		lamps = append(lamps[2:], p.open(late, lamp)...)
		if got := tickets(p.next(t, dishub, 2)); !slices.Equal(got, lamps) {
			t.Errorf("told of %d tickets: %v", len(got), got)
		}
	})

	p.step("forty closings are one message", func(t *testing.T) {
		closed, lamps = lamps[:40], lamps[40:]
		p.close(closed...)
		m := p.next(t, dishub, 3)
		if got := tickets(m); !slices.Equal(got, closed) || m.CommonLabels["level"] != "closed" {
			t.Errorf("told of %d tickets, level %q", len(got), m.CommonLabels["level"])
		}
		text := p.texts(t, dishub)[3]
		if !strings.Contains(text, "40 tiket selesai: Dinas Perhubungan") ||
			!strings.Contains(text, "• Tiket "+closed[0]+" (Penerangan jalan umum, Kec. Waru) ditutup ") ||
			!strings.Contains(text, "dan 30 lainnya") {
			t.Errorf("the closings read\n%s", text)
		}
	})

	p.step("escalation reaches the superior alone", func(t *testing.T) {
		escalated = p.open(veryLate, matter{"dpubmsda", "jalan_rusak", "non_darurat"},
			matter{"dlhk", "sampah", "non_darurat"})
		if got := tickets(p.next(t, leadership, 0)); !slices.Equal(got, escalated) {
			t.Errorf("the superior is told of %v", got)
		}
		if text := p.texts(t, leadership)[0]; !strings.Contains(text,
			"Eskalasi: 2 tiket jauh melewati batas waktu: beberapa OPD") {
			t.Errorf("the escalation reads\n%s", text)
		}
	})

	p.step("three reports from one place reach the supervisor, by name", func(t *testing.T) {
		p.open(0, lamp, lamp, lamp)
		Until(t, "the supervisor is told", func() bool {
			return slices.ContainsFunc(p.telegram.Messages(supervisors.chat), func(m TelegramMessage) bool {
				return strings.Contains(m.Text, "3 tiket Penerangan jalan umum dibuka di kecamatan Waru dalam 15 menit terakhir")
			})
		})
	})

	p.step("who was told what stands in ClickHouse", func(t *testing.T) {
		recorded := func(receiver, level, what string) []string {
			return strings.Fields(p.s.query("SELECT DISTINCT " + what +
				" FROM notifications FINAL WHERE center = '35.15' AND status = 'firing' AND kind = 'ticket' AND receiver = '" +
				receiver + "' AND level = '" + level + "' ORDER BY 1"))
		}
		p.s.until("the messages are stored", func() bool {
			return slices.Equal(recorded("opd-35-15-dishub", "closed", "subject"), closed) &&
				slices.Equal(recorded("pimpinan-35-15", "escalated", "subject"), escalated)
		})
		if got := recorded("opd-35-15-dishub", "overdue", "subject"); len(got) != 52 {
			t.Errorf("Dinas Perhubungan was told of %d late tickets, want 52: %v", len(got), got)
		}
		for level, want := range map[string]int{"overdue": 3, "closed": 1} {
			if got := len(recorded("opd-35-15-dishub", level, "message")); got != want {
				t.Errorf("%d messages of level %s, want %d", got, level, want)
			}
		}
		if all := p.s.query("SELECT * FROM notifications FORMAT JSONEachRow"); personal.MatchString(all) {
			t.Errorf("personal data stand in the record:\n%s", all)
		}
	})

	p.step("restarts repeat nothing", func(t *testing.T) {
		before := len(p.told(dishub))
		p.s.kill()
		p.s.start().ready()
		p.am.Stop()
		p.am.Start()
		p.prom.Kill()
		p.prom.Start()
		Until(t, "Alertmanager has the tickets again", func() bool {
			return len(p.active(t, `opd="dishub"`, `level="overdue"`)) == len(lamps)+1
		})
		lamps = append(lamps, p.open(late, lamp)...)
		if got := tickets(p.next(t, dishub, before)); !slices.Equal(got, lamps) {
			t.Errorf("told of %v, want %v", got, lamps)
		}
		if n := len(p.told(leadership)); n != 1 {
			t.Errorf("the superior is told %d times", n)
		}
	})

	p.step("collector killed: data belum masuk, and nothing is called done", func(t *testing.T) {
		told := func() (status string) { // by the latest message
			for _, m := range p.conditions(diskominfo) {
				if m.GroupLabels["alertname"] == "Monev112CollectorAbsent" {
					status = m.Status
				}
			}
			return status
		}
		Until(t, "the restart before is over", func() bool {
			a, err := p.am.Alerts(`alertname="Monev112CollectorAbsent"`)
			return err == nil && len(a) == 0 && told() != "firing"
		})
		// Below all alerts end before their time: a closing that is pushed after it may be told again.
		Until(t, "the closings have ended", func() bool { return len(p.active(t, `level="closed"`)) == 0 })
		p.s.kill()
		Until(t, "Diskominfo is told", func() bool { return told() == "firing" })
		if texts := p.texts(t, diskominfo); !slices.ContainsFunc(texts, func(s string) bool {
			return strings.Contains(s, "Data belum masuk")
		}) {
			t.Errorf("Diskominfo reads %q", texts)
		}
		for id, a := range p.active(t) {
			if len(a.Status.InhibitedBy) == 0 {
				t.Errorf("%s is not held back", id)
			}
		}
		p.expire(t)
		p.s.start().ready()
		Until(t, "Diskominfo is told that it is back", func() bool { return told() == "resolved" })
		p.tellsNewTicket(t, &lamps)
	})

	p.step("collector and Prometheus killed: nothing is called done", func(t *testing.T) {
		p.s.kill()
		p.prom.Kill()
		p.expire(t)
		// Each group of tickets is told of one more: it was flushed after the others had ended.
		for _, r := range []recipient{dishub, leadership} {
			level := map[recipient]string{dishub: "overdue", leadership: "escalated"}[r]
			witness := Alert{StartsAt: time.Now(), Annotations: map[string]string{"due_at": "2026-01-01T00:00:00Z"},
				Labels: map[string]string{
					"alertname": "Monev112Ticket", "kind": "ticket", "center": "35.15", "opd": "dishub", "level": level,
					"ticket": "SAKSI", "priority": "non_darurat"}}
			n := len(p.told(r))
			p.push(t, []Alert{witness}, time.Now().Add(time.Hour))
			if got := tickets(p.next(t, r, n)); !slices.Equal(got, []string{"SAKSI"}) {
				t.Errorf("%s is told of %v", r.name, got)
			}
			p.push(t, []Alert{witness}, time.Now())
		}
		p.prom.Start()
		p.s.start().ready()
		p.tellsNewTicket(t, &lamps)
	})

	p.step("everyone was told their own, and no more", func(t *testing.T) {
		for _, r := range everyone {
			for _, m := range p.told(r) {
				for _, a := range m.Alerts {
					opd, level := a.Labels["opd"], a.Labels["level"]
					wrong := a.Status != "firing"
					switch r {
					case diskominfo:
						wrong = wrong || level != "overdue"
					case leadership:
						wrong = wrong || level != "escalated"
					default:
						wrong = wrong || opd != r.name || level != "overdue" && level != "closed"
					}
					if wrong {
						t.Errorf("%s is told %s of %v", r.name, a.Status, a.Labels)
					}
				}
			}
		}
		p.wellFormed(t)
		done := 0
		for _, m := range p.telegram.Messages(0) {
			if strings.Contains(strings.ToLower(m.Text), "selesai:") {
				done++
			}
		}
		if done != 1 {
			t.Errorf("%d messages call tickets done; one did close", done)
		}
	})
}

// tellsNewTicket opens one more ticket and waits until its OPD is told of it and of the others.
func (p *paging) tellsNewTicket(t *testing.T, all *[]string) {
	t.Helper()
	*all = append(*all, p.open(late, lamp)...)
	Until(t, "the OPD is told of the new ticket", func() bool {
		list := p.told(dishub)
		return slices.Equal(tickets(list[len(list)-1]), *all)
	})
}

// TestQuietHours: at a time at which offices are closed an emergency is told and nothing else; the digest tells the
// rest.
func TestQuietHours(t *testing.T) {
	t.Parallel()
	day := strings.ToLower(time.Now().In(wib).AddDate(0, 0, 3).Format("Mon"))
	p := newPaging(t, day+`: ["10:00-11:00"]`) // on another day of the week
	p.s.start().ready()

	held := p.open(late, lamp, lamp, lamp)
	urgent := p.open(late, matter{"dishub", "kecelakaan", "darurat"})
	if got := tickets(p.next(t, dishub, 0)); !slices.Equal(got, urgent) {
		t.Errorf("told of %v, want the emergency alone", got)
	}
	Until(t, "the others are held", func() bool {
		muted, err := p.am.Muted()
		return err == nil && slices.Equal(muted["opd-35-15-dishub"], held)
	})

	p.s.stop()
	p.setDigest(p.begunToday())
	p.s.start().ready()
	digests := func() []Webhook {
		return slices.DeleteFunc(p.hook.Messages(dishub.path()), func(m Webhook) bool {
			return m.CommonLabels["kind"] != "digest"
		})
	}
	Until(t, "the digest", func() bool { return len(digests()) > 0 })
	a := digests()[0].Alerts[0].Annotations
	if a["open"] != "4" || a["overdue"] != "4" || a["closed"] != "0" || a["opd_name"] != "Dinas Perhubungan" {
		t.Errorf("the digest says %v", a)
	}
	texts := p.texts(t, dishub)
	if text := texts[len(texts)-1]; !strings.Contains(text,
		"Ringkasan pagi Dinas Perhubungan\nTerbuka: 4 · terlambat: 4") {
		t.Errorf("the digest reads\n%s", text)
	}
	for _, m := range p.told(dishub) {
		if got := tickets(m); !slices.Equal(got, urgent) {
			t.Errorf("in quiet hours told of %v", got)
		}
	}
	p.wellFormed(t)
}

// begunToday is a time of day of the service, just begun. In the last minutes of a day the service's next start has its
// clock half an hour behind: else the day would be over before it has started, and the digest of the next one far away.
func (p *paging) begunToday() time.Time {
	now := time.Now().In(wib)
	if now.Add(15*time.Minute).Day() == now.Day() {
		return now
	}
	p.s.env = append(p.s.env, "MONEV112_FAULTS="+p.write("faults", "clock -1800\n"))
	return now.Add(-30 * time.Minute)
}

// personal finds the caller, however the number is written.
var personal = regexp.MustCompile(callersNumber[1:] + `|(?i:wahyuningsih)`)

// wellFormed holds every message against what holds for all: the servers have refused what is not well formed.
func (p *paging) wellFormed(t *testing.T) {
	t.Helper()
	var all []string
	for _, r := range everyone {
		p.texts(t, r)
	}
	for _, m := range p.telegram.Messages(0) {
		all = append(all, m.HTML)
	}
	for _, m := range p.mail.Messages("") {
		if !strings.HasPrefix(m.Subject, "[112] ") || m.HTML == "" {
			t.Errorf("mail: subject %q, %d bytes of HTML", m.Subject, len(m.HTML))
		}
		all = append(all, m.Subject+"\n"+m.HTML)
	}
	for _, m := range p.hook.Messages("") {
		all = append(all, fmt.Sprint(m))
		for _, a := range m.Alerts {
			all = append(all, fmt.Sprint(a))
		}
	}
	if len(all) == 0 {
		t.Error("nobody was told anything")
	}
	for _, text := range all {
		if found := personal.FindString(text); found != "" {
			t.Errorf("%q stands in\n%s", found, text)
		}
	}
}

// link finds the link of a message.
func link(t *testing.T, markup string) string {
	t.Helper()
	m := regexp.MustCompile(`href="([^"]+)"`).FindStringSubmatch(markup)
	if m == nil {
		t.Fatalf("no link in\n%s", markup)
	}
	return strings.ReplaceAll(m[1], "&amp;", "&")
}

// get reads a page as a telephone does.
func (p *paging) get(t *testing.T, address string) string {
	t.Helper()
	return pageText(t, func() (*http.Response, error) { return http.Get(address) })
}

// press opens the page behind a ticket's link and presses the button "Diterima".
func (p *paging) press(t *testing.T, address string) {
	t.Helper()
	text := p.get(t, address)
	form := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`).FindAllStringSubmatch(
		text, -1) {
		form.Set(m[1], m[2])
	}
	if len(form) == 0 || !strings.Contains(text, `name="catat" value="diterima">Diterima</button>`) {
		t.Fatalf("no button on\n%s", text)
	}
	form.Set("catat", "diterima")
	if after := pageText(t, func() (*http.Response, error) {
		return http.PostForm(address, form)
	}); !strings.Contains(after, "Diterima tercatat") {
		t.Errorf("after the button the page says\n%s", after)
	}
}
