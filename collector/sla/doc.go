// Package sla owns calendars, policies and the clocks that they give a case: when it is due, when it is late, and why.
//
// A Book is read once from YAML files (Load) and never changes; every method is a pure function of its arguments and
// may be called by many goroutines at once. The package does no IO and reads no clock: the present is an argument
// called now. A Clock holds instants only. Whether it is late is a comparison of those instants with now (Clock.State),
// so that a stored clock never goes stale and a past month recomputes to the same figures.
//
// Times are compared in milliseconds, the precision in which events are kept. Elapsed time is real time: a window from
// 08:00 to 16:00 on a day that changes to daylight saving is as long as it really was.
package sla
