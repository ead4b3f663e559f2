package asterisk

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/monev112/monev112/collector/internal/disk"
)

// Names turns the log's names of agents into codes. It is immutable and safe for concurrent use.
//
// A name that the configuration lists has its code. A technical name (an optional technology, then a number of at most
// six digits: "SIP/101", "Agent/7", "Local/205@from-queue/n") stays as it is. Everything else, be it "Budi Santoso" or
// an agent who answers on a mobile telephone, becomes "p-" and a keyed hash, so that a name never leaves and one agent
// stays one.
type Names struct {
	codes     map[string]string
	positions map[string]string
	key       []byte
}

const nameKeyBytes = 32

// NewNames returns the Names by the lists of c and the key, which keeps hashed names from being guessed.
func NewNames(c Config, key []byte) *Names {
	return &Names{codes: tidied(c.Agents), positions: tidied(c.Positions), key: key}
}

// tidied has the names as lines have them.
func tidied(of map[string]string) map[string]string {
	out := make(map[string]string, len(of))
	for name, value := range of {
		out[tidy(name)] = value
	}
	return out
}

// Rings reports whether number is the extension of the agent with that code: that of its technical name, or of one
// that the configuration lists for it.
func (n *Names) Rings(code, number string) bool {
	if extension(code) == number {
		return true
	}
	for name, of := range n.codes {
		if of == code && extension(name) == number {
			return true
		}
	}
	return false
}

// extension is the number of a technical name, empty for any other.
func extension(name string) string {
	if !technical(name) {
		return ""
	}
	rest := name[strings.IndexByte(name, '/')+1:]
	return rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
}

// Code returns the code that stands for an agent; listed reports whether the name was used as it is or is configured.
func (n *Names) Code(name string) (code string, listed bool) {
	if name == "" {
		return "", true
	}
	if code, ok := n.codes[name]; ok {
		return code, true
	}
	if technical(name) {
		return name, true
	}
	mac := hmac.New(sha256.New, n.key)
	mac.Write([]byte(name))
	return "p-" + letters(mac.Sum(nil)[:8]), false
}

// letters writes b with 16 letters, so that no code looks like a telephone number.
func letters(b []byte) string {
	const alphabet = "abcdefghjkmnpqrs"
	out := make([]byte, 0, 2*len(b))
	for _, c := range b {
		out = append(out, alphabet[c>>4], alphabet[c&15])
	}
	return string(out)
}

// Position returns the desk of an agent: by name, else by code, else the code itself.
func (n *Names) Position(name, code string) string {
	if p, ok := n.positions[name]; ok {
		return p
	}
	if p, ok := n.positions[code]; ok {
		return p
	}
	return code
}

var technologies = []string{"sip", "pjsip", "iax2", "agent", "local", "dahdi", "sccp", "custom"}

// technical reports whether name is a technology and a short number, with no room for a person's name or number.
func technical(name string) bool {
	if !codeLike(name) {
		return false
	}
	rest := name
	if tech, after, ok := strings.Cut(name, "/"); ok {
		if !slices.Contains(technologies, strings.ToLower(tech)) {
			return false
		}
		rest = after
	}
	digits := 0
	for digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' {
		digits++
	}
	if digits == 0 || digits > 6 {
		return false
	}
	// What follows is a dialplan context: no further number, however short.
	tail := rest[digits:]
	return tail == "" || tail[0] == '@' && !strings.ContainsAny(tail, "0123456789")
}

// LoadNameKey reads the key file, or makes it with mode 0600 when there is none. The key makes hashed names: with
// another one every hashed agent would be a new one.
func LoadNameKey(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		key := make([]byte, nameKeyBytes)
		if _, err := rand.Read(key); err != nil {
			return nil, fmt.Errorf("key for agents' names: %w", err)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, fmt.Errorf("folder of the key for agents' names: %w", err)
		}
		return key, disk.WriteFile(disk.OS{}, path, 0o600, fmt.Appendf(nil, "%x\n", key))
	}
	if err != nil {
		return nil, fmt.Errorf("key for agents' names: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != nameKeyBytes {
		return nil, fmt.Errorf(
			"%s is no key for agents' names: it holds %d hexadecimal digits; restore it, or remove it and agents without a "+
				"code become new ones", path, 2*nameKeyBytes)
	}
	return key, nil
}
