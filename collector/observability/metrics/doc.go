// Package metrics is the Prometheus face of monev112 and the one home of metric names.
//
// Two things move it. Counters and histograms move on outcomes of live events (Observe); they serve rates. Gauges of
// the board are computed at scrape from a tracker.Snapshot (SetBoard); they are exact and are derived from no counter.
// Packages that do IO hand their figures over through small values (Journal, Store, Shipper, Pager, Calendar, HTTP), so
// that no other package spells a metric's name.
//
// Every label set is closed and created at start: a value outside it becomes "unknown" (names of places, people's
// offices and codes) or "other" (reasons and keys), so that an id never becomes a label, a sender cannot make series,
// and the first failure is visible to increase(). Definitions lists everything; docs/metrics.md is made from it.
//
// The package never reads an event, stores nothing and decides nothing.
package metrics
