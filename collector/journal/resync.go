package journal

import "bytes"

// findGroup looks for the first sound group that begins in [from, below) of a segment's image. Magic, its own position
// and a checksum must agree, so that bytes of a record that look like a group are not taken for one.
func findGroup(image []byte, first, from, below Position) (Position, bool) {
	for off := fileOffset(first, from); off < int64(len(image)); off++ {
		i := bytes.Index(image[off:], groupMagic[:])
		if i < 0 {
			return 0, false
		}
		off += int64(i)
		at := first + Position(off-segmentHeaderBytes)
		if at >= below {
			return 0, false
		}
		if _, reason := parseGroup(image[off:], at); reason == "" {
			return at, true
		}
	}
	return 0, false
}
