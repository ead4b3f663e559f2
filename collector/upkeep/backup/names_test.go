package backup

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/internal/keyfile"
	"github.com/monev112/monev112/collector/journal"
)

// handmade is a backup of an empty journal and the given files, whatever their names, for a restore without tables.
func handmade(t *testing.T, state map[string]string) (dir string, m Manifest) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "backup")
	j, err := journal.Open(journal.Options{Dir: filepath.Join(dir, journal.FolderName), MinFreeBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	m = Manifest{Format: format, ID: "0192f0c1-0000-7000-8000-000000000000"}
	m.Journal.UUID = j.UUID().String()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	add := func(into *[]File, name string) {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(text)
		*into = append(*into, File{Name: name, Bytes: int64(len(text)), SHA256: hex.EncodeToString(sum[:])})
	}
	names, err := journal.Files(disk.OS{}, filepath.Join(dir, journal.FolderName))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		add(&m.Journal.Files, journal.FolderName+"/"+name)
	}
	for name, text := range state {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
		add(&m.State, name)
	}
	if err := m.write(dir); err != nil {
		t.Fatal(err)
	}
	return dir, m
}

func restoreFolder(t *testing.T, from, to string) error {
	t.Helper()
	_, err := Restore(t.Context(), RestoreConfig{From: from, DataDir: to, NoTables: true, Now: now})
	return err
}

func TestAFolderIsRestored(t *testing.T) {
	from, _ := handmade(t, map[string]string{"state/audit/reads.jsonl": "{}\n", "state/imports/a.state": "x"})
	to := filepath.Join(t.TempDir(), "data")
	if err := restoreFolder(t, from, to); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"audit/reads.jsonl": "{}\n", "imports/a.state": "x"} {
		if text, err := os.ReadFile(filepath.Join(to, name)); err != nil || string(text) != want {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
}

// The part that is cut off stands before what is checked: the name is judged as it is written to.
func TestAManifestNamesNothingOutsideOfItsPlaces(t *testing.T) {
	state := func(names ...string) (m Manifest) {
		for _, n := range names {
			m.State = append(m.State, File{Name: n})
		}
		return m
	}
	inJournal := func(n string) (m Manifest) { m.Journal.Files = []File{{Name: n}}; return m }
	inTables := func(n string) (m Manifest) { m.Tables = []Table{{Name: "t", Files: []File{{Name: n}}}}; return m }
	for _, m := range []Manifest{
		state("state/../x"), state("state/../../x"), state("state//x/y"), state("state/./a/b"), state("state/a/../../x"),
		state("state/a/../b/c"), state("state/state/../x"), state("state//etc/passwd"), state("/etc/passwd"), state("state"),
		state("state/"), state("state/x"), state("state/caller-keys"), state("state/api-keys.json"), state("state/a/b/"),
		state(`state/a\..\..\x`), state(`state/C:/x`), state("state/a/b:c"), state("state/a/b\x00"), state("state/a/\n"),
		state("state/journal/x"), state("state/Journal/x"), state("state/clickhouse/engine.key"), state("tables/a"),
		state("state/a/b", "state/a/b"), state("state/a/b", "state/A/B"), state("state/a/b", "state/a/b/c"),
		state("state/a/b/c", "state/a/b"), state("state/a/b/c", "state/A/b"), state("../x"), state(""), state("state/\xff/a"),
		inJournal("journal/../x"), inJournal("journal/a/b"), inJournal("journal"), inJournal("state/a/b"),
		inJournal("caller-keys"), inTables("tables/../x"), inTables("tables/a/b"), inTables("state/a/b"), inTables("x"),
	} {
		if err := m.checkNames(); err == nil {
			t.Errorf("taken: %+v", m.files())
		}
	}
	m := state("state/audit/reads.jsonl", "state/imports/.hidden", "state/a/b/c..d", "state/quarantine/...")
	m.Journal.Files, m.Tables = inJournal("journal/0001.seg").Journal.Files, inTables("tables/events-0001.tsv.zst").Tables
	if err := m.checkNames(); err != nil {
		t.Error(err)
	}
}

func TestASecretIsAFileOfTheDataFolderItself(t *testing.T) {
	for _, name := range []string{
		"../x", "a/b", "./caller-keys", "x/../caller-keys", "/etc/passwd", "", ".", "..", `a\b`, "C:x", "a\x00", "journal",
		"ClickHouse", "lock",
	} {
		if checkSecretName(name) == nil {
			t.Errorf("%q is taken", name)
		}
	}
	for _, name := range []string{"caller-keys", "api-keys.json", "link-keys.json"} {
		if err := checkSecretName(name); err != nil {
			t.Error(err)
		}
	}
}

// Whatever lies in the place of a file of the backup: a restore reads plain files of it, and waits for no pipe.
func TestRestoreFollowsNoLinkOutOfTheBackup(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, replace := range map[string]func(file string) error{
		"a link":      func(file string) error { return os.Symlink(outside, file) },
		"a near link": func(file string) error { return os.Symlink("../../manifest.json", file) },
		"a pipe":      func(file string) error { return syscall.Mkfifo(file, 0o600) },
		"a folder":    func(file string) error { return os.Mkdir(file, 0o700) },
	} {
		from, _ := handmade(t, map[string]string{"state/audit/a": "x"})
		file := filepath.Join(from, "state/audit/a")
		if err := errors.Join(os.Remove(file), replace(file)); err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(t.TempDir(), "data")
		if err := restoreFolder(t, from, to); err == nil || !strings.Contains(err.Error(), "no plain file") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: something was restored: %v", name, err)
		}
	}
	from, _ := handmade(t, map[string]string{"state/audit/a": "x"}) // a folder of the backup that leads outside
	away := t.TempDir()
	if err := errors.Join(os.Rename(filepath.Join(from, "state/audit"), filepath.Join(away, "audit")),
		os.Symlink(filepath.Join(away, "audit"), filepath.Join(from, "state/audit"))); err != nil {
		t.Fatal(err)
	}
	if err := restoreFolder(t, from, filepath.Join(t.TempDir(), "data")); err == nil {
		t.Error("a folder outside of the backup was read")
	}
}

// What a restore empties before it begins, and what it replaces at its end, is never what a link leads to.
func TestRestoreFollowsNoLinkInItsTarget(t *testing.T) {
	from, _ := handmade(t, nil)
	for _, suffix := range []string{restoringSuffix, ""} {
		victim, folder := t.TempDir(), t.TempDir()
		to := filepath.Join(folder, "data")
		precious := filepath.Join(victim, "precious")
		if err := os.Symlink(victim, to+suffix); err != nil {
			t.Fatal(err)
		}
		if suffix == restoringSuffix {
			if err := os.WriteFile(precious, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := restoreFolder(t, from, to); err == nil {
			t.Errorf("%q: restored through a link", to+suffix)
		}
		if _, err := os.Lstat(precious); suffix == restoringSuffix && err != nil {
			t.Errorf("another folder was emptied: %v", err)
		}
	}
}

// A restored folder makes new keys only where it was told so, and takes no keys of another installation.
func TestARestoreSaysWhichKeysAreLost(t *testing.T) {
	service := t.TempDir() // whose keys the backup is of
	if _, err := ingest.ReadOrCreateCallerKeys(service, noon); err != nil {
		t.Fatal(err)
	}
	known := keyfile.KnownIn(service)
	for _, name := range []string{"link-keys.json", "api-keys.json"} {
		if err := known.Note(name, []string{"k1"}, noon); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(service, keyfile.KnownName))
	if err != nil {
		t.Fatal(err)
	}
	from, _ := handmade(t, map[string]string{"state/" + keyfile.KnownName: string(text)})
	secretsOf := func(dir string) string {
		keys, err := os.ReadFile(filepath.Join(dir, ingest.CallerKeysFile))
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(Secrets{Format: secretsFormat, Files: map[string]string{
			ingest.CallerKeysFile: base64.StdEncoding.EncodeToString(keys),
		}})
		name := filepath.Join(t.TempDir(), "secrets")
		if err := errors.Join(err, os.WriteFile(name, b, 0o600)); err != nil {
			t.Fatal(err)
		}
		return name
	}
	restore := func(secrets string) (to string, lost []string, err error) {
		to = filepath.Join(t.TempDir(), "data")
		if _, err = Restore(t.Context(), RestoreConfig{
			From: from, DataDir: to, NoTables: true, Secrets: secrets, Now: now,
		}); err == nil {
			lost, err = NotRestored(to)
		}
		return to, lost, err
	}
	to, lost, err := restore("")
	if err != nil || !slices.Equal(lost, []string{"api-keys.json", "caller-keys", "link-keys.json"}) {
		t.Errorf("%v, %v", lost, err)
	}
	if _, err := ingest.ReadOrCreateCallerKeys(to, noon); err != nil {
		t.Errorf("who restored without secrets was told: %v", err)
	}
	if _, err := auth.Open(to, "127.0.0.1:1", now, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a restored folder whose API keys are lost is open")
	}
	to, lost, err = restore(secretsOf(service))
	if err != nil || !slices.Equal(lost, []string{"api-keys.json", "link-keys.json"}) {
		t.Errorf("%v, %v", lost, err)
	}
	if _, err := ingest.ReadOrCreateCallerKeys(to, noon); err != nil {
		t.Error(err)
	}
	other := t.TempDir()
	if _, err := ingest.ReadOrCreateCallerKeys(other, noon); err != nil {
		t.Fatal(err)
	}
	if to, _, err := restore(secretsOf(other)); err == nil || !strings.Contains(err.Error(), "do not belong to this "+
		"backup") {
		t.Errorf("%s holds the keys of another installation: %v", to, err)
	}
}

// Whatever name passes the check: what is restored under it lies below the folder, once, and replaces nothing.
func FuzzRestoredName(f *testing.F) {
	for _, name := range []string{
		"state/audit/reads.jsonl", "state/../x", "state/a/../../x", "state//x", "../x", `state/a\..\x`, "state/a/b",
		"state/.",
		"state/state/../../x", "state/lock/x", "state/a/\x00", "state/..x/y",
	} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		m := Manifest{State: []File{{Name: name}}}
		if m.checkNames() != nil {
			return
		}
		outer := t.TempDir()
		dir := filepath.Join(outer, "data")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		to := stateTarget(name)
		if err := writeNew(root, to, strings.NewReader("x")); err != nil {
			if len(to) > 200 { // longer than a disk takes
				return
			}
			t.Fatal(err)
		}
		if err := writeNew(root, to, strings.NewReader("y")); err == nil {
			t.Error("a file was replaced")
		}
		var found []string
		err = filepath.WalkDir(outer, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				found = append(found, path)
			}
			return err
		})
		if err != nil || len(found) != 1 || !strings.HasPrefix(found[0], dir+"/") {
			t.Errorf("%q was written to %q, %v", name, found, err)
		}
	})
}
