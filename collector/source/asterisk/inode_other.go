//go:build !unix

package asterisk

import "io/fs"

func inodeOf(fs.FileInfo) uint64 { return 0 }
