package delivery

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/alerting/routing"
	"github.com/monev112/monev112/collector/alerting/whatsapp"
)

// TestWhatTelegramAnswers: a group that moved is named by the number that was asked, also where a file holds it.
func TestWhatTelegramAnswers(t *testing.T) {
	answer, asked := "", int64(0)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Chat int64 `json:"chat_id"`
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || r.URL.Path != "/botsecret/sendMessage" {
			t.Errorf("%s %v", r.URL.Path, err)
		}
		asked = in.Chat
		fmt.Fprint(w, answer)
	}))
	t.Cleanup(server.Close)
	write := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	s := &senders{http: server.Client(), contacts: func() (*routing.Contacts, error) {
		return &routing.Contacts{Telegram: routing.Telegram{BotTokenFile: write("token", "secret"), APIURL: server.URL}}, nil
	}}
	for _, c := range []struct {
		answer string
		want   *Refusal
	}{
		{`{"ok":true,"result":{}}`, nil},
		{`{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}`,
			&Refusal{Code: 403, Chat: -7, Final: true}},
		{`{"ok":false,"error_code":429,"parameters":{"retry_after":17}}`,
			&Refusal{Code: 429, Chat: -7, After: 17 * time.Second}},
		{`{"ok":false,"error_code":400,"parameters":{"migrate_to_chat_id":-1007}}`,
			&Refusal{Code: 400, Chat: -7, Moved: -1007}},
		{`{"ok":false,"error_code":401,"description":"Unauthorized"}`, &Refusal{Code: 401, Chat: -7, Account: true}},
		{`{"ok":false,"error_code":500}`, &Refusal{Code: 500, Chat: -7}},
	} {
		answer = c.answer
		err := s.sendTelegram(t.Context(), routing.Chat{ChatIDFile: write("chat", "-5")}, func(chat int64) int64 {
			return chat - 2
		},
			"teks")
		var got *Refusal
		if errors.As(err, &got); (got == nil) != (c.want == nil) || got != nil && *got != *c.want || asked != -7 {
			t.Errorf("%s: %+v, want %+v; asked %d", c.answer, got, c.want, asked)
		}
	}
}

// TestAnUnusableFileConcernsItsOwnerAlone: nothing was sent, so the message fails and says which file it is.
func TestAnUnusableFileConcernsItsOwnerAlone(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	odd, away, number := write("odd", "@grup-rahasia"), filepath.Join(dir, "away"), write("number", "-100")
	contacts := &routing.Contacts{
		Telegram: routing.Telegram{BotTokenFile: write("token", "secret")},
		SMTP: routing.SMTP{
			Smarthost: "127.0.0.1:1", From: "a@example.go.id", Username: "a", PasswordFile: filepath.Join(dir, "password"),
		},
		Centers: []routing.CenterContact{{
			Leadership: routing.Channels{WhatsApp: []routing.Phone{{Name: "Sekda", NumberFile: odd}}},
			OPDs: []routing.OPDContact{{ID: "dishub", Channels: routing.Channels{
				Telegram: []routing.Chat{{ChatIDFile: away}, {ChatIDFile: odd}, {ChatIDFile: number}},
				Email:    []string{"b@example.go.id"},
			}}},
		}},
	}
	s := &senders{http: http.DefaultClient, contacts: func() (*routing.Contacts, error) { return contacts, nil }}
	same := func(chat int64) int64 { return chat }
	_, phone := s.sendWhatsApp(t.Context(), routing.Phone{NumberFile: away}, whatsapp.Message{})
	noToken := *s
	noToken.botToken = away
	for name, c := range map[string]struct {
		err     error
		file    string
		account bool
	}{
		"chat away":  {s.sendTelegram(t.Context(), routing.Chat{ChatIDFile: away}, same, "teks"), away, false},
		"chat odd":   {s.sendTelegram(t.Context(), routing.Chat{ChatIDFile: odd}, same, "teks"), odd, false},
		"phone away": {phone, away, false},
		"token":      {noToken.sendTelegram(t.Context(), routing.Chat{ChatID: 1}, same, "teks"), away, true},
		"password":   {s.sendEmail(t.Context(), "b@example.go.id", "hal", "teks"), contacts.SMTP.PasswordFile, true},
	} {
		var got *Refusal
		if !errors.As(c.err, &got) || got.Account != c.account || got.Final == c.account || !strings.Contains(got.Why, c.file) ||
			strings.Contains(got.Why, "rahasia") {
			t.Errorf("%s: %+v", name, c.err)
		}
	}
	if wrong := s.unreadable(contacts); len(wrong) != 4 || strings.Contains(fmt.Sprint(wrong), number) {
		t.Errorf("at the start: %v", wrong)
	}
}
