package setup

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/source/tabular"
	"github.com/monev112/monev112/deploy"
)

// opd is one OPD.
type opd struct {
	ID      string   `yaml:"id"`
	Name    string   `yaml:"name"`
	Scope   string   `yaml:"scope"`
	Hours   string   `yaml:"hours"`
	Aliases []string `yaml:"aliases"`
}

// kecamatan is one kecamatan of the new centre. Lat and Lon are decimal degrees, or both empty.
type kecamatan struct{ Code, BPS, Name, Lat, Lon string }

// category is one category, with an OPD only where the centre has it.
type category struct {
	ID        string   `yaml:"id"`
	Name      string   `yaml:"name"`
	Priority  string   `yaml:"priority"`
	OPD       string   `yaml:"opd"`
	Sensitive bool     `yaml:"sensitive"`
	Aliases   []string `yaml:"aliases"`
}

// column is a column of a list, by the words that stand over it.
func column(optional bool, headers ...string) tabular.Column {
	return tabular.Column{Headers: headers, Optional: optional}
}

// The columns of a list of OPDs, in the order of opdColumns' indices.
var opdColumns = []tabular.Column{
	column(false, "nama opd", "nama perangkat daerah", "perangkat daerah", "nama instansi", "nama dinas",
		"nama unit kerja", "nama", "opd", "dinas", "instansi", "skpd", "unit kerja", "organisasi", "department", "name"),
	column(true, "singkatan", "akronim", "kode opd", "kode", "id", "alias", "nama singkat", "short name", "code"),
	column(true, "lingkup", "jenis", "kewenangan", "scope"),
	column(true, "jam kerja", "jam layanan", "jam", "layanan", "hours"),
}

var kecamatanColumns = []tabular.Column{
	column(false, "nama kecamatan", "kecamatan", "nama", "district", "name"),
	column(true, "kode kemendagri", "kode wilayah", "kode kecamatan", "kode", "kemendagri", "code"),
	column(true, "kode bps", "bps"),
	column(true, "lintang", "latitude", "lat"),
	column(true, "bujur", "longitude", "long", "lon", "lng"),
}

// readList calls row with the cells of each row of a list, in the order of columns, and names the row in its error.
func readList(file string, columns []tabular.Column, row func(cells []string) error) error {
	layout := tabular.Layout{Columns: columns, HeaderRows: 20, Encoding: tabular.UTF8}
	f, err := layout.Open(file, tabular.Limits{})
	if err != nil {
		return err
	}
	defer f.Close()
	table, err := f.Next() // further sheets are other lists
	if err != nil {
		return err
	}
	for {
		r, err := table.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if r.Blank() {
			continue
		}
		cells := make([]string, len(columns))
		for i, at := range table.Header.Columns {
			if at >= 0 && at < len(r.Cells) {
				cells[i] = strings.Join(strings.Fields(r.Cells[at]), " ")
			}
		}
		if cells[0] == "" {
			continue // a total, a remark
		}
		if err := row(cells); err != nil {
			return fmt.Errorf("%s:%d: %w", file, r.Line, err)
		}
	}
}

// notOfAnyRegency are OPDs of the shipped directory that are Sidoarjo's own.
var notOfAnyRegency = regexp.MustCompile(`^(kec_.*|rsud|polresta|kodim.*|pdam)$`)

// opdsOf reads a list of OPDs; what the list does not say of a usual OPD comes from the shipped directory.
func (s *shipped) opdsOf(file string, usual *directory.Directory) (out []opd, err error) {
	if file == "" {
		return slices.DeleteFunc(slices.Clone(s.OPDs), func(o opd) bool { return notOfAnyRegency.MatchString(o.ID) }), nil
	}
	ids, names := map[string]bool{}, map[string]bool{}
	err = readList(file, opdColumns, func(cells []string) error {
		name, short := cells[0], cells[1]
		if names[strings.ToLower(name)] {
			return fmt.Errorf("%q is listed twice: keep one row", name)
		}
		names[strings.ToLower(name)] = true
		o, known := s.opdLike(usual, name, short)
		if !known || ids[o.ID] {
			o = opd{ID: slugOf(cmp.Or(short, name))}
		}
		for base, n := o.ID, 2; ids[o.ID]; n++ {
			o.ID = fmt.Sprintf("%s_%d", base, n)
		}
		ids[o.ID] = true
		o.Name = name
		o.Aliases = otherNames(o, short)
		if o.Scope, err = wordOf(cells[2], scopeWords, o.Scope); err != nil {
			return err
		}
		o.Hours, err = wordOf(cells[3], hourWords, o.Hours)
		out = append(out, o)
		return err
	})
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("%s lists no OPD: give one row each below a header such as Nama OPD", file)
	}
	return dropSharedAliases(out), err
}

// otherNames are the aliases of o and its short name, without what is its name or id.
func otherNames(o opd, short string) (out []string) {
	for _, a := range append(slices.Clone(o.Aliases), short) {
		same := func(b string) bool { return strings.EqualFold(a, b) }
		if a != "" && !same(o.Name) && !same(o.ID) && !slices.ContainsFunc(out, same) {
			out = append(out, a)
		}
	}
	return out
}

// dropSharedAliases takes an alias from every OPD that another one's name, id or alias contradicts: it would be
// ambiguous.
func dropSharedAliases(opds []opd) []opd {
	uses := map[string]int{}
	for _, o := range opds {
		for _, name := range append([]string{o.ID, o.Name}, o.Aliases...) {
			uses[slugOf(name)]++
		}
	}
	for i := range opds {
		opds[i].Aliases = slices.DeleteFunc(opds[i].Aliases, func(a string) bool { return uses[slugOf(a)] > 1 })
	}
	return opds
}

// words are the values of a column; the first is its value where nothing is said.
type words []struct {
	value string
	like  []string
}

var scopeWords = words{
	{string(directory.Own), []string{"own", "opd", "pemkab", "pemerintah kabupaten", "daerah", "pemkot"}},
	{string(directory.Vertical), []string{"vertical", "vertikal", "instansi vertikal", "bumn", "bumd"}},
}

var hourWords = words{
	{string(directory.Working), []string{"working", "jam kerja", "kerja", "hari kerja"}},
	{string(directory.AllDay), []string{"24h", "24 jam", "24", "24/7", "24 jam sehari"}},
	{string(directory.OnCall), []string{"on_call", "on call", "piket", "siaga"}},
}

// wordOf returns the value that a cell names, otherwise when the cell is empty, and the first value at last.
func wordOf(cell string, all words, otherwise string) (string, error) {
	if cell == "" {
		return cmp.Or(otherwise, all[0].value), nil
	}
	var known []string
	for _, w := range all {
		if slices.Contains(w.like, strings.ToLower(cell)) {
			return w.value, nil
		}
		known = append(known, w.like[1])
	}
	return "", fmt.Errorf("%q is not understood: write %s, or leave the cell empty", cell, strings.Join(known, " or "))
}

// kecamatanOf reads a list of kecamatan. One without a code gets the next of the centre's that is free.
func kecamatanOf(file, center string) (out []kecamatan, err error) {
	if file == "" {
		return nil, nil
	}
	codes, names := map[string]bool{}, map[string]bool{}
	err = readList(file, kecamatanColumns, func(cells []string) error {
		k := kecamatan{Name: trimPrefixFold(cells[0], "kecamatan "), Code: cells[1], BPS: cells[2]}
		if names[strings.ToLower(k.Name)] {
			return fmt.Errorf("%q is listed twice: keep one row", k.Name)
		}
		names[strings.ToLower(k.Name)] = true
		if k.Code != "" && !codeForm.MatchString(k.Code) {
			return fmt.Errorf("%q is not a code: write it as the Kemendagri does, for example %s.01", k.Code, center)
		}
		if codes[k.Code] {
			return fmt.Errorf("the code %s is given twice", k.Code)
		}
		if k.Code != "" {
			codes[k.Code] = true
		}
		if (cells[3] == "") != (cells[4] == "") {
			return errors.New("one of latitude and longitude is missing: give both or none")
		}
		if cells[3] != "" {
			if k.Lat, err = degrees(cells[3], 90); err != nil {
				return err
			}
			if k.Lon, err = degrees(cells[4], 180); err != nil {
				return err
			}
		}
		out = append(out, k)
		return nil
	})
	next := 1
	for i := range out {
		for ; out[i].Code == ""; next++ {
			if code := fmt.Sprintf("%s.%02d", center, next); !codes[code] {
				out[i].Code, codes[code] = code, true
			}
		}
	}
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("%s lists no kecamatan: give one row each below a header such as Kecamatan", file)
	}
	return out, err
}

// degrees reads decimal degrees with a point or a comma.
func degrees(cell string, most float64) (string, error) {
	v, err := strconv.ParseFloat(strings.Replace(cell, ",", ".", 1), 64)
	if err != nil || v < -most || v > most {
		return "", fmt.Errorf("%q are no degrees: write for example -7.4652", cell)
	}
	return strconv.FormatFloat(v, 'f', -1, 64), nil
}

// shipped is what the shipped directory has of the default centre, with the aliases that directory.Directory keeps to
// itself.
type shipped struct {
	OPDs       []opd      `yaml:"opds"`
	Categories []category `yaml:"categories"`
}

func readShipped() (shipped, error) {
	var file struct {
		Centers []shipped `yaml:"centers"`
	}
	if err := yaml.Unmarshal([]byte(deploy.Directory), &file); err != nil || len(file.Centers) == 0 {
		return shipped{}, fmt.Errorf("the shipped directory: %w", err)
	}
	return file.Centers[0], nil
}

// opdLike finds the shipped OPD that a list calls by a name.
func (s *shipped) opdLike(usual *directory.Directory, names ...string) (opd, bool) {
	for _, name := range names {
		if id, known := usual.ResolveOPD(usual.DefaultCenter(), name); known && name != "" {
			i := slices.IndexFunc(s.OPDs, func(o opd) bool { return o.ID == id })
			return s.OPDs[i], true
		}
	}
	return opd{}, false
}

// categoriesOf are the shipped categories; each keeps its OPD only where the centre has one of that id.
func (s *shipped) categoriesOf(opds []opd) []category {
	out := slices.Clone(s.Categories)
	for i, c := range out {
		if !slices.ContainsFunc(opds, func(o opd) bool { return o.ID == c.OPD }) {
			out[i].OPD = ""
		}
	}
	return out
}

// slugOf makes a code of a name: small letters, digits and _.
func slugOf(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "_"):
			b.WriteByte('_')
		}
		if b.Len() >= 40 {
			break
		}
	}
	return cmp.Or(strings.Trim(b.String(), "_"), "x")
}

func trimPrefixFold(s, prefix string) string {
	if len(s) > len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):]
	}
	return s
}
