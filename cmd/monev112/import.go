package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector/source/importer"
	"github.com/monev112/monev112/collector/source/mapping"
	"github.com/monev112/monev112/collector/source/send"
	"github.com/monev112/monev112/deploy"
)

// sendFlags say where events are sent.
type sendFlags struct{ server, keyFile string }

func (f *sendFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.server, "server", "http://127.0.0.1:8112", "address of the collector")
	cmd.Flags().StringVar(&f.keyFile, "key-file", "", "file with the API key (default: the variable MONEV112_KEY, if set)")
}

func (f *sendFlags) key() (string, error) {
	if f.keyFile == "" {
		return os.Getenv("MONEV112_KEY"), nil
	}
	b, err := os.ReadFile(f.keyFile)
	if err != nil {
		return "", fmt.Errorf("read the API key: %w", err)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

// stateFolder is where imports of this user remember what they sent.
func stateFolder() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "monev112"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("%w; name a folder for what was sent with --state, or --state none", err)
	}
	return filepath.Join(home, ".local", "state", "monev112"), nil
}

// importMemory is beyond what memory is given back before it is asked for: about what 4 million remembered events take.
const importMemory = 3 << 29

func importCommand() *cobra.Command {
	var (
		f                             sendFlags
		named, rejects, state, config string
		dryRun, withdraw              bool
	)
	cmd := &cobra.Command{
		Use:   "import --mapping NAME FILE...",
		Short: "Send the rows of workbooks and CSV files as events",
		Long: `import reads workbooks (.xlsx) and CSV files (also .gz and .zst), turns their rows into events with a
mapping, and sends them to a collector. Importing a file again changes nothing. Rows that have changed since then are
sent as corrections. Refused rows are written to the rejects file with line and reason; the exit code is then 1.`,
		Args: func(_ *cobra.Command, files []string) error {
			if len(files) == 0 {
				return usagef("import: name at least one file")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, files []string) error {
			if named == "" {
				return usagef("import: --mapping is missing: a YAML file, or one of the built-in %v",
					mapping.Builtin(deploy.Defaults))
			}
			key, err := f.key()
			if err != nil {
				return err
			}
			_, dir, err := readDirectory(config)
			if err != nil {
				return err
			}
			switch state {
			case "none":
				state = ""
			case "":
				if state, err = stateFolder(); err != nil {
					return err
				}
			}
			m, err := mapping.Load(named, deploy.Defaults)
			if err != nil {
				return err
			}
			o := importer.Options{
				Mapping: m, Files: files, Rejects: rejects, State: state, Name: f.server, Directory: dir, Withdraw: withdraw,
				Out: os.Stderr, Terminal: onTerminal(os.Stderr),
			}
			if dryRun {
				o.Events = cmd.OutOrStdout()
			} else {
				client, err := send.New(send.Config{Server: f.server, Key: key})
				if err != nil {
					return err
				}
				defer client.Close()
				o.Collector = client
			}
			if debug.SetMemoryLimit(-1) == math.MaxInt64 { // GOMEMLIMIT is not set
				debug.SetMemoryLimit(importMemory)
			}
			_, err = importer.Import(cmd.Context(), o)
			if errors.Is(err, importer.ErrRefused) && rejects != "" {
				return fmt.Errorf("%w: see %s", err, rejects)
			}
			return err
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&named, "mapping", "", "mapping file, or the name of a built-in mapping")
	cmd.Flags().StringVar(&rejects, "rejects", "rejects.csv", "file for refused rows (mode 0600)")
	cmd.Flags().StringVar(&state, "state", "", "folder that records what was sent, needed for corrections; with "+
		"\"none\" changed rows are conflicts (default: monev112 in the user's state folder)")
	cmd.Flags().StringVar(&config, "config", "",
		"configuration file whose directory resolves names (default: the built-in directory)")
	cmd.Flags().BoolVar(&withdraw, "withdraw", false, "take back events of earlier imports, within the time of the "+
		"files, that no row gives any more; without it they are counted and named")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "send nothing; print the events")
	return cmd
}
