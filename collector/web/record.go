package web

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/source/importer"
)

const (
	// Source is the event source of what an OPD records on its page.
	Source = casefile.PageSource

	maxFormBytes = 4 << 10
	statedBack   = 2 * time.Hour    // how far back a time can be stated
	undoWithin   = 10 * time.Minute // of its recording, a record can be taken back
	submitWithin = 20 * time.Second // an event is durable or has failed
	// maxRecorded bounds what the page sends of one ticket: who presses without end must not fill its case.
	maxRecorded = 60
	// byLink begins the name of whoever used a link that names nobody, as in the record of reads.
	byLink = "link:"
)

// The names of the fields of a ticket's forms.
const (
	fieldStay   = "stay"     // standing.name of the page
	fieldForm   = "form"     // binds the form to its page
	fieldStep   = "catat"    // name of the step, undoStep, or nothing for Diterima
	fieldTime   = "pukul"    // HH.MM of the centre; nothing for now
	fieldReason = "alasan"   // code
	fieldUndo   = "kejadian" // id of the event to take back
	undoStep    = "batal"
)

// record takes a press of a button: it submits an event and shows the ticket again once that is durable. The event's id
// follows from ticket, stay and what the page had sent when it was shown, and one ticket's presses wait for each other:
// pressed twice, by one or by two, the second finds the first.
func (p *Pages) record(w http.ResponseWriter, r *http.Request, v *visit) {
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	err := r.ParseForm()
	stay := r.PostForm.Get(fieldStay)
	if err != nil || !v.keys.checkForm(v.token, v.self(), stay, r.PostForm.Get(fieldForm)) {
		p.ticketChanged(w, v)
		return
	}
	defer p.turns.take(v.key())()
	row, events, ok := p.find(w, r, v)
	if !ok {
		return
	}
	s := p.standing(v, &row, events)
	name := cmp.Or(r.PostForm.Get(fieldStep), steps[0].Name)
	if name == undoStep {
		p.undo(w, r, v, s, r.PostForm.Get(fieldUndo))
		return
	}
	st, known := stepNamed(name)
	reason := r.PostForm.Get(fieldReason)
	if !known || st.reasons != nil && !slices.Contains(st.reasons, reason) {
		p.refuse(w, v, "Pilih salah satu alasan yang tersedia, lalu tekan tombolnya sekali lagi.")
		return
	}
	same := s.sameStay(stay)
	id := recordID(st, v.key(), v.target.opd, stay)
	lo, hi := s.bounds(st)
	at, wrong := v.stated(r.PostForm.Get(fieldTime), lo, hi)
	switch earlier := s.page[id]; {
	case earlier != nil && !s.void[earlier], earlier == nil && same && s.done(st):
		if e := cmp.Or(earlier, s.latest(st)); e != nil && (st.reasons != nil && e.Reason != reason ||
			r.PostForm.Get(fieldTime) != "" && (wrong != "" || at.Sub(e.OccurredAt).Abs() >= time.Minute)) {
			p.otherwise(w, v, st, e)
			return
		}
		p.showTicket(w, v)
		return
	case earlier != nil || !same || !s.offers(st):
		p.ticketChanged(w, v)
		return
	}
	if len(s.page) >= maxRecorded {
		p.refuse(w, v, "Terlalu banyak yang sudah dicatat untuk tiket ini. Hubungi koordinator piket Call Center 112.")
		return
	}
	if wrong != "" {
		p.refuse(w, v, wrong)
		return
	}
	e := event.RawEvent{
		Source: Source, ID: id, Type: st.typ, Subject: v.ticket, Time: at, Center: v.target.center, OPD: v.target.opd,
	}
	if st.reasons != nil {
		e.Reason = reason
	}
	if st.typ == event.TicketExplained {
		e.OPD = s.lateAs
	}
	action := audit.Record
	if st.typ == event.TicketAcknowledged {
		action = audit.Acknowledge
	}
	p.submit(w, r, v, e, action, st.Name)
}

// undo takes back what the page has recorded a short while ago.
func (p *Pages) undo(w http.ResponseWriter, r *http.Request, v *visit, s *standing, id string) {
	e := s.page[id]
	switch {
	case e != nil && s.void[e]:
		p.showTicket(w, v)
	case e == nil || !p.own(v, e.OPD):
		p.ticketChanged(w, v)
	case s.undoUntil(v, e).IsZero() && v.now.Before(e.ReceivedAt.Add(undoWithin)):
		p.refuse(w, v, "Tiket ini sudah diteruskan atau dibuka kembali sesudah langkah itu dicatat, sehingga langkah itu "+
			"tidak dapat dibatalkan di sini. Sampaikan lewat telepon kepada koordinator piket Call Center 112.")
	case s.undoUntil(v, e).IsZero():
		p.refuse(w, v, "Yang dicatat lebih dari sepuluh menit lalu tidak dapat dibatalkan di sini. Sampaikan lewat telepon "+
			"kepada koordinator piket Call Center 112.")
	default:
		back := event.RawEvent{
			Source: Source, Type: event.EventWithdrawn, Kind: event.KindTicket, Subject: v.ticket, Time: v.now,
			Center: v.target.center, Replaces: e.ID,
		}
		back.ID, back.Revision = importer.WithdrawalID(e.ID)
		p.submit(w, r, v, back, audit.Undo, stepOf(e.Type).Name)
	}
}

// submit sends an event and shows the ticket with it, or says that it is not recorded.
func (p *Pages) submit(w http.ResponseWriter, r *http.Request, v *visit, e event.RawEvent, action, what string) {
	// A browser that gives up, because its button was tapped twice, must not leave the second tap in doubt.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), submitWithin)
	defer cancel()
	refused, err := p.cfg.Submit(ctx, v.by, e)
	if err != nil || refused > 0 {
		p.cfg.Log.Error("what an OPD recorded was not accepted", "step", what, "refused", refused, "error", err)
		w.Header().Set("Retry-After", "30")
		p.notice(w, http.StatusServiceUnavailable, "Belum tercatat",
			"Yang Anda tekan belum dapat dicatat. Silakan kembali dan tekan sekali lagi beberapa saat lagi.",
			"Bila tetap gagal, sampaikan lewat telepon kepada koordinator piket Call Center 112.")
		return
	}
	entry := v.entry(action, "ticket")
	entry.Filter = what
	p.cfg.Record(entry)
	p.showTicket(w, v)
}

// showTicket redirects to the ticket, so that a reload of the page sends nothing twice. The target is relative: the
// service may be reached below a folder of another.
func (p *Pages) showTicket(w http.ResponseWriter, v *visit) {
	w.Header().Set("Location", v.self())
	w.WriteHeader(http.StatusSeeOther)
}

// stated reads a time as the form has it: the latest instant at which the clocks of the centre showed it. Without one
// it is now. It lies between lo and hi, now where that is zero, and within statedBack; a minute in which one of them
// lies is enough. wrong says what is to be given instead.
func (v *visit) stated(text string, lo, hi time.Time) (at time.Time, wrong string) {
	if text == "" && hi.IsZero() {
		if v.now.Before(lo) { // the sender's clock runs ahead of ours: nothing happens before the assignment
			return lo, ""
		}
		return v.now, ""
	}
	if hi.IsZero() || hi.After(v.now) {
		hi = v.now
	}
	if earliest := v.now.Add(-statedBack); lo.Before(earliest) {
		lo = earliest
	}
	clock := func(t time.Time) string { return t.In(v.zone).Format("15.04 MST") }
	wrong = fmt.Sprintf("Sebutkan jam kejadian antara %s dan %s: paling lama dua jam ke belakang, dan tidak sebelum "+
		"tiket diteruskan atau langkah sebelumnya.", clock(lo), clock(hi))
	if hi.Before(lo) {
		wrong = "Langkah ini sudah lebih dari dua jam lalu, atau tidak mungkin terjadi menurut langkah lain yang sudah " +
			"dicatat. Sampaikan lewat telepon kepada koordinator piket Call Center 112."
	}
	hour, err := time.Parse("15:04", strings.Replace(text, ".", ":", 1))
	if err != nil {
		return at, wrong
	}
	year, month, day := v.now.In(v.zone).Date()
	at = time.Date(year, month, day, hour.Hour(), hour.Minute(), 0, 0, v.zone)
	if at.Sub(v.now) > time.Minute { // their clock may run ahead a little
		at = time.Date(year, month, day-1, hour.Hour(), hour.Minute(), 0, 0, v.zone)
	}
	switch {
	case hi.Before(lo), at.Add(time.Minute).Before(lo) || at.Add(time.Minute).Equal(lo), at.Sub(hi) > time.Minute:
		return time.Time{}, wrong
	case at.Before(lo):
		at = lo
	case at.After(hi):
		at = hi
	}
	return at, ""
}

// who says through whose link an event of the page was recorded; empty for one of another source.
func who(e *event.Event) string {
	switch {
	case e.Source != Source:
		return ""
	case e.ChangedBy == "" || strings.HasPrefix(e.ChangedBy, byLink):
		return "lewat tautan pesan"
	}
	return "oleh " + e.ChangedBy
}

// otherwise answers a form that says of a step other than what stands: what stands, and that the form is not recorded.
func (p *Pages) otherwise(w http.ResponseWriter, v *visit, st *step, e *event.Event) {
	by := who(e)
	if by != "" {
		by = ", " + by
	}
	p.render(w, http.StatusConflict, "notice.html", noticeView{
		Title: "Belum tercatat",
		Lines: []string{
			st.said(e) + " sudah tercatat " + v.instant(e.OccurredAt) + by + ". Yang Anda kirim berbeda, dan tidak dicatat.",
			"Buka lagi halaman tiket. Bila yang tercatat keliru, batalkan dahulu, lalu catat yang benar.",
		},
		Link: v.self(),
	})
}

// refuse says why nothing was recorded, and leads back to the ticket.
func (p *Pages) refuse(w http.ResponseWriter, v *visit, why string) {
	p.render(w, http.StatusUnprocessableEntity, "notice.html", noticeView{
		Title: "Belum tercatat", Lines: []string{why}, Link: v.self(),
	})
}
