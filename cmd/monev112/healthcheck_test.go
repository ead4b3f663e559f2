package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHealthcheck(t *testing.T) {
	answer := func(status int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprintln(w, "the journal cannot write")
		})
	}
	well, ill, private := httptest.NewServer(answer(200)), httptest.NewServer(answer(503)),
		httptest.NewTLSServer(answer(200))
	t.Cleanup(func() { well.Close(); ill.Close(); private.Close() })
	for name, c := range map[string]struct{ url, want string }{
		"ready":           {well.URL, ""},
		"ready, with TLS": {private.URL, ""},
		"not ready":       {ill.URL, "503 Service Unavailable: the journal cannot write"},
		"gone":            {"http://127.0.0.1:1", "refused"},
		"no URL":          {"localhost", "is not a URL"},
		"another scheme":  {"ftp://127.0.0.1/", "unsupported protocol"},
	} {
		_, err := askHealth(t.Context(), c.url)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
