package mapping

import (
	"strings"
	"testing"
	"time"
)

func TestParseOffice(t *testing.T) {
	for in, want := range map[string]string{
		"27/02/2023 07.30": "2023-02-27 07:30:00", "27/2/23 7:30": "2023-02-27 07:30:00",
		"27-02-2023 07.30.15":    "2023-02-27 07:30:15",
		"27 Februari 2023 07.30": "2023-02-27 07:30:00", "Senin, 27 Peb 2023 07.30 WIB": "2023-02-27 07:30:00",
		"27 Peb 23, pukul 07.30":       "2023-02-27 07:30:00",
		"Jum’at 3 Maret 2023 23:59:59": "2023-03-03 23:59:59", "2023-02-27T07:30:00": "2023-02-27 07:30:00",
		"27.02.2023 07:30":    "2023-02-27 07:30:00",
		"27/02/2023 07.30 pm": "2023-02-27 19:30:00", "27-Feb-2023 07:30:01.250": "2023-02-27 07:30:01",
		"27/02/2023 jam 7.30": "2023-02-27 07:30:00",
		"02/27/2023 07.30":    "there is no such day", "Selasa, 27 Peb 2023 07.30": "does not fit the date",
		"31/02/2023 07.30": "there is no such day",
		"27/02/2023":       "no", "27/02/2023 7.3": "no", "27/02/2023 24.00": "no", "07.30": "no",
		"27 Brumaire 2023 07.30": "no", "": "no",
		"27/02/2023 07.30 13 pm": "no", "27/02/123 07.30": "no", "27 02 2023 07.30": "no", "27/02/2023 07.30 x": "no",
	} {
		st, fault, ok := parseOffice(in, officeForm)
		got := time.Unix(st.wall, 0).UTC().Format(time.DateTime)
		if !ok {
			got = fault
			if fault == "" {
				got = "no"
			}
		}
		if !strings.Contains(got, want) {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

func TestTelephoneNumbersOfSpreadsheets(t *testing.T) {
	for in, want := range map[string]string{
		"81234567890": "081234567890", "8,1234567890E+10": "081234567890", "8.1234567890e10": "081234567890", "8,12E+10": "",
		"8.123456789E+10": "",
		"812345678":       "0812345678", "81234567": "81234567", "8E+10": "", "8,12E+1": "", "E10": "",
	} {
		if got, _, _ := repairPhone(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
