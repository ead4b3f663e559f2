// Package collector wires monev112: one App that takes events of an emergency call centre in, keeps them, and shows
// what they add up to. This page is the map; each package's own comment says what it owns.
//
// # The way of an event
//
//	POST /v1/events ─▶ api ─▶ event ─▶ ingest ─▶ journal ─▶ shipper ─▶ store ─▶ ClickHouse ─▶ views
//	                          (door)     │  fsync, then state, then ack    ▲
//	                                     ▼                                 │ rows of the cases touched
//	                                  tracker (the live board) ────────────┘
//	                                     ├─▶ metrics ─▶ /metrics
//	                                     ├─▶ pager ─▶ Alertmanager
//	                                     └─▶ api ─▶ /v1/board, /v1/tickets
//
// An event is a fact. Everything else (elapsed, overdue, ratio) is computed from facts when asked. Data moves one way:
// no station calls an earlier one.
//
// # Packages, from the inside out
//
//   - event (pure): the vocabulary. Decodes, validates, replaces callers' numbers. Says what may enter.
//   - directory (pure): centres, OPDs, kecamatan, categories and the aliases under which sources write them.
//   - casefile (pure): the facts of a call or ticket, and how a set of events folds into them.
//   - sla (pure): policies, calendars and the clocks they give a case; explains each due date.
//   - tracker (pure): the live board: every case in memory as the set of its events; counts, outcomes, snapshots.
//   - journal (disk): a segmented, checksummed, append-only log of byte records; knows nothing of events.
//   - ingest (loop): the only writer of journal and board: group, deduplicate, append once, apply, acknowledge.
//   - store (database): ClickHouse's schema, row mapping, inserts and queries.
//   - shipper (loop): follows the journal, inserts events, completes unknown cases from ClickHouse, upserts cases.
//   - engine (database): the embedded ClickHouse, served over ClickHouse's own HTTP interface.
//   - api (HTTP), metrics (Prometheus), telemetry (OpenTelemetry, slog): the faces; access: who may do what.
//   - pager (loop): tells Alertmanager which tickets are at risk, late, escalated and closed; routing (pure): its
//     configuration, from directory, calendar and contacts.
//   - page (HTTP): the links of alerts and the pages behind them. notification (disk, loop): who was told what, from
//     Alertmanager to ClickHouse. audit (disk): who read a single case.
//   - monev (pure): the measures of a monev meeting as functions, the check on the views' SQL.
//   - quarantine (disk): what was refused, kept in sight. disk: the file layer that tests can make fail. faultpoint:
//     named
//     places at which a test may kill the process.
//   - source (in): readers that turn files, logs and a simulation into events, and send them through the door.
//   - e2e (test): the real program with the real engine, killed, started again and counted; e2e/servers
//     finds the Prometheus and Alertmanager that `make tools` builds.
//
// # Three rules that keep it true
//
//   - A case is the set of its events; its facts are a pure fold of that set. Order, repetition and restarts cannot
//     matter.
//   - A case that is not in memory is unknown, never new, unless the board can prove that it never saw it.
//   - Acknowledged means fsynced here. ClickHouse may be away for days; that is lag, never loss.
package collector
