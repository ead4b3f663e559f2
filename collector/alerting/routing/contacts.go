package routing

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/monev112/monev112/collector/directory"
)

// Limits of a contacts file.
const (
	MaxFileBytes = 4 << 20
	MaxChannels  = 20 // of one recipient
	MaxProblems  = 20 // reported at once
)

// Contacts says how people are reached. It holds names of files with secrets, never a secret.
type Contacts struct {
	Version  int      `yaml:"version"`
	Telegram Telegram `yaml:"telegram"`
	SMTP     SMTP     `yaml:"smtp"`
	Log      *Webhook `yaml:"log"` // the collector's own record of what was sent; no delivery depends on it

	// Operations is Diskominfo: pipeline, data quality, and what has no other recipient.
	Operations Channels `yaml:"operations"`
	// Watchdog is a service outside of this host that raises an alarm when it hears nothing.
	Watchdog *Channels       `yaml:"watchdog"`
	Centers  []CenterContact `yaml:"centers"`

	file string
	tree *ast.File
}

// Telegram is the bot that sends the messages.
type Telegram struct {
	BotTokenFile string `yaml:"bot_token_file"`
	APIURL       string `yaml:"api_url"` // empty: Telegram's own
}

// SMTP is the mail server.
type SMTP struct {
	Smarthost    string `yaml:"smarthost"` // host:port
	From         string `yaml:"from"`
	Username     string `yaml:"username"`
	PasswordFile string `yaml:"password_file"`
	RequireTLS   *bool  `yaml:"require_tls"` // nil: true
}

// CenterContact says how the people of one centre are reached.
type CenterContact struct {
	Code        string       `yaml:"code"`
	Supervisors Channels     `yaml:"supervisors"` // of the call floor
	Leadership  Channels     `yaml:"leadership"`  // Asisten and Sekda: escalated tickets
	OPDs        []OPDContact `yaml:"opds"`
}

// OPDContact says how the head of an OPD is reached.
type OPDContact struct {
	ID       string `yaml:"id"`
	Channels `yaml:",inline"`
}

// Channels are the ways to one recipient; all are used.
type Channels struct {
	Telegram []Chat    `yaml:"telegram"`
	Email    []string  `yaml:"email"`
	Webhook  []Webhook `yaml:"webhook"`
}

// Chat is a Telegram chat or group; one of ChatID and ChatIDFile.
type Chat struct {
	ChatID     int64  `yaml:"chat_id"`
	ChatIDFile string `yaml:"chat_id_file"`
	ThreadID   int    `yaml:"thread_id"`
}

// Webhook is an HTTP receiver of Alertmanager's JSON; one of URL and URLFile. KeyFile holds a bearer token.
type Webhook struct {
	URL     string `yaml:"url"`
	URLFile string `yaml:"url_file"`
	KeyFile string `yaml:"key_file"`
}

func (c Channels) empty() bool { return len(c.Telegram)+len(c.Email)+len(c.Webhook) == 0 }

// LoadContacts reads a contacts file; name is what errors call it. The error joins up to MaxProblems
// *directory.Problem values. Unknown keys are mistakes.
func LoadContacts(name string, text []byte) (*Contacts, error) {
	if len(text) > MaxFileBytes {
		return nil, &directory.Problem{
			File: name, Message: fmt.Sprintf("%d bytes", len(text)),
			Remedy: fmt.Sprintf("a contacts file has at most %d", MaxFileBytes),
		}
	}
	c := &Contacts{file: name}
	var err error
	if c.tree, err = parser.ParseBytes(text, 0); err != nil {
		return nil, directory.SyntaxProblem(name, err, syntaxRemedy)
	}
	if err := yaml.UnmarshalWithOptions(text, c, yaml.Strict()); err != nil {
		return nil, directory.SyntaxProblem(name, err, syntaxRemedy)
	}
	p := &problems{contacts: c}
	c.check(p)
	return c, p.err()
}

const syntaxRemedy = "see deploy/alertmanager/contacts.example.yaml for every key"

// problems collects what is wrong with a contacts file.
type problems struct {
	contacts *Contacts
	list     []error
}

func (p *problems) wrong(field, message, remedy string) {
	if len(p.list) < MaxProblems {
		p.list = append(p.list, &directory.Problem{
			File: p.contacts.file, Line: p.line(field), Field: field, Message: message, Remedy: remedy,
		})
	}
}

func (p *problems) err() error { return errors.Join(p.list...) }

// line finds where a field stands, or for a missing one the thing that should have it; 0 when nothing is found.
func (p *problems) line(field string) int {
	for p.contacts.tree != nil && field != "" {
		if path, err := yaml.PathString("$." + field); err == nil {
			if node, err := path.FilterFile(p.contacts.tree); err == nil && node != nil && node.GetToken() != nil {
				return node.GetToken().Position.Line
			}
		}
		field = field[:max(0, strings.LastIndexAny(field, ".["))]
	}
	return 0
}

// check judges the file by itself; Configuration judges it against the directory.
func (c *Contacts) check(p *problems) {
	if c.Version != 1 {
		p.wrong("version", fmt.Sprintf("version %d", c.Version), "write version: 1")
	}
	if c.Log != nil {
		c.Log.check(p, "log")
	}
	c.Operations.check(p, "operations", c)
	if c.Operations.empty() {
		p.wrong("operations", "Diskominfo has no channel",
			"give a telegram, email or webhook entry: alerts without another recipient go there")
	}
	for i, w := range c.Operations.Webhook {
		if c.Log != nil && w.URL != "" && sameHost(w.URL, c.Log.URL) {
			p.wrong(fmt.Sprintf("operations.webhook[%d]", i), "it leads to the collector",
				"alerts on the collector must not need the collector: name another receiver")
		}
	}
	if c.Watchdog != nil {
		c.Watchdog.check(p, "watchdog", c)
		if c.Watchdog.empty() {
			p.wrong("watchdog", "it has no channel", "give a webhook to a service outside of this host, or leave it out")
		}
	}
	for i := range c.Centers {
		at := fmt.Sprintf("centers[%d]", i)
		k := &c.Centers[i]
		k.Supervisors.check(p, at+".supervisors", c)
		k.Leadership.check(p, at+".leadership", c)
		for j := range k.OPDs {
			field := fmt.Sprintf("%s.opds[%d]", at, j)
			k.OPDs[j].check(p, field, c)
			if k.OPDs[j].empty() {
				p.wrong(field, "the OPD "+k.OPDs[j].ID+" has no channel",
					"give a telegram, email or webhook entry, or leave the OPD out: its alerts then go to Diskominfo")
			}
		}
	}
}

func (c *Channels) check(p *problems, at string, all *Contacts) {
	if n := len(c.Telegram) + len(c.Email) + len(c.Webhook); n > MaxChannels {
		p.wrong(at, fmt.Sprintf("%d channels", n), fmt.Sprintf("at most %d for one recipient; use a group", MaxChannels))
	}
	for i, t := range c.Telegram {
		field := fmt.Sprintf("%s.telegram[%d]", at, i)
		if (t.ChatID == 0) == (t.ChatIDFile == "") {
			p.wrong(field, "not exactly one of chat_id and chat_id_file",
				"give the number of the chat (groups begin with -100), or the file that holds it")
		}
	}
	if len(c.Telegram) > 0 && all.Telegram.BotTokenFile == "" {
		p.wrong(at+".telegram", "there is no bot", "give telegram.bot_token_file at the top of the file")
	}
	for i, e := range c.Email {
		if a, err := mail.ParseAddress(e); err != nil || a.Address != e {
			p.wrong(fmt.Sprintf("%s.email[%d]", at, i), fmt.Sprintf("%q is no address", e),
				"write a bare address, for example kepala@example.go.id")
		}
	}
	if len(c.Email) > 0 && (all.SMTP.Smarthost == "" || all.SMTP.From == "") {
		p.wrong(at+".email", "there is no mail server", "give smtp.smarthost and smtp.from at the top of the file")
	}
	for i := range c.Webhook {
		c.Webhook[i].check(p, fmt.Sprintf("%s.webhook[%d]", at, i))
	}
}

func (w *Webhook) check(p *problems, at string) {
	if (w.URL == "") == (w.URLFile == "") {
		p.wrong(at, "not exactly one of url and url_file", "give the address, or the file that holds it when it is secret")
		return
	}
	if w.URL == "" {
		return
	}
	u, err := url.Parse(w.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		p.wrong(at+".url", "it is no http address", "write http://host/path or https://host/path")
	case u.User != nil:
		p.wrong(at+".url", "it holds a password", "put the token into a file and name it in key_file")
	}
}

func sameHost(a, b string) bool {
	x, err1 := url.Parse(a)
	y, err2 := url.Parse(b)
	return err1 == nil && err2 == nil && x.Host != "" && strings.EqualFold(x.Host, y.Host)
}
