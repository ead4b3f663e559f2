package store

import "testing"

func TestDim(t *testing.T) {
	for _, tc := range []struct {
		dims, name, want string
		ok               bool
	}{
		{"clock=arrive,opd=bpbd,scope=own", "opd", "bpbd", true},
		{"clock=arrive,opd=bpbd,scope=own", "clock", "arrive", true},
		{"clock=arrive,opd=bpbd,scope=own", "scope", "own", true},
		{"clock=arrive,opd=Dinas Perumahan, Permukiman,scope=own", "opd", "Dinas Perumahan, Permukiman", true},
		{"opd=,scope=own", "opd", "", true},
		{"clock=arrive", "opd", "", false},
		{"wide=x", "ide", "", false},
		{"", "opd", "", false},
	} {
		if got, ok := Dim(tc.dims, tc.name); got != tc.want || ok != tc.ok {
			t.Errorf("%s of %q: %q, %v", tc.name, tc.dims, got, ok)
		}
	}
}
