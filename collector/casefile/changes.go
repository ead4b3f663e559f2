package casefile

import (
	"slices"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// Change is what one event says of the details that choose a ticket's clocks, where it says something new. Empty fields
// leave what was said before.
type Change struct {
	At, HeardAt        time.Time // when it happened; when it was first received
	Category, Priority string
	Moved              bool   // OPD is where the ticket is from At on; empty is the centre
	OPD                string // also, beside Due, the OPD that the due time was given with
	Due                time.Time
	// The priority that Category has where none is stated. The fold does not know it, see Ticket.DefaultPriorities.
	CategoryPriority string
	AtLeast          string // a ticket that was merged into it has this priority, see Ticket.Raise
}

// foldChanges finds the changes. An event that repeats what holds says nothing new, unless it was heard of earlier than
// what it repeats.
func (t *Ticket) foldChanges(tl timeline) {
	var category, priority, due *event.Event
	news := func(was **event.Event, e *event.Event, same bool) bool {
		if same && *was != nil && !e.ReceivedAt.Before((*was).ReceivedAt) {
			return false
		}
		*was = e
		return true
	}
	stay := -1
	for _, e := range tl.events {
		c := Change{At: e.OccurredAt, HeardAt: e.ReceivedAt}
		if e.Category != "" && news(&category, e, category != nil && category.Category == e.Category) {
			c.Category = e.Category
		} else if category == nil && slices.Contains(e.Blanked, string(event.FieldCategory)) && !t.CategoryBlanked {
			c.Category, t.CategoryBlanked = event.UnknownName, true
		}
		if e.Priority != "" && news(&priority, e, priority != nil && priority.Priority == e.Priority) {
			c.Priority = e.Priority
		}
		if !e.Due.IsZero() && news(&due, e, due != nil && due.Due.Equal(e.Due) && due.OPD == e.OPD) {
			c.Due, c.OPD = e.Due, e.OPD
		}
		switch n := stay + 1; {
		case e.Type == event.TicketAssigned && n < len(t.Assignments) && t.Assignments[n].At.Equal(e.OccurredAt) &&
			t.Assignments[n].OPD == e.OPD:
			stay = n
			c.Moved, c.OPD, c.HeardAt = true, e.OPD, earliest(c.HeardAt, t.Assignments[n].HeardAt)
		case e.Type == event.TicketRejected && stay >= 0 && t.Assignments[stay].EndedAt.Equal(e.OccurredAt):
			c.Moved, c.OPD = true, ""
		}
		if c.Category != "" || c.Priority != "" || c.Moved || !c.Due.IsZero() {
			t.Changes = append(t.Changes, c)
		}
	}
}

// DefaultPriorities fills in the priority of each category where no event states one, and flags it; of gives a
// category's default, empty where it has none.
func (t *Ticket) DefaultPriorities(of func(category string) string) {
	for i := range t.Changes {
		if c := &t.Changes[i]; c.Category != "" {
			c.CategoryPriority = of(c.Category)
		}
	}
	category := t.Category
	if category == "" && t.CategoryBlanked {
		category = event.UnknownName
	}
	if t.Priority == "" && category != "" {
		if t.Priority = of(category); t.Priority != "" {
			t.AddFlag(FlagPriorityFromCategory)
		}
	}
}

// Raise gives the ticket at least that priority from an instant on; rank orders priorities, the most urgent highest.
func (t *Ticket) Raise(at time.Time, priority string, rank func(string) int) {
	i, _ := slices.BinarySearchFunc(t.Changes, at, func(c Change, at time.Time) int {
		if c.At.After(at) {
			return 1
		}
		return -1 // behind those of the same instant
	})
	t.Changes = slices.Insert(slices.Clip(t.Changes), i, Change{At: at, AtLeast: priority})
	if rank(priority) > rank(t.Priority) {
		t.Priority = priority
		t.AddFlag(FlagPriorityFromMember)
	}
}

// AddFlag adds a flag, once.
func (t *Ticket) AddFlag(flag string) { t.Flags = append(flagSet(t.Flags), flag).sorted() }
