// Package collector wires monev112: one App that takes the events of an emergency call centre in, keeps them, and shows
// what they add up to. This page is the map; each package's own comment says what it owns. The root holds wiring only.
//
// # The way of an event
//
//	source ─▶ httpapi ─▶ ingest ─▶ journal ─▶ shipper ─▶ store ─▶ ClickHouse (engine) ─▶ views, dashboards
//	  └────────────────▶ intake      │ fsync, then board, then acknowledge  ▲
//	                                 ▼                                      │ rows of the cases that changed
//	                               tracker (the live board) ────────────────┘
//	                                 ├─▶ observability ─▶ /metrics
//	                                 ├─▶ alerting ─▶ Alertmanager
//	                                 └─▶ httpapi, web ─▶ people
//
// An event is a fact. Everything else (elapsed, overdue, ratio) is computed from facts when asked. Data moves one way:
// no room calls an earlier one.
//
// # The rooms, in the order of the data
//
// The pure core. It does no IO, reads no clock, starts no goroutine and logs nothing; the present is an argument.
//
//   - event: the vocabulary. Decodes, validates and pseudonymises; says what may enter. Never guesses a value.
//   - directory: centres, OPDs, kecamatan, categories and the names that sources use for them. Never opens a file.
//   - casefile: the facts of a call or a ticket, folded from a set of events. Never depends on their order.
//   - sla: policies, calendars and the clocks that they give a case; explains each due date. Never stores one. Its
//     rulefiles, which is not pure, reads the files of directory, policies and calendars.
//   - tracker: the live board, every case in memory as the set of its events. Never calls a case new that may be known.
//
// What moves and keeps events.
//
//   - source: turns tables, logs, files from a page and a simulation into events and submits them, over HTTP or in
//     process. Never writes the journal itself.
//   - ingest: the intake of every source, and the one loop that writes journal and board. Never acknowledges what is
//     not on stable storage. What it rejects goes to ingest/quarantine, without callers' numbers.
//   - journal: a segmented, checksummed, append-only log of records. Knows nothing of events.
//   - shipper: follows the journal, brings ClickHouse up to date, completes unknown cases from it. Never blocks ingest
//     and never drops an event that ClickHouse may still take.
//   - store: the schema, the mapping to rows, inserts and queries; store/lookup finds single cases. Never folds events.
//   - engine: the embedded ClickHouse: binding, HTTP server, child process, installation. Reached over its port alone.
//
// What shows them.
//
//   - httpapi: routes, keys, limits, problem documents, the record of reads. Never decides what an event means.
//   - web: pages for people. Its page is what they have in common: layout, style, languages, signing in, forms; its
//     site puts them together. Behind the links of alerts stand pages for a telephone that ask for no key.
//   - alerting: which tickets Alertmanager is told of, its configuration, the record of who was told what, and the ways
//     to people with a record of each message: WhatsApp and, where the office says so, Telegram (delivery).
//   - monev: figures of a month, frozen, why cases were late (kendala), what the office writes (rtl), the report (with
//     document, chart), the gap list (information), origins of a percentage (number). Never changes a freeze.
//   - observability: metrics, logs and traces. Never carries a number, name, address or text of a citizen.
//
// What keeps the house.
//
//   - upkeep: rebuilds of stored cases, retention of personal data, backup and restore, repair of the journal;
//     setup writes the configuration of a new centre.
//   - internal: files that tests can make fail (disk, faultpoint), strict YAML (yamlfile), secrets (keyfile),
//     Indonesian dates; for tests alone freeaddr, noleaks and rapidseed. Knows no room.
//   - e2e: the real program with the real engine, killed, started again and counted.
//
// # Who may import whom
//
// cmd → collector → httpapi → web → {alerting, monev, upkeep} → {source, ingest, shipper, store} → observability →
// {tracker, journal, engine} → sla → {directory, casefile} → event → internal. Rooms within braces do not import each
// other. The packages httpapi/auth and httpapi/audit are leaves that web uses too. TestImportsPointOneWay holds this.
//
// # Three rules that keep it true
//
//   - A case is the set of its events; its facts are a pure fold of that set. Order, repetition and restarts cannot
//     matter.
//   - A case that is not in memory is unknown, never new, unless the board can prove that it never saw it.
//   - Acknowledged means fsynced here. ClickHouse may be away for days; that is lag, never loss.
package collector
