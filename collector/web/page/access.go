package page

import (
	"slices"

	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
)

// Access says who may use a page. The zero value is for keys with the scope admin alone.
type Access struct {
	public, linked, anyKey, anyOPD bool
	scopes                         []auth.Scope
}

// Public is for everybody; Linked too, for its handler asks for a signed link; AnyKey is for whoever is signed in.
var (
	Public = Access{public: true}
	Linked = Access{public: true, linked: true}
	AnyKey = Access{anyKey: true}
)

// Scopes is for a key with any of the scopes, or with admin.
func Scopes(scopes ...auth.Scope) Access { return Access{scopes: scopes} }

// OrOPD is a, and for keys that read one OPD or several: the handler asks Person.OPDs which.
func (a Access) OrOPD() Access {
	a.anyOPD = true
	return a
}

// Person is who a request comes from: the holder of a key, anybody on this machine while no key exists, or nobody.
type Person struct {
	Key  *auth.Key // nil for anybody and nobody
	Open bool      // no key exists: nobody is asked, everything is allowed
}

// SignedIn reports whether the person may see more than what is public.
func (p Person) SignedIn() bool { return p.Open || p.Key != nil }

// May reports whether the person has what access asks for.
func (p Person) May(access Access) bool {
	switch {
	case access.public || p.Open:
		return true
	case p.Key == nil:
		return false
	case access.anyKey || p.Key.Allows(auth.Admin) || access.anyOPD && len(p.Key.OPDs()) > 0:
		return true
	}
	return slices.ContainsFunc(access.scopes, p.Key.Allows)
}

// MaySee reports whether the person may see a centre.
func (p Person) MaySee(center string) bool { c := p.Center(); return c == "" || c == center }

// Center is the only centre that the person may see; empty is any.
func (p Person) Center() string {
	if p.Key == nil {
		return ""
	}
	return p.Key.Center
}

// OPDs are the only OPDs that the person may see; nil is any.
func (p Person) OPDs() []string {
	if p.Key == nil || p.Key.Allows(auth.Admin) || p.Key.Allows(auth.BoardRead) {
		return nil
	}
	return p.Key.OPDs()
}

// Name is the key's name; empty while nobody is asked.
func (p Person) Name() string {
	if p.Key == nil {
		return ""
	}
	return p.Key.Name
}

// Who names the person in the record of reads.
func (p Person) Who() string {
	if p.Key == nil {
		return audit.Nobody
	}
	return "key:" + p.Key.ID
}
