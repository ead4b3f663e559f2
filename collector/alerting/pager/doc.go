// Package pager tells Alertmanager which tickets are at risk, late, escalated and closed: one alert a ticket, and one
// digest an OPD each morning. It reads the board, keeps what it has pushed in one small file, and pushes the full set
// of active alerts to every configured Alertmanager, each at its own pace. It does not decide who is notified, nor at
// what hours: that is Alertmanager's configuration (package routing).
//
// # Which tickets, at which level
//
// The open tickets of the board with a clock that runs, paused or not, and has reached a level: the functions and the
// instants are those of the gauges, so that the count in a notification is the count on the wall. A ticket has one
// alert: the highest level that any of its running clocks has reached. A clock that was late and has stopped
// (acknowledged late) is a breach for the report and nothing to act on: it gives no alert. Tickets at the centre, not
// yet given to an OPD or returned by one, have alerts under the OPD "none", which routes to Diskominfo. Never: vertical
// agencies, OPDs that the directory does not know, stale tickets, merged ones (their master is), historical centres.
//
// # Life of an alert
//
//	(no alert) ──level reached──▶ active: pushed each round, startsAt = its first push, endsAt = now + Lifetime
//	active ──other level, OPD or priority──▶ ended, and the ticket's new alert is active
//	active ──in time again, resolved──▶ ended, remembered as waiting for its closing
//	active, waiting ──closed, at the same OPD──▶ closing: level "closed", pushed until ClosedFor after the first
//	                                             Alertmanager took it, then never again
//	active, waiting ──merged, other OPD──▶ forgotten in silence
//	ended: pushed with endsAt for Lifetime more, so that an Alertmanager that was away hears of it
//
// While the board is not complete nothing is pushed and nothing ends. A stop shorter than Lifetime repeats nothing: the
// state file holds startsAt. After a longer one Alertmanager has let the alerts expire, and they start anew: an old
// startsAt would flush a group at once with the part of the list that came first.
package pager
