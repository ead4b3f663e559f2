package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/monev112/monev112/collector/internal/disk/disktest"
	"github.com/monev112/monev112/collector/journal"
)

// damages are the places at which tests hurt the journal of smallJournal: seven groups of two records, four segments.
var damages = []struct {
	name string
	do   func(d *disktest.FS, segments []string)
	lost int // records
}{
	{"none", func(*disktest.FS, []string) {}, 0},
	{"in the middle of a segment", func(d *disktest.FS, s []string) { flip(d, s[1], 64+40) }, 2},
	{"at a segment's header", func(d *disktest.FS, s []string) { flip(d, s[1], 20) }, 0},
	{"at the first segment's header", func(d *disktest.FS, s []string) { flip(d, s[0], 0) }, 0},
	{"at the last segment's header", func(d *disktest.FS, s []string) { flip(d, s[len(s)-1], 20) }, 0},
	{"at a segment's end", func(d *disktest.FS, s []string) { flip(d, s[1], len(d.Bytes(s[1]))-1) }, 2},
	{"at the journal's end", func(d *disktest.FS, s []string) {
		flip(d, s[len(s)-1], len(d.Bytes(s[len(s)-1]))-1)
	}, 2},
	{"at two places", func(d *disktest.FS, s []string) { flip(d, s[0], 64+40); flip(d, s[2], 64+40) }, 4},
	{"by a missing segment", func(d *disktest.FS, s []string) { _ = d.Remove(s[1]) }, 4},
	{"by a missing first segment", func(d *disktest.FS, s []string) { _ = d.Remove(s[0]) }, 4},
	{"by a missing last segment", func(d *disktest.FS, s []string) { _ = d.Remove(s[len(s)-1]) }, 2},
}

func flip(d *disktest.FS, name string, at int) {
	b := d.Bytes(name)
	b[at] ^= 0x10
	d.SetBytes(name, b)
}

// bytesOf returns what the folder holds, by name.
func bytesOf(d *disktest.FS, dir string) map[string]string {
	files := map[string]string{}
	for _, name := range d.Names() {
		if filepath.Dir(name) == dir && filepath.Base(name) != "LOCK" {
			files[name] = string(d.Bytes(name))
		}
	}
	return files
}

func TestSkipRefusesWhatIsSound(t *testing.T) {
	_, opts, _, _ := smallJournal(t)
	for _, at := range []journal.Position{0, 56, 1 << 40} {
		if _, err := journal.SkipDamage(repair(opts), at); err == nil {
			t.Fatalf("sound data skipped at %d", at)
		}
	}
}

func TestRepairsRefuseALiveJournalAndReportOnItInADryRun(t *testing.T) {
	d, opts, _, segments := smallJournal(t)
	flip(d, segments[1], 64+40)
	j, err := journal.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	_, err = readUntilDamage(j)
	damage := j.Damage()
	if damage == nil || fmt.Sprint(err) != damage.Error() {
		t.Fatalf("the reader says %v, the journal %v", err, damage)
	}
	if _, err := journal.SkipDamage(repair(opts), damage.Position); !errors.Is(err, journal.ErrLocked) {
		t.Errorf("skip beside a live journal: %v", err)
	}
	if _, err := journal.Renew(repair(opts)); !errors.Is(err, journal.ErrLocked) {
		t.Errorf("renew beside a live journal: %v", err)
	}
	before := bytesOf(d, opts.Dir)
	dry := repair(opts)
	dry.DryRun, dry.Shipped, dry.Of = true, damage.Position, j.UUID()
	skip, err := journal.SkipDamage(dry, damage.Position)
	if err != nil || skip.From != damage.Position || skip.To <= skip.From || skip.Behind.Records != 8 ||
		skip.Behind.Shipped != 0 || skip.Shipped != damage.Position {
		t.Errorf("%+v, %v", skip, err)
	}
	renew, err := journal.Renew(dry)
	if err != nil || renew.Kept != (journal.Readable{Records: 12, Shipped: 4}) || len(renew.Lost) != 1 {
		t.Errorf("%+v, %v", renew, err)
	}
	if diff := cmp.Diff(before, bytesOf(d, opts.Dir)); diff != "" {
		t.Errorf("a dry run changed the journal:\n%s", diff)
	}
}

func TestSkipKeepsTheDamagedBytesAndASecondRunChangesNothing(t *testing.T) {
	d, opts, _, segments := smallJournal(t)
	flip(d, segments[1], 64+40)
	damaged := d.Bytes(segments[1])
	rep, err := journal.VerifyOn(d, opts.Dir)
	if err != nil || len(rep.Corrupt) != 1 {
		t.Fatalf("%v, %v", rep.Corrupt, err)
	}
	skip, err := journal.SkipDamage(repair(opts), rep.Corrupt[0].Position)
	if err != nil {
		t.Fatal(err)
	}
	if aside := d.Bytes(filepath.Join(opts.Dir, skip.Aside)); !bytes.Equal(aside, damaged[64:64+int(skip.To-skip.From)]) {
		t.Errorf("%q is kept aside", aside)
	}
	before := bytesOf(d, opts.Dir)
	if again, err := journal.SkipDamage(repair(opts), skip.From); err != nil || !again.Repeated || again.To != skip.To {
		t.Errorf("second run: %+v, %v", again, err)
	}
	if diff := cmp.Diff(before, bytesOf(d, opts.Dir)); diff != "" {
		t.Error(diff)
	}
	j := open(t, opts)
	if !j.Gap(0) || j.Gap(skip.To) {
		t.Error("the gap is not where the range was skipped")
	}
}

func TestRenewKeepsPositionsAndWhatCanBeRead(t *testing.T) {
	for _, c := range damages {
		t.Run(c.name, func(t *testing.T) {
			d, opts, all, segments := smallJournal(t)
			sound, err := journal.VerifyOn(d, opts.Dir)
			if err != nil {
				t.Fatal(err)
			}
			ends := map[string]journal.Position{}
			if _, err := journal.InspectOn(d, opts.Dir, func(_ string, r journal.Record) error {
				ends[string(r.Payload)] = r.End
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			c.do(d, segments)
			old := bytesOf(d, opts.Dir)
			r := repair(opts)
			r.Shipped, r.Expect, r.Of = 56, sound.End, sound.UUID // behind the first group
			dry := r
			dry.DryRun = true
			planned, err := journal.Renew(dry)
			if err != nil {
				t.Fatal(err)
			}
			rep, err := journal.Renew(r)
			if err != nil {
				t.Fatal(err)
			}
			planned.UUID = rep.UUID
			if diff := cmp.Diff(planned, rep); diff != "" {
				t.Errorf("the dry run said otherwise (-dry +done):\n%s", diff)
			}
			if rep.Kept.Records != len(all)-c.lost || (len(rep.Lost) > 0) != (c.lost > 0) {
				t.Errorf("%+v; %d records should be lost", rep, c.lost)
			}
			for name, content := range old {
				if string(d.Bytes(filepath.Join(rep.Aside, filepath.Base(name)))) != content {
					t.Errorf("%s is not kept as it was", name)
				}
			}
			j := open(t, opts)
			if j.UUID() != rep.UUID || rep.UUID == sound.UUID || !j.Continues(sound.UUID) || j.End() < sound.End {
				t.Errorf("uuid %v, end %d; was %v, %d", j.UUID(), j.End(), sound.UUID, sound.End)
			}
			from := r.Shipped
			if c.lost == 0 {
				from = 0
			}
			reader, err := j.NewReader(from) // the shipper can go on from its cursor
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Close()
			var got []string
			for {
				rec, ok, err := reader.TryNext()
				if err != nil {
					t.Fatal(err)
				}
				if !ok {
					break
				}
				if ends[string(rec.Payload)] != rec.End {
					t.Errorf("%q ends at %d, was %d", rec.Payload, rec.End, ends[string(rec.Payload)])
				}
				got = append(got, string(rec.Payload))
			}
			if !isSubsequence(got, all) || from == 0 && len(got) != len(all) {
				t.Errorf("%q is left of %q", got, all)
			}
			if _, _, err := j.Append(records(99, 1)); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestRenewedSegmentsAreKeptByTheirLastRecord: a hole at the end makes a segment of its own, behind one whose records
// span a day.
func TestRenewedSegmentsAreKeptByTheirLastRecord(t *testing.T) {
	now := time.UnixMilli(1_770_000_000_000)
	opts := journal.Options{Dir: "/j", MinFreeBytes: -1, FS: disktest.New(1), Now: func() time.Time { return now }}
	j := open(t, opts)
	for i := range 2 {
		if _, _, err := j.Append(records(i, 1)); err != nil {
			t.Fatal(err)
		}
		now = now.Add(23 * time.Hour)
	}
	last := now.Add(-23 * time.Hour)
	r := repair(opts)
	r.Of, r.Expect = j.UUID(), j.End()+1000
	j.Close()
	if _, err := journal.Renew(r); err != nil {
		t.Fatal(err)
	}
	j = open(t, opts)
	defer j.Close()
	if _, _, err := j.Append(records(9, 1)); err != nil {
		t.Fatal(err)
	}
	if n, err := j.Retain(j.End(), last.Add(-time.Minute)); n > 0 || err != nil {
		t.Errorf("%d segments deleted, %v: the last record of the first is younger than what is kept", n, err)
	}
}

func TestRenewWithoutAnIdentityFileGoesOnUnderItsOwn(t *testing.T) {
	d, opts, all, _ := smallJournal(t)
	if err := d.Remove("/j/journal.json"); err != nil {
		t.Fatal(err)
	}
	r := repair(opts)
	r.Shipped = 100 // of a journal that nobody can name
	rep, err := journal.Renew(r)
	if err != nil || rep.Shipped != 0 {
		t.Fatalf("%+v, %v", rep, err)
	}
	if got := readAll(t, open(t, opts), 0); !slices.Equal(got, all) {
		t.Fatalf("%q", got)
	}
}

func TestChangeUUIDKeepsTheRecordsAndContinuesNothing(t *testing.T) {
	_, opts, all, _ := smallJournal(t)
	if _, err := journal.Renew(repair(opts)); err != nil {
		t.Fatal(err)
	}
	j := open(t, opts)
	was := j.UUID()
	if _, err := journal.ChangeUUID(opts.FS, opts.Dir); !errors.Is(err, journal.ErrLocked) {
		t.Errorf("beside a live journal: %v", err)
	}
	j.Close()
	now, err := journal.ChangeUUID(opts.FS, opts.Dir)
	if err != nil {
		t.Fatal(err)
	}
	j = open(t, opts)
	if j.UUID() != now || now == was || j.Continues(was) {
		t.Errorf("%v, was %v, which it continues: %v", j.UUID(), was, j.Continues(was))
	}
	if got := readAll(t, j, 0); !slices.Equal(got, all) {
		t.Errorf("%q", got)
	}
}

// No repair can tell what a file of another journal, or under another name, stands for; the error says what can be
// done.
func TestAMisplacedSegmentIsNotSkipped(t *testing.T) {
	d, opts, _, segments := smallJournal(t)
	content := d.Bytes(segments[1])
	if err := d.Remove(segments[1]); err != nil {
		t.Fatal(err)
	}
	d.SetBytes("/j/00000000000000000057-0000000001.seg", content)
	var misplaced *journal.CorruptError
	if _, err := journal.Open(opts); !errors.As(err, &misplaced) || !misplaced.Misplaced ||
		strings.Contains(err.Error(), "journal skip") {
		t.Errorf("%v", err)
	}
}

func TestRenewRefusesToFillTheDisk(t *testing.T) {
	d, opts, all, _ := smallJournal(t)
	d.SetFree(1 << 20)
	if _, err := journal.Renew(repair(opts)); !errors.Is(err, journal.ErrDiskFull) {
		t.Fatal(err)
	}
	if got := readAll(t, open(t, opts), 0); !slices.Equal(got, all) {
		t.Fatalf("%q", got)
	}
}

// Whatever call a kill or a power loss stops, a second run brings the journal to where an undisturbed run does, and
// between the two nobody reads anything that was never written.
func TestRepairsSurviveAKillAtEveryCall(t *testing.T) {
	type run struct {
		name string
		do   func(opts journal.Options, at journal.Position) error
	}
	for _, c := range damages[1:4] {
		for _, r := range []run{
			{"skip", func(opts journal.Options, at journal.Position) error {
				_, err := journal.SkipDamage(repair(opts), at)
				return err
			}},
			{"renew", func(opts journal.Options, _ journal.Position) error {
				_, err := journal.Renew(repair(opts))
				return err
			}},
		} {
			for stop := 1; ; stop++ {
				label := fmt.Sprintf("%s, damage %s, call %d fails", r.name, c.name, stop)
				d, opts, all, segments := smallJournal(t)
				c.do(d, segments)
				found, err := journal.VerifyOn(d, opts.Dir)
				if err != nil {
					t.Fatal(err)
				}
				at := found.Corrupt[0].Position
				done := d.Calls()
				d.Fail = func(n int, _ disktest.Op, _ string) *disktest.Fault {
					if n >= done+stop { // and all after it: the process is dead
						return &disktest.Fault{Err: disktest.EIO, Part: 0.5}
					}
					return nil
				}
				err = r.do(opts, at)
				reached := d.Calls() >= done+stop
				d.Fail = nil
				if stop%2 == 0 {
					d.PowerLoss()
				} else {
					d.Kill()
				}
				if !reached {
					if err != nil {
						t.Fatalf("%s: %v", label, err)
					}
					break
				}
				if err := r.do(opts, at); err != nil && !strings.Contains(err.Error(), "no damage begins") {
					t.Fatalf("%s: second run: %v", label, err)
				}
				got := readAll(t, open(t, opts), 0)
				if !isSubsequence(got, all) || len(got) != len(all)-c.lost {
					t.Fatalf("%s: %q is left", label, got)
				}
			}
		}
	}
}
