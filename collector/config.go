package collector

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/alerting/pager"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/internal/faultpoint"
	"github.com/monev112/monev112/collector/internal/yamlfile"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/source/asterisk"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/upkeep/retention"
	"github.com/monev112/monev112/collector/web"
	"github.com/monev112/monev112/deploy"
)

// Config is what `serve` runs on. Every field has a default but DataDir.
type Config struct {
	DataDir      string // journal, checkpoint, cursor, keys, and the embedded ClickHouse
	Listen       string // 127.0.0.1:8112
	EngineListen string // 127.0.0.1:8123
	File         File
	Version      string
	Revision     string
	GoVersion    string
	Log          *slog.Logger
	Now          func() time.Time
}

// File is the configuration file. Relative paths in it are relative to its folder.
type File struct {
	ClickHouse ClickHouse `yaml:"clickhouse"`
	// Directory, Policies and Calendars name files that take the place of the embedded ones.
	Directory string   `yaml:"directory"`
	Policies  []string `yaml:"policies"`
	Calendars []string `yaml:"calendars"`
	// Attributes are the keys of an event's data, beside the vocabulary, that are kept.
	Attributes []string `yaml:"attributes"`
	// AllowIDs are patterns of ids that look like a telephone number and are none.
	AllowIDs []string `yaml:"allow_ids"`
	// TLS is the certificate of the service; without one it speaks HTTP, and a proxy before it should speak TLS.
	TLS Certificate `yaml:"tls"`
	// TrustedProxies are the addresses or networks whose X-Forwarded-For is believed.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// MetricsNeedKey asks scrapers for a key with the scope board:read.
	MetricsNeedKey bool   `yaml:"metrics_need_key"`
	Tracing        Trace  `yaml:"tracing"`
	Limits         Limits `yaml:"limits"`
	// Retention says how long personal data is kept.
	Retention retention.Policy `yaml:"retention"`
	// Drop are folders whose files are imported.
	Drop []Drop `yaml:"drop"`
	// Pages says how telephones reach the pages behind the links of alerts.
	Pages Pages `yaml:"pages"`
	// Pager says which Alertmanagers are told of tickets.
	Pager pager.Config `yaml:"pager"`
	// Asterisk names the log of a telephone system that the service follows.
	Asterisk *asterisk.Config `yaml:"asterisk"`

	dir string
}

// ClickHouse says where ClickHouse is. Without an address the embedded engine runs as a child.
type ClickHouse struct {
	Address      string `yaml:"address"`  // host:port
	Protocol     string `yaml:"protocol"` // native (default) or http
	Database     string `yaml:"database"`
	User         string `yaml:"user"`
	PasswordFile string `yaml:"password_file"`
	TLS          struct {
		Enabled    bool   `yaml:"enabled"`
		CAFile     string `yaml:"ca_file"`
		CertFile   string `yaml:"cert_file"`
		KeyFile    string `yaml:"key_file"`
		ServerName string `yaml:"server_name"`
	} `yaml:"tls"`
}

// Trace says where spans go.
type Trace struct {
	Endpoint    string  `yaml:"endpoint"` // base URL of an OTLP/HTTP receiver
	SampleRatio float64 `yaml:"sample_ratio"`
}

// Pages says how telephones reach the pages behind the links of alerts.
type Pages struct {
	// PublicURL is the address of the service as telephones know it, https://host or https://host/folder. Without one,
	// alerts carry no links, except that a service on loopback names itself.
	PublicURL string `yaml:"public_url"`
	// LinkDays is how many days a link lives; 0 is 7.
	LinkDays int `yaml:"link_days"`
}

// links is the configuration of the links of a service that listens on listen; scheme is what it speaks.
func (p *Pages) links(scheme, listen, dataDir string) web.LinkConfig {
	cfg := web.LinkConfig{
		File: LinkKeys(dataDir).Path, PublicURL: p.PublicURL, Lifetime: time.Duration(p.LinkDays) * 24 * time.Hour,
	}
	if cfg.PublicURL == "" && auth.Loopback(listen) && !strings.HasSuffix(listen, ":0") {
		cfg.PublicURL = scheme + "://" + listen
	}
	return cfg
}

// Drop is a folder that the service watches: a file that is put into it is imported by the mapping.
type Drop struct {
	Folder  string `yaml:"folder"`
	Mapping string `yaml:"mapping"` // the name of a built-in mapping, or the path of a YAML file
	Source  string `yaml:"source"`  // takes the place of the mapping's source
}

// Limits are the bounds that a deployment may want to move; zero is the default.
type Limits struct {
	MinFreeBytes  int64 `yaml:"min_free_bytes"` // the journal leaves so much of the disk free; 256 MiB; below 0 nothing
	MaxCases      int   `yaml:"max_cases"`      // cases in memory; 1,000,000
	EngineMemory  int64 `yaml:"engine_memory"`  // bytes the embedded ClickHouse may use; 2 GiB
	QuarantineMiB int64 `yaml:"quarantine_mib"` // refused events kept; 16
	BatchRows     int   `yaml:"batch_rows"`     // events sent to ClickHouse at once; 50,000
	BodyBytes     int64 `yaml:"body_bytes"`     // of one request; 8 MiB
	RebuildCases  int   `yaml:"rebuild_cases"`  // cases that a rebuild folds between two batches of live events; 3,000
}

// DefaultListen is where the collector listens.
const DefaultListen = "127.0.0.1:8112"

// maxConfigBytes bounds every configuration file.
const maxConfigBytes = 4 << 20

// ReadFile reads a configuration file strictly. The error is yamlfile.Problems: every mistake with its line.
func ReadFile(name string) (File, error) {
	text, err := readBounded(name)
	if err != nil {
		return File{}, err
	}
	f := File{dir: filepath.Dir(name)}
	file, err := yamlfile.Read(name, text, maxConfigBytes, &f)
	if err != nil {
		return File{}, err
	}
	f.checkValues(file)
	return f, file.Err()
}

// checkValues reports what each section shows to be wrong. It opens no file.
func (f *File) checkValues(file *yamlfile.File) {
	limits := reflect.ValueOf(f.Limits)
	for i := range limits.NumField() {
		key, v := limits.Type().Field(i).Tag.Get("yaml"), limits.Field(i).Int()
		if v < 0 && key != "min_free_bytes" {
			file.Wrong("limits."+key, fmt.Sprintf("%d is negative", v),
				"write a positive number, or leave it out for its default")
		}
	}
	if r := f.Tracing.SampleRatio; !(r >= 0 && r <= 1) {
		file.Wrong("tracing.sample_ratio", fmt.Sprintf("%v is not a ratio", r), "write a number between 0 and 1")
	}
	if p := f.ClickHouse.Protocol; p != "" {
		file.OneOf("clickhouse.protocol", "protocol", p, string(store.Native), string(store.HTTP))
	}
	for _, err := range []error{f.Retention.Check(), f.checkAsterisk(), f.checkPages(), f.checkPager()} {
		if err == nil {
			continue
		}
		// A section says "key: what is wrong; what would be right".
		key, found, _ := strings.Cut(err.Error(), ": ")
		found, remedy, _ := strings.Cut(found, "; ")
		file.Wrong(key, found, remedy)
	}
}

// The checks of the sections below also make their paths absolute.

func (f *File) checkAsterisk() error {
	if f.Asterisk == nil {
		return nil
	}
	f.Asterisk.QueueLog = f.path(f.Asterisk.QueueLog)
	if err := f.Asterisk.Check(); err != nil {
		return fmt.Errorf("asterisk.%w", err)
	}
	return nil
}

func (f *File) checkPages() error {
	cfg := f.Pages.links("http", DefaultListen, "")
	if err := cfg.Check(); err != nil {
		return fmt.Errorf("pages: %w", err)
	}
	return nil
}

func (f *File) checkPager() error {
	if !f.Pager.Set() {
		return nil
	}
	f.Pager.Resolve(f.path)
	if err := f.Pager.Check(); err != nil {
		return fmt.Errorf("pager.%w", err)
	}
	return nil
}

func readBounded(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxConfigBytes {
		return nil, fmt.Errorf("%s: %d bytes; a configuration file has at most %d", name, info.Size(), maxConfigBytes)
	}
	return os.ReadFile(name)
}

func (f *File) path(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(f.dir, name)
}

// LoadDirectory reads the directory that f names, else the embedded one.
func (f *File) LoadDirectory() (*directory.Directory, error) {
	if f.Directory == "" {
		return directory.Load("defaults/directory.yaml", []byte(deploy.Directory))
	}
	name := f.path(f.Directory)
	text, err := readBounded(name)
	if err != nil {
		return nil, err
	}
	return directory.Load(name, text)
}

// LoadBook reads policies and calendars: the embedded ones, each file of f in the place of the embedded one of its
// name.
func (f *File) LoadBook(dir *directory.Directory) (*sla.Book, error) {
	var files []sla.File
	taken := map[string]bool{}
	for _, name := range append(append([]string(nil), f.Policies...), f.Calendars...) {
		name = f.path(name)
		text, err := readBounded(name)
		if err != nil {
			return nil, err
		}
		taken[filepath.Base(name)] = true
		files = append(files, sla.File{Name: name, Data: text})
	}
	for _, folder := range []string{"defaults/policies", "defaults/calendars"} {
		entries, err := fs.ReadDir(deploy.Defaults, folder)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if taken[e.Name()] {
				continue
			}
			text, err := fs.ReadFile(deploy.Defaults, folder+"/"+e.Name())
			if err != nil {
				return nil, err
			}
			files = append(files, sla.File{Name: folder + "/" + e.Name(), Data: text})
		}
	}
	use := map[string]sla.Use{}
	var known sla.Known
	for _, c := range dir.Centers() {
		u := sla.Use{Calendar: c.Calendar}
		if c.Policy != "" {
			u.Profiles = []string{c.Policy}
		}
		use[c.Code] = u
		known.Centers = append(known.Centers, c.Code)
		for _, o := range dir.OPDs(c.Code) {
			known.OPDs = append(known.OPDs, o.ID)
		}
		for _, k := range dir.Categories(c.Code) {
			known.Categories = append(known.Categories, k.ID)
		}
	}
	return sla.Load(files, sla.Config{Default: use[dir.DefaultCenter()], Centers: use, Known: known})
}

// Check refuses what reading f alone does not show, without connecting to anything: how ClickHouse and Alertmanager are
// reached, and the files that this needs.
func (f *File) Check(ctx context.Context) error {
	if err := f.checkDoor(); err != nil {
		return err
	}
	if f.Pager.Set() {
		if err := f.Pager.CheckFiles(); err != nil {
			return fmt.Errorf("pager.%w", err)
		}
	}
	if f.ClickHouse.Address == "" {
		return nil
	}
	st, err := store.Open(ctx, f.ClickHouse.storeConfig(f)) // connects to nothing yet
	if err != nil {
		return err
	}
	return st.Close()
}

// storeConfig is the store's configuration for a ClickHouse server.
func (c *ClickHouse) storeConfig(f *File) store.Config {
	cfg := store.Config{
		Addr: c.Address, Protocol: store.Native, Database: c.Database, User: c.User, PasswordFile: f.path(c.PasswordFile),
		TLS: store.TLS{
			Enabled: c.TLS.Enabled, CAFile: f.path(c.TLS.CAFile), CertFile: f.path(c.TLS.CertFile),
			KeyFile: f.path(c.TLS.KeyFile), ServerName: c.TLS.ServerName,
		},
	}
	if c.Protocol != "" {
		cfg.Protocol = store.Protocol(c.Protocol)
	}
	return cfg
}

func (c *Config) setDefaults() error {
	if c.DataDir == "" {
		return errors.New("no data folder: name one with --data")
	}
	dir, err := filepath.Abs(c.DataDir)
	if err != nil {
		return fmt.Errorf("data folder %s: %w", c.DataDir, err)
	}
	c.DataDir = dir
	if c.Listen == "" {
		c.Listen = DefaultListen
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = faultpoint.Now
	}
	return nil
}
