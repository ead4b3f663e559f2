package importer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/directory"
	_ "github.com/monev112/monev112/collector/internal/rapidseed"
	"github.com/monev112/monev112/deploy"
)

// reimport is an import of one row for each district given, into d, with a memory.
func reimport(t *testing.T, d *fakeCollector, state string, districts ...string) (Summary, error) {
	t.Helper()
	var b strings.Builder
	b.WriteString("No,Waktu,Kecamatan,No HP\n")
	for i, k := range districts {
		if k != "" {
			fmt.Fprintf(&b, "K-%d,2026-01-01 00:00:%02d,%s,0812345678%02d\n", i, i, k, i)
		}
	}
	o := options(t, d, simple, write(t, "a.csv", []byte(b.String())))
	o.State = state
	return Import(context.Background(), o)
}

func TestChangedRowsBecomeCorrections(t *testing.T) {
	for _, lost := range []bool{false, true} {
		t.Run(fmt.Sprintf("memory lost %v", lost), func(t *testing.T) {
			d := newFakeCollector(t)
			state := t.TempDir()
			step := func(wantCorrected, wantGone int, districts ...string) {
				t.Helper()
				sum, err := reimport(t, d, state, districts...)
				if err != nil || sum.Corrected != wantCorrected || sum.Vanished != wantGone {
					t.Fatalf("%v: %v, %d corrected, %d gone, refused %v", districts, err, sum.Corrected, sum.Vanished, sum.Refused)
				}
				want := map[string]string{}
				for i, k := range districts {
					if k != "" {
						want[fmt.Sprintf("call/K-%d.received", i)], want[fmt.Sprintf("call/K-%d.ended", i)] = k, ""
					}
				}
				got := d.standing()
				if slices.Contains(districts, "") {
					for id := range got {
						if _, ok := want[id]; !ok {
							delete(got, id)
						}
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("%v (-want +got):\n%s", districts, diff)
				}
				if lost {
					if err := os.RemoveAll(state); err != nil {
						t.Fatal(err)
					}
				}
			}
			step(0, 0, "Waru", "Taman", "Krian")
			step(0, 0, "Waru", "Taman", "Krian")
			before := d.count()
			step(1, 0, "Waru", "Candi", "Krian")
			step(0, 0, "Waru", "Candi", "Krian")
			step(1, 0, "Waru", "Taman", "Krian") // back
			step(1, 0, "Waru", "Candi", "Krian") // and there again
			if d.count() != before+3 {
				t.Errorf("%d events for three corrections of %d", d.count(), before)
			}
			gone := 2
			if lost {
				gone = 0 // nothing is remembered of what was there
			}
			step(0, gone, "Waru", "", "Krian")
			if len(d.standing()) != 6 {
				t.Error("a row that vanished took its events with it")
			}
		})
	}
}

// Whatever is imported in whatever order, and whenever the memory gets lost: what stands is what the last file says.
func TestTheLastImportStands(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		d := newFakeCollector(t)
		defer d.Close()
		state, err := os.MkdirTemp(t.TempDir(), "state")
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 6).Draw(r, "imports") {
			file := rapid.SliceOfN(rapid.SampledFrom([]string{"Waru", "Taman", "Candi"}), 3, 3).Draw(r, "districts")
			if rapid.IntRange(0, 3).Draw(r, "lose") == 0 {
				os.RemoveAll(state)
			}
			if _, err := reimport(t, d, state, file...); err != nil {
				r.Fatal(err)
			}
			got := d.standing()
			for i, k := range file {
				if got[fmt.Sprintf("call/K-%d.received", i)] != k {
					r.Fatalf("%v stands as %v", file, got)
				}
			}
		}
	})
}

func TestRowsThatContradictEachOther(t *testing.T) {
	d := newFakeCollector(t)
	state := t.TempDir()
	rows := []string{"K-1,2026-01-01 00:00:00,Waru,", "K-1,2026-01-01 00:00:00,Taman,", "K-2,2026-01-01 00:00:00,Waru,"}
	for _, order := range [][]int{{0, 1, 2}, {1, 0, 2}, {2, 1, 0}} {
		text := "No,Waktu,Kecamatan,No HP\n"
		for _, i := range order {
			text += rows[i] + "\n"
		}
		o := options(t, d, simple, write(t, "a.csv", []byte(text)))
		o.State = state
		sum, err := Import(context.Background(), o)
		if !errors.Is(err, ErrRefused) || sum.Refused[CodeConflict] != 1 || sum.Corrected != 0 ||
			d.standing()["call/K-1.received"] != "Waru" {
			t.Errorf("order %v: %v, %v, %d corrected, %v", order, err, sum.Refused, sum.Corrected, d.standing())
		}
	}
}

func TestAKeyThatMayNotRead(t *testing.T) {
	d := newFakeCollector(t)
	if _, err := reimport(t, d, t.TempDir(), "Waru"); err != nil {
		t.Fatal(err)
	}
	d.blind = true
	sum, err := reimport(t, d, t.TempDir(), "Taman")
	if !errors.Is(err, ErrRefused) || sum.Refused[CodeConflict] != 1 || !sum.HistoryHidden ||
		!strings.Contains(sum.Text(""), "board:read") {
		t.Errorf("%v, %v\n%s", err, sum.Refused, sum.Text(""))
	}
}

// A memory of one machine meets a server that another one has corrected.
func TestConflictsAreLookedUp(t *testing.T) {
	d := newFakeCollector(t)
	here, there := t.TempDir(), t.TempDir()
	for _, step := range []struct{ state, district string }{
		{here, "Waru"}, {there, "Waru"}, {there, "Taman"}, {here, "Candi"},
	} {
		if _, err := reimport(t, d, step.state, step.district); err != nil {
			t.Fatal(err)
		}
	}
	if got := d.standing(); got["call/K-0.received"] != "Candi" || d.count() != 4 {
		t.Errorf("%d events, %v", d.count(), got)
	}
}

// Without a memory two spellings of one name look the same, and the collector's conflict says that they are not.
func TestAnotherSpellingIsACorrectionWithoutAMemory(t *testing.T) {
	d := newFakeCollector(t)
	dir, err := directory.Load("directory.yaml", []byte(deploy.Directory))
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		district  string
		corrected int
	}{{"35.15.18", 0}, {"Waru", 1}, {"Waru", 0}} {
		text := "No,Waktu,Kecamatan,No HP\nK-1,2026-01-01 00:00:00," + step.district + ",\n"
		o := options(t, d, strings.Replace(simple, "c1", `"35.15"`, 1), write(t, "a.csv", []byte(text)))
		o.State, o.Directory = t.TempDir(), dir
		if sum, err := Import(context.Background(), o); err != nil || sum.Corrected != step.corrected {
			t.Errorf("%s: %v, %d corrected, refused %v", step.district, err, sum.Corrected, sum.Refused)
		}
	}
	if got := d.standing(); got["call/K-1.received"] != "Waru" {
		t.Error(got)
	}
}

func TestADamagedMemoryIsPutAside(t *testing.T) {
	d := newFakeCollector(t)
	state := t.TempDir()
	if _, err := reimport(t, d, state, "Waru", "Taman"); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(state, "*.state"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	// Whole numbers, not pieces: four digits stand in a hash by chance.
	for _, secret := range []string{"08123456", "8123456", "Waru"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the state file holds %q", secret)
		}
	}
	for cut := 1; cut < len(text); cut += 7 {
		if err := os.WriteFile(files[0], text[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if sum, err := reimport(t, d, state, "Waru", "Taman"); err != nil || sum.Corrected != 0 {
			t.Fatalf("cut at %d: %v, %d corrected", cut, err, sum.Corrected)
		}
	}
	if d.asked == 0 {
		t.Error("the server was never asked")
	}
}

func TestVersionIDs(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		base := rapid.StringMatching(`(call|ticket)/[A-Za-z0-9-]{1,20}\.[a-z]{4,9}`).Draw(r, "id")
		revision := rapid.Uint32Range(0, 5000).Draw(r, "revision")
		hash := rapid.Uint64Range(0, hashMask).Draw(r, "hash")
		id := versionID(base, revision, hash)
		n, h, ok := parseVersion(base, id)
		if !ok || n != revision || revision > 0 && h != hash {
			r.Fatalf("%s: %d %x %v", id, n, h, ok)
		}
		if _, _, ok := parseVersion(base, base+"2"); ok {
			r.Fatal("another event is taken for a version")
		}
	})
}

// A system that counts its cases from 1 each month gives the numbers of the month before to other cases: they are
// refused, and no case of the month before is taken away. One late correction of a date is none of that.
func TestNumbersThatBeginAnewTakeNoCaseAway(t *testing.T) {
	for _, lost := range []bool{false, true} {
		d, state := newFakeCollector(t), t.TempDir()
		month := func(text string) (Summary, error) {
			o := options(t, d, simple, write(t, "a.csv", []byte("No,Waktu,Kecamatan,No HP\n"+text)))
			o.State = state
			if lost {
				o.State = t.TempDir()
			}
			return Import(context.Background(), o)
		}
		const november = "1,2025-11-01 08:00:00,Waru,\n2,2025-11-02 08:00:00,Taman,\n3,2025-11-03 08:00:00,Krian,\n"
		if _, err := month(november); err != nil {
			t.Fatal(err)
		}
		before := d.standing()
		sum, err := month("1,2025-12-01 09:00:00,Candi,\n2,2025-12-02 09:00:00,Candi,\n3,2025-12-03 09:00:00,Candi,\n")
		if !errors.Is(err, ErrRefused) || sum.Corrected != 0 || sum.Refused[CodeConflict] == 0 {
			t.Errorf("memory lost %v: %v, %d corrected, refused %v", lost, err, sum.Corrected, sum.Refused)
		}
		if diff := cmp.Diff(before, d.standing()); diff != "" {
			t.Errorf("memory lost %v: November changed (-want +got):\n%s", lost, diff)
		}
		sum, err = month(strings.Replace(november, "11-02", "10-02", 1))
		if err != nil || sum.Corrected == 0 {
			t.Errorf("memory lost %v: one date is corrected: %v, %d corrected", lost, err, sum.Corrected)
		}
	}
}

// Of a case whose number is used again nothing is sent, also not what the earlier one has not: the answer of December
// is none of an unanswered call of November.
func TestNumbersThatBeginAnewAddNothing(t *testing.T) {
	const november = "A,2025-11-01 08:00:00,\nB,2025-11-02 08:00:00,\nC,2025-11-03 08:00:00,\n"
	for _, lost := range []bool{false, true} {
		d, state := newFakeCollector(t), t.TempDir()
		month := func(rows string) (Summary, []string) {
			if lost {
				state = t.TempDir()
			}
			return day(t, d, state, ticketExport, false, "No,Masuk,Selesai\n"+rows)
		}
		_, before := month(november)
		december := strings.NewReplacer("2025-11", "2025-12", ":00,", ":00,2025-12-04 09:00:00").Replace(november)
		sum, after := month(december + "D,2025-12-05 08:00:00,2025-12-05 09:00:00\n")
		want := append(slices.Clone(before), "ticket/D.opened", "ticket/D.resolved")
		if diff := cmp.Diff(want, after); diff != "" || sum.Refused[CodeConflict] != 6 {
			t.Errorf("memory lost %v: refused %v (-want +got):\n%s", lost, sum.Refused, diff)
		}
		one, _, _ := strings.Cut(december, "\n") // a date that is corrected late, with an end
		_, rest, _ := strings.Cut(november, "\n")
		sum, after = month(one + "\n" + rest)
		if sum.Corrected != 1 || len(sum.Refused) > 0 || !slices.Contains(after, "ticket/A.resolved") {
			t.Errorf("memory lost %v: %d corrected, refused %v, %v", lost, sum.Corrected, sum.Refused, after)
		}
		if sum, _ = month(one + "\n" + rest); sum.Totals.Accepted != 0 {
			t.Errorf("memory lost %v: once more: %+v", lost, sum)
		}
	}
}

// Tickets that took weeks are corrected like any others: what moved is their end, not they.
func TestLateEndsAreCorrected(t *testing.T) {
	for _, lost := range []bool{false, true} {
		d, state := newFakeCollector(t), t.TempDir()
		for i, end := range []string{"2025-11-20 09:00:00", "2025-11-20 10:00:00", "2025-12-20 10:00:00"} {
			if lost {
				state = t.TempDir()
			}
			text := "No,Masuk,Selesai\n"
			for _, no := range []string{"A", "B", "C"} {
				text += no + ",2025-11-01 08:00:00," + end + "\n"
			}
			if sum, ids := day(t, d, state, ticketExport, false, text); i > 0 && sum.Corrected != 3 || len(sum.Refused) > 0 {
				t.Errorf("memory lost %v: %s: %d corrected, refused %v, %v", lost, end, sum.Corrected, sum.Refused, ids)
			}
		}
	}
}
