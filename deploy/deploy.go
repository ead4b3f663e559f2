// Package deploy holds what is shipped beside the program. It owns no code: only the default configuration, embedded,
// so that a start without any file has a meaning.
package deploy

import "embed"

// Defaults is the default configuration: defaults/directory.yaml, defaults/policies, defaults/calendars and
// defaults/mappings. It is read-only and safe for concurrent use.
//
//go:embed all:defaults
var Defaults embed.FS

// Directory is the default directory, defaults/directory.yaml: Sidoarjo, and the centres of the public data sets.
//
//go:embed defaults/directory.yaml
var Directory string
