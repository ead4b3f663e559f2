package web

import (
	"context"
	"errors"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/store/lookup"
	"github.com/monev112/monev112/collector/tracker"
)

// TicketOf returns the function Ticket of a Config that looks tickets up on the board and in ClickHouse.
func TicketOf(cases *lookup.Cases) func(ctx context.Context, center, id string) (tracker.Row, []*event.Event, bool,
	error) {
	return func(ctx context.Context, center, id string) (tracker.Row, []*event.Event, bool, error) {
		found, err := cases.Find(ctx, event.KindTicket, center, id)
		if away := (*store.UnavailableError)(nil); errors.As(err, &away) {
			err = errors.Join(ErrUnavailable, err)
		}
		if err != nil || len(found) == 0 {
			return tracker.Row{}, nil, false, err
		}
		return found[0].Row, found[0].Events, true, nil
	}
}
