package event

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

// kept returns the texts of an event that are neither ids nor codes that its sender's key depends on.
func kept(e *Event) map[Field]string {
	out := map[Field]string{
		FieldAgent: e.Agent, FieldQueue: e.Queue, FieldPosition: e.Position, FieldChannel: e.Channel, FieldClass: e.Class,
		FieldCategory: e.Category, FieldPriority: e.Priority, FieldOPD: e.OPD, FieldKecamatan: e.Kecamatan,
		FieldReason: e.Reason, FieldResult: e.Result,
	}
	for k, v := range e.Attributes {
		out[Field(k)] = v
	}
	return out
}

func digitsOf(s string) (n int) {
	for _, r := range norm.NFKC.String(s) {
		if unicode.IsNumber(r) {
			n++
		}
	}
	return n
}

// numbersOf returns telephone numbers of every kind that Indonesia has, in groups of digits.
func numbersOf() (out [][]string) {
	for _, mobile := range []string{
		"811", "812", "813", "814", "815", "816", "817", "818", "819", "821", "822", "823", "828", "831", "832", "833", "838",
		"851", "852", "853", "855", "856", "857", "858", "859", "877", "878", "879", "881", "882", "889", "895", "896", "899",
	} {
		for _, lead := range []string{"0", "+62", "62", "0062", "008 62", ""} {
			out = append(out, []string{lead + mobile, "9753", "1864"})
		}
	}
	for _, area := range []string{"21", "22", "24", "31", "343", "341", "321", "274", "361", "967"} {
		for _, lead := range []string{"0", "+62", "(0", "+62 (0", "62"} {
			closing := ""
			if strings.Contains(lead, "(") {
				closing = ")"
			}
			out = append(out, []string{lead + area + closing, "421", "2345"})
		}
	}
	return out
}

// separators stand between the groups of a number.
var separators = []string{
	"", " ", "-", ".", "_", ",", "*", "/", "|", ":", ";", "#", "~", " - ", "\u00a0", "\u200b", "\u200d", "\u2060",
	"\ufeff", "\u00ad", "–", "—", "−", "·", "•", "\u200b ", "\t", "\u2003", "\u3000", "x", " ext ",
}

// writtenIn gives a number's digits in other scripts and forms.
func writtenIn(s string) []string {
	in := func(zero rune) string {
		return strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return zero + r - '0'
			}
			return r
		}, s)
	}
	mixed := []rune(s)
	for i, r := range mixed {
		if i%2 == 0 && r >= '0' && r <= '9' {
			mixed[i] = '\uff10' + r - '0'
		}
	}
	return []string{s, in('\uff10'), in('٠'), in('۰'), in('०'), in('𝟎'), string(mixed)}
}

// TestNoFieldKeepsATelephoneNumber writes numbers in all these ways into every field that is no id: the event is kept,
// the field is not, and says so.
func TestNoFieldKeepsATelephoneNumber(t *testing.T) {
	d := testDecoder(t, func(c *Config) { c.Attributes = []string{"shift", "unit"} })
	var b Batch
	n := 0
	for i, groups := range numbersOf() {
		for j, sep := range separators {
			texts := writtenIn(strings.Join(groups, sep))
			if i > 3 { // the scripts of some are enough
				texts = texts[:1]
			}
			for _, text := range append(texts, "hp "+texts[0], texts[0]+" Bu Siti", "q-"+texts[0]) {
				e := fullRawEvent()
				for f, to := range map[Field]*string{
					FieldAgent: &e.Agent, FieldQueue: &e.Queue, FieldPosition: &e.Position, FieldChannel: &e.Channel,
					FieldClass: &e.Class, FieldCategory: &e.Category, FieldPriority: &e.Priority, FieldOPD: &e.OPD,
					FieldKecamatan: &e.Kecamatan, FieldReason: &e.Reason, FieldResult: &e.Result,
				} {
					if (i+j)%3 == 0 || f == FieldQueue || f == FieldCategory || f == FieldAgent {
						*to = text
					}
				}
				e.Attributes = map[string]string{"shift": text, "unit": "Damkar-3"}
				if err := d.Decode(&b, e.AppendCloudEvent(nil), Structured, testNow); err != nil || len(b.Events) != 1 {
					t.Fatalf("%q: %v %v", text, err, b.Refusals)
				}
				got := &b.Events[0]
				for f, s := range kept(got) {
					// a directory that knows no such code of a place does not keep it: TestNormalizeKeepsNoNumber
					if digitsOf(s) > MaxTextDigits && LooksLikeName(f, s) || s == text && !LooksLikeName(f, s) &&
						f != FieldKecamatan &&
						f != FieldOPD && f != FieldCategory {
						t.Fatalf("%s keeps %q of %q", f, s, text)
					}
				}
				if !slices.Contains(got.Blanked, "queue") || !slices.Contains(got.Blanked, "shift") ||
					slices.Contains(got.Blanked, "unit") || got.Attributes["unit"] == "" {
					t.Fatalf("%q: blanked %v, attributes %v", text, got.Blanked, got.Attributes)
				}
				n++
			}
		}
	}
	t.Logf("%d writings", n)
}

// TestCodesThatAreKept are fields of real centres: none is a number.
func TestCodesThatAreKept(t *testing.T) {
	for f, values := range map[Field][]string{
		FieldQueue: {"112", "112-darurat", "antrean_112", "Q.1", "overflow/112", "Antrean 1", "Antrean 112", "Prioritas 2"},
		FieldAgent: {"7009", "SIP/7009", "SIP/7009-0000001a", "PJSIP/201-000f4240", "Local/7009", "Agent/1001", "budi.s@112",
			"a-1",
			"PJSIP/op12-0000001a", "PJSIP/jasnita-0000001a", "AGT-2026001", "OPR.112-0007", "rw", "RT01",
			"0b5c7c1e-8d1f-4a52-9c3e-6a1f2b3c4d5e"},
		FieldPosition: {"CT-03", "meja-3", "SIP/7009-0000001a", "Kursi.12", "blok-3", "meja 3", "Meja 12"},
		FieldChannel:  {"phone", "wa_2"},
		FieldReason:   {"menunggu_pelapor", "abandon_30", "no_answer", "timeout_120"},
		FieldClass:    {"normal"},
		FieldResult:   {"benar"},
		"shift": {"pagi", "1", "2026-11-23", "23/11/2026", "07:00-14:00", "2026-11-23T07:00:00+07:00",
			"2026-11-23 14:30", "23/11/2026 14:30", "SDA-2026-00123", "SDA/2026/11/00123"},
	} {
		for _, v := range values {
			e, bad := decodeOne(t, testDecoder(t), data(fmt.Sprintf("%q:%q", f, v)))
			if bad != nil || e.Blanked != nil || kept(&e)[f] != v {
				t.Errorf("%s %q: %v, blanked %v", f, v, bad, e.Blanked)
			}
		}
	}
}

// TestWhatIsNoCodeIsBlanked keeps the event and says which fields it could not keep.
func TestWhatIsNoCodeIsBlanked(t *testing.T) {
	for f, values := range map[Field][]string{
		FieldAgent: {"Budi Santoso", strings.Repeat("x", 65), "0318912345", "SIP/0812-97531864", "SIP/8120-00012345",
			"masked:phone",
			"198012312005011001", "2026001", "HP-2026001", "AGT-4212345", "jl_raya_12", "SIP/op8120-00012345"},
		FieldQueue: {"Budi Santoso", "(0343) 421234", strings.Repeat("q", 41), "Jl. Raya 12", "jl_raya_12", "rt02/rw03",
			"rt 02",
			"rumah 12", "Pak Budi 1", "gg 3", "hp 421", "Antrean 1121"},
		FieldPosition:  {"(031) 891-2345", "meja 3 pagi", "0812_9753_1864"},
		FieldChannel:   {"Telepon 112", "0812*9753*1864"},
		FieldReason:    {"menunggu pelapor", "Hujan", "gg_3"},
		FieldClass:     {"Laporan iseng oleh anak", "0812,9753,1864", "0812.9753.1864"},
		FieldPriority:  {"sangat darurat!"},
		FieldResult:    {"sudah ditangani Bu Siti"},
		FieldCategory:  {strings.Repeat("x", 129), "hubungi 0812.3456.7890 ya", "a\u0000b", "masked:phone"},
		FieldKecamatan: {"081234567890"},
		FieldOPD:       {"0812 9753 1864"},
		"shift": {strings.Repeat("x", 257), "081234567890", "pelapor 421234-5", "a\nb", "HP-2026-00123", "SDA-0812-97531864",
			"23/11/2026 14:30 081"},
	} {
		for _, v := range values {
			e, bad := decodeOne(t, testDecoder(t), data(`"`+string(f)+`":`+quoted(v)))
			if bad != nil || !slices.Equal(e.Blanked, []string{string(f)}) || kept(&e)[f] != "" {
				t.Errorf("%s %q: %v, blanked %v, kept %q", f, v, bad, e.Blanked, kept(&e)[f])
			}
		}
	}
	e, bad := decodeOne(t, testDecoder(t), strings.Replace(data(`"opd":"081234567890"`), "opened", "assigned", 1))
	if bad != nil || e.OPD != UnknownName {
		t.Errorf("an assignment to a number: %v, %q", bad, e.OPD)
	}
	for typ, field := range map[Type]string{CallClassified: "class", TicketConfirmed: "result", AgentState: "result"} {
		raw := strings.NewReplacer("ticket.opened", typ.String(), "ticket/T1", typ.Kind().String()+"/T1").Replace(
			data(`"` + field + `":"0812 9753 1864"`))
		if e, bad := decodeOne(t, testDecoder(t), raw); bad != nil || len(e.Blanked) != 1 {
			t.Errorf("%s with a number: %v", typ, bad)
		}
	}
}

func quoted(s string) string { return `"` + string(appendQuotedBody(nil, s)) + `"` }

// A stricter rule makes no conflict of what was accepted before: the digest is of what was sent.
func TestTheDigestIsOfWhatWasSent(t *testing.T) {
	d := testDecoder(t)
	a, _ := decodeOne(t, d, data(`"queue":"Antrean pagi 112"`))
	b, _ := decodeOne(t, d, data(`"queue":"Antrean pagi 113"`))
	if a.Digest == b.Digest || a.Queue != "" || b.Queue != "" {
		t.Errorf("%v %v", a, b)
	}
}

func TestNames(t *testing.T) {
	for f, names := range map[Field][]string{
		FieldCategory: {
			"UFO", "kekerasan", "Pohon Tumbang", "Jalan Rusak", "Jalan berlubang", "Kecelakaan Jalan Raya", "Lampu jalan mati",
			"Gangguan Keamanan & Ketertiban", "Orang tenggelam (laut)", "pengaduan_umum", "ODGJ", "Panggilan 112", "Tahap 2",
			"Jalan Sempit", "Jalan Kotor", "Marka Jalan Hilang", "Covid-19", "Pelapor iseng", "Gangguan Perumahan",
			"Jalan Raya Rusak", "Rambu Jalan Roboh", "Pelapor tidak jelas", "Perumahan kumuh",
		},
		FieldOPD: {
			"Dinas Sihir", "PSC 119", "Dinas Perumahan, Permukiman, Cipta Karya dan Tata Ruang", "Perum Jasa Tirta I", "PT. KAI",
			"Dinas Pemberdayaan Perempuan, Perlindungan Anak dan Keluarga Berencana", "unknown", "BPJN (Balai Jalan Nasional)",
			"Koramil 0816/01 Sidoarjo", "Pos Damkar 01", "UPT PJU Wilayah 03", "UPTD SDN No. 1", "PDAM “Delta Tirta”",
			"BPBD; Damkar", "UPTD Puskesmas Waru", "SMPN 12 Sidoarjo", "Kodim 0816",
		},
		FieldKecamatan: {"Sda", "Kec. Rungkut", "35.78.03", "Cuauhtémoc"},
	} {
		for _, s := range names {
			if !LooksLikeName(f, s) {
				t.Errorf("%s %q is no name", f, s)
			}
		}
	}
	for f, texts := range map[Field][]string{
		FieldCategory: {
			"", "Kebakaran Jl. Raya 12", "Kebakaran Jl.Raya12", "kebakaran_jl_raya_12", "Kebakaran RT02 RW 3", "Rumah no. 5",
			"Jalan Mawar 12", "Jalan Raya Waru", "Jalan Mawar no. 5", "Jalan Kenanga RT 2", "Mawar-19",
			"Pelapor Siti", "Perumahan Graha blok C", "Jalan Gajah Mada gang 3", "Jln. Melati", "Kebakaran Gg. Melati",
			"Bpk Slamet kebakaran", "Sdr. Andi", "rumah 12",
			"kebakaran rumah warga di belakang pasar dekat masjid besar", strings.Repeat("x", 61), "Perumahan Pondok Jati",
			"kebakaran ☎", "Blok C", "a=b", "hp. 4212", "421234", "35.15.08",
		},
		FieldOPD: {"Dinas 12", "Jl. Gajah Mada", "PSC 1199", "3578260", "Pos 421234", "Koramil 4212/34", "Rumah No. 5",
			"Pos Damkar Jl. Raya 12", "Pos 01 hp 4212"},
		FieldKecamatan: {"Jalan Raya", "RT 2", "3578260", "35.78.03.2001", "0812.97.53", "satu dua tiga empat lima"},
	} {
		for _, s := range texts {
			if LooksLikeName(f, s) {
				t.Errorf("%s %q is taken for a name", f, s)
			}
		}
	}
}

// Whatever runes a text is made of, what is kept of it has no number, however its digits are written or hidden.
func TestKeptTextsHoldNoNumberWhateverTheRunes(t *testing.T) {
	d := testDecoder(t)
	runes := []rune("0123456789 -._,*/|()+:;'abjlRT\u00a0\u200b٣４𝟓㏠㍘²½①é漢")
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.OneOf(rapid.SampledFrom(runes), rapid.Rune())).Draw(t, "s")
		members := map[string]string{}
		for _, f := range []Field{FieldAgent, FieldQueue, FieldPosition, FieldChannel, FieldCategory, FieldOPD,
			FieldKecamatan,
			FieldReason, "shift", "note.code"} {
			members[string(f)] = quoted(s)
		}
		var b Batch
		if err := d.Decode(&b, []byte(edit(`{"opd":"dishub"}`, object(members))), Structured, testNow); err != nil {
			t.Fatal(err)
		}
		if len(b.Events) == 0 { // no UTF-8
			return
		}
		for f, s := range maps.All(kept(&b.Events[0])) {
			name := f == FieldCategory || f == FieldOPD || f == FieldKecamatan
			if digitsOf(s) > MaxTextDigits && !isChannel(s) && !isDate(s) && !isStaffCode(s) && !isTicketNumber(s) &&
				!isUUIDText(s) &&
				(!name || LooksLikeName(f, s)) {
				t.Fatalf("%s keeps %q", f, s)
			}
		}
	})
}

func isUUIDText(s string) bool { return len(s) == 36 && isUUID(s, 0) }

// TestTheSubjectOfAnAgentFollowsTheRuleOfTheAgent, so that states and calls of one agent meet.
func TestTheSubjectOfAnAgentFollowsTheRuleOfTheAgent(t *testing.T) {
	for code, ok := range map[string]bool{
		"PJSIP/op12-0000001a": true, "AGT-2026001": true, "rw": true, "RT01": true, "7009": true,
		"198012312005011001": false, "jl_raya_12": false, "HP-2026001": false, "0318912345": false,
	} {
		raw := strings.NewReplacer("ticket.opened", "agent.state", "ticket/T1",
			"agent/"+code).Replace(data(`"result":"idle"`))
		_, bad := decodeOne(t, testDecoder(t), raw)
		if refused := bad != nil && bad.Field == FieldSubject; refused == ok {
			t.Errorf("subject %s: %v", code, bad)
		}
		e, bad := decodeOne(t, testDecoder(t), data(`"agent":`+quoted(code)))
		if bad != nil || (e.Agent == code) != ok {
			t.Errorf("agent %s: %v, %q", code, bad, e.Agent)
		}
	}
}
