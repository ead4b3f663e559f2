package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector/upkeep/setup"
)

func initCommand() *cobra.Command {
	var a setup.Answers
	var dir string
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write the configuration of another regency's centre",
		Long: `init writes a folder with the configuration of a centre: its directory of OPDs and kecamatan, a policy and a
calendar of its own, and the file that names them. On a terminal it asks for what no flag says. The lists of OPDs and
kecamatan are workbooks or CSV files with one row each below a header:

  Nama OPD           Singkatan  Lingkup   Jam Kerja      only the name must be there
  Dinas Perhubungan  Dishub     OPD       jam kerja
  PLN                           vertikal  24 jam

  Kecamatan  Kode      Lintang  Bujur                    only the name must be there
  Sapeken    35.29.18  -6,95    115,72

A file that is there with another text is never changed; a second run that says the same changes nothing.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if onTerminal(os.Stdin) {
				if err := ask(cmd.InOrStdin(), cmd.OutOrStdout(), &a); err != nil {
					return err
				}
			}
			if err := a.Check(); err != nil {
				return &usageError{fmt.Errorf("init: %w", err)}
			}
			plan, err := setup.New(a)
			if err != nil {
				return err
			}
			written, err := plan.Write(dir)
			if err != nil {
				return err
			}
			config := filepath.Join(dir, setup.ConfigFile)
			out := cmd.OutOrStdout()
			if len(written) == 0 {
				fmt.Fprintf(out, "%s has all of it already: nothing was changed\n", dir)
			}
			for _, name := range written {
				fmt.Fprintln(out, "wrote", filepath.Join(dir, name))
			}
			for _, note := range plan.Notes {
				fmt.Fprintln(out, "note:", note)
			}
			fmt.Fprintf(out, "next:\n  monev112 check --config %s\n  monev112 map --config %s --write %s EXPORT.xlsx\n"+
				"  monev112 serve --config %s --data FOLDER\n", config, config, filepath.Join(dir, setup.MappingFile), config)
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "monev112-config", "folder for the files; it is made")
	cmd.Flags().StringVar(&a.Code, "code", "", "Kemendagri code of the regency, for example 35.29")
	cmd.Flags().StringVar(&a.Name, "name", "", `official name, for example "Kabupaten Sumenep"`)
	cmd.Flags().StringVar(&a.Zone, "zone", "Asia/Jakarta", "time zone: Asia/Jakarta, Asia/Makassar or Asia/Jayapura")
	cmd.Flags().IntVar(&a.Population, "population", 0, "inhabitants, when known")
	cmd.Flags().StringVar(&a.OPDs, "opds", "", "workbook or CSV file that lists the OPDs")
	cmd.Flags().StringVar(&a.Kecamatan, "kecamatan", "", "workbook or CSV file that lists the kecamatan")
	cmd.Flags().StringSliceVar(&a.Systems, "system", []string{setup.Export},
		"how events come: export (files), asterisk (queue_log), api (CloudEvents); several with commas")
	cmd.Flags().StringVar(&a.QueueLog, "queue-log", "/var/log/asterisk/queue_log", "the log of an Asterisk")
	return cmd
}

// ask asks a person for what is not known yet. An empty answer takes what stands in brackets.
func ask(in io.Reader, out io.Writer, a *setup.Answers) error {
	lines := bufio.NewScanner(in)
	for _, q := range []struct {
		question string
		answer   *string
	}{
		{"Kemendagri code of the regency, for example 35.29", &a.Code},
		{"Official name, for example Kabupaten Sumenep", &a.Name},
		{"Time zone", &a.Zone},
		{"File that lists the OPDs (empty: the usual ones)", &a.OPDs},
		{"File that lists the kecamatan (empty: none)", &a.Kecamatan},
	} {
		if *q.answer != "" && q.answer != &a.Zone {
			continue
		}
		fmt.Fprintf(out, "%s [%s]: ", q.question, *q.answer)
		if !lines.Scan() {
			return lines.Err()
		}
		if s := strings.TrimSpace(lines.Text()); s != "" {
			*q.answer = s
		}
	}
	if a.Population == 0 {
		fmt.Fprint(out, "Inhabitants (empty: not known): ")
		if lines.Scan() && strings.TrimSpace(lines.Text()) != "" {
			n, err := strconv.Atoi(strings.NewReplacer(".", "", " ", "").Replace(lines.Text()))
			if err != nil {
				return usagef("init: %q is no number of inhabitants", lines.Text())
			}
			a.Population = n
		}
	}
	return lines.Err()
}
