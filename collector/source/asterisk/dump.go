package asterisk

import (
	"cmp"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/source/tabular"
)

// A telephone system that keeps its queue_log in a database (Asterisk's realtime) has no file to follow. Its table,
// written out as CSV with a header, is read as a whole. The columns may stand in any order:
//
//	time, callid, queuename, agent, event, and data or data1, data2, ...; id, if there is one, tells the order of rows
var dumpColumns = []tabular.Column{
	{Headers: []string{"time"}}, {Headers: []string{"callid", "uniqueid"}}, {Headers: []string{"queuename", "queue"}},
	{Headers: []string{"agent"}}, {Headers: []string{"event"}}, {Headers: []string{"id"}, Optional: true},
	{Headers: []string{"data"}, Optional: true}, {Headers: []string{"data1"}, Optional: true},
	{Headers: []string{"data2"}, Optional: true}, {Headers: []string{"data3"}, Optional: true},
	{Headers: []string{"data4"}, Optional: true}, {Headers: []string{"data5"}, Optional: true},
}

// Where in dumpColumns the columns stand that are not read by their place alone.
const (
	dumpID, dumpData, dumpData1 = 5, 6, 7
)

// maxDumpBytes bounds a dump, unpacked: its lines are sorted in memory.
const maxDumpBytes = maxUnzipBytes

// dumpLine is a row of a dump; err is a ParseError.
type dumpLine struct {
	id, row int64
	line    Line
	err     error
}

// readDump reads a dump of the table in the order of its ids, where all rows have one, else of its times; ok is false
// for a file that has not the header of one. Text that is no UTF-8 is read as Windows-1252, as in a log.
func readDump(name string, zone *time.Location) (lines []dumpLine, ok bool, err error) {
	foreign := false
	lines, ok, err = readDumpAs(name, tabular.UTF8, zone, &foreign)
	if foreign && err == nil {
		lines, ok, err = readDumpAs(name, tabular.Windows1252, zone, &foreign)
	}
	byID := !slices.ContainsFunc(lines, func(l dumpLine) bool { return l.id == 0 && l.err == nil })
	slices.SortStableFunc(lines, func(a, b dumpLine) int {
		if byID {
			return cmp.Compare(a.id, b.id)
		}
		return cmp.Compare(a.line.ms(), b.line.ms())
	})
	return lines, ok, err
}

// readDumpAs sets foreign when a row is not in that encoding.
func readDumpAs(name string, enc tabular.Encoding, zone *time.Location, foreign *bool) (lines []dumpLine, ok bool,
	err error) {
	limits := tabular.Limits{FileBytes: maxDumpBytes}
	src, err := tabular.OpenText(name, enc, limits)
	if err != nil {
		return nil, false, err
	}
	defer src.Close()
	layout := tabular.Layout{Columns: dumpColumns, HeaderRows: 1}
	table, err := layout.CSV(name, src, limits)
	if err != nil {
		return nil, false, nil // whatever it is: a log is known by its lines
	}
	for {
		row, err := table.Next()
		var bad *tabular.RowError
		switch {
		case errors.Is(err, io.EOF):
			return lines, true, nil
		case errors.As(err, &bad):
			*foreign = *foreign || bad.Code == tabular.CodeEncoding
			lines = append(lines, dumpLine{row: int64(bad.Line), err: BadRow})
		case err != nil:
			return nil, true, err
		default:
			lines = append(lines, dumpRow(table.Header, row, zone))
		}
	}
}

func dumpRow(h tabular.Header, row tabular.Row, zone *time.Location) dumpLine {
	cell := func(column int) string {
		at := h.Columns[column]
		if at < 0 || at >= len(row.Cells) || row.Cells[at] == `\N` || row.Cells[at] == "NULL" {
			return ""
		}
		return row.Cells[at]
	}
	var params []string
	for column := dumpData1; column < len(dumpColumns); column++ {
		params = append(params, cell(column))
	}
	if data := cell(dumpData); strings.Join(params, "") == "" && data != "" {
		params = strings.Split(data, "|")
	}
	d := dumpLine{row: int64(row.Line)}
	d.id, _ = strconv.ParseInt(cell(dumpID), 10, 64)
	d.line, d.err = newLine(cell(0), cell(1), cell(2), cell(3), cell(4), params, zone)
	return d
}
