package docx

import (
	_ "embed"
	"fmt"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/monev/document"
)

//go:embed styles.xml
var styles string

const (
	head = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	ns   = `xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" ` +
		`xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"`
	office   = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
	wordType = "application/vnd.openxmlformats-officedocument.wordprocessingml."

	settings = head + `<w:settings ` + ns + `><w:zoom w:percent="100"/><w:defaultTabStop w:val="720"/>` +
		`<w:characterSpacingControl w:val="doNotCompress"/><w:compat><w:compatSetting w:name="compatibilityMode" ` +
		`w:uri="http://schemas.microsoft.com/office/word" w:val="15"/></w:compat><w:themeFontLang w:val="id-ID"/>` +
		`<w:decimalSymbol w:val=","/><w:listSeparator w:val=";"/></w:settings>`

	rootRels = head + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="` + office + `officeDocument" Target="word/document.xml"/>` +
		`<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" ` +
		`Target="docProps/core.xml"/></Relationships>`

	// The page: A4, 20 mm at the sides, header and footer on every page.
	sectionEnd = `<w:sectPr><w:headerReference w:type="default" r:id="rId4"/><w:footerReference w:type="default" r:id="rId5"/>` +
		`<w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1418" w:right="1134" w:bottom="1134" w:left="1134" w:header="567" ` +
		`w:footer="567" w:gutter="0"/></w:sectPr>`
)

func contentTypes() string {
	var b strings.Builder
	b.WriteString(head + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
		`<Default Extension="xml" ContentType="application/xml"/><Default Extension="png" ContentType="image/png"/>`)
	for _, p := range [][2]string{
		{"document", "document.main"}, {"styles", "styles"}, {"numbering", "numbering"}, {"settings", "settings"},
		{"header1", "header"}, {"footer1", "footer"},
	} {
		fmt.Fprintf(&b, `<Override PartName="/word/%s.xml" ContentType="%s%s+xml"/>`, p[0], wordType, p[1])
	}
	b.WriteString(`<Override PartName="/docProps/core.xml" ` +
		`ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>`)
	return b.String()
}

// numbering has bullets (1), the numbers of headings (2) and of each ordered list (3 and on).
func numbering(lists int) string {
	var b strings.Builder
	level := func(n int, format, text, more string) {
		fmt.Fprintf(&b, `<w:lvl w:ilvl="%d"><w:start w:val="1"/><w:numFmt w:val="%s"/>%s<w:lvlText w:val="%s"/>`+
			`<w:lvlJc w:val="left"/>`, n, format, more, text)
	}
	const indent = `<w:pPr><w:ind w:left="425" w:hanging="283"/></w:pPr></w:lvl>`
	b.WriteString(head + `<w:numbering ` + ns + `>`)
	b.WriteString(`<w:abstractNum w:abstractNumId="0"><w:multiLevelType w:val="hybridMultilevel"/>`)
	level(0, "bullet", "•", "")
	b.WriteString(indent + `</w:abstractNum><w:abstractNum w:abstractNumId="1"><w:multiLevelType w:val="multilevel"/>`)
	for n, text := range []string{"%1", "%1.%2", "%1.%2.%3"} {
		level(n, "decimal", text, fmt.Sprintf(`<w:pStyle w:val="Heading%d"/><w:suff w:val="space"/>`, n+1))
		b.WriteString(`<w:pPr><w:ind w:left="0" w:firstLine="0"/></w:pPr></w:lvl>`)
	}
	b.WriteString(`</w:abstractNum><w:abstractNum w:abstractNumId="2"><w:multiLevelType w:val="hybridMultilevel"/>`)
	level(0, "decimal", "%1.", "")
	b.WriteString(indent + `</w:abstractNum>`)
	for n, abstract := range []int{0, 1} {
		fmt.Fprintf(&b, `<w:num w:numId="%d"><w:abstractNumId w:val="%d"/></w:num>`, n+1, abstract)
	}
	for n := range lists {
		fmt.Fprintf(&b, `<w:num w:numId="%d"><w:abstractNumId w:val="2"/><w:lvlOverride w:ilvl="0">`+
			`<w:startOverride w:val="1"/></w:lvlOverride></w:num>`, n+firstList)
	}
	b.WriteString(`</w:numbering>`)
	return b.String()
}

// firstList is the number of the first ordered list.
const firstList = 3

func header(d *document.Document) string {
	const tab = `<w:r><w:tab/></w:r>`
	mark := ""
	if d.Mark != "" {
		mark = run(document.Clean(d.Mark), `<w:b/><w:color w:val="8A1F1F"/><w:sz w:val="22"/>`)
	}
	return head + `<w:hdr ` + ns + `>` +
		paragraph("Header", "", run(short(d.Author), "")+tab+mark+tab+run(short(d.Period), "")) + `</w:hdr>`
}

func footer(d *document.Document) string {
	return head + `<w:ftr ` + ns + `>` +
		paragraph("Footer", "", run(short(d.Title), "")+`<w:r><w:tab/></w:r><w:r><w:tab/></w:r>`+
			run("Halaman ", "")+field("PAGE", "1")+run(" dari ", "")+field("NUMPAGES", "1")) + `</w:ftr>`
}

// short is what fits into a third of a header.
func short(s string) string {
	r := []rune(document.Clean(s))
	if len(r) > 60 {
		r = append(r[:59], '…')
	}
	return string(r)
}

func core(d *document.Document) string {
	created := ""
	if !d.Made.IsZero() {
		at := d.Made.UTC().Format(time.RFC3339)
		created = `<dcterms:created xsi:type="dcterms:W3CDTF">` + at + `</dcterms:created>` +
			`<dcterms:modified xsi:type="dcterms:W3CDTF">` + at + `</dcterms:modified>`
	}
	return head + `<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" ` +
		`xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" ` +
		`xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:title>` + escape(document.Clean(d.Title)) +
		`</dc:title><dc:creator>` + escape(document.Clean(d.Author)) + `</dc:creator>` + created +
		`<dc:language>id-ID</dc:language></cp:coreProperties>`
}
