package web

import (
	"crypto/sha256"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/tracker"
)

const (
	// Source is the event source of acknowledgements that were sent with the button.
	Source = casefile.PageSource

	maxFormBytes = 4 << 10
)

// acknowledge is the button "Diterima": it submits ticket.acknowledged and shows the ticket again once that is durable.
// The event's id follows from ticket and assignment, and one ticket's presses wait for each other: pressed twice, the
// second finds the ticket acknowledged.
func (p *Pages) acknowledge(w http.ResponseWriter, r *http.Request, v *visit) {
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	err := r.ParseForm()
	stay := r.PostForm.Get("stay")
	if err != nil || !p.cfg.Links.checkForm(v.token, stay, r.PostForm.Get("form"), v.now) {
		p.ticketChanged(w, v)
		return
	}
	digest := sha256.Sum256([]byte(v.target.center + "\x00" + v.target.id))
	lock := &p.acks[digest[0]%byte(len(p.acks))]
	lock.Lock()
	defer lock.Unlock()
	row, _, ok := p.find(w, r, v)
	if !ok {
		return
	}
	at, offered := p.offered(v, &row)
	switch {
	case !offered && stayAcknowledged(&row, stay):
		p.showTicket(w, v)
		return
	case !offered || stayName(at) != stay:
		p.ticketChanged(w, v)
		return
	}
	when := v.now
	if when.Before(at) { // the sender's clock runs ahead of ours: nobody acknowledges before the assignment
		when = at
	}
	refused, err := p.cfg.Acknowledge(r.Context(), event.RawEvent{
		Source: Source, ID: acknowledgementID(v.key(), v.target.opd, at), Type: event.TicketAcknowledged,
		Subject: v.target.id, Time: when,
		Center: v.target.center, OPD: v.target.opd,
	})
	if err != nil || refused > 0 {
		p.cfg.Log.Error("an acknowledgement was not accepted", "refused", refused, "error", err)
		w.Header().Set("Retry-After", "30")
		p.notice(w, http.StatusServiceUnavailable, "Belum tercatat",
			"Penerimaan tiket ini belum dapat dicatat. Silakan kembali dan tekan Diterima sekali lagi beberapa saat lagi.",
			"Bila tetap gagal, sampaikan lewat telepon kepada koordinator piket Call Center 112.")
		return
	}
	p.cfg.Record(v.entry(audit.Acknowledge, "ticket"))
	p.showTicket(w, v)
}

// showTicket redirects to the ticket, so that a reload of the page sends nothing twice. The target is relative: the
// service may be reached below a folder of another.
func (p *Pages) showTicket(w http.ResponseWriter, v *visit) {
	w.Header().Set("Location", v.token)
	w.WriteHeader(http.StatusSeeOther)
}

// offered returns the start of the OPD's stay if the button is offered: the ticket is open, with this OPD, in the
// regency's power, and not acknowledged since it came here.
func (p *Pages) offered(v *visit, row *tracker.Row) (at time.Time, ok bool) {
	a := lastAssignment(row.Ticket)
	return a.At, !a.At.IsZero() && a.EndedAt.IsZero() && a.AcknowledgedAt.IsZero() && row.Ticket.State.Open() &&
		v.opd.Scope == directory.Own
}

// lastAssignment is zero for a ticket that was never assigned.
func lastAssignment(t *casefile.Ticket) casefile.Assignment {
	if n := len(t.Assignments); n > 0 {
		return t.Assignments[n-1]
	}
	return casefile.Assignment{}
}

// stayName names an OPD's stay, which began at, in the form of its page.
func stayName(at time.Time) string { return strconv.FormatInt(at.UnixMilli(), 10) }

func stayAcknowledged(row *tracker.Row, stay string) bool {
	a := lastAssignment(row.Ticket)
	return stayName(a.At) == stay && !a.AcknowledgedAt.IsZero()
}

// acknowledgementID is the same for every press of one button. Its letters cannot be taken for a telephone number.
func acknowledgementID(key event.Key, opd string, at time.Time) string {
	h := sha256.Sum256([]byte(strings.Join([]string{key.Center, key.ID, opd, stayName(at)}, "\x00")))
	id := []byte("ack-")
	for _, b := range h[:16] {
		id = append(id, 'a'+b>>4, 'a'+b&15)
	}
	return string(id)
}
