package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/monev/document"
)

// Document writes a report as its pages: of the whole centre, or of one OPD when opd is its id.
func (r *Report) Document(opd string) *document.Document {
	w := &writer{Report: r}
	d := &document.Document{
		Title: r.Settings.Title, Subtitle: r.CenterName, Period: r.period(), Author: r.Settings.Institution, Made: r.MadeAt,
		Letterhead: document.Letterhead{Lines: r.Settings.Letterhead, Logo: r.Logo}, Contents: opd == "",
	}
	if d.Author == "" {
		d.Author = "Call Center 112 " + r.CenterName
	}
	switch {
	case r.Provisional:
		d.Mark = "SEMENTARA"
	case r.Draft:
		d.Mark = "RANCANGAN"
	}
	d.Facts = r.facts()
	if opd != "" {
		d.Subtitle = r.opdName(opd) + ", " + r.CenterName
		w.opdPage(opd, 1)
		w.notes()
		w.definitions()
	} else {
		for _, section := range []func(){
			w.pageOne, w.approval, w.summary, w.funnel, w.speed, w.hoax, w.departments, w.information, w.areas, w.causes,
			w.followUp, w.typed, w.quality, w.appendix,
		} {
			section()
		}
	}
	d.Blocks = w.blocks
	return d
}

// writer adds the sections of a report to its blocks.
type writer struct {
	*Report
	blocks []document.Block
}

func (w *writer) add(b ...document.Block) { w.blocks = append(w.blocks, b...) }

func (w *writer) heading(level int, id, title string) {
	w.add(document.Heading{Level: level, ID: id, Text: title})
}

// addFilled adds a table that has a row.
func (w *writer) addFilled(t document.Table) {
	if len(t.Rows) > 0 {
		w.add(t)
	}
}

func (w *writer) say(style document.Style, line ...document.Cell) { w.add(paragraph(style, line...)) }

// remarks adds what people wrote to a section.
func (w *writer) remarks(section string) {
	for _, m := range w.Remarks {
		if m.Section == section {
			w.say(document.Normal, text("Catatan ").Bold(), text("(%s, %s): %s", m.By,
				indonesian.Day(m.At.In(w.Location())), m.Text))
		}
	}
}

func (r *Report) period() string {
	return indonesian.Month(r.first())
}

func monthWords(month string) string {
	t, err := time.Parse(monthLayout, month)
	if err != nil {
		return month
	}
	return indonesian.Month(t)
}

func (r *Report) facts() []document.Fact {
	zone := r.Location()
	first := r.first()
	fact := func(label string, cells ...document.Cell) document.Fact {
		return document.Fact{Label: label, Value: cells}
	}
	out := []document.Fact{fact("Periode", document.Date(first), text(" sampai "), document.Date(first.AddDate(0, 1, -1)))}
	if r.Frozen != nil {
		state := text(", revisi %d", r.Frozen.Revision)
		if r.Frozen.Reason != "" {
			state = text(", revisi %d (%s)", r.Frozen.Revision, r.Frozen.Reason)
		}
		out = append(out, fact("Dibekukan", document.Instant(r.Frozen.At.In(zone)), state))
	} else {
		out = append(out, fact("Keadaan data", text("sementara, belum dibekukan, per "), document.Instant(r.MadeAt.In(zone))))
	}
	out = append(out, fact("Definisi", text("versi %s", r.definitionVersion())))
	if len(r.Policies) > 0 {
		out = append(out, fact("Kebijakan batas waktu", text(strings.Join(r.Policies, ", "))))
	}
	if len(r.Calendars) > 0 {
		out = append(out, fact("Kalender", text(strings.Join(r.Calendars, ", "))))
	}
	return append(out, fact("Checksum angka", text(r.Checksum[:min(16, len(r.Checksum))])))
}

// definitionVersion is that of the figures: of the freeze where there is one.
func (r *Report) definitionVersion() string {
	if r.Frozen != nil {
		return r.Frozen.DefinitionVersion
	}
	return r.DefinitionVersion
}

// notes warns of what a reader must know before the figures.
func (w *writer) notes() {
	if w.Running {
		w.say(document.Warning, text("Bulan ini belum berakhir: angka akan berubah."))
	} else if w.Provisional {
		w.say(document.Warning, text("Angka sementara: bulan ini belum dibekukan, dan data yang masuk kemudian mengubahnya."))
	}
	if w.Frozen != nil && w.Frozen.DefinitionVersion != w.DefinitionVersion {
		w.say(document.Warning, text("Bulan ini dibekukan dengan definisi versi %s; program sekarang menghitung dengan "+
			"versi %s. Angka di sini tetap seperti dibekukan.", w.Frozen.DefinitionVersion, w.DefinitionVersion))
	}
	if w.PresentTarget != 0 {
		w.say(document.Warning, line("Panggilan bulan ini dinilai dengan batas jawab {}, seperti dibekukan; {}", w.target(),
			sentence(key(saidFigure, document.Sentence, "of", "present_target"), "batas sekarang %d detik.",
				w.PresentTarget))...)
	}
	if w.Frozen != nil && !w.Frozen.Details {
		w.say(document.Note, text("Rincian menurut jenis, jam, OPD dan kecamatan tidak ikut dibekukan; rincian itu dihitung "+
			"saat laporan dibuat."))
	}
	if days := w.emptyDays(); len(days) > 0 {
		w.say(document.Warning, sentence(key(saidFigure, document.Sentence, "of", "empty_days"), "Data tidak lengkap: %d "+
			"hari tanpa satu pun panggilan, yaitu tanggal %s. Angka bulan ini berlaku bagi hari yang ada datanya.", len(days),
			dayRanges(days)))
	}
}

// busyDay is how many calls a day has on average where a day without any is a gap and not a quiet day.
const busyDay = 5

// emptyDays are the days of a month that has calls on the others, without any, up to when the report was made.
func (r *Report) emptyDays() (days []int) {
	have, calls := map[string]bool{}, 0.0
	for _, f := range r.named("calls_day") {
		have[f.dim("day")] = true
		calls += f.Numerator
	}
	if len(have) == 0 || calls/float64(len(have)) < busyDay {
		return nil
	}
	today := r.MadeAt.In(r.Location()).Format("2006-01-02")
	for d := r.first(); d.Format(monthLayout) == r.Month && d.Format("2006-01-02") < today; d = d.AddDate(0, 0, 1) {
		if !have[d.Format("2006-01-02")] {
			days = append(days, d.Day())
		}
	}
	return days
}

// dayRanges writes 1, 2, 3 and 7 as "1-3, 7".
func dayRanges(days []int) string {
	var parts []string
	for i := 0; i < len(days); {
		j := i
		for j+1 < len(days) && days[j+1] == days[j]+1 {
			j++
		}
		part := strconv.Itoa(days[i])
		if j > i {
			part += "–" + strconv.Itoa(days[j])
		}
		parts, i = append(parts, part), j+1
	}
	return strings.Join(parts, ", ")
}

// pageOne says in words what was achieved; of what was not, the largest cause, who is in charge, and what is
// recommended.
func (w *writer) pageOne() {
	w.notes()
	caused := false
	for i := range w.Indicators {
		in := &w.Indicators[i]
		w.say(document.Lead, w.sentence(in)...)
		if in.Verdict == NotAchieved {
			w.add(document.List{Items: w.why(in)})
			caused = caused || w.setOf(in.ID) != nil
		}
	}
	if caused && w.Frozen != nil {
		w.say(document.Note, text("Sebab dihitung saat laporan dibuat; angka indikator seperti dibekukan."))
	}
}

// sentence says an indicator as somebody reads it aloud.
func (w *writer) sentence(in *Indicator) document.Line {
	dims := indicatorDims(in.ID)
	unrecorded := w.figure(unrecordedFigure, dims)
	if in.Value == nil {
		out := line(indicatorNames[in.ID]+": {} bulan ini", text(verdictWords[in.Verdict]).Bold())
		switch {
		case in.Verdict != NotRecorded || unrecorded == nil:
		case in.ID == Fire:
			add(&out, " ({} dari {} tercatat)", w.number(indicatorFigure, dims, document.Denominator),
				unrecorded.number(document.Denominator))
		default:
			add(&out, " ({} dari {} kasus)", unrecorded.number(document.Numerator), unrecorded.number(document.Denominator))
		}
		return append(out, text("."))
	}
	k := w.number(indicatorFigure, dims, document.Numerator)
	n := w.number(indicatorFigure, dims, document.Denominator)
	v := w.share(indicatorFigure, dims)
	tone := map[Verdict]document.Tone{Achieved: document.Good, NotAchieved: document.Bad}[in.Verdict]
	verdict := text(verdictWords[in.Verdict]).Bold().In(tone)
	var out document.Line
	switch in.ID {
	case Answer:
		out = line("Dari {} panggilan yang masuk antrean, {} dijawab dalam {} ({})", n, k, w.target(), v)
	case Fire:
		out = line("Dari {} kebakaran yang waktunya tercatat", n)
		if unrecorded != nil {
			add(&out, " ({} dari {} tercatat)", n, unrecorded.number(document.Denominator))
		}
		add(&out, ", unit tiba dalam 15 menit pada {} kejadian ({})", k, v)
	case Acknowledge:
		out = line("Dari {} tiket yang batas terimanya sudah putus, {} diterima OPD tepat waktu ({})", n, k, v)
	case Resolve:
		out = line("Dari {} tiket yang batas selesainya sudah putus, {} selesai tepat waktu ({})", n, k, v)
	case Hoax:
		out = line("Dari {} panggilan terjawab yang diklasifikasi, {} hoaks ({})", n, k, v)
	}
	switch {
	case in.Target == nil:
		add(&out, "; {}", verdict)
	case in.ID == Hoax:
		add(&out, "; sasaran di bawah {} {}", in.target(), verdict)
	default:
		add(&out, "; sasaran {} {}", in.target(), verdict)
	}
	if in.Limited {
		add(&out, ", data terbatas")
	}
	if unrecorded != nil && unrecorded.Numerator > 0 && in.ID != Fire {
		add(&out, ", {} lagi tidak tercatat", unrecorded.number(document.Numerator))
	}
	if in.Before != nil {
		add(&out, ", "+direction(*in.Value-*in.Before)+" bulan lalu ({})",
			w.monthShare(w.first().AddDate(0, -1, 0).Format(monthLayout), in.ID))
	}
	return append(out, text("."))
}

func add(to *document.Line, words string, cells ...document.Cell) {
	*to = append(*to, line(words, cells...)...)
}

func direction(d float64) string {
	switch {
	case d > 0.0005:
		return "naik dari"
	case d < -0.0005:
		return "turun dari"
	}
	return "tetap seperti"
}

// why names what stood in the way of an indicator, who is in charge, and the recommendation that is open.
func (w *writer) why(in *Indicator) (items []document.Line) {
	opd := w.worst(in.ID)
	if set := w.setOf(in.ID); set != nil && set.largest() != nil {
		c, of := set.largest(), "kasus"
		if in.ID == Fire {
			of = "tiket yang terlambat tiba"
		} else {
			opd = c.OPD
		}
		items = append(items, line("{}"+c.Name+", {} dari {} "+of+".", text("Kendala terbesar: ").Bold(),
			w.causeCell(set, c, document.Numerator), w.causeCell(set, nil, document.Numerator)))
	} else if line := w.kindOfHoax(); in.ID == Hoax && line != nil {
		items = append(items, line)
	}
	charge, advice := "pusat layanan 112 (Diskominfo).", "belum ada yang terbuka; perlu ditetapkan dalam rapat."
	if opd != "" {
		charge = w.opdName(opd) + "."
	}
	if i := slices.IndexFunc(w.Recommendations, func(m Recommendation) bool {
		return m.Indicator == in.ID && m.Open()
	}); i >= 0 {
		advice = w.Recommendations[i].sentence()
	}
	return append(items, document.Line{text("Penanggung jawab: ").Bold(), text(charge)},
		document.Line{text("Rekomendasi: ").Bold(), text(advice)})
}

// worst is the OPD with the most late clocks of an indicator; empty where none is behind it.
func (r *Report) worst(indicator string) (opd string) {
	most := 0.0
	if indicator == Fire {
		for _, f := range r.named("fires_opd") {
			if late := f.Denominator - f.Numerator; late > most {
				opd, most = f.dim("opd"), late
			}
		}
		return opd
	}
	clock := map[string]string{Acknowledge: "acknowledge", Resolve: "resolve"}[indicator]
	for _, f := range r.named("on_time") {
		if f.dim("clock") != clock || f.dim("scope") != "own" || f.dim("opd") == "" {
			continue
		}
		if late := f.Denominator - f.Numerator; late > most {
			opd, most = f.dim("opd"), late
		}
	}
	return opd
}

func (w *writer) approval() {
	w.add(document.Heading{Level: 1, ID: "pengesahan", Text: "Pengesahan", Plain: true})
	number := cmp.Or(w.Settings.Number, "........................................")
	w.say(document.Normal, text("Nomor: %s", number))
	w.say(document.Normal, text("%s untuk %s bulan %s disusun dari data pusat layanan dengan definisi versi %s. Semua "+
		"angka disertai pembilang, penyebut dan n; angka yang tidak tercatat ditulis demikian.", w.Settings.Title, w.CenterName,
		w.period(), w.definitionVersion()))
	w.say(document.Note, text("Checksum angka (SHA-256): %s", w.Checksum))
	s := document.Signatures{Place: strings.TrimPrefix(fmt.Sprintf("%s, ........................ %d", w.Settings.City,
		w.first().AddDate(0, 1, 0).Year()), ", ")}
	for _, p := range w.Settings.Signatories {
		s.People = append(s.People, document.Signatory{Role: p.Role, Office: p.Office, Name: p.Name, Rank: p.Rank,
			Number: p.Number})
	}
	if len(s.People) == 0 {
		s.People = []document.Signatory{{Role: "Mengetahui,", Office: "........................................"},
			{Office: "........................................"}}
	}
	w.add(s)
	w.remarks("pengesahan")
}

func (w *writer) summary() {
	w.heading(1, "ringkasan", "Ringkasan")
	before, year := w.first().AddDate(0, -1, 0).Format(monthLayout), w.first().AddDate(-1, 0, 0).Format(monthLayout)
	t := document.Table{ID: "t-indikator", Caption: "Lima indikator, " + w.period() + ".", Columns: []document.Column{
		{Head: "Indikator", Width: .17}, {Head: "Sasaran", Width: .08}, {Head: "Realisasi", Width: .095},
		{Head: "Capaian", Width: .085}, {Head: "n", Width: .06}, {Head: "Tidak tercatat", Width: .08},
		{Head: "95 % dari", Width: .07}, {Head: "sampai", Width: .08},
		{Head: "Bulan lalu", Width: .08}, {Head: "Tahun lalu", Width: .08}, {Head: "Status", Width: .12},
	}}
	for i := range w.Indicators {
		in := &w.Indicators[i]
		dims := indicatorDims(in.ID)
		low, high := w.interval(indicatorFigure, dims)
		tone := map[Verdict]document.Tone{Achieved: document.Good, NotAchieved: document.Bad}[in.Verdict]
		v := w.share(indicatorFigure, dims)
		if in.Value == nil {
			v = document.Absent(verdictWords[in.Verdict], v.Key)
		}
		t.Rows = append(t.Rows, row(text(indicatorNames[in.ID]), in.target(), v, in.attained(),
			w.number(indicatorFigure, dims, document.Denominator), w.number(unrecordedFigure, dims, document.Numerator), low,
			high, w.monthShare(before, in.ID),
			w.monthShare(year, in.ID), text(in.Words()).Bold().In(tone)))
	}
	t.Note = document.Line{text("n: penyebut. Tidak tercatat: kasus yang karena itu tidak masuk n. Capaian: realisasi " +
		"dibagi sasaran; bagi hoaks sasaran dibagi realisasi. " +
		"Sasaran hoaks: di bawah bulan yang sama tahun lalu, bila tidak ditetapkan; sama dengannya tidak tercapai, " +
		"kecuali 0 %. Di bawah 20 kasus: data terbatas.")}
	w.add(t)
	w.trendTable()
	w.remarks("ringkasan")
}

// trendTable gives the indicators of thirteen months.
func (w *writer) trendTable() {
	t := document.Table{ID: "t-tren", Caption: "Indikator tiga belas bulan.", Columns: []document.Column{
		{Head: "Bulan", Width: .2}, {Head: "Jawab"}, {Head: "Kebakaran"}, {Head: "Terima OPD"}, {Head: "Selesai"},
		{Head: "Hoaks"}, {Head: "Keadaan", Width: .14}}, Plot: &document.Plot{Kind: document.Lines,
		Title: "Indikator tiga belas bulan", Label: 0, Series: []int{1, 2, 3, 4, 5}}}
	for m := w.first().AddDate(0, -12, 0); !m.After(w.first()); m = m.AddDate(0, 1, 0) {
		month := m.Format(monthLayout)
		state, cells, some := "sementara", []document.Cell{text(monthWords(month))}, false
		for _, id := range indicatorOrder {
			if f := w.trend(month, id); f != nil {
				some = true
				if f.Frozen {
					state = "dibekukan"
				}
			}
			cells = append(cells, w.monthShare(month, id))
		}
		if some {
			t.Rows = append(t.Rows, row(append(cells, text(state))...))
		}
	}
	if len(w.TrendTargets) > 0 {
		note := fmt.Sprintf("Batas jawab %d detik, kecuali ", w.AnswerTarget)
		for i, m := range slices.Sorted(maps.Keys(w.TrendTargets)) {
			if i > 0 {
				note += ", "
			}
			note += fmt.Sprintf("%s %d detik", monthWords(m), w.TrendTargets[m])
		}
		t.Note = document.Line{document.Verbatim(note+": angka jawabnya tidak sebanding.",
			key(saidFigure, document.Sentence, "of", "trend_targets"))}
	}
	if len(t.Rows) > 1 {
		w.add(t)
		w.trendFigures()
	}
}

func (w *writer) funnel() {
	received := w.figure("funnel", "stage=hoax")
	if received == nil {
		return
	}
	w.heading(1, "corong", "Corong panggilan")
	w.say(document.Normal, line("Pusat layanan menerima {} panggilan. Setiap panggilan berada pada tepat satu tahap, "+
		"sehingga jumlah semua tahap sama dengan yang diterima.", received.number(document.Denominator))...)
	t := document.Table{ID: "t-corong", Caption: "Ke mana panggilan pergi, " + w.period() + ".",
		Columns: []document.Column{
			{Head: "Tahap", Width: .5}, {Head: "Panggilan"}, {Head: "Bagian"}},
		Plot: &document.Plot{Kind: document.Bars, Title: "Corong panggilan", Label: 0, Series: []int{1}}}
	for _, stage := range stageOrder {
		dims := "stage=" + stage
		t.Rows = append(t.Rows, row(text(stageNames[stage]), w.number("funnel", dims, document.Numerator),
			w.share("funnel", dims)))
	}
	t.Rows = append(t.Rows, document.Row{Cells: []document.Cell{text("Diterima"), received.number(document.Denominator),
		document.Absent("", document.Key{})}, Total: true})
	w.funnelFigure(received)
	w.add(t)
	w.table("t-jenis", "Panggilan menurut jenis, "+w.period()+".", "Jenis", "Panggilan", w.inOrder("calls_class", "class",
		classOrder), func(f *Figure) string { return nameIn(classNames, f.dim("class")) })
	w.table("t-kategori", "Tiket menurut kategori, tanpa laporan ganda, "+w.period()+".", "Kategori", "Tiket",
		w.parts("tickets_category"), func(f *Figure) string {
			if f.dim("category") == joint {
				return "Kategori sensitif dan lainnya"
			}
			return nameOf(w.Categories, f.dim("category"), "(tanpa kategori)")
		})
	w.remarks("corong")
}

func nameIn(names map[string]string, id string) string {
	return cmp.Or(names[id], id, "(tidak diketahui)")
}

// inOrder returns the figures of a name in the order of one of their dimensions; what the order does not know is last.
func (r *Report) inOrder(name, dim string, order []string) []*Figure {
	out := r.named(name)
	at := func(f *Figure) int {
		if i := slices.Index(order, f.dim(dim)); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortStableFunc(out, func(a, b *Figure) int { return at(a) - at(b) })
	return out
}

// largest returns the figures of a name, the largest first.
func (r *Report) largest(name string) []*Figure {
	out := r.named(name)
	slices.SortStableFunc(out, func(a, b *Figure) int { return cmp.Compare(b.Numerator, a.Numerator) })
	return out
}

// table adds a table of parts of a whole: name, count and share.
func (w *writer) table(id, caption, head, counted string, figures []*Figure, name func(*Figure) string) {
	if len(figures) == 0 {
		return
	}
	t := document.Table{ID: id, Caption: caption, Columns: []document.Column{{Head: head, Width: .5}, {Head: counted},
		{Head: "Bagian"}}}
	for _, f := range figures {
		t.Rows = append(t.Rows, row(text(name(f)), f.number(document.Numerator), f.share()))
	}
	t.Note = line("n = {}", figures[0].number(document.Denominator))
	w.add(t)
}

func (w *writer) speed() {
	before := len(w.blocks)
	w.heading(1, "kecepatan", "Kecepatan")
	t := document.Table{ID: "t-layanan", Caption: "Tiga tingkat layanan, " + w.period() + ".",
		Columns: []document.Column{{Head: "Ukuran", Width: .14}, {Head: "Arti", Width: .3},
			{Head: "Dalam batas", Width: .11}, {Head: "Penyebut", Width: .13}, {Head: "Bagian", Width: .11},
			{Head: "95 % dari", Width: .1}, {Head: "sampai", Width: .11}}}
	for _, level := range levelOrder {
		dims := "measure=" + level + ",target=" + strconv.Itoa(w.AnswerTarget)
		if w.figure("service_level", dims) == nil {
			continue
		}
		low, high := w.interval("service_level", dims)
		t.Rows = append(t.Rows, row(text(levelNames[level]), text(levelMeaning[level]),
			w.number("service_level", dims, document.Numerator), w.number("service_level", dims, document.Denominator),
			w.share("service_level", dims), low, high))
	}
	t.Note = line("Batas jawab: {}; batas pendek: {}.", w.target(),
		document.Number(float64(w.ShortAbandon), 0, "detik", key(shortFigure, document.Value)))
	w.addFilled(t)
	w.spans("t-waktu", "Lama setiap tahap, "+w.period()+".", append(slices.Clone(callSpans), ticketSpans...), "")
	w.heatTable()
	if f := w.figure("calls_quarter", w.quarter()); f != nil {
		w.say(document.Normal, line("Seperempat jam tersibuk: {}, {} panggilan.",
			document.Verbatim(quarterWords(f.dim("at")), key(saidFigure, document.Sentence, "of", "busiest_quarter")),
			f.number(document.Numerator))...)
	}
	w.remarks("kecepatan")
	if len(w.blocks) == before+1 { // nothing was fast or slow
		w.blocks = w.blocks[:before]
	}
}

func (r *Report) quarter() string {
	for _, f := range r.named("calls_quarter") {
		return f.Dims
	}
	return ""
}

// quarterWords writes 2023-10-13T20:15 as "13 Oktober 2023 pukul 20.15".
func quarterWords(at string) string {
	t, err := time.Parse("2006-01-02T15:04", at)
	if err != nil {
		return at
	}
	return indonesian.Day(t) + " pukul " + t.Format("15.04")
}

// spans adds a table of intervals, of one OPD when opd is not empty.
func (w *writer) spans(id, caption string, list []span, opd string) {
	t := document.Table{ID: id, Caption: caption, Columns: []document.Column{{Head: "Tahap", Width: .15},
		{Head: "Dihitung dari", Width: .16}, {Head: "sampai", Width: .12}, {Head: "5 dari 10 dalam", Width: .13},
		{Head: "9 dari 10 dalam", Width: .13}, {Head: "Rata-rata", Width: .13}, {Head: "n", Width: .07},
		{Head: "Tercatat", Width: .11}}}
	for _, s := range list {
		dims := "interval=" + s.id + ",scope=own"
		if opd != "" {
			dims = "interval=" + s.id + ",opd=" + opd + ",scope=" + w.scope(opd)
		}
		if w.figure("interval_median", dims) == nil {
			continue
		}
		t.Rows = append(t.Rows, row(text(s.name), text(s.from), text(s.to), w.duration("interval_median", dims),
			w.duration("interval_p90", dims), w.duration("interval_mean", dims),
			w.number("interval_median", dims, document.Numerator), w.share("coverage", dims)))
	}
	t.Note = document.Line{text("n: kasus yang kedua ujungnya tercatat; Tercatat: bagiannya dari semua kasus yang dapat " +
		"memilikinya.")}
	if opd == "" {
		t.Note = append(t.Note, text(" Tiket: OPD kabupaten."))
	}
	w.addFilled(t)
}

func (r *Report) scope(opd string) string {
	if i := slices.IndexFunc(r.OPDs, func(n Named) bool { return n.ID == opd }); i >= 0 {
		return cmp.Or(r.OPDs[i].Scope, "own")
	}
	return "own"
}

var weekdays = []string{"Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu"}

// heatTable gives calls by weekday and hour.
func (w *writer) heatTable() {
	if len(w.named("calls_hour")) == 0 {
		return
	}
	t := document.Table{ID: "t-jam", Caption: "Panggilan masuk menurut hari dan jam, " + w.period() + ".",
		Columns: []document.Column{{Head: "Jam", Width: .16}}, SheetOnly: true, // the figure has every number
		Plot: &document.Plot{Kind: document.Heat, Title: "Panggilan menurut hari dan jam", Label: 0}}
	for d := range weekdays {
		t.Columns = append(t.Columns, document.Column{Head: weekdays[d]})
		t.Plot.Series = append(t.Plot.Series, d+1)
	}
	for h := range 24 {
		cells := []document.Cell{text("%02d.00", h)}
		for d := range weekdays {
			cells = append(cells, w.number("calls_hour", fmt.Sprintf("hour=%02d,weekday=%d", h, d+1), document.Numerator))
		}
		t.Rows = append(t.Rows, row(cells...))
	}
	w.heatFigure()
	w.add(t)
}

func (w *writer) hoax() {
	if w.figure("hoax", "measure=rasio_hoaks") == nil {
		return
	}
	w.heading(1, "hoaks", "Hoaks")
	t := document.Table{ID: "t-hoaks", Caption: "Setiap definisi hoaks yang lazim dan angkanya, " + w.period() + ".",
		Columns: []document.Column{{Head: "Definisi", Width: .19}, {Head: "Rumus", Width: .25},
			{Head: "Pembilang", Width: .14}, {Head: "Penyebut", Width: .13}, {Head: "Bagian", Width: .1},
			{Head: "95 % dari", Width: .09}, {Head: "sampai", Width: .1}}}
	for _, d := range hoaxDefinitions {
		if w.figure(d.figure, d.dims) == nil {
			continue
		}
		low, high := w.interval(d.figure, d.dims)
		t.Rows = append(t.Rows, row(text(d.name), text(d.formula), w.number(d.figure, d.dims, document.Numerator),
			w.number(d.figure, d.dims, document.Denominator), w.share(d.figure, d.dims), low, high))
	}
	t.Note = document.Line{text("Angka yang berbeda untuk bulan yang sama berasal dari definisi yang berbeda. Panggilan " +
		"kosong bukan hoaks: peneleponnya mungkin tidak dapat berbicara.")}
	w.add(t)
	var items []document.Line
	cost := func(measure, name, unit, of string, seconds bool) {
		f := w.figure("hoax_cost", "measure="+measure)
		if f == nil || f.Value == nil {
			return
		}
		amount := document.Count(*f.Value, keyOf(f, document.Value))
		if seconds {
			amount = document.Duration(*f.Value, 0, keyOf(f, document.Value))
		}
		items = append(items, line(name+": {}"+unit+", dari {} "+of+".", amount, f.number(document.Numerator)))
	}
	cost("agent", "Waktu petugas untuk panggilan hoaks", "", "panggilan hoaks yang lamanya tercatat", true)
	cost("crew", "Waktu regu untuk laporan palsu", "", "tiket palsu yang waktunya tercatat", true)
	cost("held", "Panggilan nyata yang menunggu lebih lama dari batas sementara petugas melayani hoaks", " panggilan",
		"panggilan nyata", false)
	if f := w.figure("hoax_callers", ""); f != nil && f.N >= 100 {
		items = append(items, line("Satu dari seratus nomor yang paling sering menelepon membuat {} panggilan hoaks "+
			"bernomor ({} panggilan, dari {} nomor).", f.share(), f.number(document.Numerator), f.number(document.N)))
	}
	if f := w.figure("hoax_blocks", ""); f != nil && f.Denominator > 0 {
		items = append(items, line("Dari {} nomor yang diblokir, {} kemudian melaporkan kejadian nyata.",
			f.number(document.Denominator), f.number(document.Numerator)))
	}
	if len(items) > 0 {
		w.heading(2, "biaya-hoaks", "Biaya dan pemblokiran")
		w.add(document.List{Items: items})
	}
	w.remarks("hoaks")
}
