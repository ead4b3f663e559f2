package kendala

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/deploy"
)

// database is one late call, as the views and as the facts have it.
type database struct {
	facts store.CauseFacts
	cause string // by the views
	parts []store.CausePart
	err   error
	blank bool // no call has an answer stamp

	frozen  *store.Freeze
	asked   []store.CauseRange
	version uint64 // of the cases
	storing int    // in so many readings of version it has grown
}

func (d *database) Reached(context.Context) (store.Reached, error) {
	if d.storing > 0 {
		d.storing--
		d.version++
	}
	return store.Reached{Version: d.version}, nil
}

func (d *database) Frozen(context.Context, string, time.Time) (*store.Freeze, error) {
	return d.frozen, nil
}

func (d *database) AnswersStamped(context.Context, store.CauseRange) (bool, error) {
	return !d.blank, nil
}

func (d *database) CauseSums(_ context.Context, r store.CauseRange, _ string) ([]store.CauseSum, error) {
	d.asked = append(d.asked, r)
	return []store.CauseSum{{Indicator: Answer, Scope: "own", Cause: d.cause, N: 1, Examples: []string{"c1"}}}, d.err
}

func (d *database) CauseParts(context.Context, store.CauseRange, string, string) ([]store.CausePart, error) {
	return d.parts, nil
}

func (d *database) CauseCounts(context.Context, store.CauseRange) ([]store.CauseCount, error) {
	return []store.CauseCount{{Indicator: Answer, Scope: "own", Cause: d.cause, Numerator: 1, Denominator: 1, N: 1}}, nil
}

func (d *database) CauseCases(context.Context, store.CauseRange) ([]store.CauseCase, error) {
	return []store.CauseCase{{Indicator: Answer, ID: "c1", Scope: "own", At: d.facts.Calls[0].At(), Cause: d.cause}}, nil
}

func (d *database) CauseFacts(context.Context, store.CauseRange, time.Time) (*store.CauseFacts, error) {
	return &d.facts, nil
}

func oneLateCall() *database {
	at := time.Date(2026, 10, 5, 3, 0, 0, 0, time.UTC)
	call := casefile.Call{Key: event.Key{Center: "35.15", Kind: event.KindCall, ID: "c1"}, QueuedAt: at,
		AbandonedAt: at.Add(2 * time.Second)}
	return &database{cause: ShortWait, facts: store.CauseFacts{Calls: []store.CauseCall{{Call: call}}},
		parts: []store.CausePart{{Indicator: Answer, Scope: "own", Dimension: "category", N: 1}}}
}

func runner(d *database) *Runner {
	return NewRunner(d, directory.MustLoad("directory.yaml", deploy.Directory),
		func() time.Time { return time.Date(2026, 11, 5, 0, 0, 0, 0, time.UTC) })
}

// A check finds whatever differs: a cause, a number of monev_kendala, a sum, a decided case.
func TestCheckFindsWhatDiffers(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*database)
		want   string
	}{
		"nothing":               {func(*database) {}, ""},
		"another cause":         {func(d *database) { d.cause = Busy }, "putus_cepat by the function, sibuk by the view"},
		"another decided case":  {func(d *database) { d.parts[0].N = 2 }, "is 2, the function gives 1"},
		"a case that is not so": {func(d *database) { d.facts.Calls[0].AnsweredAt = d.facts.Calls[0].QueuedAt.Add(time.Second) }, "the function does not"},
	} {
		d := oneLateCall()
		tc.change(d)
		got, err := runner(d).Result(t.Context(), Request{Month: "2026-10", Check: true})
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(got.Check.Examples, "\n"); (got.Check.Differences > 0) != (tc.want != "") ||
			!strings.Contains(text, tc.want) {
			t.Errorf("%s: %d differences: %s", name, got.Check.Differences, text)
		}
	}
}

// Differences while cases are stored prove nothing: the check is done again, and told of when nothing moves.
func TestACheckWhileCasesAreStored(t *testing.T) {
	for storing, told := range map[int]bool{0: true, 2: true, 4: true, 6: false} {
		d := oneLateCall()
		d.cause, d.storing = Busy, storing
		got, err := runner(d).Result(t.Context(), Request{Month: "2026-10", Check: true})
		var away *store.UnavailableError
		switch {
		case told && (err != nil || got.Check.Differences == 0):
			t.Errorf("%d: %+v %v", storing, got.Check, err)
		case !told && (!errors.As(err, &away) || !strings.Contains(away.Reason, "when no import runs")):
			t.Errorf("%d: %v", storing, err)
		}
	}
}

// Where nobody stamps answers, no call has failed: it is not recorded.
func TestCallsWithoutAnswerStampsHaveNoCauses(t *testing.T) {
	d := oneLateCall()
	d.blank = true
	got, err := runner(d).Result(t.Context(), Request{Month: "2026-10", Check: true})
	if err != nil || len(got.Indicators) != 0 {
		t.Errorf("%+v %v", got.Indicators, err)
	}
}

func TestRequestsThatMakeNoSense(t *testing.T) {
	for want, q := range map[string]Request{
		"such as 2026-10":     {Month: "2026-13"},
		"in the future":       {Month: "2026-12"},
		"such as 2026-09":     {Month: "2026-10", Against: "september"},
		"against itself":      {Month: "2026-10", Against: "2026-10"},
		"knows no centre":     {Month: "2026-10", Center: "99.99"},
		"knows no OPD \"x\"":  {Month: "2026-10", OPD: "x"},
		"give a month such a": {},
		"\"0000-01\": give":   {Month: "0000-01"},
		"against \"0001-01\"": {Month: "2026-10", Against: "0001-01"},
	} {
		var no *RefusedError
		if _, err := runner(oneLateCall()).Result(t.Context(), q); !errors.As(err, &no) || !strings.Contains(no.Reason, want) {
			t.Errorf("%+v: %v, want %q", q, err, want)
		}
	}
	slow, large := oneLateCall(), oneLateCall()
	slow.err, large.err = context.DeadlineExceeded, &store.TooManyCasesError{What: "calls"}
	var away *store.UnavailableError
	if _, err := runner(slow).Result(t.Context(), Request{Month: "2026-10"}); !errors.As(err, &away) {
		t.Errorf("too slow: %v", err)
	}
	var no *RefusedError
	if _, err := runner(large).Result(t.Context(), Request{Month: "2026-10"}); !errors.As(err, &no) {
		t.Errorf("too many: %v", err)
	}
}

func TestAResultAsPrinted(t *testing.T) {
	got, err := runner(oneLateCall()).Result(t.Context(), Request{Month: "2026-10", Check: true})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	got.Write(&b)
	want := `Kendala 2026-10, pusat 35.15 (definisi ` + store.DefinitionVersion + `)

Panggilan dijawab dalam sasaran: 1 dari 1 tidak tercapai (100,0 %, 20,7 %–100,0 %); data terbatas
  putus_cepat  1  100,0 %  penelepon segera menutup  pusat layanan
  sejak 2026-09 menurut kategori: +0,0 poin (−79,3 sampai +79,3) = komposisi +0,0, tingkat +0,0; n 1 dan 1; data terbatas

Pemeriksaan: 1 kasus dan 5 angka dibandingkan, 0 berbeda
`
	if b.String() != want {
		t.Errorf("%s", b.String())
	}
}

// Why calls of a frozen month failed is told by the target by which the freeze counts them as failed.
func TestAFrozenMonthHasTheTargetOfItsFreeze(t *testing.T) {
	for name, tc := range map[string]struct {
		frozen *store.Freeze
		want   store.FigureTargets
	}{
		"not frozen": {nil, store.FigureTargets{Answer: 15, Short: 5}},
		"frozen": {&store.Freeze{Revision: 2, Figures: []store.Figure{{Name: "service_level",
			Dims: "measure=ketat,target=20", Parameters: "short=7"}}}, store.FigureTargets{Answer: 20, Short: 7}},
		"frozen without calls": {&store.Freeze{Revision: 1}, store.FigureTargets{Answer: 15, Short: 5}},
	} {
		d := oneLateCall()
		d.frozen = tc.frozen
		got, err := runner(d).Result(t.Context(), Request{Month: "2026-10"})
		if err != nil || len(d.asked) != 1 || d.asked[0].Targets != tc.want || got.Target != tc.want.Answer ||
			(got.Frozen > 0) != (tc.frozen != nil) {
			t.Errorf("%s: %+v %+v %v", name, d.asked, got, err)
		}
	}
}
