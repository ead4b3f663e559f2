package metrics

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	_ "github.com/prometheus/client_golang/prometheus/promhttp/zstd" // lets a scrape ask for zstd
)

// HTTP measures the service's own requests.
type HTTP struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	inFlight prometheus.Gauge
	streams  *probe
	audit    *probe
	routes   closed
	codes    closed
}

func newHTTP(b *builder, v *Vocabulary) *HTTP {
	h := &HTTP{
		requests: b.counter("http_requests_total"),
		seconds:  b.histogram("http_request_seconds"),
		inFlight: b.gauge("http_requests_in_flight").WithLabelValues(),
		streams:  b.probe("board_streams", "board_streams_refused_total"),
		audit:    b.probe("audit_failures_total"),
		routes:   newClosed(v.Routes, Other, ""),
		codes:    newClosed([]string{"200", "400", "401", "403", "404", "405", "413", "415", "429", "500", "503"}, Other, ""),
	}
	create(h.seconds.MetricVec, h.routes.values)
	create(h.requests.MetricVec, h.routes.values, h.codes.values)
	return h
}

// Began counts a request as in flight until the returned function is called with its route pattern and status.
func (h *HTTP) Began() (ended func(route string, status int, took time.Duration)) {
	h.inFlight.Inc()
	return func(route string, status int, took time.Duration) {
		h.inFlight.Dec()
		route = h.routes.of(route)
		h.requests.WithLabelValues(route, h.codes.of(strconv.Itoa(status))).Inc()
		h.seconds.WithLabelValues(route).Observe(took.Seconds())
	}
}

// WatchStreams gives the function that says how many streams of the board are open, and how many were refused.
func (h *HTTP) WatchStreams(state func() (open, refused int)) {
	h.streams.watch(func() []float64 {
		open, refused := state()
		return []float64{float64(open), float64(refused)}
	})
}

// WatchAudit gives the function that says how many entries of the record of reads could not be written.
func (h *HTTP) WatchAudit(failed func() int64) {
	h.audit.watch(func() []float64 { return []float64{float64(failed())} })
}

// maxScrapes bounds concurrent scrapes; more are answered 503, so that a hung scraper cannot hold the memory.
const maxScrapes = 4

// Handler answers a scrape in text, OpenMetrics or protobuf (which carries native histograms), plain, gzip or zstd. A
// metric that cannot be collected is logged and counted and does not hide the others.
func (r *Registry) Handler() http.Handler {
	return promhttp.HandlerFor(r.prom, promhttp.HandlerOpts{
		Registry:            r.prom,
		ErrorLog:            scrapeLog{r},
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: maxScrapes,
		EnableOpenMetrics:   true,
	})
}

type scrapeLog struct{ r *Registry }

// Println implements promhttp.Logger. promhttp calls it once for each metric that it could not write: of a scraper that
// went away there is nothing to say, its own `up` tells.
func (l scrapeLog) Println(v ...any) {
	for _, reason := range v {
		var network *net.OpError
		if err, ok := reason.(error); ok && errors.As(err, &network) {
			return
		}
	}
	l.r.logger.Error("scrape is incomplete", "reason", strings.TrimSpace(fmt.Sprintln(v...)))
}
