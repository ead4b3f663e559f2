package store

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/event"
)

// drawEvent draws events with every field set or not, whose subjects no other round uses.
func drawEvent(round int) *rapid.Generator[*event.Event] {
	text := rapid.OneOf(rapid.Just(""), rapid.String(),
		rapid.SampledFrom([]string{`'`, `\`, "a\n\nb", "\x00", "?", "{x:String}", "ü€", "$1", "-- x"}))
	return rapid.Custom(func(t *rapid.T) *event.Event {
		typ := rapid.SampledFrom(event.Types()).Draw(t, "type")
		e := &event.Event{
			Source: text.Draw(t, "source"), ID: text.Draw(t, "id"), Type: typ, Kind: cmp.Or(typ.Kind(), event.KindTicket),
			Subject:    fmt.Sprintf("%d/%s", round, text.Draw(t, "subject")),
			Center:     rapid.SampledFrom([]string{"35.15", "c'x", ""}).Draw(t, "center"),
			OccurredAt: drawTime(t, "occurred"), ReceivedAt: drawTime(t, "received"),
			Caller: event.Caller{KeyID: text.Draw(t, "key id"), Key: text.Draw(t, "key"), Last3: text.Draw(t, "last3")},
			Agent:  text.Draw(t, "agent"), Queue: text.Draw(t, "queue"), Position: text.Draw(t, "position"),
			Channel: text.Draw(t, "channel"), Class: text.Draw(t, "class"), Category: text.Draw(t, "category"),
			Priority: text.Draw(t, "priority"), OPD: text.Draw(t, "opd"), Kecamatan: text.Draw(t, "kecamatan"),
			Reason: text.Draw(t, "reason"), Result: text.Draw(t, "result"), Master: text.Draw(t, "master"),
			Replaces: text.Draw(t, "replaces"), Revision: rapid.Uint32().Draw(t, "revision"),
		}
		copy(e.Digest[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "digest"))
		if rapid.Bool().Draw(t, "has calls") {
			e.Calls = rapid.SliceOfN(rapid.String(), 1, 4).Draw(t, "calls")
		}
		if rapid.Bool().Draw(t, "has due") {
			e.Due = drawTime(t, "due")
		}
		if rapid.Bool().Draw(t, "has place") {
			e.Lat, e.Lon = drawFloat(t), drawFloat(t)
		}
		if rapid.Bool().Draw(t, "has ring") {
			e.RingMS = drawInt(t)
		}
		if rapid.Bool().Draw(t, "has wait") {
			e.WaitMS = drawInt(t)
		}
		if rapid.Bool().Draw(t, "has attributes") {
			e.Attributes = rapid.MapOfN(rapid.String(), rapid.String(), 1, 4).Draw(t, "attributes")
		}
		return e
	})
}

func drawTime(t *rapid.T, label string) time.Time {
	// 1999 to 2030: the column TTL would blank what was received in another century.
	return time.UnixMilli(rapid.Int64Range(1_780_000_000_000, 1_900_000_000_000).Draw(t, label)).UTC()
}

func drawFloat(t *rapid.T) *float64 {
	v := rapid.Float64Range(-math.MaxFloat64, math.MaxFloat64).Draw(t, "float")
	return &v
}

func drawInt(t *rapid.T) *int64 {
	v := rapid.Int64().Draw(t, "int")
	return &v
}
