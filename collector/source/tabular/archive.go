package tabular

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
)

// maxDirectoryBytes bounds the directory at the end of a zip archive. It is held in memory whole, with up to six times
// its size for each entry: so an archive costs at most about 16 MiB before its limits are looked at, whatever it claims
// and whatever its size. The directory of a workbook of maxParts files has about half of it.
const maxDirectoryBytes = 2 << 20

var errDirectory = fmt.Errorf("the archive lists more than %d files, or in more than %d bytes: it is no workbook; "+
	"nothing of it was read", maxParts, maxDirectoryBytes)

// openArchive opens a zip archive. The error is errDirectory when its directory is larger than a workbook's may be.
func openArchive(name string) (_ *os.File, _ *zip.Reader, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if err := checkDirectory(f, info.Size()); err != nil {
		return nil, nil, err
	}
	// What the end of the archive says of its directory may be false: package zip reads entries for as long as there are.
	bounded := &boundedReaderAt{f, maxDirectoryBytes + 2*maxEndBytes}
	z, err := zip.NewReader(bounded, info.Size())
	bounded.left = math.MaxInt64
	return f, z, err
}

// boundedReaderAt fails with errDirectory once more than left bytes were read.
type boundedReaderAt struct {
	io.ReaderAt
	left int64
}

// ReadAt implements io.ReaderAt.
func (r *boundedReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if r.left -= int64(len(p)); r.left < 0 {
		return 0, errDirectory
	}
	return r.ReaderAt.ReadAt(p, off)
}

// The records at the end of a zip archive (APPNOTE 4.3.14 to 4.3.16): the end of the directory, before it in a large
// archive where to find the end in 64 bits.
const (
	maxEndBytes    = 65 << 10 // the end with its comment
	endBytes       = 22
	locatorBytes   = 20
	end64Bytes     = 56
	endMagic       = "PK\x05\x06"
	locatorMagic   = "PK\x06\x07"
	entriesAt      = 10 // in the end: 2 bytes; the directory's size follows in 4
	end64EntriesAt = 32 // in the end in 64 bits: 8 bytes; the size follows in 8
)

// checkDirectory refuses an archive whose end claims a directory beyond the limits: package zip makes room for as many
// entries as a large file could hold before it reads the first. An archive without an end is left to it.
func checkDirectory(r io.ReaderAt, size int64) error {
	tail := make([]byte, min(size, maxEndBytes))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil {
		return err
	}
	if len(tail) < endBytes {
		return nil
	}
	at := bytes.LastIndex(tail[:len(tail)-endBytes+len(endMagic)], []byte(endMagic))
	if at < 0 {
		return nil
	}
	end := tail[at:]
	entries := uint64(binary.LittleEndian.Uint16(end[entriesAt:]))
	listed := uint64(binary.LittleEndian.Uint32(end[entriesAt+2:]))
	var locator [locatorBytes]byte
	if where := size - int64(len(tail)) + int64(at) - locatorBytes; where >= 0 {
		if _, err := r.ReadAt(locator[:], where); err != nil {
			return err
		}
	}
	if string(locator[:4]) == locatorMagic {
		var end64 [end64Bytes]byte
		where := binary.LittleEndian.Uint64(locator[8:])
		if where > uint64(size) {
			return zip.ErrFormat
		}
		if _, err := r.ReadAt(end64[:], int64(where)); err != nil {
			return zip.ErrFormat
		}
		entries = binary.LittleEndian.Uint64(end64[end64EntriesAt:])
		listed = binary.LittleEndian.Uint64(end64[end64EntriesAt+8:])
	}
	if entries > maxParts || listed > maxDirectoryBytes {
		return errDirectory
	}
	return nil
}
