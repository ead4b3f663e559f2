package httpapi

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/internal/keyfile"
)

// writeCertificate writes a certificate for 127.0.0.1 and its key, and returns it.
func writeCertificate(t *testing.T, dir, name string, serial int64) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "monev112"},
		NotBefore: time.Now().Add(-time.Hour),
		NotAfter:  time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true,
		BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		name + ".crt": {Type: "CERTIFICATE", Bytes: der}, name + ".key": {Type: "PRIVATE KEY", Bytes: secret},
	} {
		if err := os.WriteFile(filepath.Join(dir, file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// certificateIn names files in dir, as the configuration file in dir would.
func certificateIn(dir, cert, key string) CertificateFiles {
	f := CertificateFiles{cert, key}
	f.Resolve(func(name string) string {
		if name == "" {
			return ""
		}
		return filepath.Join(dir, name)
	})
	return f
}

func TestTheServiceSpeaksTLSAndTakesUpARenewedCertificate(t *testing.T) {
	dir := t.TempDir()
	first := writeCertificate(t, dir, "a", 1)
	files := certificateIn(dir, "a.crt", "a.key")
	var later atomic.Int64
	clock := func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	w := start(t, func(cfg *Config) {
		cfg.Now = clock
		var err error
		if cfg.Certificate, err = files.Open(clock(), slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := w.api.Server(t.Context())
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil {
			t.Error("a request without TLS")
		}
	})
	done := make(chan error)
	go func() { done <- w.api.Serve(server, l) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	serial := func(trust *x509.Certificate, most uint16) (int64, error) {
		pool := x509.NewCertPool()
		pool.AddCert(trust)
		c := http.Client{
			Timeout: time.Minute, Transport: &http.Transport{
				DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: pool, MaxVersion: most},
			},
		}
		resp, err := c.Get("https://" + l.Addr().String())
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		return resp.TLS.PeerCertificates[0].SerialNumber.Int64(), nil
	}
	if n, err := serial(first, 0); err != nil || n != 1 {
		t.Errorf("certificate %d, %v", n, err)
	}
	if _, err := serial(first, tls.VersionTLS11); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	if resp, err := http.Get("http://" + l.Addr().String()); err == nil {
		if resp.Body.Close(); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("HTTP is answered with %d", resp.StatusCode)
		}
	}

	// Half a renewal leaves the certificate as it was.
	second := writeCertificate(t, dir, "b", 2)
	move := func(ext string) {
		t.Helper()
		if err := os.Rename(filepath.Join(dir, "b"+ext), filepath.Join(dir, "a"+ext)); err != nil {
			t.Fatal(err)
		}
		later.Add(int64(keyfile.Recheck))
	}
	move(".crt")
	if n, err := serial(first, 0); err != nil || n != 1 {
		t.Errorf("after half a renewal: certificate %d, %v", n, err)
	}
	move(".key")
	if n, err := serial(second, 0); err != nil || n != 2 {
		t.Errorf("after the renewal: certificate %d, %v", n, err)
	}
}

func TestACertificateThatCannotWorkIsRefused(t *testing.T) {
	dir := t.TempDir()
	writeCertificate(t, dir, "a", 1)
	writeCertificate(t, dir, "b", 2)
	for want, files := range map[string]CertificateFiles{
		"":                certificateIn(dir, "a.crt", "a.key"),
		"belong together": certificateIn(dir, "a.crt", ""),
		"PEM":             certificateIn(dir, "a.crt", "b.key"),
		"none.crt":        certificateIn(dir, "none.crt", "a.key"),
	} {
		err := files.CheckFiles()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestTrustedProxiesAreAddressesOrNetworks(t *testing.T) {
	if err := CheckProxies([]string{"10.0.0.1", "10.0.0.0/8", "2001:db8::/32"}); err != nil {
		t.Error(err)
	}
	if err := CheckProxies([]string{"10.0.0.1", "the proxy"}); err == nil || !strings.Contains(err.Error(), "the proxy") {
		t.Errorf("%v, want it to name the proxy", err)
	}
}
