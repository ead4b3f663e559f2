package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/monev/document"
	"github.com/monev112/monev112/collector/store"
)

var firstDay = time.Date(2023, 10, 1, 0, 0, 0, 0, time.UTC)

func figure(name, dims string, k, d float64) store.Figure {
	f := store.Figure{Center: "35.15", Name: name, Dims: dims, Numerator: k, Denominator: d, N: uint64(d)}
	if d > 0 {
		v := k / d
		f.Value = &v
	}
	return f
}

// month is a month of calls and tickets; clocks are the on-time figures by OPD: name, in time, decided.
func month(opds ...string) Facts {
	f := Facts{
		Center: "35.15", CenterName: "Kabupaten Sidoarjo", Zone: "Asia/Jakarta", Month: firstDay,
		Now: time.Date(2023, 11, 2, 3, 0, 0, 0, time.UTC), Ends: time.Date(2023, 10, 31, 17, 0, 0, 0, time.UTC),
		AnswerTarget: 15, ShortAbandon: 5, DefinitionVersion: "2", Policies: []string{"sidoarjo/2026.1"},
		Figures: []store.Figure{
			figure("service_level", "measure=ketat,target=15", 4130, 4295),
			figure("service_level", "measure=standar,target=15", 4130, 4295),
			figure("service_level", "measure=terjawab,target=15", 4130, 4295),
			figure("hoax", "measure=rasio_hoaks", 3463, 4295), figure("hoax", "measure=belum", 0, 4295),
			figure("hoax", "measure=rasio_non_darurat", 3468, 4295),
			figure("calls_class", "class=prank", 3463, 4295), figure("calls_class", "class=normal", 827, 4295),
			figure("calls_class", "class=informasi", 5, 4295), figure("calls_quarter", "at=2023-10-13T20:15", 9, 4295),
			figure("arrived_within", "category=kebakaran,seconds=900", 11, 13),
			figure("tickets_kecamatan", "kecamatan=35.15.18", 18, 27), figure("tickets_kecamatan", "kecamatan=35.15.01", 4, 27),
			figure("tickets_kecamatan", "kecamatan=35.15.02", 5, 27),
			figure("coverage", "measure=answer_stamp", 4295, 4295),
		},
		Kecamatan: []Named{{ID: "35.15.18", Name: "Waru"}, {ID: "35.15.01", Name: "Tarik"}},
	}
	for stage, n := range map[string]float64{"hoax": 3463, "own": 176, "vertical": 656, "centre": 0, "none": 0,
		"unclassified": 0, "unanswered": 0} {
		f.Figures = append(f.Figures, figure("funnel", "stage="+stage, n, 4295))
	}
	for d := range 31 {
		f.Figures = append(f.Figures, figure("calls_day", fmt.Sprintf("day=2023-10-%02d", d+1), 138, 4295))
	}
	for _, opd := range opds {
		f.OPDs = append(f.OPDs, Named{ID: opd, Name: "Dinas " + opd, Scope: "own"})
		held := "opd=" + opd + ",scope=own"
		f.Figures = append(f.Figures, figure("tickets_opd", held, 30, 300), figure("acted", held, 29, 30),
			figure("confirmed", held, 20, 30), figure("bounced", held, 1, 30), figure("reopened", held, 2, 30),
			figure("on_time", "clock=acknowledge,opd="+opd+",scope=own", 24, 30),
			figure("on_time", "clock=resolve,opd="+opd+",scope=own", 28, 30))
	}
	return f
}

// words is all that a reader of a document sees.
func words(t testing.TB, d *document.Document) string {
	t.Helper()
	if _, err := d.Number(); err != nil {
		t.Fatal(err)
	}
	lineText := func(l document.Line) string {
		s := ""
		for _, c := range l {
			s += c.String()
		}
		return s
	}
	var b strings.Builder
	for _, f := range d.Facts {
		b.WriteString(f.Label + ": " + lineText(f.Value) + "\n")
	}
	for _, x := range d.Blocks {
		switch x := x.(type) {
		case document.Heading:
			b.WriteString("# " + x.Text + "\n")
		case document.Paragraph:
			b.WriteString(lineText(x.Line) + "\n")
		case document.List:
			for _, l := range x.Items {
				b.WriteString("- " + lineText(l) + "\n")
			}
		case document.Table:
			b.WriteString("| " + x.Caption + "\n")
			for _, r := range x.Rows {
				for _, c := range r.Cells {
					b.WriteString(c.String() + " | ")
				}
				b.WriteString("\n")
			}
		}
	}
	return strings.ReplaceAll(b.String(), "\u00a0", " ")
}

func TestTheReportSaysWhatWasAchieved(t *testing.T) {
	f := month("dishub", "bpbd")
	last := 0.963
	year := 0.85
	f.Trend = []MonthFigure{
		{"2023-09", true, Figure{indicatorFigure, indicatorDims(Answer), 963, 1000, 1000, &last}},
		{"2022-10", false, Figure{indicatorFigure, indicatorDims(Hoax), 850, 1000, 1000, &year}},
	}
	f.Causes = []CauseSet{{Indicator: Acknowledge, Failing: 12, Largest: "terima", Causes: []Cause{{"terima", "OPD terlambat menerima", 9, "bpbd"},
		{"tidak_terjelaskan", "tidak terjelaskan", 3, ""}}}}
	f.Recommendations = []Recommendation{{ID: "r1", Text: "Piket malam di BPBD.", Owner: "bpbd", Indicator: Acknowledge,
		Status: "berjalan"}}
	f.Remarks = []Remark{{"kendala/terima", "Sudah dibahas", "kadis", f.Now}}
	got := words(t, Model(f, Settings{}, nil).Document(""))
	for _, want := range []string{
		"Dari 4.295 panggilan yang masuk antrean, 4.130 dijawab dalam 15 detik (96,2 %); sasaran 90,0 % tercapai, turun dari bulan lalu (96,3 %).",
		"Dari 13 kebakaran yang waktunya tercatat, unit tiba dalam 15 menit pada 11 kejadian (84,6 %); sasaran 90,0 % tidak tercapai, data terbatas.",
		"Dari 60 tiket yang batas terimanya sudah putus, 48 diterima OPD tepat waktu (80,0 %); sasaran 90,0 % tidak tercapai.",
		"- Kendala terbesar: OPD terlambat menerima, 9 dari 12 kasus.\n- Penanggung jawab: Dinas bpbd.\n- Rekomendasi: Piket malam di BPBD (berjalan).",
		"3.463 hoaks (80,6 %); sasaran di bawah 85,0 % tercapai", "Angka sementara",
		"Seperempat jam tersibuk: 13 Oktober 2023 pukul 20.15, 9 panggilan.", "Hoaks dari panggilan diterima",
		"Waru | 18 | 66,7 %", "Kecamatan dengan kurang dari 5 tiket dan lainnya | 9 | 33,3 %", "Catatan (kadis, 2 November 2023): Sudah dibahas",
		"tidak terjelaskan | 3 | 25,0 %", "tidak dibedakan",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}

func TestTheFunnelCloses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := month()
		f.Figures = nil
		sum := 0.0
		counts := rapid.SliceOfN(rapid.IntRange(0, 10000), len(stageOrder), len(stageOrder)).Draw(t, "stages")
		for _, n := range counts {
			sum += float64(n)
		}
		for i, stage := range stageOrder {
			f.Figures = append(f.Figures, figure("funnel", "stage="+stage, float64(counts[i]), sum))
		}
		for _, b := range Model(f, Settings{}, nil).Document("").Blocks {
			table, ok := b.(document.Table)
			if !ok || table.ID != "t-corong" {
				continue
			}
			got, total := 0.0, 0.0
			for _, r := range table.Rows {
				if r.Total {
					total = r.Cells[1].Value
				} else {
					got += r.Cells[1].Value
				}
			}
			if len(table.Rows) != len(stageOrder)+1 || got != total || total != sum {
				t.Fatalf("%g of %g of %g", got, total, sum)
			}
		}
	})
}

// What is bad or odd gives a readable report, which every format that is there can write.
func TestBadInputGivesAReadableReport(t *testing.T) {
	long := strings.Repeat("Dinas dengan nama yang sangat panjang ", 3)[:80]
	many := make([]string, 60)
	for i := range many {
		many[i] = fmt.Sprintf("opd%02d", i)
	}
	few := month("dishub")
	few.Figures = []store.Figure{
		figure("tickets_opd", "opd=dishub,scope=own", 3, 3), figure("acted", "opd=dishub,scope=own", 3, 3),
		figure("on_time", "clock=resolve,opd=dishub,scope=own", 2, 3),
	}
	unrecorded := month("dishub")
	unrecorded.Figures = []store.Figure{{Name: "service_level", Dims: "measure=ketat,target=15", Denominator: 40, N: 40},
		figure("funnel", "stage=hoax", 0, 40), figure("tickets_opd", "opd=dishub,scope=own", 40, 40),
		figure("unobserved", "clock=resolve,opd=dishub,scope=own", 40, 40)}
	half := month()
	half.Figures = slices.DeleteFunc(half.Figures, func(f store.Figure) bool {
		return strings.HasPrefix(f.Dims, "day=2023-10-1") || f.Dims == "day=2023-10-05"
	})
	named := month("dishub")
	named.OPDs[0].Name = long
	hostile := month("dishub")
	hostile.OPDs[0].Name = "=cmd|' /C calc'!A0 <script>alert(1)</script> \u202edilaporkan"
	hostile.Remarks = []Remark{{"opd", "<b>=HYPERLINK(\"x\")</b>\x00\u202e", "x", hostile.Now}}
	running := month()
	running.Ends = running.Now.AddDate(0, 0, 5)
	other := month()
	other.Frozen = &Frozen{Revision: 1, At: other.Now, DefinitionVersion: "1"}
	odd := month("dinas Öffentliche/Ordnung, sehr lang, Abteilung 7")
	for name, tc := range map[string]struct {
		facts Facts
		opd   string
		want  []string
	}{
		"three tickets":      {few, "", []string{"data terbatas", "Dari 3 tiket"}},
		"nothing recorded":   {unrecorded, "", []string{"tidak tercatat bulan ini", "selesai ditangani | 40 | 40", "tidak tercatat"}},
		"half imported":      {half, "", []string{"11 hari tanpa satu pun panggilan, yaitu tanggal 5, 10–19."}},
		"a long name":        {named, "", []string{long}},
		"markup":             {hostile, "", []string{"=cmd|' /C calc'!A0 <script>alert(1)</script> dilaporkan", "<b>=HYPERLINK"}},
		"60 OPDs":            {month(many...), "", []string{"Dinas opd00", "Dinas opd59"}},
		"one OPD":            {month(many...), "opd07", []string{"Dinas opd07", "Dari 30 tiket, 29 ditindaklanjuti"}},
		"an OPD with none":   {month("dishub"), "dlhk", []string{"Tidak ada tiket bagi dlhk pada Oktober 2023."}},
		"a running month":    {running, "", []string{"Bulan ini belum berakhir"}},
		"another definition": {other, "", []string{"definisi versi 1; program sekarang menghitung dengan versi 2", "tidak ikut dibekukan"}},
		"an odd id":          {odd, "", []string{"Dinas dinas Öffentliche"}},
	} {
		r := Model(tc.facts, Settings{}, nil).ForOPD(tc.opd)
		got := words(t, r.Document(tc.opd))
		for _, want := range tc.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is not in\n%s", name, want, got)
			}
		}
		if tc.opd == "opd07" && strings.Contains(got, "opd08") {
			t.Errorf("%s: another OPD shows", name)
		}
		for format := range renderers {
			if _, err := Write(r, tc.opd, format); err != nil {
				t.Errorf("%s as %s: %v", name, format, err)
			}
		}
	}
}

func TestCheckFindsAChangedNumber(t *testing.T) {
	r := Model(month("dishub", "bpbd"), Settings{}, nil)
	for _, format := range []string{"html", "json"} {
		file, err := Write(r, "", format)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Check(r, r, "", format, file)
		if err != nil || c.Compared < 150 || len(c.Differences) != 0 {
			t.Errorf("%s: %+v, %v", format, c, err)
		}
		changed := bytes.Replace(file, []byte("4.130"), []byte("4.131"), 1)
		if format == "json" {
			changed = bytes.Replace(file, []byte("4130"), []byte("4131"), 1)
		}
		if c, err = Check(r, r, "", format, changed); err != nil || len(c.Differences) != 1 {
			t.Errorf("%s, one number changed: %+v, %v", format, c, err)
		}
		moved := month("dishub", "bpbd")
		moved.Figures[0] = figure("service_level", "measure=ketat,target=15", 4131, 4295)
		if c, err = Check(r, Model(moved, Settings{}, nil), "", format, file); err != nil || len(c.Differences) == 0 {
			t.Errorf("%s, the figures moved: %+v, %v", format, c, err)
		}
	}
	if _, err := Check(r, r, "", "json", []byte("{")); err == nil {
		t.Error("half a file is read")
	}
}

// Every number of a report is what its key says, whatever the figures are.
func TestEveryNumberHasItsFigure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := month("dishub", "bpbd", "pln")
		for i := range f.Figures {
			if rapid.IntRange(0, 9).Draw(t, "drop") == 0 {
				f.Figures[i].Value, f.Figures[i].Denominator, f.Figures[i].N = nil, 0, 0
			}
		}
		r := Model(f, Settings{}, nil)
		for _, c := range r.Document("").Numbers(true) {
			v, absent, known := r.Number(c.Key)
			if c.Kind == document.TextCell || c.Kind == document.DateCell {
				continue // a sentence
			}
			if !known || c.Kind != document.AbsentCell && (absent || v != c.Value) {
				t.Fatalf("%s is %v, the figures say %g, absent %t, known %t", c.Key, c, v, absent, known)
			}
		}
	})
}

func TestTheReportOfAnOPDHasNothingOfAnother(t *testing.T) {
	r := Model(month("dishub", "bpbd"), Settings{}, nil)
	text, err := Write(r.ForOPD("dishub"), "dishub", "json")
	if err != nil || bytes.Contains(text, []byte("bpbd")) || bytes.Contains(text, []byte("4295")) {
		t.Errorf("%v: %s", err, text)
	}
}

func TestSettings(t *testing.T) {
	share := func(v float64) *float64 { return &v }
	for want, s := range map[string]Settings{
		"":                        {Title: "x", Signatories: []Signatory{{Office: "Kepala Dinas"}}, Targets: Targets{Hoax: share(1)}},
		"letterhead: 7 lines":     {Letterhead: make([]string, 7)},
		"signatories: 5 people":   {Signatories: make([]Signatory, 5)},
		"signatories[0].office: ": {Signatories: []Signatory{{Name: "x"}}},
		"title: 161 characters":   {Title: strings.Repeat("é", 161)},
		"city: a control":         {City: "a\nb"},
		"targets.fire: 90":        {Targets: Targets{Fire: share(90)}},
		"targets.answer: 0;":      {Targets: Targets{Answer: share(0)}},
		"targets.resolve: NaN":    {Targets: Targets{Resolve: share(math.NaN())}},
	} {
		if err := s.Check(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestTheLogo(t *testing.T) {
	dir := t.TempDir()
	picture := image.NewGray(image.Rect(0, 0, 4, 3))
	var asPNG, asJPEG, wide bytes.Buffer
	_ = png.Encode(&asPNG, picture)
	_ = jpeg.Encode(&asJPEG, picture, nil)
	_ = png.Encode(&wide, image.NewGray(image.Rect(0, 0, maxLogoPixels+1, 1)))
	for name, tc := range map[string]struct {
		text []byte
		want string
	}{
		"a.png": {asPNG.Bytes(), ""}, "a.jpg": {asJPEG.Bytes(), ""}, "wide.png": {wide.Bytes(), "at most 2000 on a side"},
		"text.png": {[]byte("<svg>"), "use a PNG or JPEG"}, "half.png": {asPNG.Bytes()[:40], "save it anew"},
		"big.png": {make([]byte, MaxLogoBytes+1), "at most 256 KiB"},
	} {
		s := Settings{Logo: filepath.Join(dir, name)}
		if err := os.WriteFile(s.Logo, tc.text, 0o600); err != nil {
			t.Fatal(err)
		}
		logo, err := s.ReadLogo()
		if tc.want == "" {
			if _, err2 := png.Decode(bytes.NewReader(logo)); err != nil || err2 != nil {
				t.Errorf("%s: %v, %v", name, err, err2)
			}
		} else if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
	if err := (&Settings{Logo: filepath.Join(dir, "none.png")}).CheckFiles(); err == nil {
		t.Error("a logo that is not there passes")
	}
}

func TestWhatWasHandedOutStays(t *testing.T) {
	archive := NewArchive(t.TempDir())
	f := month("dishub")
	f.Frozen = &Frozen{Revision: 1, At: f.Now, DefinitionVersion: "2", Details: true}
	if e, err := archive.Edition("35.15", "2023-10", 0); e != nil || err != nil {
		t.Fatalf("before anything was handed out: %v, %v", e, err)
	}
	first, err := archive.Keep(Model(f, Settings{}, nil), "kunci", false)
	if err != nil || first.Number != 1 || first.By != "kunci" {
		t.Fatalf("%+v, %v", first, err)
	}
	write := func(text string) func() ([]byte, error) { return func() ([]byte, error) { return []byte(text), nil } }
	for _, text := range []string{"as handed out", "as a later program would write it"} {
		got, err := archive.File(first, "all", "html", write(text))
		if err != nil || string(got) != "as handed out" {
			t.Errorf("%q, %v", got, err)
		}
	}
	f.Figures[0] = figure("service_level", "measure=ketat,target=15", 1, 4295)
	second, err := archive.Keep(Model(f, Settings{}, nil), "", true)
	if err != nil || second.Number != 2 {
		t.Fatal(second, err)
	}
	again, err := archive.Edition("35.15", "2023-10", 1)
	if err != nil || again.Report.Checksum != first.Report.Checksum || again.Report.Checksum == second.Report.Checksum {
		t.Errorf("the first edition is %+v, %v", again, err)
	}
	a, _ := json.Marshal(first)
	b, _ := json.Marshal(again)
	if !bytes.Equal(a, b) {
		t.Error("an edition that is read twice differs")
	}
	list, err := archive.Summaries("35.15", "2023-10")
	if err != nil || len(list) != 2 || list[0].By != "kunci" || list[1].Revision != 1 {
		t.Error(list, err)
	}
	if months, err := archive.Months("35.15"); err != nil || !slices.Equal(months, []string{"2023-10"}) {
		t.Error(months, err)
	}
}

func TestNamesOfFoldersAndFilesAreHarmlessAndApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		for _, f := range []func(string) string{folderName, slug} {
			x := f(a)
			if strings.ContainsAny(x, "/\\ \"") || x == "." || x == ".." || strings.HasPrefix(x, ".") {
				t.Fatalf("%q", x)
			}
			if a != b && x == f(b) {
				t.Fatalf("%q and %q are both %q", a, b, x)
			}
		}
	})
}

func TestAReportIsDueFromTheFirstWorkingDayOn(t *testing.T) {
	jakarta := time.FixedZone("WIB", 7*3600)
	frozen := func(list ...string) func(string) bool {
		return func(m string) bool { return slices.Contains(list, m) }
	}
	none := frozen()
	for name, tc := range map[string]struct {
		now          time.Time
		frozen, done func(string) bool
		want         []string
	}{
		"first of the month":      {time.Date(2026, 11, 1, 0, 0, 0, 0, jakarta), frozen("2026-10"), none, []string{"2026-10"}},
		"before it":               {time.Date(2026, 10, 31, 23, 59, 0, 0, jakarta), frozen("2026-10"), none, nil},
		"not frozen":              {time.Date(2026, 11, 2, 9, 0, 0, 0, jakarta), none, none, nil},
		"handed out":              {time.Date(2026, 11, 2, 9, 0, 0, 0, jakarta), frozen("2026-10"), frozen("2026-10"), nil},
		"two, the earliest first": {time.Date(2026, 11, 20, 9, 0, 0, 0, jakarta), frozen("2026-09", "2026-10"), none, []string{"2026-09", "2026-10"}},
		"long ago":                {time.Date(2026, 11, 20, 9, 0, 0, 0, jakarta), frozen("2026-07"), none, nil},
		"over the year":           {time.Date(2027, 1, 4, 9, 0, 0, 0, jakarta), frozen("2026-12"), none, []string{"2026-12"}},
	} {
		if got := Due(tc.now, nil, jakarta, tc.frozen, tc.done); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

// A draft is used again for a moment, but never beyond the freeze of its month.
func TestADraftEndsWithTheFreeze(t *testing.T) {
	r := Model(month(), Settings{}, nil)
	f := month()
	f.Frozen = &Frozen{Revision: 1}
	frozen := Model(f, Settings{}, nil)
	for _, tc := range []struct {
		report *Report
		z      *store.Freeze
		want   bool
	}{{r, nil, true}, {r, &store.Freeze{Revision: 1}, false}, {frozen, nil, false}, {frozen, &store.Freeze{Revision: 1}, true},
		{frozen, &store.Freeze{Revision: 2}, false}} {
		if got := tc.report.of(tc.z); got != tc.want {
			t.Errorf("%v of %v: %t", tc.report.Frozen, tc.z, got)
		}
	}
}
