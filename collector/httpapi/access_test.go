package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/alerting/notifications"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/monev/freeze"
	"github.com/monev112/monev112/collector/monev/kendala"
	"github.com/monev112/monev112/collector/monev/number"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/source/upload"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/store/lookup"
	"github.com/monev112/monev112/collector/tracker"
	"github.com/monev112/monev112/collector/upkeep/rebuild"
	"github.com/monev112/monev112/collector/web"
	"github.com/monev112/monev112/collector/web/figure"
	"github.com/monev112/monev112/collector/web/home"
	"github.com/monev112/monev112/collector/web/imports"
	"github.com/monev112/monev112/collector/web/messages"
	"github.com/monev112/monev112/collector/web/page"
	"github.com/monev112/monev112/collector/web/quality"
	"github.com/monev112/monev112/deploy"
)

// accessTest is a request, the key that it comes with, and what it must answer. docs/security.md has a row for each.
type accessTest struct {
	request string // method and path
	key     string // one of those that accessKeys makes
	want    int
}

func accessTests() []accessTest {
	return []accessTest{
		{"GET /v1/tickets/T-1", "opd:read:dishub", 200},
		{"GET /v1/tickets/T-2", "opd:read:dishub", 404},
		{"GET /v1/tickets/T-3", "opd:read:dishub", 404},
		{"GET /v1/tickets/T-1?center=35.78", "opd:read:dishub", 404},
		{"GET /v1/tickets", "opd:read:dishub", 200},
		{"GET /v1/tickets?opd=dishub", "opd:read:dishub", 200},
		{"GET /v1/tickets?opd=dlhk", "opd:read:dishub", 404},
		{"GET /v1/tickets?opd=none", "opd:read:dishub", 404},
		{"GET /v1/tickets?center=35.78", "opd:read:dishub", 404},
		{"GET /v1/calls/C-1", "opd:read:dishub", 403},
		{"GET /v1/board", "opd:read:dishub", 403},
		{"GET /v1/directory/review", "opd:read:dishub", 403},
		{"POST /v1/events", "opd:read:dishub", 403},
		{"POST /alertmanager/v1/log", "opd:read:dishub", 403},
		{"GET /v1/admin/freezes", "opd:read:dishub", 403},
		{"GET /v1/admin/events?source=s", "opd:read:dishub", 403},
		{"POST /v1/admin/confirmations", "opd:read:dishub", 403},
		{"GET /v1/tickets/T-2", "board:read", 200},
		{"GET /v1/calls/C-1", "board:read", 200},
		{"GET /v1/board", "board:read", 200},
		{"POST /v1/events", "board:read", 403},
		{"POST /v1/admin/rebuilds", "board:read", 403},
		{"GET /v1/admin/events?source=s", "board:read", 403},
		{"POST /v1/admin/withdrawals", "board:read", 403},
		{"POST /v1/admin/confirmations", "board:read", 403},
		{"GET /v1/tickets/T-3", "board:read of 35.15", 404},
		{"GET /v1/board?center=35.78", "board:read of 35.15", 404},
		{"POST /v1/events", "events:write", 200},
		{"GET /v1/board", "events:write", 403},
		{"GET /v1/tickets/T-1", "events:write", 403},
		{"POST /v1/admin/withdrawals", "events:write", 403},
		{"POST /v1/admin/confirmations", "events:write", 403},
		{"POST /alertmanager/v1/log", "alerts:log", 200},
		{"POST /v1/events", "alerts:log", 403},
		{"GET /v1/tickets", "alerts:log", 403},
		{"POST /v1/events", "monev:write", 200},
		{"GET /v1/office", "monev:write", 200},
		{"GET /v1/office", "opd:read:dishub", 403},
		{"GET /v1/office?center=35.78", "board:read of 35.15", 403},
		{"GET /v1/board", "monev:write", 403},
		{"GET /v1/admin/freezes", "monev:write", 403},
		{"POST /alertmanager/v1/whatsapp", "alerts:log", 403},
		{"POST /alertmanager/v1/whatsapp", "whatsapp:deliver", 200},
		{"POST /alertmanager/v1/whatsapp", "deliver of 35.78", 403},
		{"POST /alertmanager/v1/telegram", "alerts:log", 403},
		{"POST /alertmanager/v1/telegram", "whatsapp:deliver", 200},
		{"POST /v1/events", "whatsapp:deliver", 403},
		{"POST /v1/whatsapp/test?to=Kepala", "whatsapp:deliver", 403},
		{"POST /v1/whatsapp/test?to=Kepala", "admin", 200},
		{"POST /v1/whatsapp/test?to=Kepala", "admin of 35.78", 404},
		{"POST /v1/telegram/test?to=Grup+Dishub", "admin", 200},
		{"POST /v1/telegram/test?to=Grup+Dishub", "admin of 35.78", 404},
		{"GET /v1/whatsapp/messages/x", "board:read", 403},
		{"GET /v1/whatsapp/messages/" + deliveryID, "admin", 200},
		{"GET /v1/whatsapp/messages/" + deliveryID, "admin of 35.78", 404},
		{"GET /v1/telegram/messages/" + deliveryID, "admin of 35.78", 404},
		{"POST /v1/whatsapp/webhook", "admin", 403}, // a key is no signature
		{"GET /v1/whatsapp/webhook", "none", 403},
		{"GET /v1/admin/freezes", "admin", 200},
		{"GET /v1/admin/events?source=s", "admin", 200},
		{"POST /v1/admin/withdrawals", "admin", 200},
		{"POST /v1/admin/confirmations", "admin", 200},
		{"GET /v1/report?month=2026-10", "board:read", 200},
		{"GET /v1/report?month=2026-10", "monev:write", 200},
		{"GET /v1/report?month=2026-10", "admin", 200},
		{"GET /v1/report?month=2026-10", "opd:read:dishub", 200},
		{"GET /v1/report?month=2026-10&opd=dlhk", "opd:read:dishub", 404},
		{"GET /v1/report?month=2026-10&center=35.78", "opd:read:dishub", 403},
		{"GET /v1/report?month=2026-10", "events:write", 403},
		{"GET /v1/report?month=2026-10", "none", 401},
		{"POST /v1/report", "board:read", 403},
		{"POST /v1/report", "monev:write", 200},
		{"POST /v1/report", "admin", 200},
		{"GET /v1/reports", "opd:read:dishub", 403},
		{"GET /v1/reports", "board:read", 200},
		{"GET /v1/report/changes?month=2026-10", "opd:read:dishub", 403},
		{"GET /v1/report/changes?month=2026-10", "board:read", 200},
		{"GET /v1/board", "admin", 403},
		{"GET /v1/monev/kendala?month=2026-10", "admin", 200},
		{"GET /v1/monev/kendala?month=2026-10", "monev:write", 200},
		{"GET /v1/monev/kendala?month=2026-10", "board:read", 200},
		{"GET /v1/monev/kendala?month=2026-10&center=35.78", "board:read of 35.15", 403},
		{"GET /v1/monev/kendala?month=2026-10", "opd:read:dishub", 200},
		{"GET /v1/monev/kendala?month=2026-10&opd=dlhk", "opd:read:dishub", 403},
		{"GET /v1/monev/kendala?month=2026-10&check=true", "opd:read:dishub", 403},
		{"GET /v1/monev/kendala?month=2026-10", "events:write", 403},
		{"GET /v1/monev/number?value=80.7&since=2023-01-01&until=2023-11-01", "board:read", 200},
		{"GET /v1/monev/number?value=80.7&center=35.78", "board:read of 35.15", 403},
		{"GET /v1/monev/number?value=80.7", "opd:read:dishub", 403},
		{"GET /v1/monev/number?value=80.7", "events:write", 403},
		{"GET /v1/board", "revoked", 401},
		{"GET /v1/board", "expired", 401},
		{"GET /v1/board", "unknown", 401},
		{"GET /v1/board", "none", 401},
		{"POST /v1/events", "none", 401},
		{"GET /v1/tickets/T-1", "none", 401},
		{"GET /-/healthy", "none", 200},
		{"GET /openapi.yaml", "none", 200},
		{"GET /", "none", 303},
		{"GET /", "revoked", 401},
		{"GET /", "opd:read:dishub", 200},
		{"GET /", "events:write", 200},
		{"GET /impor", "none", 303},
		{"GET /impor", "monev:write", 403},
		{"GET /impor", "admin", 200},
		{"POST /impor", "none", 401},
		{"GET /mutu", "none", 303},
		{"GET /mutu", "board:read", 200},
		{"GET /mutu", "monev:write", 200},
		{"GET /mutu", "opd:read:dishub", 403},
		{"GET /mutu", "events:write", 403},
		{"POST /mutu", "board:read", 403},
		{"GET /pesan", "none", 303},
		{"GET /pesan", "board:read", 200},
		{"GET /pesan", "opd:read:dishub", 403},
		{"GET /angka", "none", 303},
		{"GET /angka", "board:read", 200},
		{"GET /angka", "monev:write", 200},
		{"GET /angka", "opd:read:dishub", 403},
		{"GET /masuk", "none", 200},
		{"GET /definisi", "none", 303},
		{"GET /definisi", "alerts:log", 200},
		{"GET /papan", "none", 303},
		{"GET /papan", "board:read", 200},
		{"GET /papan", "admin", 200},
		{"GET /papan", "opd:read:dishub", 403},
		{"GET /papan", "events:write", 403},
		{"GET /papan?center=35.78", "board:read of 35.15", 404},
		{"GET /papan/x", "none", 404},
		{"GET /opd/dishub/x", "none", 404},
		{"GET /opd/dishub/x", "opd:read:dishub", 404},
		{"GET /opd/dishub/style.css", "none", 200},
		{"POST /opd/dishub/x", "none", 404},
		{"GET /v1/board/stream", "none", 401},
		{"GET /v1/board/stream", "opd:read:dishub", 403},
		{"GET /v1/board/stream?link=x", "none", 404},
		{"GET /aset/style.css", "none", 200},
	}
}

// accessKeys makes a key of each kind and returns its secret.
func accessKeys(t *testing.T, w *world) map[string]string {
	t.Helper()
	out := map[string]string{"none": "", "unknown": auth.Prefix + strings.Repeat("x", 43)}
	for name, k := range map[string]auth.Key{
		"opd:read:dishub":     {Name: "opd", Scopes: []auth.Scope{auth.OPDRead("dishub")}, Center: "35.15"},
		"board:read":          {Name: "board", Scopes: []auth.Scope{auth.BoardRead}},
		"board:read of 35.15": {Name: "board-35.15", Scopes: []auth.Scope{auth.BoardRead}, Center: "35.15"},
		"events:write":        {Name: "events", Scopes: []auth.Scope{auth.EventsWrite}},
		"alerts:log":          {Name: "alerts", Scopes: []auth.Scope{auth.AlertsLog}},
		"monev:write":         {Name: "monev", Scopes: []auth.Scope{auth.MonevWrite}},
		"whatsapp:deliver":    {Name: "whatsapp", Scopes: []auth.Scope{auth.WhatsAppDeliver}},
		"deliver of 35.78":    {Name: "telegram-35.78", Scopes: []auth.Scope{auth.TelegramDeliver}, Center: "35.78"},
		"admin":               {Name: "admin", Scopes: []auth.Scope{auth.Admin}},
		"admin of 35.78":      {Name: "admin-35.78", Scopes: []auth.Scope{auth.Admin}, Center: "35.78"},
		"revoked":             {Name: "revoked", Scopes: []auth.Scope{auth.BoardRead}},
		"expired":             {Name: "expired", Scopes: []auth.Scope{auth.BoardRead}, ExpiresAt: w.now.Add(time.Hour)},
	} {
		out[name] = w.key(k)
	}
	if r := w.get("/v1/board", bearer(out["revoked"])...); r.StatusCode != 200 {
		t.Fatalf("before it is revoked: %d", r.StatusCode)
	}
	if _, err := w.keys.Revoke("revoked", w.now); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(2 * time.Hour)
	return out
}

// newSite is the site with every page, so far as who may see it goes.
func newSite(t *testing.T, c *Config) *page.Site {
	t.Helper()
	s, err := page.New(page.Config{Keys: c.Keys, Record: c.Hooks.Read, Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := home.Mount(s, home.Config{
		Directory: directory.MustLoad("directory.yaml", deploy.Directory), Snapshot: c.Cases.Snapshot,
		Incomplete: func() string { return "" },
	}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	desk, err := upload.New(upload.Config{Dir: filepath.Join(dir, "up"), State: dir, Directory: directory.MustLoad("directory.yaml", deploy.Directory), Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	imports.Mount(s, desk)
	web.Mount(s, newPages(t, dir, c.Now))
	figure.Mount(s, func(context.Context, number.Request) (number.Result, error) { return number.Result{}, nil })
	messages.Mount(s, messages.Config{
		Told:      func(context.Context, string, time.Time, time.Time) ([]store.Told, error) { return nil, nil },
		Directory: directory.MustLoad("directory.yaml", deploy.Directory), Now: time.Now,
	})
	quality.Mount(s, quality.Config{
		Flags: func(context.Context, string, time.Time, time.Time, time.Time) ([]store.FlagCount, error) {
			return nil, nil
		},
		NotRecorded: func(context.Context, string, time.Time, time.Time) ([]store.NotRecorded, error) { return nil, nil },
		Corrected:   func(context.Context, string, time.Time, time.Time) ([]store.Corrected, error) { return nil, nil },
		Withdrawn:   func(context.Context, string) ([]store.WithdrawnTicket, error) { return nil, nil },
		Directory:   directory.MustLoad("directory.yaml", deploy.Directory), Now: time.Now,
	})
	return s
}

// newPages are the pages behind links of a board without tickets.
func newPages(t *testing.T, dir string, now func() time.Time) *web.Pages {
	t.Helper()
	listed, err := web.OpenListedLinks(dir, now(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	p, err := web.New(web.Config{
		Listed: listed, Directory: directory.MustLoad("directory.yaml", deploy.Directory), Book: new(sla.Book),
		Complete:     func() bool { return true },
		DueSummary:   func(string, string, time.Time) (d tracker.DueSummary) { return d },
		OpenMatching: func(string, string, string, int) []event.Key { return nil },
		Ticket: func(context.Context, string, string) (r tracker.Row, _ []*event.Event, _ bool, _ error) {
			return r, nil, false, nil
		},
		Row:       func(event.Key) (r tracker.Row, _ bool) { return r, false },
		Corrected: func(context.Context, string, time.Time, time.Time) ([]store.Corrected, error) { return nil, nil },
		OnTime:    func(context.Context, string, string, time.Time, time.Time) ([]store.OPDMonth, error) { return nil, nil },
		Submit:    func(context.Context, string, event.RawEvent) (int, error) { return 0, nil },
		Record:    func(audit.Entry) {}, Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAccess(t *testing.T) {
	w := start(t, func(c *Config) {
		c.Messages = func([]byte) (notifications.Notification, bool, error) {
			return notifications.Notification{ID: strings.Repeat("0", 32), Alerts: 1}, false, nil
		}
		c.Outbox = outboxStub{}
		c.Admin = testAdmin()
		c.Office = emptyOffice{}
		c.Admin.Compare = func(context.Context, string, string, time.Time) ([]freeze.Report, error) { return nil, nil }
		c.Reports = testReports{}
		c.Site = newSite(t, c)
		c.Number = func(context.Context, number.Request) (number.Result, error) { return number.Result{}, nil }
		c.Kendala = func(context.Context, kendala.Request) (kendala.Result, error) {
			return kendala.Result{Indicators: []kendala.Indicator{}}, nil
		}
		c.Wall = newWall(t, c, t.TempDir())
		c.Admin.StartRebuild = func(context.Context, rebuild.Spec) (rebuild.Job, error) { return rebuild.Job{}, nil }
	})
	w.stub.snapshot.Complete = true
	w.stub.cases = []lookup.Case{
		ticketCase("35.15", "T-1", "dishub"), ticketCase("35.15", "T-2", "dlhk"), ticketCase("35.78", "T-3", "dishub"),
		callCase("35.15", "C-1"),
	}
	keys := accessKeys(t, w)
	for _, tt := range accessTests() {
		t.Run(tt.request+" with "+tt.key, func(t *testing.T) {
			method, path, _ := strings.Cut(tt.request, " ")
			mediaType, body := "application/json", "{}"
			if path == "/v1/events" {
				mediaType, body = "application/x-ndjson", "a s\n"
			}
			headers := []string{"Content-Type", mediaType}
			if secret := keys[tt.key]; secret != "" {
				headers = append(headers, bearer(secret)...)
			}
			r := w.do(method, path, body, headers...)
			if r.StatusCode != tt.want {
				t.Errorf("%d %s", r.StatusCode, r.body)
			}
			if tt.want == http.StatusNotFound && strings.Contains(string(r.body), "T-") {
				t.Errorf("the answer tells what exists: %s", r.body)
			}
			if strings.HasPrefix(tt.key, "opd:") && strings.Contains(string(r.body), "dlhk") {
				t.Errorf("another OPD shows: %s", r.body)
			}
			for header, want := range map[string]string{
				"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
				"Cache-Control": "no-store",
			} {
				if strings.HasPrefix(path, page.FilesPath) && header == "Cache-Control" {
					want = "no-cache"
				}
				if got := r.Header.Get(header); got != want {
					t.Errorf("%s is %q", header, got)
				}
			}
		})
	}
}

// The tests of access that are no row of TestAccess, by folder.
func otherAccessTests() map[string][]string {
	return map[string][]string{
		"collector/httpapi/auth": {
			"TestTheFileHoldsNoKey", "TestARevokedKeyEndsWithinASecond", "TestAGuardFollowsTheFile",
			"TestOnlyLoopbackWithoutKeys", "TestLostKeysEndTheStart",
		},
		"collector/httpapi": {"TestAThousandWrongKeysAreSlowed", "TestReservedSources",
			"TestGuessesFromManyAddressesAtOneKeyAreSlowed",
			"TestOnlyATrustedProxyNamesTheAddress",
			"TestAThousandWrongLinksAreSlowed", "TestReadsOfSingleCasesAreRecorded",
			"TestReadsOfListsAreRecorded", "TestNoProxyStandsBeforeAServiceWithoutKeys",
			"TestWhoMayFollowTheBoard", "TestASessionFollowsTheBoard",
			"TestPagesAskForNoKeyAndNoTokenReachesTheLog", "TestTheServiceSpeaksTLSAndTakesUpARenewedCertificate"},
		"collector/web": {"TestHostileFormsRecordNothing", "TestNobodyFillsACaseByPressing",
			"TestOnlyItsOwnRecordsAreTakenBack", "TestAPersonsLinkOpensItsOPDAlone",
			"TestARevokedOrExpiredLinkStopsAtTheNextRequest", "TestALinkThatDoesNotOpenTellsNothing", "TestNoOtherTokenOpens",
			"TestRotationKeepsLinksUntilTheyExpire", "TestTheButtonIsOfItsPageAlone",
			"TestTheButtonRecordsOneAcknowledgement", "TestNothingPersonalStandsOnAPage", "TestPagesAreForOneReaderAndNoMachine",
			"TestReadsAreRecorded", "TestADisplaysLinkOpensUntilItIsRevokedOrExpires",
			"TestADisplaysLinkOpensNoPageOfAnOPDAndViceVersa", "TestLostLinkKeysAreNeverReplacedInSilence"},
		"collector/web/page": {"TestASessionEndsWithItsKeyAndItsTime", "TestASessionCookieIsForThisSiteAlone",
			"TestAFormIsOfItsPersonAlone", "TestWrongKeysAreCountedAndSlowed", "TestNobodyIsSentToAForeignPage",
			"TestEveryAnswerIsStrict", "TestWhatAKeyMaySee"},
		"collector/web/wall": {"TestAReaderThatMayReadNoMoreIsToldSoWithinTenSeconds",
			"TestStreamsAreBoundedForEachReaderAndInAll", "TestAScreenThatDoesNotReadIsDropped"},
		"collector/ingest": {"TestLostCallerKeysAreNeverReplacedInSilence"},
		"cmd/monev112":     {"TestTheCallersKeyIsRotated", "TestTheLinksKeyIsRotated", "TestLostKeysAreBegunAnew"},
	}
}

var accessRow = regexp.MustCompile("(?m)^\\| `([^`]*)` \\| ([^|]*) \\| ([^|]*) \\| `([^`]*)` \\|$")

func TestEveryAccessTestHasItsRowInTheDocumentAndViceVersa(t *testing.T) {
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, m := range accessRow.FindAllStringSubmatch(string(text), -1) {
		if m[4] == "TestAccess" {
			got = append(got, fmt.Sprintf("%s | %s | %s", m[1], m[2], m[3]))
		} else {
			got = append(got, m[4])
		}
	}
	for _, tt := range accessTests() {
		want = append(want, fmt.Sprintf("%s | %s | %d", tt.request, tt.key, tt.want))
	}
	for folder, names := range otherAccessTests() {
		files, err := filepath.Glob(filepath.Join("../..", folder, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		var code strings.Builder
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			code.Write(text)
		}
		for _, name := range names {
			want = append(want, name)
			if !strings.Contains(code.String(), "func "+name+"(") {
				t.Errorf("%s has no test %s", folder, name)
			}
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	for _, row := range want {
		if !slices.Contains(got, row) {
			t.Errorf("docs/security.md lacks the row %s", row)
		}
	}
	for i, row := range got {
		if !slices.Contains(want, row) || i > 0 && got[i-1] == row {
			t.Errorf("docs/security.md has a row of no test, or twice: %s", row)
		}
	}
}

// TestReservedSources: the sources of the service itself are for a key that also has the scope admin.
func TestReservedSources(t *testing.T) {
	w := start(t, nil)
	reserved := func(headers ...string) string {
		if r := w.post("a s", headers...); r.StatusCode != 200 {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}
		return strings.Join(w.stub.submitted[len(w.stub.submitted)-1].Reserved, " ")
	}
	if got := reserved(); got != "monev112/page" {
		t.Errorf("without any key: %q", got)
	}
	write := w.key(auth.Key{Name: "write", Scopes: []auth.Scope{auth.EventsWrite}})
	admin := w.key(auth.Key{Name: "admin", Scopes: []auth.Scope{auth.EventsWrite, auth.Admin}})
	w.now = w.now.Add(2 * time.Second)
	if got := reserved(bearer(write)...); got != "monev112/page monev112/confirm" {
		t.Errorf("a sender's key: %q", got)
	}
	if got := reserved(bearer(admin)...); got != "" {
		t.Errorf("an operator's key: %q", got)
	}
}
