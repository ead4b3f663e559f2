package metrics

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Delivery measures the messages that the service sends to people itself. Without any its gauges are absent.
type Delivery struct {
	messages                            *prometheus.CounterVec
	waiting, refused, stopped, silences *prometheus.Desc
	channels                            []string // that may refuse the account; set before state
	state                               atomic.Pointer[func() DeliveryState]
}

// DeliveryState is the outbox at one instant.
type DeliveryState struct {
	Waiting     int                           // messages that no channel has taken
	Refused     map[string]bool               // channels that refuse the account
	Stopped     []string                      // templates that must not be sent
	Undelivered map[Undelivered]time.Duration // for how long a channel has delivered nothing to an OPD
}

// Undelivered names an OPD and the first of the ways to it.
type Undelivered struct{ Center, OPD, Channel string }

func newDelivery(b *builder) *Delivery {
	d := &Delivery{
		messages: b.counter("delivery_messages_total"), waiting: b.desc("delivery_waiting"),
		refused: b.desc("delivery_account_refused"), stopped: b.desc("delivery_template_stopped"),
		silences: b.desc("delivery_undelivered_seconds"),
	}
	b.register(d)
	return d
}

// Message counts a message that came to a state: accepted, delivered, read or failed.
func (d *Delivery) Message(channel, state string) { d.messages.WithLabelValues(channel, state).Inc() }

// Watch gives the function that is asked at each scrape, and says whether the service speaks to WhatsApp.
func (d *Delivery) Watch(state func() DeliveryState, whatsapp bool) {
	d.channels = []string{"telegram"}
	if whatsapp {
		d.channels = []string{"whatsapp", "telegram"}
		create(d.messages.MetricVec, []string{"whatsapp"}, []string{"accepted", "delivered", "read", "failed"})
	}
	create(d.messages.MetricVec, []string{"telegram", "email"}, []string{"accepted", "failed"})
	d.state.Store(&state)
}

// Describe implements prometheus.Collector.
func (d *Delivery) Describe(ch chan<- *prometheus.Desc) {
	ch <- d.waiting
	ch <- d.refused
	ch <- d.stopped
	ch <- d.silences
}

// Collect implements prometheus.Collector.
func (d *Delivery) Collect(ch chan<- prometheus.Metric) {
	ask := d.state.Load()
	if ask == nil {
		return
	}
	s := (*ask)()
	gauge := func(desc *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v, labels...)
	}
	gauge(d.waiting, float64(s.Waiting))
	for _, channel := range d.channels {
		refused := 0.0
		if s.Refused[channel] {
			refused = 1
		}
		gauge(d.refused, refused, channel)
	}
	for _, name := range s.Stopped {
		gauge(d.stopped, 1, name)
	}
	for k, age := range s.Undelivered {
		gauge(d.silences, age.Seconds(), k.Center, k.OPD, k.Channel)
	}
}
