package sla

import (
	"testing"

	"github.com/monev112/monev112/collector/casefile"
)

// A ticket of five clocks, one of them paused.
func BenchmarkTicket(b *testing.B) {
	book := shippedBook(b)
	tk := &casefile.Ticket{
		Key: ticketKey, ReceivedAt: at(b, "2026-03-13 14:58"), OpenedAt: at(b, "2026-03-13 15:00"), Category: "pju",
		Priority: "non_darurat", OPD: "dishub",
		Due: at(b, "2026-04-13 14:58"),
		Assignments: []casefile.Assignment{{
			OPD: "dishub", At: at(b, "2026-03-13 15:01"), AcknowledgedAt: at(b, "2026-03-16 09:00"),
		}},
		Pauses:     []casefile.Pause{{From: at(b, "2026-03-16 10:00"), To: at(b, "2026-03-17 10:00"), Reason: "cuaca"}},
		ResolvedAt: at(b, "2026-03-26 09:00"), LastResolvedAt: at(b, "2026-03-26 09:00"),
	}
	var dst []Clock
	b.ReportAllocs()
	for b.Loop() {
		dst = book.AppendTicket(dst[:0], tk, ownScope)
	}
	if len(dst) != 5 {
		b.Fatalf("%d clocks, want 5", len(dst))
	}
}

func BenchmarkLoad(b *testing.B) {
	files := shippedFiles(b)
	for b.Loop() {
		if _, err := Load(files, Config{Default: Use{Profiles: []string{"sidoarjo"}, Calendar: "id-sidoarjo"}}); err != nil {
			b.Fatal(err)
		}
	}
}
