// Package information makes the gap list of the information service: what the knowledge base lacks. It is pure: rows of
// store.InformationTopics in, a list out.
package information

import (
	"cmp"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/store"
)

// Other is the topic under which small cells of sensitive topics are counted together.
const Other = "lainnya"

// smallCell is below how many questions a sensitive topic is not shown by itself.
const smallCell = 5

// Topic counts the questions about one topic.
type Topic struct {
	Topic                       string // id of a category; empty: the call has none
	N, Told                     uint64 // questions, and those whose outcome is recorded
	Answered, Referred, Unknown uint64
	Followed, Repeats           uint64    // number and topic known; of a number that called about it within 7 days before
	Offices                     []string  // to whom they were referred, sorted
	LastUnknown                 time.Time // day of the latest that nobody could answer
}

// Gaps is the gap list: topics by what nobody knew and by repeats, the worst first, without those that have neither.
// Outside are the questions that were referred to offices outside of the regency's power; they are not in Lacking.
type Gaps struct{ Lacking, Outside []Topic }

// List makes the gap list. sensitive says which topics are not shown below 5 questions; outside which offices are
// beyond the regency's power.
func List(rows []store.InformationTopic, sensitive, outside func(id string) bool) Gaps {
	listOf := func(r *store.InformationTopic) int {
		if r.ReferredTo != "" && outside(r.ReferredTo) {
			return 1
		}
		return 0
	}
	total := [2]map[string]uint64{{}, {}}
	for i := range rows {
		total[listOf(&rows[i])][rows[i].Topic] += rows[i].N
	}
	sums := [2]map[string]*Topic{{}, {}}
	for _, r := range rows {
		at, name := listOf(&r), r.Topic
		if total[at][name] < smallCell && name != "" && sensitive(name) {
			name = Other
		}
		t := sums[at][name]
		if t == nil {
			t = &Topic{Topic: name}
			sums[at][name] = t
		}
		t.N, t.Told, t.Answered, t.Referred = t.N+r.N, t.Told+r.Told, t.Answered+r.Answered, t.Referred+r.Referred
		t.Unknown, t.Followed, t.Repeats = t.Unknown+r.Unknown, t.Followed+r.Followed, t.Repeats+r.Repeats
		if r.LastUnknown.After(t.LastUnknown) {
			t.LastUnknown = r.LastUnknown
		}
		if i, known := slices.BinarySearch(t.Offices, r.ReferredTo); r.ReferredTo != "" && !known {
			t.Offices = slices.Insert(t.Offices, i, r.ReferredTo)
		}
	}
	list := func(of map[string]*Topic, keep func(*Topic) bool) (out []Topic) {
		for _, t := range of {
			if keep(t) {
				out = append(out, *t)
			}
		}
		slices.SortFunc(out, func(a, b Topic) int {
			return cmp.Or(cmp.Compare(b.Unknown, a.Unknown), cmp.Compare(b.Repeats, a.Repeats), cmp.Compare(b.N, a.N),
				cmp.Compare(a.Topic, b.Topic))
		})
		return out
	}
	return Gaps{
		Lacking: list(sums[0], func(t *Topic) bool { return t.Unknown > 0 || t.Repeats > 0 }),
		Outside: list(sums[1], func(*Topic) bool { return true }),
	}
}
