package directory

import (
	"strings"

	"github.com/monev112/monev112/collector/event"
)

// Review is a name that a person has to look at: the directory does not know it, or it means more than one thing.
type Review struct {
	Center    string
	Field     event.Field // center, opd, kecamatan or category
	Name      string      // as the source gave it; empty where it was blanked
	Ambiguous bool        // it is listed as meaning more than one thing
}

// ResolveOPD returns the id of the OPD that a centre's sources call name. When it is not known, or ambiguous, id is
// name as it was given. Names match whatever their case, spaces, punctuation and diacritics.
func (d *Directory) ResolveOPD(center, name string) (id string, known bool) {
	e := d.centers[center]
	if e == nil {
		return name, false
	}
	id, what := resolve(e, &e.opds, name, "")
	return id, what == found
}

// ResolveKecamatan is ResolveOPD for kecamatan: id is the Kemendagri code, and name may be one, a BPS code, or a name
// with or without "Kec." or "Kecamatan" before it.
func (d *Directory) ResolveKecamatan(center, name string) (id string, known bool) {
	e := d.centers[center]
	if e == nil {
		return name, false
	}
	id, what := resolve(e, &e.kecamatan, name, "kecamatan")
	return id, what == found
}

// ResolveCategory is ResolveOPD for categories.
func (d *Directory) ResolveCategory(center, name string) (id string, known bool) {
	e := d.centers[center]
	if e == nil {
		return name, false
	}
	id, what := resolve(e, &e.categories, name, "")
	return id, what == found
}

type verdict uint8

const (
	notFound verdict = iota
	found
	ambiguous
)

func resolve[T any](e *entry, n *names[T], name, prefix string) (string, verdict) {
	if i, ok := n.exact[name]; ok {
		return n.ids[i], found
	}
	var stack [128]byte
	folded := string(appendFold(stack[:0], name))
	if folded == "" {
		return name, notFound
	}
	// What a person has marked as ambiguous stays so, also where a suffix rule would find something.
	if _, ok := e.ambiguous[folded]; ok {
		return name, ambiguous
	}
	if i, ok := n.folded[folded]; ok {
		return n.ids[i], found
	}
	if prefix != "" {
		for _, p := range [...]string{prefix, prefix[:3]} {
			rest, ok := strings.CutPrefix(folded, p)
			if !ok || rest == "" {
				continue
			}
			if _, ok := e.ambiguous[rest]; ok {
				return name, ambiguous
			}
			if i, ok := n.folded[rest]; ok {
				return n.ids[i], found
			}
			folded = rest
			break
		}
	}
	for _, s := range e.suffixes {
		if rest, ok := strings.CutSuffix(folded, s); ok && rest != "" {
			if i, ok := n.folded[rest]; ok {
				return n.ids[i], found
			}
		}
	}
	return name, notFound
}

// Normalize puts e into the directory's words, in place: the default centre where none is named, ids in place of names,
// and no exact place where the law forbids to keep one. It returns what a person should look at; such names stay as
// they were given, if they look like names (event.LooksLikeName); else the field is blanked. In an open centre any name
// may stay that holds no number. It fills in nothing that the source did not say: no priority, no OPD, no category.
//
// A place stays exact only beside a category that is known and not sensitive (in an open centre, beside any that is not
// known as sensitive). Every other place becomes the point of its kecamatan, and is dropped where that is not known: an
// event without a category may be about a sensitive one, as the next event of the same case will tell.
//
// Normalize comes after the digest, so that a change of the directory makes no conflict of a repeated event.
func (d *Directory) Normalize(e *event.Event) (review []Review) {
	if e.Center == "" {
		e.Center = d.defaultCenter
	}
	c := d.centers[e.Center]
	for _, f := range e.Blanked {
		review = append(review, Review{Center: e.Center, Field: event.Field(f)})
	}
	if c == nil {
		for _, f := range [...]event.Field{event.FieldOPD, event.FieldKecamatan, event.FieldCategory} {
			if given := e.Name(f); given != "" && !event.LooksLikeName(f, given) {
				e.Blank(f)
				review = append(review, Review{Center: e.Center, Field: f})
			}
		}
		dropPlace(e)
		return append(review, Review{Center: e.Center, Field: event.FieldCenter, Name: e.Center})
	}
	resolved := func(field event.Field, to *string, id string, what verdict) {
		given := *to
		*to = id
		switch {
		case given == "" || what == found:
			return
		case !event.LooksLikeName(field, given) && (!c.center.Open || event.HoldsNumber(given)):
			e.Blank(field)
			given = ""
		case c.center.Open && what == notFound:
			return
		}
		review = append(review, Review{Center: e.Center, Field: field, Name: given, Ambiguous: what == ambiguous})
	}
	id, what := resolve(c, &c.opds, e.OPD, "")
	resolved(event.FieldOPD, &e.OPD, id, what)
	id, what = resolve(c, &c.kecamatan, e.Kecamatan, "kecamatan")
	resolved(event.FieldKecamatan, &e.Kecamatan, id, what)
	id, what = resolve(c, &c.categories, e.Category, "")
	resolved(event.FieldCategory, &e.Category, id, what)
	if e.Lat != nil || e.Lon != nil {
		c.place(e)
	}
	return review
}

func (c *entry) place(e *event.Event) {
	category, known := c.categories.byID(e.Category)
	if known && !category.Sensitive || !known && c.center.Open {
		return
	}
	c.snap(e)
}

// Private reports whether a category, by its id or any of its names, is known as one whose exact places are not stored.
func (d *Directory) Private(center, category string) bool {
	e := d.centers[center]
	if e == nil || category == "" {
		return false
	}
	id, _ := resolve(e, &e.categories, category, "")
	c, _ := e.categories.byID(id)
	return c.Sensitive
}

// SnapPlace puts an event whose place is not for storing to the point of its kecamatan, and takes its place away where
// that is not known.
func (d *Directory) SnapPlace(e *event.Event) {
	switch c := d.centers[e.Center]; {
	case e.Lat == nil && e.Lon == nil:
	case c == nil:
		dropPlace(e)
	default:
		c.snap(e)
	}
}

func (c *entry) snap(e *event.Event) {
	k, ok := c.kecamatan.byID(e.Kecamatan)
	if !ok || !k.Located {
		dropPlace(e)
		return
	}
	e.Lat, e.Lon = &k.Lat, &k.Lon
}

func dropPlace(e *event.Event) { e.Lat, e.Lon = nil, nil }
