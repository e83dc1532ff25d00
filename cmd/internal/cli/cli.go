// Package cli is postscan's command line: the command tree, its flags, the
// wiring of collectors, policies and writers, and the exit codes.
//
// [Main] gets everything that it takes from outside in an [Env], so that tests
// run it in process. Settings come from flags, then from POSTSCAN_ variables,
// then from a postscan.yaml (settings.go). Each command is a function that
// returns a *cobra.Command; what several share stands in a file of its own:
// output.go (-o), scan.go (collect, judge, report), gate.go (--fail-on),
// imagesource.go (registries, sources, limits), database.go.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// Env is all that a run takes from outside.
type Env struct {
	Args           []string // without the program's name
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Environ        []string // "NAME=value"
	Now            func() time.Time
	Version        string // "v0.1.0"
}

// Getenv returns the variable's value, empty where it is not set.
func (e Env) Getenv(name string) string {
	value, _ := e.lookupEnv(name)
	return value
}

func (e Env) lookupEnv(name string) (string, bool) {
	for i := len(e.Environ) - 1; i >= 0; i-- { // the last one wins, as in os/exec
		if key, value, ok := strings.Cut(e.Environ[i], "="); ok && key == name {
			return value, true
		}
	}
	return "", false
}

// Main runs one command and returns the exit code.
func Main(ctx context.Context, env Env) int {
	a := &app{env: env}
	root := newRoot(a)
	root.SetArgs(env.Args)
	err := root.ExecuteContext(ctx)
	if err != nil && !a.started {
		err = usageHint(err, "see: "+root.Name()+" --help") // cobra's own: an unknown command, flag or argument
	}
	return a.exit(ctx, err)
}

// app is what the commands of one run share.
type app struct {
	env     Env
	log     *slog.Logger
	started bool // the arguments were understood

	configFile string
	quiet      bool
	verbose    bool
	logFormat  string
}

// newRoot builds the whole command tree. Nothing is read or loaded until a
// command runs, so that help is quick.
func newRoot(a *app) *cobra.Command {
	a.log = slog.New(slog.DiscardHandler)
	root := &cobra.Command{
		Use:   "postscan",
		Short: "How well are containers, VMs and clusters isolated, and what would break that isolation?",
		Long: `postscan looks at a target, judges what it sees by policies, and reports what
breaks the isolation of containers. What it could not see it calls unknown, with
the reason; it never counts as a pass.`,
		Example: `  postscan demo                           a first look, without any network
  postscan image nginx:latest             scan an image
  postscan image app.tar --fail-on high   exit 3 for findings of high or worse
  postscan checks explain PS-IMG-001      what a check looks at, and why`,
		Version:       a.env.Version,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return a.start(cmd)
		},
	}
	root.SetVersionTemplate("postscan {{.Version}}\n")
	root.SetIn(a.env.Stdin)
	root.SetOut(a.env.Stdout)
	root.SetErr(a.env.Stderr)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageHint(err, "see: "+cmd.CommandPath()+" --help")
	})
	setHelp(root)
	persistent := root.PersistentFlags()
	persistent.StringVar(&a.configFile, "config", "", "settings `FILE` (default: postscan.yaml here, where there is one)")
	persistent.BoolVarP(&a.quiet, "quiet", "q", false, "say nothing but errors on stderr")
	persistent.BoolVarP(&a.verbose, "verbose", "v", false, "tell on stderr what is done")
	persistent.StringVar(&a.logFormat, "log-format", "text", "log in this `FORMAT`: text or json (default text)")
	setGroup(persistent, "Global")

	root.AddGroup(&cobra.Group{ID: "scan", Title: "Scan:"}, &cobra.Group{ID: "look", Title: "Look up:"})
	for _, c := range []*cobra.Command{newDemo(a), newImage(a), newCluster(a), newManifests(a), newVM(a), newEngine(a), newEval(a)} {
		c.GroupID = "scan"
		root.AddCommand(c)
	}
	for _, c := range []*cobra.Command{newAudit(a), newReport(a), newWaivers(a), newChecks(a), newDB(a), newVersion(a)} {
		c.GroupID = "look"
		root.AddCommand(c)
	}
	root.RunE = needCommand
	return root
}

// Tree returns the command tree, for the generated reference.
func Tree() *cobra.Command {
	return newRoot(&app{env: Env{Now: time.Now, Stdout: io.Discard, Stderr: io.Discard}})
}

// start runs before every command, once the arguments are understood.
func (a *app) start(cmd *cobra.Command) error {
	if err := a.settings(cmd); err != nil {
		return err
	}
	if a.quiet && a.verbose {
		return usage(errors.New("--quiet and --verbose do not go together"))
	}
	log, err := newLogger(a.env.Stderr, a.logFormat, logLevel(a.quiet, a.verbose))
	if err != nil {
		return err
	}
	a.log = log
	a.started = true
	dropStartupPages() // before the policies are loaded
	return nil
}

// needCommand is what a command that only holds others does.
func needCommand(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		cmd.SuggestionsMinimumDistance = 2 // cobra's own default, which it sets for the root alone
		hint := "see: " + cmd.CommandPath() + " --help"
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			hint = "did you mean: " + cmd.CommandPath() + " " + near[0]
		}
		return usageHint(fmt.Errorf("unknown command %q for %q", args[0], cmd.CommandPath()), hint)
	}
	cmd.SetOut(cmd.ErrOrStderr())
	if err := cmd.Help(); err != nil {
		return err
	}
	return usage(errors.New("a command is missing"))
}
