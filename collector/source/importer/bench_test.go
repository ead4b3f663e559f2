package importer

import (
	"context"
	"testing"
)

// BenchmarkReadAndMap is the goal of 50,000 rows a second on one core: unpacking, reading and mapping, nothing sent.
func BenchmarkReadAndMap(b *testing.B) {
	for _, name := range []string{"sf-fire-2009-2018", "cdmx-c5-2020-jun-aug", "boston311-2015-h1"} {
		b.Run(name, func(b *testing.B) {
			path := realFile(b, name)
			rows := 0
			for b.Loop() {
				sum, err := Import(context.Background(),
					Options{Mapping: load(b, name), Files: []string{path}})
				if err != nil {
					b.Fatal(err)
				}
				rows += sum.Rows
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
