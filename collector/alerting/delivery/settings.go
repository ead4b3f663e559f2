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

// Settings are the section "whatsapp" of the configuration file. docs/whatsapp.md says where Meta shows each.
type Settings struct {
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
	if s == nil {
		return
	}
	for _, p := range []*string{&s.Contacts, &s.TokenFile, &s.SecretFile, &s.VerifyFile} {
		*p = path(*p)
	}
}

// Check tells the first mistake, and what would be right. It touches no file.
func (s *Settings) Check() error {
	if s == nil {
		return nil
	}
	for name, value := range map[string]string{
		"contacts": s.Contacts, "token_file": s.TokenFile, "app_secret_file": s.SecretFile, "verify_token_file": s.VerifyFile,
	} {
		if value == "" {
			return fmt.Errorf("%s is missing: docs/whatsapp.md says what belongs there", name)
		}
	}
	_, err := whatsapp.NewClient(s.APIURL, s.PhoneNumberID, s.TokenFile)
	return err
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

// Open opens the outbox of a service. It refuses settings that could deliver nothing.
func (s *Settings) Open(cfg OpenConfig) (*Outbox, error) {
	if cfg.PagesURL == "" {
		return nil, errors.New("whatsapp: its buttons lead to the pages of the service: set pages.public_url")
	}
	client, err := whatsapp.NewClient(s.APIURL, s.PhoneNumberID, s.TokenFile)
	if err != nil {
		return nil, fmt.Errorf("whatsapp: %w", err)
	}
	for _, name := range []string{s.TokenFile, s.SecretFile, s.VerifyFile} {
		if _, err := keyfile.ReadLine(name); err != nil {
			return nil, fmt.Errorf("whatsapp: %w", err)
		}
	}
	watched, err := keyfile.Watch(func() (*routing.Contacts, error) {
		text, err := keyfile.Read(s.Contacts, routing.MaxFileBytes)
		if err != nil {
			return nil, err
		}
		return routing.LoadContacts(s.Contacts, text)
	}, cfg.Now(), cfg.Log, s.Contacts)
	if err != nil {
		return nil, fmt.Errorf("whatsapp: %w", err)
	}
	contacts := func() (*routing.Contacts, error) { return watched.Get(cfg.Now()), nil }
	reach := &senders{client, contacts, &http.Client{Timeout: sendTimeout}}
	o, err := open(config{
		Dir: filepath.Join(cfg.DataDir, FolderName), MinFreeBytes: cfg.MinFreeBytes, Contacts: contacts,
		PhoneNumberID: s.PhoneNumberID, PagesURL: cfg.PagesURL, Senders: reach.all(), Observe: cfg.Metrics,
		Now: cfg.Now, Log: cfg.Log,
		Signed: func(header string, body []byte) bool {
			secret, err := keyfile.ReadLine(s.SecretFile)
			return err == nil && whatsapp.Signed(secret, header, body)
		},
		Verify: func(mode, token, challenge string) (string, bool) {
			want, err := keyfile.ReadLine(s.VerifyFile)
			if err != nil {
				return "", false
			}
			return whatsapp.Challenge(want, mode, token, challenge)
		},
	})
	if err != nil {
		return nil, err
	}
	cfg.Metrics.Watch(o.health)
	return o, nil
}
