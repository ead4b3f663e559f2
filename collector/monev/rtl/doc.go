// Package rtl is the follow-up ledger of the monev meeting: its recommendations (rencana tindak lanjut), people's
// remarks to sections of a month's report, and the data that people type for a month (staff, budget, satisfaction
// survey).
//
// Each is written as an event of the office (event.Kind.OfOffice) and is the fold of its events: a set of changes, of
// which for each member the last counts. The order is that of the time of the change, then its revision, then its id,
// then its source: a tie is broken by what the change itself says, never by when it arrived, so that late, repeated and
// reordered changes give the same ledger. A change that another of its source replaces or withdraws counts for nothing.
//
// Fold, the measured effect and the arithmetic of the forms are pure: values in, values out. Ledger and Measure are the
// thin shell that asks ClickHouse. The package never says that a recommendation caused anything: it says what was
// measured before and after.
package rtl
