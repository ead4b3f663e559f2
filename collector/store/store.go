// Package store owns the database monev112 in ClickHouse: its schema, the mapping of events, cases and clocks to rows,
// the inserts, and the few queries that other packages need.
//
// It never folds events, never computes a due time and keeps no state but connections: what it writes are facts, what
// it reads back equals what was written. The same code speaks to the embedded engine (HTTP on loopback) and to a
// ClickHouse server (native protocol, TLS). Nothing connects before the first request, so that ClickHouse may be away
// when a Store is opened; what a method's error means is told by KindOf.
package store

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/monev112/monev112/collector/internal/keyfile"
)

// DefaultDatabase is the name that dashboards and documents use.
const DefaultDatabase = "monev112"

// Protocol chooses how to speak to ClickHouse.
type Protocol string

// The protocols of Config.
const (
	HTTP   Protocol = "http"   // the embedded engine; also a server's HTTP port
	Native Protocol = "native" // a server's TCP port
)

// Limits of a Store. A request that would exceed one is split, never cut.
const (
	maxInsertRows  = 100_000 // rows of one insert block
	maxQueryBytes  = 200_000 // text of one query with its keys; the server's own bound is 262,144
	maxOpenConns   = 6
	connLifetime   = 2 * time.Minute
	defaultDial    = 5 * time.Second
	defaultRequest = 60 * time.Second
)

// Config says where ClickHouse is. The zero value of every field but Addr has a default.
type Config struct {
	Addr string // host:port
	// Dial replaces the dialling of Addr, where the address becomes known only later. Its error ends the request.
	Dial           func(ctx context.Context) (net.Conn, error)
	Protocol       Protocol // default HTTP
	Database       string   // default DefaultDatabase; letters, digits and underscores
	User           string   // default "default"
	Password       string   // wins over PasswordFile; the embedded engine's key
	PasswordFile   string   // read at Open; a trailing line break is cut
	TLS            TLS
	DialTimeout    time.Duration // default 5 s
	RequestTimeout time.Duration // bound of one request when ctx has no earlier deadline; default 60 s

	// Location gives a centre's time zone, for the calendar day of a call or ticket. A nil function or zone is
	// Asia/Jakarta.
	Location func(center string) *time.Location
	// Inserted is told of each insert that ClickHouse acknowledged, Failed of each failed request. Nil is silence. Both
	// must be quick and safe for concurrent use.
	Inserted func(table string, rows int, took time.Duration)
	Failed   func(kind string)
}

// TLS turns encryption on and says whom to trust. CAFile empty means the system's authorities; CertFile and KeyFile
// together present a client certificate.
type TLS struct {
	Enabled    bool   `yaml:"enabled"`
	CAFile     string `yaml:"ca_file"`
	CertFile   string `yaml:"cert_file"`
	KeyFile    string `yaml:"key_file"`
	ServerName string `yaml:"server_name"`
}

// Store is a client of one database. Its methods are safe for concurrent use, but one caller at a time may upsert
// cases.
type Store struct {
	cfg  Config
	conn driver.Conn // its default database is monev112's
	boot driver.Conn // without a default database, to create it

	inserting sync.RWMutex // held for reading while inserts are in use
	inserts   insertConns

	reuse columnReuse
}

// wib is Asia/Jakarta, which has no daylight saving.
var wib = time.FixedZone("WIB", 7*60*60)

var databaseName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)

// Open checks cfg, reads its files and returns a Store. It does not connect.
func Open(_ context.Context, cfg Config) (*Store, error) {
	cfg.setDefaults()
	if !databaseName.MatchString(cfg.Database) {
		return nil, fmt.Errorf("clickhouse database %q: only letters, digits and underscores, not starting with a digit",
			cfg.Database)
	}
	if _, _, err := net.SplitHostPort(cfg.Addr); err != nil {
		return nil, fmt.Errorf("clickhouse address %q: want host:port: %w", cfg.Addr, err)
	}
	opts := clickhouse.Options{
		Addr:             []string{cfg.Addr},
		DialTimeout:      cfg.DialTimeout,
		ReadTimeout:      cfg.RequestTimeout,
		MaxOpenConns:     maxOpenConns,
		MaxIdleConns:     maxOpenConns,
		ConnMaxLifetime:  connLifetime,
		ConnOpenStrategy: clickhouse.ConnOpenInOrder,
		Settings:         clickhouse.Settings{},
		ClientInfo: clickhouse.ClientInfo{Products: []struct{ Name, Version string }{
			{Name: "monev112", Version: "1"},
		}},
	}
	if cfg.Dial != nil {
		opts.DialContext = func(ctx context.Context, _ string) (net.Conn, error) { return cfg.Dial(ctx) }
	}
	switch cfg.Protocol {
	case HTTP:
		opts.Protocol = clickhouse.HTTP
	case Native:
		opts.Protocol = clickhouse.Native
		opts.Compression = &clickhouse.Compression{Method: clickhouse.CompressionLZ4}
	default:
		return nil, fmt.Errorf("clickhouse protocol %q: want %q or %q", cfg.Protocol, HTTP, Native)
	}
	var err error
	if opts.TLS, err = cfg.TLS.load(); err != nil {
		return nil, err
	}
	password := cfg.Password
	if password == "" && cfg.PasswordFile != "" {
		if password, err = keyfile.ReadLine(cfg.PasswordFile); err != nil {
			return nil, fmt.Errorf("read the clickhouse password: %w", err)
		}
	}
	opts.Auth = clickhouse.Auth{Username: cfg.User, Password: password}
	bootOpts := opts
	bootOpts.MaxOpenConns, bootOpts.MaxIdleConns = 1, 1
	boot, err := clickhouse.Open(&bootOpts)
	if err != nil {
		return nil, fmt.Errorf("clickhouse options: %w", err)
	}
	opts.Auth.Database = cfg.Database
	conn, err := clickhouse.Open(&opts)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("clickhouse options: %w", err), boot.Close())
	}
	inserts, err := openInserts(opts)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("clickhouse options: %w", err), boot.Close(), conn.Close())
	}
	return &Store{cfg: cfg, conn: conn, boot: boot, inserts: inserts}, nil
}

func (c *Config) setDefaults() {
	if c.Protocol == "" {
		c.Protocol = HTTP
	}
	if c.Database == "" {
		c.Database = DefaultDatabase
	}
	if c.User == "" {
		c.User = "default"
	}
	if c.DialTimeout <= 0 {
		c.DialTimeout = defaultDial
	}
	if c.RequestTimeout <= 0 {
		c.RequestTimeout = defaultRequest
	}
	zone := c.Location
	c.Location = func(center string) *time.Location {
		if zone != nil {
			if loc := zone(center); loc != nil {
				return loc
			}
		}
		return wib
	}
	if c.Inserted == nil {
		c.Inserted = func(string, int, time.Duration) {}
	}
	if c.Failed == nil {
		c.Failed = func(string) {}
	}
}

func (t TLS) load() (*tls.Config, error) {
	if !t.Enabled {
		if t.CAFile != "" || t.CertFile != "" || t.KeyFile != "" {
			return nil, errors.New("clickhouse tls: files are named but tls is not enabled")
		}
		return nil, nil
	}
	out := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read the clickhouse authority: %w", err)
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("clickhouse authority %s: no PEM certificate in it", t.CAFile)
		}
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		return nil, errors.New("clickhouse tls: a client certificate needs both its certificate file and its key file")
	}
	if t.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("read the clickhouse client certificate: %w", err)
		}
		out.Certificates = []tls.Certificate{pair}
	}
	return out, nil
}

// Close ends the connections. It may be called twice.
func (s *Store) Close() error {
	s.inserting.RLock()
	defer s.inserting.RUnlock()
	return errors.Join(s.conn.Close(), s.inserts.close(), s.boot.Close())
}

// Ping asks ClickHouse for a trivial answer: nil when it is there and lets us in.
func (s *Store) Ping(ctx context.Context) error {
	return s.request(ctx, "ping", func(ctx context.Context) error { return s.boot.Exec(ctx, "SELECT 1") })
}

// request is attempt within the request timeout.
func (s *Store) request(ctx context.Context, what string, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.RequestTimeout)
	defer cancel()
	return s.attempt(ctx, what, do)
}

// attempt runs do, wraps its error with what was tried and counts it.
func (s *Store) attempt(ctx context.Context, what string, do func(context.Context) error) error {
	if err := do(ctx); err != nil {
		s.cfg.Failed(string(KindOf(err)))
		return fmt.Errorf("clickhouse: %s: %w", what, err)
	}
	return nil
}
