package report

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/deploy"
)

// newMaker is a Runner over one frozen month, 2023-10. Its clock stands still until it is moved.
func newMaker(t *testing.T, log *slog.Logger) (*Runner, *time.Time) {
	t.Helper()
	now := time.Date(2023, 11, 2, 3, 0, 0, 0, time.UTC)
	figures := month("dishub").Figures
	for i := range figures {
		if figures[i].Name == "service_level" {
			figures[i].Parameters = "short=5"
		}
	}
	r, err := New(Config{DataDir: t.TempDir(), Database: &frozenDatabase{figures: figures},
		Prepared: func() bool { return true }, Directory: directory.MustLoad("directory.yaml", deploy.Directory),
		Book: &sla.Book{}, Now: func() time.Time { return now }, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.stop)
	return r, &now
}

func TestRequestsThatMakeNoSense(t *testing.T) {
	r, _ := newMaker(t, slog.New(slog.DiscardHandler))
	for _, c := range []struct {
		q        Request
		conflict bool
		want     string
	}{
		{Request{Month: "2023-13"}, false, `Bulan "2023-13" tidak dikenali`},
		{Request{Month: "0000-01"}, false, `Bulan "0000-01" tidak dikenali`},
		{Request{Month: "2023-12"}, true, "Desember 2023 belum dimulai"},
		{Request{Month: "2023-10", OPD: "x"}, false, `perangkat daerah "x"`},
		{Request{Month: "2023-10", Center: "99.99"}, false, `pusat layanan "99.99"`},
		{Request{Month: "2023-10", Edition: 7}, true, "Laporan Oktober 2023 tidak mempunyai edisi 7"},
	} {
		var no *RefusedError
		if _, err := r.Report(t.Context(), c.q); !errors.As(err, &no) || no.Conflict != c.conflict || no.Reason == "" ||
			!strings.Contains(no.Sebab, c.want) {
			t.Errorf("%+v: %v, %+v, want %q", c.q, err, no, c.want)
		}
	}
}

// A report that takes longer than its asker waits is made all the same, once, and is the answer to who asks next.
func TestAReportOutlivesItsAskers(t *testing.T) {
	r, now := newMaker(t, slog.New(slog.DiscardHandler))
	finish, made := make(chan error), 0
	do := func(ctx context.Context) (*Result, error) {
		made++
		err := <-finish
		return &Result{OPD: "made"}, errors.Join(err, ctx.Err())
	}
	impatient, leave := context.WithCancel(t.Context())
	leave()
	w := wanted{center: "35.15", month: "2026-10", draft: true}
	for range 2 {
		var wait *MakingError
		if _, err := r.once(impatient, w, do); !errors.As(err, &wait) {
			t.Fatal(err)
		}
	}
	m := r.made[w]
	finish <- nil
	<-m.done
	if a, err := r.once(t.Context(), w, do); err != nil || a.OPD != "made" || made != 1 {
		t.Fatal(a, err, made)
	}
	// It was given: the next one is made anew, and shared by those who wait for it.
	answers := make(chan error, 3)
	for range cap(answers) {
		go func() {
			_, err := r.once(t.Context(), w, do)
			answers <- err
		}()
	}
	for got := 0; got < cap(answers); {
		select {
		case err := <-answers:
			if got++; err == nil || err.Error() != "away" {
				t.Error(err)
			}
		case finish <- errors.New("away"): // also for one who came after the others had their answer
		}
	}
	// What nobody fetches is forgotten: at once where that could hide what was written since.
	for _, c := range []struct {
		wanted
		keep time.Duration
	}{
		{wanted{draft: true}, keepMade}, {wanted{fresh: true}, keepFresh}, {wanted{again: true}, 0},
		{wanted{again: true, polls: true}, keepFresh},
	} {
		if _, err := r.once(impatient, c.wanted, do); err == nil {
			t.Error("an answer before it was made")
		}
		m := r.made[c.wanted]
		finish <- nil
		<-m.done
		if c.keep > 0 {
			*now = now.Add(c.keep - 1)
			r.mu.Lock()
			r.forget()
			kept := r.made[c.wanted] == m
			r.mu.Unlock()
			if !kept {
				t.Errorf("%+v: forgotten before %v", c.wanted, c.keep)
			}
			*now = now.Add(1)
		}
		if _, err := r.once(impatient, c.wanted, do); err == nil || r.made[c.wanted] == m {
			t.Errorf("%+v: given after %v: %v", c.wanted, c.keep, err)
		}
		m = r.made[c.wanted]
		finish <- nil
		<-m.done
	}
}

// Few reports are under way or wait to be fetched, whatever is asked for.
func TestMakingsAreFew(t *testing.T) {
	r, _ := newMaker(t, slog.New(slog.DiscardHandler))
	finish := make(chan struct{})
	do := func(context.Context) (*Result, error) { <-finish; return &Result{}, nil }
	impatient, leave := context.WithCancel(t.Context())
	leave()
	ask := func(n int) error {
		_, err := r.once(impatient, wanted{month: fmt.Sprint(n)}, do)
		return err
	}
	var wait *MakingError
	var busy *BusyError
	for n := range maxMakings {
		if err := ask(n); !errors.As(err, &wait) {
			t.Fatal(err)
		}
	}
	if err := ask(maxMakings); !errors.As(err, &busy) {
		t.Errorf("one more: %v", err)
	}
	if err := ask(0); !errors.As(err, &wait) {
		t.Errorf("one that is being made: %v", err)
	}
	close(finish)
	for n := range 3 * maxKept {
		for err := ask(n); errors.As(err, &busy); err = ask(n) {
		}
	}
	r.stop()
	if len(r.made) > maxKept {
		t.Errorf("%d results are kept", len(r.made))
	}
}

// A fault of a report is the end of that report alone, and leaves the turn to the next.
func TestAPanicIsAnError(t *testing.T) {
	var log strings.Builder
	r, _ := newMaker(t, slog.New(slog.NewTextHandler(&log, nil)))
	sound := r.cfg.Database
	r.cfg.Database = nil // which no service has
	if _, err := r.Report(t.Context(), Request{Month: "2023-10"}); err == nil || !strings.Contains(err.Error(), "panicked") {
		t.Errorf("%v", err)
	}
	r.cfg.Boards = []string{r.cfg.Directory.DefaultCenter()}
	if err := r.look(t.Context(), r.cfg.Now()); err == nil || !strings.Contains(err.Error(), "panicked") {
		t.Errorf("by itself: %v", err)
	}
	if !strings.Contains(log.String(), "report panicked") || !strings.Contains(log.String(), "runner.go") {
		t.Errorf("the log does not tell: %s", log.String())
	}
	r.cfg.Database = sound
	if _, err := r.Report(t.Context(), Request{Month: "2023-10"}); err != nil {
		t.Error(err)
	}
}

// Who waits for the turn leaves when time is up; a stop ends what is made and hands nothing out.
func TestAStopHandsNothingOut(t *testing.T) {
	r, _ := newMaker(t, slog.New(slog.DiscardHandler))
	unlock, err := r.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	q := Request{Month: "2023-10", Again: true, Wait: 1, Kept: func(*Edition) { t.Error("handed out") }}
	var wait *MakingError
	if _, err := r.Report(t.Context(), q); !errors.As(err, &wait) {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	r.cfg.Prepared = func() bool { return false } // nothing is made by itself
	r.Run(ended)                                  // returns although the turn is taken
	unlock()
	var busy *BusyError
	if _, err := r.Report(t.Context(), q); !errors.As(err, &busy) {
		t.Error(err)
	}
	r.cfg.Prepared = func() bool { return true }
	c, _ := r.center("")
	if _, err := r.whole(ended, c, firstDay, q); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if n, err := r.archive.Editions(c.Code, q.Month); len(n) > 0 || err != nil {
		t.Error(n, err)
	}
}

// What was handed out after its asker had left is noted, once, for who asked first.
func TestAHandOutIsNotedWhereItIsKept(t *testing.T) {
	r, _ := newMaker(t, slog.New(slog.DiscardHandler))
	unlock, err := r.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	noted := make(chan string, 2)
	for _, name := range []string{"sekretariat", "lain"} {
		q := Request{Month: "2023-10", Again: true, Wait: 1, By: name,
			Kept: func(e *Edition) { noted <- fmt.Sprintf("%s %d %s", name, e.Number, e.By) }}
		var wait *MakingError
		if _, err := r.Report(t.Context(), q); !errors.As(err, &wait) {
			t.Fatal(err)
		}
	}
	unlock()
	r.makings.Wait()
	close(noted)
	if got := <-noted; got != "sekretariat 1 sekretariat" {
		t.Error(got)
	}
	if got, more := <-noted; more {
		t.Error(got)
	}
}
