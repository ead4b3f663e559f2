package wall

import (
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/internal/freeaddr"
	"github.com/monev112/monev112/collector/web/browser"
	"github.com/monev112/monev112/collector/web/page"
)

// service answers the wallboard's page and its stream at an address, until stop is called.
func (w *world) service(address string) (at string, stop func()) {
	w.t.Helper()
	guard, err := auth.NewGuard(filepath.Join(w.dir, auth.FileName), time.Now, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	site, err := page.New(page.Config{Keys: guard, Now: time.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	w.wall.Mount(site)
	l, err := net.Listen("tcp", address)
	if err != nil {
		w.t.Fatal(err)
	}
	s := &http.Server{ReadHeaderTimeout: time.Minute, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second}
	s.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == StreamPath:
			reader := Reader{Name: "test", Center: center, Calls: true, Live: func() bool { return true }}
			if err := w.wall.Stream(rw, r, reader, r.Header.Get("Last-Event-ID")); err != nil {
				http.Error(rw, err.Error(), http.StatusServiceUnavailable)
			}
		case site.Has(r):
			site.Serve(rw, r, nil)
		default:
			http.NotFound(rw, r)
		}
	})
	go func() { _ = s.Serve(l) }()
	return l.Addr().String(), func() { _ = s.Close() }
}

func freeAddr(t *testing.T) string { // of a service that comes back
	t.Helper()
	addr, err := freeaddr.Loopback()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// The page follows the board, says so when it no longer can, and comes back by itself.
func TestTheWallboardInABrowser(t *testing.T) {
	b := browser.Start(t, true)
	w := newWorld(t)
	address, stop := w.service(freeAddr(t))
	const tile = `document.querySelector('[data-k="antre"]').textContent`
	const state = `document.getElementById('papan').dataset.state`
	b.Resize(1920)
	b.Open("http://" + address + "/papan")
	b.Until(tile + ` === "0" && ` + state + ` === "tersambung"`)
	b.Fits("wall-1920", 1920)
	b.Until(`document.querySelector('[data-k="available"]').textContent === "–"`) // nothing is known of agents
	w.set(2)
	began := time.Now()
	b.Until(tile + ` === "2"`)
	t.Logf("a waiting caller is seen after %s", time.Since(began).Round(time.Millisecond)) // no assertion: machines differ
	const wait = `document.querySelector('[data-k="lama"]').textContent`
	b.Until(wait + ` !== "0:00" && ` + wait + ` !== "–"`) // it ticks, though the board says nothing new
	b.Until(`document.querySelector('.calls b').textContent === "C-7"`)
	b.Eval(`document.getElementById('suara').focus()`, nil)
	b.Click("#suara")
	b.Until(`document.getElementById('suara').getAttribute('aria-pressed') === "true"`)
	b.Resize(390)
	b.Fits("wall-390", 390)
	b.Accessible("wallboard")
	b.Keyboard("wallboard")
	b.Dark(true)
	b.Accessible("wallboard, dark")
	b.Fits("wall-dark", 390)
	b.Resize(1920)
	b.Fits("wall-dark", 1920)
	b.Resize(390)

	stop()
	b.Until(state + ` === "putus" && !document.getElementById('putus').hidden`)
	b.Until(`/data terputus|data lost/i.test(document.getElementById('putus').textContent)`)
	b.Fits("wall-lost", 390)
	w.set(7)
	_, stop = w.service(address)
	defer stop()
	b.Until(state + ` === "tersambung" && ` + tile + ` === "7" && document.getElementById('putus').hidden`)
	b.Quiet(StreamPath+" - Failed to load", "net::ERR_")
}

// Another version of the service has another page.
func TestTheWallboardLoadsItselfAgainAfterAnUpgrade(t *testing.T) {
	b := browser.Start(t, true)
	w := newWorld(t)
	address, stop := w.service(freeAddr(t))
	b.Open("http://" + address + "/papan")
	b.Until(`document.getElementById('papan').dataset.state === "tersambung"`)
	b.Eval(`window.mine = true`, nil)
	stop()
	w.wall.cfg.Version = "2"
	_, stop = w.service(address)
	defer stop()
	b.Until(`window.mine === undefined && document.getElementById('papan')?.dataset.state === "tersambung"`)
}
