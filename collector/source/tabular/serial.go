package tabular

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Serial numbers count days since the day before 1900-01-01, with a 29 February 1900 that never was; dates before
// March 1900 are refused, so the shift by a day is a constant. Workbooks from old Macs count from 1904-01-01.
const (
	days1900 = -25569
	days1904 = -24107
)

// DateText returns what a spreadsheet shows for number cell i of a workbook's row as a date, a time of day or both:
// 2023-02-27, 07:30:00, 2023-02-27 07:30:00. fault says why the number is none of them.
func (r *Row) DateText(i int) (text, fault string) {
	v, err := strconv.ParseFloat(r.Cells[i], 64)
	switch {
	case err != nil || math.IsNaN(v) || v < 0 || v >= 200_000:
		return "", "the number is no date of a spreadsheet"
	case v < 1:
		// A serial holds about five microseconds; a second is what a spreadsheet means.
		return clockText(min(int64(math.Round(v*86400)), 86399)), ""
	case v < 61:
		return "", "the number is no time of day: 07.30 that was typed as a number has become 7.3; " +
			"format the column as text or as time and type it again"
	}
	seconds := int64(math.Round(v * 86400))
	text = time.Unix(seconds+r.epoch*86400, 0).UTC().Format(time.DateOnly)
	if rest := seconds % 86400; rest != 0 {
		text += " " + clockText(rest)
	}
	return text, ""
}

func clockText(seconds int64) string {
	return fmt.Sprintf("%02d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
}
