// Package routing owns who is told what, and when: it writes Alertmanager's configuration from the directory (which
// OPDs there are), the calendars (when offices are open) and the contacts (how people are reached). It is pure: the
// same input gives the same bytes; it reads no file and no clock. It sends nothing itself, and knows no secret, only
// the names of the files that hold them.
//
// Tickets come as one alert each (kind="ticket") and are grouped here into one message per OPD and level; their
// receivers never announce "resolved", because an alert also ends when its sender dies: a closing is an alert of its
// own (level="closed"). Alerts for Diskominfo reach it by channels that do not need the collector.
package routing
