package metrics

import (
	"slices"
	"time"
)

// The classic bucket bounds, in seconds. Each contains the thresholds of its interval exactly, so that "within 15 s" is
// a bucket's count and no estimate. They are functions and not variables, so that nobody can change them.

func answerBounds() []float64     { return []float64{5, 10, 15, 20, 30, 40, 60, 90, 120} }
func processingBounds() []float64 { return []float64{30, 60, 64, 90, 120, 180} }
func acknowledgeBounds() []float64 {
	return []float64{60, 120, 180, 300, 600, 900, 1800, 3600}
}
func arrivalBounds() []float64 {
	return []float64{300, 420, 600, 900, 1200, 1800, 2700, 3600}
}

func resolutionBounds() []float64 {
	const hour, day = 3600, 24 * 3600
	return []float64{
		0.5 * hour, 1 * hour, 2 * hour, 4 * hour, 8 * hour, 24 * hour, 3 * day, 5 * day, 14 * day, 30 * day, 60 * day,
	}
}

// talkBounds has no law behind it: talks of a few seconds (silent, dropped) apart from those of minutes.
func talkBounds() []float64 { return []float64{5, 15, 30, 60, 120, 180, 300, 600, 900, 1800} }

// ticketBounds is the union of the bounds of all intervals of a ticket. One histogram name must have one bucket set,
// else a sum over the interval label would add buckets that do not mean the same.
func ticketBounds() []float64 {
	b := slices.Concat(processingBounds(), acknowledgeBounds(), arrivalBounds(), resolutionBounds())
	slices.Sort(b)
	return slices.Compact(b)
}

// ioBounds suits fsyncs, inserts and requests: 0.5 ms to 30 s.
func ioBounds() []float64 {
	return []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
}

// Native histograms: about 10 % between neighbouring bounds, at most 160 buckets, then resolution is halved.
const (
	nativeFactor     = 1.1
	nativeMaxBuckets = 160
	nativeMinReset   = time.Hour
)

type namedBounds struct {
	name   string
	bounds []float64
}

// bucketBounds gives every histogram its classic bounds.
func bucketBounds() []namedBounds {
	return []namedBounds{
		{"call_answer_seconds", answerBounds()},
		{"call_classify_seconds", processingBounds()},
		{"call_talk_seconds", talkBounds()},
		{"ticket_interval_seconds", ticketBounds()},
		{"journal_append_seconds", ioBounds()},
		{"store_insert_seconds", ioBounds()},
		{"http_request_seconds", ioBounds()},
	}
}
