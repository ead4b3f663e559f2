// Package setup writes the configuration folder with which a centre begins: its directory, a policy and a calendar of
// its own, and the configuration file that names them. Lists of OPDs and kecamatan come from the office's own
// spreadsheets. It never changes a file that is there.
package setup

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"
	"unicode"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/deploy"
)

// Ways in which a centre's events come.
const (
	Export   = "export"   // workbooks or CSV files that somebody saves
	Asterisk = "asterisk" // the queue_log of a telephone system
	API      = "api"      // a system that sends CloudEvents
)

// ConfigFile is the configuration file within the folder.
const ConfigFile = "monev112.yaml"

// DropFolder is where exports are put, within the folder.
const DropFolder = "masuk"

// MappingFile is the mapping of the exports, within the folder; `map --write` makes it.
const MappingFile = "pemetaan.yaml"

// Answers say what is known of a centre.
type Answers struct {
	Code       string // Kemendagri code of the regency, for example 35.29
	Name       string // for example Kabupaten Sumenep
	Zone       string // IANA time zone
	Population int    // 0 when it is not known
	OPDs       string // file with a list of OPDs; empty: the usual OPDs of a regency
	Kecamatan  string // file with a list of kecamatan; empty: none
	Systems    []string
	QueueLog   string // of Asterisk
}

// Plan is what Write would write.
type Plan struct {
	Files map[string]string // text by path within the folder
	Notes []string          // what was assumed, for a person to confirm
}

//go:embed templates
var templates embed.FS

var codeForm = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._-]{0,31}$`)

// Check refuses answers from which no centre can be made.
func (a *Answers) Check() error {
	if !codeForm.MatchString(a.Code) {
		return fmt.Errorf("the code %q is none: give the Kemendagri code of the regency, for example 35.29", a.Code)
	}
	if strings.TrimSpace(a.Name) == "" || strings.ContainsFunc(a.Name, unicode.IsControl) {
		return errors.New("the name is missing or has more than one line: give it as it is written officially, for example " +
			"Kabupaten Sumenep")
	}
	if _, err := time.LoadLocation(a.Zone); err != nil || a.Zone == "" {
		return fmt.Errorf("%q is no time zone: Asia/Jakarta (WIB), Asia/Makassar (WITA) or Asia/Jayapura (WIT)", a.Zone)
	}
	if a.Population < 0 {
		return errors.New("the population is negative")
	}
	for _, s := range a.Systems {
		if !slices.Contains([]string{Export, Asterisk, API}, s) {
			return fmt.Errorf("no system %q: name %s, %s or %s", s, Export, Asterisk, API)
		}
	}
	if a.QueueLog != "" && !filepath.IsAbs(a.QueueLog) {
		return fmt.Errorf("the queue_log %s is no absolute path", a.QueueLog)
	}
	return nil
}

// New plans the folder of a centre. Its error names the file, the row and what would be right.
func New(a Answers) (*Plan, error) {
	if err := a.Check(); err != nil {
		return nil, err
	}
	p := &Plan{Files: map[string]string{}}
	slug := slugOf(a.Name)
	c := centre{Answers: a, Slug: slug, Policy: slug, Calendar: "id-" + slug}
	usual := directory.MustLoad("directory.yaml", deploy.Directory)
	ours, err := readShipped()
	if err != nil {
		return nil, err
	}
	if c.OPDs, err = ours.opdsOf(a.OPDs, usual); err != nil {
		return nil, err
	}
	if a.OPDs == "" {
		p.note("no list of OPDs was given: directory.yaml has the usual ones of a regency")
	}
	if c.Kecamatan, err = kecamatanOf(a.Kecamatan, a.Code); err != nil {
		return nil, err
	}
	if a.Kecamatan == "" {
		p.note("no list of kecamatan was given: places are kept as the sources name them, and counted as unknown")
	}
	for _, k := range c.Kecamatan {
		if k.Lat == "" {
			p.note("kecamatan without a point are not shown on maps, and a sensitive category's place there is left out: " +
				"add lat and lon to directory.yaml")
			break
		}
	}
	c.Categories = ours.categoriesOf(c.OPDs)
	for _, o := range c.OPDs {
		if o.Hours == string(directory.AllDay) && o.Scope == string(directory.Own) {
			c.AllDay = append(c.AllDay, o.ID)
		}
	}
	for name, file := range map[string]string{
		ConfigFile: "monev112.yaml", "directory.yaml": "directory.yaml", "policies/" + c.Policy + ".yaml": "policy.yaml",
	} {
		if p.Files[name], err = render(file, c); err != nil {
			return nil, err
		}
	}
	if p.Files["calendars/"+c.Calendar+".yaml"], err = calendarOf(&c); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	p.note("the targets in policies/%s.yaml are defaults of this product: the centre confirms them", c.Policy)
	p.note("calendars/%s.yaml has the national holidays; add the days of your own region", c.Calendar)
	return p, nil
}

// check reads the planned files as serve would. What a list holds that no directory can have is found here.
func (p *Plan) check() error {
	dir, err := directory.Load("directory.yaml", []byte(p.Files["directory.yaml"]))
	if err != nil {
		return err
	}
	var rules []sla.File
	for name, text := range p.Files {
		if path.Dir(name) != "." {
			rules = append(rules, sla.File{Name: name, Data: []byte(text)})
		}
	}
	_, err = sla.Load(rules, sla.ConfigOf(dir))
	return err
}

func (p *Plan) note(format string, args ...any) {
	p.Notes = append(p.Notes, fmt.Sprintf(format, args...))
}

// centre is what the templates are filled with.
type centre struct {
	Answers
	Slug, Policy, Calendar string
	OPDs                   []opd
	Kecamatan              []kecamatan
	Categories             []category
	AllDay                 []string // ids of own OPDs that work around the clock
}

// Has reports whether events come in this way.
func (c centre) Has(system string) bool { return slices.Contains(c.Systems, system) }

func render(file string, c centre) (string, error) {
	t, err := template.New(file).Funcs(template.FuncMap{"q": quote, "list": list}).ParseFS(templates, "templates/"+file)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, c); err != nil {
		return "", err
	}
	return b.String(), nil
}

// quote writes a text in double quotes, as YAML reads it.
func quote(s string) string { return strconv.Quote(s) }

// list writes texts as a YAML list.
func list(all []string) string {
	quoted := make([]string, len(all))
	for i, s := range all {
		quoted[i] = quote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// calendarOf is the shipped calendar of national holidays under the centre's own name and zone.
func calendarOf(c *centre) (string, error) {
	text, err := fs.ReadFile(deploy.Defaults, "defaults/calendars/id-sidoarjo.yaml")
	if err != nil {
		return "", err
	}
	out := string(text)
	for _, change := range [][2]string{
		{"calendar: id-sidoarjo\n", "calendar: " + c.Calendar + "\n"},
		{"zone: Asia/Jakarta\n", "zone: " + c.Zone + "\n"},
		{"Working calendar of Sidoarjo's offices", "Working calendar of the offices of " + c.Name},
	} {
		if !strings.Contains(out, change[0]) {
			return "", fmt.Errorf("the shipped calendar has no line %q", change[0])
		}
		out = strings.Replace(out, change[0], change[1], 1)
	}
	return out, nil
}

// Write writes the files below dir, which it makes. A file that is there with the same text is left alone; one with
// another text is refused before anything is written. It returns the names of the files that are new.
func (p *Plan) Write(dir string) (written []string, err error) {
	names := make([]string, 0, len(p.Files))
	for name := range p.Files {
		names = append(names, name)
	}
	slices.Sort(names)
	var fresh []string
	for _, name := range names {
		switch text, err := os.ReadFile(filepath.Join(dir, name)); {
		case errors.Is(err, fs.ErrNotExist):
			fresh = append(fresh, name)
		case err != nil:
			return nil, err
		case string(text) != p.Files[name]:
			return nil, fmt.Errorf("%s is there and differs: edit it, or name another folder", filepath.Join(dir, name))
		}
	}
	for _, name := range fresh {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return written, err
		}
		if err := os.WriteFile(path, []byte(p.Files[name]), 0o644); err != nil {
			return written, err
		}
		written = append(written, name)
	}
	return written, nil
}
