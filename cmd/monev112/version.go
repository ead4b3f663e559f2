package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set at release by the linker.
var version = "0.1.0-dev"

// build says what runs: version, revision and Go's version.
func build() (v, revision, goVersion string) {
	revision = "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	return version, revision, runtime.Version()
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, revision, goVersion := build()
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "monev112 %s (revision %s, %s)\n", v, revision, goVersion)
			return err
		},
	}
}
