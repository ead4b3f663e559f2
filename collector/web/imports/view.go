package imports

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/source/importer"
	"github.com/monev112/monev112/collector/source/mapping"
	"github.com/monev112/monev112/collector/source/tabular"
	"github.com/monev112/monev112/collector/source/upload"
	"github.com/monev112/monev112/collector/web/page"
)

type planView struct {
	File    *upload.File
	Choice  upload.Choice
	Wrong   string // why nothing was sent, or can be sent as things stand
	Detail  string // the same, as the commands say it
	Ready   bool   // something can be sent
	Sheet   string
	Line    int
	Columns []columnView
	Roles   []option
	Rows    []rowView
	Notes   []string
	Words   []wordView
	Kept    string // mapping that is used as it was kept
	Centers []option
	importer.Preview
	numbers
	Classes []option
	Absent  []string
	Refused []refusalView
	Total   int // refused
	YAML    string
}

type option struct{ Value, Name string }

type columnView struct {
	Number              int
	Header, Holds, Role string
}

type rowView struct {
	Line  int
	Cells []string
	Gives []givenView
}

type givenView struct{ Name, At, Data string }

type wordView struct {
	Key, Role, Shown, Means string
	Rows                    int
	Meanings                []option
}

type refusalView struct {
	Place        int
	Column, Text string
	Detail       string // in English, where Text is not
}

// plan shows a plan, and what is wrong with it.
func (p *pages) plan(r *page.Request, status int, f *upload.File, c upload.Choice, plan upload.Plan, wrong string) {
	v := planView{
		File: f, Choice: c, Wrong: wrong, Ready: plan.Refused == nil, Sheet: plan.Proposal.Sheet, Line: plan.Proposal.Line,
		Kept: c.Kept, Preview: plan.Preview, YAML: plan.YAML, Notes: plan.Proposal.NotesID,
		Total: plan.Preview.Summary.RefusedTotal(), Roles: roles(r), numbers: numbersFor(r),
	}
	if r.Lang == page.English {
		v.Notes = plan.Proposal.Notes
	}
	if plan.Refused != nil && wrong == "" {
		v.Wrong, v.Detail = explain(r, plan.Refused)
	}
	v.Columns, v.Rows = columns(r, plan), rows(r, plan)
	v.Words = sortedWords(c, plan.Proposal.Unknown)
	for i := range v.Words {
		v.Words[i].Role = roleName(r, v.Words[i].Role)
		for _, m := range mapping.Meanings(roleOfKey(v.Words[i].Key)) {
			v.Words[i].Meanings = append(v.Words[i].Meanings, option{m, say(r, meanings, m)})
		}
	}
	for _, class := range slices.Sorted(maps.Keys(plan.Preview.Classes)) {
		v.Classes = append(v.Classes, option{v.N(plan.Preview.Classes[class]), say(r, meanings, class)})
	}
	for _, t := range plan.Preview.Missing {
		v.Absent = append(v.Absent, say(r, eventNames, t))
	}
	for _, e := range plan.Preview.Summary.Refusals[:min(10, len(plan.Preview.Summary.Refusals))] {
		v.Refused = append(v.Refused, refusal(r, e))
	}
	for _, center := range p.desk.Directory().Centers() {
		if r.Person.MaySee(center.Code) {
			v.Centers = append(v.Centers, option{center.Code, center.Name})
		}
	}
	p.render(r, status, r.T("Impor %s", "Import %s", f.Name), "plan.html", v)
}

func roles(r *page.Request) []option {
	out := []option{{mapping.NoRole, r.T("(tidak dipakai)", "(not used)")}}
	for _, role := range mapping.Roles() {
		out = append(out, option{role.Name, r.T(role.Indonesian, role.English)})
	}
	return out
}

func roleName(r *page.Request, name string) string {
	for _, role := range mapping.Roles() {
		if role.Name == name {
			return r.T(role.Indonesian, role.English)
		}
	}
	return name
}

func columns(r *page.Request, plan upload.Plan) (out []columnView) {
	for i, c := range plan.Proposal.Columns {
		v := columnView{Number: i, Header: c.Header, Holds: r.T(c.Indonesian, c.Content), Role: c.Role}
		if v.Role == "" {
			v.Role = mapping.NoRole
		}
		out = append(out, v)
	}
	return out
}

// rows are the first rows with what they become; where nothing becomes of them, the first rows alone.
func rows(r *page.Request, plan upload.Plan) (out []rowView) {
	fill := func(cells []string) []string {
		for i := range cells {
			cells[i] = strings.Replace(cells[i], " characters)", r.T(" huruf)", " characters)"), 1)
		}
		return append(cells, make([]string, max(0, len(plan.Proposal.Columns)-len(cells)))...)[:len(plan.Proposal.Columns)]
	}
	for _, e := range plan.Preview.Rows {
		row := rowView{Line: e.Line, Cells: fill(e.Cells)}
		for _, g := range e.Events {
			row.Gives = append(row.Gives, givenView{say(r, eventNames, g.Type), clock(g.Time), plain(g.Data)})
		}
		out = append(out, row)
	}
	if len(out) == 0 {
		for _, cells := range plan.Proposal.Rows {
			out = append(out, rowView{Cells: fill(cells)})
		}
	}
	return out
}

// plain shows the members of a JSON object to people.
func plain(members string) string {
	return strings.Trim(strings.NewReplacer(`":"`, ": ", `","`, ", ", `":`, ": ", `,"`, ", ", `"`, "").Replace(members),
		`"`)
}

func clock(at time.Time) string {
	if at.Nanosecond() != 0 {
		return at.Format("02/01/2006 15.04.05,000")
	}
	return at.Format("02/01/2006 15.04.05")
}

// explain says why nothing can be sent.
func explain(r *page.Request, err error) (text, detail string) {
	var header *tabular.HeaderError
	switch {
	case errors.Is(err, mapping.ErrCounts):
		text = r.T("Tabel ini berisi jumlah per jam, hari atau bulan, bukan panggilan atau tiket. Dari jumlah tidak dapat "+
			"diketahui panggilan mana menunggu berapa lama. Ekspor daftar dengan satu baris per panggilan atau tiket.",
			"This table holds counts by hour, day or month, not calls or tickets.")
	case errors.Is(err, mapping.ErrNoHeader):
		text = r.T("Kolom nomor kasus atau kolom waktu belum ditemukan. Pilih artinya di atas kolom.",
			"No column of case numbers, or none of times, was found. Choose what the columns are above them.")
	case errors.Is(err, importer.ErrUnknownCenter):
		text = r.T("Pusat layanan ini tidak ada di direktori.", "The centre is not in the directory.")
	case errors.Is(err, importer.ErrNoRows):
		text = r.T("Tidak ada baris di bawah judul kolom.", "There is no row below the header.")
	case errors.Is(err, importer.ErrRefused):
		text = r.T("Semua baris ditolak; lihat sebabnya di bawah.", "Every row is refused; see why below.")
	case errors.As(err, &header):
		text = r.T("Kolom yang dipilih tidak cocok dengan berkas ini.", "The columns chosen do not fit this file.")
	default:
		return r.T("Berkas ini belum dapat dibaca.", "This file cannot be read as things stand."), err.Error()
	}
	return text, err.Error()
}

func refusal(r *page.Request, e tabular.RowError) refusalView {
	v := refusalView{Place: e.Line, Column: e.Column, Text: e.Reason}
	if reason, ok := refusals[e.Code]; ok && r.Lang != page.English {
		v.Text, v.Detail = reason, e.Reason
	}
	return v
}
