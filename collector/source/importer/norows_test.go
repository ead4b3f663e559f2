package importer

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// dry imports a file without sending anything.
func dry(t *testing.T, text string) (Summary, error) {
	t.Helper()
	return Import(t.Context(), Options{
		Mapping: parse(t, simple), Files: []string{write(t, "x.csv", []byte(text))},
	})
}

func TestNoRowIsAMistake(t *testing.T) {
	for _, text := range []string{"No,Waktu\n", "Laporan\n\nNo,Waktu\n,\n\n"} {
		if _, err := dry(t, text); !errors.Is(err, ErrNoRows) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A dry run says what the collector would say of a time in the future.
func TestADryRunRefusesTheFuture(t *testing.T) {
	next := time.Now().AddDate(0, 2, 0).Format("2006-01-02 15:04:05")
	sum, err := dry(t, "No,Waktu\n1,2026-01-01 00:00:00\n2,"+next+"\n")
	if !errors.Is(err, ErrRefused) || sum.RefusedTotal() != 1 || sum.Events != 2 ||
		!strings.Contains(sum.FirstRefusals[0], "in the future") {
		t.Errorf("%v: %+v", err, sum)
	}
}
