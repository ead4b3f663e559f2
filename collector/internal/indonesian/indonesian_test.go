package indonesian

import (
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "kurang dari 1 menit", 59 * time.Second: "kurang dari 1 menit", -time.Hour: "kurang dari 1 menit",
		-50 * time.Hour: "kurang dari 1 menit",
		time.Minute:     "1 menit", 59*time.Minute + 59*time.Second: "59 menit", time.Hour: "1 jam",
		130 * time.Minute: "2 jam 10 menit", 24 * time.Hour: "1 hari", 76*time.Hour + 59*time.Minute: "3 hari 4 jam",
		180 * 24 * time.Hour: "180 hari", 1234 * 24 * time.Hour: "1.234 hari",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

func TestDateAndNumber(t *testing.T) {
	at := time.Date(2026, 11, 28, 0, 30, 0, 0, time.UTC).In(time.FixedZone("WIB", 7*3600))
	if got := Date(at); got != "28 November 2026 07.30 WIB" {
		t.Error(got)
	}
	if got := Day(at); got != "28 November 2026" {
		t.Error(got)
	}
	for n, want := range map[int64]string{-100: "−100", -1234: "−1.234", 0: "0", 999: "999", 1000: "1.000", 40318: "40.318", 1234567: "1.234.567"} {
		if got := Number(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestDecimal(t *testing.T) {
	for _, tc := range []struct {
		v        float64
		decimals int
		want     string
	}{
		{0, 0, "0"}, {80.7, 1, "80,7"}, {1234.56, 1, "1.234,6"}, {-2.5, 1, "−2,5"}, {-0.04, 1, "0,0"}, {999.95, 1, "1.000,0"},
		{1e6, 2, "1.000.000,00"}, {-123, 0, "−123"},
	} {
		if got := Decimal(tc.v, tc.decimals); got != tc.want {
			t.Errorf("%g with %d: %q, want %q", tc.v, tc.decimals, got, tc.want)
		}
	}
}
