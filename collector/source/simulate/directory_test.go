package simulate

import (
	"testing"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/deploy"
)

// The shipped directory knows every name that the simulation uses, in the words in which it uses them: else totals by
// OPD or kecamatan could not be compared.
func TestTheDirectoryKnowsEveryName(t *testing.T) {
	d := directory.MustLoad("directory.yaml", deploy.Directory)
	for _, g := range []*Generator{liveDay(t), generator(t, Load, Options{From: noon(), Cases: 300})} {
		decode(t, g, func(_ *Message, e *event.Event) {
			before := [...]string{e.Center, e.OPD, e.Kecamatan, e.Category}
			exact := e.Lat
			if review := d.Normalize(e); len(review) > 0 {
				t.Fatalf("%s: to be reviewed: %+v", e.ID, review)
			}
			if after := [...]string{e.Center, e.OPD, e.Kecamatan, e.Category}; after != before || exact != nil &&
				*e.Lat != *exact {
				t.Fatalf("%s: %v (exact place %v) became %v", e.ID, before, exact, after)
			}
		})
	}
	for scope, works := range map[string][]work{scopeOwn: figures().Own, scopeVertical: figures().Vertical} {
		for _, w := range works {
			for _, opd := range []string{w.OPD, w.MistakenFor} {
				if got := string(d.ScopeOf("35.15", opd)); got != scope {
					t.Errorf("%s is %s to the directory, %s here", opd, got, scope)
				}
			}
		}
	}
}
