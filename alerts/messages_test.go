package alerts

import (
	"bytes"
	"encoding/json"
	"fmt"
	htmltemplate "html/template"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	texttemplate "text/template"
	"unicode/utf8"

	"github.com/monev112/monev112/collector/e2e/servers"
)

// telegramLimit is where Alertmanager cuts a message, markup included.
const telegramLimit = 4096

// message is what Alertmanager gives to a template, in its own JSON form.
type message struct {
	Receiver          string            `json:"receiver"`
	Status            string            `json:"status"`
	Alerts            sent              `json:"alerts"`
	GroupLabels       map[string]string `json:"groupLabels"`
	CommonLabels      map[string]string `json:"commonLabels"`
	CommonAnnotations map[string]string `json:"commonAnnotations"`
}

type alert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    string            `json:"startsAt"`
	EndsAt      string            `json:"endsAt"`
}

type sent []alert

func (s sent) of(status string) (out []alert) {
	for _, a := range s {
		if a.Status == status {
			out = append(out, a)
		}
	}
	return out
}

// Firing and Resolved are what templates call.
func (s sent) Firing() []alert   { return s.of("firing") }
func (s sent) Resolved() []alert { return s.of("resolved") }

// Alertmanager's own functions, as far as our templates use them.
func functions() map[string]any {
	return map[string]any{
		"reReplaceAll": func(pattern, repl, text string) string {
			return regexp.MustCompile(pattern).ReplaceAllString(text, repl)
		},
		"match":       regexp.MatchString,
		"stringSlice": func(s ...string) []string { return s },
	}
}

// render executes a definition as Alertmanager does: html/template for Telegram and mail bodies, text/template for
// subjects.
func render(t *testing.T, name string, m message) string {
	t.Helper()
	files := glob(t, "templates/*.tmpl")
	var b bytes.Buffer
	var err error
	if strings.HasSuffix(name, ".subject") {
		err = texttemplate.Must(texttemplate.New("").Option("missingkey=zero").Funcs(functions()).ParseFiles(
			files...)).ExecuteTemplate(&b, name, m)
	} else {
		err = htmltemplate.Must(htmltemplate.New("").Option("missingkey=zero").Funcs(functions()).ParseFiles(
			files...)).ExecuteTemplate(&b, name, m)
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return b.String()
}

// ticket is number n of a list in which the greater number is the older.
func ticket(n int, level string) alert {
	return alert{
		Status: "firing",
		Labels: map[string]string{
			"alertname": "Monev112Ticket", "kind": "ticket", "center": "35.15", "opd": "dishub", "level": level,
			"ticket": fmt.Sprintf("SDA-2026-%05d", n), "priority": "non_darurat",
		},
		Annotations: map[string]string{
			"opd_name": "Dinas Perhubungan", "category": "PJU", "kecamatan": "Waru", "late_by": "2 jam 10 menit",
			"left":      "40 menit",
			"due_at":    fmt.Sprintf("2026-11-%02dT%02d:%02d:00Z", 28-n/600, 23-n/60%24, 59-n%60),
			"list_link": "https://monev112.example.go.id/l/dishub?e=1&s=abc",
		},
		StartsAt: "2026-11-23T00:00:00Z", EndsAt: "2026-11-23T01:00:00Z",
	}
}

func group(level string, alerts ...alert) message {
	m := message{
		Receiver: "opd", Status: "firing", Alerts: alerts,
		CommonLabels: map[string]string{"kind": "ticket", "level": level, "center": "35.15", "opd": "dishub"},
	}
	m.CommonAnnotations = map[string]string{
		"opd_name": "Dinas Perhubungan", "list_link": alerts[0].Annotations["list_link"],
	}
	return m
}

func many(n int, level string) (out []alert) {
	for i := range n {
		out = append(out, ticket(i, level))
	}
	return out
}

func TestOneLateTicketReadsAsTheDomainWritesIt(t *testing.T) {
	got := render(t, "monev112.tickets.telegram", group("overdue", ticket(123, "overdue")))
	want := `<b>1 tiket terlambat: Dinas Perhubungan</b>
• Tiket SDA-2026-00123 (PJU, Kec. Waru) melewati batas waktu 2 jam 10 menit
Mohon tindak lanjut Dinas Perhubungan.
<a href="https://monev112.example.go.id/l/dishub?e=1&amp;s=abc">Daftar lengkap</a>`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTenOldestFirstAndTheRestCounted(t *testing.T) {
	got := render(t, "monev112.tickets.telegram", group("overdue", many(24, "overdue")...))
	if !strings.Contains(got, "<b>24 tiket terlambat: Dinas Perhubungan</b>") ||
		!strings.Contains(got, "\ndan 14 lainnya\n") {
		t.Errorf("title or rest is missing:\n%s", got)
	}
	flooded := group("overdue", many(24, "overdue")...)
	flooded.CommonAnnotations["unlisted"] = "3120"
	if got := render(t, "monev112.tickets.telegram", flooded); !strings.Contains(got,
		"\ndan 14 lainnya\nMasih ada 3120 tiket lain di luar hitungan pesan ini.\nMohon") {
		t.Errorf("what the pager left out is missing:\n%s", got)
	}
	var order []string
	for _, m := range regexp.MustCompile(`SDA-2026-(\d+)`).FindAllStringSubmatch(got, -1) {
		order = append(order, m[1])
	}
	if want := "00023 00022 00021 00020 00019 00018 00017 00016 00015 00014"; strings.Join(order, " ") != want {
		t.Errorf("order %v, want %s", order, want)
	}
	if got := render(t, "monev112.tickets.telegram", group("overdue", many(10, "overdue")...)); strings.Contains(got,
		"lainnya") {
		t.Errorf("ten tickets have no rest:\n%s", got)
	}
	same := many(12, "overdue")
	for i := range same {
		same[i].Annotations["due_at"] = "2026-11-23T00:00:00Z"
	}
	if got := strings.Count(render(t, "monev112.tickets.telegram", group("overdue", same...)), "• Tiket"); got != 10 {
		t.Errorf("of twelve tickets due at the same instant %d are listed", got)
	}
}

func TestWordsOfEachLevel(t *testing.T) {
	closed := ticket(1, "closed")
	closed.Annotations["closed_at"], closed.Annotations["closed"] = "2026-11-23T02:00:00Z", "09.00 WIB"
	for level, want := range map[string][]string{
		"risk": {
			"2 tiket mendekati batas waktu: Dinas Perhubungan", "mendekati batas waktu, sisa 40 menit",
			"Mohon diselesaikan sebelum batas waktu.",
		},
		"escalated":  {"Eskalasi: 2 tiket jauh melewati batas waktu", "melewati batas waktu 2 jam 10 menit", "Mohon arahan"},
		"escalated2": {"Eskalasi: 2 tiket jauh melewati batas waktu"},
	} {
		got := render(t, "monev112.tickets.telegram", group(level, many(2, level)...))
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: no %q in\n%s", level, w, got)
			}
		}
		if strings.Contains(strings.ToLower(got), "selesai:") {
			t.Errorf("%s says done:\n%s", level, got)
		}
	}
	got := render(t, "monev112.tickets.telegram", group("closed", closed))
	if !strings.Contains(got, "<b>1 tiket selesai: Dinas Perhubungan</b>") ||
		!strings.Contains(got, "Tiket SDA-2026-00001 (PJU, Kec. Waru) ditutup 09.00 WIB\n<a ") {
		t.Errorf("a closing:\n%s", got)
	}
	sensitive := ticket(5, "overdue")
	delete(sensitive.Annotations, "category")
	if got := render(t, "monev112.tickets.telegram", group("overdue", sensitive)); !strings.Contains(got,
		"SDA-2026-00005 (Kec. Waru) melewati") {
		t.Errorf("a sensitive category is left out:\n%s", got)
	}
}

func TestAnAlertThatMerelyExpiredIsNotCalledDone(t *testing.T) {
	expired, closed := ticket(1, "overdue"), ticket(2, "overdue")
	expired.Status, closed.Status = "resolved", "resolved"
	closed.Annotations["closed_at"] = "2026-11-23T02:00:00Z"
	got := render(t, "monev112.tickets.telegram", group("overdue", expired, closed))
	if strings.Contains(got, "00001") || !strings.Contains(got, "SDA-2026-00002 (PJU, Kec. Waru) ditutup") {
		t.Errorf("only what was closed is listed:\n%s", got)
	}
	for _, name := range []string{"telegram", "email", "subject"} {
		for level, want := range map[string]bool{"risk": false, "overdue": false, "escalated": false, "closed": true} {
			if got := render(t, "monev112.tickets."+name, group(level, expired)); strings.Contains(got, "selesai") != want {
				t.Errorf("%s of level %s: %q", name, level, got)
			}
		}
	}
}

func TestNoMessageIsLongerThanTelegramTakes(t *testing.T) {
	hostile := strings.Repeat(`&<b>"'+é`, 200)
	for _, level := range []string{"risk", "overdue", "escalated", "closed"} {
		ordinary, worst := many(500, level), many(500, level)
		for i := range worst {
			for k := range worst[i].Annotations {
				if k != "due_at" {
					worst[i].Annotations[k] = fmt.Sprintf("%s%d", hostile, i)
				}
			}
			worst[i].Labels["ticket"] = fmt.Sprintf("%d%s", i, hostile)
			if level == "closed" {
				worst[i].Annotations["closed_at"] = "2026-11-23T02:00:00Z"
			}
		}
		for name, alerts := range map[string][]alert{"ordinary": ordinary, "worst": worst} {
			m := group(level, alerts...)
			if name == "worst" {
				m.CommonAnnotations["opd_name"] = hostile
			}
			got := render(t, "monev112.tickets.telegram", m)
			if n := utf8.RuneCountInString(got); n > telegramLimit {
				t.Errorf("%s, %s: %d characters", level, name, n)
			}
			checkMarkup(t, got)
		}
	}
	var floor []alert
	for range 500 {
		floor = append(floor, alert{
			Status: "firing", Labels: map[string]string{},
			Annotations: map[string]string{"description": hostile, "summary": "x"},
		})
	}
	got := render(t, "monev112.aggregate.telegram",
		message{Alerts: floor, CommonAnnotations: map[string]string{
			"summary": strings.Repeat("s", 200), "runbook_url": "https://x.example/y",
		}})
	if n := utf8.RuneCountInString(got); n > telegramLimit {
		t.Errorf("aggregate: %d characters", n)
	}
	checkMarkup(t, got)
}

// checkMarkup refuses tags beyond the two of ours: Telegram answers them with an error, and nothing is delivered.
func checkMarkup(t *testing.T, text string) {
	t.Helper()
	rest := regexp.MustCompile(`</?b>|<a href="[^"<>]*">|</a>`).ReplaceAllString(text, "")
	if i := strings.IndexAny(rest, "<>"); i >= 0 {
		t.Errorf("foreign markup: %q", rest[max(0, i-30):min(len(rest), i+30)])
	}
	if strings.Count(text, "<b>") != strings.Count(text, "</b>") ||
		strings.Count(text, "<a ") != strings.Count(text, "</a>") {
		t.Error("a tag is not closed")
	}
}

func TestConditionsEndAsNoLongerSeenAndNeverAsSolved(t *testing.T) {
	a := alert{
		Status: "firing", Annotations: map[string]string{
			"summary": "Papan data belum lengkap", "description": "Papan belum lengkap. Mohon periksa.",
			"runbook_url": "https://x.example/r",
		},
	}
	m := message{Alerts: sent{a}, CommonAnnotations: a.Annotations}
	if got := render(t, "monev112.aggregate.telegram", m); !strings.Contains(got,
		"<b>1 peringatan: Papan data belum lengkap</b>\n• Papan belum lengkap. Mohon periksa.\n<a href") {
		t.Errorf("firing:\n%s", got)
	}
	m.Alerts[0].Status = "resolved"
	if got := render(t, "monev112.aggregate.telegram",
		m); got != "<b>Tidak lagi terdeteksi: Papan data belum lengkap</b>" {
		t.Errorf("resolved: %q", got)
	}
}

func TestDigestTellsTheDay(t *testing.T) {
	a := alert{Status: "firing", Labels: map[string]string{"kind": "digest", "opd": "dishub"},
		Annotations: map[string]string{
			"opd_name": "Dinas Perhubungan", "open": "12", "overdue": "3", "at_risk": "2", "closed": "5", "escalated": "1", "unrecorded": "4"}}
	got := render(t, "monev112.tickets.telegram",
		message{Alerts: sent{a}, CommonLabels: a.Labels, CommonAnnotations: a.Annotations})
	want := "<b>Ringkasan pagi Dinas Perhubungan</b>\nTerbuka: 12 · terlambat: 3 · mendekati batas waktu: 2\nDitutup " +
		"sejak kemarin: 5 · dieskalasi: 1\nPenanganan tidak tercatat: 4 (bukan keterlambatan)"
	if got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// What the tests above render must be what Alertmanager renders.
func TestAmtoolRendersTheSame(t *testing.T) {
	amtool := servers.Tool(t, "amtool")
	m := group("overdue", many(24, "overdue")...)
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(t.TempDir(), "data.json")
	if err := os.WriteFile(data, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, kind := range map[string]string{
		"monev112.tickets.telegram": "html", "monev112.tickets.email": "html", "monev112.tickets.subject": "text",
		"monev112.aggregate.email": "html",
	} {
		got, err := exec.Command(amtool, "template", "render", "--template.glob=templates/*.tmpl", "--template.type="+kind,
			`--template.text={{ template "`+name+`" . }}`, "--template.data="+data).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, got)
		}
		if want := render(t, name, m); string(got) != want {
			t.Errorf("%s: amtool gives\n%s\nthe test\n%s", name, got, want)
		}
	}
}
