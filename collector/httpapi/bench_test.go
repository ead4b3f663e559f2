package httpapi

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi/auth"
)

// real is the decoder of the service without its directory.
type real struct{ d *event.Decoder }

func (r real) Decode(_ Format, body []byte, now time.Time) (Decoded, error) {
	var b event.Batch
	if err := r.d.Decode(&b, body, event.BatchArray, now); err != nil {
		return Decoded{}, err
	}
	out := Decoded{Events: make([]*event.Event, len(b.Events)), Refused: b.Refusals}
	for i := range b.Events {
		out.Events[i] = &b.Events[i]
	}
	return out, nil
}

// BenchmarkPostEvents measures the door alone, from the handler to the Ingest: what it costs to read, check and
// pseudonymise events, and nothing behind it.
func BenchmarkPostEvents(b *testing.B) {
	keys, err := event.NewKeys(rand.Reader, testNow)
	if err != nil {
		b.Fatal(err)
	}
	decoder, err := event.NewDecoder(event.Config{Keys: keys})
	if err != nil {
		b.Fatal(err)
	}
	guard, err := auth.NewGuard(b.TempDir()+"/keys", time.Now, nil)
	if err != nil {
		b.Fatal(err)
	}
	s := &counting{}
	a, err := New(Config{
		Decoder: real{decoder}, Ingest: s, Cases: &stub{}, Keys: guard, Now: func() time.Time { return testNow },
	})
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{1, 500} {
		body := []byte("[")
		for i := range n {
			if i > 0 {
				body = append(body, ',')
			}
			d := event.Draft{
				Source: "bench", ID: fmt.Sprintf("e-%d", i), Type: event.CallReceived, Subject: fmt.Sprintf("C-%d", i),
				Time:   testNow,
				Caller: fmt.Sprintf("+628600%06d", i), Channel: event.ChannelPhone, Queue: "112", Center: "35.15",
				Kecamatan: "35.15.18",
			}
			body = d.AppendCloudEvent(body)
		}
		body = append(body, ']')
		z, err := zstd.NewWriter(nil)
		if err != nil {
			b.Fatal(err)
		}
		for encoding, sent := range map[string][]byte{"": body, "zstd": z.EncodeAll(body, nil)} {
			b.Run(fmt.Sprintf("%d events %s", n, encoding), func(b *testing.B) {
				b.ReportAllocs()
				s.n = 0
				for b.Loop() {
					r := httptest.NewRequest("POST", "http://127.0.0.1/v1/events", bytes.NewReader(sent))
					r.Header.Set("Content-Type", "application/cloudevents-batch+json")
					if encoding != "" {
						r.Header.Set("Content-Encoding", encoding)
					}
					w := httptest.NewRecorder()
					a.Handler().ServeHTTP(w, r)
					if w.Code != http.StatusOK {
						b.Fatal(w.Code, w.Body)
					}
				}
				b.ReportMetric(float64(s.n)/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}

type counting struct{ n int }

func (c *counting) Submit(_ context.Context, events []*event.Event) (Submitted, error) {
	c.n += len(events)
	return Submitted{Accepted: len(events)}, nil
}
