package main

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/monev112/monev112/collector/upkeep/setup"
)

func TestInitIsAcceptedByCheck(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "config")
	args := []string{"--dir", dir, "--code", "35.29", "--name", "Kabupaten Sumenep", "--system", "export,asterisk"}
	out, err := said(t, initCommand(), args...)
	if err != nil || !strings.Contains(out, "wrote "+filepath.Join(dir, setup.ConfigFile)) {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err = said(t, checkCommand(), "--config", filepath.Join(dir, setup.ConfigFile), "--ticket", "priority=darurat")
	if err != nil || !strings.Contains(out, "kabupaten_sumenep/1") {
		t.Errorf("check: %v\n%s", err, out)
	}
	if out, err = said(t, initCommand(), args...); err != nil || !strings.Contains(out, "nothing was changed") {
		t.Errorf("the second run: %v\n%s", err, out)
	}
}

func TestInitWithoutATerminalNeedsFlags(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "config")
	_, err := said(t, initCommand(), "--dir", dir)
	var usage *usageError
	if !errors.As(err, &usage) {
		t.Errorf("error %v, want one of usage", err)
	}
}

func TestInitAsks(t *testing.T) {
	a := setup.Answers{Name: "Kabupaten Sumenep", Zone: "Asia/Jakarta"}
	var out bytes.Buffer
	in := strings.NewReader("35.29\nAsia/Makassar\n\n kec.csv \n1.124.436\n")
	if err := ask(in, &out, &a); err != nil {
		t.Fatal(err)
	}
	want := setup.Answers{
		Code: "35.29", Name: "Kabupaten Sumenep", Zone: "Asia/Makassar", Kecamatan: "kec.csv", Population: 1_124_436,
	}
	if a.Code != want.Code || a.Zone != want.Zone || a.Kecamatan != want.Kecamatan || a.Population != want.Population ||
		a.OPDs != "" || strings.Contains(out.String(), "Official name") {
		t.Errorf("%+v after\n%s", a, out.String())
	}
}
