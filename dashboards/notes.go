package dashboards

import (
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/deploy"
)

// notes are the annotations of pages over months: when another version of a policy began to apply, and days off.
func notes() []Annotation {
	policy := rows(`
		SELECT toDateTime(min(started_at)) AS time, concat('Kebijakan ', policy, ' versi ', policy_version, ' mulai berlaku') AS text, 'kebijakan' AS tags
		FROM clocks
		WHERE ` + here + ` AND policy_version != ''
		GROUP BY policy, policy_version
		HAVING time >= $__fromTime AND time < $__toTime`)
	policy.RefID = "Anno"
	days := rows(`
		SELECT toDateTime(d.1, '` + zone + `') AS time, d.2 AS text, 'libur' AS tags
		FROM (SELECT arrayJoin([` + daysOff() + `]) AS d)
		WHERE time >= $__fromTime AND time < $__toTime`)
	days.RefID = "Anno"
	return []Annotation{
		{Name: "Perubahan kebijakan", Datasource: clickhouseRef, Enable: true, IconColor: hoaxed, Target: &policy},
		{Name: "Hari libur dan cuti bersama", Datasource: clickhouseRef, Enable: true, IconColor: grey, Target: &days},
	}
}

// daysOff lists the days off of the shipped calendar as ClickHouse tuples of date and name.
func daysOff() string {
	c, err := shippedCalendar()
	if err != nil {
		panic(err) // the defaults are part of the program; a test of theirs fails before
	}
	var out []string
	for d := c.ValidFrom(); d.Before(c.CoveredUntil()); d = d.AddDate(0, 0, 1) {
		if off, ok := c.DayOffOn(d.Add(12 * time.Hour)); ok {
			out = append(out, fmt.Sprintf("(toDate('%s'), '%s')", d.Format(time.DateOnly),
				strings.ReplaceAll(off.Name, "'", `\'`)))
		}
	}
	return strings.Join(out, ", ")
}

func shippedCalendar() (*sla.Calendar, error) {
	const dir, name = "defaults/calendars", "id-sidoarjo"
	data, err := fs.ReadFile(deploy.Defaults, dir+"/"+name+".yaml")
	if err != nil {
		return nil, err
	}
	book, err := sla.Load([]sla.File{{Name: name + ".yaml", Data: data}}, sla.Config{Default: sla.Use{Calendar: name}})
	if err != nil {
		return nil, err
	}
	return book.Calendar(names.DefaultCenter()), nil
}
