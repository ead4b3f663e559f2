package store

import (
	"context"
	"fmt"
	"net"

	"github.com/monev112/monev112/collector/engine"
)

// Server says where a ClickHouse server is. It is a section of the configuration file; without an address the embedded
// engine is meant.
type Server struct {
	Address      string   `yaml:"address"`  // host:port
	Protocol     Protocol `yaml:"protocol"` // native (default) or http
	Database     string   `yaml:"database"`
	User         string   `yaml:"user"`
	PasswordFile string   `yaml:"password_file"`
	TLS          TLS      `yaml:"tls"`
}

// Resolve makes the paths of s absolute.
func (s *Server) Resolve(path func(string) string) {
	for _, f := range []*string{&s.PasswordFile, &s.TLS.CAFile, &s.TLS.CertFile, &s.TLS.KeyFile} {
		*f = path(*f)
	}
}

// Check tells the first mistake, with the key and what would be right. It reads no file and connects to nothing.
func (s *Server) Check() error {
	switch s.Protocol {
	case "", Native, HTTP:
		return nil
	default:
		return fmt.Errorf("protocol: unknown protocol %q; use one of %s, %s", s.Protocol, Native, HTTP)
	}
}

// CheckFiles refuses an address that cannot be reached and files that cannot be read. It connects to nothing.
func (s *Server) CheckFiles(ctx context.Context) error {
	if s.Address == "" {
		return nil
	}
	st, err := Open(ctx, s.Config())
	if err != nil {
		return err
	}
	return st.Close()
}

// Config is the configuration of a Store on s.
func (s *Server) Config() Config {
	cfg := Config{
		Addr: s.Address, Protocol: s.Protocol, Database: s.Database, User: s.User, PasswordFile: s.PasswordFile,
		TLS: s.TLS,
	}
	if cfg.Protocol == "" {
		cfg.Protocol = Native
	}
	return cfg
}

// Embedded is the configuration of a Store on the embedded engine. addr returns the engine's address, empty before it
// answers; until then requests fail with ErrNotReady.
func Embedded(addr func() string, key string) Config {
	var dialer net.Dialer
	return Config{
		Addr: engine.DefaultListen, Protocol: HTTP, Password: key,
		Dial: func(ctx context.Context) (net.Conn, error) {
			at := addr()
			if at == "" {
				return nil, ErrNotReady
			}
			return dialer.DialContext(ctx, "tcp", at)
		},
	}
}
