package collector

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

// Certificate names the files of the service's TLS certificate. A renewed certificate is used within a second,
// without a restart.
type Certificate struct {
	CertFile string `yaml:"cert_file"` // PEM, the chain included
	KeyFile  string `yaml:"key_file"`  // PEM
}

// checkDoor refuses a certificate and proxies that cannot work.
func (f *File) checkDoor() error {
	for _, p := range f.TrustedProxies {
		if _, err := netip.ParsePrefix(p); err == nil {
			continue
		}
		if _, err := netip.ParseAddr(p); err != nil {
			return fmt.Errorf("trusted_proxies: %q is no address and no network; name them as 10.0.0.1 or 10.0.0.0/8", p)
		}
	}
	_, err := openCertificate(f, time.Now(), slog.New(slog.DiscardHandler))
	return err
}

// certificate follows its files.
type certificate = keyfile.Watched[*tls.Certificate]

// openCertificate returns nil when none is configured.
func openCertificate(f *File, now time.Time, log *slog.Logger) (*certificate, error) {
	certFile, keyFile := f.path(f.TLS.CertFile), f.path(f.TLS.KeyFile)
	switch {
	case certFile == "" && keyFile == "":
		return nil, nil
	case certFile == "" || keyFile == "":
		return nil, errors.New("tls: cert_file and key_file belong together; give both, or none to speak HTTP")
	}
	// While only one of the files was renewed they do not belong together, and the pair from before stays.
	c, err := keyfile.Watch(func() (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		return &pair, err
	}, now, log.With("component", "tls"), certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf(
			"tls: %w; cert_file and key_file must be PEM files that belong together and that this user may read", err)
	}
	return c, nil
}

// serve answers requests, over TLS when there is a certificate.
func (a *App) serve(server *http.Server, l net.Listener) error {
	if a.certificate == nil {
		if !auth.Loopback(a.listener.Addr().String()) {
			a.cfg.Log.Warn(
				"serving HTTP on a public address: keys and links travel unencrypted unless a proxy speaks TLS",
				"component", "tls")
		}
		return server.Serve(l)
	}
	server.TLSConfig = &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return a.certificate.Get(a.cfg.Now()), nil },
	}
	return server.ServeTLS(l, "", "")
}
