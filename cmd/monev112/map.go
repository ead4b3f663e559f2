package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector/source/importer"
	"github.com/monev112/monev112/collector/source/mapping"
	"github.com/monev112/monev112/deploy"
)

func mapCommand() *cobra.Command {
	var (
		o                    mapping.ProposeOptions
		config, write, named string
		samples              int
		columns, words       []string
	)
	cmd := &cobra.Command{
		Use:   "map FILE",
		Short: "Propose a mapping for a workbook or CSV file, and show what an import would do",
		Long: `map reads a file's header and first rows and proposes a mapping from its columns to events. Then it shows
what an import with that mapping would do: counts, the first events (callers' numbers hidden), and refused rows by
reason. Nothing is sent. With --mapping it proposes nothing and tries the given mapping. The exit code is 1 when rows
would be refused.`,
		Args: func(_ *cobra.Command, files []string) error {
			if len(files) != 1 {
				return usagef("map: name one file")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, files []string) error {
			var err error
			if _, o.Directory, err = readDirectory(config); err != nil {
				return err
			}
			o.File = files[0]
			if o.Roles, err = pairs("column", columns, func(head string) string { return head }); err != nil {
				return err
			}
			if o.Words, err = pairs("word", words, strings.ToLower); err != nil {
				return err
			}
			o.Center = cmp.Or(o.Center, o.Directory.DefaultCenter())
			center, known := o.Directory.Center(o.Center)
			if !known {
				return usagef("map: the directory has no centre %q", o.Center)
			}
			o.Timezone = center.Location.String()
			out := cmd.OutOrStdout()
			m, err := chooseMapping(cmd, out, o, named, write)
			if err != nil {
				return err
			}
			return tryMapping(cmd, out, m, o, samples)
		},
	}
	cmd.Flags().StringVar(&o.Name, "name", "usulan", "name of the mapping")
	cmd.Flags().StringVar(&o.Source, "source", "ekspor-112",
		"source of the events: keep it for every export of this platform")
	cmd.Flags().StringVar(&o.Center, "center", "", "code of the centre (default: the directory's)")
	cmd.Flags().StringVar(&config, "config", "",
		"configuration file whose directory resolves names (default: the built-in directory)")
	cmd.Flags().StringVar(&write, "write", "", "write the mapping to this file, which must not exist")
	cmd.Flags().StringVar(&named, "mapping", "", "try this mapping instead of proposing one")
	cmd.Flags().StringArrayVar(&columns, "column", nil, "what a column is, as \"Waktu Tutup=resolved\", or "+
		"\"Catatan=-\" for one that is not used; may be given several times. One of "+roleNames())
	cmd.Flags().StringArrayVar(&words, "word", nil,
		"what a word in a column means, as class:bercanda=prank; also priority: and status:; may be given several times")
	cmd.Flags().IntVar(&samples, "samples", 2, "how many events of each type to show")
	return cmd
}

func roleNames() string {
	var out []string
	for _, r := range mapping.Roles() {
		out = append(out, r.Name)
	}
	return strings.Join(out, ", ")
}

// chooseMapping proposes a mapping, or reads the one that is named.
func chooseMapping(cmd *cobra.Command, out io.Writer, o mapping.ProposeOptions, named, write string) (*mapping.Mapping,
	error) {
	if named != "" {
		return mapping.Load(named, deploy.Defaults)
	}
	p, err := mapping.Propose(cmd.Context(), o)
	if errors.Is(err, mapping.ErrNoHeader) {
		return nil, fmt.Errorf("%w; copy one of the built-in mappings %v and name the columns yourself", err,
			mapping.Builtin(deploy.Defaults))
	}
	if err != nil {
		return nil, err
	}
	where := fmt.Sprintf("row %d", p.Line)
	if p.Sheet != "" {
		where += fmt.Sprintf(" of the sheet %q", p.Sheet)
	}
	fmt.Fprintf(out, "header found in %s of %s:\n", where, filepath.Base(o.File))
	for _, c := range p.Columns {
		role := c.Role
		if role == "" {
			role = "(not used; holds " + c.Content + ")"
		}
		fmt.Fprintf(out, "  %-24s %s\n", strings.Join(strings.Fields(c.Header), " "), role)
	}
	if len(p.Notes) > 0 {
		fmt.Fprintln(out, "look at these:")
		for _, n := range p.Notes {
			fmt.Fprintf(out, "  - %s\n", n)
		}
	}
	if write == "" {
		fmt.Fprintf(out, "mapping (keep it with --write FILE):\n\n%s\n", p.YAML)
	} else {
		f, err := os.OpenFile(write, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return nil, fmt.Errorf("write the mapping: %w; choose another name, or move the old file away", err)
		}
		_, err = io.WriteString(f, p.YAML)
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("write the mapping: %w", err)
		}
		fmt.Fprintf(out, "mapping written to %s\n", write)
	}
	return mapping.Parse(o.Name+".yaml", []byte(p.YAML))
}

// tryMapping shows what an import would do.
func tryMapping(cmd *cobra.Command, out io.Writer, m *mapping.Mapping, o mapping.ProposeOptions, samples int) error {
	p, err := importer.Try(cmd.Context(), importer.TryOptions{
		Mapping: m, File: o.File, Directory: o.Directory, Samples: samples,
	})
	if err != nil && !errors.Is(err, importer.ErrRefused) && !errors.Is(err, importer.ErrNoRows) {
		return err
	}
	fmt.Fprint(out, p.Text())
	return err
}

// pairs reads NAME=VALUE flags.
func pairs(flag string, given []string, key func(string) string) (map[string]string, error) {
	out := map[string]string{}
	for _, one := range given {
		at := strings.LastIndexByte(one, '=')
		if at <= 0 || at == len(one)-1 {
			return nil, usagef("map: --%s %q has not the form NAME=VALUE", flag, one)
		}
		out[key(one[:at])] = one[at+1:]
	}
	return out, nil
}
