package sla

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/internal/yamlfile"
)

const goodCalendar = `calendar: test
version: "1"
zone: Asia/Jakarta
valid_from: 2023-01-01
covered_until: 2026-12-31
weekly:
  - from: 2023-01-01
    windows:
      mon-fri: [08:00-16:00]
ranges:
  - name: Ramadan
    from: 2026-02-19
    until: 2026-03-20
    windows:
      mon-fri: [08:00-15:00]
holidays:
  - {date: 2026-01-01, name: Tahun Baru, decree: SKB}
joint_leave:
  - {date: 2026-12-24, name: Natal, decree: SKB}
special:
  - {date: 2026-12-31, name: Akhir tahun, windows: ["08:00-12:00"]}
`

const goodPolicy = `policy: test
version: "1"
valid_from: 2023-01-01
pauses:
  reasons: [cuaca]
  cap: {elapsed: 72h, hours: 24h, days: 5d}
clocks:
  - {clock: answer, kind: elapsed, target: 15s}
  - {clock: resolve, kind: days, target: 5d}
  - {clock: resolve, kind: hours, target: 8h, priority: darurat}
`

// Each row makes one mistake in a good file and says where it must be found and what must be advised.
func TestEveryMistakeIsExplained(t *testing.T) {
	for _, tt := range []struct {
		file, from, to string
		line           int
		field          string
		says           []string
	}{
		{"calendar", "zone: Asia/Jakarta", "zone: Asia/Sidoarjo", 3, "zone", []string{"not a time zone", "IANA"}},
		{"calendar", "zone: Asia/Jakarta", "zone: Local", 3, "zone", []string{"not a time zone"}},
		{"calendar", "zone: Asia/Jakarta\n", "", 1, "zone", []string{"missing", "IANA zone"}},
		{"calendar", "version: \"1\"", "version: 1 2", 2, "version", []string{"not a name", "letters, digits"}},
		{"calendar", "valid_from: 2023-01-01", "valid_from: 1 Jan 2023", 4, "valid_from",
			[]string{"not a date", "2026-12-31"}},
		{"calendar", "valid_from: 2023-01-01", "valid_from: 1923-01-01", 4, "valid_from",
			[]string{"outside 2000-01-01 to 2100-12-31"}},
		{"calendar", "covered_until: 2026-12-31", "covered_until: 2022-12-31", 5, "covered_until",
			[]string{"before valid_from"}},
		{"calendar", "weekly:", "weekl:", 6, "weekl", []string{"unknown key", "perhaps weekly"}},
		{"calendar", "mon-fri: [08:00-16:00]", "mon-fry: [08:00-16:00]", 9, "weekly[0].windows.mon-fry",
			[]string{"not a weekday", "mon-thu"}},
		{"calendar", "mon-fri: [08:00-16:00]", "mon-fri: [08:00-16:00]\n      fri: [08:00-11:00]", 10,
			"weekly[0].windows.fri", []string{"fri is named twice"}},
		{"calendar", "mon-fri: [08:00-16:00]", "mon-fri: [16:00-08:00]", 9, "weekly[0].windows.mon-fri[0]",
			[]string{"ends before it begins", "22:00-24:00"}},
		{"calendar", "mon-fri: [08:00-16:00]", "mon-fri: [08:00-16:00, 15:00-17:00]", 9, "weekly[0].windows.mon-fri[1]",
			[]string{"overlaps", "in order"}},
		{"calendar", "mon-fri: [08:00-16:00]", "mon-fri: [8-16]", 9, "weekly[0].windows.mon-fri[0]",
			[]string{"not a window", "07:30-16:00"}},
		{"calendar", "mon-fri: [08:00-16:00]", "mon-fri: [08:00-24:30]", 9, "weekly[0].windows.mon-fri[0]",
			[]string{"not a window"}},
		{"calendar", "mon-fri: [08:00-16:00]", "mon-fri: []", 9, "weekly[0].windows.mon-fri",
			[]string{"no window", "closed"}},
		{"calendar", "windows: [\"08:00-12:00\"]", "windows: [08:00-12:00]", 21, "special[0].windows[0]",
			[]string{"single value, not a group of keys", "quotes"}},
		{"calendar", "until: 2026-03-20", "until: 2026-02-01", 11, "ranges[0]", []string{"until lies before from"}},
		{"calendar", "holidays:",
			"  - {name: b, from: 2026-03-20, until: 2026-03-21, windows: {mon: [\"08:00-09:00\"]}}\nholidays:", 16, "ranges[1]",
			[]string{"overlaps the range at line 11"}},
		{"calendar", "date: 2026-12-24", "date: 2026-01-01", 19, "joint_leave[0]", []string{"a day off already: Tahun Baru"}},
		{"calendar", "date: 2026-12-24", "date: 2027-12-24", 19, "joint_leave[0]",
			[]string{"outside valid_from 2023-01-01 to covered_until 2026-12-31"}},
		{"calendar", ", decree: SKB}\njoint", "}\njoint", 17, "holidays[0].decree", []string{"missing", "decree"}},
		{"calendar", "date: 2026-12-31", "date: 2026-01-01", 21, "special[0]",
			[]string{"is a day off: Tahun Baru", "not both"}},
		{"calendar", "version: \"1\"", "version: \"1\"\nversion: \"2\"", 3, "version", []string{"appears twice"}},
		{"calendar", "zone: Asia/Jakarta", "zone:", 3, "zone", []string{"there is no value"}},
		{"calendar", "zone: Asia/Jakarta", "zone: [a, b]", 3, "zone", []string{"single value"}},
		{"calendar", "zone: Asia/Jakarta", "zone: {", 5, "", []string{"not valid YAML"}},
		{"calendar", "zone: Asia/Jakarta", "zone: &z Asia/Jakarta", 3, "zone", []string{"anchors"}},
		{"calendar", "calendar: test", "kalender: test", 1, "", []string{"neither a calendar nor a policy"}},
		{"calendar", "special:", "---\nspecial:", 21, "", []string{"second document"}},
		{"calendar", "zone: Asia/Jakarta", "zone: " + strings.Repeat("[", 40), 3, "", []string{"nested deeper than 32"}},
		{"calendar", "zone: Asia/Jakarta", "zone: " + strings.Repeat("a", 3000), 3, "", []string{"more than 2000"}},
		{"policy", "clock: answer", "clock: anwser", 8, "clocks[0].clock", []string{"not a clock", "answer, acknowledge"}},
		{"policy", "clock: answer", "clock: [answer, resolve]", 8, "clocks[0].clock",
			[]string{"start at different facts", "lines of their own"}},
		{"policy", "kind: elapsed, target: 15s", "kind: hours, target: 15s", 8, "clocks[0].kind",
			[]string{"does not fit clock answer", "use elapsed"}},
		{"policy", "kind: elapsed, target: 15s", "kind: elapsed", 8, "clocks[0].target", []string{"missing", "15s"}},
		{"policy", "target: 15s", "target: 15", 8, "clocks[0].target", []string{"not a length of time", "15s"}},
		{"policy", "target: 15s", "target: 100ms", 8, "clocks[0].target", []string{"whole number of seconds"}},
		{"policy", "target: 15s", "target: -3d", 8, "clocks[0].target", []string{"from 1 to 3660"}},
		{"policy", "target: 5d", "target: 8h", 9, "clocks[1].target", []string{"counts closings", "5d"}},
		{"policy", "target: 8h", "target: 2d", 10, "clocks[2].target", []string{"not counted in days", "40h"}},
		{"policy", "priority: darurat", "priority: tinggi", 10, "clocks[2].priority",
			[]string{"unknown priority", "darurat, mendesak, non_darurat, informasi"}},
		{"policy", "priority: darurat", "category: pjuu", 10, "clocks[2].category",
			[]string{"unknown category", "perhaps pju"}},
		{"policy", "priority: darurat", "opd: x", 10, "clocks[2].opd", []string{"unknown OPD"}},
		{"policy", "target: 15s", "target: 15s, category: pju", 8, "clocks[0].category", []string{"cannot depend on it"}},
		{"policy", "target: 15s", "target: 15s, pauses: {reasons: [cuaca], cap: 1h}", 8, "clocks[0].pauses",
			[]string{"never pauses"}},
		{"policy", "priority: darurat", "priority: [darurat, mendesak], pauses: {reasons: [cuaca], cap: 8h}", 10,
			"clocks[2].pauses", []string{"emergency clocks never pause"}},
		{"policy", "days: 5d", "days: 12h", 6, "pauses.cap.days", []string{"counted in closings"}},
		{"policy", ", days: 5d", "", 6, "pauses.cap.days", []string{"missing"}},
		{"policy", "  cap: {elapsed: 72h, hours: 24h, days: 5d}\n", "", 5, "pauses.cap",
			[]string{"missing", "limit all pauses"}},
		{"policy", "target: 5d}", "target: 5d, pauses: never}", 9, "clocks[1].pauses", []string{"not a pause rule", "none"}},
		{"policy", "target: 5d}", "target: 5d, start: closed}", 9, "clocks[1].start",
			[]string{"cannot start or stop", "opened"}},
		{"policy", "target: 5d}", "target: 5d, ladder: {risk: 120}}", 9, "clocks[1].ladder", []string{"not in order"}},
		{"policy", "target: 5d}", "target: 5d, ladder: {risk: high}}", 9, "clocks[1].ladder.risk", []string{"not a share"}},
		{"policy", "priority: darurat}", "}", 10, "clocks[2]", []string{"equally specific", "line 9", "add a line"}},
		{"policy", "priority: darurat}", "priority: darurat}\n  - {clock: resolve, kind: elapsed, target: 1h, category: pju}",
			11, "clocks[3]",
			[]string{"(category=pju)", "line 10 (priority=darurat)", "category=pju priority=darurat", "fewer or more fields"}},
		{"policy", "policy: test", "policy: source", 1, "policy", []string{"is taken"}},
		{"policy", "clocks:", "clocks: 3\nothers:", 7, "clocks", []string{"must be a list"}},
	} {
		t.Run(fmt.Sprintf("%s %.40q", tt.file, tt.to), func(t *testing.T) {
			calendar, policy := goodCalendar, goodPolicy
			text := &calendar
			if tt.file == "policy" {
				text = &policy
			}
			if !strings.Contains(*text, tt.from) {
				t.Fatalf("the good file has no %q", tt.from)
			}
			*text = strings.Replace(*text, tt.from, tt.to, 1)
			_, err := loadTest(calendar, policy)
			var problems yamlfile.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("no problem was found: %v", err)
			}
			for _, p := range problems {
				ok := p.File == tt.file+".yaml" && p.Line == tt.line && p.Field == tt.field && (p.Remedy != "" || p.Field == "")
				for _, s := range tt.says {
					ok = ok && strings.Contains(p.Error(), s)
				}
				if ok {
					return
				}
			}
			t.Errorf("want line %d, field %q, %q; got\n%v", tt.line, tt.field, tt.says, err)
		})
	}
}

func loadTest(calendar, policy string) (*Book, error) {
	return Load([]File{{Name: "calendar.yaml", Data: []byte(calendar)}, {Name: "policy.yaml", Data: []byte(policy)}},
		Config{
			Default: Use{Profiles: []string{"test"}, Calendar: "test"},
			Known: Known{Categories: []string{
				"pju", "sampah", "banjir", "kebakaran", "odgj", "kdrt", "air", "kriminal", "lainnya",
			}, OPDs: []string{"dishub"}},
		})
}

func TestMistakesAcrossFiles(t *testing.T) {
	good := []File{{Name: "c.yaml", Data: []byte(goodCalendar)}, {Name: "p.yaml", Data: []byte(goodPolicy)}}
	early := File{Name: "p.yaml", Data: []byte(strings.Replace(goodPolicy, "valid_from: 2023", "valid_from: 2022", 1))}
	for _, tt := range []struct {
		name  string
		files []File
		use   Use
		want  string
	}{
		{"unknown policy", good, Use{Profiles: []string{"none"}, Calendar: "test"},
			`uses policy "none", which no file holds; use one of test`},
		{"unknown calendar", good, Use{Profiles: []string{"test"}, Calendar: "none"},
			`uses calendar "none", which no file holds; use one of test`},
		{"no calendar", good, Use{Profiles: []string{"test"}},
			"p.yaml:9: kind: the default centre uses this policy but has no calendar, which kind days needs"},
		{"policy before calendar", []File{good[0], early}, Use{Profiles: []string{"test"}, Calendar: "test"},
			"the policy begins on 2022-01-01, before calendar test, which begins on 2023-01-01"},
		{"calendar twice", append(good, File{Name: "d.yaml", Data: good[0].Data}),
			Use{Profiles: []string{"test"}, Calendar: "test"},
			"d.yaml:1: calendar: calendar test is in c.yaml already; keep one file"},
		{"policy twice", append(good, File{Name: "q.yaml", Data: good[1].Data}),
			Use{Profiles: []string{"test"}, Calendar: "test"},
			"q.yaml:1: policy: p.yaml holds policy test with the same valid_from or version"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(tt.files, Config{Default: tt.use})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestGoodFilesLoad(t *testing.T) {
	if _, err := loadTest(goodCalendar, goodPolicy); err != nil {
		t.Fatal(err)
	}
}

// FuzzLoad feeds anything as a configuration file: it must be refused or read, never panic or hang.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(goodCalendar))
	f.Add([]byte(goodPolicy))
	f.Add([]byte("calendar: a\n? b\n: c\n"))
	f.Add([]byte("policy: a\nclocks: [{clock: resolve, kind: days, target: 5d, priority: [darurat"))
	f.Add([]byte("a: &a [*a, *a]\n"))
	f.Add([]byte("policy: !!binary aGk=\n<<: {a: b}\n"))
	f.Add([]byte("- - - - -\n"))
	f.Add([]byte{0xff, 0xfe, 0})
	for _, s := range shippedFiles(f) {
		f.Add(s.Data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := Load([]File{{Name: "f.yaml", Data: data}}, Config{})
		if (b == nil) == (err == nil) {
			t.Fatal("neither or both of book and error")
		}
		var problems yamlfile.Problems
		if err != nil && (!errors.As(err, &problems) || len(problems) == 0) {
			t.Fatalf("not a list of problems: %v", err)
		}
		for _, p := range problems {
			if p.File != "f.yaml" || p.Found == "" || p.Line < 0 {
				t.Fatalf("incomplete problem %+v", p)
			}
		}
	})
}

// A file that is shipped speaks of the OPDs of one regency; another regency that uses it is bound by the rest of it.
func TestABuiltinPolicyBindsOnlyWhatIsKnown(t *testing.T) {
	const policy = `policy: test
version: "1"
valid_from: 2023-01-01
clocks:
  - {clock: acknowledge, kind: elapsed, target: 1h}
  - {clock: acknowledge, opd: [bpbd, damkar], kind: elapsed, target: 2h}
  - {clock: acknowledge, opd: [bpbd, dishub], priority: mendesak, kind: elapsed, target: 3h}
  - {clock: arrive, category: lava, kind: elapsed, target: 4h}
`
	cfg := Config{
		Default: Use{Profiles: []string{"test"}},
		Known:   Known{Categories: []string{"pju"}, OPDs: []string{"dishub"}, Centers: []string{"35.29"}},
	}
	if _, err := Load([]File{{Name: "p.yaml", Data: []byte(policy)}}, cfg); err == nil {
		t.Error("an own policy that names OPDs which are not there is accepted")
	}
	b, err := Load([]File{{Name: "p.yaml", Data: []byte(policy), Builtin: true}}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	q, err := ParseQuery("opd=dishub,priority=mendesak", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, m := range b.Match(q) {
		got[m.Clock] = m.Target
	}
	if got["acknowledge"] != "3h" || got["arrive"] != "" {
		t.Errorf("targets %v", got)
	}
}
