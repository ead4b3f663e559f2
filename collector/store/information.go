package store

import (
	"context"
	"time"
)

// InformationRange is what one question about the information service covers: the days since <= day < until of a
// centre, as they are known now, or as of an instant.
type InformationRange struct {
	Center       string
	Since, Until time.Time // days, as UTC midnights
	AsOf         time.Time // zero: now
}

// view writes one of both views with its arguments.
func (r InformationRange) view(name, more string) string {
	return viewAt(name, r.AsOf, CauseRange{Since: r.Since, Until: r.Until}.span()+more)
}

// InformationMeasure is a row of monev_informasi. Share, Low and High are nil without a denominator, Coverage without
// any case.
type InformationMeasure struct {
	Period                     time.Time
	Name                       string // informasi, dijawab, dirujuk, tidak_tahu, kontak_pertama, berulang
	Numerator, Denominator, N  int64
	Coverage, Share, Low, High *float64
}

// InformationTopic is a row of monev_informasi_topics: the questions about one topic that were referred to one office,
// or to none.
type InformationTopic struct {
	Topic, ReferredTo                    string // empty: the call has no category; it was not referred
	N, Told, Answered, Referred, Unknown uint64
	Followed, Repeats                    uint64
	LastUnknown                          time.Time // the day of the latest that nobody could answer; zero: none
}

// Information reads the measures of the information service, by step: day, week, month, year, or all.
func (s *Store) Information(ctx context.Context, r InformationRange, step string) ([]InformationMeasure, error) {
	sql := `SELECT period, measure, numerator, denominator, n, coverage::Nullable(Float64),
		share::Nullable(Float64), low::Nullable(Float64), high::Nullable(Float64)
		FROM ` + r.view("monev_informasi", ", step = "+quote(step)) + ` WHERE center = ` + quote(r.Center) +
		` ORDER BY period, measure`
	return queryAll(ctx, s, "read the information service", sql, func(m *InformationMeasure) []any {
		return []any{&m.Period, &m.Name, &m.Numerator, &m.Denominator, &m.N, &m.Coverage, &m.Share, &m.Low, &m.High}
	})
}

// InformationTopics reads the questions of a range by topic and by the office that they were referred to.
func (s *Store) InformationTopics(ctx context.Context, r InformationRange) ([]InformationTopic, error) {
	sql := `SELECT topic::String, referred_to::String, n, told, dijawab, dirujuk, tidak_tahu, followed, repeats,
		if(tidak_tahu = 0, toDateTime(0, 'UTC'), toDateTime(last, 'UTC'))
		FROM ` + r.view("monev_informasi_topics", "") + ` WHERE center = ` + quote(r.Center) + ` ORDER BY topic, referred_to`
	topics, err := queryAll(ctx, s, "read the topics of questions", sql, func(t *InformationTopic) []any {
		return []any{&t.Topic, &t.ReferredTo, &t.N, &t.Told, &t.Answered, &t.Referred, &t.Unknown, &t.Followed, &t.Repeats,
			&t.LastUnknown}
	})
	for i := range topics {
		if t := &topics[i]; t.LastUnknown.Unix() == 0 {
			t.LastUnknown = time.Time{}
		}
	}
	return topics, err
}
