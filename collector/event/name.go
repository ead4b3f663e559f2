package event

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// nameLimits bound a name of which a directory knows nothing.
var nameLimits = map[Field]struct{ bytes, words int }{
	FieldCategory:  {60, 7},
	FieldOPD:       {96, 12},
	FieldKecamatan: {48, 4},
}

// Words that stand in an address, or before a person's name or number, and in no name of a category, OPD or kecamatan.
var (
	codeAddress = []string{"jl", "jln", "gg", "rt", "rw"}
	nameAddress = append([]string{
		"alamat", "blok", "gang", "kav", "kavling", "komplek", "no", "nomor", "dsn", "dusun", "lorong", "perumahan",
		"bpk", "sdr", "sdri", "pelapor", "hp", "nohp", "telp", "tlp", "nik",
	}, codeAddress...)
	opdAddress = slices.DeleteFunc(slices.Clone(nameAddress), func(w string) bool { return w == "perumahan" })

	// what may follow the word jalan (road) in a category: "Jalan Rusak" is one, "Jalan Mawar" an address
	roadWords = []string{
		"ambles", "amblas", "banjir", "berlubang", "dan", "desa", "di", "gelap", "kabupaten", "licin", "lingkungan",
		"longsor", "macet", "mati", "nasional", "poros", "provinsi", "putus", "retak", "rusak", "tergenang", "terhalang",
		"tertutup", "tol", "umum",
	}
)

// LooksLikeName reports whether s, the text of a category, OPD or kecamatan that no directory knows, may be stored as a
// name: it is short, of few words, has no two digits in a row (but for the numbers 110 to 119 of emergency services and
// the codes of places), and no word of an address. A person's name alone cannot be told from another; nor can digits
// that are written as words.
func LooksLikeName(f Field, s string) bool {
	limit := nameLimits[f]
	words := wordsOf(s)
	if s == "" || len(s) > limit.bytes || len(words) > limit.words || !shapeName.keeps(s, limit.bytes) {
		return false
	}
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsMark(r) && !(r < utf8.RuneSelf && isDigit(byte(r))) &&
			!strings.ContainsRune(" '’&()+,-–./_:", r) {
			return false
		}
	}
	if f == FieldKecamatan && isPlaceCode(s) {
		return true
	}
	for i, w := range words {
		if !emergencyNumber(w) && twoDigits(w) {
			return false
		}
		if w == "jalan" && (f == FieldKecamatan || f == FieldCategory && i+1 < len(words) && !roadEnds(words[i+1:])) {
			return false
		}
	}
	if f == FieldOPD {
		return !hasAddress(s, opdAddress)
	}
	return !hasAddress(s, nameAddress)
}

// roadEnds reports whether what follows the word jalan makes it a kind of report, not an address.
func roadEnds(rest []string) bool {
	return slices.Contains(roadWords, rest[0]) || len(rest) == 1 && rest[0] == "raya"
}

// wordsOf returns the runs of letters and digits of s, small.
func wordsOf(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r)
	})
}

// hasAddress reports whether a word of s is one of those, alone or with a number behind it ("rt02").
func hasAddress(s string, address []string) bool {
	for i := 0; i < len(s); {
		from := i
		for i < len(s) && (isLetter(s[i]) || s[i] >= utf8.RuneSelf) {
			i++
		}
		word := s[from:i]
		for i < len(s) && isDigit(s[i]) {
			i++
		}
		if i < len(s) && (isLetter(s[i]) || s[i] >= utf8.RuneSelf) { // letters and digits mixed
			for i < len(s) && (isDigit(s[i]) || isLetter(s[i]) || s[i] >= utf8.RuneSelf) {
				i++
			}
			continue
		}
		if word != "" && slices.ContainsFunc(address, func(a string) bool { return strings.EqualFold(a, word) }) {
			return true
		}
		for i < len(s) && !isDigit(s[i]) && !isLetter(s[i]) && s[i] < utf8.RuneSelf {
			i++
		}
	}
	return false
}

func twoDigits(s string) bool {
	for i := 1; i < len(s); i++ {
		if isDigit(s[i-1]) && isDigit(s[i]) {
			return true
		}
	}
	return false
}

func emergencyNumber(s string) bool { return len(s) == 3 && s[:2] == "11" && isDigit(s[2]) }

// isPlaceCode reports whether s is a Kemendagri code down to the kecamatan, as in 35.15.08.
func isPlaceCode(s string) bool {
	parts := strings.Split(s, ".")
	return len(parts) <= 3 && !slices.ContainsFunc(parts, func(p string) bool { return len(p) != 2 || !onlyDigits(p) })
}
