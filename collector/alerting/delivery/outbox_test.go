package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/alerting/routing"
	"github.com/monev112/monev112/collector/alerting/whatsapp"
	"github.com/monev112/monev112/collector/alerting/whatsapp/whatsapptest"
	_ "github.com/monev112/monev112/collector/internal/rapidseed"
	"github.com/monev112/monev112/collector/observability/metrics"
	"github.com/monev112/monev112/collector/store"
)

const (
	contactsText = `version: 1
telegram: {bot_token_file: /token}
smtp: {smarthost: "mail.example.go.id:587", from: a@example.go.id}
whatsapp: {url: "http://127.0.0.1:8112/alertmanager/v1/whatsapp"}
operations: {telegram: [{chat_id: -1}]}
centers:
  - code: "35.15"
    leadership: {whatsapp: [{name: Sekda, number: "+62 811-0000-001"}]}
    opds:
      - id: dishub
        whatsapp: [{name: Kepala Dishub, number: "0812 0000 0002"}, {name: Sekretaris Dishub, number: "+6281200000003"}]
        telegram: [{chat_id: -100}]
        email: [kepala@example.go.id]
      - id: damkar
        whatsapp: [{name: Kepala Damkar, number: "+6281200000004"}]
        telegram: [{chat_id: -200}]
      - id: dlhk
        telegram: [{name: Grup DLHK, chat_id: -300}]
        email: [kepala.dlhk@example.go.id]
`
	pages = "https://112.example.go.id/p/"
	opd   = "opd-35-15-dishub"
	// byTelegram has no WhatsApp.
	byTelegram = "opd-35-15-dlhk"
)

var (
	byWhatsApp = metrics.Undelivered{Center: "35.15", OPD: "dishub", Channel: "whatsapp"}
	toDLHK     = metrics.Undelivered{Center: "35.15", OPD: "dlhk", Channel: "telegram"}
)

// office is an outbox with people whose telephones the test holds.
type office struct {
	t        testing.TB
	dir      string
	now      time.Time
	box      *Outbox
	contacts *routing.Contacts
	sent     []sent
	answer   func(channel Channel, to string) error // nil takes everything
	after    func()                                 // called once a message has left
	counted  map[string]int
}

type sent struct {
	channel Channel
	to      string
	text    string
	id      string
}

func newOffice(t testing.TB, dir string) *office {
	o := &office{t: t, dir: dir, now: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC), counted: map[string]int{}}
	var err error
	if o.contacts, err = routing.LoadContacts("contacts.yaml", []byte(contactsText)); err != nil {
		t.Fatal(err)
	}
	o.start()
	return o
}

func (o *office) start() {
	send := func(c Channel, to, text string) (string, error) {
		if o.answer != nil {
			if err := o.answer(c, to); err != nil {
				return "", err
			}
		}
		id := fmt.Sprintf("wamid.%d", len(o.sent))
		o.sent = append(o.sent, sent{c, to, text, id})
		if o.after != nil {
			o.after()
		}
		return id, nil
	}
	var err error
	o.box, err = open(config{
		Dir: o.dir, Contacts: func() (*routing.Contacts, error) {
			return o.contacts, nil
		}, PagesURL: pages, PhoneNumberID: whatsapptest.PhoneNumberID,
		Signed: func(header string, _ []byte) bool { return header == "signed" },
		Senders: Senders{
			WhatsApp: func(_ context.Context, p routing.Phone, m whatsapp.Message) (string, error) {
				return send(WhatsApp, p.Name, m.Text())
			},
			Telegram: func(_ context.Context, c routing.Chat, moved func(int64) int64, text string) error {
				_, err := send(Telegram, fmt.Sprint(moved(c.ChatID)), text)
				return err
			},
			Email: func(_ context.Context, to, _, text string) error { _, err := send(Email, to, text); return err },
		},
		Observe: o, Now: func() time.Time { return o.now },
	})
	if err != nil {
		o.t.Fatal(err)
	}
}

// Message implements observer.
func (o *office) Message(c, state string) { o.counted[c+" "+state]++ }

// restart kills the process and starts it again.
func (o *office) restart() {
	_ = o.box.Close()
	o.start()
}

func (o *office) pass(d time.Duration) {
	o.now = o.now.Add(d)
	o.box.step(context.Background())
}

func (o *office) status(of sent, state whatsapp.State, code int) {
	o.t.Helper()
	if err := o.box.Webhook("signed", whatsapptest.Status(of.id, string(state), o.now, code)); err != nil {
		o.t.Fatal(err)
	}
}

// to returns the people to whom something went, in order.
func (o *office) to() (out []string) {
	for _, s := range o.sent {
		out = append(out, s.to)
	}
	return out
}

// late is a notification of n late tickets of an OPD.
func late(receiver, level, priority string, n int) []byte {
	var alerts []map[string]any
	for i := range n {
		alerts = append(alerts, map[string]any{
			"status": "firing", "startsAt": "2026-11-23T01:00:00Z", "endsAt": "0001-01-01T00:00:00Z",
			"fingerprint": fmt.Sprintf("%016x", i+1),
			"labels": map[string]string{"alertname": "Monev112Ticket", "kind": "ticket", "level": level, "center": "35.15",
				"opd": "dishub", "ticket": fmt.Sprintf("T-%03d", i), "priority": priority},
			"annotations": map[string]string{"opd_name": "Dinas Perhubungan", "late_by": fmt.Sprintf("%d jam", 100-i),
				"left": "5 menit", "category": "PJU", "kecamatan": "Waru\nKota", "list_link": pages + "AWxQ",
				"due_at": fmt.Sprintf("2026-11-22T%02d:%02d:00Z", i/60, i%60)},
		})
	}
	body, err := json.Marshal(map[string]any{
		"version": "4", "groupKey": `{}:{opd="dishub"}`, "receiver": receiver, "status": "firing", "alerts": alerts,
	})
	if err != nil {
		panic(err)
	}
	return body
}

func (o *office) add(body []byte) (id string, repeated bool) {
	o.t.Helper()
	id, repeated, err := o.box.Add("", body)
	if err != nil {
		o.t.Fatal(err)
	}
	o.box.step(context.Background())
	return id, repeated
}

func TestFiftyLateTicketsAreOneMessageToEachPerson(t *testing.T) {
	o := newOffice(t, t.TempDir())
	id, _ := o.add(late(opd, "overdue", "mendesak", 50))
	if again, repeated := o.add(late(opd, "overdue", "mendesak", 50)); !repeated || again != id {
		t.Errorf("the same notification again: %v", repeated)
	}
	want := "Call Center 112: Dinas Perhubungan memiliki 50 tiket yang melewati batas waktu. Yang tertua, tiket T-000 " +
		"(PJU, Kec. Waru Kota), sudah terlambat 100 jam. Mohon ditindaklanjuti dan dicatat melalui tombol di bawah ini."
	if !slices.Equal(o.to(), []string{"Kepala Dishub", "Sekretaris Dishub"}) || o.sent[0].text != want {
		t.Fatalf("%v\n%s", o.to(), o.sent[0].text)
	}
	d, _ := o.box.Find("", id)
	if d.Message.Button != "AWxQ" || d.Round != 1 || len(d.Alerts) != 50 {
		t.Errorf("%+v", d.Notice)
	}
	// Alertmanager's repeat_interval begins another round; a ticket more is another notification.
	o.now = o.now.Add(4 * time.Hour)
	second, repeated := o.add(late(opd, "overdue", "mendesak", 50))
	if d, _ := o.box.Find("", second); repeated || d.Round != 2 {
		t.Errorf("after four hours: %v, round %d", repeated, d.Round)
	}
	if _, repeated := o.add(late(opd, "overdue", "mendesak", 51)); repeated {
		t.Error("51 tickets are taken for 50")
	}
}

func TestADeliveredMessageGoesNoOtherWay(t *testing.T) {
	o := newOffice(t, t.TempDir())
	id, _ := o.add(late(opd, "overdue", "mendesak", 3))
	o.status(o.sent[0], whatsapp.Sent, 0)
	o.pass(time.Minute)
	o.status(o.sent[0], whatsapp.Delivered, 0)
	o.pass(time.Minute)
	o.status(o.sent[0], whatsapp.Read, 0)
	o.pass(time.Hour)
	d, _ := o.box.Find("", id)
	if len(o.sent) != 2 || d.Parts[0].DeliveredAt.IsZero() || !d.Parts[0].ReadAt.After(d.Parts[0].DeliveredAt) {
		t.Errorf("%v %+v", o.to(), d.Parts)
	}
	if h := o.box.health(); h.Waiting != 0 || h.Undelivered[byWhatsApp] != 0 {
		t.Errorf("%+v", h)
	}
}

func TestWhatIsNotDeliveredGoesTheNextWayOnce(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.add(late(opd, "overdue", "mendesak", 3))
	o.pass(4 * time.Minute)
	if len(o.sent) != 2 {
		t.Fatalf("too early: %v", o.to())
	}
	o.pass(time.Minute)
	o.pass(time.Hour)
	if want := []string{"Kepala Dishub", "Sekretaris Dishub", "-100"}; !slices.Equal(o.to(), want) {
		t.Errorf("%v, want %v", o.to(), want)
	}
	if text := o.sent[2].text; !strings.HasSuffix(text, "tautan di bawah ini.\n\n"+
		"• Tiket T-000 (PJU, Kec. Waru Kota) melewati batas waktu 100 jam\n"+
		"• Tiket T-001 (PJU, Kec. Waru Kota) melewati batas waktu 99 jam\n"+
		"• Tiket T-002 (PJU, Kec. Waru Kota) melewati batas waktu 98 jam\n\n"+
		`<a href="`+pages+`AWxQ">Buka daftar tiket</a>`) {
		t.Error(text)
	}
	if h := o.box.health(); h.Undelivered[byWhatsApp] < time.Hour {
		t.Errorf("nothing was delivered by WhatsApp: %+v", h)
	}
}

func TestWhatFailsForGoodGoesTheNextWayAtOnce(t *testing.T) {
	for name, fail := range map[string]func(o *office, id string){
		"refused": func(o *office, _ string) {},
		"a status": func(o *office, _ string) {
			o.status(o.sent[0], whatsapp.Failed, 131026)
			o.status(o.sent[1], whatsapp.Failed, 131026)
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, t.TempDir())
			if name == "refused" {
				o.answer = func(c Channel, _ string) error {
					if c == WhatsApp {
						return &whatsapp.Error{Code: 131026}
					}
					return nil
				}
			}
			id, _ := o.add(late(opd, "overdue", "mendesak", 3))
			fail(o, id)
			o.pass(time.Second)
			o.pass(time.Second)
			if last := o.sent[len(o.sent)-1]; last.channel != Telegram || len(o.sent) > 3 {
				t.Errorf("%v", o.to())
			}
		})
	}
}

func TestABlockedBotLeadsToEmail(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.answer = func(c Channel, _ string) error {
		switch c {
		case WhatsApp:
			return errors.New("no route to host")
		case Telegram:
			return &Refusal{Code: 403, Final: true}
		default:
			return nil
		}
	}
	id, _ := o.add(late(opd, "overdue", "mendesak", 1))
	for range 10 {
		o.pass(time.Minute)
	}
	if !slices.Equal(o.to(), []string{"kepala@example.go.id"}) {
		t.Errorf("%v", o.to())
	}
	d, _ := o.box.Find("", id)
	for _, p := range d.Parts {
		if p.Channel == WhatsApp && p.Tries < 2 {
			t.Errorf("%s was tried %d times", p.Name, p.Tries)
		}
	}
	o.answer = nil
	o.pass(10 * time.Minute)
	if len(o.sent) != 1 {
		t.Errorf("after it was told by e-mail: %v", o.to())
	}
}

func TestAGroupThatBecameASupergroupIsReached(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.answer = func(c Channel, to string) error {
		switch {
		case c == WhatsApp:
			return &whatsapp.Error{Code: 131026}
		case to == "-100":
			return &Refusal{Code: 400, Chat: -100, Moved: -1009}
		default:
			return nil
		}
	}
	for round := range 2 {
		o.add(late(opd, "overdue", "mendesak", round+1))
		o.pass(time.Second)
		o.restart()
	}
	if !slices.Equal(o.to(), []string{"-1009", "-1009"}) {
		t.Errorf("%v", o.to())
	}
}

func TestAnEmergencyIsSentByWhatsAppAlone(t *testing.T) { // Alertmanager uses the other ways itself, at the same time
	o := newOffice(t, t.TempDir())
	o.add(late(routing.UrgentOf(opd), "overdue", "darurat", 1))
	o.pass(10 * time.Minute)
	if !slices.Equal(o.to(), []string{"Kepala Dishub", "Sekretaris Dishub"}) ||
		!strings.HasPrefix(o.sent[0].text, "DARURAT") {
		t.Errorf("%v %s", o.to(), o.sent[0].text)
	}
}

// TestTelegramAloneHasTheSameLedger: an OPD without WhatsApp, and whatever the Bot API answers.
func TestTelegramAloneHasTheSameLedger(t *testing.T) {
	for name, c := range map[string]struct {
		answers []error // of the first attempts
		passes  int     // minutes
		to      []string
		want    Progress // of the chat
		behind  bool     // nothing was delivered to the OPD
	}{
		"accepted": {nil, 10, []string{"-300"}, Progress{Tries: 1}, false},
		"blocked": {[]error{&Refusal{Code: 403, Final: true}}, 1, []string{"kepala.dlhk@example.go.id"},
			Progress{Tries: 1, Code: 403}, true},
		"too many": {[]error{&Refusal{Code: 429, After: 90 * time.Second}}, 4, []string{"-300"}, Progress{Tries: 2}, false},
		"too many for long": {[]error{&Refusal{Code: 429, After: time.Hour}}, 90, []string{"kepala.dlhk@example.go.id"},
			Progress{Tries: 1, Code: 429}, true},
		"moved": {[]error{&Refusal{Code: 400, Chat: -300, Moved: -1003}}, 1, []string{"-1003"},
			Progress{Tries: 2, Moved: true},
			false},
		"moved twice": {[]error{
			&Refusal{Code: 400, Chat: -300, Moved: -1003}, &Refusal{Code: 400, Chat: -1003, Moved: -1004},
		}, 2,
			[]string{"-1004"}, Progress{Tries: 3, Moved: true}, false},
		"no answer": {[]error{errors.New("timeout")}, 4, []string{"-300"}, Progress{Tries: 2, Twice: true}, false},
		"no bot":    {[]error{&Refusal{Code: 401, Account: true}}, 4, nil, Progress{Tries: 1, Code: 401}, true},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, t.TempDir())
			o.answer = func(by Channel, _ string) error {
				if by != Telegram || len(c.answers) == 0 {
					return nil
				}
				err := c.answers[0]
				c.answers = c.answers[1:]
				return err
			}
			id, _ := o.add(late(byTelegram, "overdue", "mendesak", 2))
			for range c.passes {
				o.pass(time.Minute)
			}
			o.restart() // what is recorded survives it
			d, _ := o.box.Find("", id)
			got := d.Parts[0]
			if got.Name != "Grup DLHK" || got.Tries != c.want.Tries || got.Code != c.want.Code || got.Moved != c.want.Moved ||
				got.Twice != c.want.Twice || got.AcceptedAt.IsZero() != (c.want.Code != 0) {
				t.Errorf("%+v, want %+v", got, c.want)
			}
			h := o.box.health()
			if !slices.Equal(o.to(), c.to) || (h.Undelivered[toDLHK] > 0) != c.behind {
				t.Errorf("%v, want %v; %+v", o.to(), c.to, h)
			}
		})
	}
}

// TestABotThatIsRefusedIsToldUntilItWorks: the gauge is of this process alone.
func TestABotThatIsRefusedIsToldUntilItWorks(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.answer = func(Channel, string) error { return &Refusal{Code: 401, Account: true} }
	o.add(late(byTelegram, "overdue", "mendesak", 1))
	o.pass(time.Minute)
	if h := o.box.health(); !h.Refused["telegram"] || h.Refused["whatsapp"] {
		t.Errorf("%+v", h)
	}
	o.answer = nil
	o.add(late("opd-35-15-damkar", "overdue", "mendesak", 1))
	o.pass(lastPause)
	o.pass(time.Minute)
	if h := o.box.health(); h.Refused["telegram"] {
		t.Errorf("after it works: %+v %v", h, o.to())
	}
}

// TestAnEmergencyByTelegramIsNoneOfTheService: Alertmanager sends it itself, so that it does not need the service.
func TestAnEmergencyByTelegramIsNoneOfTheService(t *testing.T) {
	o := newOffice(t, t.TempDir())
	if _, _, err := o.box.Add("", late(routing.UrgentOf(byTelegram), "overdue", "darurat", 1)); !errors.Is(err,
		ErrReceiver) {
		t.Error(err)
	}
}

func TestATestReachesTheChatOfThatName(t *testing.T) {
	o := newOffice(t, t.TempDir())
	for _, c := range []struct {
		center  string
		by      Channel
		name    string
		reaches string
	}{
		{"", Telegram, "Grup DLHK", "-300"}, {"35.15", Telegram, "Grup DLHK", "-300"}, {"35.78", Telegram, "Grup DLHK", ""},
		{"", Telegram, "Kepala Dishub", ""}, {"", WhatsApp, "Kepala Dishub", "Kepala Dishub"},
		{"", WhatsApp, "Grup DLHK", ""},
	} {
		o.sent = nil
		id, err := o.box.Test(c.center, c.by, c.name)
		o.pass(time.Minute)
		if (err == nil) != (c.reaches != "") || err == nil && !slices.Equal(o.to(), []string{c.reaches}) {
			t.Errorf("%+v: %v %v", c, err, o.to())
		}
		if _, ok := o.box.Find("35.78", id); ok {
			t.Error("another centre sees it")
		}
	}
}

// TestTextsFitIntoTelegram: also where every text is as long as it can be, and holds what HTML reads.
func TestTextsFitIntoTelegram(t *testing.T) {
	o := newOffice(t, t.TempDir())
	long := strings.Repeat("&<", 2000)
	body := strings.NewReplacer(`"PJU"`, `"`+long+`"`, `"Waru\nKota"`, `"`+long+`"`, `" jam"`, `"`+long+`"`).Replace(
		string(late(byTelegram, "overdue", "mendesak", 40)))
	body = strings.ReplaceAll(body, "Dinas Perhubungan", long)
	o.add([]byte(body))
	text := html.UnescapeString(o.sent[0].text)
	if n := len(utf16.Encode([]rune(text))); n > 4096 || strings.Count(text, "• Tiket T-") != 10 ||
		!strings.Contains(text, "\ndan 30 lainnya\n") || strings.Contains(o.sent[0].text, "&<") {
		t.Errorf("%d characters:\n%s", n, o.sent[0].text)
	}
}

func TestAStoppedTemplateIsToldAndGoneAround(t *testing.T) {
	for name, stop := range map[string]func(o *office){
		"by a refusal": func(o *office) {
			o.answer = func(c Channel, _ string) error {
				if c == WhatsApp {
					return &whatsapp.Error{Code: 132015}
				}
				return nil
			}
		},
		"by a webhook": func(o *office) {
			if err := o.box.Webhook("signed", whatsapptest.TemplateEvent(whatsapp.TicketsLate, "PAUSED")); err != nil {
				o.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, t.TempDir())
			stop(o)
			o.add(late(opd, "overdue", "mendesak", 1))
			o.pass(time.Second)
			if !slices.Equal(o.to(), []string{"-100"}) {
				t.Errorf("%v", o.to())
			}
			if h := o.box.health(); !slices.Equal(h.Stopped, []string{whatsapp.TicketsLate}) {
				t.Errorf("%+v", h)
			}
			o.restart()
			if h := o.box.health(); len(h.Stopped) != 1 {
				t.Errorf("after a restart: %+v", h)
			}
			o.answer = nil
			if err := o.box.Webhook("signed", whatsapptest.TemplateEvent(whatsapp.TicketsLate, "APPROVED")); err != nil {
				t.Fatal(err)
			}
			o.add(late(opd, "overdue", "mendesak", 2))
			if h := o.box.health(); len(h.Stopped) != 0 || len(o.sent) != 3 {
				t.Errorf("%+v %v", h, o.to())
			}
		})
	}
}

func TestTheAccountIsNotTriedAgainAndAgain(t *testing.T) {
	o := newOffice(t, t.TempDir())
	tries := 0
	o.answer = func(c Channel, _ string) error {
		if c == WhatsApp {
			tries++
			return &whatsapp.Error{Code: 190}
		}
		return nil
	}
	o.add(late(opd, "overdue", "mendesak", 1))
	for range 240 {
		o.pass(time.Second)
	}
	if h := o.box.health(); tries != 1 || !h.Refused["whatsapp"] {
		t.Errorf("%d attempts in four minutes, %+v", tries, h)
	}
	o.answer = nil
	o.pass(lastPause)
	o.add(late(opd, "overdue", "mendesak", 2))
	if o.box.health().Refused["whatsapp"] {
		t.Error("a message was taken, and the account counts as refused")
	}
}

func TestAMessageWhoseButtonCannotLeadThereGoesTheNextWay(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.add([]byte(strings.ReplaceAll(string(late(opd, "overdue", "mendesak", 1)), pages, "https://other.example/p/")))
	if !slices.Equal(o.to(), []string{"-100"}) || !strings.Contains(o.sent[0].text, `"https://other.example/p/AWxQ"`) {
		t.Errorf("%v %+v", o.to(), o.sent)
	}
	_, _, err := o.box.Add("", []byte(strings.ReplaceAll(string(late("pimpinan-35-15", "overdue", "mendesak", 1)), pages,
		"x")))
	if !errors.Is(err, ErrPayload) {
		t.Errorf("who has no other way: %v", err)
	}
}

func TestOnePersonIsNotFlooded(t *testing.T) {
	o := newOffice(t, t.TempDir())
	for i := range 3 {
		o.add(late("opd-35-15-damkar", "overdue", "mendesak", i+1))
	}
	if len(o.sent) != 1 {
		t.Fatalf("%v at once", o.to())
	}
	o.pass(pairEvery)
	o.pass(pairEvery)
	if len(o.sent) != 3 {
		t.Errorf("%v", o.to())
	}
}

func TestAStatusMayComeBeforeItsMessage(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.after = func() { // Meta is faster than the record of the answer
		o.after = nil
		o.status(o.sent[0], whatsapp.Read, 0)
	}
	id, _ := o.add(late("opd-35-15-damkar", "overdue", "mendesak", 1))
	for range 2 {
		if d, _ := o.box.Find("", id); d.Parts[0].ReadAt.IsZero() {
			t.Errorf("%+v", d.Parts[0])
		}
		o.restart()
	}
}

func TestWhatOthersSendIsRefused(t *testing.T) {
	o := newOffice(t, t.TempDir())
	for name, c := range map[string]struct {
		body []byte
		want error
	}{
		"no JSON":          {[]byte("x"), ErrPayload},
		"another version":  {[]byte(`{"version":"3","groupKey":"a","receiver":"` + opd + `","alerts":[{}]}`), ErrPayload},
		"nobody":           {late("diskominfo", "overdue", "mendesak", 1), ErrReceiver},
		"an unknown level": {late(opd, "odd", "mendesak", 1), ErrPayload},
	} {
		if _, _, err := o.box.Add("", c.body); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := o.box.Webhook("forged", whatsapptest.Status("wamid.1", "read", o.now, 0)); !errors.Is(err, ErrSignature) {
		t.Error(err)
	}
	if len(o.sent) != 0 {
		t.Errorf("%v", o.to())
	}
}

func TestRowsHoldNamesAndNoNumbers(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.add(late(opd, "overdue", "mendesak", 2))
	o.status(o.sent[0], whatsapp.Delivered, 0)
	rows := map[string]store.Notification{}
	insert := func(_ context.Context, in []store.Notification) error {
		for _, r := range in {
			rows[r.Message+r.Fingerprint] = r
		}
		return nil
	}
	o.box.shipOnce(t.Context(), func(context.Context, []store.Notification) error { return errors.New("away") })
	o.box.shipOnce(t.Context(), insert)
	delivered := 0
	for _, r := range rows {
		if text := fmt.Sprintf("%+v", r); strings.Contains(text, "81200000") || strings.Contains(text, "wamid") {
			t.Error(text)
		}
		if !r.DeliveredAt.IsZero() && r.Contact == "Kepala Dishub" {
			delivered++
		}
	}
	if len(rows) != 2*4 || delivered != 2 { // two tickets; two telephones, Telegram and e-mail, which had no turn
		t.Errorf("%d rows, %d delivered", len(rows), delivered)
	}
	clear(rows)
	if o.box.shipOnce(t.Context(), insert); len(rows) != 0 {
		t.Errorf("%d rows again", len(rows))
	}
	o.restart()
	if o.box.shipOnce(t.Context(), insert); len(rows) != 8 {
		t.Errorf("after a restart: %d rows", len(rows))
	}
}

// News that come while rows are on their way to ClickHouse are shipped too, whatever their time: Meta's has no
// fractions.
func TestNewsBesideAnInsertAreShipped(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.add(late("opd-35-15-damkar", "overdue", "mendesak", 1))
	o.now = o.now.Add(-time.Second)
	o.box.shipOnce(t.Context(), func(context.Context, []store.Notification) error {
		o.status(o.sent[0], whatsapp.Delivered, 0)
		return nil
	})
	delivered := false
	o.box.shipOnce(t.Context(), func(_ context.Context, in []store.Notification) error {
		for _, r := range in {
			delivered = delivered || !r.DeliveredAt.IsZero()
		}
		return nil
	})
	if !delivered {
		t.Error("ClickHouse never hears of the delivery")
	}
}

// TestAFullOutboxMakesRoom: by what is stored and settled, the oldest first, and after a restart it is the same.
func TestAFullOutboxMakesRoom(t *testing.T) {
	o := newOffice(t, t.TempDir())
	group, phone := Address{Telegram, "Grup DLHK"}, Address{WhatsApp, "Kepala Damkar"}
	var records []record
	for i := range maxNotices {
		id, to, at := fmt.Sprintf("n%05d", i), group, o.now.Add(-3*time.Hour).Add(time.Duration(i)*time.Millisecond)
		switch {
		case i == 0:
			to = phone // WhatsApp may yet tell
		case i >= maxNotices-10:
			at = o.now.Add(-repeatWindow / 2) // Alertmanager may repeat it
		}
		records = append(records, record{At: at, Queued: &Notice{
			ID: id, Key: id, Round: 1, At: at, Receiver: byTelegram, Center: "35.15", OPD: "dlhk", Kind: kindTicket,
			Alerts: []Alert{{Name: "x", Fingerprint: "f"}}, To: []Address{to},
		}})
		if i != 1 { // is not sent yet
			records = append(records, record{At: at, Accepted: &accepted{part{id, to}, ""}})
		}
	}
	if err := o.box.keep(records...); err != nil {
		t.Fatal(err)
	}
	if _, _, err := o.box.Add("", late(byTelegram, "overdue", "mendesak", 1)); !errors.Is(err, ErrUnavailable) {
		t.Errorf("nothing is stored: %v", err)
	}
	if _, _, err := o.box.Add("", late(routing.UrgentOf(opd), "overdue", "darurat", 1)); err != nil {
		t.Errorf("an emergency: %v", err)
	}
	insert := func(context.Context, []store.Notification) error { return nil }
	for len(o.box.state.dirty) > 0 {
		o.box.shipOnce(t.Context(), insert)
	}
	if _, _, err := o.box.Add("", late(byTelegram, "overdue", "mendesak", 1)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		left := o.box.state.notices
		if len(left) != maxNotices-roomFor+1 {
			t.Errorf("%d are left", len(left))
		}
		for _, i := range []int{0, 1, roomFor + 4, maxNotices - 1} {
			if left[fmt.Sprintf("n%05d", i)] == nil {
				t.Errorf("%d is away", i)
			}
		}
		for _, i := range []int{2, roomFor + 2} {
			if left[fmt.Sprintf("n%05d", i)] != nil {
				t.Errorf("%d is kept", i)
			}
		}
		o.restart()
	}
}

// TestOneUnshippedNoticeHoldsNoOther: what is stored is let go of in time beside one that ClickHouse does not take.
func TestOneUnshippedNoticeHoldsNoOther(t *testing.T) {
	o := newOffice(t, t.TempDir())
	stored, _ := o.add(late(byTelegram, "overdue", "mendesak", 1))
	o.box.shipOnce(t.Context(), func(context.Context, []store.Notification) error { return nil })
	waiting, _ := o.add(late("opd-35-15-damkar", "overdue", "mendesak", 1))
	o.now = o.now.Add(keepFor + time.Minute)
	o.box.shipOnce(t.Context(), func(context.Context, []store.Notification) error { return errors.New("not this one") })
	_, first := o.box.Find("", stored)
	_, second := o.box.Find("", waiting)
	if first || !second {
		t.Errorf("the stored one is kept: %v; the other one: %v", first, second)
	}
	o.restart()
	if _, ok := o.box.Find("", waiting); !ok {
		t.Error("after a restart it is away")
	}
}

// TestOneBusyGroupHoldsNoOther: a group's own limit is not the bot's; two that say so are.
func TestOneBusyGroupHoldsNoOther(t *testing.T) {
	for _, busy := range []int{1, 2} {
		o := newOffice(t, t.TempDir())
		asked := map[string]int{}
		o.answer = func(c Channel, to string) error {
			if asked[to]++; c == WhatsApp {
				return &whatsapp.Error{Code: 131026}
			}
			if to == "-300" || busy == 2 && to == "-100" {
				return &Refusal{Code: 429, After: 4 * time.Minute}
			}
			return nil
		}
		o.add(late(byTelegram, "overdue", "mendesak", 1))
		o.add(late(byTelegram, "overdue", "mendesak", 2)) // waits with the first
		o.add(late(opd, "overdue", "mendesak", 1))
		o.add(late("opd-35-15-damkar", "overdue", "mendesak", 1))
		o.pass(time.Second)
		if want := 2 - busy; asked["-200"] != want || asked["-300"] != 1 {
			t.Errorf("%d busy: %v, another group is to be asked %d times", busy, asked, want)
		}
	}
}

// TestNothingIsLostAndDoublesAreKnown plays notifications, failures, statuses and kills at any point. At the end
// everybody was told once by some way, and a message that left twice says so.
func TestNothingIsLostAndDoublesAreKnown(t *testing.T) {
	dir, run := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		o := newOffice(t, fmt.Sprint(dir, "/", run))
		o.answer = func(c Channel, _ string) error {
			switch rapid.IntRange(0, 5).Draw(rt, "answer") {
			case 0:
				return errors.New("timeout")
			case 1:
				if c == WhatsApp {
					return &whatsapp.Error{Code: rapid.SampledFrom([]int{131026, 131056, 130429, 132015, 190}).Draw(rt, "code")}
				}
				return &Refusal{Code: 429, After: time.Second}
			default:
				return nil
			}
		}
		o.after = func() {
			if rapid.IntRange(0, 7).Draw(rt, "killed") == 0 {
				_ = o.box.Close() // what was sent is not recorded
			}
		}
		ids := map[string]bool{}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			switch rapid.IntRange(0, 4).Draw(rt, "do") {
			case 0, 1:
				receiver := rapid.SampledFrom([]string{opd, "opd-35-15-damkar"}).Draw(rt, "receiver")
				if id, _, err := o.box.Add("",
					late(receiver, "overdue", "mendesak", rapid.IntRange(1, 3).Draw(rt, "n"))); err == nil {
					ids[id] = true // acknowledged
				}
			case 2:
				o.restart()
			case 3:
				if len(o.sent) > 0 {
					s := rapid.SampledFrom(o.sent).Draw(rt, "status of")
					_ = o.box.Webhook("signed", whatsapptest.Status(s.id, rapid.SampledFrom([]string{"sent", "delivered", "read",
						"failed"}).Draw(rt, "status"), o.now, 131026))
				}
			}
			o.pass(time.Duration(rapid.IntRange(0, 400).Draw(rt, "seconds")) * time.Second)
		}
		o.answer, o.after = nil, nil
		for range 4 {
			o.restart()
			for range 8 {
				o.pass(fallbackAfter)
			}
		}
		left := map[string]int{}
		for _, s := range o.sent {
			left[s.to+s.text]++
		}
		for id := range ids {
			d, ok := o.box.Find("", id)
			if !ok {
				rt.Fatalf("%s is lost", id)
			}
			told := 0
			for _, p := range d.Parts {
				if !p.AcceptedAt.IsZero() {
					told++
				}
				if p.Channel == WhatsApp && p.SendingAt.IsZero() && p.Tries > 0 && p.AcceptedAt.IsZero() && p.FailedAt.IsZero() &&
					o.now.Sub(d.At) > giveUpAfter {
					rt.Fatalf("%+v is neither told nor given up", p)
				}
			}
			if told == 0 {
				rt.Fatalf("nobody was told: %+v", d)
			}
		}
		twice := map[string]bool{}
		for _, d := range o.box.state.notices {
			for _, p := range d.Parts {
				if p.Twice {
					twice[p.Name+d.Message.Text()] = true
				}
			}
		}
		for key, n := range left {
			if n > 1 && !slices.ContainsFunc(slices.Collect(maps.Keys(twice)), func(k string) bool { return k == key }) &&
				!strings.HasPrefix(key, "-") && !strings.Contains(key, "@") && rounds(o, key) < n {
				rt.Fatalf("%q left %d times, and nothing says so", key, n)
			}
		}
	})
}

// rounds counts the notices of which a message is.
func rounds(o *office, key string) (n int) {
	for _, d := range o.box.state.notices {
		for _, p := range d.Parts {
			if p.Name+d.Message.Text() == key {
				n++
			}
		}
	}
	return n
}
