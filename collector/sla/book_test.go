package sla

import (
	"os"
	"path/filepath"
	"testing"
)

// shippedFiles reads the calendars and policies that the product ships.
func shippedFiles(t testing.TB) []File {
	t.Helper()
	var files []File
	for _, pattern := range []string{"calendars/*.yaml", "policies/*.yaml"} {
		names, err := filepath.Glob(filepath.Join("..", "..", "deploy", "defaults", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			data, err := os.ReadFile(n)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, File{Name: filepath.Base(n), Data: data})
		}
	}
	if len(files) < 6 {
		t.Fatalf("found %d shipped files, want at least 6", len(files))
	}
	return files
}

func shippedBook(t testing.TB, profiles ...string) *Book {
	t.Helper()
	if len(profiles) == 0 {
		profiles = []string{"sidoarjo"}
	}
	b, err := Load(shippedFiles(t), Config{Default: Use{Profiles: profiles, Calendar: "id-sidoarjo"}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestShippedFilesLoad(t *testing.T) {
	for _, p := range []string{"sidoarjo", "sp4n", "spm-damkar-15", "nena-2020", "nfpa-1225"} {
		shippedBook(t, p)
	}
}
