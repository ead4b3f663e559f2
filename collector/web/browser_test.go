package web_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// browserTimeout is how long Chromium may take for anything: a loaded machine is slow.
const browserTimeout = 90 * time.Second

// browser is Debian's Chromium, spoken to over the WebDriver protocol. Scripts are switched off for pages, as on a
// careful telephone; what the test itself asks still runs.
type browser struct {
	t       testing.TB
	session string
	client  http.Client
}

var driverPort = regexp.MustCompile(`started successfully on port (\d+)`)

// openBrowser starts Chromium, or skips the test where there is none.
func openBrowser(t testing.TB) *browser {
	t.Helper()
	if testing.Short() {
		t.Skip("starts Chromium: not with -short")
	}
	driver, err := exec.LookPath("chromedriver")
	if err != nil {
		t.Skip("no chromedriver: apt-get install chromium chromium-driver (make chromium) to see the pages in a browser")
	}
	binary, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium: apt-get install chromium chromium-driver (make chromium) to see the pages in a browser")
	}
	profile, err := os.MkdirTemp("", "monev112-chromium-*")
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, client: http.Client{Timeout: browserTimeout}}
	base, stop := startDriver(t, driver)
	t.Cleanup(func() {
		if b.session != base {
			if req, err := http.NewRequest(http.MethodDelete, b.session, nil); err == nil {
				if resp, err := b.client.Do(req); err == nil {
					_ = resp.Body.Close()
				}
			}
		}
		stop()
		_ = os.RemoveAll(profile) // Chromium may still be writing into it: what it leaves is not the test's concern
	})
	b.session = base
	var made struct{ SessionID string }
	b.do(http.MethodPost, "", map[string]any{"capabilities": map[string]any{"alwaysMatch": map[string]any{
		"browserName": "chrome",
		"goog:chromeOptions": map[string]any{
			"binary": binary,
			"args": []string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
				"--disable-background-networking",
				"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--user-data-dir=" + profile},
			"prefs": map[string]any{"profile.managed_default_content_settings.javascript": 2},
		},
		"goog:loggingPrefs": map[string]string{"browser": "ALL"},
	}}}, &made)
	b.session = base + "/" + made.SessionID
	return b
}

// startDriver starts chromedriver and returns where it takes sessions. A driver that does not start says nothing of the
// pages: the test is skipped.
func startDriver(t testing.TB, driver string) (base string, stop func()) {
	t.Helper()
	cmd := exec.Command(driver, "--port=0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Skip("chromedriver does not start: ", err)
	}
	stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	said := make(chan string)
	go func() {
		var all strings.Builder
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			fmt.Fprintln(&all, lines.Text())
			if driverPort.MatchString(lines.Text()) {
				break
			}
		}
		said <- all.String()
		_, _ = io.Copy(io.Discard, out)
	}()
	select {
	case text := <-said:
		if m := driverPort.FindStringSubmatch(text); m != nil {
			return "http://127.0.0.1:" + m[1] + "/session", stop
		}
		stop()
		t.Skip("chromedriver does not start: ", text)
	case <-time.After(browserTimeout):
		stop()
		t.Skip("chromedriver does not start: ", <-said)
	}
	return "", stop
}

// do sends a command; what the driver answers goes to into.
func (b *browser) do(method, path string, body, into any) {
	b.t.Helper()
	var text []byte
	if method == http.MethodPost {
		if body == nil {
			body = struct{}{}
		}
		var err error
		if text, err = json.Marshal(body); err != nil {
			b.t.Fatal(err)
		}
	}
	req, err := http.NewRequest(method, b.session+path, bytes.NewReader(text))
	if err != nil {
		b.t.Fatal(err)
	}
	resp, err := b.client.Do(req)
	if err != nil { // nothing that a page could do
		b.t.Skipf("chromedriver does not answer %s: %v", path, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		b.t.Fatalf("chromedriver %s: %d %s %v", path, resp.StatusCode, answer, err)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(answer, &struct{ Value any }{into}); err != nil {
		b.t.Fatalf("chromedriver %s: %v in %s", path, err, answer)
	}
}

func (b *browser) open(url string) {
	b.t.Helper()
	b.do(http.MethodPost, "/url", map[string]string{"url": url}, nil)
}

// resize makes the telephone as wide as that.
func (b *browser) resize(width int) {
	b.t.Helper()
	b.do(http.MethodPost, "/goog/cdp/execute", map[string]any{"cmd": "Emulation.setDeviceMetricsOverride",
		"params": map[string]any{"width": width, "height": 844, "deviceScaleFactor": 2, "mobile": true}}, nil)
}

// eval runs an expression in the page.
func (b *browser) eval(expression string, into any) {
	b.t.Helper()
	b.do(http.MethodPost, "/execute/sync", map[string]any{"script": "return " + expression, "args": []any{}}, into)
}

// click clicks the first element that the selector finds, as a finger would.
func (b *browser) click(selector string) {
	b.t.Helper()
	var element map[string]string
	b.do(http.MethodPost, "/element", map[string]string{"using": "css selector", "value": selector}, &element)
	for _, id := range element {
		b.do(http.MethodPost, "/element/"+id+"/click", nil, nil)
	}
}

func (b *browser) text() (s string) {
	b.t.Helper()
	b.eval("document.body.innerText", &s)
	return s
}

// fits fails the test when the page is wider than the screen, and keeps a picture where the variable PAGE_SHOTS names a
// folder.
func (b *browser) fits(name string, width int) {
	b.t.Helper()
	var size struct{ Wide, Screen, Tall int }
	b.eval("{wide: document.documentElement.scrollWidth, screen: window.innerWidth, tall: "+
		"document.documentElement.scrollHeight}", &size)
	if size.Wide > width || size.Screen != width {
		b.t.Errorf("%s is %d wide on a screen of %d, want %d", name, size.Wide, size.Screen, width)
	}
	if dir := os.Getenv("PAGE_SHOTS"); dir != "" {
		var shot struct{ Data string }
		b.do(http.MethodPost, "/goog/cdp/execute",
			map[string]any{"cmd": "Page.captureScreenshot", "params": map[string]any{"captureBeyondViewport": true,
				"clip": map[string]any{"x": 0, "y": 0, "width": width, "height": min(size.Tall, 2600), "scale": 1}}}, &shot)
		png, err := base64.StdEncoding.DecodeString(shot.Data)
		if err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d.png", name, width)), png, 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
}

// quiet fails the test when the browser had something to complain of, such as what the page's own policy forbids.
func (b *browser) quiet() {
	b.t.Helper()
	var lines []struct{ Level, Message string }
	b.do(http.MethodPost, "/se/log", map[string]string{"type": "browser"}, &lines)
	for _, l := range lines {
		// the first it asks for unasked
		if !strings.Contains(l.Message, "/favicon.ico") && !strings.Contains(l.Message, "/p/wrong - Failed to load") {
			b.t.Errorf("the browser says: %s %s", l.Level, l.Message)
		}
	}
}

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
	b := openBrowser(t)
	for _, width := range []int{320, 390} {
		b.resize(width)
		b.open(here(w.links.List(center, "dishub", testNow)))
		b.fits("list", width)
		if text := b.text(); !strings.Contains(text, "dan 10 lainnya") {
			t.Errorf("the list: %s", text)
		}
		b.click(".tickets a")
		b.fits("ticket", width)
		if text := b.text(); !strings.Contains(text, long) || !strings.Contains(text, "Perjalanan tiket") {
			t.Errorf("the first ticket: %s", text)
		}
		b.click("details summary")
		b.fits("why", width)
		if text := b.text(); !strings.Contains(text, "Dihitung: ") {
			t.Errorf("the explanation does not open: %s", text)
		}
		b.open(here(w.links.List(center, "dikbud", testNow)))
		b.fits("empty", width)
		b.open(here("/p/wrong"))
		b.fits("wrong", width)
	}
	pressOnce(t, w, b, here(w.links.Ticket(center, "dishub", "SDA-2026-09999", testNow)))
	b.quiet()
}

// pressOnce presses the button of a page and looks at what comes of it.
func pressOnce(t *testing.T, w *world, b *browser, url string) {
	t.Helper()
	b.open(url)
	var button struct{ Width, Height float64 }
	b.eval("document.querySelector('button').getBoundingClientRect().toJSON()", &button)
	if button.Width < 300 || button.Height < 44 {
		t.Errorf("the button is %v: too small for a thumb, or without its style", button)
	}
	b.click("button")
	b.fits("acknowledged", 390)
	if text := b.text(); !strings.Contains(text, "Diterima tercatat Senin 9 Maret 2026 10.00 WIB") {
		t.Errorf("after the button: %s", text)
	}
	b.do(http.MethodPost, "/refresh", nil, nil)
	b.do(http.MethodPost, "/back", nil, nil)
	var at string
	b.eval("document.querySelector('h1').innerText", &at)
	if len(w.sent) != 1 || w.sent[0].Subject != "SDA-2026-09999" || at == "" {
		t.Errorf("%d events, %+v; now at %q", len(w.sent), w.sent, at)
	}
}
