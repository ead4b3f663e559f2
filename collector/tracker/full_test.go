package tracker

import "testing"

// A small board evicts before it is full, whatever the default of its cache: it would refuse every event otherwise.
func TestCacheIsSmallerThanTheBoard(t *testing.T) {
	for _, cfg := range []Config{{MaxCases: 10}, {MaxCases: 10, CacheCases: 10}, {MaxCases: 10, CacheCases: 2}, {}} {
		if b := New(cfg); b.cfg.CacheCases >= b.cfg.MaxCases {
			t.Errorf("%d of %d cases may stay in memory for nothing", b.cfg.CacheCases, b.cfg.MaxCases)
		}
	}
}
