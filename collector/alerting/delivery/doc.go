// Package delivery brings notifications to people by WhatsApp and Telegram and proves it: a durable outbox between
// Alertmanager, which hands notifications over and forgets them, and the ways to a person, of which each may fail.
//
// # The way of a notification
//
//	Alertmanager ─▶ Add ─▶ journal (fsync), then answered ─▶ Run ─▶ WhatsApp ── nothing in 5 minutes ──▶ Telegram
//	                          ▲                                        │                                └──▶ e-mail
//	                          └── statuses, signed by Meta ◀───────────┘
//
// Who has no WhatsApp is told by Telegram first. An emergency comes here for WhatsApp alone: Alertmanager uses the
// other ways itself, so that they do not need this service.
//
// Everything that happens is a record in the journal; the state is the fold of the records, so that a kill at any point
// loses nothing. Between the record "sending" and the record of the answer a message may have left: after a kill there
// it is sent again and marked as perhaps sent twice. It is the only way to a double.
//
// # What is one message
//
// A notification is known by its receiver, group, level and set of alerts. The same within repeatWindow is a
// repetition, which changes nothing; later it begins a new round, as Alertmanager's repeat_interval wants.
//
// # Privacy
//
// Records name people by the name that the contacts file gives them, never by number. The ids that WhatsApp gives to
// messages hold the number in a coded form: they stand in the journal, which is private, and nowhere else.
package delivery
