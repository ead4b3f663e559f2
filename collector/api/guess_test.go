package api

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/access"
)

// from gives the headers of a request that a trusted proxy passed on for an address.
func from(address string, more ...string) []string {
	return append([]string{"X-Forwarded-For", address}, more...)
}

func bearer(secret string) []string { return []string{"Authorization", "Bearer " + secret} }

// guess tries n keys from an address and returns how many were looked at.
func guess(w *world, address string, n int) (heard int) {
	w.t.Helper()
	for i := range n {
		wrong := fmt.Sprintf("%s%043d", access.Prefix, i*7919+len(address)<<40)
		r := w.get("/v1/board", from(address, bearer(wrong)...)...)
		switch {
		case r.StatusCode == http.StatusUnauthorized:
			heard++
		case r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "":
			w.t.Fatalf("guess %d: %d %s", i, r.StatusCode, r.body)
		}
	}
	return heard
}

func TestAThousandWrongKeysAreSlowed(t *testing.T) {
	w := start(t, func(c *Config) { c.TrustedProxies = []string{"127.0.0.1"} })
	good := w.key(access.Key{Name: "good", Scopes: []access.Scope{access.BoardRead}})
	other := w.key(access.Key{Name: "other", Scopes: []access.Scope{access.BoardRead}})
	if r := w.get("/v1/board", from("192.0.2.1", bearer(good)...)...); r.StatusCode != 200 {
		t.Fatal(r.StatusCode)
	}
	if heard := guess(w, "192.0.2.1", 1000); heard != DefaultLimits().WrongKeys {
		t.Errorf("%d of 1,000 guesses were looked at", heard)
	}
	// The office that shares the address goes on; a key that it never used waits, elsewhere it does not.
	if r := w.get("/v1/board", from("192.0.2.1", bearer(good)...)...); r.StatusCode != 200 {
		t.Errorf("the good key behind the address: %d", r.StatusCode)
	}
	r := w.get("/v1/board", from("192.0.2.1", bearer(other)...)...)
	wait, err := strconv.Atoi(r.Header.Get("Retry-After"))
	if r.StatusCode != 429 || err != nil {
		t.Fatalf("a new key from the address: %d, %v", r.StatusCode, err)
	}
	if r := w.get("/v1/board", from("192.0.2.2", bearer(other)...)...); r.StatusCode != 200 {
		t.Errorf("the same key from another address: %d", r.StatusCode)
	}
	w.now = w.now.Add(time.Duration(wait) * time.Second)
	if r := w.get("/v1/board", from("192.0.2.1", bearer(other)...)...); r.StatusCode != 200 {
		t.Errorf("after Retry-After: %d", r.StatusCode)
	}
}

func TestGuessesFromManyAddressesAtOneKeyAreSlowed(t *testing.T) {
	w := start(t, func(c *Config) { c.TrustedProxies = []string{"127.0.0.1"} })
	w.key(access.Key{Name: "a", Scopes: []access.Scope{access.BoardRead}})
	heard := 0
	for i := range 200 {
		r := w.get("/v1/board", from(fmt.Sprintf("198.51.100.%d", i), bearer(fmt.Sprintf("%sabcdef%037d", access.Prefix, i))...)...)
		if r.StatusCode == http.StatusUnauthorized {
			heard++
		}
	}
	if heard != DefaultLimits().WrongKeys {
		t.Errorf("%d guesses were looked at", heard)
	}
	// An IPv6 customer has a whole network.
	heard = 0
	for i := range 100 {
		wrong := fmt.Sprintf("%s%043d", access.Prefix, i*104729<<20)
		if r := w.get("/v1/board", from(fmt.Sprintf("2001:db8::%x", i+1), bearer(wrong)...)...); r.StatusCode == http.StatusUnauthorized {
			heard++
		}
	}
	if heard > DefaultLimits().WrongKeys {
		t.Errorf("%d guesses of one IPv6 network were looked at", heard)
	}
}

func TestOnlyATrustedProxyNamesTheAddress(t *testing.T) {
	w := start(t, nil)
	w.key(access.Key{Name: "a", Scopes: []access.Scope{access.BoardRead}})
	heard := 0
	for i := range 100 {
		wrong := fmt.Sprintf("%s%043d", access.Prefix, i*7919<<30)
		if r := w.get("/v1/board", from(fmt.Sprintf("192.0.2.%d", i), bearer(wrong)...)...); r.StatusCode == http.StatusUnauthorized {
			heard++
		}
	}
	if heard != DefaultLimits().WrongKeys {
		t.Errorf("%d guesses with invented addresses were looked at", heard)
	}
	if _, err := New(Config{Decoder: w.api.cfg.Decoder, Ingest: w.stub, Cases: w.stub, Keys: w.api.cfg.Keys, Now: time.Now, TrustedProxies: []string{"the proxy"}}); err == nil {
		t.Error("a proxy that is no address is taken")
	}
}

func TestAThousandWrongLinksAreSlowed(t *testing.T) {
	w := start(t, func(c *Config) {
		c.TrustedProxies = []string{"127.0.0.1"}
		c.Pages = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			if !strings.HasPrefix(r.URL.Path, "/p/good") {
				w.WriteHeader(http.StatusNotFound)
			}
			_, _ = io.WriteString(w, "<p>x</p>")
		})
	})
	if r := w.get("/p/good1", from("192.0.2.1")...); r.StatusCode != 200 {
		t.Fatal(r.StatusCode)
	}
	heard := 0
	for i := range 1000 {
		switch r := w.get(fmt.Sprint("/p/wrong", i), from("192.0.2.1")...); r.StatusCode {
		case http.StatusNotFound:
			heard++
		case http.StatusTooManyRequests:
		default:
			t.Fatal(r.StatusCode)
		}
	}
	if heard != DefaultLimits().WrongKeys {
		t.Errorf("%d of 1,000 links were looked at", heard)
	}
	for path, want := range map[string]int{"/p/good1": 200, "/p/good2": 429} {
		if r := w.get(path, from("192.0.2.1")...); r.StatusCode != want {
			t.Errorf("%s from the address: %d, want %d", path, r.StatusCode, want)
		}
	}
	if r := w.get("/p/good2", from("192.0.2.9")...); r.StatusCode != 200 {
		t.Errorf("a good link from another address: %d", r.StatusCode)
	}
}

func TestTheMemoryOfGuessesIsBounded(t *testing.T) {
	now := testNow
	s := newGuesses(DefaultLimits(), func() time.Time { return now })
	for i := range 5 * maxGuessers {
		g := newGuesser(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), fmt.Sprintf("%s%09d", access.Prefix, i))
		s.bad(g)
		s.good(g)
		if n := len(s.wrong.young) + len(s.wrong.old); n > 2*maxGuessers {
			t.Fatalf("%d addresses and beginnings", n)
		}
		if n := len(s.opened.young) + len(s.opened.old); n > 2*maxGuessers {
			t.Fatalf("%d good ones", n)
		}
	}
}
