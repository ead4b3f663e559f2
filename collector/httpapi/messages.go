package httpapi

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/monev112/monev112/collector/alerting/notifications"
)

const messagesPath = "/alertmanager/v1/log"

// alertmanagerPaths are those that Alertmanager sends to.
var alertmanagerPaths = []string{messagesPath, whatsappPath, telegramPath}

// messageAnswer says what became of a message of Alertmanager.
type messageAnswer struct {
	Message string `json:"message"` // its id in the record
	Alerts  int    `json:"alerts"`
	Again   bool   `json:"again"` // it was kept before
}

// postMessage takes one message of Alertmanager into the record of who was told what.
func (a *API) postMessage(c *gin.Context) (any, error) {
	body, err := a.jsonBody(c, notifications.MaxBodyBytes)
	if err != nil {
		return nil, err
	}
	m, again, err := a.cfg.Messages(body)
	if errors.Is(err, notifications.ErrPayload) {
		err = newProblem(http.StatusBadRequest, codeBadRequest, fmt.Sprintf("The body is %s.", err))
	}
	return messageAnswer{m.ID, m.Alerts, again}, err
}
