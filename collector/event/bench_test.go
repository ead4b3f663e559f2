package event

import (
	"testing"
	"time"
)

func benchBody(n int) (body []byte) {
	body = append(body, '[')
	for i := range n {
		if i > 0 {
			body = append(body, ',')
		}
		d := RawEvent{
			Source: "urn:jasnita:sidoarjo", ID: "0198f2a1-7c3e-7d10-9b1e-3f2a8c9d0e1f", Type: CallAnswered,
			Subject: "1763882400.123", Time: testNow.Add(-time.Minute), Caller: "081234567890", Agent: "SIP/201",
			Queue: "112", Channel: "phone", Center: "35.15", WaitMS: ptr[int64](7000), Position: "meja-3",
		}
		body = d.AppendCloudEvent(body)
	}
	return append(body, ']')
}

func BenchmarkDecodeBatch(b *testing.B) {
	const n = 500
	d, body := testDecoder(b), benchBody(n)
	var batch Batch
	b.SetBytes(int64(len(body) / n))
	b.ReportAllocs()
	for i := 0; i < b.N; i += n {
		if err := d.Decode(&batch, body, BatchArray, testNow); err != nil || len(batch.Events) != n {
			b.Fatal(err, batch.Refusals)
		}
	}
}

func benchEvent(b *testing.B) Event {
	var batch Batch
	if err := testDecoder(b).Decode(&batch, benchBody(1), BatchArray, testNow); err != nil {
		b.Fatal(err)
	}
	return batch.Events[0]
}

func BenchmarkAppendBinary(b *testing.B) {
	e := benchEvent(b)
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendBinary(dst[:0], &e)
	}
	b.SetBytes(int64(len(dst)))
}

func BenchmarkDecodeBinary(b *testing.B) {
	e := benchEvent(b)
	payload := AppendBinary(nil, &e)
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		if err := DecodeBinary(payload, &e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	e := benchEvent(b)
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendJSON(dst[:0], &e)
	}
}
