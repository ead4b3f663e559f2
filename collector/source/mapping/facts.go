package mapping

import (
	"maps"
	"slices"
	"strings"

	"github.com/monev112/monev112/collector/source/tabular"
)

// facts are what the template asks for. Columns are the headers of the roles that were found, quoted.
type facts struct {
	Name, Source, Center, Timezone string
	Kind                           string
	Windows1252                    bool
	Several                        bool // a case stands on several rows
	Column                         map[string]string
	Used                           map[string]bool // roles that an event or a rule uses
	Formats                        map[string]string
	Night                          []string // words of the night shift, when its rows carry the date on which it began
	Shift                          bool     // the column tells the night shift from the others
	Times                          []string // roles of times after the first, in the order of a case's life
	OwnDate                        map[string]bool
	EndsAfter                      string          // the time that lies a duration behind the first
	DecimalComma                   map[string]bool // roles whose numbers have one
	WaitLasts                      bool            // the wait is written as a duration
	Classes, Priorities            map[string]string
	States                         map[string]string // of a log of states: its words, by the events that they stand for
	NewestFirst                    bool              // of a log of states: its rows stand in that order
	Later                          string            // the field to which classification and ticket are dated
}

// Calls and Tickets report what the events of a row are about.
func (f facts) Calls() bool { return f.Kind != kindTickets && f.Kind != kindStates }

func (f facts) Tickets() bool { return f.Kind != kindCalls || f.Column["opd"] != "" }

// Pick says which of several rows of a case counts for an event.
func (f facts) Pick(role string) string {
	switch {
	case !f.Several:
		return ""
	case role == "resolved" || role == "closed" || role == "ended" || role == "class":
		return ", pick: latest"
	}
	return ", pick: earliest"
}

// StateEvents are the events that the words of a log of states stand for, in the order of a ticket's life.
func (f facts) StateEvents() (out []string) {
	for _, typ := range []string{
		"assigned", "acknowledged", "rejected", "departed", "arrived", "paused", "resumed", "resolved", "closed", "reopened",
	} {
		if slices.Contains(slices.Collect(maps.Values(f.States)), typ) && (typ != "assigned" || f.Column["opd"] != "") {
			out = append(out, typ)
		}
	}
	return out
}

// TicketTimes are the times of a ticket that the file has, but for its assignment.
func (f facts) TicketTimes() (out []struct{ Role, Event string }) {
	for _, t := range ticketTimes[1:] {
		if f.Column[t.Role] != "" || f.EndsAfter == t.Role {
			out = append(out, t)
		}
	}
	return out
}

// facts finds everything out, and notes what a person should look at.
func (p *proposer) facts() facts {
	p.tellEndFromResolved()
	f := facts{
		Name: p.o.Name, Source: p.o.Source, Center: p.o.Center, Timezone: p.o.Timezone, Kind: p.kind(),
		Windows1252: p.s.enc == tabular.Windows1252, Column: map[string]string{}, Formats: map[string]string{},
		OwnDate: map[string]bool{}, Later: "received", Used: map[string]bool{"number": true},
	}
	f.Several = distinct(p.cells("number")) < 0.9
	switch {
	case f.Several && p.changesState():
		f.Kind, f.States = kindStates, p.states()
		p.note("satu nomor ada di beberapa baris dengan %s yang berbeda: satu baris adalah satu perubahan status, dan hanya "+
			"yang berbeda dari baris sebelumnya yang menjadi kejadian",
			"a number stands in several rows with another %s: a row of this file is a change of state; it gives the event "+
				"that its word stands for, when it differs from the row before", p.head("status"))
	case f.Several:
		p.note("satu baris berkas ini tampaknya tentang "+kindID[f.Kind]+", dan satu nomor ada di beberapa baris, misalnya "+
			"satu baris per unit: yang paling awal dihitung, untuk akhir yang paling akhir%.0s",
			"a row of this file seems to be about %s, and a case stands on several rows, as with a row for each unit: of "+
				"each event the earliest row counts, of an end the latest", f.Kind)
	default:
		p.note("satu baris berkas ini tampaknya tentang "+kindID[f.Kind]+"%.0s", "a row of this file seems to be about %s",
			f.Kind)
	}
	for role := range p.s.cols {
		f.Column[role] = p.head(role)
	}
	p.times(&f)
	if p.has("shift") && !p.has("received_full") {
		words := p.nightWords()
		if f.Shift = len(words) > 0; f.Shift && p.nightMended(words) {
			f.Night = words
			p.note("baris shift malam setelah tengah malam tampaknya memakai tanggal awal shift: baris itu dipindahkan ke hari "+
				"berikutnya", "rows of the night shift after midnight seem to carry the date on which the shift began: "+
				"night_shift moves them to the next day; remove it if that is wrong")
		}
	}
	if p.unclear("wait", false) {
		delete(p.s.cols, "wait")
		delete(f.Column, "wait")
	}
	f.DecimalComma = map[string]bool{}
	for _, role := range []string{"wait", "lat", "lon"} {
		f.DecimalComma[role] = decimalComma(p.cells(role))
	}
	f.WaitLasts = share(p.cells("wait"), func(c string) bool { _, ok := number(c); return !ok && isDuration(c) }) >= most
	if f.Kind == kindStates {
		f.Times, f.EndsAfter, f.Used["status"], f.NewestFirst = nil, "", true, p.newestFirst()
	}
	if p.has("class") && f.Calls() {
		f.Classes = p.classes()
	}
	if p.has("priority") && f.Tickets() {
		f.Priorities = p.priorities()
	}
	if f.Calls() && f.Later != "ended" {
		p.note("tidak ada kolom akhir bicara: jenis panggilan dan tiket memakai waktu %s", "no column says when the talk "+
			"ended: classification and ticket are dated to the field %s", f.Later)
	}
	if f.Calls() && !p.has("class") {
		p.note("tidak ada kolom jenis panggilan: semua panggilan tidak terklasifikasi",
			"no column says what kind of call it was: every call stays unclassified")
	}
	p.use(&f)
	for i := range p.s.header {
		if strings.TrimSpace(p.s.header[i]) == "" {
			continue
		}
		role := ""
		for r, at := range p.s.cols {
			if at == i {
				role = r
			}
		}
		if !f.Used[role] {
			whyID, why := p.why(i, role, f)
			p.note("kolom %s tidak dipakai: isinya tampaknya "+contentID[p.contents[i]]+"%.0s"+whyID+"%.0s",
				"the column %s is not used: it seems to hold %s%s", p.quoted(i), p.contents[i], why)
		}
	}
	return f
}

// why says why a column is not used, where that is known.
func (p *proposer) why(column int, role string, f facts) (indonesian, english string) {
	switch {
	case role == "status":
		return "; perjalanan kasus dibaca dari waktunya", "; what happened to a case is told by the times of its events"
	case role == "caller":
		return "; tiket tidak memuat penelepon", "; tickets carry no caller"
	case role == "lat" || role == "lon":
		return "; tempat dicatat pada tiket", "; a place belongs to a ticket"
	case role == "duration":
		return "; akhirnya punya kolom sendiri", "; the end has a column of its own"
	case role != "":
		return "; tidak ada kejadian untuk itu dalam berkas tentang " + kindID[f.Kind],
			"; it was taken for " + role + ", which an export of " + f.Kind + " has no event for"
	case p.contents[column] == ofTimes || p.contents[column] == ofClocks || p.contents[column] == ofDates:
		return "; bila itu waktu suatu kejadian, pilih artinya",
			"; if an event happens then, name the column in the mapping"
	}
	return "", ""
}

// kind tells by the columns that are there what a row is.
func (p *proposer) kind() string {
	ticket := slices.ContainsFunc(ticketTimes, func(t struct{ Role, Event string }) bool { return p.has(t.Role) })
	call := p.has("answered") || p.has("ended") || p.has("class") || p.has("wait")
	switch {
	case ticket && call:
		return kindBoth
	case ticket:
		return kindTickets
	}
	return kindCalls
}

// tellEndFromResolved settles what "Waktu Selesai" is: beside times of a ticket the end of the work, when half of the
// rows have it longer after the start than anybody talks or when nothing else of a call is there.
func (p *proposer) tellEndFromResolved() {
	at, has := p.s.cols["ended"]
	if !has || p.has("resolved") || p.s.said[at] {
		return
	}
	if !p.has("assigned") && !p.has("acknowledged") && !p.has("departed") && !p.has("arrived") {
		return
	}
	call := p.has("answered") || p.has("class") || p.has("wait")
	if long, n := p.longEnds(at); !call || n > 0 && 2*long > n {
		delete(p.s.cols, "ended")
		p.s.cols["resolved"] = at
		p.note("kolom %s dibaca sebagai akhir penanganan, bukan akhir bicara",
			"the column %s is taken for the end of the work, not of a talk", p.quoted(at))
	}
}

// longEnds counts the rows in which a column of full times lies longer than a talk after the first time.
func (p *proposer) longEnds(column int) (long, n int) {
	from, full := p.s.cols["received_full"]
	if !full {
		return 0, 0
	}
	office := pattern{kind: officeForm}
	for _, r := range p.s.rows {
		if from >= len(r.Cells) || column >= len(r.Cells) {
			continue
		}
		a, okA := office.parse(oneLine(r.Cells[from]))
		b, okB := office.parse(oneLine(r.Cells[column]))
		if okA && okB {
			if n++; b.wall-a.wall > longestTalk {
				long++
			}
		}
	}
	return long, n
}

// times chooses the formats of each time, and which have a date of their own.
func (p *proposer) times(f *facts) {
	date := "date"
	if p.has("received_full") {
		date = "received_full"
	}
	f.Formats["received"] = p.formats(date, "received")
	if strings.HasPrefix(f.Formats["received"], `["M/`) {
		p.note("tanggal di %s dibaca bulan lebih dahulu: tidak ada angka di atas 12 di depan",
			"the dates of %s are read month before day: no day above 12 stands first", p.head(date))
	} else {
		p.note("tanggal di %s dibaca hari lebih dahulu", "the dates of %s are read day before month", p.head(date))
	}
	if date == "date" && !p.has("received") {
		p.note("tidak ada kolom jam: semua dihitung dari tengah malam, dan lama tunggu tidak diketahui",
			"no column says at what time of day a row began: it counts from midnight, and no wait can be told")
	}
	for _, role := range []string{
		"answered", "ended", "assigned", "acknowledged", "departed", "arrived", "resolved", "closed",
	} {
		if !p.has(role) {
			continue
		}
		f.OwnDate[role] = !p.has("date") || p.fullTimes(role)
		switch {
		case f.OwnDate[role] && p.clocks(role):
			f.Formats[role] = "[clock], roll_day: true"
		case f.OwnDate[role]:
			f.Formats[role] = p.formats(role, "")
		default:
			f.Formats[role] = p.formats("date", role)
		}
		f.Times = append(f.Times, role)
		if role == "answered" || role == "ended" {
			f.Later = role
		}
	}
	if p.has("duration") && share(p.cells("duration"), isDuration) >= most {
		switch {
		case p.unclear("duration", thousands(p.cells("duration"), ".") || thousands(p.cells("duration"), ",")):
		case f.Kind == kindTickets && !p.has("resolved"):
			f.EndsAfter = "resolved"
			if slices.ContainsFunc(p.cells("duration"), func(c string) bool {
				parts := strings.Split(c, ":")
				return len(parts) == 2 && allClock(parts)
			}) {
				p.note("lama di %s seperti 01:30 dibaca sebagai menit dan detik; bila maksudnya jam dan menit, tulis 01:30:00",
					"a duration of %s such as 01:30 is read as minutes and seconds; if hours and minutes are meant, write "+
						"01:30:00", p.head("duration"))
			}
		case f.Kind != kindTickets && !p.has("ended"):
			f.EndsAfter, f.Later = "ended", "ended"
		}
	}
}

// unclear reports, and notes, that what a column says can be read in two ways, or that its signs can: thousands.
func (p *proposer) unclear(role string, thousands bool) bool {
	if !p.has(role) || p.s.book || !thousands && !unclear(p.cells(role)) {
		return false
	}
	p.note("lama di %s dapat dibaca dengan dua cara (0,0417 satu jam atau sekejap, 02.35 menit atau detik, 1.250 ribuan "+
		"atau bukan) dan tidak dipakai: tulis 1:00:00, 02:35 atau 1250",
		"what %s holds can be read in two ways (0.0417 as an hour or an instant, 02.35 as minutes or seconds, 1.250 as "+
			"thousands or not) and is not used: write 1:00:00, 02:35 or 1250", p.head(role))
	return true
}

// formats are the first of formatChoices that read a column, joined with a column of clocks where the two make a time.
func (p *proposer) formats(date, clock string) string {
	cells := p.cells(date)
	if i, ok := p.s.cols[clock]; ok && date == "date" {
		cells = nil
		for _, r := range p.s.rows {
			if at := p.s.cols[date]; at < len(r.Cells) && i < len(r.Cells) && oneLine(r.Cells[i]) != "" {
				cells = append(cells, oneLine(r.Cells[at])+" "+oneLine(r.Cells[i]))
			}
		}
	}
	bestShare, best := 0.0, formatChoices[0]
	choices := formatChoices
	if !p.s.book { // a workbook says itself which of its numbers are dates
		choices = slices.Concat(choices, [][]string{{"excel"}})
	}
	for _, choice := range choices {
		if s := share(cells, parsedBy(choice)); s > bestShare+0.01 {
			bestShare, best = s, choice
		}
	}
	if slices.Equal(best, formatChoices[0]) || !strings.HasPrefix(best[0], "M/") {
		return "[" + strings.Join(best, ", ") + "]"
	}
	return `["` + strings.Join(best, `", "`) + `"]`
}

// use notes which roles the template uses.
func (p *proposer) use(f *facts) {
	use := func(roles ...string) {
		for _, r := range roles {
			f.Used[r] = f.Column[r] != ""
		}
	}
	use(f.Times...)
	if use("received_full"); !f.Used["received_full"] {
		use("date", "received")
	} else if slices.ContainsFunc(f.Times, func(r string) bool { return !f.OwnDate[r] }) {
		use("date")
	}
	if f.Shift {
		use("shift")
	}
	if f.Calls() {
		use("caller", "class")
		if f.Column["answered"] != "" {
			use("wait")
		}
	}
	if f.Column["class"] != "" && f.Calls() || f.Tickets() {
		use("category")
	}
	use("district", "opd")
	if f.Tickets() {
		use("priority")
		if f.Column["lat"] != "" && f.Column["lon"] != "" {
			use("lat", "lon")
		}
	}
	f.Used["duration"] = f.EndsAfter != ""
	if !f.Calls() || f.Column["class"] == "" {
		f.Used["class"] = false
	}
}
