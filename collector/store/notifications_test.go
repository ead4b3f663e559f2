package store

import (
	"strings"
	"testing"

	"github.com/monev112/monev112/collector/alerting/notifications"
)

func TestAMessageThatComesTwiceIsOne(t *testing.T) {
	s := open(t)
	row := notifications.Row{Center: "35.15", Kind: notifications.Ticket, Subject: "T-1", Alertname: "Monev112Ticket",
		Level: "overdue", Status: "firing",
		OPD: "dishub", Priority: "non_darurat", Fingerprint: "00000000000000aa", StartsAt: at("2026-11-01 01:00:00")}
	closed := row
	closed.Subject, closed.Fingerprint, closed.Status, closed.EndsAt = "T-2", "00000000000000ab", "resolved",
		at("2026-11-01 02:00:00")
	feed := notifications.Row{
		Kind: notifications.Condition, Alertname: "Monev112FeedSilent", Level: "critical", Status: "firing",
		Fingerprint: "00000000000000ac", StartsAt: at("2026-11-01 01:00:00"),
	}
	messages := []notifications.Message{
		{ID: strings.Repeat("1", 32), ToldAt: at("2026-11-01 03:00:00"), Receiver: "opd-35-15-dishub", Alerts: 2,
			Rows: []notifications.Row{row, closed}},
		{ID: strings.Repeat("2", 32), ToldAt: at("2026-11-01 03:00:00"), Receiver: "diskominfo", Alerts: 1,
			Rows: []notifications.Row{feed}},
		{ID: strings.Repeat("3", 32), ToldAt: at("2026-11-01 07:00:00"), Receiver: "opd-35-15-dishub", Alerts: 1,
			Rows: []notifications.Row{row}},
	}
	for range 3 {
		if err := s.KeepMessages(t.Context(), messages); err != nil {
			t.Fatal(err)
		}
	}
	got := lines(
		t, s, `SELECT center, kind, subject, formatDateTime(told_at, '%H.%i'), receiver, level, status, ifNull(opd, '-'), ifNull(priority, '-'), ifNull(formatDateTime(ends_at, '%H.%i'), '-'), alerts
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
