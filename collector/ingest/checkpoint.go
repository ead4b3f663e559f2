package ingest

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/google/uuid"

	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/internal/faultpoint"
	"github.com/monev112/monev112/collector/journal"
)

// A checkpoint file, little-endian:
//
//	0   magic "M112CKPT"
//	8   version (4 bytes), 0 (4 bytes)
//	16  UUID of the journal
//	32  position: every event before it is in this checkpoint, none after
//	40  when it was taken, Unix milliseconds
//	48  remembered ids: key of their hash (32), own time (4), count (8), entries of 28 bytes
//	..  the board's own stream
//	-8  XXH64 of all before
//
// It is written beside and renamed. The one before is kept, so that damage to the newest costs a longer replay, not the
// state; ReplayFloor keeps the journal long enough for that.
const (
	checkpointName    = "checkpoint"
	previousName      = "checkpoint.previous"
	unfinishedName    = "checkpoint.new"
	ignoredSuffix     = ".ignored"
	checkpointVersion = 1
	checkpointHeader  = 48
)

var checkpointMagic = [8]byte{'M', '1', '1', '2', 'C', 'K', 'P', 'T'}

type checkpointHead struct {
	uuid     uuid.UUID
	position journal.Position
	takenAt  time.Time
}

// ReplayFloor returns the position from which a restart may have to replay. Segments of the journal at or above it must
// be kept, shipped or not.
func (l *Loop) ReplayFloor() journal.Position {
	l.ckptMu.Lock()
	defer l.ckptMu.Unlock()
	return l.floor
}

// startCheckpoint takes the copies now and writes them on another goroutine, unless one is being written or nothing is
// new.
func (l *Loop) startCheckpoint() {
	if l.ckptBusy || l.applied == l.currentCheckpoint() {
		return
	}
	l.ckptBusy, l.ckptFrom = true, l.applied
	write := l.checkpointWriter()
	go func() { l.ckptDone <- write() }()
}

func (l *Loop) currentCheckpoint() journal.Position {
	l.ckptMu.Lock()
	defer l.ckptMu.Unlock()
	return l.current
}

func (l *Loop) endCheckpoint(err error) {
	l.ckptBusy = false
	if err != nil {
		l.cfg.Logger.Error("checkpoint not written; a restart replays more of the journal", "error", err)
	}
}

// lastCheckpoint is the one of a clean stop.
func (l *Loop) lastCheckpoint() error {
	if l.ckptBusy {
		l.endCheckpoint(<-l.ckptDone)
	}
	if l.applied == l.currentCheckpoint() {
		return nil
	}
	err := l.checkpointWriter()()
	l.endCheckpoint(err)
	return err
}

// checkpointWriter copies what must be remembered, as of now, and returns the function that writes it.
func (l *Loop) checkpointWriter() func() error {
	head := checkpointHead{uuid: l.jrn.UUID(), position: l.applied, takenAt: l.cfg.Now()}
	ids := l.seen.snapshot(l.seenNow())
	board := l.board.Checkpoint()
	return func() error { return l.writeCheckpoint(head, ids, board) }
}

func (l *Loop) writeCheckpoint(head checkpointHead, ids seenSnapshot, board func(io.Writer) error) error {
	path := func(name string) string { return filepath.Join(l.cfg.Dir, name) }
	err := disk.Replace(l.cfg.FS, path(unfinishedName), 0o600, func(w io.Writer) error {
		sum := xxhash.New()
		summed := bufio.NewWriterSize(io.MultiWriter(w, sum), 64<<10)
		b := append([]byte(nil), checkpointMagic[:]...)
		b = binary.LittleEndian.AppendUint64(b, checkpointVersion)
		b = append(b, head.uuid[:]...)
		b = binary.LittleEndian.AppendUint64(b, uint64(head.position))
		b = binary.LittleEndian.AppendUint64(b, uint64(head.takenAt.UnixMilli()))
		if _, err := summed.Write(b); err != nil {
			return err
		}
		if err := ids.write(summed); err != nil {
			return err
		}
		if err := board(summed); err != nil {
			return fmt.Errorf("board: %w", err)
		}
		if err := summed.Flush(); err != nil {
			return err
		}
		_, err := w.Write(binary.LittleEndian.AppendUint64(nil, sum.Sum64()))
		return err
	})
	if err != nil {
		return err
	}
	faultpoint.Hit("checkpoint.write")
	if err := l.cfg.FS.Rename(path(checkpointName), path(previousName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("keep the previous checkpoint: %w", err)
	}
	faultpoint.Hit("checkpoint.rename")
	if err := l.cfg.FS.Rename(path(unfinishedName), path(checkpointName)); err != nil {
		return fmt.Errorf("name the checkpoint: %w", err)
	}
	if err := l.cfg.FS.SyncDir(l.cfg.Dir); err != nil {
		return fmt.Errorf("fsync of the checkpoint's folder: %w", err)
	}
	faultpoint.Hit("checkpoint.done")
	l.ckptMu.Lock()
	defer l.ckptMu.Unlock()
	l.floor, l.current = l.current, head.position
	return nil
}

// CheckpointPosition returns the journal and position of the newest checkpoint in dir that is whole, for
// journal.Options.Expect. It is false when there is none.
func CheckpointPosition(fsys disk.FS, dir string) (uuid.UUID, journal.Position, bool) {
	for _, name := range []string{checkpointName, previousName} {
		if f, head, _, err := openCheckpoint(fsys, dir, name); err == nil {
			_ = f.Close() // only read
			return head.uuid, head.position, true
		}
	}
	return uuid.UUID{}, 0, false
}

// ForgetCheckpoints sets the checkpoints in dir aside, for who gives up records of the journal. A checkpoint remembers
// their ids and applied them: senders that repeat them would be told that they are duplicates, and ClickHouse would
// never get them. Without a checkpoint ids and board are what journal and ClickHouse hold.
func ForgetCheckpoints(fsys disk.FS, dir string) error {
	for _, name := range []string{checkpointName, previousName} {
		path := filepath.Join(dir, name)
		if err := fsys.Rename(path, path+ignoredSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("set the checkpoint aside: %w", err)
		}
	}
	if err := fsys.SyncDir(dir); err != nil {
		return fmt.Errorf("set the checkpoint aside: fsync of the folder: %w", err)
	}
	return nil
}

// RemoveIgnored deletes the checkpoints in dir that were set aside. Nothing reads them, and what retention has blanked
// since still stands in them.
func RemoveIgnored(fsys disk.FS, dir string) error {
	for _, name := range []string{checkpointName, previousName} {
		if err := fsys.Remove(filepath.Join(dir, name+ignoredSuffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("delete a checkpoint that was set aside: %w", err)
		}
	}
	return nil
}

// openCheckpoint opens a checkpoint that is whole; size is without the sum.
func openCheckpoint(fsys disk.FS, dir, name string) (f disk.File, head checkpointHead, size int64, err error) {
	if f, err = fsys.OpenFile(filepath.Join(dir, name), 0, 0); err != nil {
		return nil, head, 0, err
	}
	if head, size, err = checkCheckpoint(f); err != nil {
		_ = f.Close() // only read
	}
	return f, head, size, err
}

// checkCheckpoint reads the header and checks the sum of the whole file; size is without the sum.
func checkCheckpoint(f disk.File) (head checkpointHead, size int64, err error) {
	total, err := f.Size()
	if err != nil {
		return head, 0, err
	}
	size = total - 8
	if size < checkpointHeader {
		return head, 0, fmt.Errorf("only %d bytes", total)
	}
	b := make([]byte, checkpointHeader)
	if _, err := f.ReadAt(b, 0); err != nil {
		return head, 0, err
	}
	if [8]byte(b[:8]) != checkpointMagic {
		return head, 0, errors.New("not a checkpoint of this program")
	}
	if v := binary.LittleEndian.Uint64(b[8:]); v != checkpointVersion {
		return head, 0, fmt.Errorf("version %d, this program reads %d", v, checkpointVersion)
	}
	head.uuid = uuid.UUID(b[16:32])
	head.position = journal.Position(binary.LittleEndian.Uint64(b[32:]))
	head.takenAt = time.UnixMilli(int64(binary.LittleEndian.Uint64(b[40:]))).UTC()
	hash := xxhash.New()
	if _, err := io.CopyBuffer(hash, io.NewSectionReader(f, 0, size), make([]byte, 256<<10)); err != nil {
		return head, 0, err
	}
	if _, err := f.ReadAt(b[:8], size); err != nil && !errors.Is(err, io.EOF) {
		return head, 0, err
	}
	if hash.Sum64() != binary.LittleEndian.Uint64(b) {
		return head, 0, errors.New("checksum does not match")
	}
	return head, size, nil
}

// readCheckpoint fills ids and board from a checkpoint. After an error both are empty.
func (l *Loop) readCheckpoint(name string) (checkpointHead, error) {
	f, head, size, err := openCheckpoint(l.cfg.FS, l.cfg.Dir, name)
	if err != nil {
		return head, err
	}
	defer f.Close()
	if err := l.usable(head); err != nil {
		return head, err
	}
	r := bufio.NewReaderSize(io.NewSectionReader(f, checkpointHeader, size-checkpointHeader), 256<<10)
	ids, now, err := readSeen(r, l.cfg.SeenMax, l.cfg.SeenFor)
	if err != nil {
		return head, err
	}
	if err := l.board.ReadCheckpoint(r); err != nil {
		return head, fmt.Errorf("board: %w", err)
	}
	l.seen, l.seenBase = ids, now
	return head, nil
}

// usable returns why a replay cannot go on from a checkpoint, nil when it can.
func (l *Loop) usable(head checkpointHead) error {
	st := l.jrn.Stats()
	switch {
	case !l.jrn.Continues(head.uuid):
		return fmt.Errorf("it belongs to journal %s, this is %s", head.uuid, l.jrn.UUID())
	case head.position > st.End:
		return fmt.Errorf("its position %d is beyond the journal's end %d", head.position, st.End)
	case head.position < st.First:
		return fmt.Errorf("its position %d is before the journal's first %d", head.position, st.First)
	case l.jrn.Gap(head.position):
		// ClickHouse may hold what lay there. A board that trusts the checkpoint would take such a case for new, or for
		// complete, and store less of it than there is.
		return fmt.Errorf("records behind its position %d are lost: cases are read back from ClickHouse", head.position)
	}
	return nil
}
