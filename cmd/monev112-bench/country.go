package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"strings"
	"text/template"
	"time"

	"github.com/monev112/monev112/collector/store"
)

// country makes a year of a country's calls inside ClickHouse, with INSERT ... SELECT from numbers(): the same rows in
// each run for the same end. The tables are filled as the service would fill them, column by column; what the service
// derives of them (the roll-ups) is derived by the store's own code. Events are not made: of the dashboards only the
// causes of late cases look into them.
//
// The mix: 514 centres of unequal size, the largest (the one that the dashboards show first) with 4 % of all calls; one
// call in five gives a ticket, most of the others are pranks; tickets of own departments, vertical agencies and none;
// clocks met, late, running and late since long; a tenth of all rows stands in the table a second time in an earlier
// version.
type country struct {
	calls int
	until time.Time // start of the day on which the year ends
	p     *process
	store *store.Store
}

const (
	countryCenters = 514
	callsPerTicket = 5
	countryMonths  = 12
	supersededOf   = 10 // one row in so many has an earlier version
	countryDays    = 360
	daysOfMonth    = countryDays / countryMonths
	earlierVersion = 1
	presentVersion = 2
	// rollupCallsAtOnce bounds the memory of one computation.
	rollupCallsAtOnce = 500_000
)

//go:embed country.sql
var countrySQL string

// countryStatements are the statements that fill the tables, made from a countryPart.
var countryStatements = template.Must(template.New("country").Parse(countrySQL))

// countryPart says which rows a statement makes.
type countryPart struct {
	Centers, CallsPerTicket, Calls, Seconds int
	Start                                   int64 // of the year, Unix time
	From, Count                             int   // numbers of calls
	Version                                 int
	Which                                   string // condition: which of them
	Seen                                    string // until when the facts of a ticket are known
	Since, Until                            string // days of the clocks
}

// make fills the tables, a month at a time, so that the parts of the tables overlap as they do in service.
func (c *country) make(ctx context.Context) error {
	began := time.Now()
	first := c.until.AddDate(0, 0, -countryDays)
	for m := range countryMonths {
		end := first.AddDate(0, 0, (m+1)*daysOfMonth)
		since, until := end.AddDate(0, 0, -daysOfMonth), end
		if m == 0 {
			since = since.AddDate(0, 0, -1) // a day in Jakarta begins before it does in UTC
		}
		if m == countryMonths-1 {
			until = until.AddDate(0, 0, 2)
		}
		const seconds = countryDays * 24 * 60 * 60
		present := countryPart{
			Centers: countryCenters, CallsPerTicket: callsPerTicket, Calls: c.calls, Seconds: seconds,
			Start: c.until.Unix() - seconds, From: m * (c.calls / countryMonths), Count: c.calls / countryMonths,
			Version: presentVersion, Which: "1", Seen: "toDateTime64('" + c.until.Format(time.DateTime) + "', 3, 'UTC')",
			Since: since.Format(time.DateOnly), Until: until.Format(time.DateOnly),
		}
		earlier := present
		earlier.Version, earlier.Which = earlierVersion, fmt.Sprintf("cityHash64(n, 30) %% %d = 0", supersededOf)
		earlier.Seen = "assigned + toIntervalSecond(1)"
		for _, part := range []countryPart{earlier, present} {
			for _, table := range []string{"calls", "tickets", "answer clocks", "ticket clocks"} {
				var sql strings.Builder
				if err := countryStatements.ExecuteTemplate(&sql, table, part); err != nil {
					return err
				}
				if _, err := c.p.query(sql.String()); err != nil {
					return fmt.Errorf("%w\nof the statement:\n%s", err, &sql)
				}
				if err := ctx.Err(); err != nil {
					return err
				}
			}
		}
		fmt.Fprintf(os.Stderr, "  month %d of %d made, %s\n", m+1, countryMonths, time.Since(began).Round(time.Second))
	}
	return nil
}

// rollUp fills the roll-ups with the code that keeps them in service, some centres at a time.
func (c *country) rollUp(ctx context.Context) error {
	began := time.Now()
	list, err := c.p.query("SELECT center, count() FROM monev112.calls GROUP BY center ORDER BY center")
	if err != nil {
		return err
	}
	first := c.until.AddDate(0, 0, -countryDays-1)
	var centers []string
	together, done := 0, 0
	flush := func() error {
		var hours []store.Period
		var days []store.Period
		for i, center := range centers {
			for day := range countryDays + 4 {
				at := first.AddDate(0, 0, day)
				days = append(days, store.Period{Center: center, Start: at})
				if i == 0 || day == 0 {
					hours = append(hours, store.Period{Center: center, Start: at})
				}
			}
		}
		if err := c.store.RecomputeHours(ctx, hours, presentVersion); err != nil {
			return err
		}
		if err := c.store.RecomputeDays(ctx, days, presentVersion); err != nil {
			return err
		}
		done += len(centers)
		fmt.Fprintf(os.Stderr, "  roll-ups of %d of %d centres, %s\n", done, countryCenters,
			time.Since(began).Round(time.Second))
		centers, together = centers[:0], 0
		return nil
	}
	for line := range strings.Lines(list) {
		var center string
		var calls int
		if _, err := fmt.Sscan(line, &center, &calls); err != nil {
			return fmt.Errorf("calls of a centre %q: %w", line, err)
		}
		centers, together = append(centers, center), together+calls
		if together >= rollupCallsAtOnce {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}
