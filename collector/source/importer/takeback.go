package importer

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// splitVersion takes the id of a version apart: that of revision 0, the revision and its hash.
func splitVersion(id string) (base string, revision uint32, hash uint64) {
	if at := strings.LastIndex(id, "~r"); at > 0 {
		if n, h, ok := parseVersion(id[:at], id); ok {
			return id[:at], n, h
		}
	}
	return id, 0, 0
}

// WithdrawalID is the id and the revision of the event that takes back the one of that id, whoever sends it: an import
// takes it for a version of the event, so that the next content follows it.
func WithdrawalID(id string) (string, uint32) {
	base, revision, _ := splitVersion(id)
	of := versionID(base, revision+1, withdrawnHash)
	if len(of) > event.MaxIDBytes { // no import made this one
		sum := sha256.Sum256([]byte(id))
		return "withdrawn-" + event.Letters(sum[:16]), 1
	}
	return of, revision + 1
}

// Memory is what imports of one source into one collector remember, for others who take its events back.
type Memory struct{ m *memory }

// OpenMemory opens the memory in a state folder, and keeps imports of the source waiting until Close. Unless Save comes
// first, the next import asks the collector what it holds.
func OpenMemory(dir, server, source, center string) (*Memory, error) {
	m, err := openMemory(dir, memoryKey{Server: server, Source: source, Center: center}, defaultStateIDs)
	if err != nil {
		return nil, err
	}
	return &Memory{m}, nil
}

// Withdrawn notes that the collector holds no such event any more. subject is such as ticket/T-1.
func (m *Memory) Withdrawn(id, subject string, at time.Time) {
	base, revision, hash := splitVersion(id)
	v := version{
		previous: hash, revision: revision + 1, row: at.UnixMilli(), subject: noted(base, subject),
	}
	e, ok := m.m.entry(base)
	switch {
	case !ok, e.held && e.revision > revision:
		return
	case e.held:
		v.row, v.previous, v.file = e.row, e.hash, e.file
	}
	m.m.accepted(e, &v)
}

// Save writes the memory down. Where an import before did not come to its end, the next one still asks the collector.
func (m *Memory) Save() error {
	err := m.m.save()
	if err == nil && m.m.marked {
		err = m.m.mark()
	}
	return err
}

// Close lets imports go on.
func (m *Memory) Close() { m.m.close() }

// Forget makes the next import of a source ask the collector what it holds; where none has a memory, that does so
// anyway. It fails while an import of the source runs.
func Forget(dir, server, source, center string) error {
	path := memoryPath(dir, memoryKey{Server: server, Source: source, Center: center})
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	m, err := OpenMemory(dir, server, source, center)
	if err == nil {
		m.Close()
	}
	return err
}
