package ingest_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/internal/disk/disktest"
	"github.com/monev112/monev112/collector/observability/metrics"
)

// A disk that does not answer stops the loop: readiness, the metric and those who send are told after 5 s, and not by
// how long it was idle before.
func TestALoopThatStandsStillIsNotReady(t *testing.T) {
	var stalled func() time.Duration
	obs := ingest.Observer{Watch: func(f func() time.Duration) { stalled = f }}
	bubble(t, ingest.Config{}, obs, func(d *disktest.FS, l *ingest.Loop, b *modelBoard) {
		time.Sleep(time.Hour) // of the modelled clock
		hold, held := holdFirst(d)
		done := make(chan error, 1)
		go func() {
			_, err := l.Submit(context.Background(), []*event.Event{ev("0", 1)})
			done <- err
		}()
		<-held
		time.Sleep(ingest.StalledAfter)
		if err := l.Ready(); err != nil || stalled() != ingest.StalledAfter {
			t.Errorf("after %s: ready %v", stalled(), err)
		}
		time.Sleep(time.Millisecond)
		if err := l.Ready(); !errors.Is(err, ingest.ErrUnavailable) {
			t.Errorf("after %s: ready %v", stalled(), err)
		}
		if _, err := l.Submit(context.Background(), []*event.Event{ev("1", 1)}); !errors.Is(err, ingest.ErrUnavailable) {
			t.Errorf("a sender is told %v", err)
		}
		close(hold)
		if err := <-done; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if err := l.Ready(); err != nil || stalled() != 0 {
			t.Errorf("when it goes on: stalled for %s, ready %v", stalled(), err)
		}
	})
}

// A clean stop is no error: nobody has to look at it.
func TestACleanStopLogsNoError(t *testing.T) {
	m, err := metrics.New(metrics.Config{Vocabulary: metrics.DefaultVocabulary()})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	obs := ingest.Observe(m, slog.New(slog.NewTextHandler(&log, nil)))
	bubble(t, ingest.Config{}, obs, func(*disktest.FS, *ingest.Loop, *modelBoard) {})
	if text := log.String(); strings.Contains(text, "ERROR") || !strings.Contains(text, "no longer accepted") {
		t.Errorf("the log says:\n%s", text)
	}
}
