// Package mapping turns the cells of a row into events. A Mapping, written in YAML, says which columns of a table make
// which events, how their texts are read as times, numbers and telephone numbers, and how local times become instants.
// Propose writes a mapping for a file by its header and first rows.
//
// It is for tables alone: nothing of it sends, or remembers what was sent. A row that it refuses is told by masked
// text.
package mapping
