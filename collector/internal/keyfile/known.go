package keyfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// KnownName is the name, in a data folder, of the record of the keys that the folder was used with. It holds their ids
// and no secret, so that a backup takes it along.
const KnownName = "known-keys.json"

const (
	knownVersion    = 1
	maxKnownBytes   = 1 << 20
	maxKnownEntries = 1000 // the oldest go first
)

// KnownEntry says which keys a file held from an instant on. Without ids the earlier keys were given up, and the next
// start makes others.
type KnownEntry struct {
	File string    `json:"file"` // name in the data folder
	At   time.Time `json:"at"`
	IDs  []string  `json:"ids"`
}

// Known is the record of one data folder. It tells a key file that was lost from one that was never made, and the keys
// of this folder from those of another installation. It is a log too: each change of the keys is an entry.
type Known struct{ file File[[]KnownEntry] }

// KnownIn returns the record of the data folder dataDir.
func KnownIn(dataDir string) Known {
	return Known{File[[]KnownEntry]{
		Path: filepath.Join(dataDir, KnownName), Name: "record of known keys", MaxBytes: maxKnownBytes,
		Parse: func(text []byte) ([]KnownEntry, error) {
			var c knownContent
			if err := json.Unmarshal(text, &c); err != nil || c.Version != knownVersion {
				return nil, errors.New("it is not what this program writes; bring it back from a backup, or remove it when the " +
					"key files beside it are the right ones")
			}
			return c.Entries, nil
		},
		Format: func(entries []KnownEntry) ([]byte, error) {
			text, err := json.MarshalIndent(knownContent{knownVersion, entries}, "", "  ")
			return append(text, '\n'), err
		},
	}}
}

type knownContent struct {
	Version int          `json:"version"`
	Entries []KnownEntry `json:"entries"`
}

// Entries returns the record, the oldest entry first; none when nothing was recorded yet.
func (k Known) Entries() ([]KnownEntry, error) {
	entries, err := k.file.Read()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return entries, err
}

// Last returns the latest entry of a key file; ok is false when there is none.
func (k Known) Last(file string) (e KnownEntry, ok bool, err error) {
	entries, err := k.Entries()
	for _, e := range slices.Backward(entries) {
		if e.File == file {
			return e, true, nil
		}
	}
	return e, false, err
}

// Note records which keys a file holds from now on: a start expects them. Keys that the latest entry has already leave
// the record as it is.
func (k Known) Note(file string, ids []string, now time.Time) error {
	if e, ok, err := k.Last(file); err != nil || ok && slices.Equal(e.IDs, ids) {
		return err
	}
	return k.file.Change(func(entries []KnownEntry) ([]KnownEntry, error) {
		entries = append(entries, KnownEntry{file, now.UTC().Truncate(time.Second), slices.Clone(ids)})
		return entries[max(0, len(entries)-maxKnownEntries):], nil
	})
}

// makingPause is between looks for a file that somebody may be about to make.
const makingPause = 20 * time.Millisecond

// Dependent says what follows from the keys of one file, for who finds it missing or another's.
type Dependent struct {
	What   string // what depends on the keys, a sentence's end: "...: the callers' numbers are ..."
	Remedy string // the command that begins new keys
	// Evidence reports whether the data folder holds something that was made with keys, where the record does not tell.
	Evidence func() bool
	// Any: one recorded key in the file is enough, because earlier ones may be dropped from it. Else each must be there.
	Any bool
}

// ReadKnown reads a file of keys of a data folder for a start. It refuses a file that is missing although the folder
// was used with one, and one without the keys that the folder was used with: other keys in their place would let
// nothing of before be recognised, and nobody would be told. ids names the keys of T. The error wraps fs.ErrNotExist
// when there never was a file.
func ReadKnown[T any](f File[T], d Dependent, ids func(T) []string, now time.Time) (value T, err error) {
	known, name := KnownIn(filepath.Dir(f.Path)), filepath.Base(f.Path)
	last, recorded, err := known.Last(name)
	if err != nil {
		return value, err
	}
	value, err = f.Read()
	lost := errors.Is(err, fs.ErrNotExist) && (len(last.IDs) > 0 || !recorded && d.Evidence())
	if _, lerr := os.Lstat(f.Path + LockSuffix); lost && lerr == nil {
		// It may be in the making: who makes it holds the lock until it is there, from a moment after the lock's file came.
		// Without the lock it stays missing.
		for tries := 25; tries > 0 && errors.Is(err, fs.ErrNotExist); tries-- {
			_ = f.locked(func() error { value, err = f.Read(); return nil })
			if errors.Is(err, fs.ErrNotExist) {
				time.Sleep(makingPause)
			}
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && lost:
		return value, fmt.Errorf("%s %s is missing, and this folder was used with one: %s. Bring the file back from the "+
			"secrets of a backup, or begin with new keys from here: %s", f.Name, f.Path, d.What, d.Remedy)
	case errors.Is(err, fs.ErrNotExist):
		return value, err
	case err != nil:
		return value, fmt.Errorf("%w. Mend it, bring it back from the secrets of a backup, or begin with new keys from "+
			"here: %s (%s)", err, d.Remedy, d.What)
	}
	has := ids(value)
	lacking := slices.DeleteFunc(slices.Clone(last.IDs), func(id string) bool { return slices.Contains(has, id) })
	if len(lacking) > 0 && (!d.Any || len(lacking) == len(last.IDs)) {
		return value, fmt.Errorf("%s %s holds other keys than this folder was used with (%s is not in it): it was cut "+
			"short, or is of another installation: %s. Bring the right file back from the secrets of a backup, or begin with "+
			"new keys from here: %s", f.Name, f.Path, lacking[len(lacking)-1], d.What, d.Remedy)
	}
	_ = known.Note(name, has, now) // a full disk stops no start: the next one records it
	return value, nil
}

// ReadOrMake is ReadKnown, and has create make the file where there never was one.
func ReadOrMake[T any](f File[T], d Dependent, ids func(T) []string, now time.Time, create func() (T, error)) (T,
	error) {
	value, err := ReadKnown(f, d, ids, now)
	if !errors.Is(err, fs.ErrNotExist) {
		return value, err
	}
	if value, err = f.ReadOrCreate(create); err != nil {
		return value, err
	}
	return value, KnownIn(filepath.Dir(f.Path)).Note(filepath.Base(f.Path), ids(value), now)
}

// Begin puts new keys in the place of a file that is lost, damaged or another's, and records it. What lies there is
// kept beside it, and named; empty when nothing does. A dry run changes nothing.
func (f File[T]) Begin(create func() (T, error), ids func(T) []string, now time.Time, dryRun bool) (aside string,
	value T, err error) {
	if _, err := os.Lstat(f.Path); err == nil {
		aside = f.Path + ".aside-" + now.UTC().Format("20060102T150405Z")
	}
	if dryRun {
		return aside, value, nil
	}
	err = f.locked(func() error {
		if value, err = create(); err != nil {
			return err
		}
		if aside != "" {
			if err := os.Rename(f.Path, aside); err != nil {
				return err
			}
		}
		return f.write(value)
	})
	if err != nil {
		return "", value, err
	}
	return aside, value, KnownIn(filepath.Dir(f.Path)).Note(filepath.Base(f.Path), ids(value), now)
}
