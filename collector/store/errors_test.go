package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/monev112/monev112/collector/event"
)

func TestKindOf(t *testing.T) {
	ex := func(code int32) error { return fmt.Errorf("x: %w", &clickhouse.Exception{Code: code}) }
	for _, c := range []struct {
		err   error
		want  Kind
		retry bool
	}{
		{nil, "", false},
		{ex(241), Unavailable, true},
		{ex(252), Unavailable, true},
		{ex(243), Unavailable, true},
		{ex(319), Unavailable, true},
		{ex(159), Timeout, true},
		{ex(60), Query, false},
		{ex(47), Query, false},
		{ex(62), Query, false},
		{ex(117), Value, false},
		{ex(53), Value, false},
		{ex(516), Refused, false},
		{ex(497), Refused, false},
		{&clickhouse.HTTPError{StatusCode: 403, Err: errors.New("no")}, Refused, false},
		{&clickhouse.HTTPError{StatusCode: 502, Err: errors.New("proxy")}, Unavailable, true},
		{&clickhouse.HTTPError{StatusCode: 500, Err: &clickhouse.Exception{Code: 53}}, Value, false},
		{context.DeadlineExceeded, Timeout, true},
		{&net.OpError{Op: "dial", Err: errors.New("connection refused")}, Unavailable, true},
		{errors.New("something new"), Unavailable, true},
		{&MigrationError{"x"}, Query, false},
	} {
		if got := KindOf(c.err); got != c.want || Retryable(c.err) != c.retry {
			t.Errorf("%v: %s, retryable %v; want %s, %v", c.err, got, Retryable(c.err), c.want, c.retry)
		}
	}
}

func TestClickHouseAwayIsRetryable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	for _, p := range []Protocol{HTTP, Native} {
		var kinds []string
		s, err := Open(t.Context(), Config{Addr: addr, Protocol: p, Failed: func(k string) { kinds = append(kinds, k) }})
		if err != nil {
			t.Fatalf("%s: opening must not need the server: %v", p, err)
		}
		_, migrateErr := s.Migrate(t.Context())
		_, readErr := s.ReadCases(t.Context(), []event.Key{callKey("a")})
		for what, err := range map[string]error{
			"ping": s.Ping(t.Context()), "migrate": migrateErr, "read": readErr,
			"insert": s.InsertEvents(t.Context(), sample(1, 0), "t"),
		} {
			if !Retryable(err) {
				t.Errorf("%s %s: %v is %q", p, what, err, KindOf(err))
			}
		}
		if len(kinds) != 4 {
			t.Errorf("%s: counted %v, want four failures", p, kinds)
		}
		for range 2 {
			if err := s.Close(); err != nil {
				t.Errorf("%s: closing, perhaps twice: %v", p, err)
			}
		}
	}
}

func TestAWrongKeyIsRefused(t *testing.T) {
	good := openEmpty(t)
	s, err := Open(t.Context(), Config{Addr: good.cfg.Addr, Password: "wrong", Database: good.cfg.Database})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Migrate(t.Context()); err == nil || Retryable(err) {
		t.Errorf("got %v (%s)", err, KindOf(err))
	}
}

func TestARequestEndsAtItsTimeout(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, never answers
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s, err := Open(t.Context(), Config{Addr: l.Addr().String(), RequestTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Ping(t.Context()); KindOf(err) != Timeout {
		t.Errorf("got %v (%s)", err, KindOf(err))
	}
}

func TestOpenRefusesAWrongConfiguration(t *testing.T) {
	for name, c := range map[string]Config{
		"no port":           {Addr: "localhost"},
		"protocol":          {Addr: "localhost:1", Protocol: "ftp"},
		"database":          {Addr: "localhost:1", Database: "a; DROP"},
		"password file":     {Addr: "localhost:1", PasswordFile: "/does/not/exist"},
		"authority":         {Addr: "localhost:1", TLS: TLS{Enabled: true, CAFile: "/does/not/exist"}},
		"half certificate":  {Addr: "localhost:1", TLS: TLS{Enabled: true, CertFile: "x"}},
		"files without tls": {Addr: "localhost:1", TLS: TLS{CAFile: "x"}},
	} {
		if s, err := Open(t.Context(), c); err == nil {
			_ = s.Close()
			t.Errorf("%s: accepted", name)
		}
	}
}
