// Package docx writes a report as a Word document that people go on writing in, and reads the numbers of such a file
// back, also after an office program has saved it.
//
// Headings are styles with native numbers, the table of contents is filled in with links (a field that asks to be
// updated raises a dialog), tables repeat their heads. Each number with a key stands in a bookmark
// "k_<Key.ID>_<place in the document>".
package docx

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"image/png"
	"io"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/monev/document"
)

const (
	textWidth  = 9638       // twentieths of a point between the margins
	maxFigure  = 22 * 36e4  // English Metric Units: as high as a page takes with a heading and a caption
	emuPerUnit = 635        // EMU in a twentieth of a point
	pngScale   = 200.0 / 96 // 200 dpi
	dense      = 9          // from how many columns a table is set smaller
	together   = 12         // up to how many rows a table stays on one page
)

// Write writes a document.
func Write(out io.Writer, d *document.Document) error {
	n, err := d.Number()
	if err != nil {
		return err
	}
	x := &writer{n: n, anchors: map[string]string{}}
	for _, b := range d.Blocks {
		if h, ok := b.(document.Heading); ok {
			x.anchors[h.ID] = fmt.Sprintf("_Toc%06d", len(x.anchors)+1) // as Word's own of contents
		}
	}
	x.s(head + `<w:document ` + ns + `><w:body>`)
	x.front(d)
	contents := d.Contents
	for _, b := range d.Blocks {
		if _, ok := b.(document.Heading); ok && contents {
			contents = false
			x.contents(d.Blocks)
		}
		x.block(b)
	}
	x.s(sectionEnd + `</w:body></w:document>`)

	rels := head + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`
	for i, p := range [][2]string{
		{"styles", "styles"}, {"numbering", "numbering"}, {"settings", "settings"}, {"header", "header1"},
		{"footer", "footer1"},
	} {
		rels += fmt.Sprintf(`<Relationship Id="rId%d" Type="%s%s" Target="%s.xml"/>`, i+1, office, p[0], p[1])
	}
	rels += x.rels.String() + `</Relationships>`
	z := zip.NewWriter(out)
	for _, p := range append([]part{
		{"[Content_Types].xml", []byte(contentTypes())}, {"_rels/.rels", []byte(rootRels)},
		{"word/document.xml", []byte(x.b.String())}, {"word/_rels/document.xml.rels", []byte(rels)},
		{"word/styles.xml", []byte(styles)}, {"word/numbering.xml", []byte(numbering(x.lists))},
		{"word/settings.xml", []byte(settings)}, {"word/header1.xml", []byte(header(d))},
		{"word/footer1.xml", []byte(footer(d))}, {"docProps/core.xml", []byte(core(d))},
	}, x.media...) {
		method := zip.Deflate
		if strings.HasSuffix(p.name, ".png") {
			method = zip.Store // is compressed
		}
		f, err := z.CreateHeader(&zip.FileHeader{
			Name: p.name, Method: method, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC),
		})
		if err != nil {
			return err
		}
		if _, err := f.Write(p.body); err != nil {
			return err
		}
	}
	return z.Close()
}

type part struct {
	name string
	body []byte
}

type writer struct {
	n         document.Numbering
	b, rels   strings.Builder
	media     []part
	anchors   map[string]string // bookmarks of headings, by ID
	bookmarks int               // so far, of any kind
	lists     int               // ordered
}

func (x *writer) s(s string) { x.b.WriteString(s) }

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder never fails
	return b.String()
}

func run(s, properties string) string {
	if s == "" {
		return ""
	}
	if properties != "" {
		properties = "<w:rPr>" + properties + "</w:rPr>"
	}
	return `<w:r>` + properties + `<w:t xml:space="preserve">` + escape(s) + `</w:t></w:r>`
}

func paragraph(style, properties, inner string) string {
	return `<w:p><w:pPr><w:pStyle w:val="` + style + `"/>` + properties + `</w:pPr>` + inner + `</w:p>`
}

// field is a computed text with what it last came to.
func field(code, last string) string {
	mark := func(kind string) string { return `<w:r><w:fldChar w:fldCharType="` + kind + `"/></w:r>` }
	return mark("begin") + `<w:r><w:instrText xml:space="preserve"> ` + escape(code) + ` </w:instrText></w:r>` +
		mark("separate") + run(last, "") + mark("end")
}

// bookmarked is a bookmark around runs.
func (x *writer) bookmarked(name, inner string) string {
	x.bookmarks++
	return fmt.Sprintf(`<w:bookmarkStart w:id="%d" w:name="%s"/>%s<w:bookmarkEnd w:id="%d"/>`, x.bookmarks, name, inner,
		x.bookmarks)
}

var tones = [...]string{
	document.Plain: "", document.Good: "1C5E2C", document.Bad: "8A1F1F", document.Attention: "6B4700",
}

func (x *writer) cell(c document.Cell, bold bool) string {
	properties := ""
	if c.Strong || c.Tone != document.Plain || bold {
		properties = "<w:b/>"
	}
	if t := tones[c.Tone]; t != "" {
		properties += `<w:color w:val="` + t + `"/>`
	}
	r := run(c.String(), properties)
	if c.Key != (document.Key{}) {
		return x.bookmarked(fmt.Sprintf("k_%s_%d", c.Key.ID(), x.bookmarks), r)
	}
	return r
}

func (x *writer) line(l document.Line) string {
	s := ""
	for _, c := range l {
		s += x.cell(c, false)
	}
	return s
}

// front is what stands before the first block.
func (x *writer) front(d *document.Document) {
	x.letterhead(d.Letterhead)
	if d.Mark != "" {
		x.s(paragraph("TandaSementara", "", run(document.Clean(d.Mark), "")))
	}
	x.s(paragraph("Title", "", run(document.Clean(d.Title), "")))
	sub := strings.Trim(document.Clean(d.Subtitle)+", "+document.Clean(d.Period), ", ")
	x.s(paragraph("Subtitle", "", run(sub, "")))
	for _, f := range d.Facts {
		x.s(paragraph("Catatan",
			`<w:tabs><w:tab w:val="left" w:pos="2268"/></w:tabs><w:spacing w:after="40"/><w:ind w:left="2268" w:hanging="2268"/>`,
			run(document.Clean(f.Label), "")+`<w:r><w:tab/></w:r>`+x.line(f.Value)))
	}
}

func (x *writer) letterhead(l document.Letterhead) {
	if len(l.Lines) == 0 && len(l.Logo) == 0 {
		return
	}
	lines := ""
	for i, s := range l.Lines {
		properties := ""
		if i == 0 {
			properties = `<w:b/><w:sz w:val="28"/>`
		}
		lines += paragraph("Kop", "", run(document.Clean(s), properties))
	}
	if lines == "" {
		lines = paragraph("Kop", "", "")
	}
	if config, err := png.DecodeConfig(bytes.NewReader(l.Logo)); err == nil {
		const high = 22 * 36e3
		logo := x.picture(l.Logo, int(high*float64(config.Width)/float64(config.Height)), high, "logo")
		x.s(bare([]int{1400, textWidth - 1400}, []string{paragraph("Kop", "", logo), lines}))
	} else {
		x.s(lines)
	}
	x.s(paragraph(
		"Kop", `<w:pBdr><w:bottom w:val="double" w:sz="6" w:space="1" w:color="1A1A1A"/></w:pBdr><w:spacing w:after="240"/>`,
		""))
}

// bare is a table of one row without borders.
func bare(widths []int, cells []string) string {
	var b strings.Builder
	b.WriteString(`<w:tbl><w:tblPr><w:tblW w:w="` + fmt.Sprint(textWidth) +
		`" w:type="dxa"/><w:tblLayout w:type="fixed"/></w:tblPr><w:tblGrid>`)
	for _, w := range widths {
		fmt.Fprintf(&b, `<w:gridCol w:w="%d"/>`, w)
	}
	b.WriteString(`</w:tblGrid><w:tr><w:trPr><w:cantSplit/></w:trPr>`)
	for i, c := range cells {
		fmt.Fprintf(&b, `<w:tc><w:tcPr><w:tcW w:w="%d" w:type="dxa"/><w:vAlign w:val="center"/></w:tcPr>%s</w:tc>`, widths[i],
			c)
	}
	b.WriteString(`</w:tr></w:tbl>`)
	return b.String()
}

// contents is a real field, filled in: nothing asks to be updated when the document is opened.
func (x *writer) contents(blocks []document.Block) {
	var hs []document.Heading
	for _, b := range blocks {
		if h, ok := b.(document.Heading); ok && h.Level <= 2 {
			hs = append(hs, h)
		}
	}
	if len(hs) == 0 {
		return
	}
	x.s(paragraph("TOCHeading", "", run("Daftar Isi", "")))
	for i, h := range hs {
		in := ""
		if i == 0 {
			in = `<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText xml:space="preserve"> TOC \o "1-2" \h \z \u ` +
				`</w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>`
		}
		text := strings.TrimSpace(x.n.Label(h.ID) + " " + document.Clean(h.Text))
		in += `<w:hyperlink w:anchor="` + x.anchors[h.ID] + `" w:history="1">` + run(text, "") + `</w:hyperlink>`
		if i == len(hs)-1 {
			in += `<w:r><w:fldChar w:fldCharType="end"/></w:r>`
		}
		x.s(paragraph(fmt.Sprintf("TOC%d", h.Level), "", in))
	}
}

var paragraphStyles = [...]string{
	document.Normal: "Normal", document.Note: "Catatan", document.Lead: "Utama", document.Warning: "Peringatan",
}

func (x *writer) block(b document.Block) {
	switch b := b.(type) {
	case document.Heading:
		properties := ""
		if b.Plain {
			properties = `<w:numPr><w:ilvl w:val="0"/><w:numId w:val="0"/></w:numPr>`
		}
		x.s(paragraph(fmt.Sprintf("Heading%d", b.Level), properties,
			x.bookmarked(x.anchors[b.ID], run(document.Clean(b.Text), ""))))
	case document.Paragraph:
		x.s(paragraph(paragraphStyles[b.Style], "", x.line(b.Line)))
	case document.List:
		style, properties := "ListBullet", ""
		if b.Ordered {
			style, properties = "ListNumber",
				fmt.Sprintf(`<w:numPr><w:ilvl w:val="0"/><w:numId w:val="%d"/></w:numPr>`, x.lists+firstList)
			x.lists++
		}
		for _, l := range b.Items {
			x.s(paragraph(style, properties, x.line(l)))
		}
	case document.Table:
		if !b.SheetOnly {
			x.table(b)
		}
	case document.Figure:
		x.figure(b)
	case document.PageBreak:
		x.s(`<w:p><w:r><w:br w:type="page"/></w:r></w:p>`)
	case document.Signatures:
		x.signatures(b)
	}
}

// caption counts by a field, so that it stays right when people add tables of their own.
func (x *writer) caption(id, text, properties string) {
	label := x.n.Label(id)
	kind, number, _ := strings.Cut(label, " ")
	x.s(paragraph("Caption", properties,
		run(kind+" ", "")+field(`SEQ `+kind+` \* ARABIC`, number)+run(". "+document.Clean(text), "")))
}

func (x *writer) table(t document.Table) {
	x.caption(t.ID, t.Caption, "<w:keepNext/>")
	style, margins := "IsiTabel", ""
	if len(t.Columns) >= dense {
		style = "IsiRapat"
		margins = `<w:tblCellMar><w:left w:w="50" w:type="dxa"/><w:right w:w="50" w:type="dxa"/></w:tblCellMar>`
	}
	fmt.Fprintf(
		&x.b, `<w:tbl><w:tblPr><w:tblStyle w:val="TabelLaporan"/><w:tblW w:w="%d" w:type="dxa"/><w:tblLayout w:type="fixed"/>%s`+
			`<w:tblLook w:val="0420" w:firstRow="1" w:lastRow="0" w:firstColumn="0" w:lastColumn="0" w:noHBand="0" w:noVBand="1"/>`+
			`<w:tblCaption w:val="%s"/></w:tblPr><w:tblGrid>`, textWidth, margins, escape(document.Clean(t.Caption)))
	widths := make([]int, len(t.Columns))
	for i, w := range t.Widths() {
		widths[i] = int(w * textWidth)
		fmt.Fprintf(&x.b, `<w:gridCol w:w="%d"/>`, widths[i])
	}
	x.s(`</w:tblGrid>`)
	right := t.RightAligned()
	cell := func(column, span int, properties, inner string, bold bool) {
		wide, merge := widths[column], ""
		if span > 1 {
			wide, merge = textWidth, fmt.Sprintf(`<w:gridSpan w:val="%d"/>`, span)
		}
		if bold {
			merge += `<w:shd w:val="clear" w:color="auto" w:fill="EEF3F9"/>`
		}
		fmt.Fprintf(&x.b, `<w:tc><w:tcPr><w:tcW w:w="%d" w:type="dxa"/>%s</w:tcPr>%s</w:tc>`, wide, merge,
			paragraph(style, properties, inner))
	}
	align := func(column int) string {
		if right[column] {
			return `<w:jc w:val="right"/>`
		}
		return ""
	}
	x.s(`<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>`)
	for i, c := range t.Columns {
		cell(i, 1, "<w:keepNext/>"+align(i), run(document.Clean(c.Head), ""), false)
	}
	x.s(`</w:tr>`)
	for k, r := range t.Rows {
		keep := ""
		if (len(t.Rows) <= together || r.Group) && k < len(t.Rows)-1 {
			keep = "<w:keepNext/>"
		}
		x.s(`<w:tr><w:trPr><w:cantSplit/></w:trPr>`)
		for i, c := range r.Cells {
			if r.Group {
				cell(0, len(t.Columns), keep, x.cell(c, true), true)
			} else {
				cell(i, 1, keep+align(i), x.cell(c, r.Total), r.Total)
			}
		}
		x.s(`</w:tr>`)
	}
	if len(t.Rows) == 0 {
		x.s(`<w:tr>`)
		cell(0, len(t.Columns), "", run(document.NoRows, ""), false)
		x.s(`</w:tr>`)
	}
	x.s(`</w:tbl>` + paragraph("Catatan", `<w:spacing w:before="40"/>`, x.line(t.Note)))
}

func (x *writer) figure(f document.Figure) {
	w, h := f.Picture.Size()
	wide := float64(textWidth * emuPerUnit)
	high := wide * h / w
	if high > maxFigure {
		wide, high = wide*maxFigure/high, maxFigure
	}
	picture := x.picture(f.Picture.PNG(pngScale), int(wide), int(high), f.Picture.Alt())
	x.s(paragraph("Gambar", "<w:keepNext/>", picture))
	x.caption(f.ID, f.Caption, "")
}

// picture is an inline drawing, in EMU.
func (x *writer) picture(file []byte, wide, high int, alt string) string {
	const (
		drawing = "http://schemas.openxmlformats.org/drawingml/2006/"
		maxAlt  = 1000
	)
	n := len(x.media) + 1
	name := fmt.Sprintf("media/gambar%d.png", n)
	x.media = append(x.media, part{"word/" + name, file})
	fmt.Fprintf(&x.rels, `<Relationship Id="rIdG%d" Type="%simage" Target="%s"/>`, n, office, name)
	if r := []rune(alt); len(r) > maxAlt {
		alt = string(r[:maxAlt]) + "…"
	}
	alt = escape(document.Clean(alt))
	return fmt.Sprintf(
		`<w:r><w:drawing><wp:inline xmlns:wp="%[1]swordprocessingDrawing" distT="0" distB="0" distL="0" distR="0">`+
			`<wp:extent cx="%[2]d" cy="%[3]d"/><wp:docPr id="%[4]d" name="Gambar %[4]d" descr="%[5]s"/><wp:cNvGraphicFramePr>`+
			`<a:graphicFrameLocks xmlns:a="%[1]smain" noChangeAspect="1"/></wp:cNvGraphicFramePr><a:graphic xmlns:a="%[1]smain">`+
			`<a:graphicData uri="%[1]spicture"><pic:pic xmlns:pic="%[1]spicture"><pic:nvPicPr><pic:cNvPr id="%[4]d" name="gambar%[4]d.png"/>`+
			`<pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip r:embed="rIdG%[4]d"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill>`+
			`<pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="%[2]d" cy="%[3]d"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom>`+
			`</pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r>`, drawing, wide, high, n, alt)
}

func (x *writer) signatures(b document.Signatures) {
	x.s(paragraph("Normal", "<w:keepNext/>", run(document.Clean(b.Place), "")))
	if len(b.People) == 0 {
		return
	}
	widths, cells := make([]int, len(b.People)), make([]string, len(b.People))
	for i, p := range b.People {
		p = p.Printed()
		say := func(s, properties string) string { return paragraph("TandaTangan", "", run(s, properties)) }
		widths[i] = textWidth / len(b.People)
		cells[i] = say(p.Role, "") + say(p.Office, "") + strings.Repeat(say("", ""), 4) +
			say(p.Name, `<w:b/><w:u w:val="single"/>`) +
			say(p.Rank, "") + say(p.Number, "")
	}
	x.s(bare(widths, cells) + paragraph("Normal", "", ""))
}
