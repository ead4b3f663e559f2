package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDayOne walks docs/day-one.md block by block: another regency comes from its lists and one export to figures of
// its own, and edits no file.
func TestDayOne(t *testing.T) {
	t.Parallel()
	steps := blocks(t, "day-one.md", "sh")
	if len(steps) != 4 {
		t.Fatalf("docs/day-one.md has %d blocks, the test knows 4", len(steps))
	}
	s, dir := newService(t), t.TempDir()
	for name, text := range map[string]string{
		"opd.csv": "Nama OPD;Singkatan;Lingkup;Jam Kerja\nDinas Perhubungan;Dishub;OPD;jam kerja\n" +
			"Badan Penanggulangan Bencana Kabupaten;BPBK;;24 jam\nPLN;;vertikal;24 jam\n",
		"kecamatan.csv": "Kecamatan;Kode;Lintang;Bujur\nSapeken;35.29.18;-6,95;115,72\nKalianget;;;\n",
		"ekspor.csv": "No Tiket;Tanggal;Jam Masuk;Jam Jawab;Jam Selesai;No HP;Jenis Panggilan;Kategori;Kecamatan;OPD\n" +
			"SMP-1;02/11/2026;08:00:00;08:00:08;08:02:00;081234567801;Normal;Lampu PJU;Sapeken;Dishub\n" +
			"SMP-2;02/11/2026;09:00:00;09:00:20;09:01:00;081234567802;Prank;;;\n" +
			"SMP-3;03/11/2026;10:00:00;10:00:05;10:04:00;081234567803;Normal;Banjir;Kec. Kalianget;BPBK\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range steps[:2] {
		if out, err := s.shell(dir, step); err != nil {
			t.Fatalf("%v\n%s\n%s", err, step, out)
		}
	}
	s.args = []string{"--config", filepath.Join(dir, "sumenep", "monev112.yaml")}
	s.start()
	if !s.ready() {
		t.Fatal("the service does not accept events")
	}
	if out, err := s.shell(dir, steps[2]); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.shipped()
	out, err := s.shell(dir, steps[3])
	if err != nil || !strings.Contains(out, "ketat\t2\t3") || !strings.Contains(out, "terjawab\t2\t3") {
		t.Errorf("figures: %v\n%s", err, out)
	}
	const tickets = `SELECT id, opd, kecamatan, category FROM tickets FINAL WHERE center = '35.29' ORDER BY id`
	if got := s.query(tickets); got != "SMP-1\tdishub\t35.29.18\tpju\nSMP-3\tbpbk\t35.29.01\tbanjir" {
		t.Errorf("tickets:\n%s", got)
	}
}
