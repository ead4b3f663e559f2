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
	opdAddress = slices.DeleteFunc(slices.Clone(nameAddress), func(w string) bool {
		return w == "perumahan" || w == "no" || w == "nomor"
	})
	categoryAddress = slices.DeleteFunc(slices.Clone(nameAddress), func(w string) bool { return mildWords[w] != nil })

	houseWords = []string{"jalan", "rumah", "ruko", "kos", "toko", "pak", "bu", "bapak", "ibu", "lantai"}
	phoneWords = []string{"hp", "nohp", "no", "nomor", "wa", "tel", "telp", "tlp", "telepon", "telpon", "fax", "call",
		"ph",
		"nik", "kk", "ktp"}

	// words of units that are numbered: "Pos Damkar 01"
	unitWords = []string{"pos", "posko", "wilayah", "sektor", "rayon", "koramil", "kodim", "korem", "upt", "uptd", "sd",
		"sdn",
		"smp", "smpn", "sma", "sman", "smk", "smkn", "regu", "pleton", "kompi", "yonif", "seksi", "unit", "zona"}
	armyWords = []string{"koramil", "kodim", "korem"}

	// words of an address or of a person, and what may follow them in a category: nothing, or one of these
	mildWords = map[string][]string{
		"pelapor":   {"iseng", "palsu", "diam", "terputus", "menutup", "anonim", "tidak"},
		"perumahan": {"dan", "rakyat", "kumuh", "warga"},
	}

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
			!strings.ContainsRune(" '’\"“”‘;&()+,-–./_:", r) {
			return false
		}
	}
	if f == FieldKecamatan && isPlaceCode(s) {
		return true
	}
	for i, w := range words {
		if twoDigits(w) && !emergencyNumber(w) && !(f == FieldOPD && unitNumber(words[:i], w)) &&
			!(f == FieldCategory && i > 0 && words[i-1] == "covid" && len(w) == 2) {
			return false
		}
		if w == "jalan" && (f == FieldKecamatan || f == FieldCategory && !roadEnds(words[i+1:])) {
			return false
		}
	}
	switch f {
	case FieldOPD:
		for i, w := range words {
			if (w == "no" || w == "nomor") && (i+1 == len(words) || !unitNumber(words[:i], words[i+1])) {
				return false
			}
		}
		return !hasAddress(s, opdAddress)
	case FieldCategory:
		for i, w := range words {
			after, mild := mildWords[w]
			if mild && i+1 < len(words) && !slices.Contains(after, words[i+1]) || w == "pelapor" && i+1 == len(words) {
				return false
			}
		}
		return !hasAddress(s, categoryAddress)
	}
	return !hasAddress(s, nameAddress)
}

// unitNumber reports whether w is the number of a unit that the words before it speak of: at most three digits, or the
// four of a district of the army, which begin with 0.
func unitNumber(before []string, w string) bool {
	of := func(units []string) bool {
		return slices.ContainsFunc(before, func(b string) bool { return slices.Contains(units, b) })
	}
	return onlyDigits(w) && (len(w) <= 3 && of(unitWords) || len(w) == 4 && w[0] == '0' && of(armyWords))
}

// roadEnds reports whether what follows the word jalan makes it a kind of report, not an address: an address has a
// number somewhere behind the name, or names what the main road (raya) leads to.
func roadEnds(rest []string) bool {
	if len(rest) == 0 || slices.Contains(roadWords, rest[0]) {
		return true
	}
	return (rest[0] != "raya" || len(rest) == 1 || slices.Contains(roadWords, rest[1])) &&
		!slices.ContainsFunc(rest, func(w string) bool { return strings.ContainsAny(w, "0123456789") })
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
