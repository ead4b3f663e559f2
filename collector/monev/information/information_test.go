package information

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	_ "github.com/monev112/monev112/collector/internal/rapidseed"
	"github.com/monev112/monev112/collector/store"
)

func sensitive(id string) bool { return id == "kdrt" }
func outside(id string) bool   { return id == "pln" }

func TestGapList(t *testing.T) {
	got := List([]store.InformationTopic{
		{Topic: "administrasi", N: 10, Told: 9, Answered: 6, Unknown: 3, Repeats: 1},
		{Topic: "administrasi", ReferredTo: "disdukcapil", N: 4, Told: 4, Referred: 4},
		{Topic: "administrasi", ReferredTo: "dpmptsp", N: 1, Told: 1, Referred: 1},
		{Topic: "kdrt", N: 4, Told: 4, Unknown: 4},
		{Topic: "listrik_padam", ReferredTo: "pln", N: 7, Told: 7, Referred: 7},
		{Topic: "sampah", N: 3, Told: 3, Answered: 3},
		{Topic: "", N: 2, Repeats: 0, Unknown: 1, Told: 1},
	}, sensitive, outside)
	want := Gaps{
		Lacking: []Topic{
			{Topic: Other, N: 4, Told: 4, Unknown: 4},
			{Topic: "administrasi", N: 15, Told: 14, Answered: 6, Referred: 5, Unknown: 3, Repeats: 1,
				Offices: []string{"disdukcapil", "dpmptsp"}},
			{Topic: "", N: 2, Told: 1, Unknown: 1},
		},
		Outside: []Topic{{Topic: "listrik_padam", N: 7, Told: 7, Referred: 7, Offices: []string{"pln"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestNoSmallCellOfASensitiveTopicIsShown, and nothing that nobody knew gets lost, whatever the rows.
func TestNoSmallCellOfASensitiveTopicIsShown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var rows []store.InformationTopic
		var unknown uint64
		for range rapid.IntRange(0, 12).Draw(t, "rows") {
			r := store.InformationTopic{
				Topic:      rapid.SampledFrom([]string{"", "kdrt", "sampah"}).Draw(t, "topic"),
				ReferredTo: rapid.SampledFrom([]string{"", "pln", "dlhk"}).Draw(t, "office"),
				N:          rapid.Uint64Range(1, 6).Draw(t, "n"),
			}
			r.Unknown = rapid.Uint64Range(0, r.N).Draw(t, "unknown")
			unknown += r.Unknown
			rows = append(rows, r)
		}
		g := List(rows, sensitive, outside)
		for _, list := range [][]Topic{g.Lacking, g.Outside} {
			for _, topic := range list {
				unknown -= topic.Unknown
				if topic.Topic == "kdrt" && topic.N < smallCell {
					t.Errorf("%d questions are shown", topic.N)
				}
			}
		}
		if unknown != 0 {
			t.Errorf("%d that nobody knew are in no list", unknown)
		}
	})
}
