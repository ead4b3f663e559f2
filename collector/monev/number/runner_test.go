package number

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/deploy"
)

// behind is a database whose roll-ups know only half of the calls until they are flushed.
type behind struct {
	flushed bool
	err     error
}

func (d *behind) FlushRollups(context.Context) error {
	d.flushed = d.err == nil
	return d.err
}

func (d *behind) FiguresBetween(context.Context, string, time.Time, time.Time, store.FigureTargets,
	time.Time) ([]store.Figure, error) {
	return nil, nil
}

func (d *behind) CallCounts(_ context.Context, _ string, _, _, asOf time.Time) (map[string]int64, error) {
	if d.flushed || !asOf.IsZero() {
		return published, nil
	}
	half := map[string]int64{}
	for name, n := range published {
		half[name] = n / 2
	}
	half["prank"] -= 5000
	return half, nil
}

// A number is looked for in the calls as they are, not in roll-ups that lag behind them while an import runs.
func TestRollUpsAreFlushedBeforeANumberIsLookedFor(t *testing.T) {
	dir := directory.MustLoad("directory.yaml", deploy.Directory)
	q := Request{Value: "80.7%", Since: "2023-01-01", Until: "2023-11-01"}
	got, err := NewRunner(&behind{}, dir).Result(t.Context(), q)
	if err != nil || len(got.Fits) == 0 {
		t.Errorf("%+v %v", got, err)
	}
	away := &behind{err: errors.New("away")}
	if _, err := NewRunner(away, dir).Result(t.Context(), q); !errors.Is(err, away.err) {
		t.Errorf("not flushed: %v", err)
	}
	q.AsOf = time.Date(2023, 11, 30, 0, 0, 0, 0, time.UTC)
	if got, err := NewRunner(away, dir).Result(t.Context(), q); err != nil || len(got.Fits) == 0 {
		t.Errorf("as of an instant: %+v %v", got, err)
	}
}
