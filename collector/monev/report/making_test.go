package report

import (
	"context"
	"errors"
	"testing"
	"time"
)

// A report that takes longer than its asker waits is made all the same, once, and is the answer to who asks next.
func TestAReportOutlivesItsAskers(t *testing.T) {
	now := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	r := &Runner{cfg: Config{Now: func() time.Time { return now }}, made: map[wanted]*making{}}
	finish, made := make(chan error), 0
	do := func(ctx context.Context) (*Result, error) {
		made++
		err := <-finish
		return &Result{OPD: "made"}, errors.Join(err, ctx.Err())
	}
	impatient, leave := context.WithCancel(t.Context())
	leave()
	w := wanted{center: "35.15", month: "2026-10", again: true}
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
	// What nobody fetches is forgotten.
	if _, err := r.once(impatient, w, do); err == nil {
		t.Error("an answer before it was made")
	}
	m = r.made[w]
	finish <- nil
	<-m.done
	now = now.Add(keepMade)
	if _, err := r.once(impatient, w, do); err == nil || r.made[w] == m {
		t.Error(err)
	}
	finish <- nil
}
