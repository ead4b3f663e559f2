package casefile

import (
	"slices"

	"github.com/monev112/monev112/collector/event"
)

// FlagFieldBlanked marks a case, call or ticket, of which something was sent that was no code or name and was not kept.
const FlagFieldBlanked = "field_blanked"

// blanked reports whether an event of the case lost a field at the door.
func (tl timeline) blanked() bool {
	return slices.ContainsFunc(tl.events, func(e *event.Event) bool { return len(e.Blanked) > 0 })
}

// latestWord returns the last fact of type t in which word was kept, else none: one whose word was blanked undoes
// nothing that was said before.
func (tl timeline) latestWord(t event.Type, word func(*event.Event) string) *event.Event {
	for _, e := range slices.Backward(tl.facts) {
		if e.Type == t && word(e) != "" {
			return e
		}
	}
	return &none
}
