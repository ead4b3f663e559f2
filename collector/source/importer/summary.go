package importer

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/source/mapping"
	"github.com/monev112/monev112/collector/source/send"
	"github.com/monev112/monev112/collector/source/tabular"
)

// The codes of rows and events that were read and not taken.
const (
	CodeServer   tabular.Code = "refused_by_server" // the collector refused the event
	CodeConflict tabular.Code = "conflict"          // the collector holds the same id with another content
)

// Summary says what became of every row and event.
type Summary struct {
	Mapping string
	DryRun  bool
	Stopped bool // by a signal or an error: some rows were not looked at, or not answered
	Elapsed time.Duration

	Rows            int // below the headers, without the blank ones
	BlankRows       int
	RepeatedHeaders int                  // header lines within a table, as where exports were joined
	SkippedSheets   []string             // sheets of workbooks without the header
	HiddenSheets    []string             // hidden sheets of workbooks, which were not read
	Refused         map[tabular.Code]int // rows, and events that the collector rejected
	FirstRefusals   []string             // masked
	Refusals        []tabular.RowError   // the first twenty
	Cut             bool                 // a preview that looked at the first rows only
	Notes           mapping.Notes
	Unknown         []Unknown // names that the directory does not know, the most frequent first, at most maxUnknown

	Events       int // of the rows that were taken; of several rows of a case only those that count
	MergedEvents int // of further rows of a case, folded into another
	Totals       send.Totals

	Emptied       int      // events whose cells are empty now, withdrawn
	Withdrawn     int      // all events that were withdrawn
	Corrected     int      // events that have changed since an earlier import, sent as corrections
	Vanished      int      // events that an earlier import sent, of the same period, and that no row gives any more
	VanishedOf    string   // of which types they are: "2 call.answered, 1 ticket.opened"
	FirstVanished []string // the ids of the first few
	Withheld      bool     // the vanished ones were to be withdrawn and stay, since rows were refused
	HistoryHidden bool     // the collector may not be asked what it holds: changed rows are conflicts
}

// RefusedTotal is the number of refused rows and events.
func (s *Summary) RefusedTotal() int {
	n := 0
	for _, c := range s.Refused {
		n += c
	}
	return n
}

// Text is the summary for people, several lines. rejects is the path of the rejects file, empty for none.
func (s *Summary) Text(rejects string) string {
	var b strings.Builder
	rate := 0.0
	if sec := s.Elapsed.Seconds(); sec > 0 {
		rate = float64(s.Rows) / sec
	}
	fmt.Fprintf(&b, "%s: %s rows in %s (%s rows/s), %s events\n", s.Mapping, group(s.Rows),
		s.Elapsed.Round(time.Millisecond), group(int(rate)), group(s.Events))
	if s.DryRun {
		fmt.Fprintln(&b, "dry run: nothing was sent")
	} else {
		fmt.Fprintf(&b, "answered: %s accepted, %s known already, %s refused", group(s.Totals.Accepted),
			group(s.Totals.Duplicates), group(s.Totals.Refused))
		if s.Totals.Retried > 0 {
			fmt.Fprintf(&b, "; %s of %s batches were sent more than once, so part of the known ones may be from this run",
				group(s.Totals.Retried), group(s.Totals.Requests))
		}
		b.WriteByte('\n')
	}
	note := func(n int, text string) {
		if n > 0 {
			fmt.Fprintf(&b, "%s %s\n", group(n), text)
		}
	}
	note(s.MergedEvents, "events of further rows of a case were folded into the one that counts")
	note(s.RepeatedHeaders, "repeated header lines were left out")
	note(s.Notes.AmbiguousTimes, "times fell into the hour that the clocks show twice")
	note(s.Notes.NonexistentTimes, "times fell into the hour that the clocks skip and were moved behind it")
	note(s.Notes.RolledDays, "times were moved to the next day, behind the time that they follow")
	note(s.Notes.StepsBack, "times lie before the time that they follow, by too little to be behind midnight; they were "+
		"left as they are, and their cases are flagged")
	note(s.Notes.NightShift, "times were moved to the next day: the night shift carries the date on which it began")
	note(s.Notes.RowOrder, "times were those of the row before of their case and were moved by milliseconds, in the "+
		"order of the rows")
	note(s.Notes.Unchanged, "rows say what the row before them said and give no event")
	note(s.Notes.RepairedCallers, "callers' numbers got back what a spreadsheet had taken, the leading 0 for one")
	note(s.Notes.LostCallers, "callers' numbers could not be read and were left out (8,12E+10 has lost its digits)")
	note(s.Corrected, "events had changed since an earlier import and were sent as corrections")
	note(s.Emptied, "events were withdrawn: the rows that gave them are there, with an empty cell")
	vanished := "events of earlier imports of this period are given by no row any more; they stay as they are " +
		"(--withdraw takes them back):"
	switch {
	case s.Withheld:
		vanished = "events of earlier imports of this period are given by no row that was taken; they were not withdrawn, " +
			"since rows were refused that may give them (correct those and import again):"
	case s.Withdrawn > s.Emptied:
		vanished = "events of earlier imports of this period are given by no row any more and were withdrawn:"
	}
	note(s.Vanished, vanished+" "+s.VanishedOf)
	for _, id := range s.FirstVanished {
		fmt.Fprintf(&b, "  %s\n", id)
	}
	if s.HistoryHidden {
		fmt.Fprintln(
			&b, "earlier imports could not be looked up, since the API key may not read the board (scope board:read): rows "+
				"that changed are refused as conflicts")
	}
	for _, name := range s.SkippedSheets {
		fmt.Fprintf(&b, "%s has no such header and was left out\n", name)
	}
	for _, name := range s.HiddenSheets {
		fmt.Fprintf(&b, "%s is hidden and was not read; to read it, show it or name it in the mapping (table.sheets)\n", name)
	}
	if len(s.Unknown) > 0 {
		fmt.Fprintln(
			&b, "names that the directory does not know (they are kept as they stand; add an alias, or correct the file):")
		for _, u := range s.Unknown {
			fmt.Fprintf(&b, "  %s %q: %s rows%s\n", u.Kind, u.Name, group(u.Rows), u.remark())
		}
	}
	if n := s.RefusedTotal(); n > 0 {
		fmt.Fprintf(&b, "%s refused:", group(n))
		for _, code := range slices.Sorted(maps.Keys(s.Refused)) {
			fmt.Fprintf(&b, " %s %s", group(s.Refused[code]), code)
		}
		if rejects != "" {
			fmt.Fprintf(&b, "; see %s", rejects)
		}
		b.WriteByte('\n')
		for _, line := range s.FirstRefusals {
			fmt.Fprintf(&b, "  %s\n", line)
		}
	}
	if s.Stopped {
		fmt.Fprintln(&b, "stopped before the end; run the same command again: what was sent is known and not counted twice")
	}
	return b.String()
}
