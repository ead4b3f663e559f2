package simulate

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Preset names a simulated world.
type Preset string

// The presets.
const (
	// Sidoarjo2023 is January to October 2023: exactly 40,318 calls, all answered and classified. 32,543 are prank, 1,597
	// lead to one ticket each of an OPD of the regency, 6,178 to one ticket each of a vertical agency. Hoax calls open no
	// ticket, so there is no prank_palsu (by definition a false event that reached an OPD), and the funnel closes.
	Sidoarjo2023 Preset = "sidoarjo-2023"
	// Live has all the variety of a busy floor and of imperfect feeds.
	Live Preset = "live"
	// Load is many small cases of six events each, for benchmarks and torture.
	Load Preset = "load"
)

// Presets returns all presets.
func Presets() []Preset { return []Preset{Sidoarjo2023, Live, Load} }

// Limits of Options. Above them nothing breaks but the figures stop looking like a call centre.
const (
	MaxRate      = 100_000
	MaxTimeScale = 10_000
	MaxAgents    = 900 // of all shifts together
	MaxCases     = 100_000_000
)

// ErrOptions is wrapped by every refusal of New.
var ErrOptions = errors.New("simulation")

// Options says which part of a preset is wanted. The zero value is right for Sidoarjo2023; the others need From.
type Options struct {
	Seed   uint64    // 0 means 1
	Center string    // code of the centre; empty means 35.15
	From   time.Time // calls received from here on
	// and before this; zero means without end (Sidoarjo2023: 1 November 2023). Later events of these calls run past it.
	To time.Time
	// multiplies the volume of calls: 1 is the real Sidoarjo. 0 means 40 for Live and 1 for Load; Sidoarjo2023 takes 1
	// only
	Rate      float64
	TimeScale float64 // divides the durations of Live's tickets, so that a demo sees whole lives. 0 means 1
	Cases     int64   // Load: how many cases; 0 means as many as fit between From and To
}

// withDefaults returns the options with every default filled in, or says what is wrong.
func (o Options) withDefaults(p Preset) (Options, error) {
	refuse := func(format string, args ...any) (Options, error) {
		return Options{}, fmt.Errorf("%w: "+format, append([]any{ErrOptions}, args...)...)
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Center == "" {
		o.Center = "35.15"
	}
	for _, c := range o.Center {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '.' && c != '-' && c != '_' {
			return refuse("center %q: give its code, letters, digits, dot, dash and underscore", o.Center)
		}
	}
	if math.IsNaN(o.Rate) || o.Rate < 0 || o.Rate > MaxRate {
		return refuse("rate %v: give a number from 0.001 to %d", o.Rate, MaxRate)
	}
	if o.TimeScale == 0 {
		o.TimeScale = 1
	}
	if math.IsNaN(o.TimeScale) || o.TimeScale < 1 || o.TimeScale > MaxTimeScale {
		return refuse("time scale %v: give a number from 1 to %d", o.TimeScale, MaxTimeScale)
	}
	if o.Cases < 0 || o.Cases > MaxCases {
		return refuse("%d cases: give a number from 0 to %d", o.Cases, MaxCases)
	}
	if o.Cases > 0 && p != Load {
		return refuse("a number of cases is for the preset %s only", Load)
	}
	switch p {
	case Sidoarjo2023:
		if o.Rate != 0 && o.Rate != 1 {
			return refuse("the preset %s has published totals and takes no rate; leave it out", p)
		}
		if o.TimeScale != 1 {
			return refuse("the preset %s takes no time scale; leave it out", p)
		}
		o.Rate = 1
		start, end := span2023()
		if o.From.IsZero() || o.From.Before(start) {
			o.From = start
		}
		if o.To.IsZero() || o.To.After(end) {
			o.To = end
		}
	case Live:
		if o.Rate == 0 {
			o.Rate = 40
		}
	case Load:
		if o.Rate == 0 {
			o.Rate = 1
		}
		if o.Cases == 0 && o.To.IsZero() {
			o.Cases = MaxCases
		}
	default:
		return refuse("no preset %q: there are %v", p, Presets())
	}
	if o.Rate < 0.001 {
		return refuse("rate %v: give a number from 0.001 to %d", o.Rate, MaxRate)
	}
	if o.From.IsZero() {
		return refuse("the preset %s needs a time to start from", p)
	}
	if !o.To.IsZero() && !o.From.Before(o.To) {
		return refuse("from %s is not before to %s", o.From.Format(time.RFC3339), o.To.Format(time.RFC3339))
	}
	return o, nil
}

// span2023 is January to October 2023 in WIB, the end excluded.
func span2023() (from, to time.Time) {
	return time.Date(2023, 1, 1, 0, 0, 0, 0, wib()), time.Date(2023, 11, 1, 0, 0, 0, 0, wib())
}
