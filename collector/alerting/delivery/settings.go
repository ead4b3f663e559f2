package delivery

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"time"

	"github.com/monev112/monev112/collector/alerting/routing"
	"github.com/monev112/monev112/collector/alerting/whatsapp"
	"github.com/monev112/monev112/collector/internal/keyfile"
	"github.com/monev112/monev112/collector/observability/metrics"
)

// Settings are the sections of the configuration file on messages that the service sends to people itself. Without any
// it sends none.
type Settings struct {
	WhatsApp *WhatsAppSettings `yaml:"whatsapp"`
	Telegram *TelegramSettings `yaml:"telegram"`
}

// TelegramSettings let the service send by Telegram. With WhatsApp it is also the next way without them.
type TelegramSettings struct {
	// Contacts is the file that alertmanager-config reads too: who has which chat.
	Contacts string `yaml:"contacts"`
	// TokenFile holds the bot's token. The file that the contacts name is for Alertmanager, which may be another user.
	TokenFile string `yaml:"bot_token_file"`
}

// WhatsAppSettings say how the service reaches WhatsApp. docs/whatsapp.md says where Meta shows each.
type WhatsAppSettings struct {
	// Contacts is the file that alertmanager-config reads too: who has which number.
	Contacts string `yaml:"contacts"`
	// PhoneNumberID is Meta's id of the office's number, not the number.
	PhoneNumberID string `yaml:"phone_number_id"`
	TokenFile     string `yaml:"token_file"`        // access token of a system user
	SecretFile    string `yaml:"app_secret_file"`   // with which Meta signs what it reports
	VerifyFile    string `yaml:"verify_token_file"` // a word of the office's own, by which Meta verifies the address
	APIURL        string `yaml:"api_url"`           // with its version; empty: Meta's
}

// Resolve makes the paths absolute; path is given each that is set.
func (s *Settings) Resolve(path func(string) string) {
	var files []*string
	if w := s.WhatsApp; w != nil {
		files = append(files, &w.Contacts, &w.TokenFile, &w.SecretFile, &w.VerifyFile)
	}
	if t := s.Telegram; t != nil {
		files = append(files, &t.Contacts, &t.TokenFile)
	}
	for _, p := range files {
		*p = path(*p)
	}
}

// Check tells the first mistake, and what would be right. It touches no file.
func (s *Settings) Check() error {
	type setting struct{ name, value string }
	var all []setting
	w, t := s.WhatsApp, s.Telegram
	if w != nil {
		all = append(all, setting{"whatsapp.contacts", w.Contacts}, setting{"whatsapp.token_file", w.TokenFile},
			setting{"whatsapp.app_secret_file", w.SecretFile}, setting{"whatsapp.verify_token_file", w.VerifyFile})
	}
	if t != nil {
		all = append(all, setting{"telegram.contacts", t.Contacts}, setting{"telegram.bot_token_file", t.TokenFile})
	}
	for _, k := range all {
		if k.value == "" {
			return fmt.Errorf("%s: it is missing; docs/whatsapp.md says what belongs there", k.name)
		}
	}
	if w != nil && t != nil && w.Contacts != t.Contacts {
		return errors.New("telegram.contacts: it is another file than whatsapp.contacts; name one file in both")
	}
	if w == nil {
		return nil
	}
	if _, err := whatsapp.NewClient(w.APIURL, w.PhoneNumberID, w.TokenFile); err != nil {
		return fmt.Errorf("whatsapp.%w", err)
	}
	return nil
}

// OpenConfig is what Open needs beside the settings. Every field but Log is required.
type OpenConfig struct {
	DataDir      string
	MinFreeBytes int64
	PagesURL     string // below which the pages behind links lie, ending in a slash; empty: nobody can reach them
	Metrics      *metrics.Delivery
	Now          func() time.Time
	Log          *slog.Logger
}

// Open opens the outbox of a service; nil where the settings say that it sends nothing. It refuses settings that could
// deliver nothing.
func (s *Settings) Open(cfg OpenConfig) (*Outbox, error) {
	w, t := s.WhatsApp, s.Telegram
	if w == nil && t == nil {
		return nil, nil
	}
	own := config{
		Dir: filepath.Join(cfg.DataDir, FolderName), MinFreeBytes: cfg.MinFreeBytes, PagesURL: cfg.PagesURL,
		Observe: cfg.Metrics, Now: cfg.Now, Log: cfg.Log,
	}
	reach := &senders{http: &http.Client{Timeout: sendTimeout}}
	section, file := "whatsapp", ""
	var secrets []string
	if t != nil {
		section, file, reach.botToken = "telegram", t.Contacts, t.TokenFile
		secrets, own.Takes = append(secrets, t.TokenFile), append(own.Takes, Telegram)
	}
	if w != nil {
		if section, file = "whatsapp", w.Contacts; cfg.PagesURL == "" {
			return nil, errors.New("whatsapp: its buttons lead to the pages of the service: set pages.public_url")
		}
		secrets = append(secrets, w.TokenFile, w.SecretFile, w.VerifyFile)
		var err error
		if reach.whatsapp, err = whatsapp.NewClient(w.APIURL, w.PhoneNumberID, w.TokenFile); err != nil {
			return nil, fmt.Errorf("whatsapp: %w", err)
		}
		own.Takes = append(own.Takes, WhatsApp)
		own.PhoneNumberID, own.Signed, own.Verify = w.PhoneNumberID, w.signed, w.verify
	}
	for _, name := range secrets {
		if _, err := keyfile.ReadLine(name); err != nil {
			return nil, fmt.Errorf("%s: %w", section, err)
		}
	}
	watched, err := keyfile.Watch(func() (*routing.Contacts, error) {
		text, err := keyfile.Read(file, routing.MaxFileBytes)
		if err != nil {
			return nil, err
		}
		return routing.LoadContacts(file, text)
	}, cfg.Now(), cfg.Log, file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", section, err)
	}
	own.Contacts = func() (*routing.Contacts, error) { return watched.Get(cfg.Now()), nil }
	reach.contacts = own.Contacts
	if cfg.Log != nil {
		for _, err := range reach.unreadable(watched.Get(cfg.Now())) {
			cfg.Log.Warn("a file of the contacts cannot be used: nothing is sent by it", "component", "delivery", "error", err)
		}
	}
	own.Senders = reach.all()
	o, err := open(own)
	if err != nil {
		return nil, err
	}
	cfg.Metrics.Watch(o.health, w != nil)
	return o, nil
}

// signed reports whether Meta signed a body.
func (s *WhatsAppSettings) signed(header string, body []byte) bool {
	secret, err := keyfile.ReadLine(s.SecretFile)
	return err == nil && whatsapp.Signed(secret, header, body)
}

func (s *WhatsAppSettings) verify(mode, token, challenge string) (string, bool) {
	want, err := keyfile.ReadLine(s.VerifyFile)
	if err != nil {
		return "", false
	}
	return whatsapp.Challenge(want, mode, token, challenge)
}
