package telemetry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// TraceConfig says whether, where to and how much to trace. Zero values take the defaults named beside them.
type TraceConfig struct {
	Version string // service.version
	// base URL of an OTLP/HTTP receiver, such as http://127.0.0.1:4318; empty asks the environment
	Endpoint    string
	SampleRatio float64      // share of requests that are traced, 0 to 1; 0 is 0.01. OTEL_TRACES_SAMPLER wins over it
	Logger      *slog.Logger // told of spans that could not be sent; nil discards

	exporter sdktrace.SpanExporter // in tests, instead of OTLP
}

// Defaults and bounds of tracing.
const (
	DefaultSampleRatio = 0.01
	MaxLinks           = 128 // of one span
	maxQueuedSpans     = 4096
	exportTimeout      = 10 * time.Second
	shutdownTimeout    = 5 * time.Second
	lossLogInterval    = time.Minute
)

// Tracing is a tracer provider and its end.
type Tracing struct {
	trace.TracerProvider
	sdk  *sdktrace.TracerProvider // nil when nothing is exported
	once sync.Once
	err  error
}

// NewTracing returns a provider that exports by OTLP over HTTP when an endpoint is configured or stands in
// OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, and one that does nothing otherwise or when
// OTEL_SDK_DISABLED is true. Headers, certificates and timeouts come from the standard OTEL_EXPORTER_OTLP_* variables.
// A receiver that is away costs spans, which are dropped past a bound, and nothing else.
func NewTracing(ctx context.Context, cfg TraceConfig) (*Tracing, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.SampleRatio < 0 || cfg.SampleRatio > 1 {
		return nil, fmt.Errorf("telemetry: sample ratio %v is not between 0 and 1", cfg.SampleRatio)
	}
	configured := cfg.Endpoint != "" || cfg.exporter != nil || os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" ||
		os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
	if !configured || strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return &Tracing{TracerProvider: noop.NewTracerProvider()}, nil
	}
	exporter, err := newExporter(ctx, cfg)
	if err != nil {
		return nil, err
	}
	res, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(
		attribute.String("service.name", "monev112"), attribute.String("service.version", cfg.Version)),
		resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("telemetry: resource: %w", err)
	}
	opts := []sdktrace.TracerProviderOption{
		sdktrace.WithResource(res),
		sdktrace.WithoutPanicRecording(), // the value of a panic may hold data
		sdktrace.WithBatcher(&lossLogger{SpanExporter: exporter, logger: cfg.Logger},
			sdktrace.WithMaxQueueSize(maxQueuedSpans), sdktrace.WithExportTimeout(exportTimeout)),
	}
	if os.Getenv("OTEL_TRACES_SAMPLER") == "" {
		opts = append(opts, sdktrace.WithSampler(batchSampler(cmp.Or(cfg.SampleRatio, DefaultSampleRatio))))
	}
	sdk := sdktrace.NewTracerProvider(opts...)
	return &Tracing{TracerProvider: sdk, sdk: sdk}, nil
}

func newExporter(ctx context.Context, cfg TraceConfig) (sdktrace.SpanExporter, error) {
	if cfg.exporter != nil {
		return cfg.exporter, nil
	}
	var opts []otlptracehttp.Option
	if cfg.Endpoint != "" {
		u, err := url.Parse(cfg.Endpoint)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf(
				"telemetry: endpoint %q: use the base URL of an OTLP/HTTP receiver, such as http://127.0.0.1:4318",
				redact(cfg.Endpoint))
		}
		opts = append(opts, otlptracehttp.WithEndpointURL(u.JoinPath("v1", "traces").String()))
	}
	e, err := otlptracehttp.New(ctx, opts...)
	if err != nil {
		return nil, fmt.Errorf("telemetry: OTLP exporter: %w", err)
	}
	return e, nil
}

// redact keeps a password in a URL out of an error.
func redact(s string) string {
	if u, err := url.Parse(s); err == nil {
		return u.Redacted()
	}
	return "(not a URL)"
}

// Enabled reports whether spans are exported.
func (t *Tracing) Enabled() bool { return t.sdk != nil }

// Shutdown sends what waits, for at most shutdownTimeout, and ends the provider. It may be called twice.
func (t *Tracing) Shutdown(ctx context.Context) error {
	if t.sdk == nil {
		return nil
	}
	t.once.Do(func() {
		ctx, cancel := context.WithTimeout(ctx, shutdownTimeout)
		defer cancel()
		if err := t.sdk.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.err = fmt.Errorf("end tracing: %w", err)
		} else if err != nil {
			t.err = fmt.Errorf("end tracing: the receiver did not take the last spans within %s", shutdownTimeout)
		}
	})
	return t.err
}

// batchSampler follows the parent's decision, takes every batch that carries a sampled request, and takes the share
// ratio of everything else.
func batchSampler(ratio float64) sdktrace.Sampler {
	return sdktrace.ParentBased(linked{sdktrace.TraceIDRatioBased(ratio)})
}

// linked samples a root span that links to a sampled one: half a trace says little.
type linked struct{ sdktrace.Sampler }

// ShouldSample implements sdktrace.Sampler.
func (l linked) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	for _, link := range p.Links {
		if link.SpanContext.IsSampled() {
			return sdktrace.SamplingResult{
				Decision: sdktrace.RecordAndSample, Tracestate: trace.SpanContextFromContext(p.ParentContext).TraceState(),
			}
		}
	}
	return l.Sampler.ShouldSample(p)
}

// Description implements sdktrace.Sampler.
func (l linked) Description() string { return "Linked{" + l.Sampler.Description() + "}" }

// lossLogger logs, at most once in lossLogInterval, that spans could not be sent; the SDK would print each failure to
// standard error.
type lossLogger struct {
	sdktrace.SpanExporter
	logger *slog.Logger

	mu   sync.Mutex
	last time.Time
	lost int
}

// ExportSpans implements sdktrace.SpanExporter. It returns nil: no caller could do more.
func (l *lossLogger) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := l.SpanExporter.ExportSpans(ctx, spans)
	if err == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost += len(spans)
	if now := time.Now(); now.Sub(l.last) >= lossLogInterval {
		l.logger.Warn("spans could not be sent", "spans_lost", l.lost, "error", err)
		l.last, l.lost = now, 0
	}
	return nil
}
