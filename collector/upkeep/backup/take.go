package backup

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/zstd"

	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/internal/faultpoint"
	"github.com/monev112/monev112/collector/internal/keyfile"
	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/shipper"
)

// TakeConfig says what is taken and where it goes.
type TakeConfig struct {
	To      string // the folder, which must not exist
	DataDir string // of the service; it may run meanwhile
	// Client is the ClickHouse of that service; nil is the embedded one: the engine that serves DataDir, or one that runs
	// for the time of the backup.
	Client *Client
	// EngineMemory bounds, in bytes, an engine that runs for the backup; 0 is its default.
	EngineMemory int64
	State        []string // folders below DataDir that are taken as they are; the record of known keys always is
	Secrets      []string // files below DataDir that are taken only when SecretsTo is set
	SecretsTo    string   // file for the secrets, to be kept elsewhere; empty takes none
	Program      string   // version
	MinFree      int64    // bytes left free where To lies; 0 means DefaultMinFreeBytes
	Now          func() time.Time
	Progress     func(Progress)
}

// ErrNoSpace says that the disk has too little free space.
var ErrNoSpace = errors.New("not enough free space on the disk")

// Take makes a backup of a service that may run meanwhile. After an error, also of ctx, there is no folder To.
func Take(ctx context.Context, cfg TakeConfig) (m *Manifest, err error) {
	if info, err := os.Stat(filepath.Join(cfg.DataDir, journal.FolderName)); err != nil || !info.IsDir() {
		return nil, errors.Join(fmt.Errorf("%s is not the data folder of a service: it has no journal", cfg.DataDir), err)
	}
	if cfg.Client != nil {
		return take(ctx, cfg)
	}
	err = withEmbedded(ctx, cfg.DataDir, cfg.EngineMemory, func(c *Client) (err error) {
		cfg.Client = c
		m, err = take(ctx, cfg)
		return err
	})
	return m, err
}

func take(ctx context.Context, cfg TakeConfig) (_ *Manifest, err error) {
	cfg.MinFree = cmp.Or(cfg.MinFree, DefaultMinFreeBytes)
	t := &taker{cfg: cfg, report: reporter{to: cfg.Progress}}
	if _, err := os.Lstat(cfg.To); !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(fmt.Errorf(
			"%s exists: a backup is never written over another; name a new folder, for example with the date in it", cfg.To),
			err)
	}
	if cfg.SecretsTo != "" {
		if _, err := os.Lstat(cfg.SecretsTo); !errors.Is(err, fs.ErrNotExist) {
			return nil, errors.Join(fmt.Errorf("%s exists: secrets are never written over others; name a new file",
				cfg.SecretsTo), err)
		}
	}
	if err := cfg.Client.Check(); err != nil {
		return nil, err
	}
	if t.dir, err = workFolder(filepath.Clean(cfg.To)+unfinishedSuffix, &t.lock); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(t.dir))
		}
		_ = t.lock.Close() // its file is gone or was renamed away
	}()
	if err := t.take(ctx); err != nil {
		return nil, err
	}
	if cfg.SecretsTo != "" {
		if err := t.secrets(); err != nil {
			return nil, err
		}
	}
	if err := t.m.write(t.dir); err != nil {
		return nil, err
	}
	if err := os.Remove(filepath.Join(t.dir, lockName)); err != nil {
		return nil, err
	}
	faultpoint.Hit("backup.rename")
	return &t.m, publish(t.dir, cfg.To)
}

// workFolder makes and locks the folder in which something is prepared, and removes what an interrupted attempt left in
// it.
func workFolder(dir string, lock *io.Closer) (string, error) {
	if info, err := os.Lstat(dir); err == nil && !info.IsDir() {
		return "", fmt.Errorf("%s is no folder: remove it", dir) // a link would have another folder emptied
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	var err error
	if *lock, err = (disk.OS{}).Lock(filepath.Join(dir, lockName)); err != nil {
		return "", fmt.Errorf("%s: %w; wait for it to end", dir, err)
	}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if e.Name() != lockName {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	return dir, err
}

// publish renames a prepared folder when everything in it is on stable storage.
func publish(dir, as string) error {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return disk.OS{}.SyncDir(path)
	})
	if err != nil {
		return err
	}
	if err := os.Rename(dir, as); err != nil {
		return err
	}
	return disk.OS{}.SyncDir(filepath.Dir(filepath.Clean(as)))
}

type taker struct {
	cfg     TakeConfig
	dir     string
	lock    io.Closer
	m       Manifest
	report  reporter
	written int64    // bytes since the free space was checked
	names   []string // UUIDs of which a cursor may be: the journal's, and those that it continues
}

func (t *taker) take(ctx context.Context) error {
	id, err := uuid.NewRandom()
	if err != nil {
		return err
	}
	t.m = Manifest{
		Format: format, ID: id.String(), TakenAt: t.cfg.Now().UTC().Truncate(time.Millisecond), Program: t.cfg.Program,
	}
	// How far the tables reach is asked before they are read: they hold at least that.
	jdir := filepath.Join(t.cfg.DataDir, journal.FolderName)
	named, shipped, database, err := t.shipped()
	if err != nil {
		return err
	}
	if err := t.checkSpace(ctx); err != nil {
		return err
	}
	if err := t.tables(ctx, database); err != nil {
		return err
	}
	faultpoint.Hit("backup.tables")
	if err := t.journal(jdir); err != nil {
		return err
	}
	if named != "" && !slices.Contains(t.names, named) {
		return fmt.Errorf("the journal %s and the cursor of %s in %s do not belong together", t.m.Journal.UUID, named,
			t.cfg.DataDir)
	}
	if named == "" {
		shipped = t.m.Journal.First
	}
	if t.m.Journal.Shipped = shipped; t.m.Journal.First > shipped {
		return fmt.Errorf(
			"while the tables were read the service let go of a part of the journal (%d to %d) that may not be in them: take "+
				"the backup again", shipped, t.m.Journal.First)
	}
	return t.state()
}

// shipped reads the cursor: whose it is, how far, and which ClickHouse it is about.
func (t *taker) shipped() (named string, at journal.Position, database string, err error) {
	named, at, ok, err := shipper.ReadCursor(disk.OS{}, t.cfg.DataDir)
	if err != nil || !ok {
		return "", 0, "", err
	}
	database, err = shipper.CursorDatabase(disk.OS{}, t.cfg.DataDir)
	return named, at, database, err
}

// checkSpace refuses a disk on which the tables would not fit as ClickHouse has them, packed as well as they will be
// here or worse.
func (t *taker) checkSpace(ctx context.Context) error {
	text, err := t.cfg.Client.value(ctx, "SELECT sum(total_bytes) FROM system.tables WHERE database = currentDatabase()")
	if err != nil {
		return err
	}
	need, _ := strconv.ParseUint(text, 10, 64) // \N: no table yet
	free, err := disk.OS{}.FreeBytes(t.dir)
	if err != nil {
		return err
	}
	if need += uint64(t.cfg.MinFree); free < need {
		return fmt.Errorf("%w: %d MiB free at %s, about %d are needed", ErrNoSpace, free>>20, t.cfg.To, need>>20)
	}
	return nil
}

// countWritten checks the free space again after every 8 MiB: the service may write to the same disk.
func (t *taker) countWritten(n int) error {
	if t.written += int64(n); t.written < 8<<20 {
		return nil
	}
	t.written = 0
	free, err := disk.OS{}.FreeBytes(t.dir)
	if err == nil && free < uint64(t.cfg.MinFree) {
		err = fmt.Errorf("%w: less than %d MiB are left at %s", ErrNoSpace, t.cfg.MinFree>>20, t.cfg.To)
	}
	return err
}

// excludedTables describe this database and mean nothing in another.
var excludedTables = []string{"migrations", "identity", "restores"}

func (t *taker) tables(ctx context.Context, database string) error {
	c := t.cfg.Client
	var err error
	if t.m.Schema, err = c.schemaVersion(ctx); err != nil {
		return fmt.Errorf("%w; is %s the ClickHouse of this service?", err, c.URL)
	}
	if database != "" {
		id, err := c.value(ctx, "SELECT toString(min(id)) FROM identity")
		if err != nil {
			return err
		}
		if id != database {
			return fmt.Errorf("clickhouse at %s is %s, the service in %s ships to %s: name the address of that one", c.URL, id,
				t.cfg.DataDir, database)
		}
	}
	// What says that a roll-up is behind is read before the roll-ups: one that is recomputed in between would else be
	// taken as it was, without the mark that makes it follow.
	list, err := c.rows(
		ctx, `SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' ORDER BY NOT
			endsWith(name, '_pending'), name`)
	if err != nil {
		return err
	}
	var counts []uint64
	total, done := int64(0), int64(0)
	for _, row := range list {
		if slices.Contains(excludedTables, row[0]) {
			continue
		}
		table := Table{Name: row[0]}
		columns, err := c.rows(ctx,
			fmt.Sprintf(`SELECT name FROM system.columns WHERE database = currentDatabase() AND table = '%s'
			AND default_kind NOT IN ('MATERIALIZED', 'ALIAS', 'EPHEMERAL') ORDER BY
			position`, strings.ReplaceAll(row[0], "'", `\'`)))
		if err != nil {
			return err
		}
		for _, col := range columns {
			table.Columns = append(table.Columns, col[0])
		}
		text, err := c.value(ctx, "SELECT count() FROM "+name(table.Name)+" FINAL")
		if err != nil {
			return err
		}
		count, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return err
		}
		t.m.Tables, counts = append(t.m.Tables, table), append(counts, count)
		total += int64(count)
	}
	if err := os.Mkdir(filepath.Join(t.dir, tablesDir), 0o700); err != nil {
		return err
	}
	for i := range t.m.Tables {
		table := &t.m.Tables[i]
		if err := t.table(ctx, table, func(rows uint64) {
			t.report.update(Progress{"tables", done + int64(rows), max(total, done+int64(rows)), false})
		}); err != nil {
			return fmt.Errorf("table %s: %w", table.Name, err)
		}
		// Rows of these tables are replaced and never removed.
		if table.Rows < counts[i] {
			return fmt.Errorf("table %s: %d rows came of %d", table.Name, table.Rows, counts[i])
		}
		done += int64(table.Rows)
	}
	return nil
}

// table writes the rows of a table, each key once, in files of PortionBytes.
func (t *taker) table(ctx context.Context, table *Table, each func(rows uint64)) (err error) {
	var p *portion
	end := func() error {
		if p == nil {
			return nil
		}
		f, err := p.end()
		p = nil
		if err == nil {
			table.Files = append(table.Files, f)
		}
		return err
	}
	defer func() {
		if p != nil {
			_ = p.file.Close() // after an error
		}
	}()
	err = t.cfg.Client.streamRows(ctx, "SELECT "+names(table.Columns)+" FROM "+name(table.Name)+" FINAL",
		len(table.Columns),
		func(row []byte) error {
			if p == nil {
				file := fmt.Sprintf("%s/%s-%04d.tsv%s", tablesDir, table.Name, len(table.Files)+1, packedSuffix)
				if p, err = newPortion(t.dir, file, t.countWritten); err != nil {
					return err
				}
			}
			if _, err := p.packer.Write(row); err != nil {
				return err
			}
			p.Rows++
			table.Rows++
			each(table.Rows)
			if p.raw += int64(len(row)); p.raw >= PortionBytes {
				return end()
			}
			return nil
		})
	if err != nil {
		return err
	}
	return end()
}

// portion is a packed file that is being written.
type portion struct {
	File
	raw    int64
	file   *os.File
	out    *bufio.Writer
	sum    hash.Hash
	packer *zstd.Encoder
	wrote  func(int) error
}

func newPortion(dir, name string, wrote func(int) error) (*portion, error) {
	f, err := os.OpenFile(filepath.Join(dir, filepath.FromSlash(name)), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	p := &portion{File: File{Name: name}, file: f, out: bufio.NewWriterSize(f, 1<<20), sum: sha256.New(), wrote: wrote}
	p.packer, err = zstd.NewWriter(writerFunc(p.write), zstd.WithEncoderConcurrency(1))
	return p, err
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func (p *portion) write(b []byte) (int, error) {
	_, _ = p.sum.Write(b) // never fails
	p.Bytes += int64(len(b))
	if err := p.wrote(len(b)); err != nil {
		return 0, err
	}
	return p.out.Write(b)
}

func (p *portion) end() (File, error) {
	err := errors.Join(p.packer.Close(), p.out.Flush(), p.file.Sync(), p.file.Close())
	p.SHA256 = hex.EncodeToString(p.sum.Sum(nil))
	return p.File, err
}

// copyFile copies a file as it is now; what is appended meanwhile may or may not come along.
func (t *taker) copyFile(from, name string) (File, error) {
	in, err := os.Open(from)
	if err != nil {
		return File{}, err
	}
	defer in.Close()
	to := filepath.Join(t.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return File{}, err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return File{}, err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, sum, writerFunc(func(b []byte) (int, error) {
		return len(b), t.countWritten(len(b))
	})), in)
	err = errors.Join(err, out.Sync(), out.Close())
	return File{Name: name, Bytes: n, SHA256: hex.EncodeToString(sum.Sum(nil))}, err
}

// journal copies the journal: the segments that exist now, the oldest first. The last may end in the middle of a write,
// which the next start cuts; all others are complete, since a segment never grows once there is another.
func (t *taker) journal(dir string) error {
	files, err := journal.Files(disk.OS{}, dir)
	if err != nil {
		return err
	}
	copied := 0
	for _, name := range files {
		f, err := t.copyFile(filepath.Join(dir, name), journal.FolderName+"/"+name)
		if errors.Is(err, fs.ErrNotExist) && copied == 0 {
			continue // let go of since it was listed
		}
		if err != nil {
			return fmt.Errorf("copy the journal: %w", err)
		}
		t.m.Journal.Files = append(t.m.Journal.Files, f)
		if journal.IsSegment(name) {
			copied++
		}
		t.report.update(Progress{"journal", int64(len(t.m.Journal.Files)), int64(len(files)), false})
	}
	report, err := journal.Verify(filepath.Join(t.dir, journal.FolderName))
	if err != nil {
		return err
	}
	for _, c := range report.Corrupt {
		if !slices.ContainsFunc(report.Skips, func(s journal.Skip) bool {
			return c.Position >= s.From && c.Position < s.To
		}) {
			return fmt.Errorf("the journal is damaged: %w; see monev112 journal verify", c)
		}
	}
	j := &t.m.Journal
	j.UUID, j.First, j.End, j.Records = report.UUID.String(), report.First, report.End, report.Records
	for _, u := range append(report.Continues, report.UUID) {
		t.names = append(t.names, u.String())
	}
	return nil
}

// state copies the other folders. A file that goes or comes meanwhile is no error: each is replaced or appended to
// whole. A cursor is left out: it would be about tables that were read before it.
func (t *taker) state() error {
	for _, folder := range append(slices.Clone(t.cfg.State), keyfile.KnownName) {
		root := filepath.Join(t.cfg.DataDir, folder)
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || !d.Type().IsRegular() || strings.HasSuffix(path, disk.TempSuffix) ||
				strings.HasSuffix(path, ".lock") || d.Name() == shipper.CursorFile {
				return err
			}
			rel, err := filepath.Rel(t.cfg.DataDir, path)
			if err != nil {
				return err
			}
			f, err := t.copyFile(path, stateDir+"/"+filepath.ToSlash(rel))
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			t.m.State = append(t.m.State, f)
			return err
		})
		if err != nil {
			return fmt.Errorf("copy %s: %w", root, err)
		}
	}
	return nil
}

// Secrets is the content of a file of secrets.
type Secrets struct {
	Format string            `json:"format"`
	Backup string            `json:"backup"` // the id of the backup that it was taken with
	Files  map[string]string `json:"files"`  // base64
}

const secretsFormat = "monev112 secrets 1"

func (t *taker) secrets() error {
	s := Secrets{Format: secretsFormat, Backup: t.m.ID, Files: map[string]string{}}
	for _, name := range t.cfg.Secrets {
		b, err := disk.ReadFile(disk.OS{}, filepath.Join(t.cfg.DataDir, name), maxSecretBytes)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		s.Files[name] = base64.StdEncoding.EncodeToString(b)
	}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(t.cfg.SecretsTo, append(text, '\n'))
}
