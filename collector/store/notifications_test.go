package store

import (
	"strings"
	"testing"
)

func TestNotificationsInsertedTwiceAreOne(t *testing.T) {
	s := open(t)
	row := Notification{
		Center: "35.15", Kind: "ticket", Subject: "T-1", ToldAt: at("2026-11-01 03:00:00"), Message: strings.Repeat("1", 32),
		Fingerprint: "00000000000000aa", Receiver: "opd-35-15-dishub", Alertname: "Monev112Ticket", Level: "overdue",
		Status: "firing", OPD: "dishub", Priority: "non_darurat", StartsAt: at("2026-11-01 01:00:00"), Alerts: 2,
	}
	closed, later := row, row
	closed.Subject, closed.Fingerprint, closed.Status, closed.EndsAt = "T-2", "00000000000000ab", "resolved",
		at("2026-11-01 02:00:00")
	later.Message, later.ToldAt, later.Alerts = strings.Repeat("3", 32), at("2026-11-01 07:00:00"), 1
	feed := Notification{
		Kind: "condition", ToldAt: at("2026-11-01 03:00:00"), Message: strings.Repeat("2", 32),
		Fingerprint: "00000000000000ac", Receiver: "diskominfo", Alertname: "Monev112FeedSilent", Level: "critical",
		Status: "firing", StartsAt: at("2026-11-01 01:00:00"), Alerts: 1,
	}
	for range 3 {
		if err := s.InsertNotifications(t.Context(), []Notification{row, closed, feed, later}); err != nil {
			t.Fatal(err)
		}
	}
	got := lines(
		t, s, `SELECT center, kind, subject, formatDateTime(told_at, '%H.%i'), receiver, level, status, ifNull(opd, '-'),
			ifNull(priority, '-'), ifNull(formatDateTime(ends_at, '%H.%i'), '-'), alerts
		FROM notifications FINAL ORDER BY kind, told_at, subject`)
	want := []string{
		" condition  03.00 diskominfo critical firing - - - 1",
		"35.15 ticket T-1 03.00 opd-35-15-dishub overdue firing dishub non_darurat - 2",
		"35.15 ticket T-2 03.00 opd-35-15-dishub overdue resolved dishub non_darurat 02.00 2",
		"35.15 ticket T-1 07.00 opd-35-15-dishub overdue firing dishub non_darurat - 1",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
