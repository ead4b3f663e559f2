package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector/alerting/whatsapp"
	"github.com/monev112/monev112/collector/source/send"
)

func whatsappCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "whatsapp",
		Short: "Templates for WhatsApp, and a test message",
		Long: `The service sends tickets, digests and reports by the official WhatsApp Business Cloud API, from templates that
Meta approves first. docs/whatsapp.md says what an office must do at Meta.`,
	}
	cmd.AddCommand(whatsappTemplatesCommand(),
		messageTestCommand("whatsapp", `test has the running service send a message to the
person of that name in the contacts file, and tells when WhatsApp took it, when the telephone had it, and when it was
read. It ends with an error when the message fails, or is not delivered in time.`,
			"not delivered in time: is the telephone on, and does Meta reach the webhook of this service?"))
	return cmd
}

func telegramCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "telegram",
		Short: "A test message by Telegram",
		Long: `With a section telegram in its configuration the service sends tickets, digests and reports by Telegram itself, and
records what became of each. docs/whatsapp.md says how.`,
	}
	cmd.AddCommand(messageTestCommand("telegram",
		`test has the running service send a message to the chat of that name in the
contacts file, and tells when Telegram took it; what happens to it then Telegram tells nobody. It ends with an error
when the message is refused, for example because the bot was blocked, or not taken in time.`,
		"not taken in time: does the service reach api.telegram.org?"))
	return cmd
}

func whatsappTemplatesCommand() *cobra.Command {
	var config, out, publicURL string
	cmd := &cobra.Command{
		Use:   "templates --out DIR",
		Short: "Write the message templates, one file each, as Meta takes them",
		Long: `templates writes each template as a JSON file, as POST /<WhatsApp business account>/message_templates takes it. The
text may also be copied into Meta's WhatsApp Manager by hand: language Indonesian, category utility. Buttons lead to the
pages of the service: pages.public_url of the configuration, or --public-url.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usagef("whatsapp templates: name a folder with --out")
			}
			file, err := readConfig(config)
			if err != nil {
				return err
			}
			if publicURL != "" {
				file.Pages.PublicURL = publicURL
			}
			if file.Pages.PublicURL == "" {
				return usagef("whatsapp templates: the buttons need an address: set pages.public_url and give --config, or give " +
					"--public-url")
			}
			if err := file.Pages.Check(); err != nil {
				return err
			}
			if err := os.MkdirAll(out, 0o755); err != nil {
				return err
			}
			for _, t := range whatsapp.Templates() {
				text, err := json.MarshalIndent(t.Submission(strings.TrimSuffix(file.Pages.PublicURL, "/")+"/p/"), "", "  ")
				if err != nil {
					return err
				}
				name := filepath.Join(out, t.Name+".json")
				if err := os.WriteFile(name, append(text, '\n'), 0o644); err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), name)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "folder for the files; made where it does not exist")
	cmd.Flags().StringVar(&config, "config", "", "configuration file, for pages.public_url")
	cmd.Flags().StringVar(&publicURL, "public-url", "", "address of the service as telephones know it")
	return cmd
}

// delivered is what the service says of a notification.
type delivered struct {
	ID       string `json:"id"`
	Messages []struct {
		Channel     string    `json:"channel"`
		Contact     string    `json:"contact"`
		Tries       int       `json:"tries"`
		AcceptedAt  time.Time `json:"accepted_at"`
		DeliveredAt time.Time `json:"delivered_at"`
		ReadAt      time.Time `json:"read_at"`
		FailedAt    time.Time `json:"failed_at"`
		Meaning     string    `json:"meaning"`
		Moved       bool      `json:"moved"`
	} `json:"messages"`
}

// messageTestCommand sends a test message by a channel. late is what to say when nothing came of it in time.
func messageTestCommand(channel, long, late string) *cobra.Command {
	var f sendFlags
	var to string
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "test --to NAME",
		Short: "Send a test message to a name of the contacts file, and follow what becomes of it",
		Long:  long + " It needs a key with the\nscope admin.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if to == "" {
				return usagef("%s test: give a name of the contacts file with --to", channel)
			}
			c, err := f.admin()
			if err != nil {
				return err
			}
			var d delivered
			err = c.ask(cmd.Context(), http.MethodPost, "/v1/"+channel+"/test?to="+url.QueryEscape(to), nil, &d)
			if err != nil {
				return err
			}
			out, end, told := cmd.OutOrStdout(), time.Now().Add(wait), map[string]bool{}
			for {
				if err := c.ask(cmd.Context(), http.MethodGet, "/v1/"+channel+"/messages/"+d.ID, nil, &d); err != nil {
					return err
				}
				done, err := d.tell(out, told)
				if done || err != nil {
					return err
				}
				if time.Now().After(end) {
					return errors.New(late)
				}
				if err := send.Sleep(cmd.Context(), time.Second); err != nil {
					return err
				}
			}
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&to, "to", "", "name of the person or chat, as the contacts file has it")
	cmd.Flags().DurationVar(&wait, "wait", 2*time.Minute, "how long to follow it")
	return cmd
}

// tell prints what has become known since the last time. It is done once the telephone has the message, or Telegram,
// which says no more.
func (d *delivered) tell(out io.Writer, told map[string]bool) (done bool, err error) {
	for _, m := range d.Messages {
		for _, s := range []struct {
			what string
			at   time.Time
		}{{"accepted", m.AcceptedAt}, {"delivered", m.DeliveredAt}, {"read", m.ReadAt}} {
			if !s.at.IsZero() && !told[s.what] {
				told[s.what] = true
				fmt.Fprintf(out, "%s  %s: %s by %s\n", s.at.In(wib).Format("15:04:05 MST"), m.Contact, s.what, m.Channel)
			}
		}
		if !m.FailedAt.IsZero() {
			return true, fmt.Errorf("%s: %s failed: %s", m.Contact, m.Channel, m.Meaning)
		}
		if m.AcceptedAt.IsZero() && m.Meaning != "" && !told[m.Meaning] {
			told[m.Meaning] = true
			fmt.Fprintf(out, "attempt %d: %s\n", m.Tries, m.Meaning)
		}
		if m.Moved && !told["moved"] {
			told["moved"] = true
			fmt.Fprintln(out, "the group became a supergroup: write its new number, which the log of the service has, into "+
				"the contacts file")
		}
		done = !m.DeliveredAt.IsZero() || m.Channel == "telegram" && !m.AcceptedAt.IsZero()
	}
	return done, nil
}
