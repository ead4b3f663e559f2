package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"
)

// TelegramLimit is how many characters a message may have. Telegram counts UTF-16 units without markup; Alertmanager
// cuts earlier, at so many characters with markup.
const TelegramLimit = 4096

// TelegramMessage is one message as Telegram took it.
type TelegramMessage struct {
	Chat int64
	HTML string // as sent
	Text string // as people read it
}

// TelegramServer stands in for Telegram's Bot API. It takes sendMessage alone and refuses what Telegram refuses; each
// refusal also fails the test.
type TelegramServer struct {
	server *httptest.Server
	token  string
	mu     sync.Mutex
	all    []TelegramMessage
	refuse map[int64]telegramRefusal // by chat
}

// telegramRefusal is what the Bot API says against a message to a chat.
type telegramRefusal struct {
	times      int // how often; below 0: always
	code       int
	parameters map[string]any
}

// StartTelegram starts a server that ends with the test, for the bot with the token.
func StartTelegram(t testing.TB, token string) *TelegramServer {
	s := &TelegramServer{token: token, refuse: map[int64]telegramRefusal{}}
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the sender was killed
		}
		m, err := s.decode(r, body)
		w.Header().Set("Content-Type", "application/json")
		if err != nil {
			t.Errorf("Telegram: %v", err)
			w.WriteHeader(http.StatusBadRequest)
			_ = json.NewEncoder(w).Encode(map[string]any{
				"ok": false, "error_code": 400, "description": "Bad Request: " + err.Error(),
			})
			return
		}
		s.mu.Lock()
		refusal := s.refuse[m.Chat]
		if refusal.times != 0 {
			refusal.times--
			s.refuse[m.Chat] = refusal
			s.mu.Unlock()
			w.WriteHeader(refusal.code)
			_ = json.NewEncoder(w).Encode(map[string]any{
				"ok": false, "error_code": refusal.code, "description": "refused", "parameters": refusal.parameters,
			})
			return
		}
		s.all = append(s.all, m)
		id := len(s.all)
		s.mu.Unlock()
		_ = json.NewEncoder(w).Encode(map[string]any{"ok": true, "result": map[string]any{
			"message_id": id, "date": 1, "text": m.Text, "chat": map[string]any{"id": m.Chat, "type": "supergroup"},
		}})
	}))
	t.Cleanup(s.server.Close)
	return s
}

// URL is what api_url is set to.
func (s *TelegramServer) URL() string { return s.server.URL }

// Refuse has messages to a chat refused so many times, always when times is below 0.
func (s *TelegramServer) Refuse(chat int64, times, code int, parameters map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse[chat] = telegramRefusal{times, code, parameters}
}

// Messages returns the messages to a chat, in order; to all chats when it is 0.
func (s *TelegramServer) Messages(chat int64) []TelegramMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []TelegramMessage
	for _, m := range s.all {
		if chat == 0 || m.Chat == chat {
			out = append(out, m)
		}
	}
	return out
}

func (s *TelegramServer) decode(r *http.Request, body []byte) (TelegramMessage, error) {
	if r.Method != http.MethodPost || r.URL.Path != "/bot"+s.token+"/sendMessage" {
		return TelegramMessage{},
			fmt.Errorf("%s %s is no sendMessage of the bot", r.Method, strings.ReplaceAll(r.URL.Path, s.token, "<token>"))
	}
	var raw map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&raw); err != nil {
		return TelegramMessage{}, fmt.Errorf("the body is no JSON: %w", err)
	}
	for k := range raw {
		switch k {
		case "chat_id", "text", "parse_mode", "disable_notification", "message_thread_id", "disable_web_page_preview",
			"link_preview_options":
		default:
			return TelegramMessage{}, fmt.Errorf("parameter %s", k)
		}
	}
	// A number may come as a string: Alertmanager's client sends it so.
	chat, err := strconv.ParseInt(fmt.Sprint(raw["chat_id"]), 10, 64)
	if err != nil || chat == 0 {
		return TelegramMessage{}, fmt.Errorf("chat_id %v", raw["chat_id"])
	}
	markup, _ := raw["text"].(string)
	if raw["parse_mode"] != "HTML" {
		return TelegramMessage{}, fmt.Errorf("parse_mode %v", raw["parse_mode"])
	}
	text, err := visible(markup)
	if err != nil {
		return TelegramMessage{}, fmt.Errorf("can't parse entities: %w, in\n%s", err, markup)
	}
	return TelegramMessage{Chat: chat, HTML: markup, Text: text}, checkLength(markup, text)
}

func checkLength(markup, text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return errors.New("message text is empty")
	case len(utf16.Encode([]rune(text))) > TelegramLimit, len([]rune(markup)) > TelegramLimit:
		return errors.New("message is too long")
	}
	return nil
}

var (
	openTag  = regexp.MustCompile(`^<(b|strong|i|em|u|ins|s|strike|del|code|pre|blockquote)>`)
	linkTag  = regexp.MustCompile(`^<a href="([^"<>]*)">`)
	closeTag = regexp.MustCompile(`^</([a-z]+)>`)
	entity   = regexp.MustCompile(`^&(lt|gt|amp|quot|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});`)
)

// visible returns the text of a message in Telegram's HTML, or what Telegram would refuse.
func visible(markup string) (string, error) {
	var out strings.Builder
	var open []string
	for rest := markup; rest != ""; {
		next := strings.IndexAny(rest, "<>&")
		if next < 0 {
			next = len(rest)
		}
		out.WriteString(rest[:next])
		rest = rest[next:]
		if rest == "" {
			break
		}
		if m := entity.FindString(rest); m != "" {
			out.WriteString(html.UnescapeString(m))
			rest = rest[len(m):]
		} else if m := openTag.FindStringSubmatch(rest); m != nil {
			open, rest = append(open, m[1]), rest[len(m[0]):]
		} else if m := linkTag.FindStringSubmatch(rest); m != nil {
			open, rest = append(open, "a"), rest[len(m[0]):]
		} else if m := closeTag.FindStringSubmatch(rest); m != nil && len(open) > 0 && open[len(open)-1] == m[1] {
			open, rest = open[:len(open)-1], rest[len(m[0]):]
		} else {
			return "", fmt.Errorf("at %.30q", rest)
		}
	}
	if len(open) > 0 {
		return "", fmt.Errorf("<%s> is not closed", open[len(open)-1])
	}
	return out.String(), nil
}
