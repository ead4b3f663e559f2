//go:build faults

package ingest_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/ingest"
)

// TestCollector is the process that is killed: it submits events on real files and prints each id once acknowledged.
func TestCollector(t *testing.T) {
	dir := os.Getenv("MONEV112_TEST_DIR")
	if dir == "" {
		t.Skip("runs as a child only")
	}
	s := newStation(t)
	s.cfg.Dir, s.jopts.Dir = dir, dir+"/journal"
	s.cfg.CheckpointBytes, s.jopts.SegmentBytes = 1500, 1000
	s.start()
	for i := range 40 {
		id := fmt.Sprint(os.Getenv("MONEV112_TEST_PREFIX"), i)
		if _, err := s.loop.Submit(context.Background(), []*event.Event{ev(id, 1), ev(id+"'", 1)}); err != nil {
			t.Fatal(err)
		}
		fmt.Println("acked", id)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
}

// Each named place kills the process once, on one folder; at the end every acknowledged event is there once.
func TestKilledAtEveryNamedPlace(t *testing.T) {
	s := newStation(t)
	acked := map[string]bool{}
	for i, place := range []string{
		"journal.write:7", "journal.fsync:7", "ingest.apply:5", "ingest.ack:5",
		"checkpoint.write:2", "checkpoint.rename:2", "checkpoint.done:2", "journal.write:1", "journal.fsync:1",
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestCollector$")
		cmd.Env = append(os.Environ(), "MONEV112_KILL_AT="+place, "MONEV112_TEST_DIR="+s.dir,
			fmt.Sprintf("MONEV112_TEST_PREFIX=%d-", i))
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(err.Error(), "killed") {
			t.Fatalf("%s: the child was not killed: %v\n%s", place, err, out)
		}
		for sc := bufio.NewScanner(bytes.NewReader(out)); sc.Scan(); {
			if id, ok := strings.CutPrefix(sc.Text(), "acked "); ok {
				acked[id], acked[id+"'"] = true, true
			}
		}
	}
	if len(acked) < 40 {
		t.Fatalf("only %d events were acknowledged: it tests nothing", len(acked))
	}
	s.start()
	for id := range acked {
		if n := s.board.applied["//test "+id]; n != 1 {
			t.Errorf("%s is on the board %d times", id, n)
		}
		s.submit([]ingest.Status{dup}, ev(id, 1))
	}
	for id, n := range s.board.applied {
		if n != 1 {
			t.Errorf("%s was applied %d times", id, n)
		}
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
}
