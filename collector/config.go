package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"time"

	"github.com/monev112/monev112/collector/alerting/delivery"
	"github.com/monev112/monev112/collector/alerting/pager"
	"github.com/monev112/monev112/collector/httpapi"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/internal/faultpoint"
	"github.com/monev112/monev112/collector/internal/yamlfile"
	"github.com/monev112/monev112/collector/monev/report"
	"github.com/monev112/monev112/collector/observability/telemetry"
	"github.com/monev112/monev112/collector/sla/rulefiles"
	"github.com/monev112/monev112/collector/source/asterisk"
	"github.com/monev112/monev112/collector/source/dropfolder"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/upkeep/retention"
	"github.com/monev112/monev112/collector/web"
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
	// ClickHouse says where ClickHouse is. Without an address the embedded engine runs as a child.
	ClickHouse store.Server `yaml:"clickhouse"`
	// Files name the directory, the policies and the calendars that take the place of the embedded ones.
	rulefiles.Files
	// Attributes are the keys of an event's data, beside the vocabulary, that are kept.
	Attributes []string `yaml:"attributes"`
	// AllowIDs are patterns of ids that look like a telephone number and are none.
	AllowIDs []string `yaml:"allow_ids"`
	// TLS is the certificate of the service; without one it speaks HTTP, and a proxy before it should speak TLS.
	TLS httpapi.CertificateFiles `yaml:"tls"`
	// TrustedProxies are the addresses or networks whose X-Forwarded-For is believed.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// MetricsNeedKey asks scrapers for a key with the scope board:read.
	MetricsNeedKey bool               `yaml:"metrics_need_key"`
	Tracing        telemetry.Settings `yaml:"tracing"`
	Limits         Limits             `yaml:"limits"`
	// Retention says how long personal data is kept.
	Retention retention.Policy   `yaml:"retention"`
	Drop      dropfolder.Folders `yaml:"drop"`    // folders whose files are imported
	Carries   ingest.Statements  `yaml:"carries"` // what sources send, where it is not everything
	// Pages says how telephones reach the pages behind the links of alerts.
	Pages web.Settings `yaml:"pages"`
	// Pager says which Alertmanagers are told of tickets.
	Pager    pager.Config    `yaml:"pager"`
	Delivery                 // how the service sends messages to people itself
	Report   report.Settings `yaml:"report"` // what is printed around the figures of the monthly report
	// Asterisk names the log of a telephone system that the service follows.
	Asterisk *asterisk.Config `yaml:"asterisk"`
}

// Delivery holds the sections whatsapp and telegram.
type Delivery = delivery.Settings

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

// ReadFile reads a configuration file strictly. The error is yamlfile.Problems: every mistake with its line.
func ReadFile(name string) (File, error) {
	text, err := rulefiles.Read(name)
	if err != nil {
		return File{}, err
	}
	var f File
	file, err := yamlfile.Read(name, text, rulefiles.MaxBytes, &f)
	if err != nil {
		return File{}, err
	}
	f.resolve(filepath.Dir(name))
	f.check(file)
	return f, file.Err()
}

// resolve makes the paths in the sections absolute: they are relative to dir.
func (f *File) resolve(dir string) {
	path := func(name string) string {
		if name == "" || filepath.IsAbs(name) {
			return name
		}
		return filepath.Join(dir, name)
	}
	f.Files.Resolve(path)
	f.ClickHouse.Resolve(path)
	f.TLS.Resolve(path)
	f.Pager.Resolve(path)
	f.Delivery.Resolve(path)
	f.Report.Resolve(path)
	f.Drop.Resolve(path)
	f.Asterisk.Resolve(path)
}

// check reports what each section shows to be wrong. It opens no file.
func (f *File) check(file *yamlfile.File) {
	limits := reflect.ValueOf(f.Limits)
	for i := range limits.NumField() {
		key, v := limits.Type().Field(i).Tag.Get("yaml"), limits.Field(i).Int()
		if v < 0 && key != "min_free_bytes" {
			file.Wrong("limits."+key, fmt.Sprintf("%d is negative", v),
				"write a positive number, or leave it out for its default")
		}
	}
	file.ReportSection("tracing.", f.Tracing.Check())
	file.ReportSection("clickhouse.", f.ClickHouse.Check())
	file.ReportSection("", f.Retention.Check())
	file.ReportSection("asterisk.", f.Asterisk.Check())
	file.ReportSection("pages: ", f.Pages.Check())
	file.ReportSection("pager.", f.Pager.Check())
	file.ReportSection("", f.Delivery.Check())
	file.ReportSection("report.", f.Report.Check())
	file.ReportSection("", f.Carries.Check())
}

// Check refuses what reading f alone does not show, without connecting to anything: how ClickHouse and Alertmanager are
// reached, and the files that this needs.
func (f *File) Check(ctx context.Context) error {
	if err := httpapi.CheckProxies(f.TrustedProxies); err != nil {
		return err
	}
	if err := f.TLS.CheckFiles(); err != nil {
		return err
	}
	if err := f.Pager.CheckFiles(); err != nil {
		return fmt.Errorf("pager.%w", err)
	}
	return errors.Join(f.Report.CheckFiles(), f.ClickHouse.CheckFiles(ctx))
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
