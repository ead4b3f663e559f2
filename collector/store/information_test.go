package store

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/tracker"
)

// TestInformationServiceIsWhatItsCallsSay compares both views, as of now and of an instant, with a count of its own over
// the same calls.
func TestInformationServiceIsWhatItsCallsSay(t *testing.T) {
	s := openSink(t)
	rnd := rand.New(rand.NewPCG(5, 6))
	pick := func(of ...string) string { return of[rnd.IntN(len(of))] }
	const days = 24 * time.Hour
	from := at("2026-09-20 00:00:00")
	var calls []casefile.Call
	var rows []tracker.Row
	for i := range 600 {
		c := casefile.Call{
			Key: callKey(fmt.Sprint("i", i)), ReceivedAt: from.Add(time.Duration(rnd.IntN(50*24*3600)) * time.Second),
			Class: pick("informasi", "informasi", "informasi", "normal", "uji", "belum"), Events: 2,
			Category: pick("", "administrasi", "info_layanan", "kdrt"), Outcome: pick("", event.OutcomeDijawab,
				event.OutcomeDijawab, event.OutcomeDirujuk, event.OutcomeTidakTahu),
		}
		c.AnsweredAt = c.ReceivedAt.Add(5 * time.Second)
		c.ClassifiedAt = c.AnsweredAt.Add(time.Minute)
		c.FirstClassAt = c.ClassifiedAt
		if n := rnd.IntN(25); n > 0 {
			c.Caller = event.Caller{KeyID: "k1", Key: fmt.Sprint("c", n)}
		}
		if c.Outcome == event.OutcomeDirujuk {
			c.ReferredTo = pick("", "pln", "disdukcapil")
		}
		calls, rows = append(calls, c), append(rows, callRow(c))
	}
	if err := s.Upsert(t.Context(), rows, 1); err != nil {
		t.Fatal(err)
	}
	if err := s.FlushRollups(t.Context()); err != nil {
		t.Fatal(err)
	}
	since, until := at("2026-10-01 00:00:00"), at("2026-11-01 00:00:00")
	local := func(t time.Time) time.Time { return t.In(s.cfg.Location("35.15")) }
	for _, asOf := range []time.Time{{}, at("2026-10-20 10:00:00")} {
		now := asOf
		if asOf.IsZero() {
			now = time.Now()
		}
		want := map[string][3]int64{}
		topics := map[[2]string]InformationTopic{}
		add := func(name string, in bool, of bool) {
			m := want[name]
			if of {
				m[1]++
				if in {
					m[0]++
				}
			}
			m[2]++
			want[name] = m
		}
		known := func(c *casefile.Call) bool { return c.Class != "uji" && !c.ReceivedAt.After(now) }
		for i := range calls {
			c := &calls[i]
			day := local(c.ReceivedAt).Format(time.DateOnly)
			if !known(c) || day < since.Format(time.DateOnly) || day >= until.Format(time.DateOnly) {
				continue
			}
			classified := c.Class != "belum" && !c.FirstClassAt.After(now)
			if !c.AnsweredAt.After(now) {
				add("informasi", classified && c.Class == "informasi", classified)
			}
			if !classified || c.Class != "informasi" {
				continue
			}
			followed := c.Caller.Key != "" && c.Category != ""
			last, next := false, false
			for j := range calls {
				o := &calls[j]
				if j == i || !followed || !known(o) || o.Caller.Key != c.Caller.Key || o.Category != c.Category {
					continue
				}
				d := o.ReceivedAt.Sub(c.ReceivedAt)
				last, next = last || d <= 0 && d >= -7*days, next || d >= 0 && d <= 7*days
			}
			told := c.Outcome != ""
			for _, o := range event.Outcomes() {
				add(o, c.Outcome == o, told)
			}
			add("kontak_pertama", c.Outcome == event.OutcomeDijawab && !next,
				followed && told && !c.ReceivedAt.After(now.Add(-7*days)))
			add("berulang", last, followed)
			k := [2]string{c.Category, c.ReferredTo}
			row := topics[k]
			row.Topic, row.ReferredTo = k[0], k[1]
			row.N++
			for n, is := range map[*uint64]bool{
				&row.Told: told, &row.Answered: c.Outcome == event.OutcomeDijawab, &row.Referred: c.Outcome == event.OutcomeDirujuk,
				&row.Unknown: c.Outcome == event.OutcomeTidakTahu, &row.Followed: followed, &row.Repeats: last,
			} {
				if is {
					*n++
				}
			}
			topics[k] = row
		}
		r := InformationRange{Center: "35.15", Since: since, Until: until, AsOf: asOf}
		got, err := s.Information(t.Context(), r, "all")
		if err != nil {
			t.Fatal(err)
		}
		have := map[string][3]int64{}
		for _, m := range got {
			have[m.Name] = [3]int64{m.Numerator, m.Denominator, m.N}
			if m.Share == nil || m.Low == nil || *m.Share < *m.Low || *m.Share > *m.High || m.Coverage == nil {
				t.Errorf("%+v", m)
			}
		}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("as of %v (-counted +view):\n%s", asOf, diff)
		}
		rows, err := s.InformationTopics(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		byTopic := map[[2]string]InformationTopic{}
		for _, row := range rows {
			if (row.Unknown > 0) == row.LastUnknown.IsZero() {
				t.Errorf("%+v", row)
			}
			row.LastUnknown = time.Time{}
			byTopic[[2]string{row.Topic, row.ReferredTo}] = row
		}
		if diff := cmp.Diff(topics, byTopic); diff != "" {
			t.Errorf("topics as of %v (-counted +view):\n%s", asOf, diff)
		}
	}
}
