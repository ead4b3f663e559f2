// Package telemetry sets up logs (slog) and traces (OpenTelemetry), and connects the trace of a request with that of
// the batch that stores its events later.
//
// Nothing here is global: the tracer provider and the logger are values that the caller hands on. Without an endpoint
// nothing is recorded and nothing is sent.
package telemetry
