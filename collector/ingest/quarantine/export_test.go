package quarantine

import (
	"encoding/base64"
	"testing"
)

// Replayable returns what RunRetries gives of every entry.
func (r *Rejected) Replayable(t *testing.T) (out []string) {
	if err := r.Each(func(e Entry) error { out = append(out, string(e.replayable())); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

// Base64 is how JSON writes bytes.
func Base64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
