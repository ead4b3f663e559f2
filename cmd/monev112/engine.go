package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector/engine"
	"github.com/monev112/monev112/collector/engine/filepages"
	"github.com/monev112/monev112/collector/engine/install"
	"github.com/monev112/monev112/collector/engine/server"
)

func engineCommand() *cobra.Command {
	var (
		f            logFlags
		data, listen string
		memory       int64
	)
	cmd := &cobra.Command{
		Use:   "engine",
		Short: "Run only the embedded ClickHouse",
		Long: `engine runs the embedded ClickHouse with ClickHouse's HTTP interface. Clients without its key (a file in
the data folder) may only read, within limits.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := f.logger()
			if err != nil {
				return err
			}
			go filepages.UnmapAfterStart(cmd.Context(), log)
			return server.Run(cmd.Context(),
				server.Config{Options: server.Options{DataDir: data, MaxMemoryBytes: memory, Log: log}, Listen: listen})
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&data, "data", filepath.Join("data", "clickhouse"), "folder of the tables")
	cmd.Flags().StringVar(&listen, "listen", engine.DefaultListen, "address to listen on")
	cmd.Flags().Int64Var(&memory, "memory", 0, "memory for all statements together, in bytes (default 2 GiB)")
	cmd.AddCommand(&cobra.Command{
		Use:   "install",
		Short: "Download the ClickHouse library into the user's cache folder, with npm",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := install.Fetch(cmd.Context(),
				install.Options{Progress: func(step string) { fmt.Fprintln(os.Stderr, step) }})
			if err == nil {
				_, err = fmt.Fprintln(cmd.OutOrStdout(), path)
			}
			return err
		},
	}, &cobra.Command{
		Use:   "path",
		Short: "Print where the ClickHouse library of this version is, or how to install it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := install.Find()
			if err == nil {
				_, err = fmt.Fprintln(cmd.OutOrStdout(), path)
			}
			return err
		},
	})
	return cmd
}
