package collector

import (
	"path/filepath"

	"github.com/monev112/monev112/collector/httpapi"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/source/dropfolder"
	"github.com/monev112/monev112/deploy"
)

// Drop is a folder that the service watches: a file that is put into it is imported by the mapping.
type Drop struct {
	Folder  string `yaml:"folder"`
	Mapping string `yaml:"mapping"` // the name of a built-in mapping, or the path of a YAML file
	Source  string `yaml:"source"`  // takes the place of the mapping's source
}

// importsDir holds, below Config.DataDir, what imports of drop folders remember.
const importsDir = "imports"

// openDrops prepares the watching of the configured folders. What they hold goes through a door of its own, which asks
// for no key: it is reached by this process alone.
func (a *App) openDrops() error {
	if len(a.cfg.File.Drop) == 0 {
		return nil
	}
	state := filepath.Join(a.cfg.DataDir, importsDir)
	nobody, err := auth.NewGuard(filepath.Join(state, "no-keys"), a.cfg.Now, a.cfg.Log)
	if err != nil {
		return err
	}
	inner, err := httpapi.New(a.apiConfig(nobody))
	if err != nil {
		return err
	}
	cfg := dropfolder.Config{
		State: state, Handler: inner.Handler(), Builtin: deploy.Defaults, Directory: a.dir, Log: a.cfg.Log, Now: a.cfg.Now,
	}
	for _, f := range a.cfg.File.Drop {
		mapping := f.Mapping
		if filepath.Ext(mapping) != "" {
			mapping = a.cfg.File.path(mapping)
		}
		cfg.Folders = append(cfg.Folders,
			dropfolder.Folder{Dir: a.cfg.File.path(f.Folder), Mapping: mapping, Source: f.Source})
	}
	a.drops, err = dropfolder.New(cfg)
	return err
}
