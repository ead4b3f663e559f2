package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// traced gives each request a span, a child of the client's if it sent traceparent. otelhttp writes the path, the
// query, the client's address and its program into the span; it is shown a request without them, because a path may
// hold an id and an address is a person's.
func traced(next http.Handler, tracer trace.TracerProvider) http.Handler {
	inner := http.HandlerFunc(func(w http.ResponseWriter, masked *http.Request) {
		original, ok := masked.Context().Value(originalRequest{}).(*http.Request)
		if !ok {
			http.Error(w, "request lost", http.StatusInternalServerError)
			return
		}
		r := original.WithContext(masked.Context())
		r.Body = masked.Body
		next.ServeHTTP(w, r)
	})
	h := otelhttp.NewHandler(inner, "http",
		otelhttp.WithTracerProvider(tracer),
		otelhttp.WithMeterProvider(metricnoop.NewMeterProvider()),
		otelhttp.WithPropagators(propagation.TraceContext{}),
	)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/metrics", "/-/healthy", "/-/ready": // asked every few seconds, and say nothing
			next.ServeHTTP(w, r)
			return
		}
		masked := r.WithContext(context.WithValue(r.Context(), originalRequest{}, r))
		masked.URL = &url.URL{Path: maskPath(r.URL.Path)}
		masked.RequestURI, masked.RemoteAddr, masked.Host = masked.URL.Path, "", ""
		masked.Header = http.Header{}
		for _, name := range [...]string{"Traceparent", "Tracestate"} {
			if v := r.Header.Values(name); v != nil {
				masked.Header[name] = v
			}
		}
		h.ServeHTTP(w, masked)
	})
}

// originalRequest is the key of the request that a masked one stands for.
type originalRequest struct{}

// maskPath returns the route pattern of a path.
func maskPath(path string) string {
	for _, p := range Routes() {
		if prefix, wild := strings.CutSuffix(p, "*id"); p == path || wild && strings.HasPrefix(path, prefix) {
			return p
		}
	}
	return "other"
}
