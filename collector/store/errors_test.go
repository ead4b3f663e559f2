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
		err  error
		want Kind
	}{
		{nil, ""},
		{ex(241), Unavailable},
		{ex(252), Unavailable},
		{ex(243), Unavailable},
		{ex(319), Unavailable},
		{ex(159), Timeout},
		{ex(60), Query},
		{ex(47), Query},
		{ex(62), Query},
		{ex(117), Value},
		{ex(53), Value},
		{ex(516), Refused},
		{ex(497), Refused},
		{&clickhouse.HTTPError{StatusCode: 403, Err: errors.New("no")}, Refused},
		{&clickhouse.HTTPError{StatusCode: 502, Err: errors.New("proxy")}, Unavailable},
		{&clickhouse.HTTPError{StatusCode: 500, Err: &clickhouse.Exception{Code: 53}}, Value},
		{context.DeadlineExceeded, Timeout},
		{&net.OpError{Op: "dial", Err: errors.New("connection refused")}, Unavailable},
		{errors.New("something new"), Unavailable},
		{&MigrationError{"x"}, Query},
	} {
		if got := KindOf(c.err); got != c.want {
			t.Errorf("%v: %s, want %s", c.err, got, c.want)
		}
	}
}

func TestAbsentClickHouseIsUnavailable(t *testing.T) {
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
		migrateErr := s.Migrate(t.Context())
		_, readErr := s.ReadCases(t.Context(), []event.Key{callKey("a")})
		for what, err := range map[string]error{
			"ping": s.Ping(t.Context()), "migrate": migrateErr, "read": readErr,
			"insert": s.InsertEvents(t.Context(), sample(1, 0), "t"),
		} {
			if KindOf(err) != Unavailable {
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
	if err := s.Migrate(t.Context()); KindOf(err) != Refused {
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
