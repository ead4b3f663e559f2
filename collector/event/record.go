package event

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/monev112/monev112/collector/event/form"
)

// The members of Event.Record.
const (
	RecordText      = "text"      // free text: what is recommended, what is remarked
	RecordRemarks   = "remarks"   // free text: how a recommendation goes on
	RecordOwner     = "owner"     // an OPD or the function of an office, never a person
	RecordMonth     = "month"     // YYYY-MM, of the meeting that recommended it
	RecordDue       = "due"       // YYYY-MM-DD
	RecordStatus    = "status"    // see RTLStatuses
	RecordCompleted = "completed" // YYYY-MM-DD
	RecordIndicator = "indicator" // code of the indicator that is to move
	RecordOPD       = "opd"       // scope in which it is to move: code of an OPD
	RecordCategory  = "category"
	RecordPriority  = "priority"
	RecordKecamatan = "kecamatan"
	RecordBaseline  = "baseline" // YYYY-MM, the frozen month that it is held against
	RecordData      = "data"     // a JSON object: the content of a form
)

// The statuses of a recommendation.
const (
	RTLUsulan    = "usulan"
	RTLDisetujui = "disetujui"
	RTLBerjalan  = "berjalan"
	RTLSelesai   = "selesai"
	RTLBatal     = "batal"
)

// RTLStatuses returns the closed list of statuses, in the order in which a recommendation goes through them.
func RTLStatuses() []string { return slices.Clone(rtlStatuses) }

var (
	rtlStatuses = []string{RTLUsulan, RTLDisetujui, RTLBerjalan, RTLSelesai, RTLBatal}
	forms       = []string{"sdm", "anggaran", "skm"}
)

// recordMember says what a member of a record may be: fit returns the text to keep, or why it is refused.
type recordMember struct {
	name string
	fit  func(string) (string, Reason, string)
}

var recordMembers = map[Type][]recordMember{
	RTLSet: {
		{RecordText, fitFreeText}, {RecordOwner, fitOwner}, {RecordMonth, fitMonth}, {RecordDue, fitDay},
		{RecordStatus, fitStatus}, {RecordCompleted, fitDay}, {RecordIndicator, fitCode}, {RecordOPD, fitScope(FieldOPD)},
		{RecordCategory, fitScope(FieldCategory)}, {RecordPriority, fitPriority}, {RecordKecamatan, fitScope(FieldKecamatan)},
		{RecordBaseline, fitMonth}, {RecordRemarks, fitFreeText},
	},
	RemarkSet: {{RecordText, fitFreeText}},
	FormSet:   {{RecordData, fitFormData}},
}

// RecordMembers returns the names of the members that a record of t may have; none for types without a record.
func RecordMembers(t Type) []string {
	var names []string
	for _, m := range recordMembers[t] {
		names = append(names, m.name)
	}
	return names
}

// FitRecord returns a member of a record as it is kept, with blanks and invisible characters put in order, or a refusal
// that says what is wrong with it. An empty text fits: it clears the member.
func FitRecord(t Type, name, text string) (string, *Refusal) {
	field := FieldRecord + "." + Field(name)
	i := slices.IndexFunc(recordMembers[t], func(m recordMember) bool { return m.name == name })
	if i < 0 {
		return "", &Refusal{Field: FieldRecord, Reason: UnknownCode,
			Detail: "a record of this type has the members " + strings.Join(RecordMembers(t), ", ")}
	}
	if strings.TrimSpace(text) == "" {
		return "", nil
	}
	kept, reason, detail := recordMembers[t][i].fit(text)
	if reason != "" {
		return "", &Refusal{Field: field, Reason: reason, Detail: detail}
	}
	return kept, nil
}

// record reads an object of texts; finishRecord judges it, when the type is known.
func (ds *decodeState) record(f Field, limit int) map[string]string {
	switch ds.json.PeekKind() {
	case '{':
	case 'n':
		ds.skip()
		return nil
	default:
		ds.fail(f, WrongType, "it is a JSON object of strings")
		ds.skip()
		return nil
	}
	out := map[string]string{}
	ds.members(func(name string) {
		kind, quoted := ds.scalar()
		if kind == 'n' {
			return
		}
		s, ok := ds.unquote(f, kind, quoted, MaxEventBytes)
		if !ok && kind != '"' {
			return
		}
		if len(out) == limit {
			ds.fail(f, TooMany, "it has at most "+strconv.Itoa(limit)+" members")
			return
		}
		out[name] = s
	})
	return out
}

// finishRecord judges subject and record of an event of the office, and drops the record of any other.
func (ds *decodeState) finishRecord() {
	e := ds.e
	if !e.Kind.OfOffice() || e.Type == EventWithdrawn {
		if e.Record != nil {
			e.Record = nil
			ds.batch.drop(string(FieldRecord))
		}
		return
	}
	month, subject, ok := strings.Cut(e.Subject, "/")
	switch {
	case e.Kind == KindRTL:
	case !ok || !isMonth(month):
		ds.fail(FieldSubject, WrongSubject, "the subject of this type is "+e.Kind.String()+"/<year>-<month>/<name>")
		return
	case e.Kind == KindForm && !slices.Contains(forms, subject):
		ds.fail(FieldSubject, WrongSubject, "a form is one of "+strings.Join(forms, ", "))
		return
	case e.Kind == KindRemark && !isSection(subject):
		ds.fail(FieldSubject, WrongSubject, "a section is named by a code of letters, digits and . _ -, a part of it by "+
			"another "+
			"behind a slash")
		return
	}
	if len(e.Record) == 0 {
		ds.fail(FieldRecord, MissingField, "events of this type say nothing without it")
		return
	}
	for _, name := range sortedKeys(nil, e.Record) {
		kept, refused := FitRecord(e.Type, name, e.Record[name])
		if refused != nil {
			ds.fail(refused.Field, refused.Reason, refused.Detail)
			return
		}
		if e.Kind == KindForm && kept != "" {
			if _, err := form.Parse(subject, kept); err != nil {
				ds.fail(FieldRecord+"."+Field(name), WrongType, err.Error())
				return
			}
		}
		e.Record[name] = kept
	}
}

// isSection reports whether s names a section of a report, or a part of one: "kendala", "kendala/tempuh".
func isSection(s string) bool {
	section, part, parted := strings.Cut(s, "/")
	return section != "" && parted == (part != "") && len(s) <= MaxCodeBytes && shapeListed.fits(section) &&
		shapeListed.fits(part)
}

func fitFreeText(s string) (string, Reason, string) {
	s = cleanText(s)
	if n := utf8.RuneCountInString(s); n > MaxRecordRunes {
		return "", TooLong, "a text has at most " + strconv.Itoa(MaxRecordRunes) + " characters; it has " + strconv.Itoa(n)
	}
	reason, detail := personalNumber(s)
	return s, reason, detail
}

// sums are the members of a form that hold sums of rupiah, which may look like anything.
var sums = []string{"pagu", "realisasi"}

// fitFormData takes a JSON object without members that are there twice, whose texts, names and numbers are free of
// personal numbers; package form knows the rest.
func fitFormData(s string) (string, Reason, string) {
	const detail = "the data of a form is a JSON object, written as a string, and has no member twice"
	if len(s) > MaxFormBytes {
		return "", TooLong, "the data of a form has at most " + strconv.Itoa(MaxFormBytes) + " bytes"
	}
	d := jsontext.NewDecoder(strings.NewReader(s)) // refuses names that are there twice
	if d.PeekKind() != '{' {
		return "", WrongType, detail
	}
	for {
		token, err := d.ReadToken()
		if errors.Is(err, io.EOF) {
			return s, "", ""
		}
		if err != nil || d.StackDepth() == 0 && token.Kind() != '}' {
			return "", WrongType, detail
		}
		var reason Reason
		var why string
		switch token.Kind() {
		case '"':
			_, reason, why = fitFreeText(token.String())
		case '0':
			if !slices.Contains(sums, d.StackPointer().LastToken()) {
				reason, why = personalNumber(token.String())
			}
		}
		if reason != "" {
			return "", reason, why
		}
	}
}

// officeWords begin the function of an office: who is named by one is answerable as its holder, not as a citizen.
var officeWords = []string{
	"admin", "administrator", "agen", "asisten", "badan", "bagian", "bidang", "bpbd", "bupati", "camat", "call", "dinas",
	"direktur", "diskominfo", "gubernur", "inspektorat", "instansi", "jabatan", "kabag", "kabid", "kadis", "kantor",
	"kapolsek",
	"kasatpol", "kasi", "kasubag", "kasubbag", "kasubbid", "kecamatan", "kelurahan", "kepala", "kodim", "kolaborasi",
	"komandan", "koordinator", "layanan", "lurah", "manajer", "operator", "opd", "pejabat", "pelaksana", "pemerintah",
	"penanggung", "pengawas", "pengelola", "perangkat", "petugas", "plh", "plt", "pokja", "polres", "polresta", "polsek",
	"pos",
	"ppid", "pusat", "puskesmas", "regu", "rsud", "rumah", "satgas", "satpol", "satuan", "seksi", "sekda", "sekretariat",
	"sekretaris", "seluruh", "semua", "staf", "subbagian", "subbidang", "supervisor", "tim", "unit", "upt", "uptd",
	"wakil",
	"walikota",
}

func fitOwner(s string) (string, Reason, string) {
	const detail = "an owner is the code of an OPD or the function of an office, such as Kepala Bidang TIK or " +
		"Supervisor 112, " +
		"never a person's name"
	s = strings.Join(strings.Fields(cleanText(s)), " ")
	words := wordsOf(s)
	if len(s) > MaxNameBytes {
		return "", TooLong, "an owner has at most " + strconv.Itoa(MaxNameBytes) + " bytes"
	}
	if reason, why := personalNumber(s); reason != "" {
		return "", reason, why
	}
	if len(words) == 0 || HoldsNumber(s) || !shapeLower.fits(s) && !slices.Contains(officeWords, words[0]) {
		return "", BadCharacters, detail
	}
	return s, "", ""
}

func fitScope(f Field) func(string) (string, Reason, string) {
	return func(s string) (string, Reason, string) {
		s = strings.Join(strings.Fields(cleanText(s)), " ")
		if len(s) > MaxNameBytes || !LooksLikeName(f, s) {
			return "", BadCharacters, "a scope is named by the code or name of the directory"
		}
		return s, "", ""
	}
}

func fitPriority(s string) (string, Reason, string) { return fitListed(priorities, s) }
func fitStatus(s string) (string, Reason, string)   { return fitListed(rtlStatuses, s) }

func fitListed(list []string, s string) (string, Reason, string) {
	if c, ok := listed(list, s); ok {
		return c, "", ""
	}
	return "", UnknownCode, "one of " + strings.Join(list, ", ")
}

func fitCode(s string) (string, Reason, string) {
	if len(s) > MaxCodeBytes || !shapeLower.fits(s) || HoldsNumber(s) {
		return "", BadCharacters, "a code of small letters, digits and _ is allowed"
	}
	return s, "", ""
}

func fitMonth(s string) (string, Reason, string) {
	if !isMonth(s) {
		return "", BadTime, "a month is written as 2026-10"
	}
	return s, "", ""
}

func isMonth(s string) bool {
	t, err := time.Parse("2006-01", s)
	return err == nil && t.Year() >= MinYear && t.Year() <= MaxYear
}

func fitDay(s string) (string, Reason, string) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return "", BadTime, "a day is written as 2026-10-31"
	}
	if t.Year() < MinYear || t.Year() > MaxYear {
		return "", OutOfRange, "a day is in the years " + strconv.Itoa(MinYear) + " to " + strconv.Itoa(MaxYear)
	}
	return s, "", ""
}
