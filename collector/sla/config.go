package sla

import "github.com/monev112/monev112/collector/directory"

// ConfigOf returns what the directory says of policies and calendars: which each centre goes by, and the codes that
// policy lines may name.
func ConfigOf(dir *directory.Directory) Config {
	cfg := Config{Centers: map[string]Use{}}
	for _, c := range dir.Centers() {
		u := Use{Calendar: c.Calendar}
		if c.Policy != "" {
			u.Profiles = []string{c.Policy}
		}
		cfg.Centers[c.Code] = u
		cfg.Known.Centers = append(cfg.Known.Centers, c.Code)
		for _, o := range dir.OPDs(c.Code) {
			cfg.Known.OPDs = append(cfg.Known.OPDs, o.ID)
		}
		for _, k := range dir.Categories(c.Code) {
			cfg.Known.Categories = append(cfg.Known.Categories, k.ID)
		}
	}
	cfg.Default = cfg.Centers[dir.DefaultCenter()]
	return cfg
}
