package httpapi

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/monev112/monev112/collector/alerting/delivery"
	"github.com/monev112/monev112/collector/alerting/whatsapp"
)

const (
	whatsappPath = "/alertmanager/v1/whatsapp"
	webhookPath  = "/v1/whatsapp/webhook"
)

// WhatsApp sends what Alertmanager hands over; *delivery.Outbox does.
type WhatsApp interface {
	Add(body []byte) (id string, repeated bool, err error)
	Webhook(signature string, body []byte) error
	Verify(mode, token, challenge string) (answer string, ok bool)
	Test(name string) (id string, err error)
	Find(id string) (delivery.Delivery, bool)
}

// deliveryAnswer says what became of a notification. It names people as the contacts do.
type deliveryAnswer struct {
	ID       string          `json:"id"`
	Again    bool            `json:"again,omitzero"` // it was taken before
	Round    int             `json:"round,omitzero"`
	At       time.Time       `json:"at,omitzero"`
	Template string          `json:"template,omitzero"`
	Messages []messageStatus `json:"messages,omitzero"`
}

type messageStatus struct {
	Channel     delivery.Channel `json:"channel"`
	Contact     string           `json:"contact"`
	Tries       int              `json:"tries"`
	AcceptedAt  time.Time        `json:"accepted_at,omitzero"`
	DeliveredAt time.Time        `json:"delivered_at,omitzero"`
	ReadAt      time.Time        `json:"read_at,omitzero"`
	FailedAt    time.Time        `json:"failed_at,omitzero"`
	Code        int              `json:"code,omitzero"`
	Meaning     string           `json:"meaning,omitzero"` // of the code
	Twice       bool             `json:"twice,omitzero"`
}

// postWhatsApp takes a notification of Alertmanager that goes by WhatsApp.
func (a *API) postWhatsApp(c *gin.Context) {
	body, err := a.jsonBody(c, delivery.MaxBodyBytes)
	if err != nil {
		a.fail(c, err)
		return
	}
	id, again, err := a.cfg.WhatsApp.Add(body)
	switch {
	case errors.Is(err, delivery.ErrPayload):
		a.fail(c, newProblem(http.StatusBadRequest, codeBadRequest, sentence(err)))
	case err != nil: // a receiver that is not known yet among them: Alertmanager sends again after 5xx alone
		a.failUnavailable(c, err)
	default:
		a.answer(c, http.StatusOK, deliveryAnswer{ID: id, Again: again})
	}
}

// getWebhook answers Meta's question whether this address is ours.
func (a *API) getWebhook(c *gin.Context) {
	answer, ok := a.cfg.WhatsApp.Verify(c.Query("hub.mode"), c.Query("hub.verify_token"), c.Query("hub.challenge"))
	if !ok {
		if wait := a.guesses.bad(newGuesser(c.ClientIP(), webhookPath)); wait > 0 {
			a.slow(c, wait)
			return
		}
		a.fail(c, newProblem(http.StatusForbidden, codeForbidden, "The verify token is not that of verify_token_file."))
		return
	}
	c.Data(http.StatusOK, "text/plain; charset=utf-8", []byte(answer))
}

// postWebhook takes what Meta says of messages and templates. Meta repeats what is not answered with 200.
func (a *API) postWebhook(c *gin.Context) {
	if c.GetHeader("Content-Encoding") != "" { // before its signature is known a body is not unpacked
		a.fail(c, newProblem(http.StatusUnsupportedMediaType, codeMediaType, "Send the body as it is signed, unpacked."))
		return
	}
	body, err := a.jsonBody(c, whatsapp.MaxWebhookBytes)
	if err != nil {
		a.fail(c, err)
		return
	}
	a.conns.arrived(c.Request)
	leave, ok := a.enter(c)
	if !ok {
		return
	}
	defer leave()
	err = a.cfg.WhatsApp.Webhook(c.GetHeader("X-Hub-Signature-256"), body)
	switch {
	case errors.Is(err, delivery.ErrSignature):
		if wait := a.guesses.bad(newGuesser(c.ClientIP(), webhookPath)); wait > 0 {
			a.slow(c, wait)
			return
		}
		a.fail(c, newProblem(http.StatusForbidden, codeForbidden, "The body is not signed with the app's secret."))
	case errors.Is(err, whatsapp.ErrWebhook):
		a.fail(c, newProblem(http.StatusBadRequest, codeBadRequest, sentence(err)))
	case err != nil:
		a.failUnavailable(c, err)
	default:
		a.answer(c, http.StatusOK, statusAnswer{"kept"})
	}
}

// postWhatsAppTest sends a test message to a person of the contacts.
func (a *API) postWhatsAppTest(c *gin.Context) {
	name := c.Query("to")
	id, err := a.cfg.WhatsApp.Test(name)
	switch {
	case errors.Is(err, delivery.ErrReceiver):
		a.fail(c, newProblem(http.StatusNotFound, codeNotFound,
			"No contact with WhatsApp has this name: give one as the contacts file has it."))
	case err != nil:
		a.failUnavailable(c, err)
	default:
		a.answer(c, http.StatusOK, deliveryAnswer{ID: id})
	}
}

// getWhatsAppMessage says what became of a notification.
func (a *API) getWhatsAppMessage(c *gin.Context) {
	d, ok := a.cfg.WhatsApp.Find(strings.TrimPrefix(c.Param("id"), "/"))
	if !ok {
		a.fail(c, newProblem(http.StatusNotFound, codeNotFound, "No message with this id is kept; it is for eight days."))
		return
	}
	out := deliveryAnswer{ID: d.ID, Round: d.Round, At: d.At, Template: d.Message.Template}
	for _, p := range d.Parts {
		m := messageStatus{
			Channel: p.Channel, Contact: p.Name, Tries: p.Tries, AcceptedAt: p.AcceptedAt, DeliveredAt: p.DeliveredAt,
			ReadAt: p.ReadAt, FailedAt: p.FailedAt, Code: p.Code, Twice: p.Twice,
		}
		if p.Code != 0 && p.Channel == delivery.WhatsApp {
			m.Meaning = (&whatsapp.Error{Code: p.Code}).Error()
		}
		out.Messages = append(out.Messages, m)
	}
	a.answer(c, http.StatusOK, out)
}

// byWhatsApp answers 404 where the configuration has no section whatsapp.
func (a *API) byWhatsApp(handle gin.HandlerFunc) gin.HandlerFunc {
	return func(c *gin.Context) {
		if a.cfg.WhatsApp == nil {
			a.fail(c, newProblem(http.StatusNotFound, codeNotFound, "The configuration has no section whatsapp."))
			return
		}
		handle(c)
	}
}

func (a *API) failUnavailable(c *gin.Context, err error) {
	a.logger.Warn("a delivery cannot be kept", "request_id", requestID(c), "error", err)
	p := newProblem(http.StatusServiceUnavailable, codeUnavailable, "It cannot be kept now; send it again.")
	p.retryAfter = a.limits.RetryAfter
	a.fail(c, p)
}

// jsonBody reads a body of at most limit bytes.
func (a *API) jsonBody(c *gin.Context, limit int64) ([]byte, error) {
	if mediaType, _, err := mime.ParseMediaType(c.GetHeader("Content-Type")); err != nil ||
		mediaType != "application/json" {
		return nil, newProblem(http.StatusUnsupportedMediaType, codeMediaType, "Send application/json.")
	}
	if c.Request.ContentLength > limit {
		return nil, tooLarge("The body", limit)
	}
	body, release, err := a.readBody(c.Request)
	if err != nil {
		return nil, err
	}
	defer release()
	if int64(len(body)) > limit {
		return nil, tooLarge("The body", limit)
	}
	return append([]byte(nil), body...), nil
}

func sentence(err error) string { return fmt.Sprintf("The body is refused: %s.", err) }
