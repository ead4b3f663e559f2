// Package rtl owns the pages with forms of the monev meeting: its recommendations, listed, added and changed, each with
// its history, and people's remarks to the sections of a month's report.
package rtl

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/monev/rtl"
	"github.com/monev112/monev112/collector/web/page"
)

//go:embed templates
var files embed.FS

// Book reads what was written; *rtl.Book of package monev/rtl is one.
type Book interface {
	Ledger(ctx context.Context, center string) (rtl.Ledger, error)
	Measure(ctx context.Context, r *rtl.Recommendation, until string, asOf time.Time) (rtl.Effect, error)
	Today(center string, now time.Time) (of, today string)
}

// Config is what the pages are made of.
type Config struct {
	Book      Book
	Directory *directory.Directory
	Submit    func(ctx context.Context, who ingest.Office, drafts ...event.RawEvent) (event.Receipt, error)
}

type pages struct {
	Config
	templates *template.Template
	writing   sync.Mutex
}

// Mount gives the site its pages.
func Mount(s *page.Site, cfg Config) {
	p := &pages{Config: cfg, templates: page.MustParse(files, "templates/*.html")}
	read, write := page.Scopes(auth.BoardRead, auth.MonevWrite), page.Scopes(auth.MonevWrite)
	s.Handle("GET /rtl", read, p.reads(func(v *visit) { p.list(v, nil, "", http.StatusOK) }))
	s.Handle("POST /rtl", write, p.writes(sentMembers, p.save))
	s.Handle("GET /rtl/{id}", read, p.reads(func(v *visit) { p.show(v, nil, "", http.StatusOK) }))
	s.Handle("POST /rtl/{id}", write, p.writes(sentMembers, p.save))
	s.Handle("GET /monev/{month}/catatan", read, p.reads(func(v *visit) { p.remarks(v, "", "", "", http.StatusOK) }))
	s.Handle("POST /monev/{month}/catatan", write, p.writes(sentRemark, p.saveRemark))
	s.Menu("/rtl", page.Text{Indonesian: "Tindak lanjut", English: "Follow-up"}, read)
}

// statuses in both languages.
var statuses = map[string]page.Text{
	event.RTLUsulan:    {Indonesian: "usulan", English: "proposed"},
	event.RTLDisetujui: {Indonesian: "disetujui", English: "approved"},
	event.RTLBerjalan:  {Indonesian: "berjalan", English: "under way"},
	event.RTLSelesai:   {Indonesian: "selesai", English: "completed"},
	event.RTLBatal:     {Indonesian: "batal", English: "given up"},
}

// members in both languages, in the order of the form.
var members = []struct {
	name string
	page.Text
}{
	{event.RecordText, page.Text{Indonesian: "Rekomendasi", English: "Recommendation"}},
	{event.RecordOwner, page.Text{Indonesian: "Penanggung jawab", English: "Owner"}},
	{event.RecordMonth, page.Text{Indonesian: "Rapat bulan", English: "Meeting of the month"}},
	{event.RecordDue, page.Text{Indonesian: "Batas waktu", English: "Due"}},
	{event.RecordStatus, page.Text{Indonesian: "Status", English: "Status"}},
	{event.RecordCompleted, page.Text{Indonesian: "Tanggal selesai", English: "Completed on"}},
	{event.RecordIndicator, page.Text{Indonesian: "Indikator yang dituju", English: "Indicator that should move"}},
	{event.RecordOPD, page.Text{Indonesian: "Hanya OPD", English: "Only this OPD"}},
	{event.RecordCategory, page.Text{Indonesian: "Hanya kategori", English: "Only this category"}},
	{event.RecordPriority, page.Text{Indonesian: "Hanya prioritas", English: "Only this priority"}},
	{event.RecordKecamatan, page.Text{Indonesian: "Hanya kecamatan", English: "Only this kecamatan"}},
	{event.RecordBaseline, page.Text{Indonesian: "Bulan dasar (pembanding)", English: "Baseline month"}},
	{event.RecordRemarks, page.Text{Indonesian: "Catatan", English: "Remarks"}},
}

func label(r *page.Request, member string) string {
	for _, m := range members {
		if m.name == member {
			return r.Say(m.Text)
		}
	}
	return member
}

// Sections are the sections of a report that people may write a remark to, as package report names them.
var Sections = []struct {
	Code string
	page.Text
}{
	{"pengesahan", page.Text{Indonesian: "Pengesahan", English: "Approval"}},
	{"ringkasan", page.Text{Indonesian: "Ringkasan", English: "Summary"}},
	{"corong", page.Text{Indonesian: "Corong panggilan", English: "Funnel of calls"}},
	{"kecepatan", page.Text{Indonesian: "Kecepatan", English: "Speed"}},
	{"hoaks", page.Text{Indonesian: "Hoaks", English: "Hoax"}},
	{"opd", page.Text{Indonesian: "Perangkat daerah", English: "Departments"}},
	{"informasi", page.Text{Indonesian: "Pusat informasi", English: "Information service"}},
	{"wilayah", page.Text{Indonesian: "Wilayah", English: "Districts"}},
	{"kendala", page.Text{Indonesian: "Kendala", English: "Obstacles"}},
	{"rtl", page.Text{Indonesian: "Rekomendasi dan tindak lanjut", English: "Recommendations and follow-up"}},
	{"sdm", page.Text{Indonesian: "SDM, anggaran, SKM", English: "Staff, budget, satisfaction"}},
	{"mutu", page.Text{Indonesian: "Mutu data dan definisi", English: "Data quality and definitions"}},
}

// option is one choice of a field.
type option struct{ Value, Label string }

// field is one field of the form.
type field struct {
	Name, Label, Type, Value string
	Options                  []option // a choice, where there are any
	Long                     bool
	Hint                     string
}

type listView struct {
	Center string
	Today  string
	Rows   []row
	Late   int
	// Unmeasured counts completed recommendations beyond those whose effect the list says.
	Unmeasured int
	Query      string // ?center= of a centre that has to be named
	May        bool   // write
	Form       formView
	Problem    string
}

type row struct {
	ID, Text, Owner, Due, Status string
	Overdue                      bool
	Says                         string
}

type formView struct {
	*page.Request
	Action  string
	Version string // of what the form was filled with; see version
	Fields  []field
	Button  string
}

type showView struct {
	Center   string
	Query    string
	Row      row
	Scope    string
	May      bool
	Form     formView
	Problem  string
	Saved    bool
	History  []change
	Measured bool
}

type change struct {
	When, By string
	Set      []rtl.Setting
}

// visit is a request about one centre: its present day, and what was written of it.
type visit struct {
	*page.Request
	center, today string
	ledger        rtl.Ledger
}

// reads makes a handler of what answers a visit; where there is no such centre, or its ledger cannot be read now, it
// says so itself.
func (p *pages) reads(answer func(v *visit)) page.Handler {
	return p.visits(func(*page.Request) bool { return true }, answer)
}

// visits is reads for a request that was sent whole; what is not is refused whether or not the ledger can be read.
func (p *pages) visits(whole func(*page.Request) bool, answer func(v *visit)) page.Handler {
	return func(r *page.Request) {
		v := &visit{Request: r}
		v.center, v.today = p.Book.Today(cmp.Or(r.Person.Center(), r.URL.Query().Get("center")), r.Now)
		if _, known := p.Directory.Center(v.center); !known || !r.Person.MaySee(v.center) {
			r.NotFound()
			return
		}
		if !whole(r) {
			r.Notice(http.StatusUnprocessableEntity, r.T("Belum tersimpan", "Not saved"),
				r.T("Tidak ada isian yang dapat disimpan.", "There is no field to save."))
			return
		}
		var err error
		if v.ledger, err = p.Book.Ledger(r.Context(), v.center); err != nil {
			r.Notice(http.StatusServiceUnavailable, r.T("Belum dapat dibaca", "Cannot be read now"),
				r.T("ClickHouse belum menjawab. Tidak ada yang hilang; muat ulang sebentar lagi.",
					"ClickHouse does not answer yet. Nothing is lost; reload in a moment."))
			return
		}
		answer(v)
	}
}

// writes is visits for what changes something: nobody writes between what is read and what is written.
func (p *pages) writes(whole func(*page.Request) bool, answer func(v *visit)) page.Handler {
	return func(r *page.Request) {
		p.writing.Lock()
		defer p.writing.Unlock()
		p.visits(whole, answer)(r)
	}
}

// membersOf returns the members of a recommendation that a form has.
func membersOf(r *page.Request) map[string]string {
	sent := map[string]string{}
	for _, m := range members {
		if r.PostForm.Has(m.name) {
			sent[m.name] = r.PostForm.Get(m.name)
		}
	}
	return sent
}

func sentMembers(r *page.Request) bool { return len(membersOf(r)) > 0 }

func sentRemark(r *page.Request) bool { return r.PostForm.Has("section") && r.PostForm.Has("text") }

// list shows all recommendations, and the form for a new one, with what was typed and the problem of it.
func (p *pages) list(r *visit, typed map[string]string, problem string, status int) {
	v := listView{Center: p.Directory.CenterLabel(r.center), Today: p.day(r, r.today), Query: p.query(r),
		May: p.mayWrite(r), Problem: problem}
	measured := 0
	// Those completed last stand before others that are completed.
	for _, one := range rtl.Listed(r.ledger.Recommendations, r.today) {
		row := p.row(r, &one)
		switch {
		case one.Completed == "":
		case measured == rtl.MaxMeasured:
			v.Unmeasured++
		default:
			measured++
			if e, err := p.Book.Measure(r.Context(), &one, r.today, time.Time{}); err == nil && e.Verdict != rtl.NotYet {
				row.Says = e.Sentence()
			}
		}
		if v.Rows = append(v.Rows, row); row.Overdue {
			v.Late++
		}
	}
	if typed == nil {
		typed = map[string]string{event.RecordMonth: r.today[:7], event.RecordStatus: event.RTLUsulan}
	}
	v.Form = formView{r.Request, "rtl" + p.query(r), "", p.fields(r, typed), r.T("Tambah", "Add")}
	r.Render(page.Page{
		Status: status, Title: r.T("Tindak lanjut", "Follow-up"), Templates: p.templates, Name: "list.html", Data: v,
	})
}

func (p *pages) mayWrite(r *visit) bool { return r.Person.May(page.Scopes(auth.MonevWrite)) }

// query names the centre in an address, where it has to be named.
func (p *pages) query(r *visit) string {
	if r.Person.Center() != "" || r.center == p.Directory.DefaultCenter() {
		return ""
	}
	return "?center=" + url.QueryEscape(r.center)
}

// saved is the query of a page after something was saved.
func (p *pages) saved(r *visit) string {
	return cmp.Or(strings.Replace(p.query(r), "?", "?tersimpan&", 1), "?tersimpan")
}

func (p *pages) row(r *visit, one *rtl.Recommendation) row {
	return row{
		ID: one.ID, Text: cmp.Or(one.Text, r.T("tidak tercatat", "not recorded")), Owner: p.owner(one.Center, one.Owner),
		Due: p.day(r, one.Due), Status: r.Say(statuses[one.Status]), Overdue: one.Overdue(r.today),
	}
}

// owner names an OPD in full where its code is given.
func (p *pages) owner(center, owner string) string {
	if o, known := p.Directory.OPD(center, owner); known {
		return o.Name
	}
	return owner
}

// day writes a day for people; empty where there is none.
func (p *pages) day(r *visit, day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil || r.Lang == page.English {
		return day
	}
	return indonesian.Day(t)
}

// show shows one recommendation, and its form as list does.
func (p *pages) show(r *visit, typed map[string]string, problem string, status int) {
	one := r.ledger.Find(r.PathValue("id"))
	if one == nil {
		r.NotFound()
		return
	}
	v := showView{Center: p.Directory.CenterLabel(r.center), Query: p.query(r), Row: p.row(r, one), May: p.mayWrite(r),
		Problem: problem, Saved: r.URL.Query().Has("tersimpan")}
	effect, err := p.Book.Measure(r.Context(), one, r.today, time.Time{})
	if err == nil {
		v.Row.Says, v.Measured = effect.Sentence(), effect.Verdict != rtl.NotYet
	}
	if typed == nil {
		typed = one.Record()
	}
	v.Form = formView{
		r.Request, "rtl/" + url.PathEscape(one.ID) + p.query(r), version(one.History), p.fields(r, typed),
		r.T("Simpan", "Save"),
	}
	v.History = p.history(r, one.History)
	r.Render(page.Page{Status: status, Title: one.ID, Templates: p.templates, Name: "show.html", Data: v})
}

// history is the latest change first.
func (p *pages) history(r *visit, h rtl.History) (out []change) {
	for _, c := range slices.Backward(h.Changes) {
		one := change{When: c.At.In(p.Directory.Location(r.center)).Format("2006-01-02 15.04.05 MST"),
			By: cmp.Or(c.By, r.T("tanpa kunci", "without a key"))}
		for _, s := range c.Set {
			one.Set = append(one.Set,
				rtl.Setting{Name: label(r.Request, s.Name), From: cmp.Or(s.From, "–"), To: cmp.Or(s.To, "–")})
		}
		out = append(out, one)
	}
	return out
}

func (p *pages) fields(r *visit, values map[string]string) (out []field) {
	any := option{"", r.T("(semua)", "(all)")}
	none := option{"", r.T("(tidak ada)", "(none)")}
	for _, m := range members {
		f := field{Name: m.name, Label: r.Say(m.Text), Type: "text", Value: values[m.name]}
		switch m.name {
		case event.RecordText, event.RecordRemarks:
			f.Long = true
		case event.RecordOwner:
			f.Hint = r.T("Kode OPD atau jabatan, bukan nama orang.", "Code of an OPD or an office, never a person's name.")
		case event.RecordDue, event.RecordCompleted:
			f.Type = "date"
		case event.RecordMonth, event.RecordBaseline:
			f.Type = "month"
		case event.RecordStatus:
			for _, s := range event.RTLStatuses() {
				f.Options = append(f.Options, option{s, r.Say(statuses[s])})
			}
		case event.RecordIndicator:
			f.Options = []option{none}
			for _, i := range rtl.Indicators() {
				f.Options = append(f.Options, option{i.Code, r.T(i.Name, i.English)})
			}
		case event.RecordOPD:
			f.Options = []option{any}
			for _, o := range p.Directory.OPDs(r.center) {
				f.Options = append(f.Options, option{o.ID, o.Name})
			}
		case event.RecordCategory:
			f.Options = []option{any}
			for _, c := range p.Directory.Categories(r.center) {
				f.Options = append(f.Options, option{c.ID, c.Name})
			}
		case event.RecordKecamatan:
			f.Options = []option{any}
			for _, k := range p.Directory.AllKecamatan(r.center) {
				f.Options = append(f.Options, option{k.Code, k.Name})
			}
		case event.RecordPriority:
			f.Options = []option{any}
			for _, s := range event.Priorities() {
				f.Options = append(f.Options, option{s, strings.ReplaceAll(s, "_", "-")})
			}
		}
		out = append(out, f)
	}
	return out
}

const versionField = "versi"

// version names a state of something: it is another one after every change, also after one that came late.
func version(h rtl.History) string {
	if len(h.Changes) == 0 {
		return "0"
	}
	return strconv.Itoa(len(h.Changes)) + "-" + strconv.FormatInt(h.Last().At.UnixMilli(), 10)
}

// moved says who changed something since the form was filled with it; empty where nobody did, or the request is of no
// such form.
func (p *pages) moved(r *visit, h rtl.History) string {
	if was := r.PostForm.Get(versionField); was == "" || was == version(h) {
		return ""
	}
	if len(h.Changes) == 0 {
		return r.T("Yang Anda ubah sudah tidak ada. Isian Anda belum tersimpan.",
			"What you changed is not there any more. What you typed is not saved.")
	}
	last := p.history(r, h)[0]
	return r.T("Sementara itu sudah diubah oleh %s (%s); lihat riwayatnya. Isian Anda belum tersimpan: periksa, lalu "+
		"simpan sekali lagi.", "Meanwhile %s has changed this (%s); see its history. What you typed is not saved: "+
		"check it, then save once more.", last.By, last.When)
}

// save adds a recommendation, or changes the one that the path names.
func (p *pages) save(r *visit) {
	want := membersOf(r.Request)
	id, again := r.PathValue("id"), p.show
	if id == "" {
		id, again = rtl.NewID(want[event.RecordMonth], want[event.RecordText]), p.list
	} else if one := r.ledger.Find(id); one == nil {
		r.NotFound()
		return
	} else if problem := p.moved(r, one.History); problem != "" {
		again(r, want, problem, http.StatusConflict)
		return
	}
	draft, changed, err := rtl.Set(r.center, id, r.ledger.Find(id), want, r.Now)
	if problem := p.write(r, draft, changed, err); problem != "" {
		again(r, want, problem, http.StatusUnprocessableEntity)
		return
	}
	r.Record(audit.Entry{Action: "write", Kind: "rtl", ID: id, Center: r.center})
	r.Redirect("/rtl/" + url.PathEscape(id) + p.saved(r))
}

// write hands a change to the journal, and says what is wrong with it otherwise.
func (p *pages) write(r *visit, draft event.RawEvent, changed bool, err error) string {
	var mistake *rtl.Mistake
	switch {
	case errors.As(err, &mistake):
		return label(r.Request, mistake.Member) + ": " + r.T(mistake.Indonesian, mistake.English)
	case err != nil:
		return err.Error()
	case !changed:
		return ""
	}
	receipt, err := p.Submit(r.Context(), ingest.Office{Allowed: true, Only: true, By: r.Person.Name(), Center: r.center},
		draft)
	switch {
	case err != nil:
		return r.T("Belum dapat disimpan; tekan sekali lagi sebentar lagi.", "Cannot be saved now; press again in a moment.")
	case len(receipt.Rejected) > 0:
		return receipt.Rejected[0].Error()
	}
	return ""
}

type remarksView struct {
	Center, Month, Query string
	May, Saved           bool
	Problem              string
	Remarks              []remarkView
}

type remarkView struct {
	Section, Name, Text string
	History             []change
	Action, Version     string
}

func (p *pages) remarks(r *visit, section, typed, problem string, status int) {
	month, err := time.Parse("2006-01", r.PathValue("month"))
	if err != nil {
		r.NotFound()
		return
	}
	l := &r.ledger
	v := remarksView{Center: p.Directory.CenterLabel(r.center), Month: month.Format("2006-01"), Query: p.query(r),
		May: p.mayWrite(r), Saved: r.URL.Query().Has("tersimpan"), Problem: problem}
	action := "monev/" + v.Month + "/catatan" + v.Query
	add := func(code, name string) {
		one := remarkView{Section: code, Name: name, Text: l.Remark(v.Month, code), Action: action,
			Version: version(remarkHistory(l, v.Month, code))}
		one.History = p.history(r, remarkHistory(l, v.Month, code))
		if problem != "" && section == code {
			one.Text = typed
		}
		v.Remarks = append(v.Remarks, one)
	}
	for _, s := range Sections {
		add(s.Code, r.Say(s.Text))
		for _, m := range l.Remarks { // to its parts, as a cause of kendala
			if m.Month == v.Month && strings.HasPrefix(m.Section, s.Code+"/") {
				add(m.Section, r.Say(s.Text)+": "+strings.TrimPrefix(m.Section, s.Code+"/"))
			}
		}
	}
	r.Render(page.Page{Status: status, Title: r.T("Catatan", "Remarks") + " " + v.Month, Templates: p.templates,
		Name: "remarks.html", Data: v})
}

func remarkHistory(l *rtl.Ledger, month, section string) (h rtl.History) {
	for _, m := range l.Remarks {
		if m.Month == month && m.Section == section {
			h = m.History
		}
	}
	return h
}

func (p *pages) saveRemark(r *visit) {
	month, section, typed := r.PathValue("month"), r.PostForm.Get("section"), r.PostForm.Get("text")
	if problem := p.moved(r, remarkHistory(&r.ledger, month, section)); problem != "" {
		p.remarks(r, section, typed, problem, http.StatusConflict)
		return
	}
	draft, changed, err := rtl.SetRemark(r.center, month, section, &r.ledger, typed, r.Now)
	if problem := p.write(r, draft, changed, err); problem != "" {
		p.remarks(r, section, typed, problem, http.StatusUnprocessableEntity)
		return
	}
	r.Record(audit.Entry{Action: "write", Kind: "remark", ID: month + "/" + section, Center: r.center})
	r.Redirect("/monev/" + url.PathEscape(month) + "/catatan" + p.saved(r))
}
