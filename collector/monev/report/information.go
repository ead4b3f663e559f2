package report

import (
	"cmp"
	"context"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/monev/information"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/store"
)

// maxGaps bounds the topics of a report that nobody could answer.
const maxGaps = 20

// outcomes in the order in which they are read.
var outcomes = [][2]string{{"dijawab", "Dijawab"}, {"dirujuk", "Dirujuk ke instansi lain"},
	{"tidak_tahu", "Tidak dapat dijawab"}}

// informationOf asks what came of the questions of a month, as it is known now; nil where nobody asked one.
func informationOf(ctx context.Context, db Database, dir *directory.Directory, center string, month time.Time) (
	*Information, error) {
	ask := store.InformationRange{Center: center, Since: month, Until: month.AddDate(0, 1, 0)}
	measures, err := db.Information(ctx, ask, "month")
	if err != nil {
		return nil, err
	}
	topics, err := db.InformationTopics(ctx, ask)
	if err != nil {
		return nil, err
	}
	gaps := information.List(topics, func(id string) bool { return dir.Private(center, id) },
		func(office string) bool { return string(dir.ScopeOf(center, office)) != sla.ScopeOwn })
	return informationSection(measures, gaps, func(topic string) string {
		c, _ := dir.Category(center, topic)
		return cmp.Or(c.Name, topic, "(tanpa topik)")
	}), nil
}

func informationSection(measures []store.InformationMeasure, gaps information.Gaps,
	name func(topic string) string) *Information {
	by := map[string]store.InformationMeasure{}
	for _, m := range measures {
		by[m.Name] = m
	}
	questions := by["dijawab"].N
	if questions == 0 {
		return nil
	}
	told := by["dijawab"].Denominator
	out := &Information{Calls: uint64(questions), Told: &Share{uint64(told), uint64(questions)}}
	for _, o := range outcomes {
		if told == 0 {
			break // not 0 but unknown
		}
		out.Outcomes = append(out.Outcomes, Count{o[1], uint64(by[o[0]].Numerator)})
	}
	out.Outcomes = append(out.Outcomes, Count{"Tidak tercatat", uint64(questions - told)})
	share := func(m store.InformationMeasure) *Share {
		if m.Denominator == 0 {
			return nil
		}
		return &Share{uint64(m.Numerator), uint64(m.Denominator)}
	}
	out.First, out.Repeated = share(by["kontak_pertama"]), share(by["berulang"])
	list := func(topics []information.Topic) (out []Gap) {
		for _, t := range topics[:min(len(topics), maxGaps)] {
			out = append(out, Gap{name(t.Topic), t.Unknown, t.Repeats, t.N})
		}
		return out
	}
	out.Gaps, out.Outside = nonNil(list(gaps.Lacking)), list(gaps.Outside)
	return out
}
