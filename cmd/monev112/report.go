package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector/monev/document/pdf"
	"github.com/monev112/monev112/collector/monev/report"
)

// reportFlags say which report is asked for, and where it goes.
type reportFlags struct {
	sendFlags
	month, center, opd, out string
	formats                 []string
	check, draft, again     bool
}

func reportCommand() *cobra.Command {
	f := &reportFlags{}
	cmd := &cobra.Command{
		Use:   "report --month 2026-10",
		Short: "Write the monthly report of the monev meeting",
		Long: `report asks a running service for the report of a month and writes it to files. The report of a frozen month is
handed out once, by the service itself or by a key with monev:write or admin: from then on the same bytes are given,
whatever is recomputed, until --again hands out a further edition. The report of any other month is marked
SEMENTARA on every page. --opd writes the part of one OPD alone.

--check reads the files back and compares every number with the figures in the database; what is missing is written
first, what is there is left as it is. It prints how many numbers were compared, and ends with 1 on any difference. What
no freeze holds (causes, recommendations, questions, typed data) may move after a report was handed out: it is compared
with what was handed out, and what has moved since is listed.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.month, "month", "", "the month, such as 2026-10")
	cmd.Flags().StringVar(&f.center, "center", "", "the centre (default: the directory's)")
	cmd.Flags().StringVar(&f.opd, "opd", "", "only the part of this OPD, such as dishub")
	cmd.Flags().StringSliceVar(&f.formats, "format", []string{"html"}, "html, xlsx, docx, json, pdf; several with commas")
	cmd.Flags().StringVar(&f.out, "out", ".", "folder for the files")
	cmd.Flags().BoolVar(&f.check, "check", false, "read the files back and compare every number with the figures")
	cmd.Flags().BoolVar(&f.draft, "draft", false, "as it would be handed out now; nothing is kept")
	cmd.Flags().BoolVar(&f.again, "again", false, "hand out a further edition (needs a key with monev:write or admin)")
	return cmd
}

const pdfFormat = "pdf"

func (f *reportFlags) run(ctx context.Context, out, errOut io.Writer) error {
	switch {
	case f.month == "":
		return usagef("report: --month is missing, for example --month 2026-10")
	case f.draft && f.again:
		return usagef("report: --draft keeps nothing and --again hands out; give one of the two")
	case f.check && f.again:
		return usagef("report: --check looks at what was handed out; hand out first, without --check")
	case len(f.formats) == 0:
		return usagef("report: --format is empty; name html, xlsx, docx, json or pdf")
	}
	if _, err := time.Parse("2006-01", f.month); err != nil {
		return usagef("report: --month %q: give a month such as 2026-10", f.month)
	}
	for i, format := range f.formats {
		f.formats[i] = strings.ToLower(strings.TrimSpace(format))
		if f.formats[i] != pdfFormat && !slices.Contains(report.Formats, f.formats[i]) {
			return usagef("report: --format %q: use html, xlsx, docx, json or pdf", format)
		}
	}
	if f.check && !slices.ContainsFunc(f.formats, func(format string) bool { return format != pdfFormat }) {
		return usagef("report: --check reads no PDF back, which is made from the HTML; name html, xlsx, docx or json")
	}
	c, err := f.admin()
	if err != nil {
		return err
	}
	c.waiting = func() { fmt.Fprintln(errOut, "report: the service is making the report; waiting for it") }
	if f.again {
		var made report.Summary
		err := c.ask(ctx, http.MethodPost, "/v1/report",
			report.Request{Center: f.center, Month: f.month, Again: true}, &made)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s, centre %s: edition %d handed out\n", made.Month, made.Center, made.Edition)
	}
	if err := os.MkdirAll(f.out, 0o755); err != nil {
		return fmt.Errorf("report: --out %s: %w; name a folder that you may write to", f.out, err)
	}
	made, files, err := f.fetch(ctx, c)
	if err != nil {
		return err
	}
	noPDF := error(nil)
	for _, format := range f.formats {
		name := filepath.Join(f.out, report.FileName(made.Center, made.Month, f.opd, format))
		if _, err := os.Stat(name); f.check && err == nil {
			continue
		}
		file := files[format]
		if format == pdfFormat {
			if file, noPDF = pdf.Print(ctx, files["html"]); noPDF != nil {
				fmt.Fprintf(errOut, "report: no PDF: %v\n", noPDF)
				continue
			}
		}
		if err := report.WriteFile(name, file); err != nil {
			return fmt.Errorf("report: write %s: %w", name, err)
		}
		fmt.Fprintln(out, name)
	}
	if made.Provisional {
		fmt.Fprintf(out, "%s is not frozen: the report is provisional, and every page says SEMENTARA\n", made.Month)
	}
	if made.Draft && !f.draft {
		fmt.Fprintf(out, "%s was not handed out yet, and this key may only read: every page says RANCANGAN\n", made.Month)
	}
	if !f.check {
		return noPDF
	}
	return errors.Join(f.compare(ctx, c, made, out), noPDF)
}

// path is where the service answers with the report.
func (f *reportFlags) path(format string, draft bool) string {
	q := map[string]string{"month": f.month, "format": format, "center": f.center, "opd": f.opd}
	if draft {
		q["draft"] = "true"
	}
	return "/v1/report?" + filled(q)
}

// fetchTries is how often the files are asked for, until they are all of one report: a draft may be made anew between
// two of them.
const fetchTries = 3

// fetch gets the report and its files, all made from the same figures.
func (f *reportFlags) fetch(ctx context.Context, c *adminClient) (*report.Report, map[string][]byte, error) {
	for range fetchTries {
		files, tag, agree := map[string][]byte{}, "", true
		formats := append([]string{"json"}, f.formats...)
		if slices.Contains(f.formats, pdfFormat) {
			formats = append(formats, "html")
		}
		for _, format := range formats {
			if _, have := files[format]; have || format == pdfFormat {
				continue
			}
			file, header, err := c.fetch(ctx, http.MethodGet, f.path(format, f.draft), nil)
			if err != nil {
				return nil, nil, err
			}
			if got := header.Get("Monev112-Report"); tag == "" {
				tag = got
			} else if got != tag {
				agree = false
			}
			files[format] = file
		}
		if !agree {
			continue
		}
		made := &report.Report{}
		if err := json.Unmarshal(files["json"], made); err != nil {
			return nil, nil, fmt.Errorf("%s answers something else than expected (is it monev112 of this version?): %w",
				c.server, err)
		}
		return made, files, nil
	}
	return nil, nil, errors.New("report: the figures moved while the files were made; freeze the month, or try again")
}

// compare holds the finished files against the figures.
func (f *reportFlags) compare(ctx context.Context, c *adminClient, made *report.Report, out io.Writer) error {
	var now report.Report
	if err := c.ask(ctx, http.MethodGet, f.path("json", true)+"&fresh=true", nil, &now); err != nil {
		return err
	}
	compared, wrong := 0, 0
	var moved []string
	for _, format := range f.formats {
		name := filepath.Join(f.out, report.FileName(made.Center, made.Month, f.opd, format))
		if format == pdfFormat {
			fmt.Fprintf(out, "%s: made from the HTML, not read back\n", name)
			continue
		}
		file, err := report.ReadFile(name)
		if err != nil {
			return fmt.Errorf("report: %w", err)
		}
		c, err := report.Check(made, &now, f.opd, format, file)
		if err != nil {
			return fmt.Errorf("report: %s: %w; remove it to have it written anew", name, err)
		}
		fmt.Fprintf(out, "%s: %d numbers compared, %d differences\n", name, c.Compared, len(c.Differences))
		some(out, c.Differences)
		if len(c.Moved) > len(moved) {
			moved = c.Moved
		}
		compared, wrong = compared+c.Compared, wrong+len(c.Differences)
	}
	if len(moved) > 0 {
		fmt.Fprintf(out, "%d numbers that no freeze holds have moved since the report was handed out\n", len(moved))
		some(out, moved)
	}
	fmt.Fprintf(out, "%d numbers compared, %d differences\n", compared, wrong)
	if wrong > 0 {
		return fmt.Errorf("report: %d of the numbers are not what the figures say", wrong)
	}
	return nil
}

const maxShownDifferences = 20

// some prints the first lines of a list.
func some(out io.Writer, lines []string) {
	for i, l := range lines {
		if i == maxShownDifferences {
			fmt.Fprintf(out, "  and %d more\n", len(lines)-i)
			return
		}
		fmt.Fprintf(out, "  %s\n", l)
	}
}
