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
		{"clock=arrive,opd=Dinas X,scope=vertical,scope=own", "opd", "Dinas X,scope=vertical", true},
		{"clock=arrive,opd=Dinas X,scope=vertical,scope=own", "scope", "own", true},
		{"clock=arrive,opd=a,clock=resolve,opd=b,scope=own", "clock", "arrive", true},
		{"clock=arrive,opd=a,clock=resolve,opd=b,scope=own", "opd", "a,clock=resolve,opd=b", true},
		{"opd=a,measure=b,scope=own", "measure", "", false},
		{"category=jalan,opd=b", "category", "jalan,opd=b", true},
		{"category=jalan,opd=b", "opd", "", false},
		{"category=kebakaran,seconds=900", "category", "kebakaran,seconds=900", true},
		{"category=kebakaran,seconds=900", "seconds", "", false},
		{"measure=ketat,target=15", "target", "15", true},
		{"hour=08,weekday=1", "weekday", "1", true},
		{"clock=arrive", "opd", "", false},
		{"wide=x", "ide", "", false},
		{"", "opd", "", false},
	} {
		if got, ok := Dim(tc.dims, tc.name); got != tc.want || ok != tc.ok {
			t.Errorf("%s of %q: %q, %v", tc.name, tc.dims, got, ok)
		}
	}
}
