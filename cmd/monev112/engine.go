package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector/engine"
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
		Short: "Run the embedded ClickHouse alone",
		Long: `engine serves the embedded ClickHouse over ClickHouse's HTTP interface. Whoever does not know its key (a file in the
data folder) may only read, within limits.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := f.logger()
			if err != nil {
				return err
			}
			return server.Run(cmd.Context(),
				server.Config{Options: server.Options{DataDir: data, MaxMemoryBytes: memory, Log: log}, Listen: listen})
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&data, "data", filepath.Join("data", "clickhouse"), "folder of the tables")
	cmd.Flags().StringVar(&listen, "listen", engine.DefaultListen, "address")
	cmd.Flags().Int64Var(&memory, "memory", 0, "bytes that all statements together may use (default 2 GiB)")
	cmd.AddCommand(&cobra.Command{
		Use:   "install",
		Short: "Bring the ClickHouse library into the user's cache folder, through the npm client",
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
		Short: "Print where the ClickHouse library of this version is, or what brings it",
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
