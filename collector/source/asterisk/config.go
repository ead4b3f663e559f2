package asterisk

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/yamlfile"
)

// FolderName is the name, in the data folder, of the folder for the place in the log that the service follows.
const FolderName = "asterisk"

// Config says which log is read and how its names become codes. It is a section of the configuration file.
type Config struct {
	// QueueLog is the file, usually /var/log/asterisk/queue_log.
	QueueLog string `yaml:"queue_log"`
	// Source is the CloudEvents source of the events; default DefaultSource. Two telephone systems have two sources.
	Source string `yaml:"source"`
	// Center is the code of the centre; empty for the collector's default centre.
	Center string `yaml:"center"`
	// Feed is the id under which the feed reports that it is alive; default DefaultFeed.
	Feed string `yaml:"feed"`
	// Timezone is that of the telephone server, in which a database's queue_log has its times; default DefaultTimezone.
	Timezone yamlfile.Zone `yaml:"timezone"`
	// Agents gives the code of an agent for each name or interface that the log has of them: "Budi Santoso": p07.
	Agents map[string]string `yaml:"agents"`
	// Positions gives the position (desk) for an agent's name, interface or code: "SIP/101": meja-3.
	Positions map[string]string `yaml:"positions"`
}

// What a Config without source or feed gets.
const (
	DefaultSource   = "asterisk"
	DefaultFeed     = "asterisk"
	DefaultTimezone = "Asia/Jakarta"
)

// WithDefaults returns c with the fields filled that have a default.
func (c Config) WithDefaults() Config {
	c.Source, c.Feed = cmp.Or(c.Source, DefaultSource), cmp.Or(c.Feed, DefaultFeed)
	return c
}

// zone is the location of Timezone.
func (c Config) zone() (*time.Location, error) {
	if c.Timezone.Location != nil {
		return c.Timezone.Location, nil
	}
	return time.LoadLocation(DefaultTimezone)
}

// Resolve makes the paths of c absolute; nil has none.
func (c *Config) Resolve(path func(string) string) {
	if c != nil {
		c.QueueLog = path(c.QueueLog)
	}
}

// Check tells the first mistake, with the field and what would be right. It touches no file. A section that is not
// there is right.
func (c *Config) Check() error {
	if c == nil {
		return nil
	}
	if c.QueueLog == "" {
		return fmt.Errorf("queue_log: name the file, usually /var/log/asterisk/queue_log")
	}
	if filepath.Base(c.QueueLog) == "." || strings.HasSuffix(c.QueueLog, "/") {
		return fmt.Errorf("queue_log: %q is a folder; name the file in it", c.QueueLog)
	}
	for _, f := range []struct {
		name, value string
		most        int
	}{{"source", c.Source, 128}, {"center", c.Center, 64}, {"feed", c.Feed, 64}} {
		if len(f.value) > f.most || strings.ContainsFunc(f.value, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return fmt.Errorf("%s: %q; at most %d printable ASCII characters without spaces", f.name, f.value, f.most)
		}
	}
	for name, code := range c.Agents {
		if name == "" || code == "" || !event.KeepsAgent(code) {
			return fmt.Errorf("agents: %q: %q; a code has at most 64 letters, digits and . _ @ / - and is never a personal "+
				"name or a telephone number", name, code)
		}
	}
	for name, position := range c.Positions {
		if name == "" || position == "" || !event.KeepsLabel(position) {
			return fmt.Errorf("positions: %q: %q; a position has at most 40 letters, digits and . _ / -, "+
				"or is a word and a number: meja-3, Meja 3", name, position)
		}
	}
	return nil
}

// codeLike reports whether s has the form of an agent that the collector accepts.
func codeLike(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	return !strings.ContainsFunc(s, func(c rune) bool {
		return (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && !strings.ContainsRune("._@/-", c)
	})
}

// HeartbeatEvery is how often a feed that has read everything says so.
const HeartbeatEvery = 30 * time.Second
