// Package simulate owns an invented Sidoarjo: a call centre whose every event is drawn from a seed, and which knows
// what those events must add up to.
//
// A Generator is pure: it reads no clock, does no IO, and the same preset, seed and range give the same bytes on every
// machine. Two things keep it so: each purpose (arrivals, classes, talk times, ...) draws from its own stream, so that
// a new feature does not reshuffle the others, and durations come from quantile tables in integer arithmetic, because
// floating-point results may differ between processors. Memory is bounded by the cases still open, not by the range.
//
// The totals are counted from the simulated world itself, case by case as it is invented, and never from the messages:
// a duplicate, a repetition by a second source or a corrected slip changes messages, not totals. The package imports
// neither the fold nor the board nor the store, so that a test which compares the two compares two opinions.
//
// Run and Pace are the thin shell around it: they hand messages to a sender when their time has come.
package simulate
