package tabular

import (
	"strings"
	"testing"
)

func TestSerials(t *testing.T) {
	for _, c := range []struct {
		in    string
		epoch int64
		want  string
	}{
		{"44984", days1900, "2023-02-27"}, {"44984.3125", days1900, "2023-02-27 07:30:00"},
		{"43522.3125", days1904, "2023-02-27 07:30:00"},
		{"0.3125", days1900, "07:30:00"}, {"0", days1900, "00:00:00"}, {"0.9999999", days1900, "23:59:59"},
		{"61", days1900, "1900-03-01"},
		{"7.3", days1900, "07.30 that was typed"}, {"-1", days1900, "no date"}, {"1e300", days1900, "no date"},
		{"NaN", days1900, "no date"},
	} {
		row := Row{Cells: []string{c.in}, epoch: c.epoch}
		got, fault := row.DateText(0)
		if got+fault != c.want && (fault == "" || !strings.Contains(fault, c.want)) {
			t.Errorf("%s: got %q %q, want %q", c.in, got, fault, c.want)
		}
	}
}
