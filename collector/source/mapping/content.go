package mapping

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/monev112/monev112/collector/directory"
)

// What a column's cells are, told from the cells alone.
const (
	ofNothing   = "nothing: it is empty"
	ofTimes     = "times"
	ofDates     = "dates"
	ofClocks    = "times of day"
	ofDurations = "durations"
	ofPhones    = "telephone numbers"
	ofPoints    = "coordinates"
	ofNumbers   = "numbers"
	ofIDs       = "numbers of cases"
	ofClasses   = "classes of calls"
	ofOPDs      = "OPDs"
	ofDistricts = "kecamatan"
	ofCategory  = "categories"
	ofTexts     = "other texts"
)

// contentID is what a column's cells are, in Indonesian.
var contentID = map[string]string{
	ofNothing: "kosong", ofTimes: "tanggal dan jam", ofDates: "tanggal", ofClocks: "jam", ofDurations: "lama waktu",
	ofPhones: "nomor telepon", ofPoints: "koordinat", ofNumbers: "angka", ofIDs: "nomor kasus",
	ofClasses: "jenis panggilan", ofOPDs: "OPD", ofDistricts: "kecamatan", ofCategory: "kategori", ofTexts: "teks lain",
}

// most is the share of a column's cells that must be of a kind; few suffices where the directory knows the word.
const most, few = 0.8, 0.5

// formatChoices are the formats that a proposal tries, in their order, on the cells of a column of times.
var formatChoices = [][]string{
	{"office"}, {"M/d/yyyy H:mm", "M/d/yyyy H:mm:ss", "M/d/yyyy H.mm", "M/d/yyyy h:mm a", "M/d/yyyy h:mm:ss a"}, {"iso"},
	{"day-fraction"}, {"office-date"}, {"unix"}, {"unix-ms"}, {"office", "iso", "day-fraction", "office-date"},
}

var (
	clockForm = regexp.MustCompile(`^\d{1,2}[.:]\d{2}([.:]\d{2})?( ?(?i:am|pm|wib|wita|wit))?$`)
	phoneForm = regexp.MustCompile(`^(\+?62|0)8?[0-9 -]{7,14}$`)
	idForm    = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z ./_-]*[0-9][0-9A-Za-z./_-]*$`)
)

// share is how many of the cells fit.
func share(cells []string, fits func(string) bool) float64 {
	n := 0
	for _, c := range cells {
		if fits(c) {
			n++
		}
	}
	return float64(n) / float64(max(1, len(cells)))
}

// parsedBy reports whether one of the formats reads a cell, an instant of this century.
func parsedBy(formats []string) func(string) bool {
	patterns := make([]*pattern, len(formats))
	for i, f := range formats {
		patterns[i], _ = compilePattern(f) // formatChoices hold no other
	}
	return func(cell string) bool {
		return slices.ContainsFunc(patterns, func(p *pattern) bool {
			st, ok := p.parse(cell)
			return ok && st.wall > 946684800 && st.wall < 4102444800
		})
	}
}

// contentOf says what a column's cells are; its header settles what they leave open. Names are looked up in the
// directory of a centre, which may be nil.
func contentOf(header string, cells []string, dir *directory.Directory, center string) string {
	if len(cells) == 0 {
		return ofNothing
	}
	known := func(resolve func(center, name string) (string, bool)) func(string) bool {
		return func(cell string) bool { _, ok := resolve(center, cell); return ok }
	}
	is := func(least float64, fits func(string) bool) bool { return share(cells, fits) >= least }
	switch {
	case is(most, func(c string) bool { return isClass(strings.ToLower(c)) }):
		return ofClasses
	case clocks(header, cells):
		return ofClocks
	case is(most, parsedBy([]string{"office-date"})):
		return ofDates
	case is(most, parsedBy([]string{"office", "iso"})):
		return ofTimes
	case is(most, phoneForm.MatchString):
		return ofPhones
	case is(most, func(c string) bool {
		n, ok := number(c)
		return ok && n != 0 && n > -180 && n < 180 && len(c)-strings.LastIndexAny(c, ".,") > 3
	}):
		return ofPoints
	case is(most, func(c string) bool { _, ok := number(c); return !ok && isDuration(c) }):
		return ofDurations
	case dir != nil && is(few, known(dir.ResolveOPD)):
		return ofOPDs
	case dir != nil && is(few, known(dir.ResolveKecamatan)):
		return ofDistricts
	case dir != nil && is(few, known(dir.ResolveCategory)):
		return ofCategory
	case is(most, idForm.MatchString) && distinct(cells) >= 0.9 && !countsUp(cells):
		return ofIDs
	case is(most, func(c string) bool { _, ok := number(c); return ok }):
		return ofNumbers
	}
	return ofTexts
}

// number reads a number with either decimal sign.
func number(cell string) (float64, bool) {
	n, err := strconv.ParseFloat(strings.Replace(cell, ",", ".", 1), 64)
	return n, err == nil
}

var (
	pointedClock = regexp.MustCompile(`^\d{2}\.[0-5]\d$`)
	grouped      = regexp.MustCompile(`^[1-9]\d{0,2}([.,])\d{3}$`)
	commaInside  = regexp.MustCompile(`^-?\d+,\d+$`)
)

// thousands reports whether the cells are whole numbers, of which those above 999 are grouped by sep. Where each cell
// has the sign it is a decimal sign.
func thousands(cells []string, sep string) bool {
	groups, whole := 0, 0
	for _, c := range cells {
		switch m := grouped.FindStringSubmatch(c); {
		case m != nil && m[1] == sep:
			groups++
		case allDigits(c):
			whole++
		default:
			return false
		}
	}
	return groups > 0 && whole > 0
}

// decimalComma reports whether the numbers of a column have a comma as decimal sign, or points between thousands.
func decimalComma(cells []string) bool {
	return thousands(cells, ".") || slices.ContainsFunc(cells, commaInside.MatchString) && !thousands(cells, ",")
}

// unclear reports whether the cells of a column of durations or waits can be read in two ways that lie far apart: as
// parts of a day (0,0417) or as a clock with points (02.35), and else as seconds.
func unclear(cells []string) bool {
	return partsOfDay(cells) || share(cells, pointedClock.MatchString) >= most &&
		slices.ContainsFunc(cells, func(c string) bool { return strings.HasPrefix(c, "0") })
}

// partsOfDay reports whether the cells of a column of durations are numbers below 1 with many digits: what a workbook
// holds for what it shows as 1:00:00, once it is saved as text. As seconds they would be no time at all.
func partsOfDay(cells []string) bool {
	return share(cells, func(c string) bool { n, ok := number(c); return ok && n >= 0 && n < 1 }) >= most &&
		slices.ContainsFunc(cells, func(c string) bool { n, _ := number(c); return n > 0 && len(c) > len("0.123") })
}

// clocks reports whether the cells of a column are times of day. 08.10.12 is one as well as a day of October: the
// header tells, where it names one of them, or else what stands third. Few files hold three years, and none years that
// end in 00.
func clocks(header string, cells []string) bool {
	if share(cells, clockForm.MatchString) < most {
		return false
	}
	dates := share(cells, parsedBy([]string{"office-date"}))
	switch {
	case dates == 0:
		return true
	case share(cells, isClock) < dates: // there is no 24.10.23 on a clock
		return false
	}
	third, years := map[string]bool{}, true
	for _, c := range cells {
		last := c[strings.LastIndexAny(c, ".:")+1:]
		third[last] = true
		years = years && last >= "20" && last < "40"
	}
	for _, word := range strings.Fields(plainHeader(header)) {
		switch word {
		case "tanggal", "tgl", "date", "hari":
			return false
		case "jam", "pukul":
			return true
		case "time", "waktu": // heads dates as well
			return len(third) > 2 || !years
		}
	}
	return len(third) > 2 || third["00"]
}

func isClock(c string) bool {
	p := pattern{kind: clockOnly}
	_, ok := p.parse(c)
	return ok
}

func isClass(c string) bool {
	word, _ := begins(knownWords().Classes, c)
	return classOf(c) != "" || word != ""
}

func isDuration(c string) bool { _, ok := parseDuration(c); return ok }

// distinct is the share of cells that are the first of their text.
func distinct(cells []string) float64 {
	seen := map[string]bool{}
	for _, c := range cells {
		seen[c] = true
	}
	return float64(len(seen)) / float64(max(1, len(cells)))
}

// countsUp reports whether the cells number the rows of the file: 1, 2, 3. The next file has them again, so they number
// no cases.
func countsUp(cells []string) bool {
	for i, c := range cells {
		if n, err := strconv.Atoi(c); err != nil || n != i+1 {
			return false
		}
	}
	return true
}
