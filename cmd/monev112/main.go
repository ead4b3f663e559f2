// Command monev112 measures an emergency call centre: it takes call and ticket events in, keeps them in ClickHouse, and
// shows response times to Prometheus. Each subcommand has a file of its own; `monev112 help` lists them.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // calendars need their time zones on machines that have none

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// Exit codes.
const (
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// run is main without the process around it.
func run(ctx context.Context, args []string) int {
	root := rootCommand()
	root.SetArgs(args)
	ran := false
	root.PersistentPreRun = func(*cobra.Command, []string) { ran = true }
	err := root.ExecuteContext(ctx)
	var usage *usageError
	switch {
	case err == nil:
		return 0
	case !ran || errors.As(err, &usage):
		fmt.Fprintf(os.Stderr, "monev112: %v\nRun 'monev112 help' for usage.\n", err)
		return exitUsage
	default:
		fmt.Fprintf(os.Stderr, "monev112: %v\n", err)
		return exitFailure
	}
}

// usageError is a mistake in how a command was called.
type usageError struct{ error }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "monev112",
		Short:         "Response times of an emergency call centre, from the first ring to the closed ticket",
		SilenceUsage:  true,
		SilenceErrors: true,
		CompletionOptions: cobra.CompletionOptions{
			HiddenDefaultCmd: true,
		},
	}
	root.AddCommand(
		serveCommand(), engineCommand(), demoCommand(), importCommand(), withdrawCommand(), mapCommand(), followCommand(),
		simulateCommand(), initCommand(), linkCommand(), checkCommand(), rebuildCommand(), freezeCommand(), reportCommand(),
		journalCommand(), backupCommand(), restoreCommand(), rtlCommand(), monevDataCommand(), kendalaCommand(),
		numberCommand(), retentionCommand(), keyCommand(), callerKeyCommand(), linkKeyCommand(),
		alertmanagerConfigCommand(), whatsappCommand(), telegramCommand(), healthcheckCommand(), versionCommand(),
	)
	return root
}

// onTerminal reports whether f is a terminal, at whose other end a person may be.
func onTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
