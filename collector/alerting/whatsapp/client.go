package whatsapp

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/monev112/monev112/collector/internal/keyfile"
)

// Where and how the API is spoken to, unless told otherwise.
const (
	DefaultAPI = "https://graph.facebook.com/v23.0"

	requestTimeout = 10 * time.Second
	maxAnswerBytes = 64 << 10
)

// Client sends messages from one business number. It is safe for concurrent use.
type Client struct {
	api           string
	phoneNumberID string
	tokenFile     string // read for every message, so that a new token needs no restart
	http          *http.Client
}

var digits = regexp.MustCompile(`^[0-9]{5,20}$`)

// NewClient returns a client for the business number with the id phoneNumberID. api is the address with the version;
// empty is DefaultAPI. The access token is the one line of tokenFile.
func NewClient(api, phoneNumberID, tokenFile string) (*Client, error) {
	api = strings.TrimSuffix(cmp.Or(api, DefaultAPI), "/")
	u, err := url.Parse(api)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && !loopback(u) {
		return nil, errors.New("api_url must be https://host/version, as " + DefaultAPI)
	}
	if !digits.MatchString(phoneNumberID) {
		return nil, errors.New("phone_number_id must be the digits that Meta shows beside the number; it is not the number")
	}
	return &Client{api, phoneNumberID, tokenFile, &http.Client{
		Timeout: requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // the token is for this server alone
		},
	}}, nil
}

func loopback(u *url.URL) bool {
	host := u.Hostname()
	return u.Scheme == "http" && (host == "127.0.0.1" || host == "localhost" || host == "::1")
}

// Number brings a telephone number into the form that the API takes: digits with the country's code and no plus. A
// leading 0 is Indonesia's.
func Number(s string) (string, error) {
	kept := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -.()", r) {
			return -1
		}
		return r
	}, s)
	kept, plus := strings.CutPrefix(kept, "+")
	if national, ok := strings.CutPrefix(kept, "0"); ok && !plus {
		kept = "62" + national
	}
	if len(kept) < 8 || len(kept) > 15 || strings.Trim(kept, "0123456789") != "" || kept[0] == '0' {
		return "", errors.New("it is no telephone number: write +62 and the number without its leading 0")
	}
	return kept, nil
}

// Send hands a message over and returns the id that its statuses name. It holds the recipient's number in a coded form:
// it belongs into no log. The error is *Error where the API refused, anything else is worth another attempt.
func (c *Client) Send(ctx context.Context, number string, m Message) (id string, err error) {
	body, err := json.Marshal(m.request(number))
	if err != nil {
		return "", err
	}
	token, err := keyfile.ReadLine(c.tokenFile)
	if err != nil {
		return "", fmt.Errorf("access token: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.api+"/"+c.phoneNumberID+"/messages",
		bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := c.http.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
	if err != nil {
		return "", err
	}
	var answer struct {
		Messages []struct {
			ID string `json:"id"`
		} `json:"messages"`
		Error *struct {
			Code int `json:"code"`
		} `json:"error"`
	}
	_ = json.Unmarshal(text, &answer) // what is not understood is neither an id nor a code
	switch {
	case resp.StatusCode/100 == 2 && len(answer.Messages) == 1 && answer.Messages[0].ID != "":
		return answer.Messages[0].ID, nil
	case answer.Error != nil:
		after, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return "", &Error{Code: answer.Error.Code, HTTP: resp.StatusCode, After: time.Duration(after) * time.Second}
	default:
		return "", fmt.Errorf("answer %d without an id or a code", resp.StatusCode)
	}
}

// Scope says what an error stands in the way of.
type Scope int

// The scopes.
const (
	ThisMessage  Scope = iota // this message, for good: another way must be taken
	Recipient                 // messages to this person, for a moment
	Everything                // all messages, for a moment
	ThisTemplate              // messages of this template, until Meta or a person lifts it
	Account                   // all messages, until a person acts
)

// Error is a refusal of the API. Its text holds no number.
type Error struct {
	Code  int
	HTTP  int           // status; 0 from a webhook
	After time.Duration // after which the API asks to come back; 0: it does not say
}

func (e *Error) Error() string {
	if meaning := meanings[e.Code]; meaning.text != "" {
		return fmt.Sprintf("code %d: %s", e.Code, meaning.text)
	}
	return fmt.Sprintf("code %d (HTTP %d)", e.Code, e.HTTP)
}

// Scope says what the error stands in the way of.
func (e *Error) Scope() Scope {
	if m, ok := meanings[e.Code]; ok {
		return m.scope
	}
	switch {
	case e.Code >= 200 && e.Code < 300:
		return Account // permissions
	case e.HTTP == http.StatusTooManyRequests || e.HTTP >= 500:
		return Everything
	default:
		return ThisMessage
	}
}

type meaning struct {
	scope Scope
	text  string
}

// meanings are the codes of the Cloud API that bear on templates. Source: Meta, WhatsApp Cloud API, error codes.
var meanings = map[int]meaning{
	0:      {Account, "the access token cannot be checked"},
	1:      {Everything, "the API is not available"},
	2:      {Everything, "the API is overloaded or under repair"},
	3:      {Account, "the app lacks a capability or a permission"},
	4:      {Everything, "the app calls too often"},
	10:     {Account, "the app lacks a permission"},
	33:     {Account, "the business number was deleted"},
	100:    {ThisMessage, "a parameter is wrong"},
	190:    {Account, "the access token is invalid or has expired"},
	368:    {Account, "the account is blocked for breaking a policy"},
	80007:  {Everything, "the account calls too often"},
	130429: {Everything, "more messages a second than the number may send"},
	130472: {ThisMessage, "the person is part of an experiment of Meta"},
	130497: {ThisMessage, "the account may not write to this country"},
	131000: {Everything, "the API failed"},
	131005: {Account, "the access is denied"},
	131008: {ThisMessage, "a parameter is missing"},
	131009: {ThisMessage, "a parameter has a wrong value"},
	131016: {Everything, "the service is not available"},
	131021: {ThisMessage, "sender and recipient are one number"},
	131026: {ThisMessage, "it cannot be delivered: the number has no WhatsApp, or an old one"},
	131031: {Account, "the account is locked"},
	131042: {Account, "there is a problem with the payment"},
	131045: {Account, "the business number is not registered"},
	131047: {ThisMessage, "24 hours have passed since the person wrote"},
	131048: {Everything, "the number is limited: too many of its messages were marked as spam"},
	131049: {ThisMessage, "Meta chose not to deliver it"},
	131050: {ThisMessage, "the person wants no such messages"},
	131051: {ThisMessage, "the type of message is not supported"},
	131053: {ThisMessage, "the media cannot be uploaded"},
	131056: {Recipient, "too many messages to this person"},
	131057: {Everything, "the account is under repair"},
	132000: {ThisTemplate, "the template has another number of parameters"},
	132001: {ThisTemplate, "the template does not exist in this language, or is not approved"},
	132005: {ThisMessage, "the text is too long"},
	132007: {ThisTemplate, "the template breaks a policy"},
	132012: {ThisTemplate, "the parameters have another form than the template's"},
	132015: {ThisTemplate, "the template is paused for its low quality"},
	132016: {ThisTemplate, "the template is disabled for its low quality"},
	132018: {ThisMessage, "a parameter has a form that templates may not have"},
	132068: {ThisMessage, "the flow is blocked"},
	133004: {Everything, "the server is not available"},
	133010: {Account, "the business number is not registered"},
	135000: {ThisMessage, "the request cannot be understood"},
}
