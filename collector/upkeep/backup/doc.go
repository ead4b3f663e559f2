// Package backup owns the form in which everything that monev112 knows leaves one place and enters another: a folder of
// plain files, taken beside a service at work, from which an empty folder or an empty ClickHouse server is filled.
//
//	manifest.json            what is in the folder, each file with its size and SHA-256; written last
//	manifest.json.sha256     of the manifest
//	tables/NAME-0001.tsv.zst the rows of a table, tab-separated as ClickHouse writes and reads them, packed by zstd
//	journal/                 the segments of the journal, as they are
//	state/                   what else the service remembers: the quarantine, what imports remember, the audit log
//
// The tables are read first and the journal is copied after them. What was shipped before the tables were read is in
// the tables; everything after it is in the journal, which keeps a segment for a day after it was shipped. So the whole
// is the service at the instant at which the journal was copied, although nothing stood still: a service that starts on
// a restored folder sends the journal again, and ClickHouse knows by source and id what it has.
//
// A folder under its own name is whole: it is written under another and renamed at the end. Secrets (the callers' keys,
// API keys) are not in it; they go to a file of their own, to be kept elsewhere.
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
	journalDir       = "journal"
	stateDir         = "state"
	packedSuffix     = ".zst"
	unfinishedSuffix = ".unfinished" // of the folder's own name, while it is written
	lockName         = "lock"
)

// Progress says how far a backup or restore is, in rows of tables or in bytes.
type Progress struct {
	Step        string
	Done, Total int64
	Bytes       bool // Done and Total are bytes, not rows
}

// reporter hands progress on, not more often than every tenth of a second.
type reporter struct {
	to   func(Progress)
	last time.Time
	step string
}

func (r *reporter) say(p Progress) {
	if r.to == nil || p.Step == r.step && p.Done < p.Total && time.Since(r.last) < 100*time.Millisecond {
		return
	}
	r.last, r.step = time.Now(), p.Step
	r.to(p)
}
