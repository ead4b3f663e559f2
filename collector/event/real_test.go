package event

import (
	"bufio"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The ids of the public data sets must pass for ids: they look like numbers, none of them is a caller's.
func TestRealIDsAreNoTelephoneNumbers(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "data")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no public data sets in ", dir)
	}
	for file, least := range map[string]int{
		"boston311-2015-h1.csv.gz": 58_119, "cdmx-c5-2020-jun-aug.csv.gz": 26_078, "sf-fire-2009-2018.csv.gz": 4_340,
	} {
		f, err := os.Open(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		unpacked, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(unpacked)
		seen := -1 // the header
		for lines.Scan() {
			id, _, _ := strings.Cut(lines.Text(), ",")
			if seen++; looksLikePhone(id) || !fitsText(id) {
				t.Errorf("%s: %q is refused", file, id)
			}
		}
		if lines.Err() != nil || seen < least {
			t.Errorf("%s: %d ids, %v", file, seen, lines.Err())
		}
	}
}
