package journal

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/monev112/monev112/collector/internal/disk"
)

// InspectOn is Inspect on a disk that tests can make fail.
var InspectOn = inspectRecords

// VerifyOn is Verify on a disk that tests can make fail.
func VerifyOn(fsys disk.FS, dir string) (Report, error) { return inspectRecords(fsys, dir, nil) }

// FixChecksum makes the checksum of the group that b begins with right, as far as its length can be believed.
func FixChecksum(b []byte) {
	if len(b) < groupHeaderBytes {
		return
	}
	n := min(len(b), groupHeaderBytes+int(min(binary.LittleEndian.Uint32(b[24:]), 1<<20)))
	binary.LittleEndian.PutUint32(b[4:], crc32.Checksum(b[8:n], castagnoli))
}
