// Package notifications owns the record of notifications: who was told what, and when. Alertmanager delivers each
// notification to a webhook of the service beside the channels that people read; the record keeps what it was about,
// never its text.
//
// A notification is acknowledged once it is durable in a journal of its own; Run brings it to ClickHouse, which may be
// away for days. Alertmanager sends a notification again when it did not get the answer, and what it sends holds no id
// and no time: the same content within duplicateWindow of the first is one notification. Rows have keys that follow
// from the notification, so that an insert that is repeated changes nothing.
package notifications
