// Package backup writes everything that monev112 knows to a folder of plain files while the service runs, and fills an
// empty data folder or an empty ClickHouse server from it. It owns the format of that folder.
//
//	manifest.json            what is in the folder, each file with its size and SHA-256; written last
//	manifest.json.sha256     of the manifest
//	tables/NAME-0001.tsv.zst the rows of a table, tab-separated as ClickHouse writes and reads them, packed by zstd
//	journal/                 the segments of the journal, as they are
//	state/                   other files of the service: the quarantine, the state of imports, the audit log
//
// The tables are read first and the journal is copied after them. What was shipped before the tables were read is in
// the tables; everything after it is in the journal, which keeps a segment for a day after it was shipped. So a backup
// is the service at the instant at which the journal was copied: a service that starts on a restored folder sends the
// journal again, and ClickHouse recognises by source and id the events that it has.
//
// A folder is written under another name and renamed at the end, so one under its own name is complete. Secrets (the
// callers' keys, API keys) are not in it; they go to a file of their own, to be kept elsewhere.
package backup

import "time"

// Limits of a backup.
const (
	PortionBytes        = 64 << 20  // of rows, unpacked, in one file and one INSERT
	DefaultMinFreeBytes = 256 << 20 // left free on the disk that is written to
	maxManifestBytes    = 16 << 20
	maxSecretBytes      = 1 << 20
)

// Names in a folder.
const (
	manifestName     = "manifest.json"
	sumSuffix        = ".sha256"
	tablesDir        = "tables"
	stateDir         = "state"
	packedSuffix     = ".zst"
	unfinishedSuffix = ".unfinished" // of the folder's own name, while it is written
	lockName         = "lock"
)

// Progress is how far a backup or restore has come, in rows of tables or in bytes.
type Progress struct {
	Step        string
	Done, Total int64
	Bytes       bool // Done and Total are bytes, not rows
}

// reporter passes progress on, at most every tenth of a second.
type reporter struct {
	to   func(Progress)
	last time.Time
	step string
}

func (r *reporter) update(p Progress) {
	if r.to == nil || p.Step == r.step && p.Done < p.Total && time.Since(r.last) < 100*time.Millisecond {
		return
	}
	r.last, r.step = time.Now(), p.Step
	r.to(p)
}
