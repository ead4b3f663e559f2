// Package browser lets tests look at pages in Chromium. It is for tests alone.
package browser

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// timeout is how long Chromium may take for anything: a loaded machine is slow.
const timeout = 3 * time.Minute

// Browser is Debian's Chromium, spoken to over the WebDriver protocol.
type Browser struct {
	t       *testing.T
	session string
	client  http.Client
}

var driverPort = regexp.MustCompile(`started successfully on port (\d+)`)

// Start starts Chromium, or skips the test where there is none. Without scripts, pages run none, as on a careful
// telephone; what the test itself asks still runs.
func Start(t *testing.T, scripts bool) *Browser {
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
	b := &Browser{t: t, client: http.Client{Timeout: timeout}}
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
	setting := 2
	if scripts {
		setting = 1
	}
	var made struct{ SessionID string }
	b.Do(http.MethodPost, "", map[string]any{"capabilities": map[string]any{"alwaysMatch": map[string]any{
		"browserName": "chrome",
		"timeouts":    map[string]int64{"script": timeout.Milliseconds(), "pageLoad": timeout.Milliseconds()},
		"goog:chromeOptions": map[string]any{
			"binary": binary,
			"args": []string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
				"--disable-background-networking",
				"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--user-data-dir=" + profile},
			"prefs": map[string]any{
				"intl.accept_languages": "id", "profile.managed_default_content_settings.javascript": setting,
			},
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
	case <-time.After(timeout):
		stop()
		t.Skip("chromedriver does not start: ", <-said)
	}
	return "", stop
}

// Do sends a command; what the driver answers goes to into.
func (b *Browser) Do(method, path string, body, into any) {
	b.t.Helper()
	status, answer, err := b.send(method, path, body)
	if path == "" && status == http.StatusInternalServerError { // no session: Chromium was slow to come up
		status, answer, err = b.send(method, path, body)
	}
	if err != nil || status != http.StatusOK {
		b.refused(path, status, answer, err)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(answer, &struct{ Value any }{into}); err != nil {
		b.t.Fatalf("chromedriver %s: %v in %s", path, err, answer)
	}
}

// refused ends the test after a command that did not work.
func (b *Browser) refused(command string, status int, answer []byte, err error) {
	b.t.Helper()
	if status == 0 { // nothing that a page could do
		b.t.Skipf("chromedriver does not answer %s: %v", command, err)
	}
	b.t.Fatalf("chromedriver %s: %d %s %v", command, status, answer, err)
}

// send returns the driver's answer; the status is 0 when there is none.
func (b *Browser) send(method, path string, body any) (status int, answer []byte, err error) {
	b.t.Helper()
	var text []byte
	if method == http.MethodPost {
		if body == nil {
			body = struct{}{}
		}
		if text, err = json.Marshal(body); err != nil {
			b.t.Fatal(err)
		}
	}
	req, err := http.NewRequest(method, b.session+path, bytes.NewReader(text))
	if err != nil {
		b.t.Fatal(err)
	}
	resp, err := b.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// Open opens a page.
func (b *Browser) Open(url string) {
	b.t.Helper()
	b.Do(http.MethodPost, "/url", map[string]string{"url": url}, nil)
}

// Resize makes the screen as wide as that.
func (b *Browser) Resize(width int) {
	b.t.Helper()
	b.Do(http.MethodPost, "/goog/cdp/execute", map[string]any{"cmd": "Emulation.setDeviceMetricsOverride",
		"params": map[string]any{"width": width, "height": 844, "deviceScaleFactor": 2, "mobile": true}}, nil)
}

// Eval runs an expression in the page.
func (b *Browser) Eval(expression string, into any) {
	b.t.Helper()
	b.Do(http.MethodPost, "/execute/sync", map[string]any{"script": "return " + expression, "args": []any{}}, into)
}

// Click clicks the first element that the selector finds, as a finger would.
func (b *Browser) Click(selector string) {
	b.t.Helper()
	b.act(selector, "/click", nil)
}

// Type types into the first element that the selector finds; into a choice of files, their paths.
func (b *Browser) Type(selector, text string) {
	b.t.Helper()
	b.act(selector, "/value", map[string]string{"text": text})
}

// act has the driver do something to the first element that the selector finds. A page that renews its parts may have
// put another in its place since it was found: that one is looked for again.
func (b *Browser) act(selector, action string, body any) {
	b.t.Helper()
	for end := time.Now().Add(timeout); ; {
		var found map[string]string // its one value is the driver's name of the element
		b.Do(http.MethodPost, "/element", map[string]string{"using": "css selector", "value": selector}, &found)
		for _, id := range found {
			status, answer, err := b.send(http.MethodPost, "/element/"+id+action, body)
			if err == nil && status == http.StatusOK {
				return
			}
			if !bytes.Contains(answer, []byte("stale element reference")) || time.Now().After(end) {
				b.refused(selector+action, status, answer, err)
			}
		}
	}
}

// Until waits until an expression in the page is true.
func (b *Browser) Until(expression string) {
	b.t.Helper()
	for end := time.Now().Add(timeout); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var holds bool
		if b.Eval(expression, &holds); holds {
			return
		}
	}
	b.t.Fatalf("never %s:\n%s", expression, b.Text())
}

// Text is what the page shows.
func (b *Browser) Text() (s string) {
	b.t.Helper()
	b.Eval("document.body.innerText", &s)
	return s
}

// Fits fails the test when the page is wider than the screen, and keeps a picture where the variable PAGE_SHOTS names a
// folder.
func (b *Browser) Fits(name string, width int) {
	b.t.Helper()
	var size struct{ Wide, Screen, Tall int }
	b.Eval("{wide: document.documentElement.scrollWidth, screen: window.innerWidth, tall: "+
		"document.documentElement.scrollHeight}", &size)
	if size.Wide > width || size.Screen != width {
		b.t.Errorf("%s is %d wide on a screen of %d, want %d", name, size.Wide, size.Screen, width)
	}
	if dir := os.Getenv("PAGE_SHOTS"); dir != "" {
		var shot struct{ Data string }
		b.Do(http.MethodPost, "/goog/cdp/execute",
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

// Quiet fails the test when the browser had something to complain of, such as what the page's own policy forbids. Lines
// with one of the texts expected do not count.
func (b *Browser) Quiet(expected ...string) {
	b.t.Helper()
	var lines []struct{ Level, Message string }
	b.Do(http.MethodPost, "/se/log", map[string]string{"type": "browser"}, &lines)
	for _, l := range lines {
		// Advice is no fault; nor is the icon that it asks for unasked.
		if l.Level != "DEBUG" && !slices.ContainsFunc(append(expected, "/favicon.ico"), func(e string) bool {
			return strings.Contains(l.Message, e)
		}) {
			b.t.Errorf("the browser says: %s %s", l.Level, l.Message)
		}
	}
}

// Accessible fails the test when axe-core finds a serious or critical fault in the page. Where axe-core is not there it
// is a subtest that is skipped, and the rest of the test goes on.
func (b *Browser) Accessible(name string) {
	b.t.Helper()
	b.t.Run("axe: "+name, func(t *testing.T) {
		(&Browser{t: t, session: b.session, client: b.client}).axe()
	})
}

func (b *Browser) axe() {
	b.t.Helper()
	var script []byte
	for _, folder := range []string{"browser", "../browser"} { // of a test in collector/web, and below it
		if text, err := os.ReadFile(filepath.Join(folder, "node_modules/axe-core/axe.min.js")); err == nil {
			script = text
		}
	}
	if script == nil {
		b.t.Skip("no axe-core: make axe installs it with npm")
	}
	var found []struct {
		ID, Impact, Help string
		Nodes            []struct{ HTML string }
	}
	b.Do(http.MethodPost, "/execute/sync", map[string]any{"script": string(script), "args": []any{}}, nil)
	b.Do(http.MethodPost, "/execute/async", map[string]any{"args": []any{}, "script": `const done = arguments[0];
		axe.run({resultTypes: ["violations"]}).then((r) =>
			done(r.violations.filter((v) => ["serious", "critical"].includes(v.impact))))`}, &found)
	for _, f := range found {
		b.t.Errorf("%s (%s): %s: %.300v", f.ID, f.Impact, f.Help, f.Nodes)
	}
}

// Dark makes the page see a reader who prefers dark colours, or one who prefers light ones.
func (b *Browser) Dark(dark bool) {
	b.t.Helper()
	scheme := map[bool]string{false: "light", true: "dark"}[dark]
	b.Do(http.MethodPost, "/goog/cdp/execute",
		map[string]any{"cmd": "Emulation.setEmulatedMedia", "params": map[string]any{
			"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}},
		}}, nil)
}

// Press presses a key and lets it go, such as "\ue004", the tabulator.
func (b *Browser) Press(key string) {
	b.t.Helper()
	b.Do(http.MethodPost, "/actions", map[string]any{"actions": []map[string]any{{
		"type": "key", "id": "keyboard",
		"actions": []map[string]string{{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}},
	}}}, nil)
}

// Keyboard fails the test when the tabulator does not reach something that can be pressed or filled in, or when one
// cannot see where it is.
func (b *Browser) Keyboard(name string) {
	b.t.Helper()
	const all = `[...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")].filter(
		(e) => !e.disabled && e.type !== "hidden" && e.getClientRects().length > 0 && e.checkVisibility())`
	var n int
	b.Eval(`(() => { window.reached = new Set(); window.unseen = []; document.activeElement?.blur(); return `+all+
		`.length; })()`,
		&n)
	for left := 1; left > 0 && n >= 0; n-- {
		for range 8 { // a date is several stops
			b.Press("\ue004")
			b.Eval(`(() => { const e = document.activeElement;
				if (e !== document.body && !window.reached.has(e)) {
					window.reached.add(e);
					if (getComputedStyle(e).outlineStyle === "none") window.unseen.push(e.outerHTML);
				}
				return `+all+`.filter((e) => !window.reached.has(e)).length; })()`, &left)
			if left == 0 {
				break
			}
		}
	}
	var missed, unseen []string
	b.Eval(all+`.filter((e) => !window.reached.has(e)).map((e) => e.outerHTML)`, &missed)
	b.Eval(`window.unseen`, &unseen)
	if len(missed) > 0 || len(unseen) > 0 {
		b.t.Errorf("%s: the keyboard does not reach %.600q; nothing shows that it is at %.600q", name, missed, unseen)
	}
}
