// Package install brings the library of ClickHouse into the cache folder of the user, through the npm client, and finds
// it there. It never loads it.
package install

import (
	"archive/tar"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/monev112/monev112/collector/internal/disk"
)

// Version is the version of the library that Fetch brings and the engine is tested with (ClickHouse 26.7).
const Version = "26.7.3-stable.1"

// LibraryEnv names the environment variable that overrides where libchdb.so is looked for.
const LibraryEnv = "MONEV112_CHDB_LIB"

// ErrMissing says that libchdb.so is neither where MONEV112_CHDB_LIB points nor in the cache folder.
var ErrMissing = errors.New("the ClickHouse library is not installed")

const libraryName = "libchdb.so"

// lockPoll is how often a waiting installation looks whether the other is done.
const lockPoll = 200 * time.Millisecond

// release is one published package of the library.
type release struct {
	npm       string // package name
	integrity string // base64 of the SHA-512 of the package file, as npm writes it without the prefix "sha512-"
}

// releases are the packages whose integrity is pinned, by GOOS/GOARCH.
var releases = map[string]release{
	"linux/amd64": {
		npm:       "@chdb/lib-linux-x64-gnu",
		integrity: "XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw==",
	},
}

// maxLibraryBytes bounds what Fetch unpacks: twice the size of the pinned library.
const maxLibraryBytes = 1200 << 20

// Options configure Fetch. The zero value is right for use.
type Options struct {
	// CacheDir is the folder that holds chdb/<version>/libchdb.so; default monev112 in the user's cache folder.
	CacheDir string
	// Progress is told each step in a few words; nil for none.
	Progress func(step string)
	// NPM is the npm client to run; default "npm" from PATH.
	NPM string

	platform string  // for tests
	release  release // for tests
}

// userCacheDir is where the library is kept: monev112 in the user's cache folder.
func userCacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("engine: find the user's cache folder (set HOME or XDG_CACHE_HOME): %w", err)
	}
	return filepath.Join(dir, "monev112"), nil
}

// Find finds libchdb.so: where MONEV112_CHDB_LIB says, else in the cache folder. It gives ErrMissing when it
// is not there.
func Find() (string, error) {
	if path := os.Getenv(LibraryEnv); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf(
				"%w: %s points to %s, which cannot be read (%w); correct it, or unset it and run `monev112 engine install`",
				ErrMissing, LibraryEnv, path, errors.Unwrap(err))
		}
		return filepath.Abs(path)
	}
	dir, err := userCacheDir()
	if err != nil {
		return "", err
	}
	path := libraryPath(dir)
	if _, err := os.Stat(path); err != nil {
		install := "monev112 engine install"
		if cache := os.Getenv("XDG_CACHE_HOME"); cache != "" { // as a unit sets it: another shell has another cache folder
			install = "XDG_CACHE_HOME=" + cache + " " + install
		}
		return "", fmt.Errorf("%w: %s does not exist; run `%s`, or set %s", ErrMissing, path, install, LibraryEnv)
	}
	return path, nil
}

func libraryPath(cacheDir string) string {
	return filepath.Join(cacheDir, "chdb", Version, libraryName)
}

// Fetch brings the library into the cache folder through the npm client and gives its path. It does nothing when the
// library is there already. The package's SHA-512 must be the pinned one; the file appears under its name only when it
// is complete. Several processes may install at once: one does, the others wait.
func Fetch(ctx context.Context, o Options) (string, error) {
	if o.CacheDir == "" {
		dir, err := userCacheDir()
		if err != nil {
			return "", err
		}
		o.CacheDir = dir
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	o.NPM = cmp.Or(o.NPM, "npm")
	o.platform = cmp.Or(o.platform, runtime.GOOS+"/"+runtime.GOARCH)
	if o.release == (release{}) {
		o.release = releases[o.platform]
	}
	path := libraryPath(o.CacheDir)
	if _, err := os.Stat(path); err == nil {
		o.Progress("the library is installed: " + path)
		return path, nil
	}
	if o.release == (release{}) {
		return "", fmt.Errorf(
			"engine install: no checked package of the ClickHouse library is known for %s; put %s of version %s somewhere "+
				"and set %s", o.platform, libraryName, Version, LibraryEnv)
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("engine install: %w", err)
	}
	lock := flock.New(filepath.Join(dir, "install.lock"))
	if held, err := lock.TryLock(); err != nil {
		return "", fmt.Errorf("engine install: lock %s: %w", dir, err)
	} else if !held {
		o.Progress("waiting for another installation")
		if _, err := lock.TryLockContext(ctx, lockPoll); err != nil {
			return "", fmt.Errorf("engine install: wait for another installation: %w", err)
		}
	}
	defer lock.Close()
	if _, err := os.Stat(path); err == nil {
		o.Progress("the library is installed: " + path)
		return path, nil
	}
	if err := o.install(ctx, dir, path); err != nil {
		return "", fmt.Errorf("engine install: %w", err)
	}
	return path, nil
}

func (o Options) install(ctx context.Context, dir, path string) error {
	npm, err := exec.LookPath(o.NPM)
	if err != nil {
		return fmt.Errorf(
			"the npm client is needed to bring the ClickHouse library, and %s was not found in PATH: install npm (Debian: "+
				"apt-get install npm), or set %s", o.NPM, LibraryEnv)
	}
	// Beside the target, so that the rename stays on one file system; what an installation that was killed left goes.
	if old, err := filepath.Glob(filepath.Join(dir, "new-*")); err == nil {
		for _, left := range old {
			_ = os.RemoveAll(left)
		}
	}
	work, err := os.MkdirTemp(dir, "new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	o.Progress(fmt.Sprintf("fetching %s %s (about 180 MB)", o.release.npm, Version))
	command := exec.CommandContext(ctx, npm, "pack", "--ignore-scripts", "--silent", o.release.npm+"@"+Version)
	command.Dir = work
	command.WaitDelay = 5 * time.Second // npm's own children may hold its output open
	if out, err := command.CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("npm pack %s@%s: %w: %s", o.release.npm, Version, err, lastLine(string(out)))
	}
	packages, err := filepath.Glob(filepath.Join(work, "*.tgz"))
	if err != nil || len(packages) != 1 {
		return fmt.Errorf("npm pack %s@%s left %d package files and not one", o.release.npm, Version, len(packages))
	}
	o.Progress("checking its integrity and unpacking it")
	unpacked := filepath.Join(work, libraryName)
	if err := unpackLibrary(packages[0], o.release.integrity, unpacked); err != nil {
		return err
	}
	if err := os.Rename(unpacked, path); err != nil {
		return err
	}
	o.Progress("installed " + path)
	return disk.OS{}.SyncDir(dir)
}

// unpackLibrary checks the whole package first and takes libchdb.so out of it then: nothing of an unchecked package is
// kept.
func unpackLibrary(tgz, integrity, to string) error {
	f, err := os.Open(tgz)
	if err != nil {
		return err
	}
	defer f.Close()
	hash := sha512.New()
	if _, err := io.Copy(hash, f); err != nil {
		return fmt.Errorf("read the package: %w", err)
	}
	if got := base64.StdEncoding.EncodeToString(hash.Sum(nil)); got != integrity {
		return fmt.Errorf(
			"the package's integrity is sha512-%s and must be sha512-%s: it is not the package this program was tested with; "+
				"nothing was installed", got, integrity)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("read the package: %w", err)
	}
	archive := tar.NewReader(unzipped)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("the package holds no %s", libraryName)
		}
		if err != nil {
			return fmt.Errorf("read the package: %w", err)
		}
		if header.Typeflag != tar.TypeReg || filepath.Base(header.Name) != libraryName {
			continue
		}
		if header.Size > maxLibraryBytes {
			return fmt.Errorf("%s in the package has %d bytes, more than the %d allowed", libraryName, header.Size,
				maxLibraryBytes)
		}
		out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fs.FileMode(0o755))
		if err != nil {
			return err
		}
		_, err = io.CopyN(out, archive, header.Size)
		return errors.Join(err, out.Sync(), out.Close())
	}
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}
