package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Scope is one thing that a key allows.
type Scope string

// The scopes. A key that reads one OPD has the scope OPDRead(id).
const (
	EventsWrite Scope = "events:write" // POST /v1/events
	BoardRead   Scope = "board:read"   // the board, all tickets and calls, the directory's review
	AlertsLog   Scope = "alerts:log"   // deliver Alertmanager's notifications for the record
	MonevWrite  Scope = "monev:write"  // pages of the meeting, and events of the office (event.Kind.OfOffice)
	// WhatsAppDeliver and TelegramDeliver hand over Alertmanager's notifications that the service sends.
	WhatsAppDeliver Scope = "whatsapp:deliver"
	TelegramDeliver Scope = "telegram:deliver"
	Admin           Scope = "admin" // rebuild rows, freeze months; on pages everything

	opdPrefix = "opd:read:"
)

// known are the scopes beside those of one OPD.
var known = []Scope{EventsWrite, BoardRead, AlertsLog, WhatsAppDeliver, TelegramDeliver, MonevWrite, Admin}

const scopeNames = "events:write, board:read, opd:read:<opd>, alerts:log, whatsapp:deliver, telegram:deliver, " +
	"monev:write or admin"

// OPDRead returns the scope that reads the tickets of one OPD.
func OPDRead(opd string) Scope { return Scope(opdPrefix + opd) }

// Limits of a key file.
const (
	maxKeys      = 1000
	maxNameBytes = 64
	maxFileBytes = 1 << 20
)

// Prefix stands before every key, so that a leaked one can be found by a scanner of secrets.
const Prefix = "monev112_"

const (
	secretBytes    = 32
	maxSecretBytes = 128 // of what a request sends; a key has 52
)

// Key is what the file holds of an API key: not its secret.
type Key struct {
	ID     string  `json:"id"`   // short, for people: list and revoke by it
	Name   string  `json:"name"` // who holds it; appears in logs
	Scopes []Scope `json:"scopes"`
	// With events:write: the only CloudEvents source that it may send; empty is any.
	Source    string    `json:"source,omitzero"`
	Center    string    `json:"center,omitzero"` // reads are limited to this centre; empty is any; required for opd:read
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"` // zero: never
	RevokedAt time.Time `json:"revoked_at,omitzero"`
	SHA256    string    `json:"sha256"` // hex of the hash of the whole key text
}

// Allows reports whether the key has the scope.
func (k *Key) Allows(s Scope) bool { return slices.Contains(k.Scopes, s) }

// OPDs returns the OPDs that the key may read.
func (k *Key) OPDs() []string {
	var out []string
	for _, s := range k.Scopes {
		if opd, ok := strings.CutPrefix(string(s), opdPrefix); ok {
			out = append(out, opd)
		}
	}
	return out
}

// Live reports whether the key is neither revoked nor expired at now.
func (k *Key) Live(now time.Time) bool {
	return k.RevokedAt.IsZero() && (k.ExpiresAt.IsZero() || now.Before(k.ExpiresAt))
}

// validate says what is wrong with a key as a person asked for it or as the file has it.
func (k *Key) validate() error {
	if k.Name == "" || len(k.Name) > maxNameBytes || strings.ContainsFunc(k.Name, notNameRune) {
		return fmt.Errorf("name %q: use 1 to %d letters, digits, '-', '_' or '.'", k.Name, maxNameBytes)
	}
	if len(k.Scopes) == 0 {
		return errors.New("no scope: give " + scopeNames)
	}
	for _, s := range k.Scopes {
		opd, isOPD := strings.CutPrefix(string(s), opdPrefix)
		switch {
		case isOPD && (opd == "" || opd == "unknown" || opd == "none" || strings.ContainsFunc(opd, notNameRune)):
			return fmt.Errorf("scope %q names no OPD: use opd:read:<opd>", s)
		case isOPD && k.Center == "":
			return fmt.Errorf("scope %q needs a centre: two centres may have an OPD of one id", s)
		case !isOPD && !slices.Contains(known, s):
			return fmt.Errorf("scope %q is unknown: use %s", s, scopeNames)
		}
	}
	if k.Source != "" && !k.Allows(EventsWrite) {
		return errors.New("a source was given without the scope events:write")
	}
	return nil
}

func notNameRune(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
}

// newSecret returns a key's text.
func newSecret() string {
	var b [secretBytes]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return Prefix + base64.RawURLEncoding.EncodeToString(b[:])
}

func hash(secret string) [sha256.Size]byte { return sha256.Sum256([]byte(secret)) }

// storedHash is the hash that the file has of a key; parse has checked it.
func (k *Key) storedHash() (h [sha256.Size]byte) {
	_, _ = hex.Decode(h[:], []byte(k.SHA256))
	return h
}
