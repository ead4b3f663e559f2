// Package web owns what stands behind the link of an alert: the links, which are signed and expire, and the pages that
// a telephone shows without scripts: an OPD's late tickets, and one ticket with its timeline, its clocks and the button
// "Diterima". It reads the board and submits one kind of event; it keeps no state but its key file.
//
// A link is a bearer credential of little power: it shows what one OPD may see of its own tickets, nothing that names a
// citizen, for some days. See docs/security.md for what a stolen one gives.
package web
