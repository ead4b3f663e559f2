package store

import (
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
)

// Over the native protocol the server names the types of a block, not we: what is appended must fit those too. No
// recent server can be had for tests; this is the half of that path that needs none.
func TestBlocksFitTheTypesOfTheTables(t *testing.T) {
	s := open(t)
	lat := 1.5
	ticket := ticketRow{Scope: "own",
		Ticket: &casefile.Ticket{Key: ticketKey("a"), OPD: "x", OpenedAt: clockStart, Lat: &lat, Lon: &lat,
			Calls:       []string{"c"},
			Assignments: []casefile.Assignment{{OPD: "x", At: clockStart}, {At: clockStart, EndedAt: clockStart.Add(time.Hour)}},
			Pauses:      []casefile.Pause{{From: clockStart, Reason: "cuaca"}}, Flags: []string{"f"}, Events: 1}}
	clock, call := rapid.Custom(drawClock).Example(1), rapid.Custom(drawCall).Example(1)
	for _, b := range []block{
		eventBlock([]*event.Event{drawEvent(1).Example(3), {}}),
		s.callBlock([]*casefile.Call{&call, {}}, 1),
		s.ticketBlock([]ticketRow{ticket, {Ticket: &casefile.Ticket{}}}, 1),
		s.clockBlock([]*sla.Clock{&clock, {}}, 1),
	} {
		types := map[string]string{}
		err := s.query(t.Context(), "test",
			"SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = "+quote(b.table),
			func(scan func(...any) error) error {
				var name, typ string
				err := scan(&name, &typ)
				types[name] = typ
				return err
			})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range b.columns {
			col, err := column.Type(types[c.name]).Column(c.name, &column.ServerContext{})
			if err != nil {
				t.Errorf("%s.%s %s: %v", b.table, c.name, types[c.name], err)
				continue
			}
			if err := c.append(memoryColumn{col}); err != nil || col.Rows() != 2 {
				t.Errorf("%s.%s %s: %d rows, %v", b.table, c.name, types[c.name], col.Rows(), err)
			}
		}
	}
}
