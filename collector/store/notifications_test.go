package store

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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

func TestTold(t *testing.T) {
	s := open(t)
	at := at("2026-11-23 02:00:00")
	row := func(message, fingerprint, channel string, delivered, read time.Duration) Notification {
		n := Notification{
			Center: "35.15", Kind: "ticket", Subject: "T-" + fingerprint, ToldAt: at, Message: message, Fingerprint: fingerprint,
			Receiver: "opd-35-15-dishub", Status: "firing", OPD: "dishub", StartsAt: at, Alerts: 1, Channel: channel,
			Contact: "Kepala Dinas Perhubungan", Round: 1, AcceptedAt: at.Add(time.Second),
			LateSince: at.Add(-time.Duration(fingerprint[0]-'0') * time.Hour), // each ticket was late on its own
		}
		if delivered > 0 {
			n.DeliveredAt = at.Add(delivered)
		}
		if read > 0 {
			n.ReadAt = at.Add(read)
		}
		return n
	}
	waits := row("m4", "1", "email", 0, 0)
	waits.AcceptedAt = time.Time{}
	report := row("", "1", "", 0, 0) // what Alertmanager reports
	report.Channel, report.Contact, report.Round, report.AcceptedAt = "", "", 0, time.Time{}
	for _, rows := range [][]Notification{
		{row("m1", "1", "whatsapp", 0, 0), row("m1", "2", "whatsapp", 0, 0), row("m2", "1", "whatsapp", 0, 0), waits, report},
		{row("m1", "1", "whatsapp", time.Minute, 2*time.Minute), row("m1", "2", "whatsapp", time.Minute, 2*time.Minute),
			row("m1", "3", "whatsapp", time.Minute, 2*time.Minute), row("m5", "2", "whatsapp", time.Minute, 3*time.Hour),
			row("m3", "1", "telegram", 0, 0)}, // the same two have news
	} {
		if err := s.InsertNotifications(t.Context(), rows); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Told(t.Context(), "35.15", at.Add(-time.Hour), at.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	// Three tickets, late for one, two and three hours when they were told: read of first after two minutes each.
	read := (2*time.Hour + 2*time.Minute).Seconds()
	want := []Told{
		{Center: "35.15", OPD: "dishub", Channel: "telegram", Messages: 1, Delivered: 1},
		{Center: "35.15", OPD: "dishub", Channel: "whatsapp", Messages: 3, Delivered: 2, Read: 2,
			ToRead: Median{&read, 3}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if got, err := s.Told(t.Context(), "35.78", at.Add(-time.Hour), at.Add(time.Hour)); err != nil || len(got) != 0 {
		t.Errorf("of another centre: %+v %v", got, err)
	}
}

// TestAcknowledgedByWhoWasTold: the OPD that was told acknowledged, and not the one to which the ticket went on; who was
// not reached acknowledged for another reason.
func TestAcknowledgedByWhoWasTold(t *testing.T) {
	s := open(t)
	told := at("2026-11-23 02:00:00")
	if err := s.exec(t.Context(), "insert", `INSERT INTO tickets (center, id, events, acknowledged_at, stays.opd, stays.at,
			stays.acknowledged_at) VALUES ('35.15', 'T-1', 1, '2026-11-23 06:00:00',
		['dlhk', 'dishub', 'dlhk', 'dishub', 'damkar'], ['2026-11-23 00:00:00', '2026-11-23 01:00:00', '2026-11-23 02:00:00',
			'2026-11-23 03:30:00', '2026-11-23 05:00:00'],
		['2026-11-23 00:30:00', '2026-11-23 03:00:00', NULL, '2026-11-23 04:00:00', '2026-11-23 06:00:00'])`); err != nil {
		t.Fatal(err)
	}
	row := func(message, opd, ticket string) Notification {
		return Notification{
			Center: "35.15", Kind: "ticket", Subject: ticket, ToldAt: told, Message: message, Fingerprint: "f", Receiver: "r",
			Status: "firing", OPD: opd, StartsAt: told, Alerts: 1, Channel: "telegram", Contact: "Grup", Round: 1,
			AcceptedAt: told, LateSince: told.Add(-time.Hour),
		}
	}
	failed := row("m4", "damkar", "T-1")
	failed.AcceptedAt, failed.FailedAt = time.Time{}, told
	if err := s.InsertNotifications(t.Context(), []Notification{
		row("m1", "dishub", "T-1"), row("m2", "dlhk", "T-1"), row("m3", "", "T-1"), failed, row("m5", "dishub", "T-2"),
	}); err != nil {
		t.Fatal(err)
	}
	got := lines(t, s, `SELECT message, ifNull(opd, '-'), ifNull(formatDateTime(acknowledged_at, '%H.%i'), '-')
		FROM deliveries ORDER BY message`)
	want := []string{"m1 dishub 03.00", "m2 dlhk -", "m3 - 06.00", "m4 damkar 06.00", "m5 dishub -"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	counts, err := s.Told(t.Context(), "35.15", told.Add(-time.Hour), told.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	n := map[string]uint64{}
	for _, c := range counts {
		n[c.OPD] = c.ToAcknowledged.N
	}
	if d := cmp.Diff(map[string]uint64{"": 1, "dishub": 1, "dlhk": 0, "damkar": 0}, n); d != "" {
		t.Error(d)
	}
}
