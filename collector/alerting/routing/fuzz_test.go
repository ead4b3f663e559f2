package routing

import "testing"

// Whatever a contacts file holds, it is read or refused with its places.
func FuzzLoadContacts(f *testing.F) {
	for _, s := range []string{
		"version: 1\noperations:\n  email: [ops@example.org]\n",
		"version: 1\ntelegram: {bot_token_file: /t}\noperations: {telegram: [-1001]}\ncenters:\n  - code: '35.15'\n    " +
			"supervisors: {email: [a@b.c]}\n",
		"version: 2\n", "version: [1]\n", "", "operations: &a {email: *a}\n", "? : :\n",
		"smtp: {smarthost: ':::', from: '<'}\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if c, err := LoadContacts("contacts.yaml", text); err == nil && c == nil {
			t.Error("neither contacts nor an error")
		}
	})
}
