// Package form owns the forms that people fill in for a month's report: their members, what is a mistake in one, and
// what is computed of one. It is pure.
package form

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Data is the data of one form: *Staff, *Budget or *Survey.
type Data interface {
	FormName() string // sdm, anggaran or skm
	JSON() string
	Check() error // names the place of the first mistake and what would be right
}

// Staff is the form sdm: who works at the centre, by function.
type Staff struct {
	Rows []StaffRow `json:"rows"`
}

// StaffRow is one function.
type StaffRow struct {
	Function string `json:"fungsi"`
	Count    int    `json:"jumlah"`
	Needed   *int   `json:"kebutuhan,omitempty"` // nil: not stated
	PerShift *int   `json:"per_sif,omitempty"`
	Note     string `json:"keterangan,omitempty"`
}

// Total is how many people work there.
func (s *Staff) Total() (n int) {
	for _, r := range s.Rows {
		n += r.Count
	}
	return n
}

// Budget is the form anggaran: sums in whole rupiah.
type Budget struct {
	Rows []BudgetRow `json:"rows"`
}

// BudgetRow is one line of the budget.
type BudgetRow struct {
	Code    string `json:"kode,omitempty"` // account, such as 5.1.02.01
	Item    string `json:"uraian"`
	Granted int64  `json:"pagu"`
	Spent   int64  `json:"realisasi"`
	Note    string `json:"keterangan,omitempty"`
}

// Total adds the lines up.
func (b *Budget) Total() (granted, spent int64) {
	for _, r := range b.Rows {
		granted, spent = granted+r.Granted, spent+r.Spent
	}
	return granted, spent
}

// Survey is the form skm: the satisfaction survey of PermenPANRB 14/2017.
type Survey struct {
	Respondents int `json:"responden"`
	// Answers has for each of the nine elements how many answered 1 (tidak baik) to 4 (sangat baik).
	Answers [9][4]int `json:"unsur"`
}

// Elements are the nine elements, U1 first.
var Elements = [9]string{
	"Persyaratan", "Sistem, mekanisme, dan prosedur", "Waktu penyelesaian", "Biaya/tarif",
	"Produk spesifikasi jenis pelayanan", "Kompetensi pelaksana", "Perilaku pelaksana",
	"Penanganan pengaduan, saran, dan masukan", "Sarana dan prasarana",
}

// Satisfaction is what the regulation computes of a survey.
type Satisfaction struct {
	N        [9]int     // who answered each element
	NRR      [9]float64 // mean of its answers, 1 to 4
	Weighted [9]float64 // NRR by the weight 1/9, which the regulation writes as 0.11
	Index    float64    // sum of Weighted, 1 to 4
	IKM      float64    // Index x 25, 25 to 100, to two decimals
	Quality  string     // A, B, C or D
	Words    string     // in the regulation's words
}

// Compute gives what the regulation computes. s has an answer to each element; see Parse.
func (s *Survey) Compute() (out Satisfaction) {
	for u, answers := range s.Answers {
		sum := 0
		for i, n := range answers {
			out.N[u] += n
			sum += (i + 1) * n
		}
		out.NRR[u] = float64(sum) / float64(out.N[u])
		out.Weighted[u] = out.NRR[u] / 9
		out.Index += out.Weighted[u]
	}
	out.IKM = math.Round(out.Index*25*100) / 100
	out.Quality, out.Words = Quality(out.IKM)
	return out
}

// Quality is the class of an IKM by table II of PermenPANRB 14/2017; ikm has two decimals.
func Quality(ikm float64) (class, words string) {
	switch {
	case ikm >= 88.31:
		return "A", "Sangat baik"
	case ikm >= 76.61:
		return "B", "Baik"
	case ikm >= 65:
		return "C", "Kurang baik"
	}
	return "D", "Tidak baik"
}

// FormName implements Data.
func (s *Staff) FormName() string { return "sdm" }

// FormName implements Data.
func (b *Budget) FormName() string { return "anggaran" }

// FormName implements Data.
func (s *Survey) FormName() string { return "skm" }

// JSON implements Data.
func (s *Staff) JSON() string { return asJSON(s) }

// JSON implements Data.
func (b *Budget) JSON() string { return asJSON(b) }

// JSON implements Data.
func (s *Survey) JSON() string { return asJSON(s) }

func asJSON(v any) string {
	text, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		panic(err) // numbers and texts alone
	}
	return string(text)
}

// forms are an empty form of each name, and the members that each of its rows has, or the form itself.
var forms = map[string]struct {
	empty   func() Data
	needed  []string
	members string // for people
}{
	"sdm": {func() Data { return &Staff{} }, []string{"fungsi", "jumlah"},
		"rows of fungsi, jumlah and, where they are stated, kebutuhan, per_sif, keterangan"},
	"anggaran": {func() Data { return &Budget{} }, []string{"uraian", "pagu", "realisasi"},
		"rows of uraian, pagu, realisasi and, where they are stated, kode, keterangan"},
	"skm": {func() Data { return &Survey{} }, nil, "responden, and unsur: four whole numbers for each of the nine elements"},
}

// Parse reads the data of a form strictly: no member is unknown, twice or missing, and nothing follows the object. The
// error repeats no text of the data.
func Parse(name, data string) (Data, error) {
	f, known := forms[name]
	if !known {
		return nil, errors.New("a form is one of sdm, anggaran, skm")
	}
	out := f.empty()
	var given struct {
		Rows []map[string]jsontext.Value `json:"rows"`
	}
	if json.Unmarshal([]byte(data), out, json.RejectUnknownMembers(true)) != nil ||
		f.needed != nil && json.Unmarshal([]byte(data), &given) != nil {
		return nil, fmt.Errorf("form %s: it is a JSON object of %s", name, f.members)
	}
	for i, row := range given.Rows {
		for _, member := range f.needed {
			if row[member] == nil || row[member].Kind() == 'n' {
				return nil, fmt.Errorf("form %s: %w", name, inRow(i, member, "is missing"))
			}
		}
	}
	if err := out.Check(); err != nil {
		return nil, fmt.Errorf("form %s: %w", name, err)
	}
	return out, nil
}

const (
	maxFormRows = 200
	maxPeople   = 100_000
)

// MaxRupiah is the largest sum of a budget.
const MaxRupiah = 1_000_000_000_000_000

// Check implements Data.
func (s *Staff) Check() error {
	if err := rowCount(len(s.Rows)); err != nil {
		return err
	}
	for i, r := range s.Rows {
		switch {
		case strings.TrimSpace(r.Function) == "":
			return inRow(i, "fungsi", "is empty; name the function, such as Petugas penerima panggilan")
		case r.Count < 0 || r.Count > maxPeople:
			return inRow(i, "jumlah", "is "+strconv.Itoa(r.Count)+"; give a number of people")
		case r.Needed != nil && (*r.Needed < 0 || *r.Needed > maxPeople):
			return inRow(i, "kebutuhan", "is "+strconv.Itoa(*r.Needed)+"; give a number of people or leave it empty")
		case r.PerShift != nil && (*r.PerShift < 0 || *r.PerShift > r.Count):
			return inRow(i, "per_sif", "is "+strconv.Itoa(*r.PerShift)+" of "+strconv.Itoa(r.Count)+
				" people; a shift has no more than there are")
		}
	}
	return nil
}

// Check implements Data.
func (b *Budget) Check() error {
	if err := rowCount(len(b.Rows)); err != nil {
		return err
	}
	for i, r := range b.Rows {
		switch {
		case strings.TrimSpace(r.Item) == "":
			return inRow(i, "uraian", "is empty; name what the money is for")
		case r.Granted < 0 || r.Granted > MaxRupiah:
			return inRow(i, "pagu", "is "+strconv.FormatInt(r.Granted, 10)+"; give whole rupiah")
		case r.Spent < 0 || r.Spent > MaxRupiah:
			return inRow(i, "realisasi", "is "+strconv.FormatInt(r.Spent, 10)+"; give whole rupiah")
		}
	}
	return nil
}

// Check implements Data.
func (s *Survey) Check() error {
	if s.Respondents < 1 || s.Respondents > 1_000_000 {
		return fmt.Errorf("responden is %d; give how many people were asked", s.Respondents)
	}
	for u, answers := range s.Answers {
		n := 0
		for i, k := range answers {
			if k < 0 {
				return fmt.Errorf("unsur U%d, answer %d is %d; give how many chose it", u+1, i+1, k)
			}
			n += k
		}
		switch {
		case n == 0:
			return fmt.Errorf("unsur U%d (%s) has no answer; the index needs all nine elements", u+1, Elements[u])
		case n > s.Respondents:
			return fmt.Errorf("unsur U%d (%s) has %d answers of %d respondents; each answers an element once", u+1, Elements[u],
				n,
				s.Respondents)
		}
	}
	return nil
}

func rowCount(n int) error {
	if n == 0 {
		return errors.New("there is no row; leave the section out where there is nothing to say")
	}
	if n > maxFormRows {
		return fmt.Errorf("there are %d rows; at most %d", n, maxFormRows)
	}
	return nil
}

func inRow(i int, field, says string) error { return fmt.Errorf("row %d, %s %s", i+1, field, says) }
