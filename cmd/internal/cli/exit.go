package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// The exit codes, the same for every command and format.
const (
	exitDone        = 0
	exitFailed      = 1   // could not run, or a target without facts
	exitUsage       = 2   // the arguments make no sense
	exitFindings    = 3   // findings at or above --fail-on
	exitUnknown     = 4   // --fail-on depends on something unknown
	exitInterrupted = 130 // Ctrl-C
)

// usageError is a mistake in the arguments or settings.
type usageError struct {
	err  error
	hint string
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usage(err error) error { return usageHint(err, "") }

// usageHint adds what to do; a usage error keeps the hint that it has.
func usageHint(err error, hint string) error {
	var u *usageError
	if errors.As(err, &u) {
		return err
	}
	return &usageError{err: err, hint: hint}
}

// verdictError is the answer of the gate: the command did its work, and the
// exit code tells what it found.
type verdictError struct {
	code    int
	reasons []string
}

func (e *verdictError) Error() string { return strings.Join(e.reasons, "; ") }

// exit turns the error of a command into the exit code and tells it on stderr.
// It is the only place that decides a code.
func (a *app) exit(ctx context.Context, err error) int {
	var misuse *usageError
	var verdict *verdictError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(ctx.Err(), context.Canceled):
		a.say("interrupted")
		return exitInterrupted
	case errors.As(err, &misuse):
		a.say(misuse.Error())
		if misuse.hint != "" {
			a.say(misuse.hint)
		}
		return exitUsage
	case errors.As(err, &verdict):
		for _, r := range verdict.reasons {
			a.say(r)
		}
		return verdict.code
	default:
		a.say(err.Error())
		return exitFailed
	}
}

// say writes one message for the user to stderr.
func (a *app) say(text string) {
	_, _ = fmt.Fprintln(a.env.Stderr, "postscan: "+printable(text)) // stderr is the last resort
}

// printable keeps control characters, which names in errors may hold, off the
// terminal. Line breaks and tabs stay.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if (r < ' ' && r != '\n' && r != '\t') || (r >= 0x7f && r < 0xa0) {
			return '\uFFFD'
		}
		return r
	}, s)
}

// arguments makes the errors of a cobra argument check usage errors.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			written := cmd.CommandPath() + strings.TrimPrefix(cmd.Use, cmd.Name())
			return usageHint(fmt.Errorf("got %s; write it as: %s", plural(len(args), "argument"), written), "see: "+cmd.CommandPath()+" --help")
		}
		return nil
	}
}
