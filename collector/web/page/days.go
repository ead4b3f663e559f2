package page

import "time"

// DatabaseAway is said where the database does not answer.
var DatabaseAway = Text{
	Indonesian: "Basis data belum menjawab. Coba lagi sebentar lagi.",
	English:    "The database does not answer. Try again in a moment.",
}

// Days is the range of days that a page with a form of two days is asked for, since <= day < until.
type Days struct {
	Since, Until string // as in the form: YYYY-MM-DD, or what was given instead
	from, to     time.Time
}

// Days reads the parameters since and until of a request; without them it is the latest days up to today in every time
// zone. wrong says what is wrong with them, in the reader's language; empty: nothing.
func (r *Request) Days(now time.Time, latest int) (d Days, wrong string) {
	end := now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 2)
	d = Days{Since: end.AddDate(0, 0, -latest).Format(time.DateOnly), Until: end.Format(time.DateOnly)}
	if q := r.URL.Query(); q.Has("since") {
		d.Since, d.Until = q.Get("since"), q.Get("until")
	}
	var err1, err2 error
	d.from, err1 = time.Parse(time.DateOnly, d.Since)
	d.to, err2 = time.Parse(time.DateOnly, d.Until)
	if err1 != nil || err2 != nil || !d.from.Before(d.to) {
		return d, r.T("Tulis dua tanggal; tanggal kedua adalah hari setelah hari terakhir.",
			"Give two days; the second is the day after the last.")
	}
	return d, ""
}

// Range is the first day and the day after the last.
func (d Days) Range() (since, until time.Time) { return d.from, d.to }
