package httpapi

import (
	"errors"
	"fmt"
	"mime"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/monev112/monev112/collector/alerting/notifications"
)

const messagesPath = "/alertmanager/v1/log"

// messageAnswer says what became of a message of Alertmanager.
type messageAnswer struct {
	Message string `json:"message"` // its id in the record
	Alerts  int    `json:"alerts"`
	Again   bool   `json:"again"` // it was kept before
}

// postMessage takes one message of Alertmanager into the record of who was told what.
func (a *API) postMessage(c *gin.Context) {
	m, again, err := a.takeMessage(c)
	if err != nil {
		a.fail(c, err)
		return
	}
	a.answer(c, http.StatusOK, messageAnswer{m.ID, m.Alerts, again})
}

func (a *API) takeMessage(c *gin.Context) (m notifications.Notification, again bool, err error) {
	if mediaType, _, err := mime.ParseMediaType(c.GetHeader("Content-Type")); err != nil ||
		mediaType != "application/json" {
		return m, false, newProblem(http.StatusUnsupportedMediaType, codeMediaType, "Send application/json.")
	}
	if c.Request.ContentLength > notifications.MaxBodyBytes {
		return m, false, tooLarge("The message", notifications.MaxBodyBytes)
	}
	body, release, err := a.readBody(c.Request)
	if err != nil {
		return m, false, err
	}
	defer release()
	if len(body) > notifications.MaxBodyBytes {
		return m, false, tooLarge("The message", notifications.MaxBodyBytes)
	}
	m, again, err = a.cfg.Messages(body)
	if errors.Is(err, notifications.ErrPayload) {
		err = newProblem(http.StatusBadRequest, codeBadRequest, fmt.Sprintf("The body is %s.", err))
	}
	return m, again, err
}
