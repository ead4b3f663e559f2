package pager

import (
	"testing"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"
)

// TestAnAlertIsWrittenAsTheLibraryWritesIt: whatever its texts hold, and what cannot be written is an error in both.
func TestAnAlertIsWrittenAsTheLibraryWritesIt(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		texts := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string {
			return string(b)
		}))
		a := Alert{
			Labels: rapid.MapOf(texts, texts).Draw(r, "labels"), Annotations: rapid.MapOf(texts, texts).Draw(r, "annotations"),
			StartsAt: noon, EndsAt: noon.Add(1e6),
		}
		want, wantErr := json.Marshal(&a, json.Deterministic(true))
		got, err := a.appendJSON(nil)
		if (err != nil) != (wantErr != nil) || err == nil && string(got) != string(want) {
			r.Fatalf("%s %v, want %s %v", got, err, want, wantErr)
		}
	})
}
