package httpapi

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/httpapi/auth"
)

// from gives the headers of a request that a trusted proxy passed on for an address.
func from(address string, more ...string) []string {
	return append([]string{"X-Forwarded-For", address}, more...)
}

func bearer(secret string) []string { return []string{"Authorization", "Bearer " + secret} }

// linked are pages whose good links begin with /p/good.
type linked struct{ http.HandlerFunc }

func (linked) ValidLink(path string) bool { return strings.HasPrefix(path, "/p/good") }

// guess tries n keys from an address and returns how many were looked at.
func guess(w *world, address string, n int) (heard int) {
	w.t.Helper()
	for i := range n {
		wrong := fmt.Sprintf("%s%043d", auth.Prefix, i*7919+len(address)<<40)
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
	good := w.key(auth.Key{Name: "good", Scopes: []auth.Scope{auth.BoardRead}})
	other := w.key(auth.Key{Name: "other", Scopes: []auth.Scope{auth.BoardRead}})
	if r := w.get("/v1/board", from("192.0.2.1", bearer(good)...)...); r.StatusCode != 200 {
		t.Fatal(r.StatusCode)
	}
	if heard := guess(w, "192.0.2.1", 1000); heard != DefaultLimits().WrongKeys {
		t.Errorf("%d of 1,000 guesses were looked at", heard)
	}
	// Who shares the address goes on, also one who comes for the first time.
	for name, key := range map[string]string{"a key that was used": good, "a new key": other} {
		if r := w.get("/v1/board", from("192.0.2.1", bearer(key)...)...); r.StatusCode != 200 {
			t.Errorf("%s behind the address: %d", name, r.StatusCode)
		}
	}
	r := w.get("/v1/board", from("192.0.2.1", bearer(auth.Prefix+strings.Repeat("x", 43))...)...)
	wait, err := strconv.Atoi(r.Header.Get("Retry-After"))
	if r.StatusCode != 429 || err != nil {
		t.Fatalf("a wrong key from the address: %d, %v", r.StatusCode, err)
	}
	w.now = w.now.Add(time.Duration(wait) * time.Second)
	if heard := guess(w, "192.0.2.1", 10); heard != 1 {
		t.Errorf("after Retry-After %d are looked at", heard)
	}
}

func TestGuessesFromManyAddressesAtOneKeyAreSlowed(t *testing.T) {
	w := start(t, func(c *Config) { c.TrustedProxies = []string{"127.0.0.1"} })
	w.key(auth.Key{Name: "a", Scopes: []auth.Scope{auth.BoardRead}})
	heard := 0
	for i := range 200 {
		r := w.get("/v1/board", from(fmt.Sprintf("198.51.100.%d", i),
			bearer(fmt.Sprintf("%sabcdef%037d", auth.Prefix, i))...)...)
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
		wrong := fmt.Sprintf("%s%043d", auth.Prefix, i*104729<<20)
		if r := w.get("/v1/board",
			from(fmt.Sprintf("2001:db8::%x", i+1), bearer(wrong)...)...); r.StatusCode == http.StatusUnauthorized {
			heard++
		}
	}
	if heard > DefaultLimits().WrongKeys {
		t.Errorf("%d guesses of one IPv6 network were looked at", heard)
	}
}

// Whoever reaches the proxy would be let in: it stands on loopback as the service does. A page asks for its link, and
// health tells nothing of the centre.
func TestNoProxyStandsBeforeAServiceWithoutKeys(t *testing.T) {
	for _, trusted := range [][]string{nil, {"127.0.0.1"}} {
		w := start(t, func(c *Config) { c.TrustedProxies, c.Site = trusted, newSite(t, c) })
		for _, header := range []string{"X-Forwarded-For", "x-forwarded-for", "X-Forwarded-Host", "X-Forwarded-Proto",
			"X-Forwarded-Server", "Forwarded", "Via", "X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP"} {
			for _, value := range []string{"192.0.2.1", "127.0.0.1", "1.1 proxy", ""} {
				for _, path := range []string{"/v1/board", "/v1/tickets", "/v1/directory/review", "/metrics", "/v1/admin/freezes",
					"/"} {
					if r := w.get(path, header, value); r.StatusCode != http.StatusForbidden ||
						!strings.Contains(string(r.body), "monev112 key create") {
						t.Errorf("%s with %s: %q: %d %s", path, header, value, r.StatusCode, r.body)
					}
				}
				if r := w.post("a s", header, value); r.StatusCode != http.StatusForbidden {
					t.Errorf("events with %s: %q: %d", header, value, r.StatusCode)
				}
				for _, path := range []string{"/-/healthy", "/-/ready", "/openapi.yaml"} {
					if r := w.get(path, header, value); r.StatusCode != http.StatusOK {
						t.Errorf("%s with %s: %d %s", path, header, r.StatusCode, r.body)
					}
				}
			}
		}
		for _, host := range []string{
			"rebound.example", "127.0.0.1.example:8112", "192.0.2.1", "[2001:db8::1]:8112", "localhost.x",
		} {
			if r := w.get("/v1/board", "Host", host); r.StatusCode != http.StatusForbidden {
				t.Errorf("Host %s: %d", host, r.StatusCode)
			}
		}
		if r := w.get("/", "Host", "rebound.example"); r.StatusCode != http.StatusForbidden {
			t.Errorf("a page to a rebound name: %d", r.StatusCode)
		}
		if r := w.get("/"); r.StatusCode != http.StatusOK {
			t.Errorf("a page on loopback: %d", r.StatusCode)
		}
		if r := w.get("/v1/board"); r.StatusCode != http.StatusOK { // as the wallboard and the demo ask
			t.Errorf("on loopback: %d %s", r.StatusCode, r.body)
		}
		secret := w.key(auth.Key{Name: "a", Scopes: []auth.Scope{auth.BoardRead}})
		if r := w.get("/v1/board", append(bearer(secret), "X-Forwarded-For", "192.0.2.1")...); r.StatusCode != http.StatusOK {
			t.Errorf("with a key, through a proxy: %d %s", r.StatusCode, r.body)
		}
	}
}

func TestOnlyATrustedProxyNamesTheAddress(t *testing.T) {
	w := start(t, nil)
	w.key(auth.Key{Name: "a", Scopes: []auth.Scope{auth.BoardRead}})
	heard := 0
	for i := range 100 {
		wrong := fmt.Sprintf("%s%043d", auth.Prefix, i*7919<<30)
		if r := w.get("/v1/board",
			from(fmt.Sprintf("192.0.2.%d", i), bearer(wrong)...)...); r.StatusCode == http.StatusUnauthorized {
			heard++
		}
	}
	if heard != DefaultLimits().WrongKeys {
		t.Errorf("%d guesses with invented addresses were looked at", heard)
	}
	// What a client wrote itself stands before what the proxy added; other headers are the client's own.
	w = start(t, func(c *Config) { c.TrustedProxies = []string{"127.0.0.1"} })
	w.key(auth.Key{Name: "a", Scopes: []auth.Scope{auth.BoardRead}})
	heard = 0
	for i := range 100 {
		wrong := fmt.Sprintf("%s%06d%037d", auth.Prefix, i, 0)
		headers := from(fmt.Sprintf("192.0.2.%d, 198.51.100.7", i), bearer(wrong)...)
		if i%2 == 1 {
			headers = append(bearer(wrong), "X-Real-IP", fmt.Sprintf("192.0.2.%d", i))
		}
		if r := w.get("/v1/board", headers...); r.StatusCode == http.StatusUnauthorized {
			heard++
		}
	}
	if heard > 2*DefaultLimits().WrongKeys { // of the client's address, and of the proxy's own
		t.Errorf("%d guesses behind the proxy with invented addresses were looked at", heard)
	}
	if _, err := New(Config{
		Intake: w.stub, Cases: w.stub, Keys: w.api.cfg.Keys, Now: time.Now,
		TrustedProxies: []string{"the proxy"},
	}); err == nil {
		t.Error("a proxy that is no address is taken")
	}
}

func TestAThousandWrongLinksAreSlowed(t *testing.T) {
	w := start(t, func(c *Config) {
		c.TrustedProxies = []string{"127.0.0.1"}
		c.Pages = linked{func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			if !strings.HasPrefix(r.URL.Path, "/p/good") {
				w.WriteHeader(http.StatusNotFound)
			}
			_, _ = io.WriteString(w, "<p>x</p>")
		}}
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
	for _, path := range []string{"/p/good1", "/p/good2"} {
		if r := w.get(path, from("192.0.2.1")...); r.StatusCode != 200 {
			t.Errorf("%s from the address: %d", path, r.StatusCode)
		}
	}
}

func TestTheMemoryOfGuessesIsBounded(t *testing.T) {
	now := testNow
	s := newGuesses(DefaultLimits(), func() time.Time { return now })
	for i := range 5 * maxGuessers {
		s.bad(newGuesser(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), fmt.Sprintf("%s%09d", auth.Prefix, i)))
		if n := len(s.wrong.young) + len(s.wrong.old); n > 2*maxGuessers {
			t.Fatalf("%d addresses and beginnings", n)
		}
	}
}
