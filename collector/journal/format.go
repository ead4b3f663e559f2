package journal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Sizes and limits of the format; FORMAT.md has the layout.
const (
	segmentHeaderBytes = 64
	groupHeaderBytes   = 32
	recordHeaderBytes  = 4
	// maxGroupBytes bounds what a reader will allocate on the word of a length field.
	maxGroupBytes = 64 << 20

	segmentSuffix = ".seg"
	formatVersion = 1
)

var (
	segmentMagic = [8]byte{'M', '1', '1', '2', 'J', 'R', 'N', 'L'}
	// groupMagic starts every group, so that intact groups can be found again behind a damaged one.
	groupMagic = [4]byte{0xC1, 'G', 'R', 'P'}
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// segmentHeader is the first 64 bytes of a segment.
type segmentHeader struct {
	version uint32    // of the format; append always writes formatVersion
	birth   uuid.UUID // of the journal that the segment belongs to
	first   Position  // of the first group in this segment
	prevEnd Position  // what lies at or above it in earlier segments is void; below first only across a lost range
	seq     uint64    // counts the segments ever created; orders segments of equal first
	created time.Time
}

func (h segmentHeader) append(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, segmentMagic[:]...)
	dst = binary.LittleEndian.AppendUint32(dst, formatVersion)
	dst = binary.LittleEndian.AppendUint32(dst, 0)
	dst = append(dst, h.birth[:]...)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.first))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.prevEnd))
	dst = binary.LittleEndian.AppendUint64(dst, h.seq)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.created.UnixMilli()))
	binary.LittleEndian.PutUint32(dst[start+12:], crc32.Checksum(dst[start:], castagnoli))
	return dst
}

// parseSegmentHeader reads a header; the reason is empty when it is sound.
func parseSegmentHeader(b []byte) (h segmentHeader, reason string) {
	if len(b) < segmentHeaderBytes {
		return h, fmt.Sprintf("header has %d of %d bytes", len(b), segmentHeaderBytes)
	}
	var c [segmentHeaderBytes]byte
	copy(c[:], b)
	sum := binary.LittleEndian.Uint32(c[12:])
	binary.LittleEndian.PutUint32(c[12:], 0)
	switch {
	case [8]byte(c[:8]) != segmentMagic:
		return h, "not a segment of this program (wrong magic)"
	case crc32.Checksum(c[:], castagnoli) != sum:
		return h, "header checksum does not match"
	}
	h.version = binary.LittleEndian.Uint32(c[8:])
	copy(h.birth[:], c[16:32])
	h.first = Position(binary.LittleEndian.Uint64(c[32:]))
	h.prevEnd = Position(binary.LittleEndian.Uint64(c[40:]))
	h.seq = binary.LittleEndian.Uint64(c[48:])
	h.created = time.UnixMilli(int64(binary.LittleEndian.Uint64(c[56:]))).UTC()
	if h.prevEnd > h.first {
		return h, "header says that it begins before the end of its predecessor"
	}
	return h, ""
}

// segmentName sorts by first position, then by sequence.
func segmentName(first Position, seq uint64) string {
	return fmt.Sprintf("%020d-%010d%s", uint64(first), seq, segmentSuffix)
}

func parseSegmentName(name string) (first Position, seq uint64, ok bool) {
	stem, found := strings.CutSuffix(name, segmentSuffix)
	a, b, cut := strings.Cut(stem, "-")
	if !found || !cut || len(a) != 20 || len(b) != 10 {
		return 0, 0, false
	}
	f, err1 := strconv.ParseUint(a, 10, 64)
	s, err2 := strconv.ParseUint(b, 10, 64)
	return Position(f), s, err1 == nil && err2 == nil
}

// group is one atomic unit of the log.
type group struct {
	start Position
	time  time.Time
	count uint32
	body  []byte // records, each behind its length
	image []byte // header and body as they lie in the file
}

func (g group) end() Position { return g.start + groupHeaderBytes + Position(len(g.body)) }

// appendGroup encodes records as one group.
func appendGroup(dst []byte, start Position, at time.Time, records [][]byte) []byte {
	head := len(dst)
	dst = append(dst, make([]byte, groupHeaderBytes)...)
	for _, r := range records {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(r)))
		dst = append(dst, r...)
	}
	h := dst[head:]
	copy(h, groupMagic[:])
	binary.LittleEndian.PutUint64(h[8:], uint64(start))
	binary.LittleEndian.PutUint64(h[16:], uint64(at.UnixMilli()))
	binary.LittleEndian.PutUint32(h[24:], uint32(len(h)-groupHeaderBytes))
	binary.LittleEndian.PutUint32(h[28:], uint32(len(records)))
	binary.LittleEndian.PutUint32(h[4:], crc32.Checksum(h[8:], castagnoli))
	return dst
}

// groupBodyBytes reads the length of the body from a group header that is expected at position at; the reason is empty
// when the header can be that of a group there.
func groupBodyBytes(b []byte, at Position) (n int, reason string) {
	length := binary.LittleEndian.Uint32(b[24:])
	count := binary.LittleEndian.Uint32(b[28:])
	switch {
	case [4]byte(b[:4]) != groupMagic:
		return 0, "no group begins here"
	case Position(binary.LittleEndian.Uint64(b[8:])) != at:
		return 0, fmt.Sprintf("group says that it begins at position %d", binary.LittleEndian.Uint64(b[8:]))
	case length > maxGroupBytes:
		return 0, fmt.Sprintf("group of %d bytes, limit %d", length, maxGroupBytes)
	case uint64(count)*recordHeaderBytes > uint64(length):
		return 0, fmt.Sprintf("%d records in %d bytes", count, length)
	}
	return int(length), ""
}

// parseGroup reads the group that b begins with and that is expected at position at. The body aliases b.
func parseGroup(b []byte, at Position) (g group, reason string) {
	if len(b) == 0 {
		return g, "the file ends here"
	}
	if len(b) < groupHeaderBytes {
		return g, fmt.Sprintf("%d of %d bytes of a group's header", len(b), groupHeaderBytes)
	}
	n, reason := groupBodyBytes(b, at)
	if reason != "" {
		return g, reason
	}
	if len(b)-groupHeaderBytes < n {
		return g, fmt.Sprintf("group of %d bytes, only %d are there", n, len(b)-groupHeaderBytes)
	}
	whole := b[:groupHeaderBytes+n]
	if crc32.Checksum(whole[8:], castagnoli) != binary.LittleEndian.Uint32(whole[4:]) {
		return g, "group checksum does not match"
	}
	g = group{
		start: at,
		time:  time.UnixMilli(int64(binary.LittleEndian.Uint64(whole[16:]))).UTC(),
		count: binary.LittleEndian.Uint32(whole[28:]),
		body:  whole[groupHeaderBytes:],
		image: whole,
	}
	rest, seen := g.body, uint32(0)
	for ; len(rest) > 0; seen++ {
		if len(rest) < recordHeaderBytes {
			return g, "records do not fill the group"
		}
		size := binary.LittleEndian.Uint32(rest)
		if uint64(size) > uint64(len(rest)-recordHeaderBytes) {
			return g, "record longer than its group"
		}
		rest = rest[recordHeaderBytes+int(size):]
	}
	if seen != g.count {
		return g, fmt.Sprintf("%d records, header says %d", seen, g.count)
	}
	return g, ""
}

// nextRecord cuts the first record off a sound group's body.
func nextRecord(body []byte) (record, rest []byte) {
	n := recordHeaderBytes + int(binary.LittleEndian.Uint32(body))
	return body[recordHeaderBytes:n:n], body[n:]
}
