package event

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestMistakesNameTheLineAndNoSecret(t *testing.T) {
	keys, err := NewKeys(rand.Reader, time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	text := keys.FileText()
	lines := strings.Split(strings.TrimSpace(string(text)), "\n") // header, comment, digest, caller
	secret := lines[3][strings.LastIndexByte(lines[3], ' ')+1:]
	digest := strings.TrimPrefix(lines[2], "digest ")
	for name, change := range map[string]func() string{
		"changed key":    func() string { return strings.Replace(string(text), secret, strings.Repeat("ab", 32), 1) },
		"short key":      func() string { return strings.Replace(string(text), secret, secret[:62], 1) },
		"no hex":         func() string { return strings.Replace(string(text), secret, "zz"+secret[2:], 1) },
		"date":           func() string { return strings.Replace(string(text), "2026-11-23T08:00:00Z", "23-11-2026", 1) },
		"second digest":  func() string { return string(text) + lines[2] + "\n" },
		"same key twice": func() string { return string(text) + lines[3] + "\n" },
		"unknown line":   func() string { return string(text) + "old " + secret + "\n" },
		"no digest":      func() string { return strings.Replace(string(text), lines[2]+"\n", "", 1) },
		"no caller":      func() string { return strings.Replace(string(text), lines[3]+"\n", "", 1) },
		"no header":      func() string { return strings.Replace(string(text), lines[0]+"\n", "", 1) },
		"short digest":   func() string { return strings.Replace(string(text), digest, digest[:10], 1) },
		"nothing":        func() string { return "# only a comment\n" },
		"double spaces":  func() string { return strings.ReplaceAll(string(text), " ", "  ") },
	} {
		got, err := ParseKeys([]byte(change()))
		if err == nil {
			t.Errorf("%s: accepted as %v", name, got)
			continue
		}
		if strings.Contains(err.Error(), secret[:16]) || strings.Contains(err.Error(), digest[:16]) {
			t.Errorf("%s: the error shows a secret", name)
		}
	}
	if _, err := ParseKeys([]byte(strings.ReplaceAll(string(text), "\n", "\r\n"))); err != nil {
		t.Errorf("line ends of Windows: %v", err)
	}
	for _, shown := range []string{fmt.Sprint(keys), fmt.Sprintf("%+v", keys), fmt.Sprintf("%#v", keys), keys.String()} {
		if strings.Contains(shown, secret[:16]) || !strings.Contains(shown, keys.CurrentID()) {
			t.Errorf("shown as %s", shown)
		}
	}
}

// Whatever a file of caller keys holds, it is read or refused.
func FuzzParseKeys(f *testing.F) {
	keys, err := NewKeys(rand.Reader, time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC))
	if err != nil {
		f.Fatal(err)
	}
	text := keys.FileText()
	f.Add(text)
	f.Add(append(text, text...))
	f.Add([]byte("k1 0\n\n# x\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := ParseKeys(text)
		if err != nil {
			return
		}
		again, err := ParseKeys(keys.FileText())
		if err != nil || !bytes.Equal(again.FileText(), keys.FileText()) {
			t.Errorf("what was read cannot be written and read: %v", err)
		}
	})
}
