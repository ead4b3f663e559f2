package collector

import (
	"path/filepath"

	"github.com/monev112/monev112/collector/source/dropfolder"
	"github.com/monev112/monev112/collector/source/send"
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

// openDrops prepares the watching of the configured folders.
func (a *App) openDrops() (err error) {
	if len(a.cfg.File.Drop) == 0 {
		return nil
	}
	cfg := dropfolder.Config{
		State: filepath.Join(a.cfg.DataDir, importsDir), Builtin: deploy.Defaults, Directory: a.dir,
		Collector: local{a, send.Patience{Total: -1}}, Name: "http://127.0.0.1",
		Log: a.cfg.Log, Now: a.cfg.Now,
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
