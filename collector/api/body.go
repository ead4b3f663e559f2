package api

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

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// zstdWindow bounds the memory that a zstd frame can ask for; 8 MiB is what RFC 9659 lets a sender on the web use.
const zstdWindow = 8 << 20

// formatOf reads the Content-Type.
func formatOf(header http.Header) (Format, error) {
	mediaType, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if cs := params["charset"]; err == nil && (cs == "" || strings.EqualFold(cs, "utf-8")) {
		switch mediaType {
		case "application/cloudevents+json":
			return Single, nil
		case "application/cloudevents-batch+json":
			return Batch, nil
		case "application/x-ndjson":
			return NDJSON, nil
		}
	}
	return 0, newProblem(http.StatusUnsupportedMediaType, codeMediaType,
		"Content-Type must be application/cloudevents+json, application/cloudevents-batch+json or application/x-ndjson, in UTF-8.")
}

// readBody returns the unpacked body and the release of its share of memory, to be called when nothing refers to the
// body any more.
func (a *API) readBody(r *http.Request) (body []byte, release func(), err error) {
	encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
	switch encoding {
	case "", "identity", "gzip", "zstd":
	default:
		return nil, nil, newProblem(http.StatusUnsupportedMediaType, codeMediaType, "Content-Encoding must be gzip, zstd or absent.")
	}
	if r.ContentLength > a.limits.BodyBytes {
		return nil, nil, tooLarge("The body", a.limits.BodyBytes)
	}
	packed, held, err := a.receive(r)
	if err != nil {
		return nil, nil, err
	}
	release = func() { a.memory.Release(held) }
	if encoding == "" || encoding == "identity" {
		held -= a.giveBack(held - int64(len(packed)))
		return packed, release, nil
	}
	release()
	if err := a.reserve(r.Context(), a.limits.UnpackedBytes); err != nil {
		return nil, nil, err
	}
	held = a.limits.UnpackedBytes
	body, err = a.unpacker.unpack(encoding, packed, a.limits.UnpackedBytes)
	if err != nil {
		release()
		return nil, nil, err
	}
	held -= a.giveBack(held - int64(len(body)))
	return body, release, nil
}

// firstShare is the memory that a body takes before any of it is here; it takes more as it comes. What a client only
// announces costs nobody else their share, however many announce much and send slowly.
const firstShare = 128 << 10

// receive reads a body as it is sent and returns it with the memory that it holds.
func (a *API) receive(r *http.Request) (body []byte, held int64, err error) {
	most := a.limits.BodyBytes
	if r.ContentLength >= 0 {
		most = r.ContentLength
	}
	in := http.MaxBytesReader(nil, r.Body, a.limits.BodyBytes)
	for share := min(firstShare, most); ; share = min(2*held, most) {
		if err := a.reserve(r.Context(), share-held); err != nil {
			a.memory.Release(held)
			return nil, 0, err
		}
		held = share
		body = append(make([]byte, 0, held+1), body...) // one more, to see the end of a body that is as long as announced
		for len(body) < cap(body) {
			n, err := in.Read(body[len(body):cap(body)])
			body = body[:len(body)+n]
			if err == nil {
				continue
			}
			if errors.Is(err, io.EOF) {
				return body, held, nil
			}
			a.memory.Release(held)
			var limit *http.MaxBytesError
			if errors.As(err, &limit) {
				return nil, 0, tooLarge("The body", a.limits.BodyBytes)
			}
			return nil, 0, newProblem(http.StatusBadRequest, codeBadRequest, "The body ended before it was complete.")
		}
	}
}

// giveBack releases n bytes that a body turned out not to need and returns n.
func (a *API) giveBack(n int64) int64 {
	n = max(0, n)
	a.memory.Release(n)
	return n
}

// reserve waits a moment for memory and then asks the client to come back.
func (a *API) reserve(ctx context.Context, n int64) error {
	if a.memory.TryAcquire(n) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, a.limits.MemoryWait)
	defer cancel()
	if a.memory.Acquire(ctx, n) != nil {
		return ErrBusy
	}
	return nil
}

func tooLarge(what string, limit int64) *problem {
	return newProblem(http.StatusRequestEntityTooLarge, codeTooLarge, fmt.Sprintf("%s is larger than %d bytes; send smaller batches.", what, limit))
}

func readAll(r io.Reader, size int64) ([]byte, error) {
	var b bytes.Buffer
	if size > 0 {
		b.Grow(int(size) + bytes.MinRead) // ReadFrom grows once more when less is free
	}
	_, err := b.ReadFrom(r)
	return b.Bytes(), err
}

// unpacker keeps zstd decoders, whose tables and windows are dear to make, for the next request.
type unpacker struct{ zstd sync.Pool }

// unpack decompresses at most limit bytes. What comes after the limit is never produced, so that a bomb costs no more
// than an honest body.
func (u *unpacker) unpack(encoding string, packed []byte, limit int64) ([]byte, error) {
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
		z, ok := u.zstd.Get().(*zstd.Decoder)
		if !ok {
			var err error
			if z, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow)); err != nil {
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
	body, err := readAll(io.LimitReader(r, limit+1), min(limit, 4*int64(len(packed))))
	switch {
	case int64(len(body)) > limit:
		return nil, tooLarge("The unpacked body", limit)
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
