package collector

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/monev112/monev112/collector/httpapi/auth"
)

// Certificate names the files of the service's TLS certificate. A renewed certificate is taken up within a second,
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
	_, err := openCertificate(f, slog.New(slog.DiscardHandler))
	return err
}

// certificate is the certificate as the files have it now.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex
	checked time.Time
	stamp   string
	pair    *tls.Certificate
}

// certificateRecheck is how often the files are looked at.
const certificateRecheck = time.Second

// openCertificate returns nil when none is configured.
func openCertificate(f *File, log *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: f.path(f.TLS.CertFile), keyFile: f.path(f.TLS.KeyFile), log: log}
	switch {
	case c.certFile == "" && c.keyFile == "":
		return nil, nil
	case c.certFile == "" || c.keyFile == "":
		return nil, fmt.Errorf("tls: cert_file and key_file belong together; give both, or none to speak HTTP")
	}
	c.stamp = c.look()
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return nil, fmt.Errorf(
			"tls: %w; cert_file and key_file must be PEM files that belong together and that this user may read", err)
	}
	c.pair = &pair
	return c, nil
}

func (c *certificate) look() (stamp string) {
	for _, name := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(name); err == nil {
			stamp += fmt.Sprint(info.ModTime().UnixNano(), info.Size(), ";")
		}
	}
	return stamp
}

// get returns the certificate, read again when the files changed. Files that cannot be read, or do not belong together
// because only one of them was renewed so far, leave it as it was.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.checked) < certificateRecheck {
		return c.pair, nil
	}
	c.checked = time.Now()
	if stamp := c.look(); stamp != c.stamp {
		c.stamp = stamp
		if pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile); err != nil {
			c.log.Error("the changed certificate cannot be read; the one before stays", "error", err)
		} else {
			c.pair = &pair
			c.log.Info("the certificate was read again")
		}
	}
	return c.pair, nil
}

// serve answers requests, over TLS when there is a certificate.
func (a *App) serve(server *http.Server, l net.Listener) error {
	if a.certificate == nil {
		if !auth.Loopback(a.listener.Addr().String()) {
			a.cfg.Log.Warn(
				"the service speaks HTTP on a public address: keys and links travel in the clear unless a proxy before it speaks TLS")
		}
		return server.Serve(l)
	}
	server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: a.certificate.get}
	return server.ServeTLS(l, "", "")
}
