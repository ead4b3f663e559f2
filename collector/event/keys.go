package event

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// The key file, one line each, fields separated by one space, lines that start with # and blank lines ignored:
//
//	monev112-keys 1
//	digest <64 hex digits>
//	caller <id> <date, RFC 3339> <64 hex digits>
//	caller ...
//
// The digest key signs the content of events and never changes: with another one every repetition of an old event would
// look like a conflict. The last caller line is the current key; older ones are kept so that tokens in the quarantine
// stay readable. An id is computed from its key, so that a mistyped key is noticed.
const keysHeader = "monev112-keys 1"

const (
	keyBytes     = 32
	maxKeysBytes = 64 << 10
	maxKeys      = 256
)

// Keys holds the secrets that replace callers' numbers and sign contents. It is immutable and safe for concurrent use;
// it never prints a secret.
type Keys struct {
	digest [keyBytes]byte
	caller []callerKey // the last is the current one
}

type callerKey struct {
	id      string
	created time.Time
	secret  [keyBytes]byte
}

// NewKeys makes a digest key and a first caller key from random, which must be a cryptographic source.
func NewKeys(random io.Reader, now time.Time) (*Keys, error) {
	k := new(Keys)
	if _, err := io.ReadFull(random, k.digest[:]); err != nil {
		return nil, fmt.Errorf("read randomness for the digest key: %w", err)
	}
	return k.Rotate(random, now)
}

// Rotate returns keys with a new current caller key and all keys of k behind it. Numbers hashed before and after
// compare as different callers.
func (k *Keys) Rotate(random io.Reader, now time.Time) (*Keys, error) {
	if len(k.caller) >= maxKeys {
		return nil, fmt.Errorf("the key file already holds %d caller keys", maxKeys)
	}
	next := callerKey{created: now.UTC().Truncate(time.Second)}
	if _, err := io.ReadFull(random, next.secret[:]); err != nil {
		return nil, fmt.Errorf("read randomness for a caller key: %w", err)
	}
	next.id = keyID(next.secret)
	if k.Knows(next.id) {
		return nil, errors.New("the random source repeats itself: it gave a caller key that exists")
	}
	out := &Keys{digest: k.digest, caller: append(append([]callerKey(nil), k.caller...), next)}
	return out, nil
}

// keyID is the name of a caller key: short, stable, and useless for finding the key.
func keyID(secret [keyBytes]byte) string {
	mac := hmac.New(sha256.New, secret[:])
	mac.Write([]byte("monev112 caller key id"))
	return "k" + hex.EncodeToString(mac.Sum(nil)[:4])
}

// DigestID names the digest key, as an id of a caller key names that: useless for finding it.
func (k *Keys) DigestID() string {
	mac := hmac.New(sha256.New, k.digest[:])
	mac.Write([]byte("monev112 digest key id"))
	return "d" + hex.EncodeToString(mac.Sum(nil)[:4])
}

// CurrentID returns the id of the key that new callers are replaced with.
func (k *Keys) CurrentID() string { return k.caller[len(k.caller)-1].id }

// KeyIDs returns the ids of all caller keys with their dates of creation, oldest first, the current one last.
func (k *Keys) KeyIDs() (ids []string, created []time.Time) {
	for _, c := range k.caller {
		ids, created = append(ids, c.id), append(created, c.created)
	}
	return ids, created
}

// Knows reports whether id names a caller key of k.
func (k *Keys) Knows(id string) bool {
	return slices.ContainsFunc(k.caller, func(c callerKey) bool { return c.id == id })
}

// String hides the secrets.
func (k *Keys) String() string {
	return fmt.Sprintf("event.Keys(%d, current %s)", len(k.caller), k.CurrentID())
}

// GoString hides the secrets from %#v.
func (k *Keys) GoString() string { return k.String() }

// FileText returns the text of the key file. It holds the secrets; it is no MarshalText, so that no logger writes it.
func (k *Keys) FileText() []byte {
	var b bytes.Buffer
	b.WriteString(keysHeader + "\n")
	b.WriteString(
		"# Secret. Keep a copy apart from the database: without it, callers before and after cannot be compared.\n")
	fmt.Fprintf(&b, "digest %x\n", k.digest)
	for _, c := range k.caller {
		fmt.Fprintf(&b, "caller %s %s %x\n", c.id, c.created.Format(time.RFC3339), c.secret)
	}
	return b.Bytes()
}

// ParseKeys reads what FileText returns. Its errors name the line and never show a secret.
func ParseKeys(text []byte) (*Keys, error) {
	if len(text) > maxKeysBytes {
		return nil, fmt.Errorf("%d bytes, a key file has at most %d", len(text), maxKeysBytes)
	}
	k := new(Keys)
	header, digest := false, false
	for n, line := range strings.Split(string(text), "\n") {
		line = strings.TrimRight(line, "\r")
		if line == "" || line[0] == '#' {
			continue
		}
		if !header {
			if line != keysHeader {
				return nil, fmt.Errorf("line %d: a key file starts with %q", n+1, keysHeader)
			}
			header = true
			continue
		}
		f := strings.Split(line, " ")
		switch {
		case f[0] == "digest" && len(f) == 2:
			if digest {
				return nil, fmt.Errorf("line %d: a second digest key; there is one and it never changes", n+1)
			}
			if !parseSecret(f[1], &k.digest) {
				return nil, fmt.Errorf("line %d: the digest key is not %d hex digits", n+1, 2*keyBytes)
			}
			digest = true
		case f[0] == "caller" && len(f) == 4:
			c := callerKey{id: f[1]}
			var err error
			if c.created, err = time.Parse(time.RFC3339, f[2]); err != nil {
				return nil, fmt.Errorf("line %d: the date is not RFC 3339, as in 2026-01-31T08:00:00Z", n+1)
			}
			c.created = c.created.UTC()
			if !parseSecret(f[3], &c.secret) {
				return nil, fmt.Errorf("line %d: the caller key is not %d hex digits", n+1, 2*keyBytes)
			}
			if keyID(c.secret) != c.id {
				return nil, fmt.Errorf("line %d: the id does not belong to the key: restore the file from its copy", n+1)
			}
			if k.Knows(c.id) {
				return nil, fmt.Errorf("line %d: the same caller key twice", n+1)
			}
			k.caller = append(k.caller, c)
		default:
			return nil, fmt.Errorf("line %d: neither %q nor %q", n+1, "digest <hex>", "caller <id> <date> <hex>")
		}
		if len(k.caller) > maxKeys {
			return nil, fmt.Errorf("line %d: more than %d caller keys", n+1, maxKeys)
		}
	}
	switch {
	case !header:
		return nil, errors.New("empty: a key file starts with " + keysHeader)
	case !digest:
		return nil, errors.New("no digest line")
	case len(k.caller) == 0:
		return nil, errors.New("no caller line")
	}
	return k, nil
}

func parseSecret(s string, into *[keyBytes]byte) bool {
	if len(s) != 2*keyBytes {
		return false
	}
	_, err := hex.Decode(into[:], []byte(s))
	return err == nil
}
