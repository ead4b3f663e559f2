package xlsx

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/monev/document"
)

// maxUnzipped bounds what a file that somebody sent may unpack to; below it nothing is written to a temporary folder.
const maxUnzipped = 256 << 20

var (
	known    = regexp.MustCompile(`^k_([a-z2-7]{24})_(\d+)_(n|d|t|p\d+)$`)
	refersTo = regexp.MustCompile(`^=?\$?(?:'((?:[^']|'')+)'|([^'!.]+))[!.]\$?([A-Z]+)\$?(\d+)$`)
)

// Read reads the numbers of a finished workbook, by their hidden names. Where is sheet and cell. A number whose cell
// was deleted reads as nothing.
func Read(file []byte) ([]document.Reading, error) {
	f, err := excelize.OpenReader(bytes.NewReader(file), excelize.Options{
		UnzipSizeLimit: maxUnzipped, UnzipXMLSizeLimit: maxUnzipped, RawCellValue: true,
	})
	if err != nil {
		return nil, fmt.Errorf("XLSX: %w", err)
	}
	defer f.Close()
	type found struct {
		place int
		document.Reading
	}
	var all []found
	for _, n := range f.GetDefinedName() {
		m := known.FindStringSubmatch(strings.ToLower(n.Name))
		if m == nil {
			continue
		}
		place, err := strconv.Atoi(m[2])
		if err != nil {
			continue
		}
		all = append(all, found{place, readName(f, m[1], m[3], n.RefersTo)})
	}
	slices.SortStableFunc(all, func(a, b found) int { return cmp.Compare(a.place, b.place) })
	out := make([]document.Reading, len(all))
	for i, x := range all {
		out[i] = x.Reading
	}
	return out, nil
}

func readName(f *excelize.File, id, how, ref string) document.Reading {
	m := refersTo.FindStringSubmatch(ref)
	if m == nil {
		return document.Reading{ID: id, Absent: true}
	}
	sheet := m[2]
	if m[1] != "" {
		sheet = strings.ReplaceAll(m[1], "''", "'")
	}
	cell := m[3] + m[4]
	where := sheet + "!" + cell
	text, err := f.GetCellValue(sheet, cell)
	if err != nil {
		return document.Reading{ID: id, Where: where, Absent: true}
	}
	if how[0] == 'p' {
		offset, _ := strconv.Atoi(how[1:])
		runes := []rune(text)
		return document.ParsePrefix(id, string(runes[min(offset, len(runes)):]), where)
	}
	kind, err := f.GetCellType(sheet, cell)
	if err != nil || kind == excelize.CellTypeSharedString || kind == excelize.CellTypeInlineString {
		return document.Parse(id, text, where)
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return document.Parse(id, text, where)
	}
	switch how {
	case "d":
		v *= 86400
	case "t":
		if day, err := excelize.ExcelDateToTime(v, false); err == nil && v == math.Trunc(v) {
			text = indonesian.Day(day)
		}
	}
	return document.Exact(id, text, where, v)
}
