package directory

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/event"
	_ "github.com/monev112/monev112/collector/internal/rapidseed"
	"github.com/monev112/monev112/collector/internal/yamlfile"
	"github.com/monev112/monev112/deploy"
)

const sidoarjo = "35.15"

func embedded() *Directory { return MustLoad("directory.yaml", deploy.Directory) }

func TestDefaultHoldsSidoarjo(t *testing.T) {
	d := embedded()
	if d.DefaultCenter() != sidoarjo {
		t.Errorf("default centre %q", d.DefaultCenter())
	}
	var codes []string
	for _, c := range d.Centers() {
		codes = append(codes, c.Code)
		if c.Historical != (c.Code != sidoarjo) || c.Location == time.UTC {
			t.Errorf("centre %+v", c)
		}
	}
	if diff := cmp.Diff([]string{sidoarjo, "us-sf", "mx-cdmx", "us-boston"}, codes); diff != "" {
		t.Errorf("centres (-want +got):\n%s", diff)
	}
	c, _ := d.Center(sidoarjo)
	if c.AnswerTarget != 15*time.Second || c.ShortAbandon != 5*time.Second || c.Population != 2082801 ||
		!cmp.Equal(c.Shifts, []time.Duration{7 * time.Hour, 14 * time.Hour, 21 * time.Hour}) {
		t.Errorf("centre %+v", c)
	}
	scopes, offices := map[Scope]int{}, 0
	for _, o := range d.OPDs(sidoarjo) {
		scopes[o.Scope]++
		if strings.HasPrefix(o.ID, "kec_") {
			offices++
		}
	}
	if scopes[Own] != 14+18 || scopes[Vertical] != 7 || offices != 18 {
		t.Errorf("scopes %v, %d offices of kecamatan", scopes, offices)
	}
	if n := len(d.AllKecamatan(sidoarjo)); n != 18 {
		t.Errorf("%d kecamatan", n)
	}
	var sensitive []string
	for _, c := range d.Categories(sidoarjo) {
		if c.Sensitive {
			sensitive = append(sensitive, c.ID)
		}
	}
	if diff := cmp.Diff([]string{"darurat_medis", "odgj", "kdrt"}, sensitive); diff != "" ||
		len(d.Categories(sidoarjo)) != 19 {
		t.Errorf("%d categories, sensitive (-want +got):\n%s", len(d.Categories(sidoarjo)), diff)
	}
}

func TestDefaultNamesPoliciesAndCalendarsThatAreShipped(t *testing.T) {
	policies, calendars := embedded().Policies()
	if diff := cmp.Diff([]string{"sidoarjo", "spm-damkar-15"}, policies); diff != "" {
		t.Errorf("policies (-want +got):\n%s", diff)
	}
	for folder, names := range map[string][]string{"policies": policies, "calendars": calendars} {
		for _, name := range names {
			if _, err := fs.Stat(deploy.Defaults, "defaults/"+folder+"/"+name+".yaml"); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestCodesOfKecamatanAreConvertedByTable(t *testing.T) {
	d := embedded()
	for bps, code := range map[string]string{
		"3515110": "35.15.08", "3515180": "35.15.12", "3515010": "35.15.01", "3515170": "35.15.11",
	} {
		k, ok := d.KecamatanByBPS(bps)
		if !ok || k.Code != code {
			t.Errorf("BPS %s is %q", bps, k.Code)
		}
		if k, ok = d.KecamatanByCode(code); !ok || k.BPS != bps {
			t.Errorf("Kemendagri %s is BPS %q", code, k.BPS)
		}
	}
}

func TestResolve(t *testing.T) {
	d := embedded()
	type resolver func(center, name string) (string, bool)
	for _, tc := range []struct {
		what    string
		resolve resolver
		name    string
		id      string
		known   bool
	}{
		{"kecamatan", d.ResolveKecamatan, "BALONG BENDO", "35.15.12", true},
		{"kecamatan", d.ResolveKecamatan, "Balongbendo", "35.15.12", true},
		{"kecamatan", d.ResolveKecamatan, "Kec. Waru", "35.15.18", true},
		{"kecamatan", d.ResolveKecamatan, "Kecamatan  Waru", "35.15.18", true},
		{"kecamatan", d.ResolveKecamatan, "waru, Sidoarjo", "35.15.18", true},
		{"kecamatan", d.ResolveKecamatan, "3515110", "35.15.08", true},
		{"kecamatan", d.ResolveKecamatan, "35.15.08", "35.15.08", true},
		{"kecamatan", d.ResolveKecamatan, "SIDOARJO", "35.15.08", true},
		{"kecamatan", d.ResolveKecamatan, "Sda", "Sda", false},
		{"kecamatan", d.ResolveKecamatan, "Kec. SDA", "Kec. SDA", false},
		{"kecamatan", d.ResolveKecamatan, "Kabupaten Sidoarjo", "Kabupaten Sidoarjo", false},
		{"kecamatan", d.ResolveKecamatan, "Kec", "Kec", false},
		{"kecamatan", d.ResolveKecamatan, "Rungkut", "Rungkut", false},
		{"kecamatan", d.ResolveKecamatan, "--", "--", false},
		{"opd", d.ResolveOPD, "dishub", "dishub", true},
		{"opd", d.ResolveOPD, "Dinas Perhubungan", "dishub", true},
		{"opd", d.ResolveOPD, "DISHUB SDA", "dishub", true},
		{"opd", d.ResolveOPD, "Dinas Perhubungan Kab. Sidoarjo", "dishub", true},
		{"opd", d.ResolveOPD, "Dinas PU Bina Marga dan SDA", "dpubmsda", true},
		{"opd", d.ResolveOPD, "Satpol PP", "satpolpp", true},
		{"opd", d.ResolveOPD, "Polresta", "polresta", true},
		{"opd", d.ResolveOPD, "PLN Sidoarjo", "pln", true},
		{"opd", d.ResolveOPD, "Kec. Waru", "kec_waru", true},
		{"opd", d.ResolveOPD, "KECAMATAN BALONG BENDO", "kec_balongbendo", true},
		{"opd", d.ResolveOPD, "Kecamatan Sidoarjo", "kec_sidoarjo", true},
		{"opd", d.ResolveOPD, "Sda", "Sda", false},
		{"opd", d.ResolveOPD, "Dinas Sihir", "Dinas Sihir", false},
		{"category", d.ResolveCategory, "PJU", "pju", true},
		{"category", d.ResolveCategory, "Penerangan Jalan Umum", "pju", true},
		{"category", d.ResolveCategory, "Pohon-Tumbang", "pohon_tumbang", true},
		{"category", d.ResolveCategory, "UFO", "UFO", false},
	} {
		if id, known := tc.resolve(sidoarjo, tc.name); id != tc.id || known != tc.known {
			t.Errorf("%s %q resolves to %q, %v; want %q, %v", tc.what, tc.name, id, known, tc.id, tc.known)
		}
		if id, known := tc.resolve("99.99", tc.name); id != tc.name || known {
			t.Errorf("%s %q of an unknown centre resolves to %q, %v", tc.what, tc.name, id, known)
		}
	}
}

func TestEveryKnownNameResolvesInAnyWriting(t *testing.T) {
	d := embedded()
	rapid.Check(t, func(t *rapid.T) {
		o := rapid.SampledFrom(d.OPDs(sidoarjo)).Draw(t, "opd")
		var b strings.Builder
		for _, r := range o.Name {
			s := string(r)
			if rapid.Bool().Draw(t, "upper") {
				s = strings.ToUpper(s)
			}
			b.WriteString(s + rapid.SampledFrom([]string{"", "", "", " ", ".", "-"}).Draw(t, "between"))
		}
		if id, ok := d.ResolveOPD(sidoarjo, b.String()); !ok || id != o.ID {
			t.Fatalf("%q resolves to %q, want %q", b.String(), id, o.ID)
		}
	})
}

func TestScopesAndLabels(t *testing.T) {
	d := embedded()
	for opd, want := range map[string]Scope{
		"dishub": Own, "pln": Vertical, "Dinas Perhubungan": ScopeUnknown, "": ScopeUnknown,
	} {
		if got := d.ScopeOf(sidoarjo, opd); got != want {
			t.Errorf("scope of %q is %q, want %q", opd, got, want)
		}
	}
	if d.OPDLabel(sidoarjo, "dishub") != "dishub" || d.OPDLabel(sidoarjo, "Dinas Sihir") != Unknown ||
		d.OPDLabel("99.99", "dishub") != Unknown ||
		d.OPDLabel("us-boston", "PWDx") != Unknown || d.KecamatanLabel(sidoarjo, "35.15.12") != "35.15.12" ||
		d.KecamatanLabel(sidoarjo, "Waru") != Unknown || d.CategoryLabel(sidoarjo, "pju") != "pju" ||
		d.CenterLabel("x") != Unknown {
		t.Error("a label is not an id of the directory or unknown")
	}
}

func ptr[T any](v T) *T { return &v }

func TestNormalize(t *testing.T) {
	d := embedded()
	exact := func(e event.Event) event.Event { e.Lat, e.Lon = ptr(-7.3511), ptr(112.7701); return e }
	for _, tc := range []struct {
		name     string
		in, want event.Event
		review   []Review
	}{
		{"names become ids",
			event.Event{OPD: "Dinas Perhubungan", Kecamatan: "BALONG BENDO", Category: "PJU"},
			event.Event{Center: sidoarjo, OPD: "dishub", Kecamatan: "35.15.12", Category: "pju"}, nil},
		{"nothing is invented",
			event.Event{Category: "kebakaran"},
			event.Event{Center: sidoarjo, Category: "kebakaran"}, nil},
		{"unknown names stay",
			event.Event{OPD: "Dinas Sihir", Kecamatan: "Sda", Category: "UFO"},
			event.Event{Center: sidoarjo, OPD: "Dinas Sihir", Kecamatan: "Sda", Category: "UFO"},
			[]Review{
				{sidoarjo, event.FieldOPD, "Dinas Sihir", false}, {sidoarjo, event.FieldKecamatan, "Sda", true},
				{sidoarjo, event.FieldCategory, "UFO", false},
			}},
		{"an address is no category, and a fire is a fire",
			event.Event{Category: "Kebakaran Jl. Raya 12", OPD: "Bpk Slamet 081"},
			event.Event{Center: sidoarjo, Blanked: []string{"category", "opd"}},
			[]Review{{sidoarjo, event.FieldOPD, "", false}, {sidoarjo, event.FieldCategory, "", false}}},
		{"an assignment to a person is one to nobody known",
			event.Event{Type: event.TicketAssigned, OPD: "Sdr. Andi"},
			event.Event{Center: sidoarjo, Type: event.TicketAssigned, OPD: "unknown", Blanked: []string{"opd"}},
			[]Review{{sidoarjo, event.FieldOPD, "", false}}},
		{"what the decoder blanked is looked at",
			event.Event{Category: "pju", Blanked: []string{"queue"}},
			event.Event{Center: sidoarjo, Category: "pju", Blanked: []string{"queue"}},
			[]Review{{sidoarjo, "queue", "", false}}},
		{"a code that the directory knows, and one that it does not",
			event.Event{Kecamatan: "3515110", OPD: "3515110"},
			event.Event{Center: sidoarjo, Kecamatan: "35.15.08", Blanked: []string{"opd"}},
			[]Review{{sidoarjo, event.FieldOPD, "", false}}},
		{"open centre, address and number",
			event.Event{Center: "mx-cdmx", Category: "Calle 12 Nr 34", OPD: "0812-9753-1864"},
			event.Event{Center: "mx-cdmx", Category: "Calle 12 Nr 34", Blanked: []string{"opd"}},
			[]Review{{"mx-cdmx", event.FieldOPD, "", false}}},
		{"unknown centre, address",
			event.Event{Center: "99.99", Category: "Rumah no. 5", Kecamatan: "Waru"},
			event.Event{Center: "99.99", Kecamatan: "Waru", Blanked: []string{"category"}},
			[]Review{{"99.99", event.FieldCategory, "", false}, {"99.99", event.FieldCenter, "99.99", false}}},
		{"unknown centre",
			exact(event.Event{Center: "99.99", OPD: "dishub"}),
			event.Event{Center: "99.99", OPD: "dishub"}, []Review{{"99.99", event.FieldCenter, "99.99", false}}},
		{"open centre",
			exact(event.Event{Center: "mx-cdmx", OPD: "C5", Kecamatan: "TLALPAN", Category: "accidente"}),
			exact(event.Event{Center: "mx-cdmx", OPD: "C5", Kecamatan: "TLALPAN", Category: "accidente"}), nil},
		{"exact place of a street light",
			exact(event.Event{Category: "pju", Kecamatan: "Waru"}),
			exact(event.Event{Center: sidoarjo, Category: "pju", Kecamatan: "35.15.18"}), nil},
		{"place of violence at home",
			exact(event.Event{Category: "KDRT", Kecamatan: "Waru"}),
			event.Event{Center: sidoarjo, Category: "kdrt", Kecamatan: "35.15.18", Lat: ptr(-7.3544), Lon: ptr(112.7665)}, nil},
		{"place of violence in no known kecamatan",
			exact(event.Event{Category: "kdrt"}),
			event.Event{Center: sidoarjo, Category: "kdrt"}, nil},
		{"place without a category",
			exact(event.Event{Kecamatan: "Waru"}),
			event.Event{Center: sidoarjo, Kecamatan: "35.15.18", Lat: ptr(-7.3544), Lon: ptr(112.7665)}, nil},
		{"place of an unknown category",
			exact(event.Event{Category: "kekerasan"}),
			event.Event{Center: sidoarjo, Category: "kekerasan"}, []Review{{sidoarjo, event.FieldCategory, "kekerasan", false}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := tc.in
			review := d.Normalize(&got)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("event (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.review, review); diff != "" {
				t.Errorf("review (-want +got):\n%s", diff)
			}
			again := got
			d.Normalize(&again)
			if diff := cmp.Diff(got, again); diff != "" {
				t.Errorf("a second time changes it:\n%s", diff)
			}
		})
	}
}

func TestShiftStart(t *testing.T) {
	d := embedded()
	c, _ := d.Center(sidoarjo)
	for at, want := range map[string]string{
		"2026-11-23T07:00:00+07:00": "2026-11-23T07:00:00+07:00",
		"2026-11-23T13:59:59+07:00": "2026-11-23T07:00:00+07:00",
		"2026-11-23T21:00:00+07:00": "2026-11-23T21:00:00+07:00",
		"2026-11-23T06:59:59+07:00": "2026-11-22T21:00:00+07:00",
		"2026-11-23T00:00:00Z":      "2026-11-23T07:00:00+07:00",
	} {
		now, _ := time.Parse(time.RFC3339, at)
		if got := c.ShiftStart(now).Format(time.RFC3339); got != want {
			t.Errorf("shift of %s began %s, want %s", at, got, want)
		}
	}
	boston, _ := d.Center("us-boston")
	now := time.Date(2015, 3, 8, 12, 0, 0, 0, time.UTC)
	if got := boston.ShiftStart(now).Format(time.RFC3339); got != "2015-03-08T00:00:00-05:00" {
		t.Errorf("a centre without shifts: %s", got)
	}
}

const small = `version: 1
default_center: a
centers:
  - code: a
    name: A
    timezone: Asia/Jakarta
    shifts: ["07:00"]
    ambiguous:
      - {name: Sda, meaning: two}
    opds:
      - {id: dishub, name: Dinas Perhubungan, scope: own, hours: working, aliases: [DLLAJ]}
      - {id: pln, name: PLN, scope: vertical, hours: 24h}
    kecamatan:
      - {code: "35.10", bps: 3510010, name: Waru, lat: -7.3, lon: 112.7}
    categories:
      - {id: pju, name: PJU, priority: non_darurat, opd: dishub}
`

func TestMistakesAreNamedWithLineFieldAndRemedy(t *testing.T) {
	if _, err := Load("dir.yaml", []byte(small)); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, old, new string
		line           int
		field          string
	}{
		{"no YAML", "version: 1", "version: [", 1, ""},
		{"unknown key", "    name: A\n", "    nama: A\n", 5, "centers[0].nama"},
		{"repeated key", "    name: A\n", "    name: A\n    name: B\n", 6, "centers[0].name"},
		{"text for a number", "lat: -7.3", "lat: south", 14, "centers[0].kecamatan[0].lat"},
		{"version", "version: 1", "version: 2", 1, "version"},
		{"default centre", "default_center: a", "default_center: b", 2, "default_center"},
		{"code with a space", "code: a", "code: a b", 4, "centers[0].code"},
		{"no name", "    name: A\n", "", 4, "centers[0].name"},
		{"time zone", "Asia/Jakarta", "WIB", 6, "centers[0].timezone"},
		{"shift off the quarter", `"07:00"`, `"07:10"`, 7, "centers[0].shifts[0]"},
		{"shifts out of order", `"07:00"`, `"07:00", "06:00"`, 7, "centers[0].shifts[1]"},
		{"scope", "scope: own", "scope: city", 11, "centers[0].opds[0].scope"},
		{"hours", "hours: working", "hours: always", 11, "centers[0].opds[0].hours"},
		{"id twice", "id: pln", "id: dishub", 12, "centers[0].opds[1]"},
		{"alias twice", "DLLAJ", "P.L.N.", 12, "centers[0].opds[1]"},
		{"alias is ambiguous", "DLLAJ", "SDA", 11, "centers[0].opds[0].aliases[0]"},
		{"empty alias", "DLLAJ", `""`, 11, "centers[0].opds[0].aliases[0]"},
		{"no point", "lat: -7.3, ", "", 14, "centers[0].kecamatan[0].lat"},
		{"point off the globe", "lat: -7.3", "lat: -97.3", 14, "centers[0].kecamatan[0].lat"},
		{"priority", "priority: non_darurat", "priority: low", 16, "centers[0].categories[0].priority"},
		{"opd of a category", "opd: dishub", "opd: dis", 16, "centers[0].categories[0].opd"},
		{"reserved id", "id: pln", "id: unknown", 12, "centers[0].opds[1].id"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if !strings.Contains(small, tc.old) {
				t.Fatal("nothing to change")
			}
			_, err := Load("dir.yaml", []byte(strings.Replace(small, tc.old, tc.new, 1)))
			var problems yamlfile.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("error %v", err)
			}
			if !slices.ContainsFunc(problems, func(p yamlfile.Problem) bool {
				return p.File == "dir.yaml" && p.Line == tc.line && p.Field == tc.field && p.Found != "" && p.Remedy != ""
			}) {
				t.Errorf("%v\nwant line %d, field %q", err, tc.line, tc.field)
			}
		})
	}
}

func TestNumbersThatAreCodesKeepTheirDigits(t *testing.T) {
	d, err := Load("dir.yaml", []byte(strings.Replace(small, `code: "35.10"`, `code: 35.10`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if k, ok := d.KecamatanByBPS("3510010"); !ok || k.Code != "35.10" {
		t.Errorf("kecamatan %+v: an unquoted code lost a digit", k)
	}
}

// A key that changes nothing any more stands in the files of centres: they are read all the same.
func TestKeysOfOlderFilesAreRead(t *testing.T) {
	d, err := Load("dir.yaml", []byte(strings.Replace(small, "    name: A\n",
		"    name: A\n    answer: {target_seconds: 15, display_seconds: [10, 15, 20]}\n", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if c, _ := d.Center("a"); c.AnswerTarget != 15*time.Second {
		t.Errorf("the target is %s", c.AnswerTarget)
	}
}

func TestProblemsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("version: 1\ncenters:\n")
	for i := range 100 {
		fmt.Fprintf(&b, "  - {code: c%d, name: C, timezone: nowhere}\n", i)
	}
	_, err := Load("dir.yaml", []byte(b.String()))
	if n := strings.Count(err.Error(), "\n") + 1; n != yamlfile.MaxProblems+1 {
		t.Errorf("%d problems", n)
	}
	if _, err := Load("dir.yaml", make([]byte, MaxFileBytes+1)); err == nil {
		t.Error("a file of any size is read")
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("version: 1\ncenters: [{code: x, name: y, timezone: UTC, opds: [{}]}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 4096 {
			return
		}
		d, err := Load("f", text)
		if err == nil && len(d.Centers()) == 0 {
			t.Error("a directory without a centre")
		}
	})
}

func FuzzResolve(f *testing.F) {
	for _, s := range []string{"Sda", "BALONG BENDO", "Kec.", "é\u0301", "\xff", "Dinas Perhubungan Sidoarjo"} {
		f.Add(s)
	}
	d := embedded()
	f.Fuzz(func(t *testing.T, name string) {
		if id, known := d.ResolveOPD(sidoarjo, name); !known && id != name || known && d.OPDLabel(sidoarjo, id) != id {
			t.Errorf("%q resolves to %q, %v", name, id, known)
		}
		if id, known := d.ResolveKecamatan(sidoarjo, name); !known && id != name || known &&
			d.KecamatanLabel(sidoarjo, id) != id {
			t.Errorf("%q resolves to %q, %v", name, id, known)
		}
	})
}

func BenchmarkNormalize(b *testing.B) {
	d := embedded()
	b.ReportAllocs()
	for b.Loop() {
		e := event.Event{Center: sidoarjo, OPD: "Dinas Perhubungan", Kecamatan: "BALONG BENDO", Category: "pju"}
		d.Normalize(&e)
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		embedded()
	}
}
