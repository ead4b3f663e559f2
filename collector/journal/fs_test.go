package journal_test

import "github.com/monev112/monev112/collector/internal/disk"

var fsOS = disk.OS{}
