package docx

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/monev112/monev112/collector/monev/document"
	"github.com/monev112/monev112/collector/monev/document/documenttest"
)

var out = flag.String("out", "", "write the documents into this folder, to be looked at")

func written(t testing.TB, d *document.Document, name string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, d); err != nil {
		t.Fatal(err)
	}
	if *out != "" {
		if err := os.WriteFile(filepath.Join(*out, name+".docx"), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// parts are the files within a document.
func parts(t testing.TB, file []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all[f.Name] = string(b)
	}
	return all
}

// replaced is the document with its text changed.
func replaced(t testing.TB, file []byte, was, is string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, part := range parts(t, file) {
		if name == "word/document.xml" {
			changed := strings.Replace(part, was, is, 1)
			if changed == part {
				t.Fatalf("no %q in the document", was)
			}
			part = changed
		}
		f, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
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

func TestNumbersAreReadBackAfterAnOfficeSavedThem(t *testing.T) {
	d := documenttest.Monthly(12)
	found, err := Read(documenttest.Office(t, written(t, d, "office"), "docx", "docx:Office Open XML Text"))
	documenttest.Check(t, d, false, found, err)
}

func TestAChangedNumberIsFound(t *testing.T) {
	d := documenttest.Monthly(3)
	file := written(t, d, "changed")
	for was, is := range map[string]string{
		">80,7\u00a0%<": ">80,8\u00a0%<", ">4.295<": ">4.259<", "2 jam 10 menit": "2 jam 11 menit", "tidak tercatat": "0",
		">14,2\u00a0detik<": "><",
	} {
		found, err := Read(replaced(t, file, was, is))
		if _, differences := document.Compare(d.Numbers(false), found); err != nil || len(differences) != 1 {
			t.Errorf("%q: %v, %v", is, differences, err)
		}
	}
}

func TestADeletedBookmarkIsMissing(t *testing.T) {
	d := documenttest.Monthly(3)
	file := written(t, d, "deleted")
	mark := regexp.MustCompile(`<w:bookmarkStart w:id="\d+" w:name="k_[^>]*>`).FindString(parts(t,
		file)["word/document.xml"])
	found, err := Read(replaced(t, file, mark, ""))
	if _, differences := document.Compare(d.Numbers(false), found); err != nil || len(differences) != 1 ||
		differences[0].File != "" {
		t.Errorf("%v, %v", differences, err)
	}
}

func TestTheSameBytesAgain(t *testing.T) {
	if !bytes.Equal(written(t, documenttest.Monthly(12), "a"), written(t, documenttest.Monthly(12), "b")) {
		t.Error("two files of one document")
	}
}

// TestNothingHostileIsAlive: well-formed parts, no field or link but our own, every text as it was.
func TestNothingHostileIsAlive(t *testing.T) {
	all := parts(t, written(t, documenttest.Nasty(), "nasty"))
	for name, part := range all {
		if strings.HasSuffix(name, ".png") {
			continue
		}
		if strings.Contains(part, `TargetMode="External"`) {
			t.Errorf("%s leaves the file", name)
		}
		d := xml.NewDecoder(strings.NewReader(part))
		var err error
		for err == nil {
			_, err = d.Token()
		}
		if !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", name, err)
		}
	}
	text := all["word/document.xml"]
	for _, code := range regexp.MustCompile(`<w:instrText[^>]*> (.*?) </w:instrText>`).FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(code[1], "SEQ ") && !strings.HasPrefix(code[1], "TOC ") {
			t.Errorf("field %q", code[1])
		}
	}
	for _, s := range documenttest.Hostile {
		if !strings.Contains(text, ">"+escape(document.Clean(s))+"<") {
			t.Errorf("%q cannot be read", s)
		}
	}
	if strings.Contains(all["word/settings.xml"], "updateFields") {
		t.Error("a dialog when the document is opened")
	}
}

func TestHostileDocumentsOpenInAnOffice(t *testing.T) {
	if pdf := documenttest.Office(t, written(t, documenttest.Nasty(), "nasty"), "docx", "pdf"); !bytes.HasPrefix(pdf,
		[]byte("%PDF")) {
		t.Error("no PDF")
	}
}

func TestPeopleCanGoOnWriting(t *testing.T) {
	d := documenttest.Monthly(3)
	d.Made = d.Made.UTC()
	all := parts(t, written(t, d, "styles"))
	text := all["word/document.xml"]
	for _, want := range []string{
		`<w:pStyle w:val="Heading1"/>`, `<w:pStyle w:val="Heading2"/>`, ` TOC \o "1-2" \h \z \u `, `<w:tblHeader/>`,
		`SEQ Tabel \* ARABIC`,
		`<w:hyperlink w:anchor="_Toc000001"`, `<w:pStyle w:val="TandaSementara"/>`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	if !strings.Contains(all["word/header1.xml"], "SEMENTARA") || !strings.Contains(all["word/footer1.xml"], "NUMPAGES") {
		t.Error("header or footer")
	}
	names := map[string]bool{}
	for _, m := range regexp.MustCompile(`<w:bookmarkStart w:id="\d+" w:name="([^"]*)"`).FindAllStringSubmatch(text, -1) {
		if names[m[1]] || len(m[1]) > 40 || !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`).MatchString(m[1]) {
			t.Errorf("bookmark %q", m[1])
		}
		names[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`w:anchor="([^"]*)"`).FindAllStringSubmatch(text, -1) {
		if !names[m[1]] {
			t.Errorf("a link to %q, which is nowhere", m[1])
		}
	}
}

func TestWhatIsNoDocumentIsRefused(t *testing.T) {
	var empty bytes.Buffer
	if err := zip.NewWriter(&empty).Close(); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"", "PK", "<html>", empty.String()} {
		if _, err := Read([]byte(file)); err == nil || !strings.Contains(err.Error(), "DOCX: ") {
			t.Errorf("%q: %v", file, err)
		}
	}
}
