package journal

import (
	"errors"
	"fmt"

	"github.com/monev112/monev112/collector/internal/disk"
)

// Errors that a caller decides on.
var (
	// ErrLocked says that another process has the folder open.
	ErrLocked = disk.ErrLocked
	// ErrUnavailable says that nothing of the group was acknowledged because the disk could not take it; the same group
	// may be appended later.
	ErrUnavailable = errors.New("journal cannot write")
	// ErrDiskFull is the cause of an ErrUnavailable when less than Options.MinFreeBytes would be left.
	ErrDiskFull = errors.New("free space below the floor")
	// ErrTooLarge says that a group can never be appended: it is above Options.GroupBytes.
	ErrTooLarge = errors.New("group above the limit")
	// ErrClosed says that the journal was closed.
	ErrClosed = errors.New("journal closed")
	// ErrNotBoundary says that a position lies inside a record or beyond the end.
	ErrNotBoundary = errors.New("not the position of a record")
)

// CorruptError names a place at which the journal's bytes are not what was written. Readers stop there until an
// operator passes over it with SkipDamage or Renew.
type CorruptError struct {
	Segment  string   // file name, without the folder
	Offset   int64    // byte offset in the file; 0 is the segment's header
	Position Position // logical position of the damaged group
	// To is where the next sound group begins, or the next segment: SkipDamage gives up what lies before it. Only Inspect
	// sets it.
	To     Position `json:",omitempty"`
	Reason string
	// Misplaced says that the file is sound, but not the segment that belongs there: no repair can tell which does.
	Misplaced bool `json:",omitempty"`
}

// Error names segment, offset, position, reason and remedy.
func (e *CorruptError) Error() string {
	remedy := fmt.Sprintf("stop the service and run monev112 journal skip --at %d --dry-run", e.Position)
	if e.Misplaced {
		remedy = "bring the right file back, or move this one out of the folder and run monev112 journal verify"
	}
	return fmt.Sprintf("journal corrupt: segment %s, offset %d (position %d): %s; %s", e.Segment, e.Offset, e.Position,
		e.Reason, remedy)
}

// GoneError says that the records at a position are not there any more: Retain deleted them, or their segment is
// missing.
type GoneError struct {
	Asked, First Position
}

// Error names what was asked for and what is there.
func (e *GoneError) Error() string {
	return fmt.Sprintf(
		"position %d is no longer kept, the journal begins at %d; if segments are missing, bring them back or "+
			"run monev112 journal renew", e.Asked, e.First)
}
