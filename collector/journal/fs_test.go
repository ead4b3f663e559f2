package journal_test

import "github.com/monev112/monev112/collector/disk"

var fsOS = disk.OS{}
