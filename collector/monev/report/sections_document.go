package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/monev/document"
	"github.com/monev112/monev112/collector/monev/freeze"
	"github.com/monev112/monev112/collector/monev/share"
	"github.com/monev112/monev112/collector/store"
)

// heldDims are the dims of figures by OPD.
func heldDims(opd, scope string) string { return "opd=" + opd + ",scope=" + scope }

func clockDims(clock, opd, scope string) string {
	return "clock=" + clock + ",opd=" + opd + ",scope=" + scope
}

// opds returns the ids of the OPDs of a scope that had a ticket or a clock this month, in the order of the directory,
// unknown ones after them.
func (r *Report) opds(own bool) (out []string) {
	add := func(f *Figure) {
		id, scope := f.dim("opd"), f.dim("scope")
		if id != "" && (scope == "own") == own && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	for _, name := range []string{"tickets_opd", "on_time"} {
		for _, f := range r.named(name) {
			add(f)
		}
	}
	at := func(id string) int {
		if i := slices.IndexFunc(r.OPDs, func(n Named) bool { return n.ID == id }); i >= 0 {
			return i
		}
		return len(r.OPDs)
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(at(a), at(b)), cmp.Compare(a, b)) })
	return out
}

// scopeIn finds the scope under which this month's figures have an OPD.
func (r *Report) scopeIn(opd string) string {
	for _, name := range []string{"tickets_opd", "on_time"} {
		for _, f := range r.named(name) {
			if f.dim("opd") == opd {
				return f.dim("scope")
			}
		}
	}
	return r.scope(opd)
}

// ranks gives the OPDs whose share of tickets resolved in time stands apart from every other's: n at least share.Few,
// and an interval that overlaps no other, however few cases the other has.
func (r *Report) ranks(opds []string) map[string]int {
	type unit struct {
		opd             string
		share, low, top float64
		few             bool
	}
	var units []unit
	for _, id := range opds {
		if f := r.figure("on_time", clockDims("resolve", id, "own")); f != nil && f.Value != nil &&
			f.Denominator > 0 {
			low, high := wilson(f.Numerator, f.Denominator)
			units = append(units, unit{id, *f.Value, low, high, f.Denominator < share.Few})
		}
	}
	slices.SortFunc(units, func(a, b unit) int { return cmp.Or(cmp.Compare(b.share, a.share), cmp.Compare(a.opd, b.opd)) })
	out := map[string]int{}
	for i, u := range units {
		apart := len(units) > 1 && !u.few
		for j, v := range units {
			apart = apart && (i == j || u.low > v.top || u.top < v.low)
		}
		if apart {
			out[u.opd] = i + 1
		}
	}
	return out
}

func (w *writer) departments() {
	own, outside := w.opds(true), w.opds(false)
	if len(own)+len(outside) == 0 {
		return
	}
	w.heading(1, "opd", "Perangkat daerah")
	w.say(document.Normal, text("“100 % ditindaklanjuti” adalah tiga angka: ditindaklanjuti, tepat waktu, dan "+
		"dikonfirmasi kepada pelapor."))
	ranks := w.ranks(own)
	if len(own) > 0 {
		w.departmentFigure(own)
	}
	w.departmentTable("t-opd", "OPD kabupaten, "+w.period()+".", own, true, ranks)
	if len(outside) > 0 {
		w.heading(2, "vertikal", "Instansi vertikal")
		w.say(document.Normal, text("Di luar kewenangan kabupaten: diukur, tidak dinilai."))
		w.departmentTable("t-vertikal", "Instansi di luar kewenangan kabupaten, "+w.period()+".", outside, false, nil)
	}
	w.remarks("opd")
}

func (w *writer) departmentTable(id, caption string, opds []string, own bool, ranks map[string]int) {
	if len(opds) == 0 {
		return
	}
	t := document.Table{ID: id, Caption: caption, Columns: []document.Column{{Head: "Perangkat daerah", Width: .25},
		{Head: "Tiket", Width: .07}, {Head: "Ditindak-lanjuti"}, {Head: "Tepat waktu"}, {Head: "n batas"},
		{Head: "95 % dari"}, {Head: "sampai"}, {Head: "Dikonfir-masi"}, {Head: "Catatan", Width: .15}},
		Plot: &document.Plot{Kind: document.Bars, Title: "Tepat waktu menurut perangkat daerah", Label: 0, Series: []int{3}}}
	for _, opd := range opds {
		scope := "own"
		if !own {
			scope = w.scopeIn(opd)
		}
		held, clock := heldDims(opd, scope), clockDims("resolve", opd, scope)
		low, high := w.interval("on_time", clock)
		note, f := "", w.figure("on_time", clock)
		switch {
		case f == nil || f.Denominator == 0:
			note = "belum ada batas yang putus"
			if u := w.figure("unobserved", clock); u != nil && u.Numerator > 0 {
				note = document.NotRecorded
			}
		case f.Denominator < share.Few:
			note = "data terbatas"
		case ranks[opd] > 0:
			note = fmt.Sprintf("peringkat %d", ranks[opd])
		case own:
			note = "tidak dibedakan"
		}
		onTime := w.share("on_time", clock)
		if note == document.NotRecorded {
			onTime = document.Absent(document.NotRecorded, onTime.Key)
		}
		t.Rows = append(t.Rows, row(text(w.opdName(opd)), w.number("tickets_opd", held, document.Numerator),
			w.recorded("acted", held), onTime, w.number("on_time", clock, document.Denominator), low, high,
			w.recorded("confirmed", held),
			document.Verbatim(note, key(saidFigure, document.Sentence, "of", "note", "opd", opd))))
	}
	t.Note = document.Line{text("Tepat waktu: batas penyelesaian yang sudah putus dan dipenuhi. Peringkat hanya bila n " +
		"paling sedikit 20 dan selangnya tidak bertindihan dengan OPD lain; selain itu OPD tidak dibedakan. " +
		"Ditindaklanjuti dan dikonfirmasi: bagian dari tiket yang faktanya dapat tercatat.")}
	w.add(t)
}

// recorded is the share of an OPD's tickets that have a fact, of those whose fact somebody records.
func (w *writer) recorded(name, held string) document.Cell {
	cell := w.share(name, held)
	if w.figure(name, held) == nil && w.figure("tickets_opd", held) != nil {
		return document.Absent(document.NotRecorded, cell.Key)
	}
	return cell
}

func (w *writer) information() {
	f := w.figure(informationFigure, "")
	if f == nil {
		return
	}
	w.heading(1, "informasi", "Pusat informasi layanan publik")
	w.say(document.Normal, line("Dari {} panggilan yang diklasifikasi, {} permintaan informasi layanan publik ({}).",
		f.number(document.Denominator), f.number(document.Numerator), f.share())...)
	if in := w.Information; in != nil {
		count := func(k document.Key) document.Cell {
			v, _, _ := w.counted(k)
			return document.Count(v, k)
		}
		asked := func(measure string, part document.Part) document.Key {
			return key(askedFigure, part, "measure", measure)
		}
		say := func(what, measure string, s *Share) { // with how many of all questions it could be told of
			if s == nil {
				w.say(document.Normal, text(what+": "+document.NotRecorded+"."))
				return
			}
			share, _, _ := w.counted(asked(measure, document.Value))
			w.say(document.Normal, line(what+": {} dari {} ({}); dapat dinilai pada {} dari {} permintaan.",
				count(asked(measure, document.Numerator)), count(asked(measure, document.Denominator)),
				document.Percent(share, 1, asked(measure, document.Value)), count(asked(measure, document.Denominator)),
				count(asked(askedAll, document.N)))...)
		}
		if len(in.Outcomes) > 0 {
			t := document.Table{ID: "t-hasil", Caption: "Hasil permintaan informasi, " + w.period() + ".",
				Columns: []document.Column{{Head: "Hasil", Width: .6}, {Head: "Panggilan"}}}
			for i, o := range in.Outcomes {
				t.Rows = append(t.Rows, row(text(o.Name), count(key(outcomeFigure, document.N, "row", i+1))))
			}
			if in.Told != nil {
				t.Note = line("Hasilnya tercatat pada {} dari {} permintaan. Dihitung saat laporan dibuat.",
					count(asked(askedTold, document.Numerator)), count(asked(askedTold, document.Denominator)))
			}
			w.add(t)
		}
		say("Terjawab pada kontak pertama", askedFirst, in.First)
		say("Ditanyakan lagi oleh nomor yang sama dalam 7 hari", askedAgain, in.Repeated)
		list := func(id, caption, which string, gaps []Gap) {
			if len(gaps) == 0 {
				return
			}
			t := document.Table{ID: id, Caption: caption, Columns: []document.Column{{Head: "Topik", Width: .5},
				{Head: "Tidak tahu"}, {Head: "Berulang"}, {Head: "Permintaan"}}}
			for i, g := range gaps {
				cells := []document.Cell{text(g.Topic)}
				for _, part := range []document.Part{unknownPart, repeatsPart, document.N} {
					cells = append(cells, count(key(gapFigure, part, "list", which, "row", i+1)))
				}
				t.Rows = append(t.Rows, row(cells...))
			}
			w.add(t)
		}
		list("t-celah", "Yang belum dapat dijawab: topik menurut tidak tahu dan pertanyaan berulang.", listLacking, in.Gaps)
		list("t-luar", "Topik yang dirujuk ke instansi di luar kewenangan kabupaten.", listOutside, in.Outside)
	}
	w.remarks("informasi")
}

func (w *writer) areas() {
	list := w.parts("tickets_kecamatan")
	if len(list) == 0 {
		return
	}
	w.heading(1, "wilayah", "Wilayah")
	t := document.Table{ID: "t-kecamatan", Caption: "Tiket menurut kecamatan, tanpa laporan ganda, " + w.period() + ".",
		Columns: []document.Column{{Head: "Kecamatan", Width: .5}, {Head: "Tiket"}, {Head: "Bagian"}},
		Plot:    &document.Plot{Kind: document.Bars, Title: "Tiket menurut kecamatan", Label: 0, Series: []int{1}}}
	for _, f := range list {
		name := nameOf(w.Kecamatan, f.dim("kecamatan"), "(tidak diketahui)")
		if f.dim("kecamatan") == joint {
			name = "Kecamatan dengan kurang dari 5 tiket dan lainnya"
		}
		t.Rows = append(t.Rows, row(text(name), f.number(document.Numerator), f.share()))
	}
	t.Note = line("Kecamatan dengan kurang dari 5 tiket dijumlahkan, bila perlu bersama yang berikutnya. n = {}",
		list[0].number(document.Denominator))
	if len(w.Kecamatan) > 0 {
		w.areaFigure(list)
	}
	w.add(t)
	w.remarks("wilayah")
}

func (w *writer) causes() {
	if len(w.Causes) == 0 {
		return
	}
	w.heading(1, "kendala", "Kendala")
	w.say(document.Normal, text("Setiap kasus yang gagal mendapat tepat satu sebab, yang pertama yang cocok; jumlah "+
		"semua sebab sama dengan yang gagal. Dihitung saat laporan dibuat."))
	for i := range w.Causes {
		set := &w.Causes[i]
		name := cmp.Or(set.Name, nameIn(indicatorNames, set.Indicator))
		w.heading(2, fmt.Sprintf("kendala-%d", i+1), causeTitle(set.Indicator))
		w.say(document.Normal, line("Dari {} kasus yang diputuskan, {} gagal: "+name+".",
			w.causeCell(set, nil, document.Denominator), w.causeCell(set, nil, document.Numerator))...)
		t := document.Table{ID: fmt.Sprintf("t-kendala-%d", i+1), Caption: fmt.Sprintf("Sebab yang gagal: %s, %s.", name,
			w.period()),
			Columns: []document.Column{{Head: "Sebab", Width: .45}, {Head: "Kasus"}, {Head: "Bagian"},
				{Head: "Terbanyak pada", Width: .27}},
			Plot: &document.Plot{Kind: document.Bars, Title: "Sebab", Label: 0, Series: []int{1}}}
		for j := range set.Causes {
			c, opd := &set.Causes[j], ""
			if c.OPD != "" {
				opd = w.opdName(c.OPD)
			}
			t.Rows = append(t.Rows, row(text(c.Name), w.causeCell(set, c, document.Numerator),
				w.causeCell(set, c, document.Value), text(opd)))
		}
		t.Rows = append(t.Rows, document.Row{Cells: []document.Cell{text("Jumlah"),
			w.causeCell(set, nil, document.Numerator), text(""), text("")}, Total: true})
		w.causeFigure(i, *set)
		w.add(t)
		for _, said := range [][2]string{{statedFigure, set.Stated}, {changeFigure, set.Change}} {
			if said[1] != "" {
				w.say(document.Normal,
					document.Verbatim(said[1], key(said[0], document.Sentence, "indicator", set.Indicator)))
			}
		}
		for _, c := range set.Causes {
			w.remarks("kendala/" + c.Code)
		}
	}
	w.remarks("kendala")
}

func (w *writer) followUp() {
	if len(w.Recommendations) == 0 {
		return
	}
	w.heading(1, "rtl", "Rekomendasi dan tindak lanjut")
	list := slices.Clone(w.Recommendations)
	slices.SortStableFunc(list, func(a, b Recommendation) int {
		late := func(r *Recommendation) int {
			switch {
			case r.Overdue:
				return 0
			case r.Open():
				return 1
			}
			return 2
		}
		return cmp.Or(cmp.Compare(late(&a), late(&b)), a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID))
	})
	t := document.Table{ID: "t-rtl", Caption: "Rekomendasi, yang lewat tenggat lebih dahulu.", Columns: []document.Column{
		{Head: "Rekomendasi", Width: .26}, {Head: "Penanggung jawab", Width: .17}, {Head: "Tenggat", Width: .12},
		{Head: "Keadaan", Width: .11}, {Head: "Setelahnya", Width: .34}}}
	for _, m := range list {
		due := document.Absent(document.NotApplicable, document.Key{})
		if !m.Due.IsZero() {
			due = document.Day(m.Due.In(w.Location()), key(followFigure, duePart, "id", m.ID))
		}
		state := text(m.Status)
		if m.Overdue {
			state = text(m.Status + ", lewat tenggat").Bold().In(document.Bad)
		}
		t.Rows = append(t.Rows, row(text(m.Text), text(w.opdName(m.Owner)), due, state,
			document.Verbatim(m.Effect, key(followFigure, document.Sentence, "id", m.ID))))
	}
	t.Note = document.Line{text("“Setelahnya” tidak berarti “karena”: dibandingkan dengan keadaan sebelum dan di luar " +
		"cakupan rekomendasi.")}
	w.add(t)
	w.remarks("rtl")
}

func (w *writer) typed() {
	if len(w.Typed) == 0 {
		return
	}
	w.heading(1, "sdm", "SDM, anggaran, dan kepuasan masyarakat")
	for i := range w.Typed {
		g := &w.Typed[i]
		t := document.Table{ID: fmt.Sprintf("t-isian-%d", i+1), Caption: g.Title}
		for _, c := range g.Columns {
			t.Columns = append(t.Columns, document.Column{Head: c})
		}
		for k := range g.Rows {
			out := make([]document.Cell, len(g.Columns))
			for j := range g.Columns {
				out[j] = g.cell(key(typedFigure, document.Value, "table", i+1, "row", k+1, "column", j+1), k, j)
			}
			t.Rows = append(t.Rows, row(out...))
		}
		if g.Note != "" {
			t.Note = document.Line{document.Verbatim(g.Note, key(typedFigure, document.Sentence, "table", i+1))}
		}
		w.add(t)
	}
	w.remarks("sdm")
}

func (w *writer) quality() {
	w.heading(1, "mutu", "Mutu data dan definisi")
	t := document.Table{ID: "t-lengkap", Caption: "Kelengkapan: kasus yang faktanya tercatat, " + w.period() + ".",
		Columns: []document.Column{{Head: "Ukuran", Width: .4}, {Head: "Tercatat"}, {Head: "dari n"}, {Head: "Kelengkapan"}}}
	coverage := func(name, dims string) {
		if f := w.figure("coverage", dims); f != nil {
			t.Rows = append(t.Rows, row(text(name), f.number(document.Numerator), f.number(document.Denominator), f.share()))
		}
	}
	coverage("Cap waktu jawab", "measure=answer_stamp")
	coverage("Jenis panggilan", "measure=class")
	for _, s := range ticketSpans {
		coverage(s.name, "interval="+s.id+",scope=own")
	}
	w.addFilled(t)
	w.notRecorded("")
	w.flags()
	w.changes()
	w.definitions()
	w.remarks("mutu")
}

// notRecorded lists the clocks that nobody can stop, of one OPD when opd is not empty.
func (w *writer) notRecorded(opd string) {
	t := document.Table{ID: "t-tidak-tercatat", Caption: "Yang tidak tercatat: batas waktu yang tidak dapat dihentikan " +
		"siapa pun, " + w.period() + ".", Columns: []document.Column{{Head: "Perangkat daerah", Width: .4},
		{Head: "Batas waktu", Width: .25}, {Head: "Tidak tercatat"}, {Head: "dari n"}}}
	for _, f := range w.named("unobserved") {
		if f.Numerator > 0 && (opd == "" || f.dim("opd") == opd) {
			t.Rows = append(t.Rows, row(text(w.opdName(f.dim("opd"))), text(nameIn(clockNames, f.dim("clock"))),
				f.number(document.Numerator), f.number(document.Denominator)))
		}
	}
	w.addFilled(t)
}

func (w *writer) flags() {
	t := document.Table{ID: "t-tanda", Caption: "Kasus yang datanya bertentangan atau tidak lengkap, " + w.period() + ".",
		Columns: []document.Column{{Head: "Tanda", Width: .5}, {Head: "Pada"}, {Head: "Kasus"}}}
	for _, kind := range [][2]string{{"calls_flag", "panggilan"}, {"tickets_flag", "tiket"}} {
		for _, f := range w.largest(kind[0]) {
			name := nameIn(valueNames["flag"], f.dim("flag"))
			t.Rows = append(t.Rows, row(text(name), text(kind[1]), f.number(document.Numerator)))
		}
	}
	w.addFilled(t)
}

// changes says which frozen months are no longer what was frozen.
func (w *writer) changes() {
	if len(w.Changed) == 0 {
		return
	}
	w.heading(2, "berubah", "Yang berubah sejak dibekukan")
	for i, c := range w.Changed {
		moved := key(differenceFigure, document.N, "month", c.Month)
		w.say(document.Normal, line(monthWords(c.Month)+": {} angka berubah sejak dibekukan.",
			document.Count(float64(c.Count), moved))...)
		t := document.Table{ID: fmt.Sprintf("t-berubah-%d", i+1), Caption: fmt.Sprintf("%s, dibekukan %s (revisi %d).",
			monthWords(c.Month), indonesian.Day(c.FrozenAt.In(w.Location())), c.Revision),
			Columns: []document.Column{{Head: "Angka", Width: .34},
				{Head: "Dibekukan", Width: .16}, {Head: "Sekarang", Width: .16}, {Head: "Sebab", Width: .34}}}
		for k, m := range w.Moved(c.Differences, false) {
			t.Rows = append(t.Rows, row(text(m.Name),
				document.Verbatim(m.Frozen, key(differenceFigure, frozenPart, "month", c.Month, "row", k+1)),
				document.Verbatim(m.Now, key(differenceFigure, presentPart, "month", c.Month, "row", k+1)), text(m.Why)))
		}
		if len(t.Rows) < c.Count {
			t.Note = document.Line{text("Ditampilkan yang pertama; semuanya dengan monev112 freeze --report --month %s.",
				c.Month)}
		}
		w.add(t)
	}
}

// Moved is a figure that is no longer what was frozen, in words.
type Moved struct{ Name, Frozen, Now, Why string }

// Moved says differences in words, without those that would tell a cell which the report joins.
func (r *Report) Moved(differences []freeze.Difference, english bool) (out []Moved) {
	for _, d := range r.tellable(differences) {
		name, why := d.Figure, d.Sebab
		switch {
		case !english:
			name = r.figureWords(d.Figure, d.Dims)
		case d.Dims != "":
			name += " (" + strings.ReplaceAll(d.Dims, ",", ", ") + ")"
		}
		if english || len(why) == 0 { // an edition of an earlier program has none
			why = d.Why
		}
		out = append(out, Moved{name, valueWords(d.Frozen), valueWords(d.Now), strings.Join(why, "; ")})
	}
	return out
}

// figureWords names a figure and what it is of. A name without words stands as it is.
func (r *Report) figureWords(figure, dims string) string {
	var of []string
	for _, dim := range dimOrder {
		value, there := store.Dim(dims, dim)
		switch {
		case !there || dim == "scope" && value == "own" || figure == "arrived_within":
		case dim == "opd" && value == "":
			of = append(of, "pusat layanan")
		case dim == "opd":
			of = append(of, r.opdName(value))
		case dim == "category":
			of = append(of, nameOf(r.Categories, value, "tanpa kategori"))
		case dim == "kecamatan":
			of = append(of, nameOf(r.Kecamatan, value, "tanpa kecamatan"))
		case valueNames[dim] != nil:
			of = append(of, nameIn(valueNames[dim], value))
		default:
			of = append(of, nameIn(dimNames, dim)+" "+value)
		}
	}
	if len(of) == 0 {
		return nameIn(figureNames, figure)
	}
	return nameIn(figureNames, figure) + " (" + strings.Join(of, ", ") + ")"
}

// valueWords says a figure's numbers in a line.
func valueWords(v *freeze.Value) string {
	if v == nil {
		return "tidak ada"
	}
	counts := indonesian.Decimal(v.Numerator, 0) + " dari " + indonesian.Decimal(v.Denominator, 0)
	switch {
	case v.Value == nil:
		return counts
	case equal(*v.Value*v.Denominator, v.Numerator):
		return indonesian.Decimal(100**v.Value, 2) + " % (" + counts + ")"
	}
	return indonesian.Decimal(*v.Value, 1) + " (n = " + indonesian.Number(int64(v.N)) + ")"
}

func (w *writer) definitions() {
	level := 2
	if len(w.blocks) == 0 || !slices.ContainsFunc(w.blocks, func(b document.Block) bool {
		_, ok := b.(document.Heading)
		return ok
	}) {
		level = 1
	}
	w.heading(level, "definisi", "Definisi")
	t := document.Table{ID: "t-definisi", Caption: "Definisi versi " + w.definitionVersion() + ".",
		Columns: []document.Column{{Head: "Ukuran", Width: .25}, {Head: "Rumus", Width: .75}}}
	for _, f := range formulas {
		t.Rows = append(t.Rows, row(text(f[0]), text(f[1])))
	}
	w.add(t)
}

// appendix has one page for each OPD.
func (w *writer) appendix() {
	opds := slices.Concat(w.opds(true), w.opds(false))
	if len(opds) == 0 {
		return
	}
	w.heading(1, "lampiran", "Lampiran: satu halaman setiap perangkat daerah")
	for i, opd := range opds {
		if i > 0 {
			w.add(document.PageBreak{})
		}
		w.opdPage(opd, 2)
	}
}

// opdPage is what an OPD's head gets.
func (w *writer) opdPage(opd string, level int) {
	scope := w.scopeIn(opd)
	id := "opd-" + slug(opd)
	w.heading(level, id, w.opdName(opd))
	held := heldDims(opd, scope)
	tickets := w.figure("tickets_opd", held)
	if tickets == nil && w.figure("on_time", clockDims("resolve", opd, scope)) == nil {
		w.say(document.Normal, text("Tidak ada tiket bagi %s pada %s.", w.opdName(opd), w.period()))
		return
	}
	if scope != "own" {
		w.say(document.Note, text("Di luar kewenangan kabupaten: diukur, tidak dinilai."))
	}
	if tickets != nil {
		part := func(figure, done string) document.Line {
			f := w.figure(figure, held)
			switch {
			case f == nil:
				return line(done+": {}", w.recorded(figure, held))
			case f.Denominator < tickets.Numerator:
				return line("{} dari {} yang dapat tercatat "+done+" ({})", f.number(document.Numerator),
					f.number(document.Denominator), f.share())
			}
			return line("{} "+done+" ({})", f.number(document.Numerator), f.share())
		}
		w.say(document.Lead, slices.Concat(line("Dari {} tiket, ", tickets.number(document.Numerator)),
			part("acted", "ditindaklanjuti"), line(", "),
			part("confirmed", "dikonfirmasi kepada pelapor"),
			line(", {} berpindah OPD, {} dibuka kembali.", w.number("bounced", held, document.Numerator),
				w.number("reopened", held, document.Numerator)))...)
	}
	t := document.Table{ID: "t-" + id + "-batas", Caption: "Batas waktu " + w.opdName(opd) + ", " + w.period() + ".",
		Columns: []document.Column{{Head: "Batas waktu", Width: .24}, {Head: "Tepat waktu"}, {Head: "n"}, {Head: "Bagian"},
			{Head: "95 % dari"}, {Head: "sampai"}, {Head: "Tidak tercatat"}, {Head: "Catatan", Width: .16}}}
	for _, clock := range clockOrder {
		dims := clockDims(clock, opd, scope)
		f, u := w.figure("on_time", dims), w.figure("unobserved", dims)
		if f == nil && (u == nil || u.Numerator == 0) {
			continue
		}
		low, high := w.interval("on_time", dims)
		note, onTime := "", w.share("on_time", dims)
		switch {
		case f == nil || f.Denominator == 0:
			if u != nil && u.Numerator > 0 {
				note, onTime = document.NotRecorded, document.Absent(document.NotRecorded, onTime.Key)
			}
		case f.Denominator < share.Few:
			note = "data terbatas"
		}
		t.Rows = append(t.Rows, row(text(nameIn(clockNames, clock)), w.number("on_time", dims, document.Numerator),
			w.number("on_time", dims, document.Denominator), onTime, low, high,
			w.number("unobserved", dims, document.Numerator), text(note)))
	}
	w.addFilled(t)
	w.spans("t-"+id+"-waktu", "Lama setiap tahap, "+w.opdName(opd)+".", ticketSpans[1:], opd)
	for i := range w.Recommendations {
		if m := &w.Recommendations[i]; m.Owner == opd && m.Open() {
			w.say(document.Normal, text("Rekomendasi: ").Bold(), text(m.sentence()))
		}
	}
}

// maxSlug leaves room for what stands around a slug in an id.
const maxSlug = 24

// slug makes an id of a document, or a name of a file, from an id of the directory, which may hold any letter and be
// long. Different ids stay different.
func slug(id string) string {
	var b strings.Builder
	for _, c := range []byte(id) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "-%02x", c)
		}
	}
	if b.Len() > maxSlug {
		sum := sha256.Sum256([]byte(id))
		return "x-" + hex.EncodeToString(sum[:8])
	}
	return b.String()
}
