package tabular

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
)

// Encoding names how the bytes of a file stand for text.
type Encoding string

// The encodings that can be read. A byte order mark of UTF-8 or UTF-16 wins over what the mapping says.
const (
	UTF8        Encoding = "utf-8"
	Windows1252 Encoding = "windows-1252"
)

// Text is an opened file: unpacked, decoded to UTF-8, without byte order mark. Read is for one goroutine; ReadBytes
// may be asked by another at any time.
type Text struct {
	io.Reader
	file   *os.File
	zstd   *zstd.Decoder
	packed *countingReader
}

// OpenText opens a file of text; gzip and zstd are recognised by their first bytes and unpacked while reading. A
// workbook, an archive or an unpacked size beyond the limit is an error that says what to do.
func OpenText(path string, enc Encoding, limits Limits) (*Text, error) {
	limits = limits.withDefaults()
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a folder, not a file", path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	s := &Text{file: f, packed: &countingReader{r: f}}
	if err := s.unpack(path, enc, limits.FileBytes); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// maxZstdWindow bounds the memory that a packed file claims by its first bytes. Only `zstd --ultra` and --long ask for
// more.
const maxZstdWindow = 32 << 20

func (s *Text) unpack(path string, enc Encoding, limit int64) error {
	var plain io.Reader
	head := bufio.NewReaderSize(s.packed, 64<<10)
	magic, _ := head.Peek(4)
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(head)
		if err != nil {
			return fmt.Errorf("%s looks like gzip but cannot be unpacked: %w", path, err)
		}
		plain = z
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(head, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return fmt.Errorf("%s looks like zstd but cannot be unpacked: %w", path, err)
		}
		s.zstd = z
		plain = z
	case bytes.HasPrefix(magic, []byte("PK\x03\x04")):
		return fmt.Errorf("%s is a workbook (xlsx) or a zip archive; save the sheet as CSV first", path)
	case bytes.HasPrefix(magic, []byte{0xd0, 0xcf, 0x11, 0xe0}):
		return fmt.Errorf("%s is an old workbook (xls) or one with a password; save it as xlsx without a "+
			"password, or the sheet as CSV", path)
	default:
		plain = head
	}
	text := bufio.NewReaderSize(&limitedReader{r: plain, left: limit, limit: limit, path: path}, 64<<10)
	mark, _ := text.Peek(3)
	switch {
	case bytes.HasPrefix(mark, []byte{0xef, 0xbb, 0xbf}):
		if _, err := text.Discard(3); err != nil {
			return err
		}
		s.Reader = text
	case bytes.HasPrefix(mark, []byte{0xff, 0xfe}), bytes.HasPrefix(mark, []byte{0xfe, 0xff}):
		s.Reader = transform.NewReader(text, unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder())
	case enc == Windows1252:
		s.Reader = transform.NewReader(text, charmap.Windows1252.NewDecoder())
	default:
		s.Reader = text
	}
	decoded := bufio.NewReaderSize(s.Reader, 64<<10)
	start, _ := decoded.Peek(64 << 10)
	if isPage(start) {
		return fmt.Errorf("%s is a web page (HTML) under another name, as some systems export \"Excel\"; open it in a "+
			"spreadsheet program and save it as xlsx or CSV", path)
	}
	s.Reader = decoded
	if bytes.IndexByte(start, '\r') >= 0 && bytes.IndexByte(start, '\n') < 0 { // as old Macs end their lines
		s.Reader = transform.NewReader(decoded, runes.Map(func(r rune) rune {
			if r == '\r' {
				return '\n'
			}
			return r
		}))
	}
	return nil
}

// isPage reports whether a text begins as a web page or an XML spreadsheet does.
func isPage(head []byte) bool {
	begin := bytes.ToLower(bytes.TrimSpace(head[:min(len(head), 512)]))
	for _, mark := range []string{"<!doctype html", "<html", "<table", "<head", "<body", "<meta", "<?xml"} {
		if bytes.HasPrefix(begin, []byte(mark)) {
			return true
		}
	}
	return false
}

// ReadBytes is how many bytes of the file, as it lies on the disk, have been read.
func (s *Text) ReadBytes() int64 { return s.packed.n.Load() }

// Close closes the file. It may be called twice.
func (s *Text) Close() error {
	if s.zstd != nil {
		s.zstd.Close()
	}
	if err := s.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

type countingReader struct {
	r io.Reader
	n atomic.Int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// limitedReader fails, rather than ends, at its limit: a file cut short must not look like a whole one.
type limitedReader struct {
	r           io.Reader
	left, limit int64
	path        string
}

func (l *limitedReader) Read(p []byte) (int, error) {
	if l.left <= 0 {
		var one [1]byte
		if n, err := io.ReadFull(l.r, one[:]); n == 0 {
			return 0, err
		}
		return 0, fmt.Errorf("%s unpacks to more than %d bytes; split it", l.path, l.limit)
	}
	if int64(len(p)) > l.left {
		p = p[:l.left]
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	return n, err
}
