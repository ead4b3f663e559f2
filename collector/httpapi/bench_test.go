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
	"github.com/monev112/monev112/collector/ingest"
)

// decoding is an Intake that ends behind the decoder.
type decoding struct {
	*stub
	d *event.Decoder
	n int
}

func (i *decoding) Submit(_ context.Context, r ingest.Request) (event.Receipt, error) {
	var b event.Batch
	err := i.d.Decode(&b, r.Body, r.Form, testNow)
	i.n += len(b.Events)
	return event.Receipt{Accepted: len(b.Events)}, err
}

// BenchmarkPostEvents measures what it costs to read, check and pseudonymise events, and nothing behind that.
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
	s := &decoding{stub: &stub{}, d: decoder}
	a, err := New(Config{
		Intake: s, Cases: &stub{}, Keys: guard, Now: func() time.Time { return testNow },
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
			d := event.RawEvent{
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
