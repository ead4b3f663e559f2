package routing

import (
	"cmp"
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/monev112/monev112/collector/alerting/whatsapp"
	"github.com/monev112/monev112/collector/internal/yamlfile"
)

// Limits of a contacts file.
const (
	MaxFileBytes = 4 << 20
	MaxChannels  = 20 // of one recipient
	MaxNameBytes = 80 // of a person's office
)

// Contacts says how people are reached. It holds names of files with secrets, never a secret.
type Contacts struct {
	Version  int      `yaml:"version"`
	Telegram Telegram `yaml:"telegram"`
	SMTP     SMTP     `yaml:"smtp"`
	Log      *Webhook `yaml:"log"` // the collector's own record of what was sent; no delivery depends on it
	// WhatsApp is where Alertmanager hands over what goes by WhatsApp: /alertmanager/v1/whatsapp of the service.
	WhatsApp *Webhook `yaml:"whatsapp"`

	// Operations is Diskominfo: pipeline, data quality, and what has no other recipient.
	Operations Channels `yaml:"operations"`
	// Watchdog is a service outside of this host that raises an alarm when it hears nothing.
	Watchdog *Channels       `yaml:"watchdog"`
	Centers  []CenterContact `yaml:"centers"`

	file *yamlfile.File
}

// Telegram is the bot that sends the messages.
type Telegram struct {
	BotTokenFile string `yaml:"bot_token_file"`
	APIURL       string `yaml:"api_url"` // empty: Telegram's own
	// Deliver is where Alertmanager hands over tickets, digests and reports for chats, so that the service sends them and
	// records what became of each: /alertmanager/v1/telegram of the service. nil: Alertmanager sends them itself.
	Deliver *Webhook `yaml:"deliver"`
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
	ID string `yaml:"id"`
	Channels
}

// Channels are the ways to one recipient. All are used. Where the service sends (WhatsApp, or Telegram with
// Telegram.Deliver) they take their turn when the one before delivers nothing; for an emergency all are used at once.
type Channels struct {
	WhatsApp []Phone   `yaml:"whatsapp"`
	Telegram []Chat    `yaml:"telegram"`
	Email    []string  `yaml:"email"`
	Webhook  []Webhook `yaml:"webhook"`
}

// Chat is a Telegram chat or group; one of ChatID and ChatIDFile. Name stands for it in the records of deliveries and
// in commands; without one they call it by its place in the list.
type Chat struct {
	Name       string `yaml:"name"`
	ChatID     int64  `yaml:"chat_id"`
	ChatIDFile string `yaml:"chat_id_file"`
	ThreadID   int    `yaml:"thread_id"`
}

// Phone is a person's WhatsApp; one of Number and NumberFile. Name stands for the person wherever the number must not
// be seen: in the records of deliveries and in commands.
type Phone struct {
	Name       string `yaml:"name"`
	Number     string `yaml:"number"`
	NumberFile string `yaml:"number_file"`
}

// Webhook is an HTTP receiver of Alertmanager's JSON; one of URL and URLFile. KeyFile holds a bearer token.
type Webhook struct {
	URL     string `yaml:"url"`
	URLFile string `yaml:"url_file"`
	KeyFile string `yaml:"key_file"`
}

// ChatName is what the records of deliveries call a chat.
func (c *Channels) ChatName(i int) string {
	return cmp.Or(c.Telegram[i].Name, fmt.Sprintf("telegram %d", i+1))
}

func (c Channels) empty() bool {
	return len(c.WhatsApp)+len(c.Telegram)+len(c.Email)+len(c.Webhook) == 0
}

// LoadContacts reads a contacts file; name is what errors call it. The error is yamlfile.Problems.
func LoadContacts(name string, text []byte) (*Contacts, error) {
	c := &Contacts{}
	var err error
	if c.file, err = yamlfile.Read(name, text, MaxFileBytes, c); err != nil {
		return nil, err
	}
	c.check()
	if err := c.file.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

// check finds what is wrong with the file by itself; Configuration checks it against the directory.
func (c *Contacts) check() {
	if c.Version != 1 {
		c.file.Wrong("version", fmt.Sprintf("version %d is not known", c.Version), "write version: 1")
	}
	if c.Log != nil {
		c.checkWebhook("log", c.Log)
	}
	if c.WhatsApp != nil {
		c.checkWebhook("whatsapp", c.WhatsApp)
	}
	if c.Telegram.Deliver != nil {
		c.checkWebhook("telegram.deliver", c.Telegram.Deliver)
	}
	c.checkForConditions("operations", &c.Operations)
	if c.Operations.empty() {
		c.file.Wrong("operations", "Diskominfo has no channel",
			"give a telegram, email or webhook entry: alerts without another recipient go there")
	}
	if c.Watchdog != nil {
		c.checkForConditions("watchdog", c.Watchdog)
		if c.Watchdog.empty() {
			c.file.Wrong("watchdog", "it has no channel", "give a webhook to a service outside of this host, or leave it out")
		}
	}
	for i := range c.Centers {
		at := fmt.Sprintf("centers[%d]", i)
		k := &c.Centers[i]
		c.checkForConditions(at+".supervisors", &k.Supervisors)
		c.checkChannels(at+".leadership", &k.Leadership)
		for j := range k.OPDs {
			field := fmt.Sprintf("%s.opds[%d]", at, j)
			c.checkChannels(field, &k.OPDs[j].Channels)
			if k.OPDs[j].empty() {
				c.file.Wrong(field, "the OPD "+k.OPDs[j].ID+" has no channel",
					"give a telegram, email or webhook entry, or leave the OPD out: its alerts then go to Diskominfo")
			}
		}
	}
}

func (c *Contacts) checkChannels(at string, to *Channels) {
	if n := len(to.WhatsApp) + len(to.Telegram) + len(to.Email) + len(to.Webhook); n > MaxChannels {
		c.file.Wrong(at, fmt.Sprintf("there are %d channels", n),
			fmt.Sprintf("list at most %d for one recipient; use a group", MaxChannels))
	}
	c.checkPhones(at, to.WhatsApp)
	names := map[string]bool{}
	for i, chat := range to.Telegram {
		if chat.Name == "" {
			names[to.ChatName(i)] = true
		}
	}
	for i, chat := range to.Telegram {
		if chat.Name != "" {
			c.checkName(fmt.Sprintf("%s.telegram[%d].name", at, i), chat.Name, "write what the chat is called", names)
		}
		if (chat.ChatID == 0) == (chat.ChatIDFile == "") {
			c.file.Wrong(fmt.Sprintf("%s.telegram[%d]", at, i), "there is not exactly one of chat_id and chat_id_file",
				"give the number of the chat (groups begin with -100), or the file that holds it")
		}
	}
	if len(to.Telegram) > 0 && c.Telegram.BotTokenFile == "" {
		c.file.Wrong(at+".telegram", "there is no bot", "give telegram.bot_token_file at the top of the file")
	}
	for i, e := range to.Email {
		if a, err := mail.ParseAddress(e); err != nil || a.Address != e {
			c.file.Wrong(fmt.Sprintf("%s.email[%d]", at, i), fmt.Sprintf("%q is not a mail address", e),
				"write a bare address, for example kepala@example.go.id")
		}
	}
	if len(to.Email) > 0 && (c.SMTP.Smarthost == "" || c.SMTP.From == "") {
		c.file.Wrong(at+".email", "there is no mail server", "give smtp.smarthost and smtp.from at the top of the file")
	}
	for i := range to.Webhook {
		c.checkWebhook(fmt.Sprintf("%s.webhook[%d]", at, i), &to.Webhook[i])
	}
}

// checkForConditions checks the channels of who hears of conditions. These alerts must not need the collector: neither
// WhatsApp, to which it speaks, nor its own addresses, as far as the file shows them; what a url_file holds is not read
// here, and not checked.
func (c *Contacts) checkForConditions(at string, to *Channels) {
	c.checkChannels(at, to)
	if len(to.WhatsApp) > 0 {
		c.file.Wrong(at+".whatsapp", "only tickets, digests and reports go by WhatsApp",
			"give telegram, email or webhook here: alerts on conditions must not need the collector")
	}
	for i, w := range to.Webhook {
		if slices.ContainsFunc([]*Webhook{c.Log, c.WhatsApp, c.Telegram.Deliver}, func(own *Webhook) bool {
			return own != nil && sameHost(w.URL, own.URL)
		}) {
			c.file.Wrong(fmt.Sprintf("%s.webhook[%d]", at, i), "it leads to the collector",
				"alerts on conditions must not need the collector: name another receiver; an address in a url_file is not checked")
		}
	}
}

func (c *Contacts) checkPhones(at string, phones []Phone) {
	names := map[string]bool{}
	for i, p := range phones {
		field := fmt.Sprintf("%s.whatsapp[%d]", at, i)
		_, err := whatsapp.Number(p.Number)
		switch {
		case !c.checkName(field+".name", p.Name,
			"write the office the person holds, for example Kepala Dinas Perhubungan: it stands for the number in records",
			names):
		case (p.Number == "") == (p.NumberFile == ""):
			c.file.Wrong(field, "there is not exactly one of number and number_file", "give +62 and the number, or its file")
		case p.Number != "" && err != nil:
			c.file.Wrong(field+".number", "it is no telephone number", "write +62 and the number without its leading 0")
		}
	}
	if len(phones) > 0 && c.WhatsApp == nil {
		c.file.Wrong(at+".whatsapp", "nothing says where messages for WhatsApp go",
			"give whatsapp.url and whatsapp.key_file at the top of the file")
	}
}

// checkName reports whether a name may stand for a number, and adds it to those of its list.
func (c *Contacts) checkName(field, name, remedy string, names map[string]bool) bool {
	taken := names[name]
	names[name] = true
	switch {
	case name == "" || len(name) > MaxNameBytes || taken || strings.ContainsFunc(name, unicode.IsControl):
		c.file.Wrong(field, "there is no name, or it is too long, or another one here has it", remedy)
	case strings.Trim(name, "0123456789 +-().") == "":
		c.file.Wrong(field, "it is a number", remedy)
	default:
		return true
	}
	return false
}

func (c *Contacts) checkWebhook(at string, w *Webhook) {
	u, err := url.Parse(w.URL)
	switch {
	case (w.URL == "") == (w.URLFile == ""):
		c.file.Wrong(at, "there is not exactly one of url and url_file",
			"give the address, or the file that holds it when it is secret")
	case w.URL == "":
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		c.file.Wrong(at+".url", "it is not an http address", "write http://host/path or https://host/path")
	case u.User != nil:
		c.file.Wrong(at+".url", "it holds a password", "put the token into a file and name it in key_file")
	}
}

func sameHost(a, b string) bool {
	x, err1 := url.Parse(a)
	y, err2 := url.Parse(b)
	return err1 == nil && err2 == nil && x.Host != "" && strings.EqualFold(x.Host, y.Host)
}
