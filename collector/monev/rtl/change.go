package rtl

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/event/form"
)

// Source is the source of the events that pages and commands write.
const Source = "monev112/rtl"

// Record returns the members of r as an event would set them; those that nobody has said are left out.
func (r *Recommendation) Record() map[string]string {
	out := map[string]string{
		event.RecordText: r.Text, event.RecordOwner: r.Owner, event.RecordMonth: r.Month, event.RecordDue: r.Due,
		event.RecordStatus: r.Status, event.RecordCompleted: r.Completed, event.RecordIndicator: r.Indicator,
		event.RecordOPD: r.OPD, event.RecordCategory: r.Category, event.RecordPriority: r.Priority,
		event.RecordKecamatan: r.Kecamatan, event.RecordBaseline: r.Baseline, event.RecordRemarks: r.Remarks,
	}
	maps.DeleteFunc(out, func(_, v string) bool { return v == "" })
	return out
}

// Find returns the recommendation of an id.
func (l *Ledger) Find(id string) *Recommendation {
	for i := range l.Recommendations {
		if l.Recommendations[i].ID == id {
			return &l.Recommendations[i]
		}
	}
	return nil
}

// Remark returns the text of people to a section of a month's report; empty where there is none.
func (l *Ledger) Remark(month, section string) string {
	for _, r := range l.Remarks {
		if r.Month == month && r.Section == section {
			return r.Text
		}
	}
	return ""
}

// Form returns what people typed for a month under that name, and false where they gave nothing.
func (l *Ledger) Form(month, name string) (Form, bool) {
	for _, f := range l.Forms {
		if f.Month == month && f.Name == name && f.Data != "" {
			return f, true
		}
	}
	return Form{}, false
}

var idPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// NewID returns an id for a recommendation of a month, the same for the same text, so that a file that is imported
// again adds nothing.
func NewID(month, text string) string {
	h := sha256.Sum256([]byte(month + "\x00" + strings.Join(strings.Fields(strings.ToLower(text)), " ")))
	return cmp.Or(month, "rtl") + "-" + event.Letters(h[:3])
}

// Mistake is what is wrong with a change that somebody wants, in a sentence of either language.
type Mistake struct {
	Member              string // of a record
	English, Indonesian string
}

// Error implements error.
func (m *Mistake) Error() string { return m.Member + ": " + m.English }

// mistakeOf says a refusal of the door in both languages.
func mistakeOf(member string, r *event.Refusal) *Mistake {
	const nobody = "hapus, karena laporan tidak menyebut orang."
	says := map[event.Reason]string{
		event.PhoneLike: "memuat angka yang mirip nomor telepon; " + nobody +
			" Uang ditulis Rp 1.250.000.000, nomor surat 800/123/438.5/2026.",
		event.IdentityLike: "memuat angka yang mirip nomor identitas (NIK, KK, atau NIP); " + nobody,
		event.TooLong:      "terlalu panjang; paling banyak 2.000 karakter.",
		event.BadTime:      "hari ditulis seperti 2026-10-31, bulan seperti 2026-10.",
		event.OutOfRange:   "di luar tahun 2000 sampai 2099.",
		event.UnknownCode:  "pilih salah satu dari daftar.",
	}[r.Reason]
	if member == event.RecordOwner && r.Reason == event.BadCharacters {
		says = "sebut kode OPD atau jabatan, misalnya Kepala Bidang TIK atau Supervisor 112, bukan nama orang."
	}
	return &Mistake{member, r.Detail, cmp.Or(says, "tidak dapat dipakai.")}
}

// Set returns the change that gives a recommendation the members of want, and false where it has them. was is nil for a
// new one. Members that want does not name stay; an empty text clears one. The error is one sentence about the first
// mistake.
func Set(center, id string, was *Recommendation, want map[string]string, now time.Time) (event.RawEvent, bool, error) {
	if !idPattern.MatchString(id) {
		return event.RawEvent{}, false, fmt.Errorf("id %q: use letters, digits and . _ -, at most 64", id)
	}
	record, present, last := map[string]string{}, map[string]string{}, time.Time{}
	if was != nil {
		present, last = was.Record(), was.Last().At
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		text, refused := event.FitRecord(event.RTLSet, name, want[name])
		if refused != nil {
			return event.RawEvent{}, false, mistakeOf(name, refused)
		}
		if text != present[name] {
			record[name] = text
		}
	}
	after := maps.Clone(present)
	maps.Copy(after, record)
	if err := check(after, record); err != nil {
		return event.RawEvent{}, false, err
	}
	return draft(event.RTLSet, center, id, record, last, now), len(record) > 0, nil
}

// check says what of a recommendation as it would be contradicts itself.
func check(after, changed map[string]string) error {
	code := after[event.RecordIndicator]
	indicator, known := IndicatorOf(code)
	var codes []string
	for _, i := range indicators {
		codes = append(codes, i.Code)
	}
	switch {
	case after[event.RecordText] == "":
		return &Mistake{event.RecordText, "a recommendation says what is to be done", "tulis apa yang direkomendasikan."}
	case code != "" && !known:
		return &Mistake{event.RecordIndicator, "it is one of " + strings.Join(codes, ", "), "pilih salah satu dari daftar."}
	case indicator.Calls && (after[event.RecordOPD] != "" || after[event.RecordPriority] != ""):
		return &Mistake{event.RecordIndicator, code + " is of calls, which lie at no OPD and have no priority; leave opd " +
			"and priority empty", "indikator panggilan tidak mengenal OPD dan prioritas; kosongkan keduanya."}
	case changed[event.RecordCompleted] != "" && after[event.RecordStatus] != event.RTLSelesai:
		return &Mistake{event.RecordCompleted, "only what has the status selesai was completed on a day",
			"hanya yang berstatus selesai yang punya tanggal selesai."}
	}
	month, err := time.Parse("2006-01", after[event.RecordBaseline])
	completed, err2 := time.Parse(time.DateOnly, after[event.RecordCompleted])
	if err == nil && err2 == nil && completed.Before(month.AddDate(0, 1, -1)) {
		return &Mistake{event.RecordBaseline, "its baseline " + after[event.RecordBaseline] + " was not over on the day of " +
			"its completion: name an earlier month", "bulan pembandingnya belum berakhir saat rekomendasi selesai; pilih " +
			"bulan sebelumnya."}
	}
	return nil
}

// SetRemark returns the change that gives a section of a month's report a remark, and false where it has that one. An
// empty text takes the remark back.
func SetRemark(center, month, section string, l *Ledger, text string, now time.Time) (event.RawEvent, bool, error) {
	text, refused := event.FitRecord(event.RemarkSet, event.RecordText, text)
	if refused != nil {
		return event.RawEvent{}, false, mistakeOf(event.RecordText, refused)
	}
	var last time.Time
	for _, r := range l.Remarks {
		if r.Month == month && r.Section == section {
			last = r.Last().At
		}
	}
	return draft(event.RemarkSet, center, month+"/"+section, map[string]string{event.RecordText: text}, last, now),
		text != l.Remark(month, section), nil
}

// SetForm returns the change that gives a form of a month its data, and false where it has the same.
func SetForm(center, month string, l *Ledger, data form.Data, now time.Time) (event.RawEvent, bool, error) {
	text := data.JSON()
	if _, refused := event.FitRecord(event.FormSet, event.RecordData, text); refused != nil {
		return event.RawEvent{}, false, fmt.Errorf("%s: %s", data.FormName(), refused.Detail)
	}
	var last time.Time
	present := ""
	for _, f := range l.Forms {
		if f.Month == month && f.Name == data.FormName() {
			last, present = f.Last().At, f.Data
		}
	}
	return draft(event.FormSet, center, month+"/"+data.FormName(), map[string]string{event.RecordData: text}, last, now),
		text != present, nil
}

// draft is a change that takes effect after the last one, also where the clock of that one was ahead.
func draft(t event.Type, center, subject string, record map[string]string, last, now time.Time) event.RawEvent {
	at := now.UTC().Truncate(time.Millisecond)
	if !at.After(last) {
		at = last.Add(time.Millisecond)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\x00%s\x00%s\x00%s", t, center, subject, at)
	for _, name := range slices.Sorted(maps.Keys(record)) {
		fmt.Fprintf(&b, "\x00%s\x00%s", name, record[name])
	}
	id := []byte{}
	h := sha256.Sum256([]byte(b.String()))
	for _, c := range h[:16] {
		id = append(id, 'a'+c>>4, 'a'+c&15) // letters cannot be taken for a telephone number
	}
	return event.RawEvent{
		Source: Source, ID: string(id), Type: t, Subject: subject, Time: at, Center: center, Record: record,
	}
}
