// Package documenttest has documents that the tests of every renderer write: one as leadership gets it, and one with
// what must not do harm.
package documenttest

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/monev/chart"
	"github.com/monev112/monev112/collector/monev/document"
)

// Hostile are texts that people could write: markup, formulas, marks that turn the direction of reading, control
// characters, names of 80 characters.
var Hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</style><style>*{display:none}`, `]]>&amp;{{.}}`,
	`=cmd|' /C calc'!A0`, `+62-1`, `-2+3`, `@SUM(A1:A9)`, "Dinas\u202eSOL\u202c", "a\x00b\x07c\x1bd", "satu\ndua\ttiga",
	"Dinas Perumahan, Permukiman, Cipta Karya dan Tata Ruang Kabupaten Sidoarjo (PJU)", strings.Repeat("W", 80),
	"\xff\xfe",
	"_x0041_", "'quoted", "{=1+1}", "دائرة", "&amp;", `a\b`, "   ",
}

// Key is a key of the samples.
func Key(figure, dims string, part document.Part) document.Key {
	return document.Key{Period: "2023-10", Figure: figure, Dims: dims, Part: part}
}

// Monthly is a report with every kind of block and cell, and so many OPDs.
func Monthly(departments int) *document.Document {
	wib := time.FixedZone("WIB", 7*3600)
	made := time.Date(2023, 11, 1, 8, 0, 0, 0, wib)
	on := chart.NewBasis("Oktober 2023", 4295, "panggilan")
	var logo bytes.Buffer
	_ = png.Encode(&logo, image.NewGray(image.Rect(0, 0, 40, 48)))
	text, count, percent := document.Text, document.Count, document.Percent
	d := &document.Document{
		Title: "Laporan Kinerja Call Center 112", Subtitle: "Kabupaten Sidoarjo", Period: "Oktober 2023",
		Author: "Dinas Komunikasi dan Informatika Kabupaten Sidoarjo", Mark: "SEMENTARA", Made: made, Contents: true,
		Letterhead: document.Letterhead{
			Lines: []string{"PEMERINTAH KABUPATEN SIDOARJO", "DINAS KOMUNIKASI DAN INFORMATIKA", "Jalan Diponegoro 139, " +
				"Sidoarjo"},
			Logo: logo.Bytes(),
		},
		Facts: []document.Fact{
			{Label: "Data sampai", Value: document.Line{document.Instant(made)}},
			{Label: "Cakupan", Value: document.Line{
				percent(0.9871, 1, Key("coverage", "", document.Value)), text(" panggilan berkelas"),
			}},
			{Label: "Nomor", Value: document.Line{text("..........................")}},
		},
	}
	add := func(bs ...document.Block) { d.Blocks = append(d.Blocks, bs...) }
	level := Key("service_level", "measure=ketat,target=15", document.Value)
	add(
		document.Heading{Level: 1, ID: "ringkasan", Text: "Ringkasan"},
		document.Paragraph{Style: document.Lead, Line: document.Line{
			text("Dari "), count(4295, Key("calls", "", document.N)), text(" panggilan, "), percent(0.80712, 1, level).Bold(),
			text(" dijawab dalam 15 detik: "), text("tidak tercapai").In(document.Bad), text("."),
		}},
		document.Table{
			ID: "t-indikator", Caption: "Indikator, target dan realisasi",
			Columns: []document.Column{
				{Head: "Indikator", Width: 0.32}, {Head: "Target"}, {Head: "Realisasi"}, {Head: "n"},
				{Head: "Selang 95 %", Width: 0.2}, {Head: "Hasil"},
			},
			Rows: []document.Row{
				{Cells: []document.Cell{
					text("Panggilan dijawab dalam 15 detik"), percent(0.9, 0, document.Key{}), percent(0.80712, 1, level),
					count(4103, Key("service_level", "measure=ketat,target=15", document.N)), text("79,5–81,9 %"),
					text("tidak tercapai").In(document.Bad),
				}},
				{Cells: []document.Cell{
					text("Waktu tiba di lokasi, median"), document.Duration(900, 0, document.Key{}),
					document.Duration(7859.4, 1, Key("interval_p50", "interval=arrive", document.Value)),
					count(38, Key("interval_p50", "interval=arrive", document.N)),
					document.Absent(document.NotApplicable, document.Key{}), text("tercapai").In(document.Good),
				}},
				{Cells: []document.Cell{
					text("Waktu jawab, 9 dari 10"), document.Number(15, 0, "detik", document.Key{}),
					document.Number(14.25, 1, "detik", Key("answer_p90", "", document.Value)),
					count(4103, Key("answer_p90", "", document.N)), text(""), text(""),
				}},
				{Cells: []document.Cell{
					text("Penutupan dikonfirmasi"), percent(0.8, 0, document.Key{}),
					document.Absent(document.NotRecorded, Key("confirmed", "", document.Value)),
					count(0, Key("confirmed", "", document.N)), text(""), text("tidak dinilai").In(document.Attention),
				}},
			},
			Note: document.Line{text("Hasil dinilai terhadap target bulan yang sama.")},
		},
		document.Paragraph{Style: document.Warning, Line: document.Line{text("Angka sementara: bulan ini belum dibekukan.")}},
		document.Heading{Level: 2, ID: "sebab", Text: "Sebab"},
		document.List{Items: []document.Line{
			{text("Lonjakan pada "), document.Date(made)}, {text("Petugas kurang dari dua")},
		}},
		document.List{Ordered: true, Items: []document.Line{{text("pertama")}, {text("kedua")}}},
		document.Heading{Level: 1, ID: "corong", Text: "Corong"},
		document.Figure{ID: "g-corong", Caption: "Ke mana panggilan pergi.", Table: "t-corong",
			Picture: chart.DrawFunnel(on, chart.Funnel{
				Title: "Ke mana panggilan pergi", Of: "panggilan masuk", Total: 4295,
				Stages: []chart.Stage{{Name: "Hoaks", N: 3466}, {Name: "Tiket", N: 170}, {Name: "Lain", N: 659}},
			})},
		document.Table{
			ID: "t-corong", Caption: "Corong panggilan",
			Columns: []document.Column{{Head: "Tahap"}, {Head: "Panggilan"}, {Head: "Bagian"}},
			Rows: []document.Row{
				{Cells: []document.Cell{text("Panggilan masuk")}, Group: true},
				{Cells: []document.Cell{
					text("Hoaks"), count(3466, Key("funnel", "stage=hoax", document.Numerator)),
					percent(3466.0/4295, 1, Key("funnel", "stage=hoax", document.Value)),
				}},
				{Cells: []document.Cell{
					text("Tiket"), count(170, Key("funnel", "stage=own", document.Numerator)),
					percent(170.0/4295, 1, Key("funnel", "stage=own", document.Value)),
				}},
				{Cells: []document.Cell{
					text("Lain"), count(659, Key("funnel", "stage=none", document.Numerator)),
					percent(659.0/4295, 1, Key("funnel", "stage=none", document.Value)),
				}},
				{Cells: []document.Cell{
					text("Jumlah"), count(4295, Key("funnel", "", document.Denominator)), percent(1, 1, document.Key{}),
				}, Total: true},
			},
			Plot: &document.Plot{Kind: document.Bars, Title: "Corong panggilan", Label: 0, Series: []int{1}},
		},
		document.Heading{Level: 2, ID: "jam", Text: "Menurut jam dan hari"},
	)
	heat := document.Table{
		ID: "t-jam", Caption: "Rata-rata panggilan per jam", Columns: []document.Column{{Head: "Hari"}}, SheetOnly: true,
		Plot: &document.Plot{Kind: document.Heat, Label: 0},
	}
	h := chart.Heat{Title: "Kapan telepon berdering", Unit: chart.Unit{Name: "panggilan per jam", Decimals: 1}}
	for hour := range 24 {
		heat.Columns = append(heat.Columns, document.Column{Head: fmt.Sprintf("%02d", hour)})
		heat.Plot.Series = append(heat.Plot.Series, hour+1)
	}
	for day, name := range []string{"Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu"} {
		r := document.Row{Cells: []document.Cell{text(name)}}
		for hour := range 24 {
			v := 6 + 5*math.Sin(float64(hour-8)/24*2*math.Pi) + float64(day)/3
			h.Cells[day][hour] = v
			r.Cells = append(r.Cells,
				document.Number(v, 1, "", Key("heat", fmt.Sprintf("day=%d,hour=%d", day, hour), document.Value)))
		}
		heat.Rows = append(heat.Rows, r)
	}
	add(document.Figure{
		ID: "g-jam", Caption: "Rata-rata panggilan per jam, WIB.", Picture: chart.DrawHeat(on, h), Table: "t-jam",
	}, heat)
	opd := document.Table{
		ID: "t-opd", Caption: "Tiket tepat waktu menurut perangkat daerah",
		Columns: []document.Column{
			{Head: "Perangkat daerah", Width: 0.4}, {Head: "Tiket"}, {Head: "Tepat waktu"}, {Head: "Bagian"}, {Head: "Bawah"},
			{Head: "Atas"},
		},
		Plot: &document.Plot{Kind: document.Bars, Title: "Tepat waktu", Label: 0, Series: []int{3}},
	}
	bars := chart.Bars{
		Title: "Tiket tepat waktu", Unit: chart.Unit{Percent: true, Decimals: 1}, Counts: true, Target: chart.NoTarget,
	}
	for i := range departments {
		dims := fmt.Sprintf("clock=resolve,opd=%d", i)
		n, on := float64(20+i), float64(12+i/2)
		name := Hostile[i%len(Hostile)]
		if i < 5 {
			name = []string{"Dinas Perhubungan", "BPBD", "Satpol PP", "Dinas Kesehatan", "Dinas Sosial"}[i]
		}
		bars.Rows = append(bars.Rows,
			chart.Bar{
				Name: name, Value: on / n, Low: on/n - 0.1, High: on/n + 0.05, Numerator: uint64(on), Denominator: uint64(n),
			})
		opd.Rows = append(opd.Rows, document.Row{Cells: []document.Cell{
			text(name), count(n, Key("on_time", dims, document.Denominator)),
			count(on, Key("on_time", dims, document.Numerator)),
			percent(on/n, 1, Key("on_time", dims, document.Value)), percent(on/n-0.1, 1, Key("on_time", dims, document.Low)),
			percent(on/n+0.05, 1, Key("on_time", dims, document.High)),
		}})
	}
	add(
		document.Heading{Level: 1, ID: "opd", Text: "Perangkat daerah", Sheet: "OPD: tepat waktu [semua]"},
		document.Figure{ID: "g-opd", Caption: "Tiket tepat waktu, selang 95 %.", Picture: chart.DrawBars(on, bars)}, opd,
		document.Table{ID: "t-kosong", Caption: "Tabel tanpa baris", Columns: []document.Column{{Head: "A"}, {Head: "B"}}},
		document.PageBreak{},
		document.Heading{Level: 1, ID: "pengesahan", Text: "Pengesahan", Plain: true},
		document.Signatures{Place: "Sidoarjo, ........ November 2023", People: []document.Signatory{
			{Role: "Mengetahui,", Office: "Sekretaris Daerah"},
			{Office: "Kepala Dinas Komunikasi dan Informatika", Name: "Nama Kepala, S.T.", Rank: "Pembina Tingkat I",
				Number: "19700101 199503 1 001"},
		}},
	)
	return d
}

// Nasty is a document whose every text is one of Hostile.
func Nasty() *document.Document {
	d := Monthly(len(Hostile) + 5)
	h := func(i int) string { return Hostile[i%len(Hostile)] }
	d.Title, d.Subtitle, d.Period, d.Author, d.Mark = h(0), h(1), h(2), h(3), h(4)
	d.Letterhead.Lines = Hostile
	for i, s := range Hostile {
		id := fmt.Sprintf("n-%d", i)
		d.Blocks = append(d.Blocks,
			document.Heading{Level: 1, ID: id, Text: s},
			document.Paragraph{Line: document.Line{
				document.Text(s), document.Count(float64(i), Key("nasty", s, document.N)), document.Text(s),
			}},
			document.List{Items: []document.Line{{document.Text(s)}}},
			document.Figure{ID: id + "-g", Caption: s, Picture: chart.DrawFunnel(chart.NewBasis(s, 1, s), chart.Funnel{
				Title: s, Of: s, Total: 2, Stages: []chart.Stage{{Name: s, N: 2}},
			})},
			document.Table{
				ID: id + "-t", Caption: s, Columns: []document.Column{{Head: s}, {Head: h(i + 1)}},
				Rows: []document.Row{
					{Cells: []document.Cell{document.Text(s)}, Group: true},
					{Cells: []document.Cell{document.Text(s), document.Number(float64(i), 0, s, Key("unit", s, document.N))}},
					{Cells: []document.Cell{document.Text(s), document.Absent(s, Key("absent", s, document.N))}},
				},
				Note: document.Line{document.Text(s)}, Plot: &document.Plot{Kind: document.Columns, Title: s, Series: []int{1}},
			},
			document.Signatures{Place: s, People: []document.Signatory{{Role: s, Office: s, Name: s, Rank: s, Number: s}}},
		)
	}
	return d
}

// Check holds a finished file against its document: every number is there, none differs.
func Check(t testing.TB, d *document.Document, sheets bool, found []document.Reading, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	want := d.Numbers(sheets)
	compared, differences := document.Compare(want, found)
	if compared != len(want) || compared == 0 || len(differences) > 0 {
		t.Fatalf("%d of %d numbers compared; %v", compared, len(want), differences)
	}
}
