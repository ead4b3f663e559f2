package number

import (
	"slices"
	"strings"

	"github.com/monev112/monev112/collector/store"
)

// names are what counts of calls are called.
var names = map[string]Text{
	"received": {"semua panggilan masuk", "all calls received"}, "offered": {"masuk antrean", "reached the queue"},
	"answered": {"terjawab", "answered"}, "classified": {"terjawab dan diklasifikasi", "answered and classified"},
	"abandoned": {"ditinggalkan", "abandoned"}, "unserved": {"tidak terlayani", "unserved"},
	"blocked": {"diblokir", "blocked"}, "normal": {"laporan nyata", "real events"},
	"informasi": {"permintaan informasi", "questions"}, "prank": {"prank/iseng", "prank"},
	"prank_palsu": {"laporan palsu", "false reports"}, "ghost": {"panggilan diam", "silent callers"},
	"pocket": {"tidak sengaja", "unintentional"}, "misrouted": {"salah wilayah", "other region"},
	"putus": {"terputus", "dropped"}, "duplikat": {"laporan ganda", "duplicates"},
	"to_own":      {"diteruskan ke OPD", "passed to OPDs"},
	"to_vertical": {"diteruskan ke instansi vertikal", "passed to vertical agencies"},
}

// numerators are what people divide, denominators what they divide it by; denominators of classes take numerators of
// their own classes alone.
var (
	classes = []string{
		"normal", "informasi", "prank", "prank_palsu", "ghost", "pocket", "misrouted", "putus", "duplikat",
	}
	numerators = [][]string{
		{"prank", "prank_palsu"}, {"prank"}, {"prank_palsu"}, {"ghost"}, {"pocket"}, {"informasi"}, {"normal"}, {"misrouted"},
		{"putus"}, {"duplikat"}, {"prank", "ghost"}, {"prank", "prank_palsu", "ghost"},
		{"prank", "prank_palsu", "ghost", "pocket"}, {"prank", "prank_palsu", "ghost", "pocket", "putus"},
		{"prank", "prank_palsu", "ghost", "pocket", "misrouted", "putus"},
		{"prank", "prank_palsu", "ghost", "pocket", "informasi"},
		{"informasi", "prank", "prank_palsu", "ghost", "pocket", "misrouted", "putus", "duplikat"}, // all but real events
		{"normal", "duplikat"}, {"normal", "informasi"},
		{"answered"}, {"classified"}, {"abandoned"}, {"unserved"}, {"abandoned", "unserved"}, {"blocked"}, {"to_own"},
		{"to_vertical"}, {"to_own", "to_vertical"},
	}
	denominators = [][]string{
		{"received"}, {"offered"}, {"answered"}, {"classified"},
		{"normal", "prank", "prank_palsu"}, {"prank", "prank_palsu"},
		{"normal", "informasi", "prank", "prank_palsu", "ghost", "pocket", "misrouted", "duplikat"}, // without dropped ones
		{"prank", "prank_palsu", "to_own", "to_vertical"},                                           // the published funnel
	}
	// parts are the other counts that a count of calls holds.
	parts = map[string][]string{
		"received": {"answered", "classified", "abandoned", "unserved", "blocked", "to_own", "to_vertical"},
		"offered":  {"abandoned", "unserved"}, "answered": {"classified"},
	}
)

// Pairs are the usual shares of counts of calls, by the names of store.CallCounts.
func Pairs(counts map[string]int64) (out []Match) {
	sum := func(of []string) (n int64) {
		for _, c := range of {
			n += counts[c]
		}
		return n
	}
	for _, d := range denominators {
		for _, n := range numerators {
			if within(n, d) && len(n) != len(d) || within(n, d) && n[0] != d[0] {
				out = append(out, Match{
					Numerator: text(n), Denominator: text(d), Counted: sum(n), Of: sum(d), N: counts["received"],
				})
			}
		}
	}
	return out
}

// within reports whether every count of a numerator is part of a denominator.
func within(numerator, denominator []string) bool {
	for _, n := range numerator {
		if !slices.ContainsFunc(denominator, func(d string) bool {
			return n == d || slices.Contains(parts[d], n) ||
				slices.Contains(classes, n) && len(denominator) == 1 && !slices.Contains(classes, d)
		}) {
			return false
		}
	}
	return true
}

func text(of []string) Text {
	var id, en []string
	for _, c := range of {
		id, en = append(id, names[c].Indonesian), append(en, names[c].English)
	}
	return Text{strings.Join(id, " + "), strings.Join(en, " + ")}
}

// Measures are the shares among figures, each with what is divided by what, in the words of docs/definitions.md.
func Measures(figures []store.Figure) (out []Match) {
	for _, f := range figures {
		if strings.HasPrefix(f.Name, "interval_") || f.Value == nil {
			continue
		}
		measure, _ := store.Dim(f.Dims, "measure")
		m := Match{
			Measure: f.Name + " " + f.Dims, Counted: int64(f.Numerator), Of: int64(f.Denominator), N: int64(f.N),
			Numerator:   Text{f.Name + " " + f.Dims, f.Name + " " + f.Dims},
			Denominator: Text{"penyebut ukuran itu", "the measure's denominator"},
		}
		switch f.Name {
		case "hoax":
			m.Numerator = map[string]Text{
				"rasio_hoaks": text([]string{"prank", "prank_palsu"}), "rasio_non_darurat": text(numerators[15]),
				"belum": {"terjawab, belum diklasifikasi", "answered, not classified"},
			}[measure]
			m.Denominator = names["classified"]
			if measure == "belum" {
				m.Denominator = names["answered"]
			}
		case "service_level":
			target, _ := store.Dim(f.Dims, "target")
			m.Numerator = Text{"terjawab dalam " + target + " detik", "answered within " + target + " s"}
			m.Denominator = map[string]Text{
				"ketat": names["offered"], "terjawab": names["answered"],
				"standar": {"masuk antrean tanpa yang segera menutup", "reached the queue, without short abandons"},
			}[measure]
		case "funnel":
			stage, _ := store.Dim(f.Dims, "stage")
			m.Numerator, m.Denominator = Text{"corong: " + stage, "funnel: " + stage}, names["received"]
		}
		out = append(out, m)
	}
	return out
}
