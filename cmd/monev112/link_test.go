package main

import (
	"regexp"
	"strings"
	"testing"
)

func TestLinksOfPersonsAreMadeListedAndRevoked(t *testing.T) {
	data := t.TempDir()
	text, err := said(t, linkCommand(), "--to", "opd", "--center", "35.15", "--opd", "Dinas Perhubungan", "--name",
		"Kepala Dinas Perhubungan", "--expires", "90d", "--url", "https://monev112.example.go.id/112/", "--data", data)
	m := regexp.MustCompile(`^https://monev112\.example\.go\.id/112/opd/dishub/([\w-]+)\nlink (o[0-9a-f]{8}) opens until `).
		FindStringSubmatch(text)
	if err != nil || m == nil {
		t.Fatalf("%s %v", text, err)
	}
	list, err := said(t, linkCommand(), "--list", "--data", data)
	if err != nil || strings.Contains(list, m[1]) {
		t.Errorf("%s %v", list, err)
	}
	for _, part := range []string{m[2], "opd", "35.15", "dishub", "Kepala Dinas Perhubungan", "opens until"} {
		if !strings.Contains(list, part) {
			t.Errorf("the list lacks %q: %s", part, list)
		}
	}
	for range 2 {
		if text, err := said(t, linkCommand(), "--revoke", m[2], "--data", data); err != nil ||
			!strings.Contains(text, "open no more") {
			t.Errorf("%s %v", text, err)
		}
	}
	if list, _ := said(t, linkCommand(), "--list", "--data", data); !strings.Contains(list, "revoked") {
		t.Error(list)
	}
	for _, args := range [][]string{
		{"--to", "opd"}, {"--to", "opd", "--opd", "dishub"}, {"--to", "opd", "--name", "x"},
		{"--to", "opd", "--opd", "dinas-x", "--name", "x"}, {"--to", "papan", "--opd", "dishub"}, {"--to", "x"},
		{"--to", "opd", "--opd", "dishub", "--name", "0812-3456-7890"}, {"--revoke", "o00000000"}, {},
		{"--to", "opd", "--opd", "dishub", "--name", "x", "--expires", "500d"},
		{"--to", "opd", "--opd", "dishub", "--name", "x", "--center", "99.99"},
	} {
		if text, err := said(t, linkCommand(), append(args, "--data", data)...); err == nil {
			t.Errorf("%q: %s", args, text)
		}
	}
}
