package tabular

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// endOf64 returns the end of an archive in the form of large ones: end and locator in 64 bits, then the usual end. The
// first lies at the position at.
func endOf64(at, entries, size, begins uint64) []byte {
	b := append([]byte("PK\x06\x06"), make([]byte, end64Bytes-4)...)
	binary.LittleEndian.PutUint64(b[4:], end64Bytes-12)
	binary.LittleEndian.PutUint64(b[24:], entries)
	binary.LittleEndian.PutUint64(b[32:], entries)
	binary.LittleEndian.PutUint64(b[40:], size)
	binary.LittleEndian.PutUint64(b[48:], begins)
	b = append(b, locatorMagic...)
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint64(b, at)
	b = binary.LittleEndian.AppendUint32(b, 1)
	return append(b, endOf(1<<16-1, 1<<32-1, 1<<32-1, "")...)
}

func endOf(entries uint16, size, begins uint32, comment string) []byte {
	b := append([]byte(endMagic), 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint16(b, entries)
	b = binary.LittleEndian.AppendUint16(b, entries)
	b = binary.LittleEndian.AppendUint32(b, size)
	b = binary.LittleEndian.AppendUint32(b, begins)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(comment)))
	return append(b, comment...)
}

// bomb writes a file that begins like a workbook, lists n entries of which there are none, and ends as given; then it
// is extended to size, with the end again, as a file without content that takes no room on the disk.
func bomb(t *testing.T, n int, size int64, end func(directory int) []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "bomb.xlsx")
	entry := append([]byte("PK\x01\x02"), make([]byte, 42)...)
	text := append([]byte("PK\x03\x04"), bytes.Repeat(entry, n)...)
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if size == 0 {
		size = int64(len(text))
	}
	tail := end(n * len(entry))
	_, werr := f.Write(text)
	_, aerr := f.WriteAt(tail, size)
	if err := errors.Join(werr, aerr); err != nil {
		t.Fatal(err)
	}
	return name
}

// What an archive costs is bounded before its directory is read, whatever its end says of it.
func TestADirectoryBeyondTheLimitsIsRefusedBeforeItIsRead(t *testing.T) {
	const many, huge = 300_000, 1 << 40
	for name, file := range map[string]string{
		"the count is told": bomb(t, many, 0, func(n int) []byte { return endOf(1<<16-1, uint32(n), 4, "") }),
		"the count is told in 64 bits": bomb(t, many, 0, func(n int) []byte {
			return endOf64(uint64(n+4), many, uint64(n), 4)
		}),
		"the count is false": bomb(t, many, 0, func(int) []byte { return endOf(1, 46, 4, "") }),
		"the count is what is left of it": bomb(t, many, 0, func(int) []byte {
			return endOf(many%(1<<16), 0, 4, "a comment")
		}),
		"the size is false":            bomb(t, many, 0, func(n int) []byte { return endOf(100, uint32(n), 4, "") }),
		"a count of a huge file":       bomb(t, 1, huge, func(int) []byte { return endOf64(huge, huge/64, 46, 4) }),
		"a small count of a huge file": bomb(t, 1, huge, func(int) []byte { return endOf(60_000, 46, 4, "") }),
		"a size of a huge file":        bomb(t, 1, huge, func(int) []byte { return endOf64(huge, 1, huge/2, 4) }),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := OpenWorkbook(file, Limits{})
		incomplete := Incomplete(file)
		runtime.ReadMemStats(&after)
		if err == nil || !errors.Is(err, errDirectory) || !strings.Contains(err.Error(), "it is no workbook") {
			t.Errorf("%s: %v", name, err)
		}
		if incomplete {
			t.Errorf("%s: it would be waited for", name)
		}
		if cost := after.TotalAlloc - before.TotalAlloc; cost > 48<<20 {
			t.Errorf("%s: two openings cost %d MiB", name, cost>>20)
		}
	}
}

func TestTheEndOfAnArchiveMayHaveEachOfItsForms(t *testing.T) {
	f := excelize.NewFile()
	if err := f.SetCellValue("Sheet1", "A1", "x"); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	whole := b.Bytes()
	at := bytes.LastIndex(whole, []byte(endMagic))
	entries := binary.LittleEndian.Uint16(whole[at+entriesAt:])
	size, begins := binary.LittleEndian.Uint32(whole[at+12:]), binary.LittleEndian.Uint32(whole[at+16:])
	for name, end := range map[string][]byte{
		"as it is":     whole[at:],
		"in 64 bits":   endOf64(uint64(at), uint64(entries), uint64(size), uint64(begins)),
		"with comment": endOf(entries, size, begins, strings.Repeat("c", 60_000)),
	} {
		file := filepath.Join(t.TempDir(), "a.xlsx")
		if err := os.WriteFile(file, append(bytes.Clone(whole[:at]), end...), 0o600); err != nil {
			t.Fatal(err)
		}
		w, err := OpenWorkbook(file, Limits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		s, err := w.Sheet("Sheet1")
		if err != nil {
			t.Fatal(err)
		}
		if row, err := s.Next(); err != nil || row.Cells[0] != "x" {
			t.Errorf("%s: %v, %v", name, row, err)
		}
		s.Close()
		if err := errors.Join(w.Close(), w.Close()); err != nil {
			t.Error(err)
		}
	}
	for _, cut := range []int{4, 21, 22, len(whole) / 2, len(whole) - 1} { // as while it is copied
		file := filepath.Join(t.TempDir(), "a.xlsx")
		if err := os.WriteFile(file, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if !Incomplete(file) {
			t.Errorf("%d bytes of it are not waited for", cut)
		}
	}
}

// The first bytes of a packed file claim the memory for all of it.
func TestAPackedFileClaimsNoMemoryByItsFirstBytes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.csv.zst")
	frame := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3, 0x01, 0x00, 0x00} // a window of 128 MiB, then nothing
	if err := os.WriteFile(file, frame, 0o600); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	text, err := OpenText(file, "", Limits{})
	if err == nil {
		_, err = io.ReadAll(text)
		text.Close()
	}
	runtime.ReadMemStats(&after)
	if cost := after.TotalAlloc - before.TotalAlloc; err == nil || cost > 64<<20 {
		t.Errorf("%v, %d MiB", err, cost>>20)
	}
}
