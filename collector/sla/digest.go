package sla

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Digest names what the book was loaded from, whatever the names and the order of the files: two books of one digest
// give every case the same clocks.
func (b *Book) Digest() string { return b.digest }

func digest(files []File, cfg *Config) string {
	h := sha256.New()
	sorted := slices.SortedFunc(slices.Values(files), func(a, b File) int {
		return strings.Compare(string(a.Data), string(b.Data))
	})
	for i := range sorted {
		fmt.Fprintf(h, "file %d\n", len(sorted[i].Data))
		h.Write(sorted[i].Data)
	}
	write(h, "", cfg.Default)
	for _, center := range slices.Sorted(maps.Keys(cfg.Centers)) {
		write(h, center, cfg.Centers[center])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func write(w io.Writer, center string, u Use) {
	zone := ""
	if u.Zone != nil {
		zone = u.Zone.String()
	}
	fmt.Fprintf(w, "centre %q %q %q %q\n", center, u.Profiles, u.Calendar, zone)
}
