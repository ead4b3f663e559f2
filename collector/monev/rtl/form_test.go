package rtl

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/monev112/monev112/collector/event/form"
)

const formsYAML = `
sdm:
  - fungsi: Petugas penerima panggilan
    jumlah: 24
    kebutuhan: 30
    per_sif: 6
  - fungsi: Supervisor
    jumlah: 4
anggaran:
  - kode: 5.1.02.02.01.0029
    uraian: Jasa tenaga penerima panggilan
    pagu: Rp 1.250.000.000
    realisasi: 812345678
skm:
  responden: 150
  unsur: {U1: [2, 10, 80, 58], U2: [0, 0, 75, 75], U3: [0, 0, 150, 0], U4: [0, 0, 0, 150], U5: [1, 9, 90, 50],
    U6: [0, 5, 95, 50], U7: [0, 0, 100, 50], U8: [10, 20, 80, 40], U9: [0, 30, 90, 30]}
`

func TestFormsOfYAMLAndWorkbook(t *testing.T) {
	fromYAML, err := ReadForms(write(t, "data.yaml", formsYAML))
	if err != nil || len(fromYAML) != 3 {
		t.Fatal(fromYAML, err)
	}
	survey := fromYAML[2].(*form.Survey)
	rows := [][]any{{"Unsur", "1", "2", "3", "4"}}
	for u, a := range survey.Answers {
		rows = append(rows, []any{"U" + string(rune('1'+u)) + " " + form.Elements[u], a[0], a[1], a[2], a[3]})
	}
	fromBook, err := ReadForms(workbook(t, map[string][][]any{
		"SDM": {{"Fungsi", "Jumlah", "Kebutuhan", "Per sif"}, {"Petugas penerima panggilan", 24, 30, 6}, {"Supervisor", 4}},
		"Anggaran": {{"Kode", "Uraian", "Pagu", "Realisasi"},
			{"5.1.02.02.01.0029", "Jasa tenaga penerima panggilan", 1250000000, "Rp 812.345.678"}},
		"SKM": rows,
	}))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fromYAML, fromBook); diff != "" {
		t.Errorf("(-yaml +workbook):\n%s", diff)
	}
	for _, f := range fromYAML {
		again, err := form.Parse(f.FormName(), f.JSON())
		if diff := cmp.Diff(f, again); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	}
	one, err := ReadForms(write(t, "data.yaml", "sdm:\n  - fungsi: Operator\n    jumlah: 3\n"))
	if err != nil || len(one) != 1 || one[0].FormName() != "sdm" {
		t.Errorf("what was not given is there: %v %v", one, err)
	}
}

// By hand: U1 (2 + 20 + 240 + 232) / 150 = 3.2933; the NRRs add up to 29.6867, by 9 3.2985, by 25 82.46: B.
func TestSatisfactionAfterTheRegulation(t *testing.T) {
	forms, err := ReadForms(write(t, "data.yaml", formsYAML))
	if err != nil {
		t.Fatal(err)
	}
	s := forms[2].(*form.Survey).Compute()
	sum := 0.0
	for _, nrr := range s.NRR {
		sum += nrr
	}
	if math.Abs(s.NRR[0]-494.0/150) > 1e-9 || math.Abs(s.Index-sum/9) > 1e-9 || s.Quality != "B" || s.N[0] != 150 ||
		s.IKM != 82.46 {
		t.Errorf("%+v, sum of NRR %v", s, sum)
	}
	all := func(a [4]int) form.Satisfaction {
		v := form.Survey{Respondents: 10}
		for u := range v.Answers {
			v.Answers[u] = a
		}
		return v.Compute()
	}
	if s := all([4]int{0, 0, 0, 10}); s.IKM != 100 || s.Quality != "A" {
		t.Errorf("full marks: %+v", s)
	}
	if s := all([4]int{10, 0, 0, 0}); s.IKM != 25 || s.Quality != "D" {
		t.Errorf("lowest marks: %+v", s)
	}
	for ikm, want := range map[float64]string{25: "D", 64.99: "D", 65: "C", 76.6: "C", 76.61: "B", 88.3: "B", 88.31: "A", 100: "A"} {
		if got, _ := form.Quality(ikm); got != want {
			t.Errorf("%v is %s, want %s", ikm, got, want)
		}
	}
}

func TestWrongFormsSayWhereAndWhat(t *testing.T) {
	for want, text := range map[string]string{
		"none of the sections":                    "{}",
		"data.yaml:2: sdm[0].gaji":                "sdm:\n  - gaji: 1\n",
		"row 1, fungsi is empty":                  "sdm:\n  - jumlah: 1\n",
		"row 1, per_sif is 9 of 3":                "sdm:\n  - fungsi: Operator\n    jumlah: 3\n    per_sif: 9\n",
		"anggaran[0].pagu":                        "anggaran:\n  - uraian: x\n    pagu: banyak\n    realisasi: 1\n",
		"there is no row":                         "sdm: []\n",
		"skm.unsur.U2":                            "skm:\n  responden: 3\n  unsur: {U1: [1, 1, 1, 0], U2: [1]}\n",
		"U1 (Persyaratan) has 239 answers of 150": strings.Replace(formsYAML, "[2, 10, 80, 58]", "[1, 100, 80, 58]", 1),
		"U3 (Waktu penyelesaian) has no an":       strings.Replace(formsYAML, "[0, 0, 150, 0]", "[0, 0, 0, 0]", 1),
	} {
		if _, err := ReadForms(write(t, "data.yaml", text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := ReadForms(workbook(t, map[string][][]any{"SDM": {{"Fungsi", "Jumlah"}, {"Operator", "dua"}}})); err == nil ||
		!strings.Contains(err.Error(), `sheet SDM, row 2, column Jumlah: "dua" is no whole number`) {
		t.Error(err)
	}
}
