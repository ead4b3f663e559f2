package metrics

import (
	"slices"

	"github.com/monev112/monev112/collector/directory"
)

// Labels returns the label values that follow from a directory: its centres but the historical ones, and the words of
// the domain with the kecamatan and categories of these centres.
func Labels(dir *directory.Directory) (centers []Center, v Vocabulary) {
	v = DefaultVocabulary()
	v.Categories = nil
	for _, c := range dir.Centers() {
		if c.Historical {
			continue
		}
		m := Center{Code: c.Code}
		for _, o := range dir.OPDs(c.Code) {
			m.OPDs = append(m.OPDs, OPD{ID: o.ID, Scope: string(o.Scope)})
			m.Names = append(m.Names, Name{Label: "opd", Value: o.ID, Name: o.Name})
		}
		for _, k := range dir.AllKecamatan(c.Code) {
			v.Kecamatan = append(v.Kecamatan, k.Code)
			m.Names = append(m.Names, Name{Label: "kecamatan", Value: k.Code, Name: k.Name})
		}
		for _, k := range dir.Categories(c.Code) {
			m.Names = append(m.Names, Name{Label: "category", Value: k.ID, Name: k.Name})
			if !slices.Contains(v.Categories, k.ID) {
				v.Categories = append(v.Categories, k.ID)
			}
		}
		centers = append(centers, m)
	}
	return centers, v
}
