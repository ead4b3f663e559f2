package server

import (
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/monev112/monev112/collector/engine/chdb"
)

// answer writes a result: headers with the first part, each part flushed, compressed as the request asks.
type answer struct {
	w       http.ResponseWriter
	control *http.ResponseController
	out     io.Writer     // w, or a compressor before it
	flush   func() error  // of the compressor
	finish  func() error  // of the compressor
	timeout time.Duration // for one part
	tag     string        // names the error block of a result that fails midway
	started bool
}

func newAnswer(w http.ResponseWriter, q *request, timeout time.Duration) *answer {
	a := &answer{w: w, control: http.NewResponseController(w), out: w, timeout: timeout, tag: newID()[:16]}
	nothing := func() error { return nil }
	a.flush, a.finish = nothing, nothing
	switch {
	case q.compress != "":
		method := compress.LZ4
		if q.compress == "ZSTD" {
			method = compress.ZSTD
		}
		a.out = &blockWriter{w: w, compressor: compress.NewWriter(0, method)}
	case q.encoding == "gzip":
		z := gzip.NewWriter(w)
		a.out, a.flush, a.finish = z, z.Flush, z.Close
	case q.encoding == "deflate":
		z := zlib.NewWriter(w)
		a.out, a.flush, a.finish = z, z.Flush, z.Close
	case q.encoding == "br":
		z := brotli.NewWriterLevel(w, 4)
		a.out, a.flush, a.finish = z, z.Flush, z.Close
	case q.encoding == "zstd":
		if z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20)); err == nil {
			a.out, a.flush, a.finish = z, z.Flush, z.Close
		} else {
			q.encoding = ""
		}
	}
	return a
}

// blockWriter frames what it is given in ClickHouse's compressed blocks.
type blockWriter struct {
	w          io.Writer
	compressor *compress.Writer
}

// maxBlockBytes is ClickHouse's usual size of a compressed block before compression.
const maxBlockBytes = 1 << 20

func (b *blockWriter) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		n := min(len(p), maxBlockBytes)
		if err := b.compressor.Compress(p[:n]); err != nil {
			return 0, fmt.Errorf("compress: %w", err)
		}
		if _, err := b.w.Write(b.compressor.Data); err != nil {
			return 0, err
		}
		p = p[n:]
	}
	return total, nil
}

// headers writes what precedes the first part.
func (a *answer) headers(s *handler, q *request, format string, sum *chdb.Result) {
	h := a.w.Header()
	h.Set("Content-Type", contentType(format))
	h.Set("X-ClickHouse-Query-Id", q.id)
	h.Set("X-ClickHouse-Format", format)
	h.Set("X-ClickHouse-Timezone", "UTC")
	h.Set("X-ClickHouse-Server-Display-Name", s.display)
	h.Set("X-ClickHouse-Exception-Tag", a.tag)
	if q.encoding != "" {
		h.Set("Content-Encoding", q.encoding)
		h.Add("Vary", "Accept-Encoding")
	}
	if sum != nil {
		h.Set("X-ClickHouse-Summary",
			fmt.Sprintf(`{"read_rows":"%d","read_bytes":"%d","written_rows":"%d","written_bytes":"%d","result_rows":"%d"}`,
				sum.ReadRows, sum.ReadBytes, sum.WrittenRows, sum.WrittenBytes, sum.Rows))
	}
	a.started = true
}

// write sends one part within the answer's time limit.
func (a *answer) write(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	_ = a.control.SetWriteDeadline(time.Now().Add(a.timeout))
	if _, err := a.out.Write(data); err != nil {
		return err
	}
	if err := a.flush(); err != nil {
		return err
	}
	return a.control.Flush()
}

// end completes the answer. The connection's next answer must not inherit the time limit.
func (a *answer) end() error {
	err := a.finish()
	_ = a.control.SetWriteDeadline(time.Time{})
	return err
}

// failMidway tells a client that already has a part of the result that the rest will not come: ClickHouse's exception
// block, then a connection that breaks off.
func (a *answer) failMidway(text string) {
	text = strings.TrimSpace(text)
	block := "\r\n__exception__\r\n" + a.tag + "\r\n" + text + "\n" + strconv.Itoa(len(text)+1) + " " + a.tag +
		"\r\n__exception__\r\n"
	_ = a.write([]byte(block))
	_ = a.finish()
	_ = a.control.Flush()
	panic(http.ErrAbortHandler)
}
