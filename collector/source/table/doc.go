// Package table reads tables (CSV today, workbooks later) and turns their rows into events by a mapping.
//
// A Reader yields rows with their line numbers; a Mapping, written in YAML, says which columns make which events;
// Import joins the two and sends the events to a monev112 server. Every row either becomes all of its events or is
// refused with its place and a reason: a row is never half emitted. The id of an event depends on the case and the type
// of the event alone, so that the same file imported twice, or with its rows shuffled, gives the same events.
//
// The package never writes a caller's number, a name or free text anywhere but to the server, which replaces the number
// at its door: what is reported about a refused row is masked.
package table
