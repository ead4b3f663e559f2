package httpapi

import (
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/sla"
)

// ReadsOf returns what answers are made with: names from the directory, clocks as the book reads them.
func ReadsOf(dir *directory.Directory, book *sla.Book) Reads {
	return Reads{
		Clock: func(c *sla.Clock, t *casefile.Ticket, now time.Time, lang string, explain bool) ClockReading {
			r := ClockReading{State: c.State(now), UsedRatio: book.UsedRatio(c, now)}
			if r.State == sla.Unobserved {
				r.UsedRatio = 0
			}
			if explain {
				r.Explain = book.Explain(c, t, dir.Scopes(c.Key.Center), now, lang)
			}
			return r
		},
		CenterName: func(center string) string {
			c, _ := dir.Center(center)
			return c.Name
		},
		OPDID: func(center, opd string) string {
			if id, known := dir.ResolveOPD(center, opd); known {
				return id
			}
			return ""
		},
		OPDName: func(center, opd string) string {
			id, _ := dir.ResolveOPD(center, opd)
			o, _ := dir.OPD(center, id)
			return o.Name
		},
	}
}
