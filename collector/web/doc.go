// Package web owns what stands behind links that ask for no key: the links, which are signed and expire, and the pages
// that a telephone shows without scripts: an OPD's late tickets, those due soon, its trend, and one ticket with its
// timeline, its clocks and the buttons by which the OPD records its own steps. It reads the board and submits events of
// one source; it keeps no state but its key file and the list of links.
//
// A link is a bearer credential of little power: it shows what one OPD may see of its own tickets, nothing that names a
// citizen, for some days; a person's link for some months, until it is revoked. See docs/security.md for what a stolen
// one gives.
package web
