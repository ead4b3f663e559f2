package httpapi

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/internal/keyfile"
)

// CertificateFiles names the files of the service's TLS certificate. It is a section of the configuration file.
type CertificateFiles struct {
	CertFile string `yaml:"cert_file"` // PEM, the chain included
	KeyFile  string `yaml:"key_file"`  // PEM
}

// Resolve makes the paths of f absolute.
func (f *CertificateFiles) Resolve(path func(string) string) {
	f.CertFile, f.KeyFile = path(f.CertFile), path(f.KeyFile)
}

// Certificate follows its files: a renewed certificate is used within a second, without a restart.
type Certificate = keyfile.Watched[*tls.Certificate]

// Open reads the certificate. It returns nil when none is named.
func (f CertificateFiles) Open(now time.Time, log *slog.Logger) (*Certificate, error) {
	switch {
	case f.CertFile == "" && f.KeyFile == "":
		return nil, nil
	case f.CertFile == "" || f.KeyFile == "":
		return nil, errors.New("tls: cert_file and key_file belong together; give both, or none to speak HTTP")
	}
	// While only one of the files was renewed they do not belong together, and the pair from before stays.
	c, err := keyfile.Watch(func() (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(f.CertFile, f.KeyFile)
		return &pair, err
	}, now, log.With("component", "tls"), f.CertFile, f.KeyFile)
	if err != nil {
		return nil, fmt.Errorf(
			"tls: %w; cert_file and key_file must be PEM files that belong together and that this user may read", err)
	}
	return c, nil
}

// CheckFiles refuses files that cannot be read or do not hold a certificate and its key.
func (f CertificateFiles) CheckFiles() error {
	_, err := f.Open(time.Now(), slog.New(slog.DiscardHandler))
	return err
}

// CheckProxies refuses a list of trusted proxies that names anything but addresses and networks.
func CheckProxies(proxies []string) error {
	for _, p := range proxies {
		if _, err := netip.ParsePrefix(p); err == nil {
			continue
		}
		if _, err := netip.ParseAddr(p); err != nil {
			return fmt.Errorf("trusted_proxies: %q is no address and no network; name them as 10.0.0.1 or 10.0.0.0/8", p)
		}
	}
	return nil
}

// Serve answers requests on l, over TLS when there is a certificate. It bounds the connections that l gives at once.
// server is one that Server made; the error is http.ErrServerClosed once it is shut down.
func (a *API) Serve(server *http.Server, l net.Listener) error {
	limited := &listener{l, a.conns}
	if a.cfg.Certificate == nil {
		if !auth.Loopback(l.Addr().String()) {
			a.logger.Warn("serving HTTP on a public address: keys and links travel unencrypted unless a proxy speaks TLS")
		}
		return server.Serve(limited)
	}
	server.TLSConfig = &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return a.cfg.Certificate.Get(a.cfg.Now()), nil
		},
	}
	return server.ServeTLS(limited, "", "")
}
