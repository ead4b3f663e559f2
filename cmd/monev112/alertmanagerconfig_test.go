package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// command runs a subcommand and returns what it prints.
func command(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(&out)
	root.SetErr(&errs)
	err = root.ExecuteContext(t.Context())
	return out.String(), errs.String(), err
}

func TestAlertmanagerConfigWritesTheExample(t *testing.T) {
	want, err := os.ReadFile("../../alerts/alertmanager.yml")
	if err != nil {
		t.Fatal(err)
	}
	got, notes, err := command(t, "alertmanager-config", "--contacts", "../../deploy/alertmanager/contacts.example.yaml",
		"--from", "2026-11-01")
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Error("alerts/alertmanager.yml is not what the command writes from the example's contacts")
	}
	if !strings.Contains(notes, "(rsud): no contact, Diskominfo stands in\n") {
		t.Errorf("who has no contact is not said:\n%s", notes)
	}
	if got, _, err = command(t, "alertmanager-config", "--contacts", "../../deploy/alertmanager/contacts.example.yaml",
		"--templates", "/etc/t/*.tmpl"); err != nil || !strings.Contains(got, "- /etc/t/*.tmpl\n") {
		t.Errorf("--templates: %v", err)
	}
}

func TestAlertmanagerConfigRefusals(t *testing.T) {
	file := func(text string) string {
		name := filepath.Join(t.TempDir(), "contacts.yaml")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for name, tt := range map[string]struct {
		args  []string
		says  string
		usage bool
	}{
		"no contacts": {nil, "--contacts", true},
		"no day":      {[]string{"--contacts", file(""), "--from", "tomorrow"}, "2026-12-31", true},
		"no file":     {[]string{"--contacts", "none.yaml"}, "none.yaml", false},
		"a vertical one": {[]string{
			"--contacts", file(
				"version: 1\noperations: {webhook: [{url: http://127.0.0.1/}]}\ncenters:\n  - code: \"35.15\"\n    opds:\n      - {id: pln, webhook: [{url: http://127.0.0.1/}]}\n"),
		}, "never paged", false},
		"an unknown key": {[]string{"--contacts", file("version: 1\ncentres: []\n")}, "centres", false},
		"a wrong configuration": {
			[]string{"--contacts", file(""), "--config", file("pager: {interval: 1s}\n")}, "pager.alertmanagers", false,
		},
	} {
		out, _, err := command(t, append([]string{"alertmanager-config"}, tt.args...)...)
		var usage *usageError
		if err == nil || !strings.Contains(err.Error(), tt.says) || errors.As(err, &usage) != tt.usage || out != "" {
			t.Errorf("%s: %v, printed %q; want %q, usage %v", name, err, out, tt.says, tt.usage)
		}
	}
}

func TestCheckLooksAtThePager(t *testing.T) {
	name := filepath.Join(t.TempDir(), "monev112.yaml")
	text := "pager:\n  alertmanagers:\n    - url: https://am.example.go.id\n      ca_file: ca.pem\n"
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := command(t, "check", "--config", name); err == nil ||
		!strings.Contains(err.Error(), "pager.alertmanagers[0].ca_file: ") {
		t.Errorf("a certificate that is missing: %v", err)
	}
}
