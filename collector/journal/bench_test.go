package journal_test

import (
	"testing"
	"time"

	"github.com/monev112/monev112/collector/journal"
)

func benchRecords(n int) [][]byte {
	list := make([][]byte, n)
	for i := range list {
		list[i] = make([]byte, 300) // an event of usual size
		for k := range list[i] {
			list[i][k] = byte(i * k)
		}
	}
	return list
}

func benchAppend(b *testing.B, n int) {
	j := open(b, journal.Options{Dir: b.TempDir()})
	list := benchRecords(n)
	for b.Loop() {
		if _, _, err := j.Append(list); err != nil {
			b.Fatal(err)
		}
		if j.Stats().Segments > 4 {
			if _, err := j.Retain(j.End(), time.Now().Add(time.Hour)); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

func BenchmarkAppend1(b *testing.B)    { benchAppend(b, 1) }
func BenchmarkAppend500(b *testing.B)  { benchAppend(b, 500) }
func BenchmarkAppend4000(b *testing.B) { benchAppend(b, 4000) }

func BenchmarkRead(b *testing.B) {
	j := open(b, journal.Options{Dir: b.TempDir()})
	const groups, each = 400, 500
	for range groups {
		if _, _, err := j.Append(benchRecords(each)); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		r, err := j.NewReader(0)
		if err != nil {
			b.Fatal(err)
		}
		for n := 0; ; n++ {
			_, ok, err := r.TryNext()
			if err != nil {
				b.Fatal(err)
			}
			if !ok {
				if n != groups*each {
					b.Fatalf("%d records", n)
				}
				break
			}
		}
		r.Close()
	}
	b.ReportMetric(groups*each*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
