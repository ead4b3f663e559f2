package httpapi

import (
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/alerting/delivery"
	"github.com/monev112/monev112/collector/alerting/whatsapp"
)

// outboxStub takes everything of one centre, believes one signature and knows one message.
type outboxStub struct{ without delivery.Channel }

var deliveryID = strings.Repeat("a", 32)

func (outboxStub) Add(center string, body []byte) (string, bool, error) {
	if center == "35.78" {
		return "", false, delivery.ErrCenter
	}
	if string(body) == `{"odd":1}` {
		return "", false, delivery.ErrPayload
	}
	if string(body) == `{"unknown":1}` {
		return "", false, delivery.ErrReceiver
	}
	return deliveryID, false, nil
}

func (outboxStub) Webhook(signature string, body []byte) error {
	switch {
	case signature != "sha256=right":
		return delivery.ErrSignature
	case string(body) == `{"odd":1}`:
		return whatsapp.ErrWebhook
	case string(body) == `{"full":1}`:
		return delivery.ErrUnavailable
	}
	return nil
}

func (outboxStub) Verify(_, token, challenge string) (string, bool) {
	return challenge, token == "right"
}

func (o outboxStub) Takes(by delivery.Channel) bool { return by != o.without }

func (outboxStub) Test(center string, by delivery.Channel, name string) (string, error) {
	if name != map[delivery.Channel]string{delivery.WhatsApp: "Kepala", delivery.Telegram: "Grup Dishub"}[by] ||
		center == "35.78" {
		return "", delivery.ErrReceiver
	}
	return deliveryID, nil
}

func (outboxStub) Find(center, id string) (delivery.Delivery, bool) {
	at := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	return delivery.Delivery{
		Notice: delivery.Notice{ID: deliveryID, Round: 1, At: at, Message: whatsapp.Message{Template: whatsapp.TicketsLate}},
		Parts: []delivery.Progress{
			{Address: delivery.Address{Channel: delivery.WhatsApp, Name: "Kepala"}, Tries: 2, FailedAt: at, Code: 131026},
			{Address: delivery.Address{Channel: delivery.Telegram, Name: "Grup Dishub"}, Tries: 1, FailedAt: at, Code: 403},
		},
	}, id == deliveryID && center != "35.78"
}

func TestOutbox(t *testing.T) {
	w := start(t, func(c *Config) { c.Outbox = outboxStub{} })
	for _, c := range []struct {
		request, body, signature, want string
		status                         int
	}{
		{"POST /alertmanager/v1/whatsapp", `{}`, "", deliveryID, 200},
		{"POST /alertmanager/v1/whatsapp", `{"odd":1}`, "", "not a notification of Alertmanager", 400},
		{"POST /alertmanager/v1/whatsapp", `{"unknown":1}`, "", "send it again", 503}, // its contacts may be on their way
		{"POST /alertmanager/v1/telegram", `{}`, "", deliveryID, 200},
		{"POST /v1/whatsapp/webhook", `{}`, "sha256=right", "kept", 200},
		{"POST /v1/whatsapp/webhook", `{}`, "sha256=wrong", "not signed", 403},
		{"POST /v1/whatsapp/webhook", `{"odd":1}`, "sha256=right", "not a webhook", 400},
		{"POST /v1/whatsapp/webhook", `{"full":1}`, "sha256=right", "send it again", 503},
		{"GET /v1/whatsapp/webhook?hub.mode=subscribe&hub.verify_token=right&hub.challenge=1158201444", "", "", "1158201444", 200},
		{"GET /v1/whatsapp/webhook?hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=1", "", "", "verify_token_file", 403},
		{"POST /v1/whatsapp/test?to=Kepala", "", "", deliveryID, 200},
		{"POST /v1/whatsapp/test?to=0812", "", "", "as the contacts file has it", 404},
		{"GET /v1/whatsapp/messages/" + deliveryID, "", "", "it cannot be delivered", 200},
		{"POST /v1/telegram/test?to=Kepala", "", "", "No contact with Telegram", 404},
		{"POST /v1/telegram/test?to=Grup+Dishub", "", "", deliveryID, 200},
		{"GET /v1/telegram/messages/" + deliveryID, "", "", "the bot was blocked", 200},
		{"GET /v1/whatsapp/messages/x", "", "", "at most eight days", 404},
	} {
		method, path, _ := strings.Cut(c.request, " ")
		r := w.do(method, path, c.body, "Content-Type", "application/json", "X-Hub-Signature-256", c.signature)
		if r.StatusCode != c.status || !strings.Contains(string(r.body), c.want) {
			t.Errorf("%s %s: %d %s, want %d %s", c.request, c.body, r.StatusCode, r.body, c.status, c.want)
		}
	}
}

// TestAHandOverNeedsItsSection: without the section telegram Alertmanager is not answered as if it were sent.
func TestAHandOverNeedsItsSection(t *testing.T) {
	for without, want := range map[delivery.Channel][2]int{
		"": {200, 200}, delivery.Telegram: {200, 404}, delivery.WhatsApp: {404, 200},
	} {
		w := start(t, func(c *Config) { c.Outbox = outboxStub{without} })
		for i, path := range []string{"/alertmanager/v1/whatsapp", "/alertmanager/v1/telegram"} {
			r := w.do("POST", path, `{}`, "Content-Type", "application/json")
			if r.StatusCode != want[i] || want[i] == 404 && !strings.Contains(string(r.body), "no section "+string(without)) {
				t.Errorf("without %q, %s: %d %s", without, path, r.StatusCode, r.body)
			}
		}
	}
}
