package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
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
			file, err := readConfig(config)
			if err != nil {
				return err
			}
			if o.Directory, err = file.LoadDirectory(); err != nil {
				return err
			}
			o.File = files[0]
			if o.Center == "" {
				o.Center = o.Directory.DefaultCenter()
			}
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
	cmd.Flags().IntVar(&samples, "samples", 2, "how many events of each type to show")
	return cmd
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
	events := &sampleWriter{most: samples, counts: map[string]int{}, classes: map[string]int{}}
	sum, err := importer.Import(cmd.Context(),
		importer.Options{Mapping: m, Files: []string{o.File}, Events: events, Directory: o.Directory})
	if err != nil && !errors.Is(err, importer.ErrRefused) && !errors.Is(err, importer.ErrNoRows) {
		return err
	}
	if _, known := o.Directory.Center(m.Center); !known {
		return fmt.Errorf("the mapping's centre %q is not in the directory: the collector would refuse every event; "+
			"name one with --center, or the directory with --config", m.Center)
	}
	fmt.Fprintf(out, "an import would do this:\n%s", sum.Text(""))
	for _, typ := range events.order {
		fmt.Fprintf(out, "  %-20s %d\n", typ, events.counts[typ])
	}
	events.figures(out)
	if len(events.shown) > 0 {
		fmt.Fprintf(out, "the first events of each type:\n%s", events.shown)
	}
	return err
}

// sampleWriter counts events by type and class and keeps the first of each type.
type sampleWriter struct {
	most    int
	counts  map[string]int
	classes map[string]int
	order   []string
	shown   []byte
}

// figures says what the events come to in a month's figures, and which facts no row has: a clock that ends with one of
// them is not measured.
func (w *sampleWriter) figures(out io.Writer) {
	n := w.counts
	fmt.Fprintf(out, "in the figures: %d calls, %d answered, %d classified, %d tickets\n", n["call.received"],
		n["call.answered"], n["call.classified"], n["ticket.opened"])
	for _, class := range slices.Sorted(maps.Keys(w.classes)) {
		fmt.Fprintf(out, "  class %-14s %d\n", class, w.classes[class])
	}
	facts := []string{"call.answered", "call.ended", "call.classified"}
	if n["call.received"] == 0 {
		facts = nil
	}
	if n["ticket.opened"] > 0 {
		facts = append(facts, "ticket.assigned", "ticket.acknowledged", "ticket.departed", "ticket.arrived",
			"ticket.resolved",
			"ticket.confirmed")
	}
	if missing := slices.DeleteFunc(facts, func(f string) bool { return n[f] > 0 }); len(missing) > 0 {
		fmt.Fprintf(out, "not recorded in this file, so not measured: %s\n", strings.Join(missing, ", "))
	}
}

// Write takes one event with its line end.
func (w *sampleWriter) Write(line []byte) (int, error) {
	_, rest, _ := bytes.Cut(line, []byte(`"type":"monev112.`))
	typ, _, _ := strings.Cut(string(rest), `"`)
	if _, rest, ok := bytes.Cut(line, []byte(`"class":"`)); ok {
		class, _, _ := strings.Cut(string(rest), `"`)
		w.classes[class]++
	}
	if w.counts[typ] == 0 {
		w.order = append(w.order, typ)
	}
	if w.counts[typ]++; w.counts[typ] <= w.most {
		w.shown = append(w.shown, line...)
	}
	return len(line), nil
}
