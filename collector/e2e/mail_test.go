package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// Mail is one message as a mail server took it, decoded.
type Mail struct {
	From    string   // of the envelope
	To      []string // of the envelope
	Subject string
	Text    string // text/plain; empty without one
	HTML    string // text/html
}

// MailServer stands in for a mail server: SMTP without TLS. A message that is not well formed is refused, and fails the
// test.
type MailServer struct {
	t        testing.TB
	listener net.Listener
	mu       sync.Mutex
	conns    []net.Conn
	closed   bool
	all      []Mail
	wg       sync.WaitGroup
}

// StartMail starts a server that ends with the test.
func StartMail(t testing.TB) *MailServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &MailServer{t: t, listener: l}
	s.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			if s.closed {
				c.Close()
			}
			s.conns = append(s.conns, c)
			s.mu.Unlock()
			s.wg.Go(func() { s.serve(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		s.mu.Lock()
		s.closed = true
		for _, c := range s.conns {
			c.Close()
		}
		s.mu.Unlock()
		s.wg.Wait()
	})
	return s
}

// Addr is host:port, the smarthost.
func (s *MailServer) Addr() string { return s.listener.Addr().String() }

// Messages returns the messages to an address, in order; to all when it is empty.
func (s *MailServer) Messages(to string) []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Mail
	for _, m := range s.all {
		if to == "" || slices.Contains(m.To, to) {
			out = append(out, m)
		}
	}
	return out
}

func (s *MailServer) serve(conn net.Conn) {
	defer conn.Close()
	c := textproto.NewConn(conn)
	say := func(format string, args ...any) { _ = c.PrintfLine(format, args...) }
	say("220 mail.test ESMTP")
	var m Mail
	for {
		line, err := c.ReadLine()
		if err != nil {
			return
		}
		verb, arg, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			say("250-mail.test")
			say("250 8BITMIME")
		case "HELO", "NOOP":
			say("250 mail.test")
		case "RSET":
			m = Mail{}
			say("250 OK")
		case "MAIL":
			m = Mail{From: envelope(arg)}
			say("250 OK")
		case "RCPT":
			m.To = append(m.To, envelope(arg))
			say("250 OK")
		case "DATA":
			say("354 go on")
			raw, err := io.ReadAll(c.DotReader())
			if err != nil {
				return
			}
			if err := m.decode(raw); err != nil {
				s.t.Errorf("mail to %v: %v\n%s", m.To, err, raw)
				say("554 %v", err)
				continue
			}
			s.mu.Lock()
			s.all = append(s.all, m)
			s.mu.Unlock()
			m = Mail{}
			say("250 OK")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("502 %s is not known", verb)
		}
	}
}

// envelope cuts the address out of FROM:<a@b> BODY=8BITMIME.
func envelope(arg string) string {
	_, rest, _ := strings.Cut(arg, "<")
	address, _, _ := strings.Cut(rest, ">")
	return address
}

// decode reads a message strictly: what RFC 5322 and MIME ask for, and lines that mail servers take.
func (m *Mail) decode(raw []byte) error {
	if m.From == "" || len(m.To) == 0 {
		return errors.New("no sender or no recipient")
	}
	for i, line := range bytes.Split(raw, []byte("\n")) {
		if len(line) > 998 {
			return fmt.Errorf("line %d has %d bytes, more than 998", i+1, len(line))
		}
	}
	head, _, _ := bytes.Cut(raw, []byte("\n\n"))
	if i := bytes.IndexFunc(head, func(r rune) bool { return r > 126 }); i >= 0 {
		return errors.New("a header is not ASCII")
	}
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	h := textproto.MIMEHeader(msg.Header)
	for _, name := range []string{"From", "To", "Subject", "Date", "Message-Id", "Mime-Version", "Content-Type"} {
		if len(h[name]) != 1 || strings.TrimSpace(h[name][0]) == "" {
			return fmt.Errorf("header %s stands %d times", name, len(h[name]))
		}
	}
	if _, err := msg.Header.Date(); err != nil {
		return fmt.Errorf("date: %w", err)
	}
	for _, name := range []string{"From", "To"} {
		if _, err := msg.Header.AddressList(name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if m.Subject, err = new(mime.WordDecoder).DecodeHeader(h.Get("Subject")); err != nil {
		return fmt.Errorf("subject: %w", err)
	}
	return m.body(h.Get("Content-Type"), h.Get("Content-Transfer-Encoding"), msg.Body)
}

func (m *Mail) body(contentType, encoding string, body io.Reader) error {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return err
	}
	if kind == "multipart/alternative" {
		parts := multipart.NewReader(body, params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if errors.Is(err, io.EOF) {
				if m.HTML == "" && m.Text == "" {
					return errors.New("no part is text")
				}
				return nil
			}
			if err != nil {
				return err
			}
			if err := m.body(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p); err != nil {
				return err
			}
		}
	}
	if !strings.EqualFold(params["charset"], "utf-8") {
		return fmt.Errorf("%s with charset %q", kind, params["charset"])
	}
	if strings.EqualFold(encoding, "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	if !utf8.Valid(text) {
		return errors.New("the body is no UTF-8")
	}
	switch kind {
	case "text/plain":
		m.Text = string(text)
	case "text/html":
		m.HTML = string(text)
	default:
		return fmt.Errorf("a part is %s", kind)
	}
	return nil
}
