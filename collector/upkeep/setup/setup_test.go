package setup

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/monev112/monev112/collector/directory"
)

// sumenep are answers that are accepted.
func sumenep() Answers {
	return Answers{
		Code: "35.29", Name: "Kabupaten Sumenep", Zone: "Asia/Jakarta", Systems: []string{Export, Asterisk},
		QueueLog: "/var/log/asterisk/queue_log",
	}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, a Answers) *directory.Directory {
	t.Helper()
	p, err := New(a)
	if err != nil {
		t.Fatal(err)
	}
	d, err := directory.Load("directory.yaml", []byte(p.Files["directory.yaml"]))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestWithoutListsTheUsualOPDs(t *testing.T) {
	d := load(t, sumenep())
	if d.DefaultCenter() != "35.29" || len(d.OPDs("35.29")) < 10 || len(d.AllKecamatan("35.29")) != 0 {
		t.Errorf("centre %s, %d OPDs, %d kecamatan", d.DefaultCenter(), len(d.OPDs("35.29")), len(d.AllKecamatan("35.29")))
	}
	for _, o := range d.OPDs("35.29") {
		if strings.Contains(o.Name, "Sidoarjo") || strings.HasPrefix(o.ID, "kec_") {
			t.Errorf("%s is an OPD of another regency", o.Name)
		}
	}
	if id, known := d.ResolveCategory("35.29", "Lampu PJU"); !known || id != "pju" {
		t.Errorf("the usual names of categories are not known: %q", id)
	}
}

func TestListsOfAnOffice(t *testing.T) {
	const header = "Daftar Perangkat Daerah\n\nNo;Nama OPD;Singkatan;Lingkup;Jam Kerja\n"
	a := sumenep()
	a.OPDs = write(t, "opd.csv", header+`1;Dinas Perhubungan;;OPD;
2;PT PLN (Persero) ULP Sumenep;;vertikal;24 jam
3;Dinas Pemadam "Api", Kabupaten;DPA;;24 jam
4;Badan Penanggulangan Bencana Daerah;BPBD;;
;;;;
5;Dinas Lain;DPA2;;piket
`)
	a.Kecamatan = write(t, "kec.csv", "Kode;Kecamatan;Lintang;Bujur\n35.29.18;Sapeken;-6,95;115,72\n;Kecamatan "+
		"Kalianget;;\n")
	d := load(t, a)
	var got []string
	for _, o := range d.OPDs("35.29") {
		got = append(got, strings.Join([]string{o.ID, string(o.Scope), string(o.Hours)}, " "))
	}
	want := []string{
		"dishub own working", "pt_pln_persero_ulp_sumenep vertical 24h", "dpa own 24h", "bpbd own 24h", "dpa2 own on_call",
	}
	if !slices.Equal(got, want) {
		t.Errorf("OPDs %q, want %q", got, want)
	}
	k := d.AllKecamatan("35.29")
	if len(k) != 2 || k[0].Name != "Sapeken" || !k[0].Located || k[0].Lat != -6.95 || k[1].Code != "35.29.01" ||
		k[1].Located {
		t.Errorf("kecamatan %+v", k)
	}
}

func TestAWorkbookIsAList(t *testing.T) {
	x := excelize.NewFile()
	for i, row := range [][]any{{"PERANGKAT DAERAH"}, {"Dinas Sosial"}, {"Dinas Kesehatan"}} {
		if err := x.SetSheetRow("Sheet1", "A"+string(rune('1'+i)), &row); err != nil {
			t.Fatal(err)
		}
	}
	a := sumenep()
	a.OPDs = filepath.Join(t.TempDir(), "opd.xlsx")
	if err := x.SaveAs(a.OPDs); err != nil {
		t.Fatal(err)
	}
	if got := load(t, a).OPDs("35.29"); len(got) != 2 || got[0].ID != "dinsos" || got[1].ID != "dinkes" {
		t.Errorf("OPDs %+v", got)
	}
}

func TestRefusedAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Answers)
		want   string
	}{
		"no code":             {func(a *Answers) { a.Code = "" }, "Kemendagri code"},
		"code as a path":      {func(a *Answers) { a.Code = "../x" }, "Kemendagri code"},
		"no name":             {func(a *Answers) { a.Name = " " }, "the name is missing"},
		"a name of two lines": {func(a *Answers) { a.Name = "Kabupaten\nx: y" }, "the name is missing"},
		"no zone":             {func(a *Answers) { a.Zone = "Asia/Sumenep" }, "Asia/Makassar"},
		"no such system":      {func(a *Answers) { a.Systems = []string{"fax"} }, "export, asterisk or api"},
		"no OPDs":             {func(a *Answers) { a.OPDs = write(t, "o.csv", "Nama OPD\n") }, "lists no OPD"},
		"twice": {func(a *Answers) {
			a.OPDs = write(t, "o.csv", "Nama OPD\nDinas A\ndinas a\n")
		}, "o.csv:3: \"dinas a\" is listed twice"},
		"no header": {func(a *Answers) { a.OPDs = write(t, "o.csv", "Dinas A,x\nDinas B,y\n") }, "nama opd"},
		"strange scope": {
			func(a *Answers) { a.OPDs = write(t, "o.csv", "Nama OPD,Lingkup\nDinas A,swasta\n") }, "vertikal, or leave",
		},
		"half a point": {
			func(a *Answers) { a.Kecamatan = write(t, "k.csv", "Kecamatan,Lat,Lon\nA,-7.1,\n") }, "both or none",
		},
		"point off the globe": {
			func(a *Answers) { a.Kecamatan = write(t, "k.csv", "Kecamatan,Lat,Lon\nA,-97.1,112\n") }, "no degrees",
		},
		"a name that is too long": {
			func(a *Answers) { a.Name = strings.Repeat("Kabupaten ", 40) }, "1 to 128 bytes",
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := sumenep()
			tt.change(&a)
			if _, err := New(a); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestASecondRunChangesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "config")
	p, err := New(sumenep())
	if err != nil {
		t.Fatal(err)
	}
	written, err := p.Write(dir)
	if err != nil || len(written) != 4 {
		t.Fatalf("wrote %q, %v", written, err)
	}
	if written, err = p.Write(dir); err != nil || len(written) != 0 {
		t.Errorf("the second run wrote %q, %v", written, err)
	}
	name := filepath.Join(dir, "directory.yaml")
	if err := os.WriteFile(name, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, ConfigFile)); err != nil {
		t.Fatal(err)
	}
	if written, err = p.Write(dir); err == nil || len(written) != 0 {
		t.Errorf("a folder with an edited file: wrote %q, %v", written, err)
	}
	if text, _ := os.ReadFile(name); string(text) != "mine" {
		t.Error("an edited file was overwritten")
	}
}

// What people type must not become another key of the YAML files.
func FuzzNew(f *testing.F) {
	f.Add("Kabupaten Sumenep", "Dinas Perhubungan", "Kalianget")
	f.Add("a: b", "x\", hours: 24h, name: \"y", "#")
	f.Add("{}", "\u202edrow", "'")
	f.Fuzz(func(t *testing.T, name, office, place string) {
		a := sumenep()
		a.Name = name
		a.OPDs = write(t, "o.csv", "Nama OPD\n\""+strings.ReplaceAll(office, `"`, `""`)+"\"\n")
		a.Kecamatan = write(t, "k.csv", "Kecamatan\n\""+strings.ReplaceAll(place, `"`, `""`)+"\"\n")
		p, err := New(a)
		if err != nil {
			return
		}
		d, err := directory.Load("directory.yaml", []byte(p.Files["directory.yaml"]))
		if err != nil {
			t.Fatal(err)
		}
		c, _ := d.Center(a.Code)
		if c.Name != name || len(d.OPDs(a.Code)) != 1 || d.OPDs(a.Code)[0].Hours == "" || len(d.AllKecamatan(a.Code)) != 1 {
			t.Errorf("%+v: %+v %+v", c, d.OPDs(a.Code), d.AllKecamatan(a.Code))
		}
	})
}
