package imports

import (
	"cmp"
	"embed"
	"errors"
	"html/template"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/source/mapping"
	"github.com/monev112/monev112/collector/source/upload"
	"github.com/monev112/monev112/collector/web/page"
)

//go:embed templates files
var files embed.FS

type pages struct {
	desk      *upload.Desk
	templates *template.Template
}

// Mount gives the site the page of a desk. It is for keys with the scope admin.
func Mount(s *page.Site, desk *upload.Desk) {
	p := &pages{desk, page.MustParse(files, "templates/*.html")}
	admin := page.Access{}
	s.AddFiles(files)
	s.Handle("GET /impor", admin, p.front)
	s.Handle("POST /impor", admin, p.receive, page.Unparsed)
	s.Handle("GET /impor/jalan", admin, p.job)
	s.Handle("GET /impor/ditolak.csv", admin, p.rejects)
	s.Handle("GET /impor/{id}", admin, p.show)
	s.Handle("POST /impor/{id}", admin, p.choose)
	s.Menu("/impor", page.Text{Indonesian: "Impor berkas", English: "Import a file"}, admin)
}

const script = "impor.js"

func (p *pages) render(r *page.Request, status int, title, name string, data any) {
	r.Render(page.Page{
		Status: status, Title: title, Templates: p.templates, Name: name, Data: data, Scripts: []string{script},
		Class: "wide",
	})
}

type frontView struct {
	Wrong string
	MiB   int64
	Job   *jobView
}

func (p *pages) front(r *page.Request) { p.frontWith(r, http.StatusOK, "") }

func (p *pages) frontWith(r *page.Request, status int, wrong string) {
	v := frontView{Wrong: wrong, MiB: p.desk.Limits().FileBytes >> 20}
	if j, ok := p.jobView(r); ok {
		v.Job = &j
	}
	p.render(r, status, r.T("Impor berkas", "Import a file"), "front.html", v)
}

// uploadTime is how long a file may take to arrive.
const uploadTime = 5 * time.Minute

// receive takes a file: a form of several parts, its token before its file.
func (p *pages) receive(r *page.Request) {
	c, end := http.NewResponseController(r.W), time.Now().Add(uploadTime)
	_ = errors.Join(c.SetReadDeadline(end), c.SetWriteDeadline(end)) // else those of the server hold
	most := p.desk.Limits().FileBytes
	r.Body = http.MaxBytesReader(r.W, r.Body, most+64<<10)
	parts, err := r.MultipartReader()
	if err != nil {
		p.frontWith(r, http.StatusBadRequest, r.T("Pilih satu berkas.", "Choose a file."))
		return
	}
	trusted := auth.SecretOf(r.Request) != ""
	for {
		part, err := parts.NextPart()
		switch {
		case err != nil:
			p.frontWith(r, http.StatusBadRequest, p.uploadFault(r, cmp.Or(tooLong(err), upload.ErrEmpty)))
			return
		case part.FormName() == "form":
			token, _ := io.ReadAll(io.LimitReader(part, 200))
			trusted = trusted || r.CheckToken(string(token))
			continue
		case part.FormName() != "berkas":
			continue
		case !trusted:
			p.frontWith(r, http.StatusForbidden, r.T("Formulir ini sudah tidak berlaku. Pilih berkas sekali lagi.",
				"This form is no longer valid. Choose the file once more."))
			return
		}
		f, err := p.desk.Receive(part.FileName(), r.Person.Name(), part)
		if err != nil {
			p.frontWith(r, http.StatusBadRequest, p.uploadFault(r, cmp.Or(tooLong(err), err)))
			return
		}
		r.Record(audit.Entry{Action: "upload", Kind: "file", ID: f.SHA256[:12]})
		r.Redirect("/impor/" + f.ID)
		return
	}
}

func tooLong(err error) error {
	var limit *http.MaxBytesError
	if errors.As(err, &limit) {
		return upload.ErrTooLarge
	}
	return nil
}

func (p *pages) uploadFault(r *page.Request, err error) string {
	switch {
	case errors.Is(err, upload.ErrTooLarge):
		return r.T("Berkas lebih besar dari %d MiB. Bagi per bulan, atau pakai perintah monev112 import.",
			"The file is larger than %d MiB. Split it by month, or use the command monev112 import.",
			p.desk.Limits().FileBytes>>20)
	case errors.Is(err, upload.ErrEmpty):
		return r.T("Berkas kosong, atau tidak ada yang dipilih.", "The file is empty, or none was chosen.")
	}
	return r.T("Berkas tidak dapat disimpan. Coba lagi; log layanan menyebutkan sebabnya.",
		"The file cannot be kept. Try again; the service's log says why.")
}

// show proposes a mapping, or offers the one that was kept for such a file.
func (p *pages) show(r *page.Request) {
	f, ok := p.file(r)
	if !ok {
		return
	}
	c := p.defaults(r)
	plan, err := p.desk.Plan(r.Context(), f, c)
	if err != nil {
		return // the browser has gone
	}
	kept := slices.DeleteFunc(p.desk.KeptFor(plan.Proposal), func(k upload.Kept) bool {
		return !allowed(r, k.Choice.Center, k.Choice.Source)
	})
	if len(kept) > 0 && r.URL.Query().Get("usulan") == "" {
		c = kept[0].Choice
		c.Kept = kept[0].Choice.Name
		if plan, err = p.desk.Plan(r.Context(), f, c); err != nil {
			return
		}
	}
	p.plan(r, http.StatusOK, f, c, plan, "")
}

// boundTo is the only source that the person may send; empty is any.
func boundTo(r *page.Request) string {
	if r.Person.Key == nil {
		return ""
	}
	return r.Person.Key.Source
}

// allowed reports whether the person may see and do an import of a centre as a source.
func allowed(r *page.Request, center, source string) bool {
	only := boundTo(r)
	return r.Person.MaySee(center) && (only == "" || only == source)
}

// file is the one that the path names: for a key of one centre or source, one that it handed over itself.
func (p *pages) file(r *page.Request) (*upload.File, bool) {
	f, err := p.desk.File(r.PathValue("id"))
	if err != nil || (r.Person.Center() != "" || boundTo(r) != "") && f.By != r.Person.Name() {
		p.frontWith(r, http.StatusNotFound, r.T("Berkas itu sudah dihapus dari layanan. Pilih berkas sekali lagi.",
			"That file was removed from the service. Choose it once more."))
		return nil, false
	}
	return f, true
}

func (p *pages) defaults(r *page.Request) upload.Choice {
	dir := p.desk.Directory()
	return upload.Choice{
		Name: "ekspor", Source: cmp.Or(boundTo(r), "ekspor-112"), Center: cmp.Or(r.Person.Center(), dir.DefaultCenter()),
	}
}

// choose takes what a person says of the columns: shows what comes of it, sends it, or removes the file.
func (p *pages) choose(r *page.Request) {
	f, ok := p.file(r)
	if !ok {
		return
	}
	do := r.PostForm.Get("do")
	if do == "hapus" {
		p.desk.Remove(f.ID)
		r.Redirect("/impor")
		return
	}
	c := p.choice(r)
	if !r.Person.MaySee(c.Center) {
		r.NotFound()
		return
	}
	if do == "kirim" {
		status, err := http.StatusConflict, error(errSource)
		if allowed(r, c.Center, c.Source) {
			err = p.desk.Start(r.Context(), f, c, r.Person.Name())
		} else {
			status = http.StatusForbidden
		}
		if err == nil {
			r.Record(audit.Entry{Action: "import", Kind: "file", Center: c.Center, ID: f.SHA256[:12]})
			r.Redirect("/impor/jalan")
			return
		}
		plan, perr := p.desk.Plan(r.Context(), f, c)
		if perr != nil {
			return
		}
		p.plan(r, status, f, c, plan, p.startFault(r, err))
		return
	}
	plan, err := p.desk.Plan(r.Context(), f, c)
	if err != nil {
		return
	}
	p.plan(r, http.StatusOK, f, c, plan, "")
}

// errSource is that of a key that may send another source alone.
var errSource = errors.New("the key may not send this source")

func (p *pages) startFault(r *page.Request, err error) string {
	switch {
	case errors.Is(err, errSource):
		return r.T("Kunci %s hanya boleh mengirim sebagai sumber %s.", "The key %s may send as the source %s alone.",
			r.Person.Name(), boundTo(r))
	case errors.Is(err, upload.ErrBusy):
		return r.T("Impor lain sedang berjalan. Tunggu sampai selesai, lalu kirim lagi.",
			"Another import is running. Wait until it is done, then send again.")
	case errors.Is(err, upload.ErrName):
		return r.T("Nama pemetaan hanya huruf kecil, angka dan tanda hubung, paling banyak 40.",
			"The name of the mapping has lower-case letters, digits and hyphens only, at most 40.")
	}
	return r.T("Belum terkirim: %s", "Not sent: %s", err)
}

// Fields of the form; each is followed by a number. What it is said of stands beside it in a hidden field.
const (
	roleField = "peran."
	headField = "kolom."
	wordField = "arti."
	termField = "kata."
	mostSaid  = 2000 // columns and words that a form may speak of
)

func (p *pages) choice(r *page.Request) upload.Choice {
	c := p.defaults(r)
	c.Roles, c.Words = map[string]string{}, map[string]string{}
	for i := range mostSaid {
		n := strconv.Itoa(i)
		if role := r.PostForm.Get(roleField + n); role != "" {
			c.Roles[r.PostForm.Get(headField+n)] = role
		}
		if means := r.PostForm.Get(wordField + n); means != "" {
			c.Words[r.PostForm.Get(termField+n)] = means
		}
	}
	c.Name = cmp.Or(strings.TrimSpace(r.PostForm.Get("nama")), c.Name)
	c.Source = cmp.Or(strings.TrimSpace(r.PostForm.Get("sumber")), c.Source)
	c.Center = cmp.Or(r.PostForm.Get("pusat"), c.Center)
	if kept, ok := p.desk.Kept(c.Center, r.PostForm.Get("simpanan")); ok && kept.Choice.Name == c.Name &&
		kept.Choice.Source == c.Source && kept.Choice.Center == c.Center && maps.Equal(kept.Choice.Roles, c.Roles) &&
		maps.Equal(kept.Choice.Words, c.Words) {
		c.Kept = c.Name
	}
	return c
}

func (p *pages) rejects(r *page.Request) {
	j, ok := p.desk.Job()
	if !ok || !j.Rejects || !allowed(r, j.Center, j.Source) {
		r.NotFound()
		return
	}
	h := r.W.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition",
		mime.FormatMediaType("attachment", map[string]string{"filename": j.File.Name + ".ditolak.csv"}))
	r.Record(audit.Entry{Action: "rejects", Kind: "file", ID: j.File.SHA256[:12]})
	_ = p.desk.Rejects(r.W) // the browser has gone, or the file
}

type jobView struct {
	upload.Job
	numbers
	Percent int
	Refused int
	When    string
}

func (p *pages) jobView(r *page.Request) (jobView, bool) {
	j, ok := p.desk.Job()
	zone := time.UTC
	if c, known := p.desk.Directory().Center(p.desk.Directory().DefaultCenter()); known {
		zone = c.Location
	}
	return jobView{
		j, numbersFor(r), int(100 * j.Share), j.Summary.RefusedTotal(), j.Started.In(zone).Format("02/01/2006 15.04"),
	}, ok && allowed(r, j.Center, j.Source)
}

func (p *pages) job(r *page.Request) {
	j, ok := p.jobView(r)
	if !ok {
		r.Redirect("/impor")
		return
	}
	if !j.Done {
		r.W.Header().Set("Refresh", "3") // where no script runs
	}
	p.render(r, http.StatusOK, r.T("Impor berjalan", "Import"), "job.html", j)
}

// sortedWords are the words that a person has to say something of, or has said something of.
func sortedWords(c upload.Choice, unknown []mapping.UnknownWord) (out []wordView) {
	for _, key := range slices.Sorted(maps.Keys(c.Words)) {
		role, word, _ := strings.Cut(key, ":")
		out = append(out, wordView{Key: key, Role: role, Shown: word, Means: c.Words[key]})
	}
	for _, u := range unknown {
		w := wordView{Role: u.Role, Shown: u.Shown, Rows: u.Rows}
		if u.Key != "" {
			w.Key = u.Role + ":" + u.Key
		}
		out = append(out, w)
	}
	return out
}
