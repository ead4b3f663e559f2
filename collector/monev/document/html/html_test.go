package html

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	xhtml "golang.org/x/net/html"

	"github.com/monev112/monev112/collector/monev/document"
	"github.com/monev112/monev112/collector/monev/document/documenttest"
)

var out = flag.String("out", "", "write the documents into this folder, to be looked at")

func written(t *testing.T, d *document.Document, name string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, d); err != nil {
		t.Fatal(err)
	}
	if *out != "" {
		if err := os.WriteFile(filepath.Join(*out, name+".html"), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func TestNumbersAreReadBack(t *testing.T) {
	for name, d := range map[string]*document.Document{
		"monthly": documenttest.Monthly(12), "sixty": documenttest.Monthly(60), "nasty": documenttest.Nasty(),
	} {
		found, err := Read(written(t, d, name))
		documenttest.Check(t, d, false, found, err)
	}
}

func TestAChangedNumberIsFound(t *testing.T) {
	d := documenttest.Monthly(3)
	file := string(written(t, d, "changed"))
	for was, is := range map[string]string{
		">80,7\u00a0%</strong>": ">80,8\u00a0%</strong>", ">4.295</span>": ">4.296</span>",
		"2 jam 10 menit": "2 jam 11 menit",
	} {
		changed := strings.Replace(file, was, is, 1)
		if changed == file {
			if changed = strings.Replace(file, strings.TrimSuffix(was, "</strong>"), strings.TrimSuffix(is, "</strong>"),
				1); changed == file {
				t.Fatalf("no %q in the file", was)
			}
		}
		found, err := Read([]byte(changed))
		if _, differences := document.Compare(d.Numbers(false), found); err != nil || len(differences) != 1 {
			t.Errorf("%q: %v, %v", is, differences, err)
		}
	}
}

func TestTheSamePageAgain(t *testing.T) {
	if !bytes.Equal(written(t, documenttest.Monthly(5), "a"), written(t, documenttest.Monthly(5), "b")) {
		t.Error("two files of one document")
	}
}

// TestNothingHostileIsAlive: no element or attribute that runs, loads or styles, and every text readable.
func TestNothingHostileIsAlive(t *testing.T) {
	d := documenttest.Nasty()
	file := written(t, d, "nasty")
	root, err := xhtml.Parse(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	styles := 0
	for n := range root.Descendants() {
		if n.Type != xhtml.ElementNode {
			continue
		}
		switch n.Data {
		case "script", "iframe", "object", "embed", "link", "form", "base":
			t.Errorf("element %s", n.Data)
		case "style":
			styles++
		}
		for _, a := range n.Attr {
			url := a.Key == "href" && !strings.HasPrefix(a.Val, "#") || a.Key == "src" &&
				!strings.HasPrefix(a.Val, "data:image/png;base64,")
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") || url {
				t.Errorf("%s %s=%q", n.Data, a.Key, a.Val)
			}
		}
	}
	if styles != 1 {
		t.Errorf("%d style elements", styles)
	}
	text := textOf(root)
	for _, s := range documenttest.Hostile {
		if !strings.Contains(text, document.Clean(s)) {
			t.Errorf("%q cannot be read", s)
		}
	}
	if bytes.ContainsAny(file, "\x00\x1b\u202e") {
		t.Error("control characters")
	}
}

// TestThePolicyAllowsTheStyle: the hash is that of what stands in the file.
func TestThePolicyAllowsTheStyle(t *testing.T) {
	d := documenttest.Nasty()
	file := string(written(t, d, "nasty"))
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(file)
	if len(style) != 2 || style[1] != styleOf(d) {
		t.Fatal("the style is not what the policy was made for")
	}
	if !strings.Contains(file, "style-src &#39;sha256-") && !strings.Contains(file, "style-src 'sha256-") {
		t.Error("no policy in the file")
	}
}

func TestTheMarkStandsOnEveryPage(t *testing.T) {
	d := documenttest.Monthly(1)
	if file := string(written(t, d, "mark")); !strings.Contains(file, `@top-center{content:"SEMENTARA"`) ||
		!strings.Contains(file, `<p class="mark">SEMENTARA</p>`) {
		t.Error("no mark")
	}
	d.Mark = ""
	if file := string(written(t, d, "unmarked")); strings.Contains(file, "SEMENTARA") ||
		strings.Contains(file, "@top-center") {
		t.Error("a mark")
	}
}
