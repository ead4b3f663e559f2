package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/web/browser"
)

// TestTheWallboardOverAKill looks at the wallboard of the real program in a real browser: a caller who waits is there,
// a killed service turns it grey, and after a restart it goes on by itself with what was acknowledged.
func TestTheWallboardOverAKill(t *testing.T) {
	t.Parallel()
	b := browser.Start(t, true)
	s := newService(t).start()
	if !s.ready() {
		t.Fatal("the service ended")
	}
	queued := func(id string) {
		t.Helper()
		a, status, err := s.post([]byte(line(id, fields{"type": "monev112.call.queued", "data": fields{"queue": "112"}})))
		if err != nil || a.Accepted != 1 {
			t.Fatal(status, a, err)
		}
	}
	shows := func(waiting int) string {
		return fmt.Sprintf(`document.getElementById('papan').dataset.state === 'tersambung' &&
			document.querySelector('[data-k="antre"]').textContent === '%d'`, waiting)
	}
	const grey = `document.getElementById('papan').dataset.state === 'putus' && !document.getElementById('putus').hidden`

	b.Resize(1920)
	b.Open("http://" + s.addr + "/papan")
	b.Until(shows(0))
	queued("C-1")
	began := time.Now()
	b.Until(shows(1))
	t.Logf("seen %s after the acknowledgement", time.Since(began).Round(time.Millisecond)) // no assertion: machines differ

	s.kill()
	began = time.Now()
	b.Until(grey)
	t.Logf("grey %s after the kill", time.Since(began).Round(time.Millisecond))
	b.Resize(390)
	b.Fits("wall-killed", 390)

	if s.start(); !s.ready() {
		t.Fatal("the service ended")
	}
	b.Until(shows(1))
	queued("C-2")
	b.Until(shows(2))
	b.Fits("wall-again", 390)
}
