package mapping

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/yamlfile"
	"github.com/monev112/monev112/collector/source/tabular"
)

// ProposeOptions say what to propose a mapping for.
type ProposeOptions struct {
	File      string
	Name      string // of the mapping
	Source    string // CloudEvents source
	Center    string
	Timezone  string // IANA name
	Limits    tabular.Limits
	Directory *directory.Directory
}

// Proposal is a mapping that fits a file, as far as its header and first rows tell.
type Proposal struct {
	YAML    string
	Columns []ProposedColumn // in the order of the file
	Notes   []string         // what a person should look at
	Sheet   string           // of a workbook
	Line    int              // of the header
}

// ProposedColumn says what a column was taken for; Role is empty for one that is not used.
type ProposedColumn struct {
	Header, Role, Because string
}

// ErrNoHeader is returned by Propose when no row looks like a header.
var ErrNoHeader = errors.New(
	"no row looks like a header: a table needs a column of case numbers and one of dates or times")

// sampleRows is how many rows are looked at; headerSearch how many may stand above the header.
const (
	sampleRows   = 1000
	headerSearch = 50
)

// role is what a column can be, and the headers that say so, in lower case without punctuation.
type role struct {
	name    string
	headers []string
}

// roles are tried in this order for each column; the first whose header fits takes it.
var roles = []role{
	{"number", []string{
		"no tiket", "nomor tiket", "no ticket", "ticket number", "ticket id", "id tiket", "tiket", "no laporan",
		"nomor laporan", "id laporan", "no panggilan", "call id", "id panggilan", "no kasus", "case id", "no register",
		"kode laporan",
	}},
	{"received_full", []string{
		"waktu masuk", "tanggal jam masuk", "tgl jam masuk", "waktu panggilan", "waktu lapor", "waktu laporan",
		"tanggal waktu", "datetime", "received at", "waktu", "tanggal dan jam", "timestamp",
	}},
	{"date", []string{
		"tanggal", "tgl", "date", "tanggal panggilan", "tgl panggilan", "tanggal lapor", "tanggal laporan", "hari tanggal",
		"hari dan tanggal", "tgl masuk", "tanggal masuk",
	}},
	{"received", []string{
		"jam masuk", "jam panggilan", "jam lapor", "jam", "pukul", "time", "jam telepon", "call time", "jam laporan",
	}},
	{"answered", []string{
		"jam jawab", "jam diterima", "jam terjawab", "waktu jawab", "answer time", "answered at", "jam angkat",
	}},
	{"ended", []string{
		"jam selesai", "waktu selesai", "jam tutup", "end time", "ended at", "selesai bicara", "jam berakhir",
	}},
	{"shift", []string{"shift", "sif", "regu", "piket", "sif piket"}},
	{"caller", []string{
		"no hp", "nomor hp", "no telp", "no telepon", "nomor telepon", "telepon", "hp", "phone", "caller", "nomor penelepon",
		"no penelepon", "no wa", "msisdn",
	}},
	{"class", []string{
		"jenis panggilan", "klasifikasi", "jenis", "kategori panggilan", "tipe panggilan", "class", "call type",
		"jenis telepon", "status panggilan",
	}},
	{"category", []string{
		"kategori", "kategori laporan", "jenis laporan", "jenis kejadian", "kejadian", "category", "kategori kejadian",
	}},
	{"district", []string{"kecamatan", "kec", "district", "wilayah", "lokasi kecamatan"}},
	{"opd", []string{
		"opd", "dinas", "instansi", "perangkat daerah", "disposisi", "tujuan disposisi", "diteruskan ke", "department",
		"opd tujuan",
	}},
	{"wait", []string{"lama tunggu", "waktu tunggu", "tunggu", "wait", "waktu tunggu detik", "lama tunggu detik"}},
}

// classWords are the words that exports use for the classes of calls.
var classWords = map[string]string{
	"normal": "normal", "valid": "normal", "emergency": "normal", "darurat": "normal", "laporan": "normal",
	"real":      "normal",
	"informasi": "informasi", "info": "informasi", "information": "informasi", "permintaan informasi": "informasi",
	"prank": "prank", "iseng": "prank", "prank call": "prank", "panggilan iseng": "prank",
	"hoax": "prank_palsu", "hoaks": "prank_palsu", "laporan palsu": "prank_palsu", "palsu": "prank_palsu",
	"ghost": "ghost", "ghost call": "ghost", "kosong": "ghost", "panggilan kosong": "ghost", "diam": "ghost",
	"silent":        "ghost",
	"tidak sengaja": "pocket", "terpencet": "pocket", "salah wilayah": "misrouted", "luar wilayah": "misrouted",
	"salah sambung": "misrouted", "putus": "putus", "terputus": "putus", "duplikat": "duplikat", "ganda": "duplikat",
	"laporan ganda": "duplikat", "uji": "uji", "uji coba": "uji", "test": "uji", "tes": "uji", "belum": "belum",
}

// plainHeader makes a header comparable with those of roles.
func plainHeader(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9')
	}), " ")
}

func roleOf(header string) string {
	plain := plainHeader(header)
	for _, r := range roles {
		if slices.Contains(r.headers, plain) {
			return r.name
		}
	}
	return ""
}

// sample is the header and the first rows of a table.
type sample struct {
	file   string
	sheet  string
	sep    byte
	enc    tabular.Encoding
	line   int
	header []string
	rows   []tabular.Row
	cols   map[string]int // of a role
	book   bool
}

// Propose reads a file's header and first rows and writes a mapping for it. It sends nothing and shows no cell but
// words that stand in for codes. What it could not tell is in Notes.
func Propose(ctx context.Context, o ProposeOptions) (Proposal, error) {
	s, err := takeSample(ctx, o)
	if err != nil {
		return Proposal{}, err
	}
	p := proposer{o: o, s: s}
	p.propose()
	out := Proposal{YAML: p.yaml.String(), Notes: p.notes, Sheet: s.sheet, Line: s.line}
	for i, h := range s.header {
		col := ProposedColumn{Header: h}
		for r, at := range s.cols {
			if at == i {
				col.Role, col.Because = r, p.because[r]
			}
		}
		out.Columns = append(out.Columns, col)
	}
	if _, err := Parse(o.Name+".yaml", []byte(out.YAML)); err != nil {
		return out, fmt.Errorf("the proposal has to be corrected by hand: %w", err)
	}
	return out, nil
}

func takeSample(ctx context.Context, o ProposeOptions) (*sample, error) {
	book, err := tabular.IsWorkbook(o.File)
	if err != nil {
		return nil, err
	}
	var best *sample
	consider := func(s *sample) {
		if s != nil && (best == nil || len(s.cols) > len(best.cols)) {
			best = s
		}
	}
	if book {
		w, err := tabular.OpenWorkbook(o.File, o.Limits)
		if err != nil {
			return nil, err
		}
		defer w.Close()
		for _, name := range w.Sheets() {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			sheet, err := w.Sheet(name)
			if err != nil {
				return nil, err
			}
			s, err := sampleOf(sheet)
			sheet.Close()
			if err != nil {
				return nil, err
			}
			if s != nil {
				s.sheet, s.book = name, true
			}
			consider(s)
		}
	} else {
		for _, enc := range []tabular.Encoding{tabular.UTF8, tabular.Windows1252} {
			for _, sep := range tabular.Separators() {
				src, err := tabular.OpenText(o.File, enc, o.Limits)
				if err != nil {
					return nil, err
				}
				s, err := sampleOf(tabular.NewCSV(o.File, src, sep, o.Limits))
				src.Close()
				if err != nil {
					return nil, err
				}
				if s != nil {
					s.sep, s.enc = sep, enc
				}
				consider(s)
			}
		}
	}
	if best == nil {
		return nil, fmt.Errorf("%s: %w", o.File, ErrNoHeader)
	}
	best.file = o.File
	return best, nil
}

// sampleOf finds the row whose cells name the most roles, a case number and a date among them.
func sampleOf(rows tabular.Reader) (*sample, error) {
	var head []tabular.Row
	for len(head) < headerSearch+sampleRows {
		row, err := rows.Next()
		var bad *tabular.RowError
		if errors.As(err, &bad) {
			continue
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		head = append(head, row)
	}
	var best *sample
	for i, row := range head[:min(len(head), headerSearch)] {
		cols := map[string]int{}
		for c, cell := range row.Cells {
			if r := roleOf(cell); r != "" {
				if _, taken := cols[r]; !taken {
					cols[r] = c
				}
			}
		}
		_, numbered := cols["number"]
		_, full := cols["received_full"]
		_, date := cols["date"]
		_, clock := cols["received"]
		if !numbered || !full && !(date && clock) && !date || best != nil && len(cols) <= len(best.cols) {
			continue
		}
		best = &sample{line: row.Line, header: row.Cells, cols: cols, rows: head[i+1:]}
	}
	return best, nil
}

type proposer struct {
	o       ProposeOptions
	s       *sample
	yaml    strings.Builder
	notes   []string
	because map[string]string
}

func (p *proposer) note(format string, args ...any) {
	p.notes = append(p.notes, fmt.Sprintf(format, args...))
}

func (p *proposer) has(role string) bool { _, ok := p.s.cols[role]; return ok }

func (p *proposer) head(role string) string {
	return strconv.Quote(strings.Join(strings.Fields(p.s.header[p.s.cols[role]]), " "))
}

// cells returns what a role's column holds in the sample.
func (p *proposer) cells(role string) []string {
	var out []string
	for _, r := range p.s.rows {
		if slices.Equal(r.Cells, p.s.header) {
			continue
		}
		if i, ok := p.s.cols[role]; ok && i < len(r.Cells) {
			if c := oneLine(r.Cells[i]); c != "" {
				out = append(out, c)
			}
		}
	}
	return out
}

// monthFirst reports whether the dates can only be read month first.
func (p *proposer) monthFirst(role string) bool {
	first, second := 0, 0
	for _, c := range p.cells(role) {
		parts := strings.FieldsFunc(c, func(r rune) bool { return r == '/' || r == '-' || r == ' ' })
		if len(parts) < 3 {
			continue
		}
		a, err1 := strconv.Atoi(parts[0])
		b, err2 := strconv.Atoi(parts[1])
		if err1 != nil || err2 != nil || a > 31 {
			continue
		}
		if a > 12 {
			first++
		}
		if b > 12 {
			second++
		}
	}
	return second > 0 && first == 0
}

func (p *proposer) propose() {
	p.because = map[string]string{}
	w := func(format string, args ...any) { fmt.Fprintf(&p.yaml, format+"\n", args...) }
	w("# Proposed from the header and the first rows of a file. Read every line; docs/import.md explains the keys.")
	w("version: 1\nname: %s\nsource: %s\ncenter: %s\ntimezone: %s", strconv.Quote(p.o.Name), strconv.Quote(p.o.Source),
		strconv.Quote(p.o.Center), p.o.Timezone)
	w(`nulls: ["-", "--", "N/A", "#N/A", "NULL"]`)
	if p.s.enc == tabular.Windows1252 {
		w("table: {encoding: windows-1252}")
	}
	w("fields:")
	w("  number: {column: %s, required: true}", p.head("number"))
	p.times(w)
	if p.has("caller") {
		w("  caller: {column: %s, type: phone, optional: true}", p.head("caller"))
	}
	if p.has("wait") {
		decimal := ""
		if slices.ContainsFunc(p.cells("wait"), func(c string) bool { return strings.Contains(c, ",") }) {
			decimal = `, decimal: ","`
		}
		w("  wait: {column: %s, type: number%s, multiply: 1000, optional: true} # seconds become milliseconds",
			p.head("wait"), decimal)
	}
	if p.has("class") {
		p.classes(w)
	}
	for _, r := range []string{"category", "district", "opd"} {
		if p.has(r) {
			w("  %s: {column: %s, optional: true}", r, p.head(r))
		}
	}
	p.events(w)
}

func quoted(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = strconv.Quote(n)
	}
	return out
}

func (p *proposer) times(w func(string, ...any)) {
	formats := "[office]"
	date := "date"
	if p.has("received_full") {
		date = "received_full"
	}
	if p.monthFirst(date) {
		formats = `["M/d/yyyy H:mm", "M/d/yyyy H:mm:ss", "M/d/yyyy H.mm", "M/d/yyyy h:mm a", "M/d/yyyy h:mm:ss a"]`
		p.note("the dates of %s are read month before day: no day above 12 stands first", p.head(date))
	} else {
		p.note("the dates of %s are read day before month", p.head(date))
	}
	night := ""
	if p.has("shift") && !p.has("received_full") {
		if words := p.nightWords(); len(words) > 0 {
			w("  shift: {column: %s, optional: true}", p.head("shift"))
			if p.nightMended(words) {
				night = fmt.Sprintf(`, night_shift: {until: "07.00", field: shift, in: [%s]}`, strings.Join(quoted(words), ", "))
				p.note("rows of the night shift after midnight seem to carry the date on which the shift began: night_shift " +
					"moves them to the next day; remove it if that is wrong")
			}
		}
	}
	switch {
	case p.has("received_full"):
		w("  received: {column: %s, type: time, formats: %s, required: true}", p.head("received_full"), formats)
	case p.has("received"):
		w("  received: {columns: [%s, %s], type: time, formats: %s, required: true%s}", p.head("date"), p.head("received"),
			formats, night)
	default:
		w("  received: {column: %s, type: time, formats: %s, required: true}", p.head("date"), formats)
	}
	for _, r := range []string{"answered", "ended"} {
		if !p.has(r) {
			continue
		}
		if p.has("date") && !p.fullTimes(r) {
			w("  %s: {columns: [%s, %s], type: time, formats: %s, follows: received, roll_day: true}", r, p.head("date"),
				p.head(r), formats)
		} else {
			w("  %s: {column: %s, type: time, formats: %s, follows: received}", r, p.head(r), formats)
		}
	}
}

// fullTimes reports whether a column holds dates with its times.
func (p *proposer) fullTimes(role string) bool {
	full, all := 0, 0
	for _, c := range p.cells(role) {
		all++
		if v, err := strconv.ParseFloat(c, 64); err == nil && p.s.book {
			if v > 61 {
				full++
			}
			continue
		}
		if _, _, ok := parseOffice(c); ok {
			full++
		}
	}
	return full*2 > all
}

func (p *proposer) nightWords() []string {
	words := map[string]bool{}
	for _, c := range p.cells("shift") {
		if l := strings.ToLower(c); strings.Contains(l, "malam") || strings.Contains(l, "night") || l == "3" || l == "iii" ||
			strings.HasSuffix(l, " 3") {
			words[c] = true
		}
	}
	return slices.Sorted(maps.Keys(words))
}

// nightMended reports whether moving the night rows to the next day mends the order of the sample.
func (p *proposer) nightMended(words []string) bool {
	f := field{
		kind: timeField, formats: []*pattern{{text: "office", kind: officeForm}}, join: " ", follows: -1,
		nulls: map[string]bool{"": true, "-": true}, columns: []yamlfile.Texts{{"date"}, {"time"}},
	}
	m := (&Mapping{}).NewMapper(&Binding{})
	cols := []int{p.s.cols["date"], p.s.cols["received"]}
	if !p.has("received") {
		return false
	}
	m.zone.loc = time.UTC
	var o nightOrder
	for _, row := range p.s.rows {
		v, refused := f.read(m, row, cols, nil)
		if refused != nil || !v.set {
			continue
		}
		at := p.s.cols["shift"]
		if at < len(row.Cells) && slices.Contains(words, oneLine(row.Cells[at])) &&
			v.wall-floorDiv(v.wall, 86400)*86400 < 7*3600 {
			v.wall, v.moved = v.wall+86400, true
		}
		o.add(v, "")
	}
	return o.rows > 0 && min(o.backMoved, o.upMoved) < min(o.backWritten, o.upWritten)
}

func (p *proposer) classes(w func(string, ...any)) {
	found := map[string]string{}
	unknown := map[string]int{}
	for _, c := range p.cells("class") {
		key := strings.ToLower(c)
		if class, ok := classWords[key]; ok {
			found[key] = class
		} else if slices.Contains(event.Classes(), key) {
			found[key] = key
		} else if c != "-" {
			unknown[Mask(key, shownCode)]++
		}
	}
	for k, v := range classWords { // words that later files may hold
		if _, ok := found[k]; !ok &&
			slices.Contains([]string{
				"normal", "informasi", "prank", "iseng", "ghost", "hoax", "laporan palsu", "uji coba", "salah wilayah", "putus",
			}, k) {
			found[k] = v
		}
	}
	w("  class:\n    column: %s\n    ignore_case: true\n    optional: true\n    values:", p.head("class"))
	for _, k := range slices.Sorted(maps.Keys(found)) {
		w("      %s: %s", strconv.Quote(k), found[k])
	}
	for _, k := range slices.Sorted(maps.Keys(unknown)) {
		p.note("the class %q (%d rows of those looked at) is not known: add it to the values of class, its rows are "+
			"refused until then", k, unknown[k])
	}
}

func (p *proposer) events(w func(string, ...any)) {
	data := func(pairs ...string) string {
		var out []string
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == "" || p.has(pairs[i]) {
				out = append(out, pairs[i+1])
			}
		}
		return strings.Join(out, ", ")
	}
	w("events:")
	w("  - {type: call.received, subject: \"call/{number}\", time: received, required: true, data: {%s}}",
		data("caller", `caller: "{caller}"`, "", "channel: phone", "district", `kecamatan: "{district}"`))
	later := "received"
	if p.has("answered") {
		w("  - {type: call.answered, subject: \"call/{number}\", time: answered, data: {%s}}",
			data("wait", `wait_ms: "{wait}"`))
		later = "answered"
	}
	if p.has("ended") {
		w("  - {type: call.ended, subject: \"call/{number}\", time: ended}")
		later = "ended"
	}
	if later != "ended" {
		p.note("no column says when the talk ended: classification and ticket are dated to the field %s", later)
	}
	if p.has("class") {
		w("  - type: call.classified\n    subject: \"call/{number}\"\n    time: %s\n    when: [{field: class, empty: "+
			"false}]\n    data: {%s}", later,
			data("", `class: "{class}"`, "category", `category: "{category}"`))
	} else {
		p.note("no column says what kind of call it was: every call stays unclassified")
	}
	if p.has("opd") {
		w("  # The end of the talk is the first moment at which the ticket surely was made.")
		w("  - type: ticket.opened\n    subject: \"ticket/{number}\"\n    time: %s\n    when: [{field: opd, empty: "+
			"false}]\n    data: {%s}", later,
			data("", `calls: ["{number}"]`, "category", `category: "{category}"`, "district", `kecamatan: "{district}"`))
		w("  - type: ticket.assigned\n    subject: \"ticket/{number}\"\n    time: %s\n    when: [{field: opd, empty: "+
			"false}]\n    data: {opd: \"{opd}\"}", later)
	}
	for i, h := range p.s.header {
		used := strings.TrimSpace(h) == ""
		for _, at := range p.s.cols {
			used = used || at == i
		}
		if !used {
			p.note("the column %s is not used", strconv.Quote(strings.Join(strings.Fields(h), " ")))
		}
	}
}
