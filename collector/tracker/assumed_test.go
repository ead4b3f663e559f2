package tracker

import (
	"slices"
	"testing"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/deploy"
)

// A fire that was reported under an address is a fire: a category that nobody knows makes a ticket urgent, and says so.
func TestAnUnknownCategoryIsUrgent(t *testing.T) {
	book, err := sla.Load(nil, sla.Config{})
	if err != nil {
		t.Fatal(err)
	}
	cfg := Rules(directory.MustLoad("directory.yaml", deploy.Directory), book)
	for name, c := range map[string]struct {
		center, category, priority string
		blanked                    []string
		want                       string
		assumed                    bool
	}{
		"known":                      {"35.15", "kebakaran", "", nil, event.PriorityDarurat, false},
		"unknown":                    {"35.15", "UFO", "", nil, event.PriorityMendesak, true},
		"unknown, with a priority":   {"35.15", "UFO", "informasi", nil, "informasi", false},
		"blanked":                    {"35.15", "", "", []string{"category"}, event.PriorityMendesak, true},
		"blanked, with a priority":   {"35.15", "", "darurat", []string{"category"}, "darurat", false},
		"another field is blanked":   {"35.15", "", "", []string{"queue"}, "", false},
		"none":                       {"35.15", "", "", nil, "", false},
		"of a centre without a list": {"mx-cdmx", "accidente", "", nil, "", false},
		"of an unknown centre":       {"99.99", "UFO", "", nil, event.PriorityMendesak, true},
	} {
		e := event.Event{
			Source: "s", ID: "e", Type: event.TicketOpened, Kind: event.KindTicket, Subject: "T", Center: c.center,
			OccurredAt: noon, ReceivedAt: noon, Category: c.category, Priority: c.priority, Blanked: c.blanked,
		}
		got := casefile.FoldTicket(e.Key(), []*event.Event{&e}, casefile.CallFacts{})
		cfg.Details(&got)
		if got.Priority != c.want || slices.Contains(got.Flags, casefile.FlagPriorityAssumed) != c.assumed {
			t.Errorf("%s: priority %q, flags %v", name, got.Priority, got.Flags)
		}
	}
}
