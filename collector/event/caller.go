package event

import (
	"encoding/hex"
	"strings"
)

const (
	minCallerDigits = 3  // the shortest number that calls: a service such as 110
	maxCallerDigits = 15 // E.164
	// minLast3Digits keeps the last three digits from being the whole of a short number.
	minLast3Digits = 7
	pseudonymBytes = 16
	tokenPrefix    = "hmac:"
)

// normalizeCaller reduces the ways to write one number to one: international form, digits only. The result is appended
// to dst. "tel:" and separators are dropped; +62, 0062, 62 and 0 before an Indonesian number become 62, and a mobile
// number that lost its 0 gets the 62 too. Numbers without an area code and short codes stay as they are.
func normalizeCaller(dst []byte, s string) ([]byte, bool) {
	if len(s) > 4 && strings.EqualFold(s[:4], "tel:") {
		s = s[4:]
	}
	// a spreadsheet's column of numbers
	if rest, ok := strings.CutSuffix(s, ".0"); ok && len(rest) >= 9 && onlyDigits(rest) {
		s = rest
	}
	from := len(dst)
	plus := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case isDigit(c):
			dst = append(dst, c)
		case c == '+' && len(dst) == from && !plus:
			plus = true
		case isPhoneSeparator(c):
		default:
			return dst[:from], false
		}
	}
	d := dst[from:]
	if len(d) < minCallerDigits || len(d) > maxCallerDigits+3 {
		return dst[:from], false
	}
	if !plus && len(d) >= 10 && d[0] == '0' && d[1] == '0' {
		d, plus = d[2:], true
	}
	switch {
	case len(d) >= 10 && d[0] == '6' && d[1] == '2':
		d = d[2:]
		if d[0] == '0' { // +62 (0)812
			d = d[1:]
		}
	case plus:
		if len(d) > maxCallerDigits {
			return dst[:from], false
		}
		return append(dst[:from], d...), true
	case len(d) >= 8 && d[0] == '0':
		d = d[1:]
	case len(d) >= 9 && len(d) <= 12 && mobile(d, 9):
	default:
		if len(d) > maxCallerDigits {
			return dst[:from], false
		}
		return append(dst[:from], d...), true
	}
	if len(d)+2 > maxCallerDigits {
		return dst[:from], false
	}
	var national [maxCallerDigits]byte
	n := copy(national[:], d)
	dst = append(dst[:from], '6', '2')
	return append(dst, national[:n]...), true
}

// noCaller reports whether a source says in words that it does not know the number.
func noCaller(s string) bool {
	switch strings.ToLower(s) {
	case "", "-", "0", "anonymous", "anonim", "unknown", "private", "restricted", "withheld", "unavailable",
		"tidak diketahui", "tanpa nomor", "nomor pribadi", "<unknown>":
		return true
	}
	return false
}

// pseudonymise replaces a raw number by its keyed hash; ok is false when s is no number.
func (ds *decodeState) pseudonymise(s string) (c Caller, ok bool) {
	digits, ok := normalizeCaller(ds.scratch[:0], s)
	if !ok {
		return Caller{}, false
	}
	ds.callerMAC.Reset()
	ds.callerMAC.Write(digits)
	ds.sum = ds.callerMAC.Sum(ds.sum[:0])
	text := hex.AppendEncode(ds.hexed[:0], ds.sum[:pseudonymBytes])
	if len(digits) >= minLast3Digits {
		text = append(text, digits[len(digits)-3:]...)
	}
	ds.scratch, ds.hexed = digits[:0], text
	clear(digits)
	return Caller{KeyID: ds.keyID, Key: alias(text[:2*pseudonymBytes]), Last3: alias(text[2*pseudonymBytes:])}, true
}

// appendToken appends "hmac:<key id>:<hex>:<last three digits>", the form in which the quarantine keeps a caller.
func appendToken(dst []byte, c Caller) []byte {
	dst = append(append(append(dst, tokenPrefix...), c.KeyID...), ':')
	dst = append(append(dst, c.Key...), ':')
	return append(dst, c.Last3...)
}

// parseToken reads what appendToken writes. known is false when the token is well-formed but of a foreign key.
func (k *Keys) parseToken(s string) (c Caller, ok, known bool) {
	rest, ok := strings.CutPrefix(s, tokenPrefix)
	if !ok {
		return Caller{}, false, false
	}
	id, rest, ok := strings.Cut(rest, ":")
	if !ok || len(id) != 9 || id[0] != 'k' || !isHex(id[1:]) {
		return Caller{}, false, false
	}
	key, last3, ok := strings.Cut(rest, ":")
	if !ok || len(key) != 2*pseudonymBytes || !isHex(key) || len(last3) != 0 && len(last3) != 3 {
		return Caller{}, false, false
	}
	if !onlyDigits(last3) {
		return Caller{}, false, false
	}
	return Caller{KeyID: id, Key: key, Last3: last3}, true, k.Knows(id)
}

func onlyDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

func isHex(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) && (s[i] < 'a' || s[i] > 'f') {
			return false
		}
	}
	return true
}
