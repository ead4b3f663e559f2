// Package wall owns the wallboard of a call floor: what it shows of the live board, the stream that brings changes to
// screens, and the page /papan. Its numbers are those of tracker.Snapshot, which the metrics show too. A display's link
// shows counts alone; whoever is signed in also sees which callers wait to be called back.
//
// The stream keeps the newest snapshot and no queue: a screen that falls behind misses those in between, and one that
// does not read is dropped and holds up nobody. Heartbeats go out only while the board is looked at, so that a number
// that stands still without reason turns grey.
package wall
