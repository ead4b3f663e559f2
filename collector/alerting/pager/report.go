package pager

import (
	"strconv"
	"time"

	"github.com/monev112/monev112/collector/internal/indonesian"
)

const reportAlert = "Monev112Report"

// Report is a monthly report that was made, and that the leadership of its centre is told of. The same report is the
// same alert until it ends, also after a restart: it is told once.
type Report struct {
	Center     string
	CenterName string
	Month      string    // 2026-10
	At, Until  time.Time // when it was made; until when it is pushed
	Link       string    // to the report; empty: none
	Missed     int       // indicators that did not reach their target
	Judged     int       // indicators that have one
}

func aboutReports(list []Report) (out []Alert) {
	for _, r := range list {
		annotations := map[string]string{"missed": strconv.Itoa(r.Missed), "judged": strconv.Itoa(r.Judged)}
		set(annotations, "center_name", r.CenterName)
		set(annotations, "link", r.Link)
		if t, err := time.Parse("2006-01", r.Month); err == nil {
			annotations["period"] = indonesian.Month(t)
		}
		out = append(out, Alert{map[string]string{
			"alertname": reportAlert, "kind": "report", "center": r.Center, "month": r.Month,
		}, annotations, r.At, r.Until})
	}
	return out
}
