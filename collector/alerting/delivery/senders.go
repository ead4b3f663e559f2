package delivery

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/wneessen/go-mail"

	"github.com/monev112/monev112/collector/alerting/routing"
	"github.com/monev112/monev112/collector/alerting/whatsapp"
	"github.com/monev112/monev112/collector/internal/keyfile"
)

const telegramAPI = "https://api.telegram.org"

// senders reach people as the contacts say.
type senders struct {
	whatsapp *whatsapp.Client // nil without WhatsApp
	botToken string           // file of the bot's token; empty: the one that the contacts name
	contacts func() (*routing.Contacts, error)
	http     *http.Client
}

func (s *senders) all() Senders {
	out := Senders{Telegram: s.sendTelegram, Email: s.sendEmail}
	if s.whatsapp != nil {
		out.WhatsApp = s.sendWhatsApp
	}
	return out
}

func (s *senders) sendWhatsApp(ctx context.Context, to routing.Phone, m whatsapp.Message) (string, error) {
	number, err := numberOf(to)
	if err != nil {
		return "", &Refusal{Final: true, Why: err.Error()}
	}
	return s.whatsapp.Send(ctx, number, m)
}

// numberOf returns the number of a person. Errors name the file, and show nothing of what it holds.
func numberOf(p routing.Phone) (string, error) {
	number := p.Number
	if p.NumberFile != "" {
		var err error
		if number, err = keyfile.ReadLine(p.NumberFile); err != nil {
			return "", err
		}
	}
	number, err := whatsapp.Number(number)
	if err != nil {
		return "", fmt.Errorf("%s holds no telephone number", cmp.Or(p.NumberFile, "the contact"))
	}
	return number, nil
}

// chatOf is numberOf of a chat.
func chatOf(c routing.Chat) (int64, error) {
	if c.ChatID != 0 {
		return c.ChatID, nil
	}
	line, err := keyfile.ReadLine(c.ChatIDFile)
	if err != nil {
		return 0, err
	}
	chat, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	if err != nil || chat == 0 {
		return 0, fmt.Errorf("%s holds no number of a chat", c.ChatIDFile)
	}
	return chat, nil
}

// unreadable returns what is wrong with the files that sending to the contacts needs.
func (s *senders) unreadable(contacts *routing.Contacts) (wrong []error) {
	check := func(err error) {
		if err != nil {
			wrong = append(wrong, err)
		}
	}
	var byTelegram, byEmail bool
	look := func(to *routing.Channels) {
		for _, c := range to.Telegram {
			_, err := chatOf(c)
			check(err)
		}
		for _, p := range to.WhatsApp {
			_, err := numberOf(p)
			check(err)
		}
		byTelegram, byEmail = byTelegram || len(to.Telegram) > 0, byEmail || len(to.Email) > 0
	}
	for i := range contacts.Centers {
		c := &contacts.Centers[i]
		look(&c.Leadership)
		for j := range c.OPDs {
			look(&c.OPDs[j].Channels)
		}
	}
	if byTelegram && s.botToken == "" {
		_, err := keyfile.ReadLine(contacts.Telegram.BotTokenFile)
		check(err)
	}
	if byEmail && contacts.SMTP.Username != "" {
		_, err := keyfile.ReadLine(contacts.SMTP.PasswordFile)
		check(err)
	}
	return wrong
}

// sendTelegram sends by the Bot API. The bot's token is part of the address, so no error of the client is passed on.
func (s *senders) sendTelegram(ctx context.Context, to routing.Chat, moved func(chat int64) int64, text string) error {
	contacts, err := s.contacts()
	if err != nil {
		return err
	}
	token, err := keyfile.ReadLine(cmp.Or(s.botToken, contacts.Telegram.BotTokenFile))
	if err != nil {
		return &Refusal{Account: true, Why: err.Error()}
	}
	chat, err := chatOf(to)
	if err != nil {
		return &Refusal{Final: true, Why: err.Error()}
	}
	chat = moved(chat)
	in := map[string]any{"chat_id": chat, "text": text, "parse_mode": "HTML",
		"link_preview_options": map[string]any{"is_disabled": true}}
	if to.ThreadID != 0 {
		in["message_thread_id"] = to.ThreadID
	}
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost,
		cmp.Or(contacts.Telegram.APIURL, telegramAPI)+"/bot"+token+"/sendMessage", bytes.NewReader(body))
	if err != nil {
		return errors.New("telegram: the address cannot be made")
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.http.Do(req)
	if err != nil {
		return errors.New("telegram does not answer")
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return errors.New("telegram does not answer")
	}
	return telegramVerdict(chat, answer)
}

// telegramVerdict reads an answer of the Bot API.
func telegramVerdict(chat int64, answer []byte) error {
	var in struct {
		OK         bool `json:"ok"`
		Code       int  `json:"error_code"`
		Parameters struct {
			RetryAfter int   `json:"retry_after"`
			MigrateTo  int64 `json:"migrate_to_chat_id"`
		} `json:"parameters"`
	}
	switch err := json.Unmarshal(answer, &in); {
	case err != nil:
		return errors.New("telegram's answer cannot be read")
	case in.OK:
		return nil
	}
	return &Refusal{
		Code: in.Code, After: time.Duration(in.Parameters.RetryAfter) * time.Second, Chat: chat,
		Moved: in.Parameters.MigrateTo,
		Final: in.Parameters.MigrateTo == 0 && (in.Code == http.StatusBadRequest || in.Code == http.StatusForbidden),
		// A token that is no bot's makes an address that is not there.
		Account: in.Code == http.StatusUnauthorized || in.Code == http.StatusNotFound,
	}
}

// TelegramMeaning explains a code of the Bot API.
func TelegramMeaning(code int) string {
	switch code {
	case http.StatusBadRequest:
		return "there is no such chat or topic, or the bot may not write there"
	case http.StatusUnauthorized, http.StatusNotFound:
		return "the bot's token is not valid"
	case http.StatusForbidden:
		return "the bot was blocked, put out of the group, or never started by the person"
	case http.StatusTooManyRequests:
		return "too many messages: Telegram says when to come back"
	}
	return fmt.Sprintf("code %d", code)
}

func (s *senders) sendEmail(ctx context.Context, to, subject, text string) error {
	contacts, err := s.contacts()
	if err != nil {
		return err
	}
	cfg := contacts.SMTP
	m := mail.NewMsg()
	if err := errors.Join(m.From(cfg.From), m.To(to)); err != nil {
		return &Refusal{Final: true}
	}
	m.Subject(subject)
	m.SetBodyString(mail.TypeTextPlain, text)
	host, port, err := net.SplitHostPort(cfg.Smarthost)
	if err != nil {
		return fmt.Errorf("smtp.smarthost: %w", err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return fmt.Errorf("smtp.smarthost: %w", err)
	}
	policy := mail.TLSMandatory
	if cfg.RequireTLS != nil && !*cfg.RequireTLS {
		policy = mail.TLSOpportunistic
	}
	options := []mail.Option{mail.WithPort(number), mail.WithTLSPolicy(policy), mail.WithTimeout(sendTimeout)}
	if cfg.Username != "" {
		password, err := keyfile.ReadLine(cfg.PasswordFile)
		if err != nil { // of no use to anybody until a person acts
			return &Refusal{Account: true, Why: err.Error()}
		}
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(cfg.Username),
			mail.WithPassword(password))
	}
	client, err := mail.NewClient(host, options...)
	if err != nil {
		return err
	}
	err = client.DialAndSendWithContext(ctx, m)
	var refused *mail.SendError
	if errors.As(err, &refused) && !refused.IsTemp() && refused.ErrorCode() >= 500 {
		return &Refusal{Code: refused.ErrorCode(), Final: true}
	}
	return err
}
