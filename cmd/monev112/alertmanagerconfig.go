package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector/alerting/routing"
)

func alertmanagerConfigCommand() *cobra.Command {
	var config, contacts, templates, from string
	cmd := &cobra.Command{
		Use:   "alertmanager-config --contacts FILE",
		Short: "Write Alertmanager's configuration from directory, calendar and contacts",
		Long: `alertmanager-config prints the configuration of Alertmanager: a receiver for each OPD, for Asisten and
Sekda, for the supervisors and for Diskominfo. Working hours and holidays come from the calendar. Secrets stay in the
files that the contacts file names. Offices without a contact are listed on standard error; Diskominfo receives their
messages.

  monev112 alertmanager-config --contacts contacts.yaml > alertmanager.yml && amtool check-config alertmanager.yml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if contacts == "" {
				return usagef("no contacts: name the file with --contacts")
			}
			at := time.Now()
			if from != "" {
				var err error
				if at, err = time.Parse(time.DateOnly, from); err != nil {
					return usagef("--from %q is not a day: write it as 2026-12-31", from)
				}
			}
			file, dir, err := readDirectory(config)
			if err != nil {
				return err
			}
			book, err := file.LoadBook(dir)
			if err != nil {
				return err
			}
			info, err := os.Stat(contacts)
			if err != nil {
				return err
			}
			if info.Size() > routing.MaxFileBytes {
				return errors.New(contacts + ": too large for a contacts file")
			}
			text, err := os.ReadFile(contacts)
			if err != nil {
				return err
			}
			people, err := routing.LoadContacts(contacts, text)
			if err != nil {
				return err
			}
			out, notes, err := routing.Configuration(routing.Input{
				Directory: dir, Calendar: book.Calendar, Contacts: people, From: at, Templates: templates,
			})
			if err != nil {
				return err
			}
			for _, n := range notes {
				fmt.Fprintln(cmd.ErrOrStderr(), n)
			}
			_, err = cmd.OutOrStdout().Write(out)
			return err
		},
	}
	cmd.Flags().StringVar(&contacts, "contacts", "", "contacts file: how each person or office is reached")
	cmd.Flags().StringVar(&config, "config", "", "configuration file (default: the built-in one)")
	cmd.Flags().StringVar(&templates, "templates", "",
		"glob of the message templates (default: templates/*.tmpl beside the configuration)")
	cmd.Flags().StringVar(&from, "from", "", "write working hours from this month on, as 2026-12-31 (default: now)")
	return cmd
}
