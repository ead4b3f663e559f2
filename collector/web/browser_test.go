package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/web/browser"
)

func TestPagesOnATelephone(t *testing.T) {
	w := newWorld(t)
	w.ticket("SDA-2026-00001", "pju", "non_darurat", "dishub", testNow.Add(-26*24*time.Hour))
	w.say(event.TicketPaused, "SDA-2026-00001", testNow.Add(-25*24*time.Hour), func(d *event.RawEvent) {
		d.Reason = "menunggu_material"
	})
	w.say(event.TicketResumed, "SDA-2026-00001", testNow.Add(-24*24*time.Hour), nil)
	// the oldest: an emergency is late at once
	const long = "LAPORAN/LALU-LINTAS/SIDOARJO/2026/03/TANPA-SPASI-DAN-SANGAT-PANJANG-SEKALI-00002"
	w.ticket(long, "lampu_lalu_lintas", "darurat", "dishub", testNow.Add(-25*24*time.Hour))
	for i := range 58 {
		w.ticket(fmt.Sprintf("SDA-2026-%05d", i+3), "pju", "mendesak", "dishub",
			testNow.Add(-24*24*time.Hour).Add(time.Duration(i)*time.Minute))
	}
	w.ticket("SDA-2026-09999", "pju", "non_darurat", "dishub", testNow.Add(-2*time.Hour))
	server := httptest.NewServer(w)
	defer server.Close()
	here := func(link string) string { return server.URL + path(link) }
	b := browser.Start(t, false)
	for _, width := range []int{320, 390} {
		b.Resize(width)
		b.Open(here(w.links.List(center, "dishub", testNow)))
		b.Fits("list", width)
		if text := b.Text(); !strings.Contains(text, "dan 10 lainnya") {
			t.Errorf("the list: %s", text)
		}
		b.Click(".tickets a")
		b.Fits("ticket", width)
		if text := b.Text(); !strings.Contains(text, long) || !strings.Contains(text, "Perjalanan tiket") {
			t.Errorf("the first ticket: %s", text)
		}
		b.Click("section details summary")
		b.Fits("why", width)
		if text := b.Text(); !strings.Contains(text, "Dihitung: ") {
			t.Errorf("the explanation does not open: %s", text)
		}
		b.Open(here(w.links.List(center, "dikbud", testNow)))
		b.Fits("empty", width)
		b.Open(here("/p/wrong"))
		b.Fits("wrong", width)
	}
	pressOnce(t, w, b, here(w.links.Ticket(center, "dishub", "SDA-2026-09999", testNow)))
	b.Quiet("/p/wrong - Failed to load")
}

// pressOnce presses the button of a page and looks at what comes of it.
func pressOnce(t *testing.T, w *world, b *browser.Browser, url string) {
	t.Helper()
	b.Open(url)
	var button struct{ Width, Height float64 }
	b.Eval("document.querySelector('button').getBoundingClientRect().toJSON()", &button)
	if button.Width < 300 || button.Height < 44 {
		t.Errorf("the button is %v: too small for a thumb, or without its style", button)
	}
	b.Click("button")
	b.Fits("acknowledged", 390)
	if text := b.Text(); !strings.Contains(text, "Diterima tercatat Senin 9 Maret 2026 10.00 WIB, lewat tautan pesan") {
		t.Errorf("after the button: %s", text)
	}
	b.Do(http.MethodPost, "/refresh", nil, nil)
	b.Do(http.MethodPost, "/back", nil, nil)
	var at string
	b.Eval("document.querySelector('h1').innerText", &at)
	if len(w.sent) != 1 || w.sent[0].Subject != "SDA-2026-09999" || at == "" {
		t.Errorf("%d events, %+v; now at %q", len(w.sent), w.sent, at)
	}
}

// key types a key as a keyboard does.
func key(b *browser.Browser, k string) {
	b.Do(http.MethodPost, "/actions", map[string]any{"actions": []any{map[string]any{"type": "key", "id": "keyboard",
		"actions": []any{map[string]string{"type": "keyDown", "value": k}, map[string]string{"type": "keyUp", "value": k}},
	}}}, nil)
}

const (
	tab   = "\uE004"
	enter = "\uE007"
	down  = "\uE015"
)

// tabTo goes on with the tabulator until the element that the selector names has the focus.
func tabTo(t *testing.T, b *browser.Browser, selector string) {
	t.Helper()
	for range 60 {
		key(b, tab)
		var there bool
		if b.Eval("document.activeElement.matches(`"+selector+"`)", &there); there {
			return
		}
	}
	t.Fatalf("the keyboard does not reach %s:\n%s", selector, b.Text())
}

// A head records a ticket's steps and takes one back, with the keyboard alone; the board has what they recorded.
func TestAnOPDsPageInABrowser(t *testing.T) {
	w := newWorld(t)
	const id = "SDA-2026-00123"
	w.ticket(id, "kebakaran", "darurat", "damkar", testNow.Add(-25*time.Minute))
	w.ticket("SDA-2026-00098", "kebakaran", "darurat", "damkar", testNow.Add(-3*time.Hour))
	w.ticket("SDA-2026-00125", "evakuasi_hewan", "non_darurat", "damkar", testNow.Add(-24*time.Hour))
	for i := range 4 { // due soon
		w.ticket(fmt.Sprintf("SDA-2026-%05d", 130+i), "evakuasi_hewan", "non_darurat", "damkar",
			testNow.Add(-time.Duration(6+i)*time.Minute))
	}
	for m := range 8 {
		w.months = append(w.months, store.OPDMonth{Month: time.Date(2025, time.Month(8+m), 1, 0, 0, 0, 0, time.UTC),
			Clock: "arrive", Numerator: uint64(9 + m), Denominator: uint64(20 + m%3)})
	}
	server := httptest.NewServer(w)
	defer server.Close()
	list := server.URL + path(w.person(center, "damkar", "Kepala Bidang Damkar"))
	b := browser.Start(t, true)
	for _, width := range []int{390, 1920} {
		b.Resize(width)
		for name, page := range map[string]string{
			"opd-daftar": list, "opd-segera": list + "?lihat=segera", "opd-tren": list + "?lihat=tren",
			"opd-cari":   list + "?cari=001",
			"opd-kosong": list + "?cari=9999", "opd-tiket": list + "?tiket=" + id,
		} {
			b.Open(page)
			b.Fits(name, width)
			b.Accessible(name)
		}
		b.Open(list + "?tiket=" + id)
		tabTo(t, b, "button[value=berangkat]")
		key(b, enter)
		b.Until(`document.body.innerText.includes("Berangkat tercatat Senin 9 Maret 2026 10.00 WIB, oleh Kepala Bidang Damkar")`)
		if !w.state(id).DepartedAt.Equal(testNow) {
			t.Error("the board does not have the departure")
		}
		b.Fits("opd-tercatat", width)
		b.Accessible("opd-tercatat")
		tabTo(t, b, "button[value=batal]")
		key(b, enter)
		b.Until(`!document.body.innerText.includes("Berangkat tercatat")`)
		if !w.state(id).DepartedAt.IsZero() {
			t.Error("the board still has the departure")
		}
		tabTo(t, b, "details:has([value=alasan]) summary")
		key(b, enter)
		tabTo(t, b, "#alasan-terlambat")
		key(b, down)
		tabTo(t, b, "button[value=alasan]")
		b.Fits("opd-alasan", width)
		key(b, enter)
		b.Until(`document.body.innerText.includes("Alasan terlambat (personel terbatas) tercatat")`)
		tabTo(t, b, "button[value=batal]")
		key(b, enter)
		b.Until(`!document.body.innerText.includes("Alasan terlambat (personel")`)
	}
	b.Quiet()
}
