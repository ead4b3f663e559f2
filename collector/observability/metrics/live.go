package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/tracker"
)

// live holds what moves on outcomes of live events.
type live struct {
	sets *sets

	received, offered, answered, within, abandoned *prometheus.CounterVec
	unserved, blocked, classified, reclassified    *prometheus.CounterVec
	opened, bounces, reopened, clockStopped        *prometheus.CounterVec
	answerSeconds, classifySeconds, talkSeconds    *prometheus.HistogramVec
	intervalSeconds                                *prometheus.HistogramVec
	targets                                        []target
}

type target struct {
	seconds float64
	label   string
}

func newLive(b *builder, s *sets) *live {
	l := &live{
		sets:            s,
		received:        b.counterVec("calls_received_total"),
		offered:         b.counterVec("calls_offered_total"),
		answered:        b.counterVec("calls_answered_total"),
		within:          b.counterVec("calls_within_target_total"),
		abandoned:       b.counterVec("calls_abandoned_total"),
		unserved:        b.counterVec("calls_unserved_total"),
		blocked:         b.counterVec("calls_blocked_total"),
		classified:      b.counterVec("calls_classified_total"),
		reclassified:    b.counterVec("calls_reclassified_total"),
		opened:          b.counterVec("tickets_opened_total"),
		bounces:         b.counterVec("ticket_bounces_total"),
		reopened:        b.counterVec("tickets_reopened_total"),
		clockStopped:    b.counterVec("clock_stopped_total"),
		answerSeconds:   b.histogramVec("call_answer_seconds"),
		classifySeconds: b.histogramVec("call_classify_seconds"),
		talkSeconds:     b.histogramVec("call_talk_seconds"),
		intervalSeconds: b.histogramVec("ticket_interval_seconds"),
	}
	for _, t := range s.targets {
		l.targets = append(l.targets, target{t.Seconds(), secondsLabel(t)})
	}
	for _, c := range s.centers.values {
		l.create(c)
	}
	return l
}

// create makes every series of a centre at zero.
func (l *live) create(center string) {
	s := l.sets
	for _, v := range s.channels.values {
		l.received.WithLabelValues(center, v)
	}
	for _, t := range l.targets {
		l.within.WithLabelValues(center, t.label)
	}
	for _, v := range s.unserved.values {
		l.unserved.WithLabelValues(center, v)
	}
	for _, from := range s.classes.values {
		l.classified.WithLabelValues(center, from)
		l.talkSeconds.WithLabelValues(center, from)
		for _, to := range s.classes.values {
			if from != to {
				l.reclassified.WithLabelValues(center, from, to)
			}
		}
	}
	l.offered.WithLabelValues(center)
	l.answered.WithLabelValues(center)
	l.abandoned.WithLabelValues(center, "true")
	l.abandoned.WithLabelValues(center, "false")
	l.blocked.WithLabelValues(center)
	l.answerSeconds.WithLabelValues(center)
	l.classifySeconds.WithLabelValues(center)
	for _, id := range s.opds[center].ids.values {
		l.bounces.WithLabelValues(center, id)
		l.reopened.WithLabelValues(center, id)
		for _, p := range s.given {
			l.opened.WithLabelValues(center, id, p)
		}
		for _, i := range s.intervals.values {
			if i != Other {
				l.intervalSeconds.WithLabelValues(center, i, id)
			}
		}
	}
	for _, clock := range s.clocks.values {
		for _, result := range [...]string{"met", "breached"} {
			if clock == answerClock {
				l.clockStopped.WithLabelValues(center, clock, None, None, result)
				continue
			}
			if clock == Other {
				continue
			}
			for _, id := range s.opds[center].ids.values {
				for _, p := range s.given {
					l.clockStopped.WithLabelValues(center, clock, id, p, result)
				}
			}
		}
	}
}

// answerClock is the one clock of a call; calls have no OPD and no priority.
const answerClock = "answer"

// Observe moves the counters and histograms by one outcome of a live event. The caller does not hand in outcomes of a
// replay, of a backfilled event or of a historical centre.
func (r *Registry) Observe(o tracker.Outcome) { r.live.observe(o, nil) }

// ObserveTraced is Observe with the span in which the outcome became known: a sampled span becomes an exemplar.
func (r *Registry) ObserveTraced(o tracker.Outcome, span trace.SpanContext) {
	if !span.IsSampled() || !span.IsValid() {
		r.live.observe(o, nil)
		return
	}
	r.live.observe(o, prometheus.Labels{"trace_id": span.TraceID().String(), "span_id": span.SpanID().String()})
}

func (l *live) observe(o tracker.Outcome, exemplar prometheus.Labels) {
	s := l.sets
	center := s.centers.of(o.Center)
	opd := s.opds[center].ids.of(o.OPD)
	switch o.Kind {
	case tracker.CallBecameReceived:
		l.received.WithLabelValues(center, s.channels.of(event.ChannelLabel(o.Channel))).Inc()
	case tracker.CallBecameOffered:
		l.offered.WithLabelValues(center).Inc()
	case tracker.CallBecameAnswered:
		l.answered.WithLabelValues(center).Inc()
		if !o.HasSeconds {
			return
		}
		record(l.answerSeconds.WithLabelValues(center), o.Seconds, exemplar)
		for _, t := range l.targets {
			if o.Seconds <= t.seconds {
				l.within.WithLabelValues(center, t.label).Inc()
			}
		}
	case tracker.CallBecameAbandoned:
		l.abandoned.WithLabelValues(center, strconv.FormatBool(o.Short)).Inc()
	case tracker.CallBecameUnserved:
		l.unserved.WithLabelValues(center, s.unserved.of(o.Reason)).Inc()
	case tracker.CallBecameBlocked:
		l.blocked.WithLabelValues(center).Inc()
	case tracker.CallBecameClassified:
		l.classified.WithLabelValues(center, s.classes.of(o.Class)).Inc()
		if o.HasSeconds {
			record(l.classifySeconds.WithLabelValues(center), o.Seconds, exemplar)
		}
	case tracker.CallBecameReclassified:
		l.reclassified.WithLabelValues(center, s.classes.of(o.From), s.classes.of(o.Class)).Inc()
	case tracker.CallBecameTalked:
		record(l.talkSeconds.WithLabelValues(center, s.classes.of(o.Class)), o.Seconds, exemplar)
	case tracker.TicketBecameOpened:
		l.opened.WithLabelValues(center, opd, s.priorities.of(o.Priority)).Inc()
	case tracker.TicketBounced:
		l.bounces.WithLabelValues(center, opd).Inc()
	case tracker.TicketBecameReopened:
		l.reopened.WithLabelValues(center, opd).Inc()
	case tracker.TicketInterval:
		record(l.intervalSeconds.WithLabelValues(center, s.intervals.of(o.Interval), opd), o.Seconds, exemplar)
	case tracker.ClockStopped:
		clock, priority := s.clocks.of(o.Clock), s.priorities.of(o.Priority)
		if clock == answerClock {
			opd, priority = None, None
		}
		result := "met"
		if o.Result != "met" {
			result = "breached"
		}
		l.clockStopped.WithLabelValues(center, clock, opd, priority, result).Inc()
	}
}

// record ignores a negative interval: contradictory stamps are flagged on the case and must not bend a histogram.
func record(h prometheus.Observer, seconds float64, exemplar prometheus.Labels) {
	if seconds < 0 {
		return
	}
	if exemplar == nil {
		h.Observe(seconds)
		return
	}
	h.(prometheus.ExemplarObserver).ObserveWithExemplar(seconds, exemplar)
}
