package web_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/web"
)

// person makes a person's link and returns its address.
func (w *world) person(center, opd, name string) string {
	w.t.Helper()
	_, token, err := web.LinkList{Dir: w.data}.CreateOPD(center, opd, name, 90*24*time.Hour, w.now)
	if err != nil {
		w.t.Fatal(err)
	}
	return publicURL + "/opd/" + opd + "/" + token
}

func TestAPersonsLinkOpensItsOPDAlone(t *testing.T) {
	w := newWorld(t)
	w.ticket("D-1", "pju", "non_darurat", "dishub", testNow.Add(-40*24*time.Hour))
	w.ticket("L-1", "sampah", "non_darurat", "dlhk", testNow.Add(-40*24*time.Hour))
	link := w.person(center, "dishub", "Kepala Dinas Perhubungan")
	a := w.get(link)
	mustShow(t, a, 200, "Dinas Perhubungan", "D-1", "tautan Kepala Dinas Perhubungan")
	mustHide(t, a, "L-1")
	mustShow(t, w.get(link+"?tiket=D-1"), 200, "Batas waktu", "Semua tiket OPD")
	token := link[strings.LastIndex(link, "/")+1:]
	for name, p := range map[string]string{
		"another OPD's page": "/opd/dlhk/" + token, "an alert's page": "/p/" + token,
		"any letter changed": path(link[:len(link)-1] + string(link[len(link)-1]^1)),
		"an alert's link":    "/opd/dishub/" + strings.TrimPrefix(path(w.links.List(center, "dishub", testNow)), "/p/"),
		"a ticket's link": "/opd/dishub/" +
			strings.TrimPrefix(path(w.links.Ticket(center, "dishub", "D-1", testNow)), "/p/"),
		"nothing": "/opd/dishub/x",
	} {
		if b := w.do(http.MethodGet, p, nil); b.status != 404 || strings.Contains(b.body, "D-1") {
			t.Errorf("%s: %d", name, b.status)
		}
	}
	for name, id := range map[string]string{
		"another's ticket": "L-1", "no ticket": "X", "long": strings.Repeat("x", 200),
	} {
		if b := w.get(link + "?tiket=" + id); b.status != 404 || strings.Contains(b.body, "sampah") {
			t.Errorf("%s: %d", name, b.status)
		}
	}
	_, display, err := web.LinkList{Dir: w.data}.Create(center, time.Hour, w.now)
	if err != nil {
		t.Fatal(err)
	}
	if b := w.do(http.MethodGet, "/opd/dishub/"+display, nil); b.status != 404 {
		t.Errorf("a display's link: %d", b.status)
	}
	if b := w.do(http.MethodGet, "/opd/dishub/style.css", nil); b.status != 200 || !strings.Contains(b.body, ".tickets") {
		t.Errorf("the style sheet: %d", b.status)
	}
}

func TestARevokedOrExpiredLinkStopsAtTheNextRequest(t *testing.T) {
	w := newWorld(t)
	w.ticket("D-1", "pju", "non_darurat", "dishub", testNow.Add(-40*24*time.Hour))
	link := w.person(center, "dishub", "Kepala Dinas")
	other := w.person(center, "dishub", "Sekretaris Dinas")
	page := w.get(link + "?tiket=D-1")
	mustShow(t, page, 200)
	all, err := web.LinkList{Dir: w.data}.List()
	if err != nil || len(all) != 2 || all[0].To != web.ToOPD || all[0].OPD != "dishub" || all[0].Name != "Kepala Dinas" {
		t.Fatalf("%+v %v", all, err)
	}
	if _, err := (web.LinkList{Dir: w.data}).Revoke(all[0].ID, w.now); err != nil {
		t.Fatal(err)
	}
	// Not a moment has passed.
	mustShow(t, w.get(link), 404, "dicabut")
	mustShow(t, w.get(link+"?tiket=D-1"), 404)
	mustShow(t, w.do(http.MethodPost, path(link)+"?tiket=D-1", page.press("berangkat")), 404)
	mustShow(t, w.get(other), 200)
	w.now = testNow.Add(90 * 24 * time.Hour)
	mustShow(t, w.get(other), 404)
	if len(w.sent) > 0 {
		t.Errorf("%+v", w.sent)
	}
}

func TestWhatAPersonRecordsBearsTheirName(t *testing.T) {
	w := newWorld(t)
	w.ticket("D/1 a", "pju", "non_darurat", "dishub", testNow.Add(-time.Hour))
	link := w.person(center, "dishub", "Kabid PJU") + "?tiket=D%2F1+a"
	a := w.do(http.MethodPost, path(link), w.get(link).press("diterima"))
	if a.status != http.StatusSeeOther || len(w.sent) != 1 || w.sent[0].Subject != "D/1 a" {
		t.Fatalf("%d %+v", a.status, w.sent)
	}
	mustShow(t, w.get(publicURL+"/opd/dishub/"+a.header.Get("Location")), 200, "Diterima tercatat", "oleh Kabid PJU")
	last := w.record[len(w.record)-2] // before the reading
	all, _ := web.LinkList{Dir: w.data}.List()
	if last.Action != audit.Acknowledge || last.Who != "link:"+all[0].ID || last.ID != "D/1 a" {
		t.Errorf("%+v", last)
	}
	mustShow(t, w.do(http.MethodPost, path(link), w.get(link).press("batal")), http.StatusSeeOther)
	if !w.state("D/1 a").AcknowledgedAt.IsZero() {
		t.Error("it was not taken back")
	}
	// A form is of its page alone: not for another ticket of the same link.
	w.ticket("D-2", "pju", "non_darurat", "dishub", testNow.Add(-time.Hour))
	form := w.get(link).press("diterima")
	mustShow(t, w.do(http.MethodPost, path(w.person(center, "dishub", "x"))+"?tiket=D-2", form), http.StatusConflict)
	mustShow(t, w.do(http.MethodPost, strings.Replace(path(link), "D%2F1+a", "D-2", 1), form), http.StatusConflict)
}

func TestLinksOfPersonsThatMakeNoSenseAreRefused(t *testing.T) {
	dir := web.LinkList{Dir: t.TempDir()}
	for _, name := range []string{"", " ", "Budi ", strings.Repeat("x", 65), "a\nb", "0812-3456-7890", "link:x", "\xff"} {
		if _, _, err := dir.CreateOPD(center, "dishub", name, time.Hour, testNow); err == nil {
			t.Errorf("%q is taken", name)
		}
	}
	if _, _, err := dir.CreateOPD(center, "", "x", time.Hour, testNow); err == nil {
		t.Error("no OPD")
	}
}

func TestSearchByNumber(t *testing.T) {
	w := newWorld(t)
	for i := range 30 {
		w.ticket(fmt.Sprintf("SDA-2026-%05d", 100+i), "pju", "non_darurat", "dishub", testNow.Add(-time.Hour))
	}
	w.ticket("SDA-2026-00200", "sampah", "non_darurat", "dlhk", testNow.Add(-time.Hour))
	w.say(event.TicketResolved, "SDA-2026-00101", testNow, nil)
	for _, list := range []string{w.links.List(center, "dishub", testNow), w.person(center, "dishub", "Kadis")} {
		a := w.get(list + "?cari=00105")
		mustShow(t, a, 200, "SDA-2026-00105")
		mustHide(t, a, "SDA-2026-00106")
		mustShow(t, w.get(list+"?cari=sda-2026-00105"), 200, "SDA-2026-00105")
		m := regexp.MustCompile(`<a href="([^"]+)"><span class="id">SDA-2026-00105`).FindStringSubmatch(a.body)
		if m == nil {
			t.Fatal(a.body)
		}
		folder := list[:strings.LastIndex(list, "/")+1]
		mustShow(t, w.get(folder+strings.ReplaceAll(m[1], "&amp;", "&")), 200, "SDA-2026-00105", "Perjalanan tiket")
		mustShow(t, w.get(list+"?cari=SDA-2026-00101"), 200, "SDA-2026-00101", "Selesai ditangani") // no longer open
		for _, none := range []string{"SDA-2026-00200", "00200", "9999", "<b>x</b>", "%25", strings.Repeat("x", 500)} {
			b := w.get(list + "?cari=" + none)
			mustShow(t, b, 200, "Tidak ada tiket OPD Anda dengan nomor itu")
			mustHide(t, b, "<b>x</b>", "sampah")
		}
		if n := strings.Count(w.get(list+"?cari=2026").body, `class="id"`); n != 20 {
			t.Errorf("%d found", n)
		}
		w.away = web.ErrUnavailable
		mustShow(t, w.get(list+"?cari=00105"), 200, "SDA-2026-00105", "basis data belum menjawab")
		w.away = nil
	}
	if len(w.sent) > 0 {
		t.Error("a search records")
	}
}

// Neither a search nor the address of a ticket tells another OPD's ticket from none, whether the database answers or not.
func TestAnotherOPDsTicketIsAsOneThatIsNowhere(t *testing.T) {
	w := newWorld(t)
	w.ticket("D-1", "pju", "non_darurat", "dishub", testNow.Add(-time.Hour))
	w.ticket("SDA-2026-00200", "sampah", "non_darurat", "dlhk", testNow.Add(-time.Hour))
	link := w.person(center, "dishub", "Kadis")
	for _, ask := range []string{"?cari=", "?tiket="} {
		for _, away := range []error{nil, web.ErrUnavailable} {
			w.away = away
			theirs, none := w.get(link+ask+"SDA-2026-00200"), w.get(link+ask+"SDA-2026-99999")
			if theirs.status != none.status ||
				strings.ReplaceAll(theirs.body, "SDA-2026-00200", "") != strings.ReplaceAll(none.body, "SDA-2026-99999", "") {
				t.Errorf("%s, %v: %d %s\nand %d %s", ask, away, theirs.status, theirs.body, none.status, none.body)
			}
		}
	}
	w.asked = 0
	mustShow(t, w.get(link+"?tiket=D-1"), 200, "Perjalanan tiket")
	mustShow(t, w.press(link+"?tiket=D-1", "diterima"), http.StatusSeeOther)
	if w.asked > 0 {
		t.Error("a ticket of the board is asked of the database")
	}
}

// An id that is too long is no guess of a link.
func TestALongNumberBehindAGoodLinkIsNoGuess(t *testing.T) {
	w := newWorld(t)
	link := w.person(center, "dishub", "Kadis")
	for range 200 {
		mustShow(t, w.get(link+"?tiket="+strings.Repeat("x", event.MaxIDBytes+1)), 404, "Tiket tidak ada")
	}
	mustShow(t, w.get(link), 200)
}

func TestWhatIsDueSoon(t *testing.T) {
	w := newWorld(t)
	w.ticket("NEAR", "pju", "mendesak", "dishub", testNow.Add(-5*time.Minute))
	w.ticket("LATE", "pju", "non_darurat", "dishub", testNow.Add(-40*24*time.Hour))
	due := w.board.DueSummary(center, "dishub", testNow)
	if len(due.Soon) != 1 || due.Soon[0].Key.ID != "NEAR" || due.Soon[0].At.Before(testNow) {
		t.Fatalf("%+v", due.Soon)
	}
	a := w.get(w.links.List(center, "dishub", testNow) + "?lihat=segera")
	mustShow(t, a, 200, "Segera jatuh tempo (1)", "NEAR", "sisa "+indonesian.Duration(due.Soon[0].At.Sub(testNow)))
	mustHide(t, a, "LATE")
	mustShow(t, w.get(w.links.List(center, "dlhk", testNow)+"?lihat=segera"), 200, "Tidak ada tiket yang jatuh tempo")
}

func TestTheTrendSaysWhatItRestsOn(t *testing.T) {
	w := newWorld(t)
	month := func(m time.Month) time.Time { return time.Date(2026, m, 1, 0, 0, 0, 0, time.UTC) }
	w.months = []store.OPDMonth{
		{Month: month(1), Clock: "resolve", Numerator: 23, Denominator: 25},
		{Month: month(2), Clock: "resolve", Unobserved: 7},
		{Month: month(3), Clock: "resolve", Numerator: 3, Denominator: 4},
		{Month: month(3), Clock: "acknowledge", Numerator: 1, Denominator: 4},
	}
	link := w.links.List(center, "dishub", testNow) + "?lihat=tren"
	a := w.get(link)
	mustShow(t, a, 200, "<svg", "92,0 %", "23 dari 25", "tidak tercatat", "7 tiket", "3 dari 4; data terbatas",
		"Terima OPD",
		"75,0 % sampai 97,8 %")
	if regexp.MustCompile(`(?i)<script|\sstyle=`).MatchString(a.body) {
		t.Error("a script or an inline style")
	}
	w.away = web.ErrUnavailable
	mustShow(t, w.get(link), 200, "Tren belum dapat ditampilkan")
	w.away, w.months = nil, nil
	mustShow(t, w.get(link), 200, "Belum ada tiket yang dapat ditampilkan")
}
