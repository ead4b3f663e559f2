package yamlfile

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type person struct {
	Contact
	Name   string            `yaml:"name"`
	Age    int               `yaml:"age"`
	Share  float64           `yaml:"share"`
	Live   *bool             `yaml:"live"`
	Wait   time.Duration     `yaml:"wait"`
	Alias  Texts             `yaml:"alias"`
	Words  map[string]string `yaml:"words"`
	Day    day               `yaml:"day"`
	Cap    limit             `yaml:"cap"`
	Family []person          `yaml:"family"`
}

type Contact struct {
	Phone string `yaml:"phone"`
}

// limit is one for all, or one for each kind.
type limit struct {
	All  time.Duration `yaml:",short"`
	Calm time.Duration `yaml:"calm"`
}

type day time.Time

func (d *day) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return Wrong(fmt.Sprintf("%q is not a date", text), "write it as 2026-12-31")
	}
	*d = day(t)
	return nil
}

func TestReadDecodesEveryForm(t *testing.T) {
	const text = `# a comment
name: 35.10
phone: 031-8921234
age: 40
share: 1
live: false
wait: 1h30m
alias: a
words: {yes: 1, on: 2}
day: 2026-12-31
cap: 3m
family:
  - name: |
      two
      lines
    alias: [a, b]
    cap: {calm: 1s}
`
	var p person
	f, err := Read("f.yaml", []byte(text), 1<<10, &p)
	if err != nil {
		t.Fatal(err)
	}
	no := false
	want := person{
		Contact: Contact{"031-8921234"}, Name: "35.10", Age: 40, Share: 1, Live: &no, Wait: 90 * time.Minute,
		Alias: Texts{"a"},
		Words: map[string]string{"yes": "1", "on": "2"}, Day: day(time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)),
		Cap:    limit{All: 3 * time.Minute},
		Family: []person{{Name: "two\nlines\n", Alias: Texts{"a", "b"}, Cap: limit{Calm: time.Second}}},
	}
	if diff := cmp.Diff(want, p, cmp.Transformer("day", func(d day) string { return time.Time(d).String() })); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for field, line := range map[string]int{
		"": 2, "age": 4, "words.on": 9, "family": 13, "family[0].alias[1]": 16, "family[0].phone": 13, "family[3].name": 13,
		"no.such.field": 2,
	} {
		if got := f.Line(field); got != line {
			t.Errorf("%q stands on line %d, not %d", field, line, got)
		}
	}
}

func TestAnEmptyFileIsAnEmptyGroup(t *testing.T) {
	for _, text := range []string{"", "\n", "# only a comment\n", "---\n"} {
		p := person{Name: "default"}
		if _, err := Read("f.yaml", []byte(text), 100, &p); err != nil || p.Name != "default" {
			t.Errorf("%q: %+v, %v", text, p, err)
		}
	}
}

func TestEveryMistakeOfFormIsExplained(t *testing.T) {
	deep := strings.Repeat
	for _, tt := range []struct {
		text, field string
		line        int
		says        string
	}{
		{"age: 1\nnam: a", "nam", 2, "unknown key; use one of phone, name, age, share, "},
		{"age: 1\nnam: a", "nam", 2, " (perhaps name)"},
		{"family: [{fone: 1}]", "family[0].fone", 1, "unknown key; use one of phone, name"},
		{"age: 1\nage: 2", "age", 2, "the key appears twice; keep one"},
		{"words:\n  a: 1\n  a: 2", "words.a", 3, "the key appears twice"},
		{"name:\nage: 1", "name", 1, "there is no value; give it one, or remove it"},
		{"family:\n  -\n", "family[0]", 2, "there is no value"},
		{"age: many", "age", 1, `must be a whole number, not "many"`},
		{"age: 4.5", "age", 1, `must be a whole number, not "4.5"`},
		{"age: 99999999999999999999", "age", 1, "must be a whole number"},
		{"age: {a: 1}", "age", 1, "must be a whole number, not a group of keys"},
		{"share: half", "share", 1, `must be a number, not "half"`},
		{"live: perhaps", "live", 1, `must be true or false, not "perhaps"`},
		{"wait: often", "wait", 1, `must be a length of time, not "often"; write for example 30s`},
		{"wait: 15", "wait", 1, `must be a length of time, not "15"`},
		{"name: [a]", "name", 1, "must be a single value, not a list"},
		{"name: {a: b}", "name", 1, "must be a single value, not a group of keys; write one value; put"},
		{"alias: {a: b}", "alias", 1, "must be a list, not a group of keys"},
		{"alias: [[a]]", "alias[0]", 1, "must be a single value, not a list"},
		{"family: 3", "family", 1, `must be a list, not "3"`},
		{"family: [3]", "family[0]", 1, `must be a group of keys, not "3"`},
		{"words: x", "words", 1, `must be a group of keys, not "x"`},
		{"cap: [1s]", "cap", 1, "must be a group of keys, not a list"},
		{"cap: often", "cap", 1, `must be a length of time, not "often"`},
		{"day: today", "day", 1, `"today" is not a date; write it as 2026-12-31`},
		{"day: [2026-12-31]", "day", 1, "must be a"},
		{"- name: a", "", 1, "must be a group of keys, not a list"},
		{"name", "", 1, `must be a group of keys, not "name"`},
		{"name: &a b", "name", 1, "anchors (&), aliases (*)"},
		{"name: *a", "name", 1, "anchors (&), aliases (*)"},
		{"name: !!str 3", "name", 1, "tags (!) are not read; write the value out"},
		{"<<: {name: a}", "<<", 1, "unknown key"},
		{"name: a\n---\nname: b", "", 3, "a second document begins here"},
		{"age: 1\nname: [", "", 2, "not valid YAML: "},
		{"name: 'a", "", 1, "not valid YAML: "},
		{"family: " + deep("[", 40), "", 1, "nested deeper than 32; close every [ and {"},
		{deep("- ", 40) + "a", "", 1, "nested deeper than 32"},
		{"\n" + deep("? ", 40) + "a", "", 2, "nested deeper than 32"},
		{"age: 1\nname: " + deep("a", 2000), "", 2, "the line has 2006 bytes, more than 2000; break it"},
		{deep("#\n", 20000), "", 0, "the file has 40000 bytes, more than 30000; split it"},
		{"alias:\n" + deep("- a\n", 2001), "alias", 2, "2001 entries, more than 2000"},
		{"words:\n" + deep(" a: 1\n", 2001), "", 2002, "one group has more than 2000 keys; remove"},
		{"words:\n" + deep(" ? a\n", 2001), "", 2002, "one group has more than 2000 keys; remove"},
		{"name: |\n a" + deep(" \r\n", 150), "", 102, "more than 200 line breaks follow each other; remove"},
	} {
		t.Run(fmt.Sprintf("%.40q", tt.text), func(t *testing.T) {
			f, err := Read("f.yaml", []byte(tt.text), 30000, &person{})
			var problems Problems
			if !errors.As(err, &problems) || len(f.Problems) != 1 {
				t.Fatalf("not one problem: %v", err)
			}
			p := problems[0]
			if p.File != "f.yaml" || p.Line != tt.line || p.Field != tt.field || p.Remedy == "" ||
				!strings.Contains(p.Error(), tt.says) {
				t.Errorf("%v\nwant line %d, field %q: %s", p, tt.line, tt.field, tt.says)
			}
		})
	}
}

// The keys of one group are counted, not those of all groups whose keys stand in one column.
func TestManySmallGroupsAreRead(t *testing.T) {
	var p person
	text := "family:\n" + strings.Repeat("- name: a\n  words: {a: 1}\n  age: 1\n", 1500)
	if _, err := Read("f.yaml", []byte(text), 1<<20, &p); err != nil || len(p.Family) != 1500 {
		t.Errorf("%d read: %v", len(p.Family), err)
	}
	text = "family:\n" + strings.Repeat("  - words:\n      a: 1\n      b: 1\n", 1500) + "words:\n      a: 1\n"
	if _, err := Read("f.yaml", []byte(text), 1<<20, &p); err != nil || len(p.Family) != 1500 {
		t.Errorf("%d read: %v", len(p.Family), err)
	}
}

func TestMistakesAreReportedTogetherAndBounded(t *testing.T) {
	_, err := Read("f.yaml", []byte("live: 3\nage: x\nnam: a\nfamily: [{day: 1}]\n"), 100, &person{})
	const want = `f.yaml:1: live: must be true or false, not "3"; write one of the two, without quotes
f.yaml:2: age: must be a whole number, not "x"; write digits, without quotes and units
f.yaml:3: nam: unknown key; use one of phone, name, age, share, live, wait, alias, words, day, cap, family (perhaps name)
f.yaml:4: family[0].day: "1" is not a date; write it as 2026-12-31`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	f, err := Read("f.yaml", []byte("words: {"+strings.Repeat("a: [],\n", 100)+"}"), 10000, &person{})
	if n := len(f.Problems); err == nil || n != MaxProblems+1 || f.Problems[n-1].Found != "and more mistakes" {
		t.Errorf("%d problems: %v", n, err)
	}
}

func TestWhatAFileMeansIsCheckedByItsOwner(t *testing.T) {
	f, err := Read("f.yaml", []byte("name: a\nfamily:\n  - name: b\n"), 100, &person{})
	if err != nil {
		t.Fatal(err)
	}
	f.Wrong("family[0].age", "the age is missing", "write the years")
	if f.OneOf("name", "name", "a", "a", "b") == false || f.OneOf("family[0].name", "name", "paul", "peter", "paula") {
		t.Error("what is allowed is refused, or the other way round")
	}
	const want = `f.yaml:3: family[0].age: the age is missing; write the years
f.yaml:3: family[0].name: unknown name "paul"; use one of peter, paula (perhaps paula)`
	if err := f.Err(); err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestProblemsAreSortedAndSaidOnce(t *testing.T) {
	a, b, c := Problem{File: "a", Line: 2}, Problem{File: "a", Line: 9}, Problem{File: "b", Line: 1}
	if got := (Problems{c, b, a, b}).Err(); !cmp.Equal(got, error(Problems{a, b, c})) {
		t.Error(got)
	}
	if (Problems{}).Err() != nil {
		t.Error("no problem is an error")
	}
}

// FuzzRead feeds anything: it must be read or refused with complete problems, never panic or hang.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"name: a\nfamily: [{age: 1}]\n", "a: &a [*a, *a]\n", "? b\n: c\n", "name: !!binary aGk=\n<<: {a: b}\n", "- - - -\n",
		"family: [{", "\xff\xfe\x00", "cap: |\n  x\n", "age: 0x10\nshare: .inf\n", "{? a}", "words: {[a]: b}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Read("f.yaml", text, 4<<10, &person{})
		if (err == nil) != (len(file.Problems) == 0) {
			t.Fatal(err)
		}
		for _, p := range file.Problems {
			if p.File != "f.yaml" || p.Found == "" || p.Line < 0 || len(p.Error()) > 3000 {
				t.Fatalf("incomplete problem %+v", p)
			}
		}
	})
}
