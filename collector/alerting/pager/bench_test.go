package pager

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// processorTime is what this process has used so far; the clock on the wall counts what others use as well.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkRound is one look at a board of 100,000 open tickets, some or all of them late, up to what is ready to send.
func BenchmarkRound(b *testing.B) {
	const tickets = 100_000
	offices := []string{
		"dishub", "bpbd", "dlhk", "dinkes", "satpolpp", "dinsos", "dpubmsda", "damkar", "kec_waru", "kec_taman",
	}
	for _, late := range []int{100, 10_000, tickets} {
		b.Run(fmt.Sprint(late, " late"), func(b *testing.B) {
			f := newTestBoard()
			now := noon.Add(70 * time.Minute)
			for i := range tickets {
				at := noon
				if i >= late {
					at = now
				}
				id := fmt.Sprint("SDA-2026-", i)
				f.apply(event.TicketOpened, id, at, of("pju", "non_darurat"))
				f.apply(event.TicketAssigned, id, at, opd(offices[i%len(offices)]))
				f.apply(event.TicketAcknowledged, id, at)
			}
			o := options(b, f, func() time.Time { return now }, "http://127.0.0.1:1")
			o.Links = fixedLinks{}
			p, err := New(o)
			if err != nil {
				b.Fatal(err)
			}
			var next *push
			runtime.GC() // what made the board is no part of a round
			rounds, began := 0, processorTime(b)
			for b.Loop() {
				next = p.round()
				rounds++
			}
			b.ReportMetric((processorTime(b)-began).Seconds()*1000/float64(rounds), "cpu-ms/op")
			bytes := 0
			for _, body := range next.bodies {
				bytes += len(body)
			}
			b.ReportMetric(float64(next.alerts), "alerts")
			b.ReportMetric(float64(bytes), "bytes")
			b.ReportMetric(float64(len(next.bodies)), "requests")
		})
	}
}
