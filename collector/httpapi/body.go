package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/semaphore"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/ingest"
)

// zstdWindow bounds the memory that a zstd frame can ask for; 8 MiB is what RFC 9659 lets a sender on the web use.
const zstdWindow = 8 << 20

// zstdMemory is what a decoder may hold beside what it gives: a window, and blocks on their way.
const zstdMemory = 2 * zstdWindow

// formOf reads the Content-Type.
func formOf(header http.Header) (event.Form, error) {
	mediaType, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if cs := params["charset"]; err == nil && (cs == "" || strings.EqualFold(cs, "utf-8")) {
		switch mediaType {
		case "application/cloudevents+json":
			return event.Structured, nil
		case "application/cloudevents-batch+json":
			return event.BatchArray, nil
		case "application/x-ndjson":
			return event.NDJSON, nil
		}
	}
	return 0, newProblem(http.StatusUnsupportedMediaType, codeMediaType,
		"Content-Type must be application/cloudevents+json, application/cloudevents-batch+json or application/x-ndjson, in "+
			"UTF-8.")
}

// readBody returns the unpacked body and the release of its share of memory, to be called when nothing refers to the
// body any more.
func (a *API) readBody(r *http.Request) (body []byte, release func(), err error) {
	encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
	switch encoding {
	case "", "identity", "gzip", "zstd":
	default:
		return nil, nil, newProblem(http.StatusUnsupportedMediaType, codeMediaType,
			"Content-Encoding must be gzip, zstd or absent.")
	}
	if r.ContentLength > a.limits.BodyBytes {
		return nil, nil, tooLarge("The body", a.limits.BodyBytes)
	}
	most := a.limits.BodyBytes
	if r.ContentLength >= 0 {
		most = r.ContentLength
	}
	in := &share{memory: a.memory, of: a.limits.MemoryBytes, wait: a.limits.MemoryWait, ctx: r.Context()}
	release = func() { in.give(in.held) }
	body, err = in.read(http.MaxBytesReader(nil, r.Body, a.limits.BodyBytes), most)
	var limit *http.MaxBytesError
	switch {
	case errors.As(err, &limit):
		err = tooLarge("The body", a.limits.BodyBytes)
	case err != nil && !errors.Is(err, ingest.ErrBusy):
		err = newProblem(http.StatusBadRequest, codeBadRequest, "The body ended before it was complete.")
	case err == nil && encoding != "" && encoding != "identity":
		body, err = a.unpacker.unpack(in, encoding, body, a.limits.UnpackedBytes)
	}
	if err != nil {
		release()
		return nil, nil, err
	}
	in.give(max(0, in.held-int64(len(body))))
	return body, release, nil
}

// share is the memory that one request's body holds.
type share struct {
	memory *semaphore.Weighted
	of     int64 // all there is
	wait   time.Duration
	ctx    context.Context
	held   int64
}

// take waits a moment for n more bytes and then asks the client to come back. A request never waits for more than there
// is: alone, it gets all of it. What was taken is returned.
func (s *share) take(n int64) (taken int64, err error) {
	n = min(n, s.of-s.held)
	if !s.memory.TryAcquire(n) {
		ctx, cancel := context.WithTimeout(s.ctx, s.wait)
		defer cancel()
		if s.memory.Acquire(ctx, n) != nil {
			return 0, ingest.ErrBusy
		}
	}
	s.held += n
	return n, nil
}

func (s *share) give(n int64) {
	s.memory.Release(n)
	s.held -= n
}

// Sizes of the pieces in which a body is read. What a client only announces costs nobody else their share, however many
// announce much and send slowly.
const (
	firstPiece   = 128 << 10
	largestPiece = 4 << 20
)

var errTooLong = errors.New("longer than allowed")

// read returns what r has, at most so many bytes, else errTooLong. Memory is taken for each piece before it is filled,
// so that what is taken is what is used: no buffer grows by being copied.
func (s *share) read(r io.Reader, most int64) ([]byte, error) {
	var pieces [][]byte
	var total int64
	for size := int64(firstPiece); ; size = min(2*size, largestPiece) {
		size = min(size, most-total)
		if _, err := s.take(size); err != nil {
			return nil, err
		}
		piece, err := fill(r, make([]byte, size+1)) // one more, to see the end
		pieces = append(pieces, piece)
		total += int64(len(piece))
		switch {
		case errors.Is(err, io.EOF):
			return s.join(pieces, total)
		case err != nil:
			return nil, err
		case total > most:
			return nil, errTooLong
		}
	}
}

// fill is io.ReadFull, except that it tells the end of r from a body that was cut off.
func fill(r io.Reader, b []byte) (filled []byte, err error) {
	n := 0
	for n < len(b) && err == nil {
		var more int
		more, err = r.Read(b[n:])
		n += more
	}
	return b[:n], err
}

func (s *share) join(pieces [][]byte, total int64) ([]byte, error) {
	if len(pieces) == 1 {
		return pieces[0], nil
	}
	if _, err := s.take(total); err != nil {
		return nil, err
	}
	whole := make([]byte, 0, total)
	for _, piece := range pieces {
		whole = append(whole, piece...)
	}
	return whole, nil
}

func tooLarge(what string, limit int64) *problem {
	return newProblem(http.StatusRequestEntityTooLarge, codeTooLarge,
		fmt.Sprintf("%s is larger than %d bytes; send smaller batches.", what, limit))
}

// unpacker keeps zstd decoders, whose tables and windows are dear to make, for the next request.
type unpacker struct{ zstd sync.Pool }

// unpack decompresses at most limit bytes. What comes after the limit is never produced, so that a bomb costs no more
// than an honest body.
func (u *unpacker) unpack(in *share, encoding string, packed []byte, limit int64) ([]byte, error) {
	var r io.Reader
	switch encoding {
	case "gzip":
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return nil, badPacked(encoding)
		}
		defer z.Close()
		r = z
	default:
		taken, err := in.take(zstdMemory)
		if err != nil {
			return nil, err
		}
		defer in.give(taken)
		z, ok := u.zstd.Get().(*zstd.Decoder)
		if !ok {
			if z, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
				zstd.WithDecoderMaxWindow(zstdWindow)); err != nil {
				return nil, fmt.Errorf("zstd decoder: %w", err)
			}
		}
		defer func() {
			_ = z.Reset(nil) // lets go of the body
			u.zstd.Put(z)
		}()
		if z.Reset(bytes.NewReader(packed)) != nil {
			return nil, badPacked(encoding)
		}
		r = z
	}
	body, err := in.read(r, limit)
	switch {
	case errors.Is(err, errTooLong):
		return nil, tooLarge("The unpacked body", limit)
	case errors.Is(err, ingest.ErrBusy):
		return nil, err
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return nil, tooLarge("The zstd window", zstdWindow)
	case err != nil:
		return nil, badPacked(encoding)
	}
	return body, nil
}

func badPacked(encoding string) *problem {
	return newProblem(http.StatusBadRequest, codeBadRequest, "The body is not valid "+encoding+", or it is cut off.")
}
