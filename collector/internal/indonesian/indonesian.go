// Package indonesian writes times, durations and numbers as people in Indonesia do.
package indonesian

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Months are the names of the months, January first.
var Months = [12]string{
	"Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November",
	"Desember",
}

// Weekdays are the names of the days, Sunday first, as time.Weekday counts them.
var Weekdays = [7]string{"Minggu", "Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu"}

// Date writes "28 November 2026 07.30 WIB", in the zone that t has.
func Date(t time.Time) string {
	return fmt.Sprintf("%d %s %d %s", t.Day(), Months[t.Month()-1], t.Year(), t.Format("15.04 MST"))
}

// Day writes "28 November 2026", in the zone that t has.
func Day(t time.Time) string {
	return fmt.Sprintf("%d %s %d", t.Day(), Months[t.Month()-1], t.Year())
}

// Month writes "November 2026", in the zone that t has.
func Month(t time.Time) string { return Months[t.Month()-1] + t.Format(" 2006") }

// Duration writes a duration in its two largest units: "2 jam 10 menit", "3 hari 4 jam", "kurang dari 1 menit". What is
// less than the smaller unit is cut off.
func Duration(d time.Duration) string {
	minutes := int64(d / time.Minute)
	days, hours, rest := minutes/(24*60), minutes/60%24, minutes%60
	switch {
	case days > 0:
		return twoUnits(days, "hari", hours, "jam")
	case hours > 0:
		return twoUnits(hours, "jam", rest, "menit")
	case rest > 0:
		return Number(rest) + " menit"
	}
	return "kurang dari 1 menit"
}

func twoUnits(n int64, unit string, m int64, smaller string) string {
	s := Number(n) + " " + unit
	if m > 0 {
		s += " " + Number(m) + " " + smaller
	}
	return s
}

// Number writes 40318 as "40.318".
func Number(n int64) string {
	digits, negative := strings.CutPrefix(strconv.FormatInt(n, 10), "-")
	return signed(negative, grouped(digits))
}

// Decimal writes 1234.56 with one decimal as "1.234,6", and a negative number with a minus sign, "−2,5".
func Decimal(v float64, decimals int) string {
	whole, fraction, _ := strings.Cut(strconv.FormatFloat(math.Abs(v), 'f', decimals, 64), ".")
	negative := v < 0 && strings.Trim(whole+fraction, "0") != ""
	s := grouped(whole)
	if fraction != "" {
		s += "," + fraction
	}
	return signed(negative, s)
}

func grouped(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "." + digits[i:]
	}
	return digits
}

func signed(negative bool, s string) string {
	if negative {
		return "−" + s
	}
	return s
}
