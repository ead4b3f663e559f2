package mapping

import (
	"strings"
	"testing"
)

func TestDeepMappingIsRefused(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("[", 200_000), strings.Repeat("{a: ", 100_000), strings.Repeat("- ", 100_000),
		plain + "description: " + strings.Repeat("[", 50_000) + strings.Repeat("]", 50_000),
	} {
		if _, err := Parse("m.yaml", []byte(text)); err == nil {
			t.Error("accepted")
		}
	}
}
