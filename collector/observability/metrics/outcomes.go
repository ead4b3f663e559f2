package metrics

import (
	"slices"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/tracker"
)

// outcomes holds what moves on outcomes of live events.
type outcomes struct {
	*labels
	channels, classes, unservedReasons, intervals closed

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

func newOutcomes(b *builder, v *Vocabulary, shared *labels) *outcomes {
	l := &outcomes{
		labels:          shared,
		channels:        newClosed(v.Channels, event.ChannelOther, ""),
		classes:         newClosed(v.Classes, Unknown, ""),
		unservedReasons: newClosed(v.UnservedReasons, Other, ""),
		intervals:       newClosed(v.Intervals, Other, ""),
		received:        b.counter("calls_received_total"),
		offered:         b.counter("calls_offered_total"),
		answered:        b.counter("calls_answered_total"),
		within:          b.counter("calls_within_target_total"),
		abandoned:       b.counter("calls_abandoned_total"),
		unserved:        b.counter("calls_unserved_total"),
		blocked:         b.counter("calls_blocked_total"),
		classified:      b.counter("calls_classified_total"),
		reclassified:    b.counter("calls_reclassified_total"),
		opened:          b.counter("tickets_opened_total"),
		bounces:         b.counter("ticket_bounces_total"),
		reopened:        b.counter("tickets_reopened_total"),
		clockStopped:    b.counter("clock_stopped_total"),
		answerSeconds:   b.histogram("call_answer_seconds"),
		classifySeconds: b.histogram("call_classify_seconds"),
		talkSeconds:     b.histogram("call_talk_seconds"),
		intervalSeconds: b.histogram("ticket_interval_seconds"),
	}
	for _, t := range slices.Compact(slices.Sorted(slices.Values(v.AnswerTargets))) {
		l.targets = append(l.targets, target{t.Seconds(), secondsLabel(t)})
	}
	for _, center := range l.centers.values {
		l.create(center)
	}
	return l
}

// create makes every series of a centre at zero.
func (l *outcomes) create(center string) {
	c, opds := []string{center}, l.opds[center].values
	create(l.received.MetricVec, c, l.channels.values)
	for _, t := range l.targets {
		l.within.WithLabelValues(center, t.label)
	}
	create(l.unserved.MetricVec, c, l.unservedReasons.values)
	create(l.classified.MetricVec, c, l.classes.values)
	create(l.talkSeconds.MetricVec, c, l.classes.values)
	create(l.reclassified.MetricVec, c, l.classes.values, l.classes.values)
	for _, class := range l.classes.values {
		l.reclassified.DeleteLabelValues(center, class, class)
	}
	create(l.offered.MetricVec, c)
	create(l.answered.MetricVec, c)
	create(l.abandoned.MetricVec, c, []string{"true", "false"})
	create(l.blocked.MetricVec, c)
	create(l.answerSeconds.MetricVec, c)
	create(l.classifySeconds.MetricVec, c)
	create(l.bounces.MetricVec, c, opds)
	create(l.reopened.MetricVec, c, opds)
	create(l.opened.MetricVec, c, opds, l.given)
	create(l.intervalSeconds.MetricVec, c, l.intervals.known(), opds)
	results := []string{"met", "breached"}
	create(l.clockStopped.MetricVec, c, []string{answerClock}, []string{None}, []string{None}, results)
	create(l.clockStopped.MetricVec, c, l.ticketClocks(), opds, l.given, results)
}

// answerClock is the one clock of a call; calls have no OPD and no priority.
const answerClock = "answer"

// Observe moves the counters and histograms by one outcome of a live event. The caller does not hand in outcomes of a
// replay, of a backfilled event or of a historical centre.
func (r *Registry) Observe(o tracker.Outcome) { r.outcomes.observe(o, nil) }

// ObserveTraced is Observe with the span in which the outcome became known: a sampled span becomes an exemplar.
func (r *Registry) ObserveTraced(o tracker.Outcome, span trace.SpanContext) {
	if !span.IsSampled() || !span.IsValid() {
		r.outcomes.observe(o, nil)
		return
	}
	r.outcomes.observe(o, prometheus.Labels{"trace_id": span.TraceID().String(), "span_id": span.SpanID().String()})
}

func (l *outcomes) observe(o tracker.Outcome, exemplar prometheus.Labels) {
	center := l.centers.of(o.Center)
	opd := l.opds[center].of(o.OPD)
	switch o.Kind {
	case tracker.CallBecameReceived:
		l.received.WithLabelValues(center, l.channels.of(event.ChannelLabel(o.Channel))).Inc()
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
		l.unserved.WithLabelValues(center, l.unservedReasons.of(o.Reason)).Inc()
	case tracker.CallBecameBlocked:
		l.blocked.WithLabelValues(center).Inc()
	case tracker.CallBecameClassified:
		l.classified.WithLabelValues(center, l.classes.of(o.Class)).Inc()
		if o.HasSeconds {
			record(l.classifySeconds.WithLabelValues(center), o.Seconds, exemplar)
		}
	case tracker.CallBecameReclassified:
		l.reclassified.WithLabelValues(center, l.classes.of(o.From), l.classes.of(o.Class)).Inc()
	case tracker.CallBecameTalked:
		record(l.talkSeconds.WithLabelValues(center, l.classes.of(o.Class)), o.Seconds, exemplar)
	case tracker.TicketBecameOpened:
		l.opened.WithLabelValues(center, opd, l.priorities.of(o.Priority)).Inc()
	case tracker.TicketBounced:
		l.bounces.WithLabelValues(center, opd).Inc()
	case tracker.TicketBecameReopened:
		l.reopened.WithLabelValues(center, opd).Inc()
	case tracker.TicketInterval:
		record(l.intervalSeconds.WithLabelValues(center, l.intervals.of(o.Interval), opd), o.Seconds, exemplar)
	case tracker.ClockStopped:
		clock, priority := l.clocks.of(o.Clock), l.priorities.of(o.Priority)
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
