package xlsx

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
)

// pack writes the parts of a workbook in one order with one time, so that the same document gives the same bytes, and
// adds the hidden names.
func pack(w io.Writer, raw []byte, names []name) error {
	in, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return err
	}
	slices.SortFunc(in.File, func(a, b *zip.File) int { return strings.Compare(a.Name, b.Name) }) // [Content_Types] first
	out := zip.NewWriter(w)
	for _, f := range in.File {
		part, err := read(f)
		if err != nil {
			return err
		}
		switch f.Name {
		case "[Content_Types].xml":
			part = sortTypes(part)
		case "xl/workbook.xml":
			if part, err = addNames(part, names); err != nil {
				return err
			}
		}
		x, err := out.CreateHeader(&zip.FileHeader{
			Name: f.Name, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC),
		})
		if err != nil {
			return err
		}
		if _, err := x.Write(part); err != nil {
			return err
		}
	}
	return out.Close()
}

func read(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

var typeElement = regexp.MustCompile(`<(?:Default|Override) [^>]*>(?:</(?:Default|Override)>)?`)

// sortTypes puts the elements of the list of types, whose order varies, into one order.
func sortTypes(part []byte) []byte {
	found := typeElement.FindAll(part, -1)
	all := make([]string, len(found))
	for i, e := range found {
		all[i] = string(e)
	}
	slices.Sort(all)
	i := -1
	return typeElement.ReplaceAllFunc(part, func([]byte) []byte { i++; return []byte(all[i]) })
}

// addNames puts the hidden names into the list of defined names; one by one the library would compare each with all.
func addNames(part []byte, names []name) ([]byte, error) {
	const sheets, list = "</sheets>", "<definedNames>"
	var b strings.Builder
	for _, n := range names {
		fmt.Fprintf(&b, `<definedName name="%s" hidden="1">`, n.name)
		if err := xml.EscapeText(&b, []byte(n.refersTo)); err != nil {
			return nil, err
		}
		b.WriteString("</definedName>")
	}
	s := string(part)
	switch {
	case len(names) == 0:
		return part, nil
	case strings.Contains(s, list):
		return []byte(strings.Replace(s, list, list+b.String(), 1)), nil
	case strings.Contains(s, sheets):
		return []byte(strings.Replace(s, sheets, sheets+list+b.String()+"</definedNames>", 1)), nil
	}
	return nil, fmt.Errorf("the workbook has no list of sheets")
}
