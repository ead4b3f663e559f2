package web_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/web"
)

func mustShow(t *testing.T, a answer, status int, texts ...string) {
	t.Helper()
	if a.status != status {
		t.Errorf("status %d, want %d", a.status, status)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			t.Errorf("the page lacks %q:\n%s", text, a.body)
		}
	}
}

func mustHide(t *testing.T, a answer, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(a.body, text) {
			t.Errorf("the page shows %q:\n%s", text, a.body)
		}
	}
}

func TestTheTicketPageTellsWhatAndWhy(t *testing.T) {
	w := newWorld(t)
	w.ticket("SDA-2026-00123", "pju", "non_darurat", "Dinas Perhubungan", testNow.Add(-26*24*time.Hour))
	w.say(event.TicketPaused, "SDA-2026-00123", testNow.Add(-20*24*time.Hour), func(d *event.RawEvent) {
		d.Reason = "menunggu_material"
	})
	w.say(event.TicketResumed, "SDA-2026-00123", testNow.Add(-19*24*time.Hour), nil)
	a := w.get(w.links.Ticket(center, "dishub", "SDA-2026-00123", testNow))
	mustShow(t, a, 200, "SDA-2026-00123", "Dinas Perhubungan", "Penerangan jalan umum", "Waru", "Non-darurat",
		"Terlambat ",
		"Tiket dibuat", "Diteruskan ke Dinas Perhubungan", "Ditunda: menunggu material", "Dilanjutkan", "Batas waktu: ",
		"Dihitung: ", "Hari kerja: ",
		"WIB", "Terima OPD", "<button", "Keadaan Senin 9 Maret 2026 10.00 WIB")
	row, _, _ := w.board.Case(event.Key{Center: center, Kind: event.KindTicket, ID: "SDA-2026-00123"})
	for i := range row.Clocks {
		for _, line := range w.book.Explain(&row.Clocks[i], row.Ticket, w.dir.Scopes(row.Key.Center), testNow, "id") {
			mustShow(t, a, 200, line)
		}
	}
}

func TestPagesAreForOneReaderAndNoMachine(t *testing.T) {
	w := newWorld(t)
	w.ticket("T-1", "pju", "non_darurat", "dishub", testNow.Add(-time.Hour))
	for name, p := range map[string]string{
		"ticket": path(w.links.Ticket(center, "dishub", "T-1", testNow)),
		"list":   path(w.links.List(center, "dishub", testNow)), "wrong": "/p/x", "style": "/p/style.css",
	} {
		a := w.do(http.MethodGet, p, nil)
		for header, want := range map[string]string{
			"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow",
			"X-Content-Type-Options": "nosniff",
			"Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; " +
				"frame-ancestors 'none'",
		} {
			if got := a.header.Get(header); got != want {
				t.Errorf("%s: %s is %q", name, header, got)
			}
		}
		if regexp.MustCompile(`(?i)<script|\sstyle=|\son\w+=|https?://`).MatchString(a.body) {
			t.Errorf("%s: a script, an inline style or an outside resource:\n%s", name, a.body)
		}
	}
}

func TestALinkThatDoesNotOpenTellsNothing(t *testing.T) {
	w := newWorld(t)
	w.ticket("T-1", "pju", "non_darurat", "dishub", testNow.Add(-time.Hour))
	w.ticket("T-2", "sampah", "non_darurat", "dlhk", testNow.Add(-time.Hour))
	w.ticket("T-3", "pju", "non_darurat", "dishub", testNow.Add(-2*time.Hour))
	w.say(event.TicketAssigned, "T-3", testNow.Add(-30*time.Minute), func(d *event.RawEvent) { d.OPD = "dlhk" })
	w.ticket("T-4", "pju", "non_darurat", "dishub", testNow.Add(-2*time.Hour))
	w.say(event.TicketRejected, "T-4", testNow.Add(-time.Hour), nil)
	good := w.links.Ticket(center, "dishub", "T-1", testNow)
	mustShow(t, w.get(good), 200)
	var first answer
	for name, link := range map[string]string{
		"another OPD's":     w.links.Ticket(center, "dishub", "T-2", testNow),
		"moved to another":  w.links.Ticket(center, "dishub", "T-3", testNow),
		"back at centre":    w.links.Ticket(center, "dishub", "T-4", testNow),
		"nobody's":          w.links.Ticket(center, "dishub", "T-5", testNow),
		"of another centre": w.links.Ticket("35.78", "dishub", "T-1", testNow),
		"an unknown OPD":    w.links.List(center, "dinas-x", testNow),
		"expired":           w.links.Ticket(center, "dishub", "T-1", testNow.Add(-9*24*time.Hour)),
		"wrong":             good[:len(good)-1],
		"none":              publicURL + "/p/",
	} {
		a := w.get(link)
		if bad := name == "expired" || name == "wrong" || name == "none"; w.pages.ValidLink(path(link)) == bad {
			t.Errorf("%s: whether the link is valid is not known", name)
		}
		mustShow(t, a, 404, "Tautan tidak berlaku atau sudah kedaluwarsa", "Buka tautan pada pesan terbaru")
		if first.body == "" {
			first = a
		} else if a.body != first.body {
			t.Errorf("%s is told apart:\n%s", name, a.body)
		}
	}
	mustShow(t, w.get(w.links.Ticket(center, "dlhk", "T-3", testNow)), 200, "T-3") // the OPD that has it now sees it
}

func TestNothingPersonalStandsOnAPage(t *testing.T) {
	w := newWorld(t)
	w.ticket("T-1", "kdrt", "darurat", "dp3akb", testNow.Add(-3*time.Hour))
	w.ticket("T-2", "Bapak Budi dipukul", "darurat", "dp3akb", testNow.Add(-3*time.Hour))
	kdrt, _ := w.dir.Category(center, "kdrt")
	for _, link := range []string{
		w.links.Ticket(center, "dp3akb", "T-1", testNow), w.links.Ticket(center, "dp3akb", "T-2", testNow),
		w.links.List(center, "dp3akb", testNow),
	} {
		a := w.get(link)
		mustShow(t, a, 200)
		mustHide(t, a, kdrt.Name, "kdrt", "KDRT", "Budi")
	}
}

func TestTheButtonRecordsOneAcknowledgement(t *testing.T) {
	w := newWorld(t)
	w.ticket("T-1", "pju", "non_darurat", "dishub", testNow.Add(-time.Hour))
	link := w.links.Ticket(center, "dishub", "T-1", testNow)
	// a messenger's preview presses nothing
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut} {
		w.do(method, path(link), nil)
	}
	form := w.get(link).form()
	if form == nil || len(w.sent) > 0 {
		t.Fatalf("form %v, sent %v", form, w.sent)
	}
	var wg sync.WaitGroup
	for range 8 { // a double click, and more
		wg.Go(func() {
			if a := w.do(http.MethodPost, path(link), form); a.status != http.StatusSeeOther ||
				"/p/"+a.header.Get("Location") != path(link) {
				t.Errorf("%d %v", a.status, a.header)
			}
		})
	}
	wg.Wait()
	if len(w.sent) != 1 {
		t.Fatalf("%d events", len(w.sent))
	}
	e := w.sent[0]
	if e.Type != event.TicketAcknowledged || e.Subject != "T-1" || e.Center != center || e.OPD != "dishub" ||
		e.Source != web.Source || !e.Time.Equal(testNow) {
		t.Errorf("%+v", e)
	}
	a := w.get(link)
	mustShow(t, a, 200, "Diterima tercatat Senin 9 Maret 2026 10.00 WIB, lewat tautan pesan.")
	if slices.Contains(a.offers(), "diterima") {
		t.Error("the button is still offered")
	}
	row, _, _ := w.board.Case(event.Key{Center: center, Kind: event.KindTicket, ID: "T-1"})
	if row.Ticket.State != casefile.Acknowledged || !row.Ticket.AcknowledgedAt.Equal(testNow) {
		t.Errorf("%+v", row.Ticket)
	}
	var acks int
	for _, r := range w.record {
		if r.Action == audit.Acknowledge {
			acks++
		}
	}
	if acks != 1 {
		t.Errorf("%d acknowledgements in the record", acks)
	}
}

func TestTheButtonIsOfItsPageAlone(t *testing.T) {
	w := newWorld(t)
	w.ticket("T-1", "pju", "non_darurat", "dishub", testNow.Add(-time.Hour))
	w.ticket("T-2", "pju", "non_darurat", "dishub", testNow.Add(-time.Hour))
	one, two := w.links.Ticket(center, "dishub", "T-1", testNow), w.links.Ticket(center, "dishub", "T-2", testNow)
	good := w.get(one).form()
	edit := func(key, value string) url.Values {
		out := url.Values{}
		for k := range good {
			out.Set(k, good.Get(k))
		}
		out.Set(key, value)
		return out
	}
	for name, tt := range map[string]struct {
		link string
		form url.Values
	}{
		"no form":           {one, url.Values{}},
		"another's form":    {one, w.get(two).form()},
		"changed form":      {one, edit("form", good.Get("form")+"A")},
		"changed stay":      {one, edit("stay", "1")},
		"form on another's": {two, good},
		"too large":         {one, edit("x", strings.Repeat("x", 5000))},
	} {
		a := w.do(http.MethodPost, path(tt.link), tt.form)
		mustShow(t, a, http.StatusConflict, "Belum tercatat")
		if len(w.sent) != 0 {
			t.Fatalf("%s: sent %+v", name, w.sent)
		}
	}
	if a := w.do(http.MethodPost, path(w.links.List(center, "dishub", testNow)), good); a.status != 404 ||
		len(w.sent) != 0 {
		t.Errorf("a list takes a press: %d", a.status)
	}
	// The ticket went away and came back: the old page's button is not for the new stay.
	w.say(event.TicketAssigned, "T-1", testNow.Add(-20*time.Minute), func(d *event.RawEvent) { d.OPD = "dlhk" })
	w.say(event.TicketAssigned, "T-1", testNow.Add(-10*time.Minute), func(d *event.RawEvent) { d.OPD = "dishub" })
	mustShow(t, w.do(http.MethodPost, path(one), good), http.StatusConflict, "Keadaan tiket sudah berubah")
	if a := w.do(http.MethodPost, path(one), w.get(one).form()); a.status != http.StatusSeeOther || len(w.sent) != 1 {
		t.Errorf("%d, %d sent", a.status, len(w.sent))
	}
}

func TestTheButtonsAreNotAlwaysOffered(t *testing.T) {
	w := newWorld(t)
	opened := testNow.Add(-2 * time.Hour)
	for id, then := range map[string]event.Type{"R": event.TicketResolved, "C": event.TicketClosed} {
		w.ticket(id, "pju", "non_darurat", "dishub", opened)
		w.say(then, id, testNow.Add(-time.Hour), nil)
	}
	w.ticket("M", "pju", "non_darurat", "dishub", opened)
	w.say(event.TicketMerged, "M", testNow.Add(-time.Hour), func(d *event.RawEvent) { d.Master = "R" })
	w.ticket("V", "listrik_padam", "non_darurat", "pln", opened)
	for id, opd := range map[string]string{"R": "dishub", "C": "dishub", "M": "dishub", "V": "pln"} {
		a := w.get(w.links.Ticket(center, opd, id, testNow))
		mustShow(t, a, 200)
		if a.form() != nil {
			t.Errorf("%s: %v is offered", id, a.offers())
		}
	}
}

func TestNothingIsSaidToBeRecordedThatIsNot(t *testing.T) {
	w := newWorld(t)
	w.ticket("T-1", "pju", "non_darurat", "dishub", testNow.Add(-time.Hour))
	link := w.links.Ticket(center, "dishub", "T-1", testNow)
	form := w.get(link).form()
	w.refuse = errors.New("the disk is full")
	a := w.do(http.MethodPost, path(link), form)
	mustShow(t, a, http.StatusServiceUnavailable, "Belum tercatat")
	mustHide(t, a, "disk")
	mustHide(t, w.get(link), "Diterima tercatat")
	w.refuse = nil
	if a := w.do(http.MethodPost, path(link), form); a.status != http.StatusSeeOther {
		t.Errorf("the second press: %d", a.status)
	}
	for _, r := range w.record[:len(w.record)-1] {
		if r.Action == audit.Acknowledge {
			t.Error("a failed press is in the record")
		}
	}
}

func TestAnAcknowledgementNeverComesBeforeTheAssignment(t *testing.T) {
	w := newWorld(t)
	w.now = testNow.Add(time.Minute)
	w.ticket("T-1", "pju", "non_darurat", "dishub", w.now) // assigned five minutes on, by a clock that runs ahead
	w.now = testNow.Add(2 * time.Minute)
	link := w.links.Ticket(center, "dishub", "T-1", w.now)
	if a := w.do(http.MethodPost, path(link), w.get(link).form()); a.status != http.StatusSeeOther {
		t.Fatal(a.status)
	}
	mustShow(t, w.get(link), 200, "Diterima tercatat Senin 9 Maret 2026 10.06 WIB")
}

func TestTheListHasTheNumbersOfTheBoard(t *testing.T) {
	w := newWorld(t)
	for i := range 60 {
		w.ticket(fmt.Sprintf("L-%02d", i), "pju", "non_darurat", "dishub",
			testNow.Add(-40*24*time.Hour).Add(time.Duration(i)*time.Minute))
	}
	w.ticket("OTHER", "sampah", "non_darurat", "dlhk", testNow.Add(-40*24*time.Hour))
	w.ticket("NEW", "pju", "non_darurat", "dishub", testNow.Add(-6*time.Minute))
	snap := w.board.Snapshot(testNow)
	var open, resolve int
	for _, k := range snap.Centers[0].Open {
		if k.OPD == "dishub" {
			open += k.N
		}
	}
	for _, k := range snap.Centers[0].Overdue {
		if k.OPD == "dishub" && k.Clock == "resolve" {
			resolve += k.N
		}
	}
	a := w.get(w.links.List(center, "dishub", testNow))
	mustShow(t, a, 200, "<b>60</b> terlambat", fmt.Sprintf("<b>%d</b> tiket terbuka", open),
		fmt.Sprintf("Penyelesaian pertama %d", resolve), "dan 10 lainnya", "Kec. Waru")
	mustHide(t, a, "OTHER", "NEW")
	if strings.Index(a.body, "L-00") > strings.Index(a.body, "L-01") || strings.Contains(a.body, "L-55") {
		t.Error("not the oldest first")
	}
	// The links of the list open the tickets, and die with it.
	m := regexp.MustCompile(`<a href="([\w-]+)"><span class="id">L-00`).FindStringSubmatch(a.body)
	if m == nil {
		t.Fatal("no link")
	}
	w.now = testNow.Add(2 * 24 * time.Hour)
	mustShow(t, w.get(publicURL+"/p/"+m[1]), 200, "L-00")
	w.now = testNow.Add(9 * 24 * time.Hour)
	mustShow(t, w.get(publicURL+"/p/"+m[1]), 404)
	mustShow(t, w.get(w.links.List(center, "dikbud", w.now)), 200, "Tidak ada tiket yang terlambat")
}

func TestTheListSaysWhatNobodyRecords(t *testing.T) {
	w := newWorld(t)
	w.ticket("SEEN", "pju", "non_darurat", "dishub", testNow.Add(-time.Hour))
	const said = "tiket terbuka penanganannya tidak tercatat seluruhnya"
	a := w.get(w.links.List(center, "dishub", testNow))
	mustShow(t, a, 200, "<li><b>0</b> terlambat", "<b>1</b> tiket terbuka", "Tidak ada tiket yang terlambat")
	mustHide(t, a, said)
	mute := func(d *event.RawEvent) { d.Source, d.Carries = "export", []string{"ticket.opened", "ticket.assigned"} }
	long := testNow.Add(-40 * 24 * time.Hour)
	w.say(event.TicketOpened, "MUTE", long, func(d *event.RawEvent) {
		mute(d)
		d.Category, d.Priority = "pju", "non_darurat"
	})
	w.say(event.TicketAssigned, "MUTE", long.Add(time.Minute), func(d *event.RawEvent) { mute(d); d.OPD = "dishub" })
	mustShow(t, w.get(w.links.List(center, "dishub", testNow)), 200, "<li><b>0</b> terlambat", "1 "+said,
		"<b>2</b> tiket terbuka")
}

func TestWhileTheBoardIsIncompleteNothingIsShown(t *testing.T) {
	w := newWorld(t)
	w.ticket("T-1", "pju", "non_darurat", "dishub", testNow.Add(-time.Hour))
	ticket, list := w.links.Ticket(center, "dishub", "T-1", testNow), w.links.List(center, "dishub", testNow)
	form := w.get(ticket).form()
	w.complete = false
	for _, a := range []answer{w.get(ticket), w.get(list), w.do(http.MethodPost, path(ticket), form)} {
		mustShow(t, a, 503, "Data belum lengkap")
		if a.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	w.complete, w.away = true, web.ErrUnavailable
	mustShow(t, w.get(w.links.Ticket(center, "dishub", "closed long ago", testNow)), 503, "Data belum lengkap")
	mustShow(t, w.get(ticket), 200) // the board has it
	if len(w.sent) != 0 {
		t.Error("something was sent")
	}
}

func TestReadsAreRecorded(t *testing.T) {
	w := newWorld(t)
	w.ticket("T-1", "pju", "non_darurat", "dishub", testNow.Add(-time.Hour))
	link := w.links.Ticket(center, "dishub", "T-1", testNow)
	w.get(link)
	w.get(w.links.List(center, "dishub", testNow))
	w.get(w.links.Ticket(center, "dlhk", "T-1", testNow)) // shows nothing
	if len(w.record) != 2 {
		t.Fatalf("%+v", w.record)
	}
	r := w.record[0]
	if r.Action != audit.Read || r.Kind != "ticket" || r.ID != "T-1" || r.OPD != "dishub" || r.Center != center ||
		!r.At.Equal(testNow) || !strings.HasPrefix(r.Who, "link:") ||
		strings.Contains(link, strings.TrimPrefix(r.Who, "link:")) {
		t.Errorf("%+v", r)
	}
	if w.record[1].Kind != "list" || w.record[1].Who == r.Who {
		t.Errorf("%+v", w.record[1])
	}
}
