package keyfile

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// maxLineBytes bounds a file of one password or token.
const maxLineBytes = 4 << 10

// ReadPrivate is Read for a file of secrets: it also refuses a file that others than its owner may open.
func ReadPrivate(path string, maxBytes int64) ([]byte, error) { return read(path, maxBytes, 0o077) }

// Read reads a file. It refuses what is no regular file, without waiting for the writer of a pipe, and what is longer
// than maxBytes. Errors name the file; one wraps fs.ErrNotExist when there is none.
func Read(path string, maxBytes int64) ([]byte, error) { return read(path, maxBytes, 0) }

// ReadLine returns the one line of a file that holds a password or token, without its line break. The file may have any
// mode: systemd and container runtimes mount secrets that the whole container may read.
func ReadLine(path string) (string, error) {
	text, err := Read(path, maxLineBytes)
	if err != nil {
		return "", err
	}
	line := strings.TrimRight(string(text), "\r\n")
	if strings.ContainsAny(line, "\r\n") {
		return "", fmt.Errorf("%s must hold one line", path)
	}
	return line, nil
}

func read(path string, maxBytes int64, forbidden fs.FileMode) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // without O_NONBLOCK a pipe waits for its writer
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	if perm := info.Mode().Perm(); perm&forbidden != 0 {
		return nil, fmt.Errorf("%s may be read by others (mode %04o): run chmod 600 %[1]s", path, perm)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > maxBytes {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, maxBytes)
	}
	return text, nil
}
