package pager

import (
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/monev112/monev112/collector/event"
)

// patience bounds every wait; a machine under load may need it.
const patience = 2 * time.Minute

// waitFor polls until ok.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// alertmanager stands in for a server and keeps what it takes.
type alertmanager struct {
	*httptest.Server
	mu     sync.Mutex
	pushes [][]Alert
	heads  []http.Header
	answer func(w http.ResponseWriter, r *http.Request) bool // true: it has answered
}

func newAlertmanager(t *testing.T, start func(http.Handler) *httptest.Server) *alertmanager {
	am := &alertmanager{}
	am.Server = start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		am.mu.Lock()
		defer am.mu.Unlock()
		if am.answer != nil && am.answer(w, r) {
			return
		}
		var alerts []Alert
		if err == nil {
			err = json.Unmarshal(body, &alerts)
		}
		if err != nil || r.Method != http.MethodPost || r.URL.Path != "/api/v2/alerts" ||
			r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s %s: %v", r.Method, r.URL.Path, r.Header.Get("Content-Type"), err)
			http.Error(w, "no", http.StatusBadRequest)
			return
		}
		am.pushes, am.heads = append(am.pushes, alerts), append(am.heads, r.Header)
	}))
	t.Cleanup(am.Close)
	return am
}

// taken returns what it took.
func (am *alertmanager) taken() [][]Alert {
	am.mu.Lock()
	defer am.mu.Unlock()
	return am.pushes[:len(am.pushes):len(am.pushes)]
}

func (am *alertmanager) answering(with func(w http.ResponseWriter, r *http.Request) bool) {
	am.mu.Lock()
	defer am.mu.Unlock()
	am.answer = with
}

func TestBodiesAreBoundedAndHoldEveryAlertOnce(t *testing.T) {
	at := noon
	for name, tt := range map[string]struct{ alerts, bytes, bodies int }{
		"none": {0, 0, 1}, "one": {1, 100, 1}, "as many as fit": {maxBatchAlerts, 100, 1},
		"one more":  {maxBatchAlerts + 1, 100, 2},
		"long ones": {600, 4000, 5}, "one beyond the size": {1, maxBatchBytes, 1},
	} {
		var in, out []Alert
		for i := range tt.alerts {
			in = append(in, Alert{
				Labels:      map[string]string{"ticket": fmt.Sprint(i), "level": "overdue"},
				Annotations: map[string]string{"x": strings.Repeat("x", tt.bytes)}, StartsAt: at, EndsAt: at.Add(Lifetime),
			})
		}
		p, err := encode(at, in)
		if err != nil {
			t.Fatal(err)
		}
		for _, body := range p.bodies {
			var some []Alert
			if err := json.Unmarshal(body, &some); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if len(some) > maxBatchAlerts || len(body) > maxBatchBytes && len(some) > 1 {
				t.Errorf("%s: a body of %d alerts and %d bytes", name, len(some), len(body))
			}
			out = append(out, some...)
		}
		if !cmp.Equal(in, out) || len(p.bodies) != tt.bodies || p.levels["overdue"] != tt.alerts {
			t.Errorf("%s: %d alerts in %d bodies, want %d in %d; levels %v", name, len(out), len(p.bodies), tt.alerts, tt.bodies,
				p.levels)
		}
	}
}

func TestBytesThatAreNoTextSilenceNobody(t *testing.T) {
	f, now := lateBoard()
	f.apply(event.TicketOpened, "SDA-\xff\xfe", noon)
	o := options(t, f, func() time.Time { return now }, "http://127.0.0.1:1")
	for range 2 { // and the state file can be read again
		p, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		if next := p.round(); next == nil || next.alerts != 2 || len(p.state.Active) != 2 {
			t.Fatalf("%d alerts, %d active", next.alerts, len(p.state.Active))
		}
	}
}

// sender is a server that is told to send one push.
func sender(t *testing.T, cfg Alertmanager) (try func() error) {
	t.Helper()
	if err := cfg.check(); err != nil {
		t.Fatal(err)
	}
	s, err := newServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.tracer = noop.NewTracerProvider().Tracer("")
	t.Cleanup(s.client.CloseIdleConnections)
	p, err := encode(noon, nil)
	if err != nil {
		t.Fatal(err)
	}
	return func() error { return s.send(t.Context(), p) }
}

func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestSecretsAreReadForEachPush(t *testing.T) {
	am := newAlertmanager(t, httptest.NewServer)
	bearer, password := write(t, "one\n"), write(t, "s e:cret")
	try := sender(t, Alertmanager{URL: am.URL + "/", BearerFile: bearer})
	if err := try(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bearer, []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := try(); err != nil {
		t.Fatal(err)
	}
	if err := sender(t, Alertmanager{URL: am.URL, Username: "monev112", PasswordFile: password})(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bearer, []byte("two\nlines"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := try(); err == nil || !strings.Contains(err.Error(), "bearer_file") {
		t.Errorf("a broken secret: %v", err)
	}
	var got []string
	for _, h := range am.heads {
		got = append(got, h.Get("Authorization"))
	}
	if want := []string{"Bearer one", "Bearer two", "Basic bW9uZXYxMTI6cyBlOmNyZXQ="}; !cmp.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTLS(t *testing.T) {
	am := newAlertmanager(t, httptest.NewTLSServer)
	am.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	ca := write(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: am.Certificate().Raw})))
	if err := sender(t, Alertmanager{URL: am.URL, CAFile: ca})(); err != nil {
		t.Errorf("with its certificate: %v", err)
	}
	if err := sender(t, Alertmanager{URL: am.URL})(); err == nil {
		t.Error("an unknown certificate is trusted")
	}
	if err := sender(t, Alertmanager{URL: am.URL, CAFile: ca, ServerName: "elsewhere.example"})(); err == nil {
		t.Error("a certificate of another name is trusted")
	}
	if n := len(am.taken()); n != 1 {
		t.Errorf("%d pushes were taken", n)
	}
}

func TestAnAnswerThatIsNoneIsAnError(t *testing.T) {
	am := newAlertmanager(t, httptest.NewServer)
	elsewhere := newAlertmanager(t, httptest.NewServer)
	try := sender(t, Alertmanager{URL: am.URL, BearerFile: write(t, "secret")})
	for status, want := range map[int]string{
		400: "status 400: start time must be before end time", 401: "status 401", 302: "status 302", 503: "status 503",
	} {
		am.answering(func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(status)
			fmt.Fprint(w, "start time must be\nbefore end time", strings.Repeat("x", 1<<20))
			return true
		})
		err := try()
		if err == nil || !strings.HasPrefix(err.Error(), want) || len(err.Error()) > 300 {
			t.Errorf("%d: %v", status, err)
		}
	}
	if len(elsewhere.heads) > 0 {
		t.Error("a redirect was followed: the secret went elsewhere")
	}
}
