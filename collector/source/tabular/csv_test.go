package tabular

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// readCSV returns every row as "line: cell|cell" and every refusal as "line! code".
func readCSV(t testing.TB, r Reader) []string {
	t.Helper()
	var out []string
	for {
		row, err := r.Next()
		var bad *RowError
		switch {
		case errors.Is(err, io.EOF):
			return out
		case errors.As(err, &bad):
			out = append(out, fmt.Sprintf("%d! %s", bad.Line, bad.Code))
		case err != nil:
			t.Fatal(err)
		default:
			out = append(out, fmt.Sprintf("%d: %s", row.Line, strings.Join(row.Cells, "|")))
		}
		if len(out) > 1<<20 {
			t.Fatal("the reader does not end")
		}
	}
}

func TestCSV(t *testing.T) {
	small := Limits{RowBytes: 64, CellBytes: 16, Columns: 4}
	for _, c := range []struct {
		name, in string
		sep      byte
		want     []string
	}{
		{"empty", "", ',', nil},
		{"plain", "a,b\nc,d\n", ',', []string{"1: a|b", "2: c|d"}},
		{"no line end at the end", "a,b\nc,d", ',', []string{"1: a|b", "2: c|d"}},
		{"windows line ends", "a;b\r\nc;d\r\n", ';', []string{"1: a|b", "2: c|d"}},
		{"tab", "a\tb\n", '\t', []string{"1: a|b"}},
		{"bar", "a|b,c\n", '|', []string{"1: a|b,c"}},
		{"empty cells", ",,\n", ',', []string{"1: ||"}},
		{"blank line keeps the count", "a\n\nb\n", ',', []string{"1: a", "2: ", "3: b"}},
		{"quoted separator", "\"a,b\",c\n", ',', []string{"1: a,b|c"}},
		{"quoted line end", "\"a\nb\",c\nd,e\n", ',', []string{"1: a\nb|c", "3: d|e"}},
		{"quoted windows line end", "\"a\r\nb\"\r\nc\r\n", ',', []string{"1: a\r\nb", "3: c"}},
		{"doubled quote", "\"a\"\"b\",\"\"\"\"\n", ',', []string{"1: a\"b|\""}},
		{"empty quoted", "\"\",x\n", ',', []string{"1: |x"}},
		{"quoted at the end of the file", "x,\"a\"", ',', []string{"1: x|a"}},
		{"quoted and \\r at the end of the file", "x,\"a\"\r", ',', []string{"1: x|a"}},
		{"quote inside a cell stays", "5\" pipe,x\n", ',', []string{"1: 5\" pipe|x"}},
		{"text behind a quote costs its own row", "a,\"b\"c\nd,e\n", ',', []string{"1! bad_quote", "2: d|e"}},
		{"unclosed quote costs its own row", "a,b\n\"c,d\ne,f\ng,h\n", ',',
			[]string{"1: a|b", "2! bad_quote", "3: e|f", "4: g|h"}},
		{"row too long", strings.Repeat("x", 70) + "\na,b\n", ',', []string{"1! too_large", "2: a|b"}},
		{"row too long at the end", strings.Repeat("x", 70), ',', []string{"1! too_large"}},
		{"cell too long", strings.Repeat("x", 17) + ",y\na\n", ',', []string{"1! too_large", "2: a"}},
		{"many lines in a bad row", "\"" + strings.Repeat("x", 9) + "\n" + strings.Repeat("y", 9) + "\",b\nc\n", ',',
			[]string{"1! too_large", "3: c"}},
		{"too many cells", ",,,,\na\n", ',', []string{"1! too_large", "2: a"}},
		{"not UTF-8", "a,\xff\nb\n", ',', []string{"1! bad_encoding", "2: b"}},
		{"NUL", "a\x00b\nc\n", ',', []string{"1! bad_encoding", "2: c"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			whole := readCSV(t, NewCSV("f", strings.NewReader(c.in), c.sep, small))
			if diff := cmp.Diff(c.want, whole); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			bytewise := readCSV(t, NewCSV("f", iotest.OneByteReader(strings.NewReader(c.in)), c.sep, small))
			if diff := cmp.Diff(whole, bytewise); diff != "" {
				t.Errorf("byte by byte differs (-whole +bytewise):\n%s", diff)
			}
		})
	}
}

func TestCSVReportsABrokenSource(t *testing.T) {
	broken := errors.New("disk gone")
	r := NewCSV("f", io.MultiReader(strings.NewReader("a,b\nc"), iotest.ErrReader(broken)), ',', Limits{})
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if row, err := r.Next(); !errors.Is(err, broken) {
		t.Errorf("got %v, %v; half a row must not pass for a whole one", row, err)
	}
}

// A long file goes through in the memory of a row.
func TestCSVMemoryIsBounded(t *testing.T) {
	line := []byte("0123456789,0123456789,\"0123\n456789\"\n")
	r := NewCSV("f", io.LimitReader(&repeat{text: line}, int64(len(line))*200_000), ',', Limits{RowBytes: 1 << 10})
	rows := 0
	for {
		_, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		rows++
	}
	if rows != 200_000 || len(r.buf) > 512<<10 {
		t.Errorf("%d rows in a buffer of %d bytes", rows, len(r.buf))
	}
}

type repeat struct {
	text []byte
	at   int
}

func (r *repeat) Read(p []byte) (int, error) {
	n := copy(p, r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	return n, nil
}

func FuzzCSV(f *testing.F) {
	for _, s := range []string{
		"a,b\nc,d\n", "\"a\nb\",\"\"\"\"\r\n,,\n", "a,\"b\"c\n\"", "\"x\r", "\ufeffa;b\n\n\n1;2", "\xff\x00,\n",
	} {
		f.Add([]byte(s), byte(','))
	}
	f.Add([]byte("##"), byte(','))
	f.Add([]byte("a;b\n\"c;\"\"d\";e"), byte(';'))
	f.Fuzz(func(t *testing.T, in []byte, sep byte) {
		if !bytes.ContainsRune([]byte(",;\t|"), rune(sep)) {
			sep = ','
		}
		limits := Limits{RowBytes: 200, CellBytes: 100, Columns: 20}
		whole := readCSV(t, NewCSV("f", bytes.NewReader(in), sep, limits))
		bytewise := readCSV(t, NewCSV("f", iotest.OneByteReader(bytes.NewReader(in)), sep, limits))
		if diff := cmp.Diff(whole, bytewise); diff != "" {
			t.Fatalf("the pieces in which a file is read matter:\n%s", diff)
		}
		// Where the standard library reads the file too, both read the same.
		if len(in) > 90 || !utf8.Valid(in) || bytes.ContainsAny(in, "\x00\r") {
			return
		}
		std := csv.NewReader(bytes.NewReader(in))
		std.Comma, std.FieldsPerRecord = rune(sep), -1
		rows, err := std.ReadAll()
		if err != nil {
			return
		}
		var want []string
		for _, r := range rows {
			for i := range r {
				r[i] = CleanCell(r[i])
			}
			want = append(want, strings.Join(r, "|"))
		}
		var got []string
		ours := NewCSV("f", bytes.NewReader(in), sep, Limits{})
		for {
			row, err := ours.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("the standard library reads this, we say %v", err)
			}
			got = append(got, strings.Join(row.Cells, "|"))
		}
		drop := func(rows []string) (out []string) { // the standard library skips empty lines
			for _, r := range rows {
				if r != "" {
					out = append(out, r)
				}
			}
			return out
		}
		if diff := cmp.Diff(drop(want), drop(got)); diff != "" {
			t.Fatalf("-standard library +ours:\n%s", diff)
		}
	})
}
