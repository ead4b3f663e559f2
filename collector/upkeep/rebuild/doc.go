// Package rebuild folds the cases of a period again from their events in ClickHouse, computes their clocks by the
// policy and calendar in force now, writes what changed, and counts what that did to the figures.
//
// It owns the job: what was asked, how far it has come, what changed so far. A job stands in a file that is replaced
// before and after each portion of cases, so that a stop at any instant, of the client or of the service, costs nothing
// and counts nothing twice. It never writes a case row itself: each portion is read, compared and handed over on the
// goroutine of the only writer, between two batches of live events.
package rebuild
