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
	telegramPath = "/alertmanager/v1/telegram"
	webhookPath  = "/v1/whatsapp/webhook"
)

// Outbox sends what Alertmanager hands over; *delivery.Outbox does. A centre that is not empty limits whom it is about.
type Outbox interface {
	Add(center string, body []byte) (id string, repeated bool, err error)
	Webhook(signature string, body []byte) error
	Verify(mode, token, challenge string) (answer string, ok bool)
	Test(center string, by delivery.Channel, name string) (id string, err error)
	Find(center, id string) (delivery.Delivery, bool)
	Takes(by delivery.Channel) bool // the configuration has the channel's section
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
	Moved       bool             `json:"moved,omitzero"`
}

// postDelivery takes a notification of Alertmanager that the service sends.
func (a *API) postDelivery(c *gin.Context) (any, error) {
	body, err := a.jsonBody(c, delivery.MaxBodyBytes)
	if err != nil {
		return nil, err
	}
	id, again, err := a.cfg.Outbox.Add(ownCenter(c), body)
	switch {
	case errors.Is(err, delivery.ErrCenter):
		err = errOtherCenter
	case errors.Is(err, delivery.ErrPayload):
		err = newProblem(http.StatusBadRequest, codeBadRequest, sentence(err))
	case err != nil: // a receiver that is not known yet among them: Alertmanager sends again after 5xx alone
		err = a.unavailable(c, err)
	}
	return deliveryAnswer{ID: id, Again: again}, err
}

// getWebhook answers Meta's question whether this address is ours.
func (a *API) getWebhook(c *gin.Context) {
	answer, ok := a.cfg.Outbox.Verify(c.Query("hub.mode"), c.Query("hub.verify_token"), c.Query("hub.challenge"))
	switch {
	case ok:
		c.Data(http.StatusOK, "text/plain; charset=utf-8", []byte(answer))
	case !a.slowed(c, webhookPath):
		a.fail(c, newProblem(http.StatusForbidden, codeForbidden, "The verify token is not that of verify_token_file."))
	}
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
	err = a.cfg.Outbox.Webhook(c.GetHeader("X-Hub-Signature-256"), body)
	switch {
	case errors.Is(err, delivery.ErrSignature):
		if !a.slowed(c, webhookPath) {
			a.fail(c, newProblem(http.StatusForbidden, codeForbidden, "The body is not signed with the app's secret."))
		}
	case errors.Is(err, whatsapp.ErrWebhook):
		a.fail(c, newProblem(http.StatusBadRequest, codeBadRequest, sentence(err)))
	case err != nil:
		a.fail(c, a.unavailable(c, err))
	default:
		a.answer(c, http.StatusOK, statusAnswer{"kept"})
	}
}

// postTest sends a test message to a person or chat of the contacts.
func (a *API) postTest(by delivery.Channel) func(c *gin.Context) (any, error) {
	return func(c *gin.Context) (any, error) {
		id, err := a.cfg.Outbox.Test(ownCenter(c), by, c.Query("to"))
		switch {
		case errors.Is(err, delivery.ErrReceiver):
			err = newProblem(http.StatusNotFound, codeNotFound,
				"No contact with "+by.String()+" has this name: give one as the contacts file has it.")
		case err != nil:
			err = a.unavailable(c, err)
		}
		return deliveryAnswer{ID: id}, err
	}
}

// getDelivery says what became of a notification.
func (a *API) getDelivery(c *gin.Context) (any, error) {
	d, ok := a.cfg.Outbox.Find(ownCenter(c), strings.TrimPrefix(c.Param("id"), "/"))
	if !ok {
		return nil, newProblem(http.StatusNotFound, codeNotFound,
			"No message with this id is kept; it is for at most eight days.")
	}
	out := deliveryAnswer{ID: d.ID, Round: d.Round, At: d.At, Template: d.Message.Template}
	for _, p := range d.Parts {
		m := messageStatus{
			Channel: p.Channel, Contact: p.Name, Tries: p.Tries, AcceptedAt: p.AcceptedAt, DeliveredAt: p.DeliveredAt,
			ReadAt: p.ReadAt, FailedAt: p.FailedAt, Code: p.Code, Twice: p.Twice, Moved: p.Moved,
		}
		switch {
		case p.Code == 0:
		case p.Channel == delivery.WhatsApp:
			m.Meaning = (&whatsapp.Error{Code: p.Code}).Error()
		case p.Channel == delivery.Telegram:
			m.Meaning = delivery.TelegramMeaning(p.Code)
		}
		out.Messages = append(out.Messages, m)
	}
	return out, nil
}

// sends answers 404 where the service sends nothing itself.
func (a *API) sends(handle gin.HandlerFunc) gin.HandlerFunc {
	return func(c *gin.Context) {
		if a.cfg.Outbox == nil {
			a.fail(c, newProblem(http.StatusNotFound, codeNotFound,
				"The configuration has neither a section whatsapp nor a section telegram."))
			return
		}
		handle(c)
	}
}

// takes is postDelivery, and answers 404 where the configuration has no section for the channel.
func (a *API) takes(by delivery.Channel) gin.HandlerFunc {
	return a.sends(func(c *gin.Context) {
		if !a.cfg.Outbox.Takes(by) {
			a.fail(c, newProblem(http.StatusNotFound, codeNotFound,
				"The configuration has no section "+string(by)+": the service takes nothing here that goes by "+by.String()+"."))
			return
		}
		a.answers(a.postDelivery)(c)
	})
}

func (a *API) unavailable(c *gin.Context, err error) error {
	a.logger.Warn("a delivery cannot be kept", "request_id", requestID(c), "error", err)
	p := newProblem(http.StatusServiceUnavailable, codeUnavailable, "It cannot be kept now; send it again.")
	p.retryAfter = a.limits.RetryAfter
	return p
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
