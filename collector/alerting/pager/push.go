package pager

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Limits of one push.
const (
	maxBatchAlerts = 500       // alerts of one request
	maxBatchBytes  = 512 << 10 // of one request's body
	maxAnswerBytes = 16 << 10  // of an answer that are read
	firstRetry     = time.Second
	lastRetry      = 30 * time.Second
	logEvery       = time.Minute // lines on a server that keeps failing
)

// push is the full set of alerts at one instant, ready to send.
type push struct {
	number int64 // counts up; the clock may be set back
	at     time.Time
	alerts int
	bodies [][]byte
	levels map[string]int // active ticket alerts
}

// encode cuts the alerts into bodies of bounded size. No alerts are one empty body: Alertmanager's answer shows that it
// can be reached.
func encode(at time.Time, alerts []Alert) (*push, error) {
	p := &push{at: at, alerts: len(alerts), levels: map[string]int{}}
	body, n := []byte{'['}, 0
	cut := func() {
		p.bodies = append(p.bodies, bytes.Clone(append(body, ']')))
		body, n = append(body[:0], '['), 0
	}
	var text bytes.Buffer
	for i := range alerts {
		a := &alerts[i]
		if l := a.Labels["level"]; l != "" && a.EndsAt.After(at) {
			p.levels[l]++
		}
		text.Reset()
		if err := json.MarshalWrite(&text, a, json.Deterministic(true)); err != nil {
			return nil, err
		}
		if n == maxBatchAlerts || n > 0 && len(body)+text.Len()+2 > maxBatchBytes {
			cut()
		}
		if n > 0 {
			body = append(body, ',')
		}
		body, n = append(body, text.Bytes()...), n+1
	}
	if n > 0 || len(p.bodies) == 0 {
		cut()
	}
	return p, nil
}

// server is one Alertmanager. It always sends the latest push, and tries again until there is a later one.
type server struct {
	cfg      Alertmanager
	name     string
	client   *http.Client
	next     chan *push
	accepted func(*push)
	failed   func(name string)
	log      *slog.Logger
	tracer   trace.Tracer

	failureLogged time.Time // zero while pushes are taken
	notLogged     int       // failures since
}

func newServer(cfg Alertmanager) (*server, error) {
	cfg.Timeout = cmp.Or(cfg.Timeout, defaultTimeout)
	s := &server{cfg: cfg, name: cfg.Name(), next: make(chan *push, 1)}
	if _, err := s.cfg.authorization(); err != nil {
		return nil, err
	}
	tlsConfig, err := s.cfg.tls()
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = tlsConfig
	transport.MaxConnsPerHost = 1
	transport.ResponseHeaderTimeout = cfg.Timeout
	s.client = &http.Client{Timeout: cfg.Timeout, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // the credentials are for this server alone
		}}
	return s, nil
}

// offer hands over a push and takes back one that was not begun. There is one caller.
func (s *server) offer(p *push) {
	select {
	case <-s.next:
	default:
	}
	s.next <- p
}

// run sends until ctx ends.
func (s *server) run(ctx context.Context) {
	defer s.client.CloseIdleConnections()
	for {
		var p *push
		select {
		case <-ctx.Done():
			return
		case p = <-s.next:
		}
		for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
			err := s.send(ctx, p)
			if err == nil {
				s.logRecovery()
				s.accepted(p)
				break
			}
			if ctx.Err() != nil {
				return
			}
			s.failed(s.name)
			s.logFailure(err)
			select {
			case <-ctx.Done():
				return
			case p = <-s.next:
			case <-time.After(wait):
			}
		}
	}
}

func (s *server) send(ctx context.Context, p *push) (err error) {
	ctx, span := s.tracer.Start(ctx, "push alerts", trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("server.address", s.name), attribute.Int("monev112.alerts", p.alerts)))
	defer func() {
		if err != nil {
			span.SetStatus(codes.Error, "not taken")
		}
		span.End()
	}()
	authorization, err := s.cfg.authorization()
	if err != nil {
		return err
	}
	for _, body := range p.bodies {
		if err := s.post(ctx, body, authorization); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) post(ctx context.Context, body []byte, authorization string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.cfg.endpoint(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	r, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(r.Body, maxAnswerBytes))
	if r.StatusCode/100 != 2 {
		return fmt.Errorf("status %d: %.200s", r.StatusCode, strings.Join(strings.Fields(string(answer)), " "))
	}
	return nil
}

// logFailure logs the first failure, then one line every logEvery.
func (s *server) logFailure(err error) {
	if now := time.Now(); s.failureLogged.IsZero() || now.Sub(s.failureLogged) >= logEvery {
		s.log.Warn("Alertmanager does not take the alerts", "alertmanager", s.name, "more_failures", s.notLogged, "error",
			err)
		s.failureLogged, s.notLogged = now, 0
		return
	}
	s.notLogged++
}

func (s *server) logRecovery() {
	if !s.failureLogged.IsZero() {
		s.log.Info("Alertmanager takes the alerts again", "alertmanager", s.name)
		s.failureLogged, s.notLogged = time.Time{}, 0
	}
}
