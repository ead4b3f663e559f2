package ingest_test

import (
	"context"
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/journal"
)

// noBoard shows what ingest and journal cost by themselves.
type noBoard struct{}

func (noBoard) ApplyGroup([]*event.Event, [][]byte, []uint64, bool) {}
func (noBoard) Checkpoint() func(io.Writer) error                   { return func(io.Writer) error { return nil } }
func (noBoard) ReadCheckpoint(io.Reader) error                      { return nil }

func benchEvent(n int) *event.Event {
	e := ev(fmt.Sprintf("evt-%012d", n), 1)
	e.Caller = event.Caller{KeyID: "k1", Key: "00112233445566778899aabbccddeeff", Last3: "123"}
	e.Channel, e.Queue, e.Agent, e.Kecamatan = "telepon", "utama", "petugas-07", "35.15.08"
	return e
}

func benchLoop(b *testing.B, dir string) (*ingest.Loop, func()) {
	j, err := journal.Open(journal.Options{Dir: dir + "/journal"})
	if err != nil {
		b.Fatal(err)
	}
	ready := make(chan struct{})
	l, err := ingest.New(ingest.Config{Dir: dir}, j, noBoard{}, ingest.Observer{Ready: func(err error) {
		if err == nil {
			close(ready)
		}
	}})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	<-ready
	return l, func() {
		cancel()
		if err := <-done; err != nil {
			b.Fatal(err)
		}
		j.Close()
	}
}

// Eight clients with batches of 500, as in the goal for durable ingest.
func BenchmarkSubmit500x8(b *testing.B) {
	l, stop := benchLoop(b, b.TempDir())
	defer stop()
	const clients, batch = 8, 500
	lists := make([][]*event.Event, b.N*clients)
	for i := range lists {
		lists[i] = make([]*event.Event, batch)
		for k := range lists[i] {
			lists[i][k] = benchEvent(i*batch + k)
		}
	}
	b.ResetTimer()
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for i := c; i < len(lists); i += clients {
				if _, err := l.Submit(context.Background(), lists[i]); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(len(lists)*batch)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkSubmit1(b *testing.B) {
	l, stop := benchLoop(b, b.TempDir())
	defer stop()
	n := 0
	for b.Loop() {
		n++
		if _, err := l.Submit(context.Background(), []*event.Event{benchEvent(n)}); err != nil {
			b.Fatal(err)
		}
	}
}

// What a start costs for each event after the checkpoint, without the board.
func BenchmarkReplay(b *testing.B) {
	dir := b.TempDir()
	j, err := journal.Open(journal.Options{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	const total, batch = 200_000, 500
	list := make([][]byte, batch)
	for i := 0; i < total; i += batch {
		for k := range list {
			list[k] = event.AppendBinary(nil, benchEvent(i+k))
		}
		if _, _, err := j.Append(list); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		l, err := ingest.New(ingest.Config{Dir: dir}, j, noBoard{}, ingest.Observer{})
		if err != nil {
			b.Fatal(err)
		}
		res, err := l.Restore(context.Background())
		if err != nil || res.Events != total {
			b.Fatalf("%+v, %v", res, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/total, "ns/event")
}
