package report

import (
	"strings"
	"time"
)

// Sections are the parts of a report that are neither frozen nor counted here. Each is left out when it is empty.
type Sections struct {
	Causes          []CauseSet       `json:"causes,omitempty"`
	Recommendations []Recommendation `json:"recommendations,omitempty"`
	Remarks         []Remark         `json:"remarks,omitempty"`
	Information     *Information     `json:"information,omitempty"`
	Typed           []TypedTable     `json:"typed,omitempty"`
}

// CauseSet is why the failing cases of an indicator failed; the counts of its causes add up to Failing.
type CauseSet struct {
	Indicator string  `json:"indicator"` // answer, or a clock of tickets
	Name      string  `json:"name"`
	Failing   uint64  `json:"failing"`
	Decided   uint64  `json:"decided"`          // of so many
	Largest   string  `json:"largest"`          // the code of the cause of the most cases
	Causes    []Cause `json:"causes"`           // in the order in which they are tried
	Stated    string  `json:"stated,omitempty"` // what the OPDs themselves gave as reasons, one sentence
	Change    string  `json:"change,omitempty"` // what moved the indicator since the month before, one sentence
}

// Cause is one kendala.
type Cause struct {
	Code string `json:"code"` // tempuh
	Name string `json:"name"` // "perjalanan lebih lama dari targetnya"
	N    uint64 `json:"n"`
	OPD  string `json:"opd,omitempty"` // the id of the one with the most of them
}

// Recommendation is one of the follow-up ledger, with what came of it.
type Recommendation struct {
	ID        string    `json:"id"`
	Text      string    `json:"text"`
	Owner     string    `json:"owner"`     // the OPD's id, else an office
	Indicator string    `json:"indicator"` // empty: none
	Due       time.Time `json:"due,omitzero"`
	Status    string    `json:"status"` // usulan, disetujui, berjalan, selesai, batal
	Overdue   bool      `json:"overdue"`
	Effect    string    `json:"effect,omitempty"` // one sentence: setelah, never karena
}

// Open reports whether a recommendation still waits to be done.
func (r *Recommendation) Open() bool { return r.Status != "selesai" && r.Status != "batal" }

// sentence is the text with its status, whether or not it was written with a full stop.
func (r *Recommendation) sentence() string {
	return strings.TrimRight(r.Text, ". ") + " (" + r.Status + ")."
}

// Remark is what people write to a section, or to a cause of it.
type Remark struct {
	Section string    `json:"section"` // the heading's id, as "kendala" or "kendala/tempuh"
	Text    string    `json:"text"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
}

// Information is the centre as a source of information.
type Information struct {
	Calls    uint64  `json:"calls"`          // of class informasi
	Outcomes []Count `json:"outcomes"`       // dijawab, dirujuk, tidak_tahu, tidak tercatat
	Told     *Share  `json:"told,omitempty"` // questions whose outcome is recorded, of all
	First    *Share  `json:"first_contact,omitempty"`
	Repeated *Share  `json:"repeated,omitempty"` // of a number that had asked about the topic within 7 days before
	Gaps     []Gap   `json:"gaps"`               // what the knowledge base lacks, the worst first
	Outside  []Gap   `json:"outside,omitempty"`  // referred to offices outside of the regency's power
}

// Count is a number of something.
type Count struct {
	Name string `json:"name"`
	N    uint64 `json:"n"`
}

// Share is a part of a whole.
type Share struct {
	Numerator   uint64 `json:"numerator"`
	Denominator uint64 `json:"denominator"`
}

// Gap is a topic that callers ask about in vain.
type Gap struct {
	Topic   string `json:"topic"`
	Unknown uint64 `json:"unknown"`
	Repeats uint64 `json:"repeats"`
	Calls   uint64 `json:"calls"`
}

// TypedTable is data that people gave: staff, budget, the satisfaction survey.
type TypedTable struct {
	Title   string     `json:"title"`
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"` // as people read them
	// Values are the numbers of Rows, nil where a cell is text; a report of an earlier program has none.
	Values   [][]*float64 `json:"values,omitempty"`
	Decimals []int        `json:"decimals,omitempty"` // of a column's numbers
	Note     string       `json:"note,omitempty"`
}
