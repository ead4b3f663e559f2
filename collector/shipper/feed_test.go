package shipper

import (
	"testing"
	"time"
)

func TestABatchLingersFromWhenItsFirstEventWasAppended(t *testing.T) {
	f := feed{linger: func() time.Duration { return 200 * time.Millisecond }, now: func() time.Time { return noon }}
	for name, c := range map[string]struct {
		appended time.Time
		want     time.Duration
	}{
		"just now":                 {noon, 200 * time.Millisecond},
		"a while ago":              {noon.Add(-150 * time.Millisecond), 50 * time.Millisecond},
		"long ago":                 {noon.Add(-time.Hour), 0},
		"before the clock stepped": {noon.Add(time.Hour), 200 * time.Millisecond},
		"no time":                  {time.Time{}, 0},
	} {
		if got := f.lingerFor(c.appended); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
