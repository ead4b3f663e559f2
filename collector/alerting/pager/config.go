package pager

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/internal/keyfile"
)

// Config is the section "pager" of the configuration file. Zero values take the defaults named beside them.
type Config struct {
	// Alertmanagers get every alert, each by itself. Name all of a cluster: they exchange what they have sent, not alerts.
	Alertmanagers []Alertmanager `yaml:"alertmanagers"`
	// Interval is how often the board is read and everything is pushed; 30 s.
	Interval time.Duration `yaml:"interval"`
	// ClosedFor is how long a closing is pushed once an Alertmanager took it: more than group_wait and group_interval of
	// the route together, or nobody is notified of it; 17 min fits those of `alertmanager-config`.
	ClosedFor time.Duration `yaml:"closed_for"`
	// Digest is the time of the daily digest in each centre's local time; "07:00".
	Digest string `yaml:"digest"`
}

// Alertmanager says how one server is reached. Files are read again for each connection or push.
type Alertmanager struct {
	URL          string        `yaml:"url"`         // http://host:9093, or with its --web.route-prefix
	Timeout      time.Duration `yaml:"timeout"`     // of one request; 10 s
	CAFile       string        `yaml:"ca_file"`     // certificates to trust; the system's
	CertFile     string        `yaml:"cert_file"`   // client certificate
	KeyFile      string        `yaml:"key_file"`    // its key
	ServerName   string        `yaml:"server_name"` // that the certificate must have; the URL's host
	Username     string        `yaml:"username"`    // basic authentication
	PasswordFile string        `yaml:"password_file"`
	BearerFile   string        `yaml:"bearer_file"` // a token instead
}

// Bounds of a Config.
const (
	defaultInterval  = 30 * time.Second
	minInterval      = time.Second
	maxInterval      = 2 * time.Minute // the pager counts as stalled after five
	DefaultClosedFor = 17 * time.Minute
	minClosedFor     = time.Second
	maxClosedFor     = 24 * time.Hour
	defaultDigest    = "07:00"
	defaultTimeout   = 10 * time.Second
	maxTimeout       = time.Minute
	maxAlertmanagers = 8

	maxCertBytes = 1 << 20
)

// Resolve makes the paths of c absolute; path is given each that is set.
func (c *Config) Resolve(path func(string) string) {
	for i := range c.Alertmanagers {
		a := &c.Alertmanagers[i]
		for _, f := range []*string{&a.CAFile, &a.CertFile, &a.KeyFile, &a.PasswordFile, &a.BearerFile} {
			*f = path(*f)
		}
	}
}

// Set reports whether anything is configured. Without it there is no pager.
func (c *Config) Set() bool {
	return len(c.Alertmanagers) > 0 || c.Interval != 0 || c.ClosedFor != 0 || c.Digest != ""
}

// Check tells the first mistake, with the key and what would be right. It reads no file and connects to nothing.
func (c *Config) Check() error {
	if !c.Set() {
		return nil
	}
	within := func(key string, d, least, most time.Duration) error {
		if d != 0 && (d < least || d > most) {
			return fmt.Errorf("%s: %s; use %s to %s", key, d, least, most)
		}
		return nil
	}
	if err := errors.Join(within("interval", c.Interval, minInterval, maxInterval),
		within("closed_for", c.ClosedFor, minClosedFor, maxClosedFor)); err != nil {
		return err
	}
	if _, err := c.digestAt(); err != nil {
		return err
	}
	if len(c.Alertmanagers) == 0 {
		return errors.New("alertmanagers: none is named; name one, or leave the section out")
	}
	if len(c.Alertmanagers) > maxAlertmanagers {
		return fmt.Errorf("alertmanagers: %d; at most %d", len(c.Alertmanagers), maxAlertmanagers)
	}
	seen := map[string]bool{}
	for i := range c.Alertmanagers {
		a := &c.Alertmanagers[i]
		at := fmt.Sprintf("alertmanagers[%d]", i)
		if err := a.check(); err != nil {
			return fmt.Errorf("%s.%w", at, err)
		}
		if err := within(at+".timeout", a.Timeout, 100*time.Millisecond, maxTimeout); err != nil {
			return err
		}
		if seen[a.endpoint()] {
			return fmt.Errorf("%s.url: %s is listed twice; keep one of the two", at, a.URL)
		}
		seen[a.endpoint()] = true
	}
	return nil
}

func (a *Alertmanager) check() error {
	u, err := url.Parse(a.URL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("url: %q; write http://host:9093 or https://host", a.URL)
	case u.User != nil:
		return errors.New("url: holds a user name; use username and password_file, so that no secret stands in this file")
	case u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("url: %q has a query or fragment; write the address alone", a.URL)
	case strings.Contains(u.Path, "/api/v"):
		return fmt.Errorf("url: %q; leave out /api/v2/alerts, it is added", a.URL)
	case a.BearerFile != "" && (a.Username != "" || a.PasswordFile != ""):
		return errors.New("bearer_file: stands beside username or password_file; use one way to authenticate")
	case (a.Username == "") != (a.PasswordFile == ""):
		return errors.New("username: and password_file go together; one of the two is missing")
	case (a.CertFile == "") != (a.KeyFile == ""):
		return errors.New("cert_file: and key_file go together; one of the two is missing")
	case u.Scheme == "http" && (a.CAFile != "" || a.CertFile != "" || a.ServerName != ""):
		return fmt.Errorf("url: %q is not encrypted, but certificates are named; write https, or leave them out", a.URL)
	}
	return nil
}

// endpoint is where alerts are posted.
func (a *Alertmanager) endpoint() string { return strings.TrimRight(a.URL, "/") + "/api/v2/alerts" }

// Name is how logs and metrics call the server: its host and port.
func (a *Alertmanager) Name() string {
	u, err := url.Parse(a.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

// CheckFiles refuses files that cannot be read or do not hold what they should.
func (c *Config) CheckFiles() error {
	_, err := c.servers()
	return err
}

// servers makes what pushes to each Alertmanager, after reading its files for the first time.
func (c *Config) servers() ([]*server, error) {
	servers := make([]*server, len(c.Alertmanagers))
	for i, a := range c.Alertmanagers {
		var err error
		if servers[i], err = newServer(a); err != nil {
			return nil, fmt.Errorf("alertmanagers[%d].%w", i, err)
		}
	}
	return servers, nil
}

func (c *Config) digestAt() (time.Duration, error) {
	text := cmp.Or(c.Digest, defaultDigest)
	t, err := time.Parse("15:04", text)
	if err != nil {
		return 0, fmt.Errorf("digest: %q is no time of day; write it in quotes, as %q", text, defaultDigest)
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, nil
}

// authorization is the header's value, read anew so that a secret can be changed without a restart. Empty is none.
func (a *Alertmanager) authorization() (string, error) {
	switch {
	case a.BearerFile != "":
		token, err := readSecret(a.BearerFile)
		if err != nil {
			return "", fmt.Errorf("bearer_file: %w", err)
		}
		return "Bearer " + token, nil
	case a.PasswordFile != "":
		password, err := readSecret(a.PasswordFile)
		if err != nil {
			return "", fmt.Errorf("password_file: %w", err)
		}
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(a.Username+":"+password)), nil
	}
	return "", nil
}

func readSecret(name string) (string, error) {
	line, err := keyfile.ReadLine(name)
	if line = strings.TrimSpace(line); err == nil && line == "" {
		err = fmt.Errorf("%s must hold one line", name)
	}
	return line, err
}

// tls returns nil for a server that is reached without.
func (a *Alertmanager) tls() (*tls.Config, error) {
	if !strings.HasPrefix(a.URL, "https:") {
		return nil, nil
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: a.ServerName}
	if a.CAFile != "" {
		pem, err := keyfile.Read(a.CAFile, maxCertBytes)
		if err != nil {
			return nil, fmt.Errorf("ca_file: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca_file: %s holds no certificate in PEM form", filepath.Base(a.CAFile))
		}
	}
	if a.CertFile != "" {
		if _, err := tls.LoadX509KeyPair(a.CertFile, a.KeyFile); err != nil {
			return nil, fmt.Errorf("cert_file: %w", err)
		}
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(a.CertFile, a.KeyFile)
			return &pair, err
		}
	}
	return cfg, nil
}
