package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
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
	server := httptest.NewServer(w.pages)
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
		b.Click("details summary")
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
	if text := b.Text(); !strings.Contains(text, "Diterima tercatat Senin 9 Maret 2026 10.00 WIB") {
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
