package html

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/net/html"

	"github.com/monev112/monev112/collector/monev/document"
)

// Read reads the numbers of a finished file: what stands in an element with a data-key, as people see it. Where is the
// heading, table or figure that it belongs to.
func Read(file []byte) ([]document.Reading, error) {
	root, err := html.Parse(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("HTML: %w", err)
	}
	var out []document.Reading
	where := ""
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		for _, a := range n.Attr {
			switch a.Key {
			case "id":
				where = "#" + a.Val
			case "data-key":
				out = append(out, document.Parse(document.ID(a.Val), textOf(n), where))
			}
		}
	}
	return out, nil
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}
