package tracker

import (
	"slices"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
)

// FlagOlderThanPolicies marks a ticket that began before every policy of its centre: it has no clock of a policy.
const FlagOlderThanPolicies = "older_than_policies"

// Rules returns the part of a Config that follows from a directory and a book of policies. Events of a centre that the
// directory does not know are treated by the rules of the default centre.
func Rules(dir *directory.Directory, book *sla.Book) Config {
	opdID := func(center, name string) string {
		id, _ := dir.ResolveOPD(center, name)
		return id
	}
	cfg := Config{
		Center: func(code string) (CenterConfig, bool) {
			c, known := dir.Center(code)
			if !known {
				c, _ = dir.Center(dir.DefaultCenter())
				c.Historical = false
			}
			return CenterConfig{
				Historical: c.Historical, Location: c.Location, Shifts: c.Shifts, AnswerTarget: c.AnswerTarget,
				ShortAbandon: c.ShortAbandon,
			}, known
		},
		OPD: func(center, opd string) (label, scope string) {
			id := opdID(center, opd)
			return dir.OPDLabel(center, id), string(dir.ScopeOf(center, id))
		},
		TicketClocks: func(t *casefile.Ticket) []sla.Clock {
			return book.Ticket(t, dir.Scopes(t.Key.Center))
		},
		CallClocks: book.Call,
		Details: func(t *casefile.Ticket) {
			t.DefaultPriorities(func(category string) string {
				priority, known := dir.DefaultPriority(t.Key.Center, category, t.At())
				if c, _ := dir.Center(t.Key.Center); !known && !c.Open {
					return event.PriorityMendesak
				}
				return priority
			})
			if _, known := dir.DefaultPriority(t.Key.Center, t.Category, t.At()); !known && slices.Contains(t.Flags,
				casefile.FlagPriorityFromCategory) {
				t.AddFlag(casefile.FlagPriorityAssumed)
			}
			if book.PredatesPolicies(t) {
				t.AddFlag(FlagOlderThanPolicies)
			}
		},
		Private:   dir.Private,
		SnapPlace: dir.SnapPlace,
	}
	for _, c := range dir.Centers() {
		if !c.Historical {
			cfg.Centers = append(cfg.Centers, c.Code)
		}
	}
	return cfg
}

// Location returns the time zone of a centre, that of the default centre for one that the directory does not know.
func (c *Config) Location(center string) *time.Location {
	of, _ := c.Center(center)
	return of.Location
}
