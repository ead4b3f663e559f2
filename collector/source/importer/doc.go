// Package importer sends the rows of files as events: it reads tables, maps their rows and submits the events in
// batches. Every row either becomes all of its events or is refused with its place and a reason: a row is never half
// sent. The id of an event depends on the case and the type of the event alone, so that the same file imported twice,
// or with its rows shuffled, gives the same events. It remembers what it sent, so that a row that has changed since
// becomes a correction.
//
// The package gives a caller's number, a name or free text to nobody but the collector, which replaces the number on
// entry: what is reported about a refused row is masked.
package importer
