// Package journal owns the log on which every acknowledgement of this program rests: segmented, checksummed,
// append-only, one write and one fsync per group of records. It knows nothing of events: a record is a string of bytes.
//
// FORMAT.md beside the code says what lies on disk and why each rule is there. The short of it:
//
//   - A Position is a byte offset over all segments. It never comes to mean something else: not after a failed write, a
//     failed fsync, a crash, or a tail that was cut.
//   - Readers see only what an fsync has covered.
//   - A file is appended to only by the process that created it, and never again after one failed write or fsync.
//   - A group is there whole or not at all.
package journal

import "strconv"

// FolderName is the name of the journal's folder in the data folder.
const FolderName = "journal"

// Position is a logical byte offset over all segments of one journal, from 0 at its creation. The position of a record
// is where it ends; a group's first byte is where the group before it ends. Positions only grow.
type Position uint64

// String returns the offset in decimal digits.
func (p Position) String() string { return strconv.FormatUint(uint64(p), 10) }

// FirstRecord returns where the first record of a group that starts at p begins: the position that AfterRecord takes.
func FirstRecord(p Position) Position { return p + groupHeaderBytes }

// AfterRecord returns the position after a record of n bytes that begins at p, the same that Reader reports for it.
func AfterRecord(p Position, n int) Position { return p + recordHeaderBytes + Position(n) }
