package filepages

import (
	"reflect"
	"testing"
)

// What was written after loading (relocations, a breakpoint, variables) would be lost with its page, swapped out or
// not; a file that is no part of the program may be gone, and its addresses be another's, before its turn comes.
func TestOnlyPagesThatTheProgramsFilesStillHoldAreGivenBack(t *testing.T) {
	const rest = " kB\nSwap:                  0 kB\nVmFlags: rd mr mw me sd \n"
	got := unchanged(""+
		"7f00-7f10 r--p 00000000 fe:00 1000                       /opt/a program\nAnonymous:      0"+rest+
		"7f10-7f20 r-xp 00010000 fe:00 1001                       /usr/lib/libchdb.so\nAnonymous:      0"+rest+
		"7f20-7f30 r--p 00020000 fe:00 1001                       /usr/lib/libchdb.so\nAnonymous:     12"+rest+
		"7f30-7f40 r--p 00020000 fe:00 1001                       /usr/lib/libchdb.so\nAnonymous:      0 kB\n"+
		"Swap:                  4 kB\nVmFlags: rd mr mw me sd \n"+
		"7f40-7f50 rw-p 00030000 fe:00 1001                       /usr/lib/libchdb.so\nAnonymous:      0"+rest+
		"7f50-7f60 r--p 00000000 fe:00 1002                       /usr/share/zoneinfo/UTC\nAnonymous:      0"+rest+
		"7f60-7f70 r-xp 00000000 00:00 0                          [vdso]\nAnonymous:      0"+rest+
		"7f70-7f80 r--p 00000000 00:00 0 \nAnonymous:      0"+rest, "/opt/a program")
	if want := []mapping{{0x7f00, 0x7f10}, {0x7f10, 0x7f20}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestAProgramGoesOnWithoutThem(t *testing.T) {
	if err := unmap(); err != nil {
		t.Error(err)
	}
}
