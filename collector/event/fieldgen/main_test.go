package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestGeneratedFilesAreCurrent(t *testing.T) {
	files, err := generate("../event.go")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range files {
		got, err := os.ReadFile(filepath.Join("..", path))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is older than the fields of Event: run go generate ./collector/event", path)
		}
	}
}

func TestWrongDeclarations(t *testing.T) {
	for text, want := range map[string]string{
		"type Call struct{}":                                                    "no struct Event",
		"type Event struct { A string }":                                        "A: no tag",
		"type Event struct { A string `x:\"\"` }":                               "A: the tag is not",
		"type Event struct { A string `event:\"0 a\"` }":                        "A: the tag is not",
		"type Event struct { A string `event:\"256 a\"` }":                      "A: the tag is not",
		"type Event struct { A string `event:\"1\"` }":                          "A: the tag is not",
		"type Event struct { A string `event:\"1 a 2 shapeText 4\"` }":          "A: the tag is not",
		"type Event struct { A bool `event:\"1 a\"` }":                          "A: a field of type bool",
		"type Event struct { A, B string `event:\"1 a\"` }":                     "A and B have the same number",
		"type Event struct { C Caller }; type Caller struct { K string }":       "C.K: no tag",
		"type Event struct { A string `event:\"1 a\"`; B int `event:\"2 b\"` }": "B: a field of type int",
	} {
		path := filepath.Join(t.TempDir(), "event.go")
		if err := os.WriteFile(path, []byte("package event\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := generate(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
