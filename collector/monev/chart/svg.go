package chart

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"github.com/monev112/monev112/collector/monev/document"
)

// SVG writes an svg element with presentation attributes only: a strict Content-Security-Policy blocks style
// attributes. The ids in it begin with id.
func (p *Picture) SVG(id string) string {
	var b strings.Builder
	w, h := short(p.width), short(p.height)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" width="%s" height="%s" role="img" `+
		`aria-labelledby="%s-t %s-d" font-family="Arial, 'Liberation Sans', Helvetica, sans-serif">`+
		`<title id="%s-t">%s</title><desc id="%s-d">%s</desc><path d="M0 0H%sV%sH0Z" fill="#ffffff"/>`,
		w, h, w, h, id, id, id, escape(p.title), id, escape(document.Clean(p.desc)), w, h)
	for _, it := range p.items {
		if it.text != "" {
			it.writeText(&b)
		} else {
			it.writePath(&b)
		}
	}
	b.WriteString("</svg>")
	return b.String()
}

func (it *item) writeText(b *strings.Builder) {
	fmt.Fprintf(b, `<text x="%s" y="%s" font-size="%s" fill="%s"`,
		short(it.at.x), short(it.at.y), short(it.font.size), hex(it.font.colour))
	if it.font.bold {
		b.WriteString(` font-weight="700"`)
	}
	if it.font.anchor != start {
		fmt.Fprintf(b, ` text-anchor="%s"`, [...]string{"start", "middle", "end"}[it.font.anchor])
	}
	if it.font.turn != 0 {
		fmt.Fprintf(b, ` transform="rotate(%s %s %s)"`, short(it.font.turn), short(it.at.x), short(it.at.y))
	}
	fmt.Fprintf(b, ">%s</text>", escape(it.text))
}

func (it *item) writePath(b *strings.Builder) {
	b.WriteString(`<path d="`)
	for _, ring := range it.rings {
		for i, q := range ring {
			if i == 0 {
				b.WriteByte('M')
			} else {
				b.WriteByte('L')
			}
			b.WriteString(short(q.x) + " " + short(q.y))
		}
		if it.closed {
			b.WriteByte('Z')
		}
	}
	fmt.Fprintf(b, `" fill="%s"`, hex(it.fill))
	if len(it.rings) > 1 && it.fill != none {
		b.WriteString(` fill-rule="evenodd"`)
	}
	if it.width > 0 {
		fmt.Fprintf(b, ` stroke="%s" stroke-width="%s" stroke-linejoin="round"`, hex(it.stroke), short(it.width))
		var dash []string
		for _, d := range it.dash {
			dash = append(dash, short(d))
		}
		if dash != nil {
			fmt.Fprintf(b, ` stroke-dasharray="%s"`, strings.Join(dash, " "))
		}
	}
	if it.tip != "" {
		fmt.Fprintf(b, `><title>%s</title></path>`, escape(it.tip))
	} else {
		b.WriteString("/>")
	}
}

// short writes a coordinate with at most two decimals.
func short(v float64) string {
	s := strings.TrimRight(strings.TrimRight(strconv.FormatFloat(v, 'f', 2, 64), "0"), ".")
	if s == "-0" {
		return "0"
	}
	return s
}

func hex(c colour) string {
	if c == none {
		return "none"
	}
	return fmt.Sprintf("#%06x", uint32(c))
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder never fails
	return b.String()
}
