package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/event/form"
	"github.com/monev112/monev112/collector/monev/rtl"
)

// office is what a running service answers of the office of one centre.
type office struct {
	Center          string `json:"center"`
	Today           string `json:"today"`
	Recommendations []struct {
		rtl.Recommendation
		Overdue bool       `json:"overdue"`
		Effect  rtl.Effect `json:"effect"`
		Says    string     `json:"effect_sentence"`
	} `json:"recommendations"`
	Remarks []rtl.Remark `json:"remarks"`
	Forms   []rtl.Form   `json:"forms"`
}

func (o *office) ledger() *rtl.Ledger {
	l := &rtl.Ledger{Remarks: o.Remarks, Forms: o.Forms}
	for i := range o.Recommendations {
		l.Recommendations = append(l.Recommendations, o.Recommendations[i].Recommendation)
	}
	return l
}

// find returns a recommendation of the ledger.
func (o *office) find(id string) (*rtl.Recommendation, error) {
	if r := o.ledger().Find(id); r != nil {
		return r, nil
	}
	return nil, fmt.Errorf("there is no recommendation %s in centre %s; see monev112 rtl list", id, o.Center)
}

// officeFlags say which centre of which service a command is about.
type officeFlags struct {
	sendFlags
	center, asOf string
}

func (f *officeFlags) add(cmd *cobra.Command) {
	f.sendFlags.add(cmd)
	cmd.Flags().StringVar(&f.center, "center", "", "the centre (default: that of the service's directory)")
}

func (f *officeFlags) read(ctx context.Context) (*adminClient, *office, error) {
	c, err := f.admin()
	if err != nil {
		return nil, nil, err
	}
	var o office
	err = c.ask(ctx, http.MethodGet, "/v1/office?"+url.Values{"center": {f.center}, "as_of": {f.asOf}}.Encode(), nil, &o)
	return c, &o, err
}

// write sends changes. An error names those that were refused; the others are written.
func (c *adminClient) write(ctx context.Context, drafts []event.RawEvent) error {
	var body []byte
	for i := range drafts {
		body = append(drafts[i].AppendCloudEvent(body), '\n')
	}
	r, err := c.do(ctx, http.MethodPost, "/v1/events", "application/x-ndjson", body)
	if err != nil {
		return err
	}
	var answer struct {
		event.Receipt
		Detail string `json:"detail"`
	}
	if err := json.Unmarshal(r.text, &answer); err != nil {
		return fmt.Errorf("%s answers %s", c.server, r.status)
	}
	var refused []error
	for i := range answer.Rejected {
		no := &answer.Rejected[i]
		refused = append(refused, fmt.Errorf("%s: %w", drafts[no.Index].Subject, no))
	}
	if len(refused) > 0 {
		return errors.Join(refused...)
	}
	if r.code >= 300 {
		return errors.New(answer.Detail)
	}
	return nil
}

func rtlCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rtl",
		Short: "Recommendations of the monev meeting: add, change, list, history, import",
		Long: `rtl keeps the follow-up ledger (rencana tindak lanjut): what a monev meeting recommends, who has to do it until
when, and what was measured afterwards. It asks the running service; writing needs a key with the scope monev:write or
admin. Every change is kept with who made it and when. A recommendation names an office, never a citizen; telephone and
identity numbers are refused.`,
	}
	cmd.AddCommand(rtlListCommand(), rtlAddCommand(), rtlSetCommand(), rtlHistoryCommand(), rtlImportCommand(),
		rtlRemarkCommand())
	return cmd
}

func rtlListCommand() *cobra.Command {
	var (
		f      officeFlags
		open   bool
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the recommendations, overdue ones first, with what was measured",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, o, err := f.read(cmd.Context())
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if asJSON {
				return printJSON(cmd, o)
			}
			w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			n := 0
			for i := range o.Recommendations {
				r := &o.Recommendations[i]
				if open && !r.Open() {
					continue
				}
				if n++; n == 1 {
					fmt.Fprintln(w, "ID\tSTATUS\tDUE\tOWNER\tTEXT")
				}
				due := dash(r.Due)
				if r.Overdue {
					due += " TERLAMBAT"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.ID, r.Status, due, dash(r.Owner), oneLine(r.Text))
			}
			if err := w.Flush(); err != nil {
				return err
			}
			if n == 0 {
				fmt.Fprintln(out, "centre", o.Center, "has no recommendation")
			}
			for i := range o.Recommendations {
				if r := &o.Recommendations[i]; r.Effect.Verdict != rtl.NotYet && (!open || r.Open()) {
					fmt.Fprintf(out, "\n%s: %s\n", r.ID, r.Says)
				}
			}
			return nil
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.asOf, "as-of", "", "as the list stood at this instant, such as 2026-10-31T23:59:59+07:00")
	cmd.Flags().BoolVar(&open, "open", false, "only those that are neither selesai nor batal")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print everything as JSON, with remarks, typed data and histories")
	return cmd
}

func dash(s string) string { return cmp.Or(s, "-") }

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// members are the flags of what a recommendation may say.
type members map[string]*string

func (m members) add(cmd *cobra.Command) {
	for _, f := range [][2]string{
		{event.RecordText, "what is recommended, at most 2000 characters"},
		{event.RecordOwner, "OPD or function of an office that has to do it, such as damkar or Kepala Bidang TIK"},
		{event.RecordMonth, "month of the meeting, such as 2026-10"},
		{event.RecordDue, "day until which it is to be done, such as 2026-12-31"},
		{event.RecordStatus, strings.Join(event.RTLStatuses(), ", ")},
		{event.RecordCompleted, "day on which it was completed (default with --status selesai: today)"},
		{event.RecordIndicator, "what it should move: " + strings.Join(indicatorCodes(), ", ")},
		{event.RecordOPD, "only in this OPD"}, {event.RecordCategory, "only in this category"},
		{event.RecordPriority, "only in this priority"}, {event.RecordKecamatan, "only in this kecamatan"},
		{event.RecordBaseline, "month that it is held against, best a frozen one, such as 2026-09"},
		{event.RecordRemarks, "remarks, at most 2000 characters"},
	} {
		m[f[0]] = cmd.Flags().String(f[0], "", f[1])
	}
}

// given are the members whose flags were given.
func (m members) given(cmd *cobra.Command) map[string]string {
	set := map[string]string{}
	for name, value := range m {
		if cmd.Flags().Changed(name) {
			set[name] = *value
		}
	}
	return set
}

func indicatorCodes() (codes []string) {
	for _, i := range rtl.Indicators() {
		codes = append(codes, i.Code)
	}
	return codes
}

// change sends what a command wants of one recommendation.
func (c *adminClient) change(cmd *cobra.Command, o *office, id string, set map[string]string) error {
	draft, changed, err := rtl.Set(o.Center, id, o.ledger().Find(id), set, time.Now())
	return c.writeOne(cmd, id, draft, changed, err)
}

// writeOne sends what rtl made of a change, and tells what became of it.
func (c *adminClient) writeOne(cmd *cobra.Command, what string, draft event.RawEvent, changed bool, err error) error {
	says := "nothing to change"
	if err == nil && changed {
		says, err = "written", c.write(cmd.Context(), []event.RawEvent{draft})
	}
	if err == nil {
		fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", what, says)
	}
	return err
}

func rtlAddCommand() *cobra.Command {
	var f officeFlags
	m := members{}
	cmd := &cobra.Command{
		Use:   "add [ID] --text TEXT --owner OFFICE --due DAY",
		Short: "Add a recommendation",
		Long: `add writes a new recommendation. Without an ID it gets one that follows from month and text, so that the same
command twice adds one.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			set := m.given(cmd)
			if set[event.RecordText] == "" {
				return usagef("rtl add: --text is missing")
			}
			c, o, err := f.read(cmd.Context())
			if err != nil {
				return err
			}
			id := rtl.NewID(set[event.RecordMonth], set[event.RecordText])
			if len(args) == 1 {
				id = args[0]
			}
			if r := o.ledger().Find(id); r != nil && len(args) == 1 && r.Text != set[event.RecordText] {
				return fmt.Errorf("%s exists and says something else; change it with rtl set, or choose another ID", id)
			}
			return c.change(cmd, o, id, set)
		},
	}
	f.add(cmd)
	m.add(cmd)
	return cmd
}

func rtlSetCommand() *cobra.Command {
	var f officeFlags
	m := members{}
	cmd := &cobra.Command{
		Use:   "set ID --status STATUS",
		Short: "Change a recommendation; what is not named stays, an empty value is cleared",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			set := m.given(cmd)
			if len(set) == 0 {
				return usagef("rtl set: say what is to change, such as --status selesai")
			}
			c, o, err := f.read(cmd.Context())
			if err != nil {
				return err
			}
			if _, err := o.find(args[0]); err != nil {
				return err
			}
			return c.change(cmd, o, args[0], set)
		},
	}
	f.add(cmd)
	m.add(cmd)
	return cmd
}

func rtlHistoryCommand() *cobra.Command {
	var f officeFlags
	cmd := &cobra.Command{
		Use:   "history ID",
		Short: "Show every change of a recommendation: who, when and what",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, o, err := f.read(cmd.Context())
			if err != nil {
				return err
			}
			r, err := o.find(args[0])
			if err != nil {
				return err
			}
			for _, change := range r.Changes {
				fmt.Fprintf(cmd.OutOrStdout(), "%s  %s\n", change.At.In(wib).Format("2006-01-02 15:04:05 MST"), dash(change.By))
				for _, s := range change.Set {
					fmt.Fprintf(cmd.OutOrStdout(), "  %s: %s -> %s\n", s.Name, dash(oneLine(s.From)), dash(oneLine(s.To)))
				}
			}
			return nil
		},
	}
	f.add(cmd)
	return cmd
}

func rtlImportCommand() *cobra.Command {
	var (
		f      officeFlags
		dryRun bool
	)
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Read recommendations from YAML or from the sheet RTL of a report's workbook",
		Long: `import reads a YAML file (key rtl, a list) or a workbook whose sheet RTL has the columns that a report writes, and
sends what differs from what stands. Importing a file again changes nothing. An empty cell leaves what stands, a dash
(-) clears it. Nothing is sent when one entry is wrong.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			entries, err := rtl.ReadFile(args[0])
			if err != nil {
				return err
			}
			c, o, err := f.read(cmd.Context())
			if err != nil {
				return err
			}
			var drafts []event.RawEvent
			var wrong []error
			added, l, now := 0, o.ledger(), time.Now()
			for _, e := range entries {
				draft, changed, err := rtl.Set(o.Center, e.ID, l.Find(e.ID), e.Set, now)
				if err != nil {
					wrong = append(wrong, fmt.Errorf("%s: %w", e.Place, err))
				} else if changed {
					drafts = append(drafts, draft)
					if l.Find(e.ID) == nil {
						added++
					}
				}
			}
			if len(wrong) > 0 {
				return errors.Join(wrong...)
			}
			if len(drafts) > 0 && !dryRun {
				if err := c.write(cmd.Context(), drafts); err != nil {
					return err
				}
			}
			would := ""
			if dryRun {
				would = " would be"
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s%s: %d added, %d changed, %d as they were\n", args[0], would, added,
				len(drafts)-added, len(entries)-len(drafts))
			return err
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would change and send nothing")
	return cmd
}

func rtlRemarkCommand() *cobra.Command {
	var (
		f                    officeFlags
		month, section, text string
	)
	cmd := &cobra.Command{
		Use:   "remark --month 2026-10 --section kendala --text TEXT",
		Short: "Write a remark to a section of a month's report; an empty text takes it back",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if month == "" || section == "" || !cmd.Flags().Changed("text") {
				return usagef("rtl remark: give --month, --section and --text")
			}
			c, o, err := f.read(cmd.Context())
			if err != nil {
				return err
			}
			draft, changed, err := rtl.SetRemark(o.Center, month, section, o.ledger(), text, time.Now())
			return c.writeOne(cmd, month+"/"+section, draft, changed, err)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&month, "month", "", "the month, such as 2026-10")
	cmd.Flags().StringVar(&section, "section", "", "the section of the report, such as kendala")
	cmd.Flags().StringVar(&text, "text", "", "the remark, at most 2000 characters")
	return cmd
}

func monevDataCommand() *cobra.Command {
	var (
		f     officeFlags
		month string
	)
	cmd := &cobra.Command{
		Use:   "monev-data --month 2026-10 FILE",
		Short: "Give a month the data that people type: staff, budget, satisfaction survey",
		Long: `monev-data reads a YAML file (keys sdm, anggaran, skm) or a workbook (sheets SDM, Anggaran, SKM), checks it, and
keeps it for the month's report. What the file lacks stays as it is; what was never given is no section of the report.
The satisfaction index follows PermenPANRB 14/2017. Giving a file again changes nothing.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := time.Parse("2006-01", month); err != nil {
				return usagef("monev-data: --month is missing or no month, for example --month 2026-10")
			}
			forms, err := rtl.ReadForms(args[0])
			if err != nil {
				return err
			}
			c, o, err := f.read(cmd.Context())
			if err != nil {
				return err
			}
			l := o.ledger()
			for _, form := range forms {
				draft, changed, err := rtl.SetForm(o.Center, month, l, form, time.Now())
				if err != nil {
					return fmt.Errorf("%s: %w", args[0], err)
				}
				says := "as it was"
				if changed {
					if err := c.write(cmd.Context(), []event.RawEvent{draft}); err != nil {
						return err
					}
					says = "written"
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s %s: %s%s\n", month, form.FormName(), says, summary(form))
			}
			return nil
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&month, "month", "", "the month, such as 2026-10")
	return cmd
}

// summary says the totals of a form.
func summary(data form.Data) string {
	switch f := data.(type) {
	case *form.Staff:
		return fmt.Sprintf(" (%d people)", f.Total())
	case *form.Budget:
		granted, spent := f.Total()
		return fmt.Sprintf(" (Rp %d of Rp %d spent)", spent, granted)
	case *form.Survey:
		s := f.Compute()
		return fmt.Sprintf(" (IKM %.2f, %s, n = %d)", s.IKM, s.Quality, f.Respondents)
	}
	return ""
}
