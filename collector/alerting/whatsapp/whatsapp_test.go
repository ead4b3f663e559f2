package whatsapp_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/alerting/whatsapp"
	"github.com/monev112/monev112/collector/alerting/whatsapp/whatsapptest"
)

const pages = "https://112.example.go.id/p/"

// start returns a client of a stand-in that has approved every template.
func start(t *testing.T) (*whatsapp.Client, *whatsapptest.Server) {
	t.Helper()
	s := whatsapptest.New()
	t.Cleanup(s.Close)
	for _, tmpl := range whatsapp.Templates() {
		text, err := json.Marshal(tmpl.Submission(pages))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Approve(text); err != nil {
			t.Errorf("the platform's rules: %v", err)
		}
	}
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(whatsapptest.Token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := whatsapp.NewClient(s.URL+"/v23.0", whatsapptest.PhoneNumberID, token)
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

func TestEveryTemplateIsApprovedAndSent(t *testing.T) {
	c, s := start(t)
	hostile := strings.Repeat("Dinas\n\t  Panjang\u202e ", 100)
	for _, tmpl := range whatsapp.Templates() {
		button := ""
		if tmpl.Button != "" {
			button = "AWxQ-token"
		}
		for _, params := range [][]string{tmpl.Example, slices.Repeat([]string{hostile}, len(tmpl.Example)),
			make([]string, len(tmpl.Example))} {
			m, err := tmpl.Fill(button, params...)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Send(t.Context(), "6281200000001", m); err != nil {
				t.Errorf("%s: %v", tmpl.Name, err)
			}
			taken, _ := s.Taken()
			if got := taken[len(taken)-1]; got.Text != m.Text() || got.Button != button || strings.Contains(got.Text, "{{") {
				t.Errorf("%+v, want %q", got, m.Text())
			}
		}
	}
}

func TestRefusalsSayWhatTheyStandInTheWayOf(t *testing.T) {
	c, s := start(t)
	tmpl, _ := whatsapp.Named(whatsapp.TestMessage)
	m, err := tmpl.Fill("", "Kepala", "09.15 WIB")
	if err != nil {
		t.Fatal(err)
	}
	code := 0
	s.Fail(func(string) int { return code })
	for want, codes := range map[whatsapp.Scope][]int{
		whatsapp.ThisMessage: {100, 131026, 131047, 131049, 132005, 999999}, whatsapp.Recipient: {131056},
		whatsapp.Everything: {4, 80007, 130429, 131048, 131016}, whatsapp.ThisTemplate: {132001, 132015, 132016},
		whatsapp.Account: {190, 10, 200, 299, 368, 131031},
	} {
		for _, code = range codes {
			_, err := c.Send(t.Context(), "6281200000001", m)
			var refused *whatsapp.Error
			if !errors.As(err, &refused) || refused.Code != code || refused.Scope() != want {
				t.Errorf("code %d: %v, want scope %d", code, err, want)
			}
			if err != nil && strings.Contains(err.Error(), "62812") {
				t.Errorf("the number: %v", err)
			}
		}
	}
	s.Close()
	var refused *whatsapp.Error
	if _, err := c.Send(t.Context(), "6281200000001", m); err == nil || errors.As(err, &refused) {
		t.Errorf("without a server: %v", err)
	}
}

func TestNumbers(t *testing.T) {
	for in, want := range map[string]string{
		"+62 812-3456-7890": "6281234567890", "081234567890": "6281234567890", "6281234567890": "6281234567890",
		"+1 (650) 555-0100": "16505550100", "0": "", "": "", "12345": "", "0812x": "", "+0812345678": "",
		"62812345678901234": "",
	} {
		if got, err := whatsapp.Number(in); got != want || (err == nil) != (want != "") || err != nil && in != "" &&
			len(in) > 3 && strings.Contains(err.Error(), in) {
			t.Errorf("%q: %q %v", in, got, err)
		}
	}
}

func TestOnlyMetaIsBelieved(t *testing.T) {
	body := whatsapptest.Status("wamid.1", "delivered", time.Unix(1700000000, 0), 0)
	if !whatsapp.Signed(whatsapptest.AppSecret, whatsapptest.Sign(body), body) {
		t.Error("a signed body is refused")
	}
	for _, header := range []string{"", "sha256=", "sha256=00", strings.TrimPrefix(whatsapptest.Sign(body), "sha256="),
		whatsapptest.Sign(append(body, ' '))} {
		if whatsapp.Signed(whatsapptest.AppSecret, header, body) {
			t.Errorf("%q is believed", header)
		}
	}
	if whatsapp.Signed("", whatsapptest.Sign(body), body) {
		t.Error("without a secret everybody is believed")
	}
	for _, c := range []struct {
		token, mode, sent, challenge, want string
	}{
		{"v", "subscribe", "v", "1158201444", "1158201444"}, {"v", "subscribe", "x", "1", ""}, {"v", "other", "v", "1", ""},
		{"", "subscribe", "", "1", ""}, {"v", "subscribe", "v", "<script>", ""},
	} {
		if got, ok := whatsapp.Challenge(c.token, c.mode, c.sent, c.challenge); got != c.want || ok != (c.want != "") {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestWebhooks(t *testing.T) {
	at := time.Unix(1700000000, 0).UTC()
	u, err := whatsapp.ParseWebhook(whatsapptest.Status("wamid.1", "failed", at, 131026), whatsapptest.PhoneNumberID)
	if want := (whatsapp.Status{ID: "wamid.1", State: whatsapp.Failed, At: at, Code: 131026}); err != nil ||
		len(u.Statuses) != 1 || u.Statuses[0] != want {
		t.Errorf("%+v %v", u, err)
	}
	if u, err := whatsapp.ParseWebhook(whatsapptest.Status("wamid.1", "read", at, 0), "999"); err != nil ||
		len(u.Statuses) != 0 {
		t.Errorf("of another number: %+v %v", u, err)
	}
	for event, stopped := range map[string]bool{"PAUSED": true, "DISABLED": true, "REJECTED": true, "APPROVED": false} {
		u, err := whatsapp.ParseWebhook(whatsapptest.TemplateEvent("monev112_uji", event), whatsapptest.PhoneNumberID)
		if err != nil || len(u.Templates) != 1 || u.Templates[0].Stopped != stopped {
			t.Errorf("%s: %+v %v", event, u, err)
		}
	}
	for _, body := range []string{"", "x", `{"object":"page"}`, `[]`} {
		if _, err := whatsapp.ParseWebhook([]byte(body), whatsapptest.PhoneNumberID); !errors.Is(err, whatsapp.ErrWebhook) {
			t.Errorf("%q: %v", body, err)
		}
	}
	// What is new or odd says nothing, and is no error: Meta would send it again for days.
	for _, value := range []string{`{"field":"messages","value":7}`,
		`{"field":"messages","value":{"messages":[{"from":"628"}]}}`,
		`{"field":"odd","value":{}}`, `{"field":"messages","value":{"statuses":[{"id":"","status":"read","timestamp":"1"},` +
			`{"id":"a","status":"warning","timestamp":"1"},{"id":"a","status":"read","timestamp":"x"}]}}`} {
		u, err := whatsapp.ParseWebhook([]byte(`{"object":"whatsapp_business_account","entry":[{"changes":[`+value+
			`]}]}`), whatsapptest.PhoneNumberID)
		if err != nil || len(u.Statuses)+len(u.Templates) != 0 {
			t.Errorf("%s: %+v %v", value, u, err)
		}
	}
}

func FuzzParseWebhook(f *testing.F) {
	f.Add(whatsapptest.Status("wamid.1", "read", time.Unix(1700000000, 0), 1))
	f.Add(whatsapptest.TemplateEvent("monev112_uji", "PAUSED"))
	f.Fuzz(func(t *testing.T, body []byte) {
		u, err := whatsapp.ParseWebhook(body, whatsapptest.PhoneNumberID)
		if err != nil && len(u.Statuses)+len(u.Templates) != 0 {
			t.Error("an error and updates")
		}
	})
}
