package directory

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Digest names the content of the directory that the row of a case follows from: it changes when such a row may.
func (d *Directory) Digest() string {
	h := sha256.New()
	for _, c := range d.Centers() {
		fmt.Fprintf(h, "%s %v %s %s %s %s\n", c.Code, c.Historical, c.Location, c.AnswerTarget, c.Policy, c.Calendar)
		for _, o := range d.OPDs(c.Code) {
			fmt.Fprintf(h, "%+v\n", o)
		}
		for _, k := range d.Categories(c.Code) {
			fmt.Fprintf(h, "%s %s %v\n", k.ID, k.Priority, k.Priorities)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
