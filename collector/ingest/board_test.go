package ingest_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"testing"

	"github.com/monev112/monev112/collector/event"
)

// modelBoard remembers each payload under its id, and how often it was applied.
type modelBoard struct {
	applied map[string]int    // id -> how often, replays included
	content map[string]string // id -> payload
	live    int
	lastEnd uint64
	refuse  bool // to read checkpoints
}

func newModelBoard() *modelBoard {
	return &modelBoard{applied: map[string]int{}, content: map[string]string{}}
}

func (b *modelBoard) ApplyGroup(events []*event.Event, payloads [][]byte, ends []uint64, live bool) {
	for i, e := range events {
		b.apply(e, payloads[i], ends[i], live)
	}
}

func (b *modelBoard) apply(e *event.Event, payload []byte, end uint64, live bool) {
	if end <= b.lastEnd {
		panic(fmt.Sprintf("event at %d after one at %d", end, b.lastEnd))
	}
	id := e.Source + " " + e.ID
	b.lastEnd = end
	b.applied[id]++
	b.content[id] = string(payload)
	if live {
		b.live++
	}
}

func (b *modelBoard) Checkpoint() func(io.Writer) error {
	applied, content, last := maps.Clone(b.applied), maps.Clone(b.content), b.lastEnd
	return func(w io.Writer) error {
		var buf []byte
		buf = binary.AppendUvarint(buf, last)
		buf = binary.AppendUvarint(buf, uint64(len(applied)))
		for id, n := range applied {
			buf = binary.AppendUvarint(buf, uint64(n))
			buf = binary.AppendUvarint(buf, uint64(len(id)))
			buf = append(buf, id...)
			buf = binary.AppendUvarint(buf, uint64(len(content[id])))
			buf = append(buf, content[id]...)
		}
		_, err := w.Write(buf)
		return err
	}
}

func (b *modelBoard) ReadCheckpoint(r io.Reader) error {
	if b.refuse {
		return errors.New("another version")
	}
	br := bufio.NewReader(r)
	fresh := newModelBoard()
	var err error
	number := func() uint64 {
		n, e := binary.ReadUvarint(br)
		err = errors.Join(err, e)
		return n
	}
	text := func() string {
		p := make([]byte, number())
		_, e := io.ReadFull(br, p)
		err = errors.Join(err, e)
		return string(p)
	}
	fresh.lastEnd = number()
	for n := number(); n > 0 && err == nil; n-- {
		times := int(number())
		id := text()
		fresh.applied[id], fresh.content[id] = times, text()
	}
	if err == nil {
		if _, e := br.ReadByte(); e != io.EOF {
			err = errors.New("bytes behind the board's stream")
		}
	}
	if err == nil {
		*b = *fresh
	}
	return err
}

func TestModelBoardReadsWhatItWrote(t *testing.T) {
	b := newModelBoard()
	b.apply(&event.Event{Source: "s", ID: "1"}, []byte("x"), 5, true)
	var buf bytes.Buffer
	if err := b.Checkpoint()(&buf); err != nil {
		t.Fatal(err)
	}
	got := newModelBoard()
	if err := got.ReadCheckpoint(&buf); err != nil || got.content["s 1"] != "x" || got.lastEnd != 5 {
		t.Fatalf("%+v, %v", got, err)
	}
}
