package journal_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/internal/disk/disktest"
	"github.com/monev112/monev112/collector/journal"
)

// smallJournal makes a closed journal of several segments and returns its disk, its records and its segment files.
func smallJournal(t testing.TB) (d *disktest.FS, opts journal.Options, all []string, segments []string) {
	d = disktest.New(1)
	opts = journal.Options{Dir: "/j", SegmentBytes: 150, MinFreeBytes: -1, FS: d,
		Now: func() time.Time { return time.UnixMilli(1_770_000_000_000) }}
	j, err := journal.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 7 {
		list := records(i*2, 2)
		if _, _, err := j.Append(list); err != nil {
			t.Fatal(err)
		}
		for _, r := range list {
			all = append(all, string(r))
		}
	}
	j.Close()
	for _, name := range d.Names() {
		if strings.HasSuffix(name, ".seg") {
			segments = append(segments, name)
		}
	}
	if len(segments) < 4 {
		t.Fatalf("only %d segments", len(segments))
	}
	return d, opts, all, segments
}

// readUntilDamage reads from the start until the end or an error.
func readUntilDamage(j *journal.Journal) (got []string, err error) {
	r, err := j.NewReader(0)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for {
		rec, ok, err := r.TryNext()
		if err != nil || !ok {
			return got, err
		}
		got = append(got, string(rec.Payload))
	}
}

// skipAll opens and skips damage until everything that is left can be read.
func skipAll(t *testing.T, label string, opts journal.Options, damagedSegment string) (got []string) {
	t.Helper()
	for range 10 {
		j, err := journal.Open(opts)
		if err != nil {
			t.Fatalf("%s: %v", label, err)
		}
		var readErr error
		got, readErr = readUntilDamage(j)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if readErr == nil {
			return got
		}
		var damage *journal.CorruptError
		if !errors.As(readErr, &damage) {
			t.Fatalf("%s: %v", label, readErr)
		}
		if damage.Segment != damagedSegment {
			t.Fatalf("%s: damage named in %s: %v", label, damage.Segment, damage)
		}
		if _, err := journal.SkipDamage(repair(opts), damage.Position); err != nil {
			t.Fatalf("%s: %v", label, err)
		}
	}
	t.Fatalf("%s: skipping does not end", label)
	return nil
}

func repair(opts journal.Options) journal.Repair {
	return journal.Repair{FS: opts.FS, Dir: opts.Dir, Now: time.UnixMilli(1_770_000_100_000)}
}

// isSubsequence tells whether part can be made from whole by leaving out.
func isSubsequence(part, whole []string) bool {
	for _, s := range whole {
		if len(part) > 0 && part[0] == s {
			part = part[1:]
		}
	}
	return len(part) == 0
}

func TestEveryFlippedBitIsFoundAndCostsOneGroupAtMost(t *testing.T) {
	_, _, _, segments := smallJournal(t)
	for si := range segments {
		fresh, _, _, _ := smallJournal(t)
		size := len(fresh.Bytes(segments[si]))
		for i := range size * 2 {
			bit := i/2*8 + (i/2+i%2*3)%8 // two bits of each byte
			d, opts, all, segments := smallJournal(t)
			name := filepath.Base(segments[si])
			label := fmt.Sprintf("segment %d of %d, byte %d, bit %d", si+1, len(segments), bit/8, bit%8)
			b := d.Bytes(segments[si])
			b[bit/8] ^= 1 << (bit % 8)
			d.SetBytes(segments[si], b)

			rep, err := journal.VerifyOn(d, opts.Dir)
			if bit/8 < 64 { // the segment's header
				if err != nil || len(rep.Corrupt) != 1 || rep.Corrupt[0].Segment != name || rep.Corrupt[0].Offset != 0 {
					t.Fatalf("%s: Verify: %v, %v", label, rep.Corrupt, err)
				}
				var damage *journal.CorruptError
				if _, err := journal.Open(opts); !errors.As(err, &damage) || damage.Segment != name {
					t.Fatalf("%s: Open: %v", label, err)
				}
				if _, err := journal.SkipDamage(repair(opts), damage.Position); err != nil {
					t.Fatalf("%s: %v", label, err)
				}
				if got := skipAll(t, label, opts, ""); !slices.Equal(got, all) {
					t.Fatalf("%s: %q is left of %q", label, got, all)
				}
				continue
			}
			if err != nil || len(rep.Corrupt) == 0 && rep.TailBytes == 0 {
				t.Fatalf("%s: Verify found nothing: %v", label, err)
			}
			got := skipAll(t, label, opts, name)
			if !isSubsequence(got, all) || len(got) != len(all)-2 {
				t.Fatalf("%s: %q is left of %q", label, got, all)
			}
		}
	}
}

func TestATruncatedLastSegmentLosesItsTornTailOnly(t *testing.T) {
	_, _, _, segments := smallJournal(t)
	last := len(segments) - 1
	d, _, _, _ := smallJournal(t)
	for size := 64; size < len(d.Bytes(segments[last])); size++ {
		d, opts, all, segments := smallJournal(t)
		d.SetBytes(segments[last], d.Bytes(segments[last])[:size])
		j, err := journal.Open(opts)
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		got, err := readUntilDamage(j)
		if err != nil || !slices.Equal(got, all[:len(got)]) || len(got) < 10 {
			t.Fatalf("%d bytes: %q, %v", size, got, err)
		}
		if torn := j.Recovery().TornBytes; (size > 64) != (torn > 0) {
			t.Fatalf("%d bytes: %d torn", size, torn)
		}
		if _, _, err := j.Append([][]byte{[]byte("next")}); err != nil {
			t.Fatal(err)
		}
		again, err := readUntilDamage(j)
		if err != nil || len(again) != len(got)+1 || again[len(got)] != "next" {
			t.Fatalf("%d bytes: %q, %v", size, again, err)
		}
		j.Close()
	}
}

func TestATruncatedEarlierSegmentIsDamage(t *testing.T) {
	d, _, _, segments := smallJournal(t)
	for size := 64; size < len(d.Bytes(segments[1])); size++ {
		d, opts, all, segments := smallJournal(t)
		label := fmt.Sprintf("%d bytes", size)
		d.SetBytes(segments[1], d.Bytes(segments[1])[:size])
		j, err := journal.Open(opts)
		if err != nil {
			t.Fatal(err)
		}
		got, err := readUntilDamage(j)
		var damage *journal.CorruptError
		if !errors.As(err, &damage) || !slices.Equal(got, all[:len(got)]) {
			t.Fatalf("%s: %q, %v", label, got, err)
		}
		// A reader that is past the damage is not concerned.
		if _, err := j.NewReader(j.End()); err != nil {
			t.Fatalf("%s: %v", label, err)
		}
		j.Close()
		left := skipAll(t, label, opts, filepath.Base(segments[1]))
		if !isSubsequence(left, all) || len(left) < 10 {
			t.Fatalf("%s: %q is left", label, left)
		}
	}
}

func TestAMissingSegmentIsDamage(t *testing.T) {
	d, opts, _, segments := smallJournal(t)
	if err := d.Remove(segments[1]); err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	got, err := readUntilDamage(j)
	var damage *journal.CorruptError
	if !errors.As(err, &damage) || damage.Segment != filepath.Base(segments[0]) {
		t.Fatalf("%q, %v", got, err)
	}
	j.Close()
	if left := skipAll(t, "missing", opts, filepath.Base(segments[0])); len(left) < 8 {
		t.Fatalf("%q is left", left)
	}
}

func TestAReaderBehindDamageInItsSegmentIsNotConcerned(t *testing.T) {
	d := disktest.New(1)
	opts := journal.Options{Dir: "/j", MinFreeBytes: -1, FS: d}
	j, err := journal.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	var ends []journal.Position
	for i := range 5 {
		_, end, err := j.Append(records(i, 1))
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, end)
	}
	var name string
	for _, n := range d.Names() {
		if strings.HasSuffix(n, ".seg") {
			name = n
		}
	}
	b := d.Bytes(name)
	b[64+int(ends[1])+40] ^= 1 // in the third group
	d.SetBytes(name, b)
	for i, want := range map[int]string{0: "", 1: "damage", 2: "record 3", 3: "record 4"} {
		r, err := j.NewReader(ends[i])
		var damage *journal.CorruptError
		if err != nil && !errors.As(err, &damage) {
			t.Fatal(err)
		}
		if err == nil {
			var rec journal.Record
			rec, _, err = r.TryNext()
			if want != "" && want != "damage" && string(rec.Payload) != want {
				t.Fatalf("from the end of group %d: %q, %v", i+1, rec.Payload, err)
			}
		}
		if (want == "damage") != errors.As(err, &damage) {
			t.Fatalf("from the end of group %d: %v", i+1, err)
		}
	}
}

// Whatever stands in a segment, opening and reading it neither panics nor allocates without bound, reading twice gives
// the same, and the journal can go on.
func FuzzReader(f *testing.F) {
	f.Add([]byte{}, uint16(64), false)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff}, uint16(64+24), true) // length
	f.Add([]byte{0xff, 0xff, 0, 0}, uint16(64+28), true)       // count
	f.Add([]byte{0xff, 0, 0, 0}, uint16(64+32), true)          // length of a record
	f.Add([]byte{3, 0, 0, 0}, uint16(64+28), true)
	f.Add([]byte("\xC1GRP\xC1GRP"), uint16(64+20), false)
	f.Add([]byte{9, 9}, uint16(130), false)
	f.Fuzz(func(t *testing.T, data []byte, offset uint16, fixSum bool) {
		d, opts, all, segments := smallJournal(t)
		name := segments[len(segments)-2]
		b := d.Bytes(name)
		at := min(int(offset), len(b))
		b = append(b[:at:at], append(data, b[min(len(b), at+len(data)):]...)...)
		if fixSum && len(b) > 64 {
			journal.FixChecksum(b[64:])
		}
		d.SetBytes(name, b)
		// As a sealed segment, and as the last one.
		for range 2 {
			j, err := journal.Open(opts)
			if err != nil {
				var damage *journal.CorruptError
				if !errors.As(err, &damage) {
					t.Fatal(err)
				}
				return
			}
			once, err1 := readUntilDamage(j)
			twice, err2 := readUntilDamage(j)
			if !slices.Equal(once, twice) || fmt.Sprint(err1) != fmt.Sprint(err2) {
				t.Fatalf("%q, %v, then %q, %v", once, err1, twice, err2)
			}
			if len(once) < 2 || !slices.Equal(once[:2], all[:2]) {
				t.Fatalf("the sound segments before it give %q", once)
			}
			end := j.End()
			if _, _, err := j.Append([][]byte{[]byte("next")}); err != nil {
				t.Fatal(err)
			}
			r, err := j.NewReader(end)
			if err != nil {
				t.Fatal(err)
			}
			if rec, ok, err := r.TryNext(); err != nil || !ok || string(rec.Payload) != "next" {
				t.Fatalf("%q, %v, %v", rec.Payload, ok, err)
			}
			j.Close()
			for _, n := range d.Names() {
				if strings.HasSuffix(n, ".seg") && n > name {
					if err := d.Remove(n); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	})
}
