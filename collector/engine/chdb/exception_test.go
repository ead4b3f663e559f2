package chdb

import "testing"

func TestParseException(t *testing.T) {
	for _, c := range []struct {
		text, name string
		code       int
		want       string
	}{
		{"Code: 60. DB::Exception: Table d.x does not exist. (UNKNOWN_TABLE)", "UNKNOWN_TABLE", 60,
			"Code: 60. DB::Exception: Table d.x does not exist. (UNKNOWN_TABLE)"},
		{"Code: 241. DB::Exception: Code: 241. DB::Exception: memory. (MEMORY_LIMIT_EXCEEDED)", "MEMORY_LIMIT_EXCEEDED", 241,
			"Code: 241. DB::Exception: memory. (MEMORY_LIMIT_EXCEEDED)"},
		{"something else", "UNKNOWN_EXCEPTION", 1002, "Code: 1002. DB::Exception: something else"},
		{"Code: 99999999999999999999. x", "UNKNOWN_EXCEPTION", 1002, "Code: 99999999999999999999. x"},
	} {
		if e := parseException(c.text); e.Code != c.code || e.Name != c.name || e.Text != c.want {
			t.Errorf("%q: %+v", c.text, e)
		}
	}
}
