package pager

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLeadershipIsToldOfAReport(t *testing.T) {
	at := time.Date(2026, 11, 2, 0, 30, 0, 0, time.UTC)
	got := aboutReports([]Report{{Center: "35.15", CenterName: "Kabupaten Sidoarjo", Month: "2026-10", At: at,
		Until: at.Add(time.Hour), Link: "https://112/p/x", Missed: 1, Judged: 5}})
	want := []Alert{{
		Labels: map[string]string{"alertname": "Monev112Report", "kind": "report", "center": "35.15", "month": "2026-10"},
		Annotations: map[string]string{"period": "Oktober 2026", "center_name": "Kabupaten Sidoarjo", "missed": "1",
			"judged": "5", "link": "https://112/p/x"},
		StartsAt: at, EndsAt: at.Add(time.Hour),
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
