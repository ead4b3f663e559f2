package collector

import (
	"path/filepath"

	"github.com/monev112/monev112/collector/web"
)

// CallerKeys returns the path of the keys with which callers' numbers are replaced, in the data folder dataDir.
func CallerKeys(dataDir string) string { return filepath.Join(dataDir, keysFile) }

// LinkKeys returns the file of the keys with which the links of alerts are signed, in the data folder dataDir.
func LinkKeys(dataDir string) web.LinkKeys {
	return web.LinkKeys{Path: filepath.Join(dataDir, web.DefaultLinkKeysFile)}
}
