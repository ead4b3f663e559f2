package httpapi

import (
	"math"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/time/rate"

	"github.com/monev112/monev112/collector/httpapi/auth"
)

// guesses slows those who try keys or links until one opens. Each wrong one costs its address, and the beginning of the
// key, a piece of a budget that refills slowly; when it is used up the answer is to come back later. What opens is
// never held back, whoever else tries: an office, a telephone network or a proxy puts many behind one address, and one
// wrong client among them would lock them all out. All memory is bounded.
type guesses struct {
	now    func() time.Time
	burst  int
	refill time.Duration

	mu    sync.Mutex
	wrong aged[string, *rate.Limiter] // by address, and by the beginning of a key
}

// maxGuessers bounds the addresses and key beginnings that are remembered, twice over; the longest unheard of go first.
const maxGuessers = 8192

// keyHead is how much of a key its beginning is. Links have none: the beginning of all links is the same.
const keyHead = len(auth.Prefix) + 6

func newGuesses(l Limits, now func() time.Time) *guesses {
	return &guesses{now: now, burst: l.WrongKeys, refill: l.WrongKeyEvery}
}

// aged is a map of at most twice maxGuessers entries: two halves, of which the older is dropped when the younger is
// full.
type aged[K comparable, V any] struct{ young, old map[K]V }

func (a *aged[K, V]) get(k K) (v V, ok bool) {
	if v, ok = a.young[k]; ok {
		return v, true
	}
	if v, ok = a.old[k]; ok {
		a.put(k, v)
	}
	return v, ok
}

func (a *aged[K, V]) put(k K, v V) {
	if a.young == nil || len(a.young) >= maxGuessers {
		a.old, a.young = a.young, map[K]V{}
	}
	a.young[k] = v
}

// guesser is who presents a credential: a key, or the path of a link.
type guesser struct {
	address, head string // head is empty for a link
}

func newGuesser(address, credential string) guesser {
	if ip, err := netip.ParseAddr(address); err == nil && ip.Is6() && !ip.Is4In6() {
		if net, err := ip.Prefix(64); err == nil { // one customer has that many addresses
			address = net.String()
		}
	}
	g := guesser{address: "a" + address}
	if !strings.HasPrefix(credential, "/") {
		g.head = "k" + credential[:min(len(credential), keyHead)]
	}
	return g
}

// bad counts a credential that did not open. It returns how long g has to wait because its budget was used up before; 0
// means that it was not.
func (s *guesses) bad(g guesser) (wait time.Duration) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	var budgets []*rate.Limiter
	for _, k := range [...]string{g.address, g.head} {
		if k == "" {
			continue
		}
		l, ok := s.wrong.get(k)
		if !ok {
			l = rate.NewLimiter(rate.Every(s.refill), s.burst)
			s.wrong.put(k, l)
		}
		budgets = append(budgets, l)
		if missing := 1 - l.TokensAt(now); missing > 0 {
			wait = max(wait, time.Duration(math.Ceil(missing*s.refill.Seconds()))*time.Second, time.Second)
		}
	}
	if wait == 0 {
		for _, l := range budgets {
			l.AllowN(now, 1)
		}
	}
	return wait
}

// slowed counts a credential that did not open, and answers for a guesser whose budget is used up.
func (a *API) slowed(c *gin.Context, credential string) bool {
	wait := a.guesses.bad(newGuesser(c.ClientIP(), credential))
	if wait > 0 {
		p := newProblem(http.StatusTooManyRequests, codeBusy,
			"Too many wrong keys or links came from this address; Retry-After says when to come back.")
		p.retryAfter = wait
		a.fail(c, p)
	}
	return wait > 0
}
