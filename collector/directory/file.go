package directory

import (
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // the zones must be there on a bare container too

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/yamlfile"
)

// Limits of a directory file.
const (
	MaxFileBytes  = 16 << 20
	MaxCenters    = 1000
	MaxOPDs       = 256 // of one centre; each is a metric label
	MaxKecamatan  = 256 // of one centre
	MaxCategories = 128 // of one centre
	MaxAliases    = 64  // of one name
)

const (
	shiftStep       = 15 * time.Minute
	defaultTarget   = 15 // seconds; NENA-STA-020
	defaultAbandon  = 5  // seconds
	maxAnswerTarget = 3600
)

// fileForm is a directory as its file writes it.
type fileForm struct {
	Version       int          `yaml:"version"`
	DefaultCenter string       `yaml:"default_center"`
	Centers       []centerForm `yaml:"centers"`
}

type centerForm struct {
	Center
	Timezone   yamlfile.Zone   `yaml:"timezone"`
	Shifts     []shiftForm     `yaml:"shifts"`
	Answer     answerForm      `yaml:"answer"`
	Suffixes   []string        `yaml:"suffixes"`
	Ambiguous  []ambiguousForm `yaml:"ambiguous"`
	OPDs       []opdForm       `yaml:"opds"`
	Kecamatan  []kecamatanForm `yaml:"kecamatan"`
	Categories []categoryForm  `yaml:"categories"`
}

type answerForm struct {
	Target  *int  `yaml:"target_seconds"`
	Display []int `yaml:"display_seconds"` // files may have it; it changes nothing, see tracker.AnswerTargets
	Abandon *int  `yaml:"short_abandon_seconds"`
}

type ambiguousForm struct {
	Name    string `yaml:"name"`
	Meaning string `yaml:"meaning"` // for people who read the file
}

type opdForm struct {
	OPD
	Aliases []string `yaml:"aliases"`
}

type kecamatanForm struct {
	Kecamatan
	Lat     *float64 `yaml:"lat"`
	Lon     *float64 `yaml:"lon"`
	Aliases []string `yaml:"aliases"`
}

type categoryForm struct {
	Category
	Aliases []string `yaml:"aliases"`
}

// shiftForm is the start of a shift, from midnight.
type shiftForm time.Duration

// UnmarshalText reads "HH:MM".
func (s *shiftForm) UnmarshalText(text []byte) error {
	t, err := time.Parse("15:04", string(text))
	start := time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
	if err != nil || start%shiftStep != 0 {
		return yamlfile.Wrong(fmt.Sprintf("%q is not the start of a shift", text),
			`write "HH:MM" in quotes, a multiple of 15 minutes, for example "07:00"`)
	}
	*s = shiftForm(start)
	return nil
}

// Load reads a directory file; name is what errors call it. The error is yamlfile.Problems.
func Load(name string, text []byte) (*Directory, error) {
	var form fileForm
	file, err := yamlfile.Read(name, text, MaxFileBytes, &form)
	if err != nil {
		return nil, err
	}
	l := &loader{File: file, form: &form}
	d := l.directory()
	if err := l.Err(); err != nil {
		return nil, err
	}
	return d, nil
}

// MustLoad is Load for a file that is compiled in. It panics when the file is wrong.
func MustLoad(name, text string) *Directory {
	d, err := Load(name, []byte(text))
	if err != nil {
		panic(err)
	}
	return d
}

// loader builds a Directory from a file and checks what the values mean.
type loader struct {
	*yamlfile.File
	form *fileForm
}

func (l *loader) directory() *Directory {
	f := l.form
	d := &Directory{
		defaultCenter: f.DefaultCenter, centers: make(map[string]*entry),
		bps: make(map[string]Kecamatan), kemendagri: make(map[string]Kecamatan),
	}
	if f.Version != 1 {
		l.Wrong("version", fmt.Sprintf("version %d is not known", f.Version), "write version: 1")
	}
	if len(f.Centers) == 0 {
		l.Wrong("centers", "there is no centre", "list at least one with code, name and timezone")
	}
	if l.tooMany("centers", len(f.Centers), MaxCenters) {
		return d
	}
	for i := range f.Centers {
		at := fmt.Sprintf("centers[%d]", i)
		e := l.center(at, &f.Centers[i])
		code := e.center.Code
		if d.centers[code] != nil {
			l.Wrong(at+".code", fmt.Sprintf("the centre %q is listed twice", code), "give each centre a code of its own")
			continue
		}
		d.codes = append(d.codes, code)
		d.centers[code] = e
		for j, k := range e.kecamatan.list {
			field := fmt.Sprintf("%s.kecamatan[%d]", at, j)
			l.codeOnce(d.kemendagri, field+".code", k.Code, k)
			if k.BPS != "" {
				l.codeOnce(d.bps, field+".bps", k.BPS, k)
			}
		}
	}
	if e := d.centers[f.DefaultCenter]; f.DefaultCenter != "" && e == nil {
		l.Wrong("default_center", fmt.Sprintf("no centre has the code %q", f.DefaultCenter),
			"write the code of a listed centre")
	} else if e != nil && e.center.Historical {
		l.Wrong("default_center", "the centre is historical", "name a centre that works: it is given new events")
	}
	return d
}

// codeOnce enters a kecamatan under a code that no other one of any centre may have.
func (l *loader) codeOnce(byCode map[string]Kecamatan, field, code string, k Kecamatan) {
	if other, twice := byCode[code]; twice {
		l.Wrong(field, fmt.Sprintf("%s has the code %s too", other.Name, code),
			"give every kecamatan its own code, and list it in one centre only")
	}
	byCode[code] = k
}

func (l *loader) center(at string, f *centerForm) *entry {
	e := &entry{center: f.Center, ambiguous: make(map[string]struct{})}
	c := &e.center
	l.code(at+".code", c.Code)
	l.name(at+".name", c.Name)
	if c.Location = f.Timezone.Location; c.Location == nil {
		l.Wrong(at+".timezone", "the time zone is missing", "write its IANA name, for example Asia/Jakarta")
		c.Location = time.UTC
	}
	if c.Population < 0 {
		l.Wrong(at+".population", "the number is negative", "leave it out when it is not known")
	}
	for i, s := range f.Shifts {
		if i > 0 && f.Shifts[i-1] >= s {
			l.Wrong(fmt.Sprintf("%s.shifts[%d]", at, i), "the shift does not start after the one before it",
				"write the starts of one day in ascending order")
		}
		c.Shifts = append(c.Shifts, time.Duration(s))
	}
	l.answer(at+".answer", &f.Answer, c)
	for i, a := range f.Ambiguous {
		if l.name(fmt.Sprintf("%s.ambiguous[%d].name", at, i), a.Name) && fold(a.Name) != "" {
			e.ambiguous[fold(a.Name)] = struct{}{}
		}
	}
	for i, s := range f.Suffixes {
		if l.name(fmt.Sprintf("%s.suffixes[%d]", at, i), s) && fold(s) != "" {
			e.suffixes = append(e.suffixes, fold(s))
		}
	}
	slices.SortStableFunc(e.suffixes, func(a, b string) int { return len(b) - len(a) })

	l.tooMany(at+".opds", len(f.OPDs), MaxOPDs)
	for i, o := range f.OPDs {
		field := fmt.Sprintf("%s.opds[%d]", at, i)
		l.code(field+".id", o.ID)
		if o.ID == Unknown {
			l.Wrong(field+".id", "this word stands for what is not known", "choose another id")
		}
		l.OneOf(field+".scope", "scope", string(o.Scope), string(Own), string(Vertical))
		l.OneOf(field+".hours", "mode of work", string(o.Hours), string(AllDay), string(OnCall), string(Working))
		add(l, e, &e.opds, field, o.OPD, o.ID, o.Name, o.Aliases)
	}
	l.tooMany(at+".kecamatan", len(f.Kecamatan), MaxKecamatan)
	for i, k := range f.Kecamatan {
		field := fmt.Sprintf("%s.kecamatan[%d]", at, i)
		l.code(field+".code", k.Code)
		place := k.Kecamatan
		switch {
		case k.Lat == nil && k.Lon == nil: // not known
		case k.Lat == nil || k.Lon == nil || *k.Lat < -90 || *k.Lat > 90 || *k.Lon < -180 || *k.Lon > 180:
			l.Wrong(field+".lat", "there is no point within the kecamatan",
				"write lat and lon in degrees, for example lat: -7.4652, lon: 112.7482, or leave out both")
		default:
			place.Located, place.Lat, place.Lon = true, *k.Lat, *k.Lon
		}
		aliases := k.Aliases
		if k.BPS != "" {
			l.code(field+".bps", k.BPS)
			aliases = append([]string{k.BPS}, aliases...)
		}
		add(l, e, &e.kecamatan, field, place, k.Code, k.Name, aliases)
	}
	l.tooMany(at+".categories", len(f.Categories), MaxCategories)
	for i, k := range f.Categories {
		field := fmt.Sprintf("%s.categories[%d]", at, i)
		l.code(field+".id", k.ID)
		if k.Priority != "" {
			l.OneOf(field+".priority", "priority", k.Priority, event.Priorities()...)
		}
		for n, p := range k.Priorities {
			at := fmt.Sprintf("%s.priorities[%d]", field, n)
			l.OneOf(at+".priority", "priority", p.Priority, event.Priorities()...)
			if _, err := time.Parse(time.DateOnly, p.From); err != nil || n > 0 && k.Priorities[n-1].From >= p.From {
				l.Wrong(at+".from", fmt.Sprintf("%q is not a date after the one before it", p.From),
					"write the days in ascending order, as 2027-01-01")
			}
		}
		if _, ok := e.opds.byID(k.OPD); k.OPD != "" && !ok {
			l.Wrong(field+".opd", fmt.Sprintf("no OPD of this centre has the id %q", k.OPD), "write the id of a listed OPD")
		}
		add(l, e, &e.categories, field, k.Category, k.ID, k.Name, k.Aliases)
	}
	return e
}

func (l *loader) answer(at string, f *answerForm, c *Center) {
	seconds := func(field string, n, lowest int) time.Duration {
		if n < lowest || n > maxAnswerTarget {
			l.Wrong(at+field, fmt.Sprintf("%d is out of range", n),
				fmt.Sprintf("write whole seconds from %d to %d", lowest, maxAnswerTarget))
		}
		return time.Duration(n) * time.Second
	}
	c.AnswerTarget, c.ShortAbandon = defaultTarget*time.Second, defaultAbandon*time.Second
	if f.Target != nil {
		c.AnswerTarget = seconds(".target_seconds", *f.Target, 1)
	}
	if f.Abandon != nil {
		c.ShortAbandon = seconds(".short_abandon_seconds", *f.Abandon, 0)
	}
	var shown []time.Duration
	for i, n := range f.Display {
		shown = append(shown, seconds(fmt.Sprintf(".display_seconds[%d]", i), n, 1))
	}
	if !slices.IsSorted(shown) {
		l.Wrong(at+".display_seconds", "the targets are not in ascending order", "sort them")
	}
	if len(shown) > 0 && !slices.Contains(shown, c.AnswerTarget) {
		l.Wrong(at+".display_seconds", "the target itself is not among them", "add target_seconds to display_seconds")
	}
}

func (l *loader) tooMany(field string, n, limit int) bool {
	if n > limit {
		l.Wrong(field, fmt.Sprintf("there are %d entries", n), fmt.Sprintf("list at most %d", limit))
	}
	return n > limit
}

// code checks what becomes part of stored data and metric labels.
func (l *loader) code(field, s string) {
	if s == "" || len(s) > event.MaxCodeBytes || strings.ContainsFunc(s, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-')
	}) {
		l.Wrong(field, fmt.Sprintf("%q is not a code", s),
			fmt.Sprintf("write letters, digits and . _ -, 1 to %d in all", event.MaxCodeBytes))
	}
}

func (l *loader) name(field, s string) bool {
	ok := s != "" && len(s) <= event.MaxNameBytes && strings.TrimSpace(s) == s
	if !ok {
		l.Wrong(field, fmt.Sprintf("%q is not a name", s),
			fmt.Sprintf("write 1 to %d bytes without spaces at the ends", event.MaxNameBytes))
	}
	return ok
}

// add enters one element under its id, name and aliases. Two elements may not share a name: the sources' word for one
// would be a guess.
func add[T any](l *loader, e *entry, n *names[T], field string, element T, id, name string, aliases []string) {
	if n.exact == nil {
		n.exact, n.folded = make(map[string]int), make(map[string]int)
	}
	index := len(n.list)
	n.list, n.ids = append(n.list, element), append(n.ids, id)
	l.name(field+".name", name)
	l.tooMany(field+".aliases", len(aliases), MaxAliases)
	enter := func(where, word string) {
		key := fold(word)
		if key == "" {
			return
		}
		if _, ok := e.ambiguous[key]; ok {
			l.Wrong(where, fmt.Sprintf("%q is listed as ambiguous", word), "keep it in one of the two places")
			return
		}
		if other, ok := n.folded[key]; ok && other != index {
			l.Wrong(where, fmt.Sprintf("%q is also a name of %s", word, n.ids[other]),
				"one name means one thing: keep it in one place, or list it under ambiguous")
			return
		}
		n.exact[word], n.folded[key] = index, index
	}
	enter(field, id)
	enter(field+".name", name)
	for i, a := range aliases {
		where := fmt.Sprintf("%s.aliases[%d]", field, i)
		if l.name(where, a) {
			enter(where, a)
		}
	}
}
