package backup

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/monev112/monev112/collector/engine"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/internal/faultpoint"
	"github.com/monev112/monev112/collector/internal/keyfile"
	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/store"
)

// restoringSuffix ends the name of a folder that is being filled.
const restoringSuffix = ".restoring"

// RestoreConfig says what is filled from a backup.
type RestoreConfig struct {
	From string // the folder of the backup
	// DataDir is the data folder to make; it must not exist, or be empty. Empty: only Client is filled.
	DataDir string
	// Client is the ClickHouse to fill. Nil with a DataDir: an embedded engine runs below it for the time of the restore.
	Client   *Client
	NoTables bool   // the tables are there already: only the folder is made
	Secrets  string // file of secrets; empty restores none
	Now      func() time.Time
	Progress func(Progress)
}

// Restore fills a data folder, a ClickHouse, or both, from a backup that it verifies first. A folder appears under its
// name when it is complete. A ClickHouse that was filled in part is marked as such, and the same Restore continues.
func Restore(ctx context.Context, cfg RestoreConfig) (_ *Manifest, err error) {
	if cfg.DataDir == "" && cfg.Client == nil {
		return nil, errors.New("nothing to restore into: name an empty data folder, a ClickHouse server, or both")
	}
	if cfg.DataDir != "" {
		if err := checkEmpty(cfg.DataDir); err != nil {
			return nil, err
		}
	}
	var secrets *Secrets
	if cfg.Secrets != "" {
		if secrets, err = readSecrets(cfg.Secrets); err != nil {
			return nil, err
		}
	}
	m, err := Verify(ctx, cfg.From, cfg.Progress)
	if err != nil {
		return nil, err
	}
	r := &restorer{cfg: cfg, m: m, report: reporter{to: cfg.Progress}}
	if r.from, err = os.OpenRoot(cfg.From); err != nil {
		return nil, err
	}
	defer r.from.Close()
	if cfg.Client != nil && !cfg.NoTables {
		if err := r.fill(ctx, cfg.Client); err != nil {
			return nil, err
		}
	}
	if cfg.DataDir != "" {
		if err := r.folder(ctx, secrets); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func checkEmpty(dir string) error {
	if info, err := os.Lstat(dir); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return fmt.Errorf("%s is a symbolic link: name the folder that it leads to", dir)
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not empty (%s): a backup is restored into an empty folder; move the old one aside", dir,
			entries[0].Name())
	}
	return nil
}

type restorer struct {
	cfg    RestoreConfig
	from   *os.Root // the folder of the backup
	m      *Manifest
	report reporter
}

// folder makes the data folder under another name and renames it at the end.
func (r *restorer) folder(ctx context.Context, secrets *Secrets) (err error) {
	var lock io.Closer
	dir, err := workFolder(filepath.Clean(r.cfg.DataDir)+restoringSuffix, &lock)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
		_ = lock.Close() // its file is gone
	}()
	if free, err := (disk.OS{}).FreeBytes(dir); err != nil {
		return err
	} else if need := 2*uint64(r.m.Bytes()) + DefaultMinFreeBytes; free < need {
		return fmt.Errorf("%w: %d MiB free at %s, about %d are needed", ErrNoSpace, free>>20, r.cfg.DataDir, need>>20)
	}
	if r.cfg.Client == nil && !r.cfg.NoTables {
		if err := withEngine(ctx, filepath.Join(dir, engine.FolderName), 0, func(c *Client) error {
			return r.fill(ctx, c)
		}); err != nil {
			return err
		}
	}
	into, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer into.Close()
	for _, f := range r.m.Journal.Files {
		if err := r.copyFile(f, into, f.Name); err != nil {
			return err
		}
	}
	for _, f := range r.m.State {
		if err := r.copyFile(f, into, stateTarget(f.Name)); err != nil {
			return err
		}
	}
	// Positions from here on will mean other events than those that the former service may have shipped under the same.
	if _, err := journal.ChangeUUID(disk.OS{}, filepath.Join(dir, journal.FolderName)); err != nil {
		return err
	}
	if secrets != nil {
		for name, text := range secrets.Files {
			b, err := base64.StdEncoding.DecodeString(text)
			if err == nil {
				err = writeNew(into, name, bytes.NewReader(b))
			}
			if err != nil {
				return fmt.Errorf("restore %s: %w", name, err)
			}
		}
	}
	if err := r.settleKeys(dir, secrets); err != nil {
		return err
	}
	if err := errors.Join(os.Remove(filepath.Join(dir, lockName)), ctx.Err()); err != nil {
		return err
	}
	faultpoint.Hit("restore.rename")
	if err := os.Remove(r.cfg.DataDir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return publish(dir, r.cfg.DataDir)
}

// settleKeys refuses the secrets of another installation. Where the caller keys or the link keys of the backup are not
// among the secrets it records that they are given up, so that the service makes others: who restored was told. Lost
// API keys are not given up: the service opens to nobody, and says so, until some are created.
func (r *restorer) settleKeys(dir string, secrets *Secrets) error {
	known := keyfile.KnownIn(dir)
	entries, err := known.Entries()
	if err != nil {
		return err
	}
	lost := map[string]bool{ingest.CallerKeysFile: true}
	for _, e := range entries {
		lost[e.File] = e.File != auth.FileName
	}
	for name := range lost {
		if secrets != nil && secrets.Files[name] != "" {
			lost[name] = false
		}
		if !lost[name] {
			continue
		}
		if err := known.Note(name, nil, r.cfg.Now()); err != nil {
			return err
		}
	}
	if lost[ingest.CallerKeysFile] {
		return nil
	}
	if _, err = ingest.ReadOrCreateCallerKeys(dir, r.cfg.Now()); err != nil {
		return fmt.Errorf("the secrets in %s do not belong to this backup: %w", r.cfg.Secrets, err)
	}
	return nil
}

// NotRestored returns the names of the key files that the service of a backup had and that the folder restored from it
// lacks. The caller keys each service has; of others the backup of an early version does not tell.
func NotRestored(dataDir string) (names []string, err error) {
	entries, err := keyfile.KnownIn(dataDir).Entries()
	had := map[string]bool{ingest.CallerKeysFile: true}
	for _, e := range entries {
		had[e.File] = had[e.File] || len(e.IDs) > 0
	}
	for name, had := range had {
		if _, err := os.Lstat(filepath.Join(dataDir, name)); had && errors.Is(err, fs.ErrNotExist) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, err
}

// copyFile copies a file of the backup to the name to below into.
func (r *restorer) copyFile(f File, into *os.Root, to string) error {
	in, err := openPlain(r.from, f.Name)
	if err != nil {
		return err
	}
	defer in.Close()
	return writeNew(into, to, in)
}

// fill brings the rows into a ClickHouse, counts them, and brings the schema up to date.
func (r *restorer) fill(ctx context.Context, c *Client) error {
	id, err := uuid.Parse(r.m.ID)
	if err != nil {
		return fmt.Errorf("the backup's id %q: %w", r.m.ID, err)
	}
	st, err := c.store(ctx)
	if err != nil {
		return err
	}
	defer st.Close()
	if err := st.Ping(ctx); err != nil {
		return err
	}
	mark, err := r.prepareDatabase(ctx, c, st, id)
	if err != nil {
		return err
	}
	if err := st.RecordRestore(ctx, mark); err != nil {
		return err
	}
	done, total := uint64(0), r.m.Rows()
	for _, t := range r.m.Tables {
		for i, f := range t.Files {
			packed, err := openPlain(r.from, f.Name)
			if err != nil {
				return err
			}
			err = c.insert(ctx, t.Name, t.Columns, packed)
			packed.Close()
			if err != nil {
				return fmt.Errorf("%w (%s)", err, f.Name)
			}
			done += f.Rows
			r.report.update(Progress{"tables", int64(done), int64(total), false})
			if i == 0 && t.Name == "events" {
				faultpoint.Hit("restore.tables")
			}
		}
		got, err := c.value(ctx, "SELECT count() FROM "+name(t.Name)+" FINAL")
		if err != nil {
			return err
		}
		if got != fmt.Sprint(t.Rows) {
			return fmt.Errorf("table %s holds %s rows after the restore, the backup has %d", t.Name, got, t.Rows)
		}
	}
	if err := st.MigrateFrom(ctx, r.m.Schema); err != nil {
		return err
	}
	mark.EndedAt = r.cfg.Now()
	return st.RecordRestore(ctx, mark)
}

// prepareDatabase makes the tables, and refuses a database that holds anything but an interrupted restore of the same
// backup.
func (r *restorer) prepareDatabase(ctx context.Context, c *Client, st *store.Store, id uuid.UUID) (store.Restore,
	error) {
	mark := store.Restore{
		Backup: id, TakenAt: r.m.TakenAt, Journal: r.m.Journal.UUID, Position: uint64(r.m.Journal.Shipped),
		BeganAt: r.cfg.Now(),
	}
	var refused *store.MigrationError
	err := st.MigrateTo(ctx, r.m.Schema)
	if errors.As(err, &refused) { // a database with a newer schema: the rows are put in by the names of their columns
		err = st.Migrate(ctx)
	}
	if err != nil {
		return mark, err
	}
	before, err := st.Restores(ctx)
	if err != nil {
		return mark, err
	}
	if len(before) > 0 {
		b := before[len(before)-1]
		if b.Backup == id && b.EndedAt.IsZero() {
			mark.BeganAt = b.BeganAt
			return mark, nil
		}
		return mark, fmt.Errorf(
			"database %s at %s was filled from the backup %s (taken %s) already: restore into an empty database", c.database(),
			c.URL, b.Backup, b.TakenAt.Format(time.RFC3339))
	}
	for _, t := range r.m.Tables {
		if n, err := c.value(ctx, "SELECT count() FROM "+name(t.Name)); err != nil {
			return mark, err
		} else if n != "0" {
			return mark, fmt.Errorf("database %s at %s is not empty: %s has %s rows; restore into an empty database",
				c.database(), c.URL, t.Name, n)
		}
	}
	return mark, nil
}

func readSecrets(name string) (*Secrets, error) {
	text, err := disk.ReadFile(disk.OS{}, name, 2*maxSecretBytes)
	if err != nil {
		return nil, fmt.Errorf("read the secrets: %w", err)
	}
	s := &Secrets{}
	if err := json.Unmarshal(text, s); err != nil || s.Format != secretsFormat {
		return nil, errors.Join(fmt.Errorf("%s is no file of secrets that this version reads (%q)", name, secretsFormat), err)
	}
	for f := range s.Files {
		if err := checkSecretName(f); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return s, nil
}
