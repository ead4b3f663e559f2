// Package whatsapptest is a stand-in of the WhatsApp Cloud API for tests: it refuses what the real one refuses, and
// says what became of what it took by the same signed webhooks.
package whatsapptest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// What the stand-in knows.
const (
	PhoneNumberID = "106540352242922"
	Token         = "EAAtest-token"
	AppSecret     = "app-secret-of-the-test"
	VerifyToken   = "verify-token-of-the-test"
)

// Message is one message that was taken.
type Message struct {
	ID, To, Template, Text, Button string
}

// Server is the stand-in. Templates are those that Meta approved: name to body.
type Server struct {
	*httptest.Server
	mu        sync.Mutex
	templates map[string]template
	paused    map[string]bool
	fail      func(to string) int // code of a refusal; 0 takes it
	taken     []Message
	asked     int
	pair      map[string]time.Time
	pairEvery time.Duration
}

type template struct {
	body   string
	button bool
}

// New starts a stand-in. The caller closes it.
func New() *Server {
	s := &Server{templates: map[string]template{}, paused: map[string]bool{}, pair: map[string]time.Time{}}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	return s
}

// Approve has Meta approve a template as it is submitted (JSON). The error says which rule it breaks.
func (s *Server) Approve(submission []byte) error {
	var in struct {
		Name, Language, Category string
		Components               []struct {
			Type, Text string
			Example    struct {
				BodyText [][]string `json:"body_text"`
			}
			Buttons []struct {
				Type, Text, URL string
				Example         []string
			}
		}
	}
	d := json.NewDecoder(bytes.NewReader(submission))
	if err := d.Decode(&in); err != nil {
		return err
	}
	if !regexp.MustCompile(`^[a-z0-9_]{1,512}$`).MatchString(in.Name) || in.Language != "id" || in.Category != "UTILITY" {
		return fmt.Errorf("%s: name, language or category", in.Name)
	}
	var t template
	for _, c := range in.Components {
		switch c.Type {
		case "BODY":
			t.body = c.Text
			n := strings.Count(c.Text, "{{")
			for i := range n {
				if strings.Count(c.Text, fmt.Sprintf("{{%d}}", i+1)) != 1 {
					return fmt.Errorf("%s: parameters are not numbered from 1", in.Name)
				}
			}
			trimmed := strings.Trim(c.Text, " .!?")
			switch {
			case utf8.RuneCountInString(c.Text) > 1024:
				return fmt.Errorf("%s: too long", in.Name)
			case strings.HasPrefix(trimmed, "{{") || strings.HasSuffix(trimmed, "}}"):
				return fmt.Errorf("%s: begins or ends with a parameter", in.Name)
			case strings.Contains(c.Text, "}} {{"), len(strings.Fields(c.Text)) < 3*n:
				return fmt.Errorf("%s: too many parameters for its length", in.Name)
			case len(c.Example.BodyText) != 1 || len(c.Example.BodyText[0]) != n:
				return fmt.Errorf("%s: an example for each parameter is missing", in.Name)
			case strings.ContainsAny(c.Text, "\t") || strings.Contains(c.Text, "\n\n\n") || strings.Contains(c.Text, "    "):
				return fmt.Errorf("%s: tabs, or blank lines, or blanks", in.Name)
			}
		case "BUTTONS":
			for _, b := range c.Buttons {
				if b.Type != "URL" || utf8.RuneCountInString(b.Text) > 25 || b.Text == "" || len(b.URL) > 2000 ||
					!strings.HasPrefix(b.URL, "http") || !strings.HasSuffix(b.URL, "/{{1}}") || len(b.Example) != 1 ||
					!strings.HasPrefix(b.Example[0], strings.TrimSuffix(b.URL, "{{1}}")) {
					return fmt.Errorf("%s: button", in.Name)
				}
				t.button = true
			}
		default:
			return fmt.Errorf("%s: component %s", in.Name, c.Type)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.templates[in.Name] = t
	return nil
}

// Pause has Meta pause a template, or lift that.
func (s *Server) Pause(name string, paused bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused[name] = paused
}

// Fail gives the code with which a message to a number is refused; 0 takes it.
func (s *Server) Fail(code func(to string) int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = code
}

// LimitPair takes one message to a person within every.
func (s *Server) LimitPair(every time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pairEvery = every
}

// Taken returns the messages that were taken, and how many were offered.
func (s *Server) Taken() (messages []Message, offered int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message(nil), s.taken...), s.asked
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	refuse := func(status, code int) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"error":{"message":"(#%d) refused","type":"OAuthException","code":%d,"fbtrace_id":"x"}}`, code, code)
	}
	if r.Header.Get("Authorization") != "Bearer "+Token {
		refuse(401, 190)
		return
	}
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/"+PhoneNumberID+"/messages") {
		refuse(400, 100)
		return
	}
	var in struct {
		Product  string `json:"messaging_product"`
		To, Type string
		Template struct {
			Name     string
			Language struct{ Code string }
			// Components are in any order.
			Components []struct {
				Type, Index string
				SubType     string `json:"sub_type"`
				Parameters  []struct{ Type, Text string }
			}
		}
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil || in.Product != "whatsapp" {
		refuse(400, 100)
		return
	}
	if in.Type != "template" {
		refuse(400, 131047) // nobody has written to the office within 24 hours
		return
	}
	if !regexp.MustCompile(`^[1-9][0-9]{7,14}$`).MatchString(in.To) {
		refuse(400, 131009)
		return
	}
	t, ok := s.templates[in.Template.Name]
	if !ok || in.Template.Language.Code != "id" {
		refuse(404, 132001)
		return
	}
	if s.paused[in.Template.Name] {
		refuse(400, 132015)
		return
	}
	text, button, params := t.body, "", 0
	for _, c := range in.Template.Components {
		for i, p := range c.Parameters {
			if p.Type != "text" || p.Text == "" {
				refuse(400, 131008)
				return
			}
			if strings.ContainsAny(p.Text, "\n\t\r") || strings.Contains(p.Text, "    ") {
				refuse(400, 132018)
				return
			}
			switch c.Type {
			case "body":
				text = strings.Replace(text, fmt.Sprintf("{{%d}}", i+1), p.Text, 1)
				params++
			case "button":
				button = p.Text
			}
		}
	}
	if params != strings.Count(t.body, "{{") || t.button != (button != "") {
		refuse(400, 132000)
		return
	}
	if utf8.RuneCountInString(text) > 1024 || len(button) > 2000 {
		refuse(400, 132005)
		return
	}
	if s.fail != nil {
		if code := s.fail(in.To); code != 0 {
			refuse(400, code)
			return
		}
	}
	if s.pairEvery > 0 && time.Since(s.pair[in.To]) < s.pairEvery {
		refuse(400, 131056)
		return
	}
	s.pair[in.To] = time.Now()
	m := Message{fmt.Sprintf("wamid.%d", len(s.taken)+1), in.To, in.Template.Name, text, button}
	s.taken = append(s.taken, m)
	fmt.Fprintf(w, `{"messaging_product":"whatsapp","contacts":[{"input":%q,"wa_id":%q}],"messages":[{"id":%q,`+
		`"message_status":"accepted"}]}`, in.To, in.To, m.ID)
}

// Status is the body of a webhook that says what became of a message. code is that of a failure, else 0.
func Status(id, state string, at time.Time, code int) []byte {
	failure := ""
	if code != 0 {
		failure = fmt.Sprintf(`,"errors":[{"code":%d,"title":"failed"}]`, code)
	}
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":`+
		`{"messaging_product":"whatsapp","metadata":{"phone_number_id":%q},"statuses":[{"id":%q,"status":%q,`+
		`"timestamp":"%d","recipient_id":"6281200000000"%s}]}}]}]}`, PhoneNumberID, id, state, at.Unix(), failure)
}

// TemplateEvent is the body of a webhook on a template, for example PAUSED.
func TemplateEvent(name, event string) []byte {
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":`+
		`"message_template_status_update","value":{"event":%q,"message_template_id":1,"message_template_name":%q,`+
		`"message_template_language":"id","reason":"NONE"}}]}]}`, event, name)
}

// Sign returns the header X-Hub-Signature-256 of a body.
func Sign(body []byte) string {
	mac := hmac.New(sha256.New, []byte(AppSecret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
