package docx

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/monev112/monev112/collector/monev/document"
)

// maxUnzipped bounds what the text of a file that somebody sent may unpack to.
const maxUnzipped = 128 << 20

var known = regexp.MustCompile(`^k_([a-z2-7]{24})_\d+$`)

// Read reads the numbers of a finished document: what stands in the bookmarks, as people see it. Where is the heading
// above.
func Read(file []byte) ([]document.Reading, error) {
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, fmt.Errorf("DOCX: %w", err)
	}
	f, err := z.Open("word/document.xml")
	if err != nil {
		return nil, fmt.Errorf("DOCX: %w", err)
	}
	defer f.Close()
	bounded := &io.LimitedReader{R: f, N: maxUnzipped}
	d := xml.NewDecoder(bounded)
	type open struct {
		key  string
		text strings.Builder
	}
	var (
		out       []document.Reading
		bookmarks = map[string]*open{} // by their number
		where     string
		heading   *strings.Builder // of the paragraph that is read
		inText    bool
	)
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && bounded.N > 0 {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("DOCX: %w", err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "bookmarkStart":
				if m := known.FindStringSubmatch(strings.ToLower(attribute(e, "name"))); m != nil {
					bookmarks[attribute(e, "id")] = &open{key: m[1]}
				}
			case "bookmarkEnd":
				if b := bookmarks[attribute(e, "id")]; b != nil {
					out = append(out, document.Parse(b.key, b.text.String(), where))
					delete(bookmarks, attribute(e, "id"))
				}
			case "pStyle":
				if strings.HasPrefix(attribute(e, "val"), "Heading") {
					heading = &strings.Builder{}
				}
			case "t":
				inText = true
			}
		case xml.EndElement:
			switch e.Name.Local {
			case "t":
				inText = false
			case "p":
				if heading != nil {
					where, heading = heading.String(), nil
				}
			}
		case xml.CharData:
			if !inText {
				continue
			}
			for _, b := range bookmarks {
				b.text.Write(e)
			}
			if heading != nil {
				heading.Write(e)
			}
		}
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
