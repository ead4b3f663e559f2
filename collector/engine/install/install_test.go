package install

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeNPM is a program that leaves the package p as `npm pack` does and counts its calls in the file calls.
func fakeNPM(t *testing.T, p []byte) (npm, calls string) {
	t.Helper()
	dir := t.TempDir()
	calls = filepath.Join(dir, "calls")
	if err := os.WriteFile(filepath.Join(dir, "package.tgz"), p, 0o600); err != nil {
		t.Fatal(err)
	}
	npm = filepath.Join(dir, "npm")
	script := fmt.Sprintf("#!/bin/sh\necho \"$@\" >> %s\ncp %s/package.tgz ./chdb.tgz\n", calls, dir)
	if err := os.WriteFile(npm, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return npm, calls
}

func packageWith(t *testing.T, name, content string) (p []byte, integrity string) {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	archive := tar.NewWriter(z)
	for _, f := range []struct{ name, content string }{{"package/package.json", "{}"}, {name, content}} {
		if err := errors.Join(archive.WriteHeader(&tar.Header{
			Name: f.name, Size: int64(len(f.content)), Mode: 0o644, Typeflag: tar.TypeReg,
		})); err != nil {
			t.Fatal(err)
		}
		_, _ = archive.Write([]byte(f.content))
	}
	if err := errors.Join(archive.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	sum := sha512.Sum512(b.Bytes())
	return b.Bytes(), base64.StdEncoding.EncodeToString(sum[:])
}

func TestFetch(t *testing.T) {
	p, integrity := packageWith(t, "package/libchdb.so", "the library")
	npm, calls := fakeNPM(t, p)
	cache := t.TempDir()
	o := Options{CacheDir: cache, NPM: npm, release: release{npm: "@chdb/test", integrity: integrity}}
	// What an installation that was killed left behind.
	left := filepath.Join(cache, "chdb", Version, "new-123")
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}

	var wait sync.WaitGroup
	for range 4 { // at once: one installs, the others find it
		wait.Go(func() {
			path, err := Fetch(context.Background(), o)
			if err != nil {
				t.Error(err)
			}
			if b, err := os.ReadFile(path); err != nil || string(b) != "the library" {
				t.Errorf("%q %v", b, err)
			}
		})
	}
	wait.Wait()
	if _, err := Fetch(context.Background(), o); err != nil {
		t.Error(err)
	}
	if b, _ := os.ReadFile(calls); string(b) != "pack --ignore-scripts --silent @chdb/test@"+Version+"\n" {
		t.Errorf("npm was called with %q", b)
	}
	entries, _ := os.ReadDir(filepath.Dir(left))
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), "new-") {
			t.Errorf("%s is left", entry.Name())
		}
	}
}

func TestInstallRefusals(t *testing.T) {
	good, integrity := packageWith(t, "package/libchdb.so", "the library")
	bad, _ := packageWith(t, "package/libchdb.so", "another library")
	none, noneIntegrity := packageWith(t, "package/readme", "no library")
	failing := filepath.Join(t.TempDir(), "npm")
	if err := os.WriteFile(failing, []byte("#!/bin/sh\necho npm error network >&2\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		pack    []byte
		options Options
		want    string
	}{
		{"other content", bad, Options{release: release{"x", integrity}}, "must be sha512-" + integrity},
		{"no library inside", none, Options{release: release{"x", noneIntegrity}}, "holds no libchdb.so"},
		{"npm missing", good, Options{NPM: "/nonexistent/npm", release: release{"x", integrity}},
			"npm client is needed"},
		{"npm fails", good, Options{NPM: failing, release: release{"x", integrity}}, "npm error network"},
		{"platform", good, Options{platform: "plan9/mips"}, "for plan9/mips"},
		{"cache folder is a file", good, Options{CacheDir: file, release: release{"x", integrity}}, "not a directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.options.NPM == "" {
				c.options.NPM, _ = fakeNPM(t, c.pack)
			}
			if c.options.CacheDir == "" {
				c.options.CacheDir = t.TempDir()
			}
			path, err := Fetch(context.Background(), c.options)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q %v", path, err)
			}
			if _, err := os.Stat(libraryPath(c.options.CacheDir)); err == nil {
				t.Error("a library was installed")
			}
		})
	}
}

func TestInstallCanBeEnded(t *testing.T) {
	sleeping := filepath.Join(t.TempDir(), "npm")
	if err := os.WriteFile(sleeping, []byte("#!/bin/sh\nexec sleep 600\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := Fetch(ctx, Options{CacheDir: t.TempDir(), NPM: sleeping, release: release{"x", "y"}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestLibraryIsFoundOrNamed(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv(LibraryEnv, "")
	if _, err := Find(); !errors.Is(err, ErrMissing) ||
		!strings.Contains(err.Error(), "monev112 engine install") {
		t.Error(err)
	}
	t.Setenv(LibraryEnv, "/nonexistent")
	if _, err := Find(); !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), LibraryEnv) {
		t.Error(err)
	}
}
