package whatsapp

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of the platform for a template and what fills it.
const (
	Language     = "id"
	maxBodyRunes = 1024 // the text with its parameters
)

var templateName = regexp.MustCompile(`^[a-z0-9_]{1,512}$`)

// Message is an approved template, filled in.
type Message struct {
	Template string   `json:"template"`
	Params   []string `json:"params"`          // of the text, {{1}} first
	Button   string   `json:"button,omitzero"` // end of the address behind the button; empty: the template has none
}

// Template is a text that Meta approves before it may be sent.
type Template struct {
	Name    string
	Body    string   // with {{1}}, {{2}} ...
	Example []string // of each parameter
	Button  string   // its label; empty: none. It leads to a page of the service
}

// The templates.
const (
	TicketsLate      = "monev112_tiket_terlambat"
	TicketsEmergency = "monev112_tiket_darurat"
	TicketsAtRisk    = "monev112_tiket_mendekati"
	TicketsEscalated = "monev112_tiket_eskalasi"
	TicketsClosed    = "monev112_tiket_selesai"
	MorningDigest    = "monev112_ringkasan_pagi"
	ReportReady      = "monev112_laporan"
	TestMessage      = "monev112_uji"
)

// Templates are all that the service sends. A parameter stands neither first nor last in a text, which is a rule of the
// platform.
func Templates() []Template {
	const list = "Buka daftar tiket"
	return []Template{
		{TicketsLate, "Call Center 112: {{1}} memiliki {{2}} tiket yang melewati batas waktu. Yang tertua, tiket {{3}}, " +
			"sudah terlambat {{4}}. Mohon ditindaklanjuti dan dicatat melalui tombol di bawah ini.",
			[]string{"Dinas Perhubungan", "3", "SDA-2026-00112 (PJU, Kec. Waru)", "2 jam 10 menit"}, list},
		{TicketsEmergency, "DARURAT dari Call Center 112: {{1}} memiliki {{2}} kejadian darurat dengan status {{3}}. Yang " +
			"tertua, tiket {{4}}, {{5}}. Mohon segera ditangani.",
			[]string{"Dinas Pemadam Kebakaran", "1", "terlambat", "SDA-2026-00113 (kebakaran, Kec. Taman)",
				"terlambat 4 menit"}, list},
		{TicketsAtRisk, "Call Center 112: {{1}} memiliki {{2}} tiket yang mendekati batas waktu. Yang paling dekat, tiket " +
			"{{3}}, tersisa {{4}}. Mohon diselesaikan sebelum batas waktunya.",
			[]string{"Dinas Perhubungan", "2", "SDA-2026-00114 (PJU, Kec. Waru)", "40 menit"}, list},
		{TicketsEscalated, "Eskalasi Call Center 112: {{1}} memiliki {{2}} tiket yang jauh melewati batas waktu. Yang " +
			"tertua, tiket {{3}}, sudah terlambat {{4}}. Mohon arahan kepada perangkat daerah terkait.",
			[]string{"Dinas Perhubungan", "2", "SDA-2026-00110 (PJU, Kec. Waru)", "3 hari 2 jam"}, ""},
		{TicketsClosed, "Call Center 112: {{2}} tiket {{1}} yang sebelumnya diperingatkan telah ditutup, di antaranya " +
			"tiket {{3}}. Terima kasih atas tindak lanjutnya.",
			[]string{"Dinas Perhubungan", "2", "SDA-2026-00110 (PJU, Kec. Waru)"}, ""},
		{MorningDigest, "Ringkasan pagi Call Center 112 untuk {{1}}. Tiket terbuka: {{2}}. Terlambat: {{3}}. Mendekati " +
			"batas waktu: {{4}}. Dieskalasi: {{5}}. Ditutup sejak kemarin: {{6}}. Daftar lengkap ada pada tombol di bawah ini.",
			[]string{"Dinas Perhubungan", "12", "3", "2", "1", "7"}, list},
		{ReportReady, "Laporan kinerja Call Center 112 untuk {{1}} sudah tersedia dan dapat dibuka melalui tombol di bawah " +
			"ini.",
			[]string{"Oktober 2026"}, "Buka laporan"},
		{TestMessage, "Pesan uji dari Call Center 112 untuk {{1}}, dikirim pukul {{2}}. Tidak ada yang perlu dilakukan.",
			[]string{"Kepala Dinas Perhubungan", "09.15 WIB"}, ""},
	}
}

// Placeholders returns how many parameters a text has.
func (t Template) Placeholders() int {
	n := 0
	for strings.Contains(t.Body, "{{"+strconv.Itoa(n+1)+"}}") {
		n++
	}
	return n
}

// Submission returns the template as POST /<business account>/message_templates takes it. pages is the address below
// which the pages of the service lie, ending in a slash.
func (t Template) Submission(pages string) map[string]any {
	parts := []map[string]any{{
		"type": "BODY", "text": t.Body, "example": map[string]any{"body_text": [][]string{t.Example}},
	}}
	if t.Button != "" {
		parts = append(parts, map[string]any{"type": "BUTTONS", "buttons": []map[string]any{{
			"type": "URL", "text": t.Button, "url": pages + "{{1}}", "example": []string{pages + "AWxQ-contoh"},
		}}})
	}
	return map[string]any{
		"name": t.Name, "language": Language, "category": "UTILITY", "components": parts,
	}
}

// Fill makes the message of a template: parameters are cut so that the text stays within the platform's limit. A
// template with a button can be sent only with the end of its address, button.
func (t Template) Fill(button string, params ...string) (Message, error) {
	if n := t.Placeholders(); n != len(params) {
		return Message{}, fmt.Errorf("template %s takes %d parameters, not %d", t.Name, n, len(params))
	}
	room := (maxBodyRunes - utf8.RuneCountInString(t.Body)) / max(1, len(params))
	m := Message{Template: t.Name, Button: button}
	for _, p := range params {
		m.Params = append(m.Params, Parameter(p, room))
	}
	return m, nil
}

// Parameter makes a text that may stand in a template: one line, no tab, no run of blanks, at most most runes, never
// empty.
func Parameter(s string, most int) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
	}), " ")
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most-1]) + "…"
	}
	if s == "" {
		return "-"
	}
	return s
}

// request is the message as the API takes it.
func (m Message) request(number string) map[string]any {
	type object = map[string]any
	texts := make([]object, 0, len(m.Params))
	for _, p := range m.Params {
		texts = append(texts, object{"type": "text", "text": p})
	}
	components := []object{}
	if len(texts) > 0 {
		components = append(components, object{"type": "body", "parameters": texts})
	}
	if m.Button != "" {
		components = append(components, object{"type": "button", "sub_type": "url", "index": "0",
			"parameters": []object{{"type": "text", "text": m.Button}}})
	}
	return object{
		"messaging_product": "whatsapp", "recipient_type": "individual", "to": number, "type": "template",
		"template": object{"name": m.Template, "language": object{"code": Language}, "components": components},
	}
}

// Text returns what the person reads, for the ways that take free text.
func (m Message) Text() string {
	for _, t := range Templates() {
		if t.Name == m.Template {
			text := t.Body
			for i, p := range m.Params {
				text = strings.ReplaceAll(text, "{{"+strconv.Itoa(i+1)+"}}", p)
			}
			return text
		}
	}
	return ""
}

// Named returns the template of that name.
func Named(name string) (Template, bool) {
	for _, t := range Templates() {
		if t.Name == name {
			return t, true
		}
	}
	return Template{}, false
}
