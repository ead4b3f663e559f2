package collector

import (
	"path/filepath"

	"github.com/monev112/monev112/collector/page"
)

// CallerKeys returns the path of the keys with which callers' numbers are replaced, in the data folder dataDir.
func CallerKeys(dataDir string) string { return filepath.Join(dataDir, keysFile) }

// LinkKeys returns the file of the keys with which the links of alerts are signed, in the data folder dataDir.
func LinkKeys(dataDir string) page.LinkKeys {
	return page.LinkKeys{Path: filepath.Join(dataDir, page.DefaultLinkKeysFile)}
}
