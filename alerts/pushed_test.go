package alerts

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/monev112/monev112/collector/alerting/pager"
)

// pushed returns the alerts of a push of the pager, as its own test writes them down, by kind, OPD and level; those
// that have ended are left out, as Alertmanager leaves them out for receivers of tickets.
func pushed(t *testing.T) map[string][]alert {
	t.Helper()
	text, err := os.ReadFile("../collector/alerting/pager/testdata/push.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []alert
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	latest := slices.MaxFunc(all, func(a, b alert) int { return strings.Compare(a.StartsAt, b.StartsAt) }).StartsAt
	out := map[string][]alert{}
	for _, a := range all {
		ends, err := time.Parse(time.RFC3339, a.EndsAt)
		if err != nil {
			t.Fatal(err)
		}
		if now, err := time.Parse(time.RFC3339, latest); err != nil || !ends.After(now) {
			continue
		}
		a.Status = "firing"
		key := a.Labels["kind"] + " " + a.Labels["opd"] + " " + a.Labels["level"]
		out[strings.TrimSpace(key)] = append(out[strings.TrimSpace(key)], a)
	}
	return out
}

// common keeps what all have in common, as Alertmanager does.
func common(alerts []alert, of func(alert) map[string]string) map[string]string {
	out := maps.Clone(of(alerts[0]))
	for _, a := range alerts {
		maps.DeleteFunc(out, func(k, v string) bool { return of(a)[k] != v })
	}
	return out
}

func of(alerts []alert) message {
	return message{Status: "firing", Alerts: alerts, CommonLabels: common(alerts, func(a alert) map[string]string {
		return a.Labels
	}),
		CommonAnnotations: common(alerts, func(a alert) map[string]string { return a.Annotations })}
}

// report is a monthly report as the pager tells of it, by TestLeadershipIsToldOfAReport.
var report = alert{
	Status: "firing",
	Labels: map[string]string{"alertname": "Monev112Report", "kind": "report", "center": "35.15", "month": "2026-10"},
	Annotations: map[string]string{"period": "Oktober 2026", "center_name": "Kabupaten Sidoarjo", "missed": "1",
		"judged": "5", "link": "https://monev112.example.go.id/p/report"},
}

func TestTheMessageOfAMonthlyReport(t *testing.T) {
	want := "<b>Laporan kinerja 112 Oktober 2026</b>\nKabupaten Sidoarjo: 1 dari 5 indikator tidak tercapai.\n" +
		"<a href=\"https://monev112.example.go.id/p/report\">Buka laporan</a>"
	if got := render(t, "monev112.tickets.telegram", of([]alert{report})); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestMessagesOfARealPush(t *testing.T) {
	groups := pushed(t)
	link := func(opd string) string {
		return "\n<a href=\"https://monev112.example.go.id/p/list-35.15-" + opd + "\">Daftar lengkap</a>"
	}
	for key, want := range map[string]string{
		"ticket dishub risk": "<b>1 tiket mendekati batas waktu: Dinas Perhubungan</b>\n" +
			"• Tiket SDA-2026-00001 (Penerangan jalan umum, Kec. Waru) mendekati batas waktu, sisa 7 menit\nMohon " +
			"diselesaikan sebelum batas waktu." + link("dishub"),
		"ticket dishub overdue": "<b>2 tiket terlambat: Dinas Perhubungan</b>\n" +
			"• Tiket SDA-2026-00003 (Penerangan jalan umum, Kec. Waru) melewati batas waktu 12 menit\n" +
			"• Tiket SDA-2026-00002 (Lampu lalu lintas, Kec. Waru) melewati batas waktu 4 menit\nMohon tindak lanjut Dinas " +
			"Perhubungan." + link("dishub"),
		"ticket dp3akb overdue": "<b>1 tiket terlambat: Dinas P3AKB</b>\n" + // a sensitive category is not named
			"• Tiket SDA-2026-00005 (Kec. Waru) melewati batas waktu 7 menit\nMohon tindak lanjut Dinas P3AKB." + link("dp3akb"),
		"ticket dpubmsda escalated2": "<b>Eskalasi: 1 tiket jauh melewati batas waktu: Dinas PU Bina Marga dan Sumber Daya " +
			"Air</b>\n" +
			"• Tiket SDA-2026-00006 (Jalan rusak, Kec. Waru) melewati batas waktu 1 hari 1 jam\n" +
			"Tiket ini sudah melewati satu setengah kali waktunya. Mohon arahan kepada OPD terkait." + link("dpubmsda"),
		"ticket dishub closed": "<b>1 tiket selesai: Dinas Perhubungan</b>\n• Tiket SDA-2026-00004 (Penerangan jalan umum, " +
			"Kec. Waru) ditutup 06.59 WIB" + link("dishub"),
		"digest dishub": "<b>Ringkasan pagi Dinas Perhubungan</b>\nTerbuka: 4 · terlambat: 3 · mendekati batas waktu: 1\n" +
			"Ditutup sejak kemarin: 1 · dieskalasi: 1" + link("dishub"),
	} {
		if len(groups[key]) == 0 {
			t.Errorf("the push has no %s", key)
			continue
		}
		if got := render(t, "monev112.tickets.telegram", of(groups[key])); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", key, got, want)
		}
	}
	up := append(slices.Clone(groups["ticket dishub escalated"]), groups["ticket none escalated"]...)
	if got := render(t, "monev112.tickets.telegram", of(up)); !strings.HasPrefix(got,
		"<b>Eskalasi: 2 tiket jauh melewati batas waktu: beberapa OPD</b>\n• Tiket SDA-2026-00007 ") {
		t.Errorf("one message for all OPDs:\n%s", got)
	}
}

// TestThePagerSaysWhatTheTemplatesUse: every label and annotation that the templates of tickets read is in the push,
// and every one in the push is explained to who writes a template.
func TestThePagerSaysWhatTheTemplatesUse(t *testing.T) {
	// Beyond the limits alone, and where a source never records what is done.
	said := map[string]bool{"Annotations.unlisted": true, "Annotations.unrecorded": true}
	groups := pushed(t)
	groups["report"] = []alert{report}
	for _, alerts := range groups {
		for _, a := range alerts {
			for k := range a.Labels {
				said["Labels."+k] = true
			}
			for k := range a.Annotations {
				said["Annotations."+k] = true
			}
		}
	}
	text, err := os.ReadFile("templates/tickets.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	used := regexp.MustCompile(`\.(?:Common)?((?:Labels|Annotations)\.\w+)`).FindAllStringSubmatch(string(text), -1)
	if len(used) < 10 {
		t.Fatalf("the templates use %v", used)
	}
	for _, u := range used {
		if !said[u[1]] {
			t.Errorf("the templates use %s, which the pager never says", u[1])
		}
	}
	doc, err := os.ReadFile("../docs/alerts.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range said {
		_, key, _ := strings.Cut(name, ".")
		if !regexp.MustCompile("`" + key + "[`=]").Match(doc) {
			t.Errorf("%s is not in docs/alerts.md", name)
		}
	}
}

// TestClosingsOutliveTheirGrouping: a closing must be active when its group is flushed, and must not be repeated.
func TestClosingsOutliveTheirGrouping(t *testing.T) {
	text, err := os.ReadFile("alertmanager.yml")
	if err != nil {
		t.Fatal(err)
	}
	type route struct {
		Matchers []string
		Wait     string `yaml:"group_wait"`
		Interval string `yaml:"group_interval"`
		Repeat   string `yaml:"repeat_interval"`
		Routes   []route
	}
	var file struct{ Route route }
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	length := func(s string) time.Duration {
		d, err := time.ParseDuration(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	found := 0
	for _, r := range file.Route.Routes {
		switch {
		case slices.Equal(r.Matchers, []string{`kind="ticket"`}):
			found++
			if least, most := length(r.Wait)+length(r.Interval),
				length(r.Repeat); pager.DefaultClosedFor <= least || pager.DefaultClosedFor+pager.Lifetime >= most {
				t.Errorf("a closing is pushed for %s; grouping takes %s, and after %s it is repeated", pager.DefaultClosedFor,
					least, most)
			}
		case slices.Equal(r.Matchers, []string{`kind="digest"`}):
			found++
			if length(r.Wait) >= pager.Lifetime || pager.DigestFor+pager.Lifetime >= length(r.Repeat) {
				t.Errorf("a digest is pushed for %s, and repeated after %s", pager.DigestFor, r.Repeat)
			}
		}
	}
	if found != 2 {
		t.Errorf("%d of two routes found", found)
	}
}
