// Package httpapi is the HTTP face of monev112: it takes events in and shows the board, tickets and calls.
//
// It owns limits, keys, status codes and the shape of answers, and nothing behind them: events go to an Ingest, cases
// come from Cases, both given by the caller. Every route stands in docs/openapi.yaml; a test compares the two.
//
// What a sender can rely on:
//
//   - An event is acknowledged (accepted or duplicates) only after it is durable. After a timeout the same request can
//     be sent again: ids make repeats harmless.
//   - A refused event has an index, a field and a reason, and costs its neighbours nothing. 400 means that all of them
//     were refused.
//   - 429 and 503 mean that nothing of the request was taken; Retry-After says when to come back.
//   - Every answer has X-Request-Id; the same id stands in the logs and, as an attribute, in traces.
//
// Logs name routes, keys and counts, never a path with an id, a query, an address or a body.
package httpapi
