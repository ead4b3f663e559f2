package event

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// cleanText puts a free text in order: lines end with \n, tabs and special spaces are spaces, and nothing is in it that
// cannot be seen, above all no mark that turns the direction of writing.
func cleanText(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n\n").Replace(norm.NFC.String(s))
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r) || r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, s))
}

// What a text of the office may hold though it has many digits. Each is taken out before the search for numbers of
// persons, so each has a form that no such number has.
var harmless = []*regexp.Regexp{
	// sums of money: with a currency in whatever form; with a word of magnitude; grouped by thousands so that the first
	// group has one or two digits
	regexp.MustCompile(`(?i)\b(?:rp|idr)\b?\.? ?[1-9][0-9]*(?:[.,][0-9]{1,3}\b)*`),
	regexp.MustCompile(`(?i)\b[1-9][0-9]*(?:[.,][0-9]{1,3}\b)*(?:[.,][0-9]{1,3})? ?` +
		`(?:rupiah|ribu|rb|juta|jt|miliar|milyar|triliun)\b`),
	regexp.MustCompile(`\b[1-9][0-9]?(?:\.[0-9]{3}){2,}(?:,[0-9]{1,2}|,-)?`),
	// days
	regexp.MustCompile(`\b(?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]\b`),
	regexp.MustCompile(`\b[0-3]?[0-9]([-/.])[01]?[0-9][-/.](?:19|20)[0-9]{2}\b`),
	// accounts of a budget: 5.1.02.01.01.0024
	regexp.MustCompile(`\b[1-9]\.[0-9](?:\.[0-9]{2}){2,3}(?:\.[0-9]{4,5})?\b`),
}

var (
	// numbers of letters: parts between slashes, a year at the end
	letterNumber = regexp.MustCompile(`\b[0-9A-Za-z.\-]{1,20}(?:/[0-9A-Za-z.\-]{1,20}){1,6}/(?:19|20)[0-9]{2}\b`)
	// a mobile number whose groups are parted by slashes, at the beginning of what looks like the number of a letter
	slashedMobile = regexp.MustCompile(`^(?:08|62|0062)[0-9]*(?:/[0-9]+)*(?:/|$)`)
	// groups of digits with a mark or two between them
	digitGroups = regexp.MustCompile(`[0-9]+(?:[ .\-/]{1,2}[0-9]+)*`)
	// what follows a word that announces a telephone number, with its area code or without
	announced = regexp.MustCompile(
		`(?i)\b(?:no(?:mor)?\.? ?)?(?:hp|handphone|hape|telp|telpon|telepon|tlp|wa|whatsapp|kontak|hub|hubungi|fax|faks)\b` +
			`[^0-9\n]{0,20}[(+]?([0-9](?:[ .\-()/]{0,2}[0-9]){5,})`)
	// a landline: an area code of three or four digits, then five to eight more
	landline = regexp.MustCompile(`(?:^|[^0-9])\(?0[2-9][0-9]{1,2}\)?[ .\-]{1,3}[0-9](?:[ .\-]?[0-9]){4,7}(?:$|[^0-9])`)
	// digits that are all written apart: 0 8 1 2 3 4 5 6 7 8
	apart = regexp.MustCompile(`(?:^|[^0-9])((?:[0-9][ .\-_]{1,3}){8,}[0-9])(?:$|[^0-9])`)
	// where an Indonesian mobile number in one piece may stand in a longer word
	mobileInText = regexp.MustCompile(`(?:^|[^0-9])(?:\+?62|0)[ .\-]{0,3}8[1-35-9](?:[ .\-]{0,3}[0-9]){7,10}(?:$|[^0-9])`)
)

// personalNumber says why a text of the office is refused: it holds a telephone number or an identity number. Sums of
// money, numbers of letters and days pass.
func personalNumber(s string) (Reason, string) {
	plain := norm.NFKC.String(s) // digits in any writing that Unicode takes for them
	plain = strings.Map(func(r rune) rune {
		if r >= 0x80 && unicode.IsDigit(r) {
			return '0' + digitValue(r)
		}
		return r
	}, plain)
	plain = withoutLetterNumbers(plain)
	for _, re := range harmless {
		plain = re.ReplaceAllStringFunc(plain, func(m string) string {
			if holdsIdentity(digitRuns(m)) {
				return m // nobody has so much money
			}
			return " # "
		})
	}
	for _, m := range digitGroups.FindAllString(plain, -1) {
		if holdsIdentity(digitRuns(m)) {
			return IdentityLike, "it holds what looks like an identity number (NIK, KK or NIP); leave it out: " +
				"a report names no person"
		}
	}
	if looksLikePhone(plain) || announced.MatchString(plain) || landline.MatchString(plain) ||
		mobileInText.MatchString(plain) {
		return PhoneLike, officePhoneDetail
	}
	for _, m := range apart.FindAllStringSubmatch(plain, -1) {
		if looksLikePhone(onlyThe(m[1], isDigit)) {
			return PhoneLike, officePhoneDetail
		}
	}
	return "", ""
}

// withoutLetterNumbers takes the numbers of letters out of a text, but for those with a personal number in a part, or
// made of their parts.
func withoutLetterNumbers(s string) string {
	var b strings.Builder
	end := 0
	for _, at := range letterNumber.FindAllStringIndex(s, -1) {
		parts := strings.Split(s[at[0]:at[1]], "/")
		parts = parts[:len(parts)-1] // without the year
		whole := strings.Join(parts, "/")
		personal := holdsIdentity(digitRuns(whole)) || looksLikePhone(slashedMobile.FindString(whole)) ||
			announced.MatchString(s[max(end, at[0]-40):at[0]]+parts[0])
		for _, part := range parts {
			reason, _ := personalNumber(part)
			personal = personal || reason != ""
		}
		if personal {
			continue
		}
		b.WriteString(s[end:at[0]] + " # ")
		end = at[1]
	}
	return b.String() + s[end:]
}

// digitRuns returns the runs of digits in s.
func digitRuns(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

const officePhoneDetail = "it holds what looks like a telephone number; leave it out: a report names no person. " +
	"Write sums of money as Rp 1.250.000.000 and numbers of letters as 800/123/438.5/2026"

// digitValue is the value of a decimal digit of any script: Unicode has them in runs of ten.
func digitValue(r rune) rune {
	zero := r
	for unicode.IsDigit(zero-1) && r-zero < 9 {
		zero--
	}
	return r - zero
}

// holdsIdentity reports whether groups of digits in a row hold an identity number: 16 to 18 digits in one piece (NIK
// and KK have 16, NIP 18), or several groups that together are a NIK or a NIP by its parts.
func holdsIdentity(groups []string) bool {
	for i, g := range groups {
		if len(g) >= 16 && len(g) <= 18 {
			return true
		}
		for _, next := range groups[i+1:] {
			if g += next; len(g) > 18 {
				break
			}
			if len(g) == 16 && isNIK(g) || len(g) == 18 && isNIP(g) {
				return true
			}
		}
	}
	return false
}

// isNIK reports whether 16 digits begin with the code of a province and have a day of birth in its place; 40 is added
// to the day of a woman.
func isNIK(d string) bool {
	day, month := d[6:8], d[8:10]
	return strings.Contains("11 12 13 14 15 16 17 18 19 21 31 32 33 34 35 36 51 52 53 61 62 63 64 65 71 72 73 74 75 76 "+
		"81 82 "+
		"91 92 93 94 95 96 97", d[:2]) && month >= "01" && month <= "12" &&
		(day >= "01" && day <= "31" || day >= "41" && day <= "71")
}

// isNIP reports whether 18 digits begin with a day of birth and go on with the month of an appointment.
func isNIP(d string) bool {
	month := func(m string) bool { return m >= "01" && m <= "12" }
	return (d[:2] == "19" || d[:2] == "20") && month(d[4:6]) && d[6] <= '3' && (d[8:10] == "19" || d[8:10] == "20") &&
		month(d[12:14])
}
