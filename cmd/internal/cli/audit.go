package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/audit"
	"github.com/postscan/postscan/scanner/report"
)

// auditSetting says whether a key of the settings file belongs to audits.
func auditSetting(key string) bool { return key == "audits" || key == "notifications" }

// auditFlags say where the history is.
type auditFlags struct {
	database string
}

func (f *auditFlags) define(cmd *cobra.Command) {
	addFlags(cmd, "History", func(fs *pflag.FlagSet) {
		fs.StringVar(&f.database, "database", "", "keep the history in this `DATABASE`: sqlite:FILE or postgres://USER@HOST/NAME (default: a file in the user's state folder)")
	})
}

func newAudit(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Scan on a schedule, keep the history, tell what changed",
		Long: `audit runs the scans that the settings file lists under "audits", keeps what
they found in a database, and tells what is new, fixed or open again. What could
not be scanned is stale since then, never clean.`,
		RunE: needCommand,
	}
	cmd.AddCommand(newAuditCheck(a), newAuditRun(a), newAuditServe(a), newAuditWork(a), newAuditHistory(a), newAuditShow(a), newAuditDiff(a),
		newAuditPrune(a), newAuditToken(a), newAuditExport(a), newAuditImport(a), newAuditNotify(a))
	return cmd
}

// auditConfig reads the audits of the settings file.
func (a *app) auditConfig() (*audit.Config, string, error) {
	file := a.configFile
	if file == "" {
		file = defaultConfig
	}
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && a.configFile == "" {
		return nil, "", usageHint(errors.New("there is no postscan.yaml here that lists audits"), "give one with --config FILE")
	}
	if err != nil {
		return nil, "", usage(fmt.Errorf("read the audits: %w", err))
	}
	c, err := audit.ReadConfig(b)
	if err != nil {
		return nil, "", usage(fmt.Errorf("%s: %w", file, err))
	}
	return c, file, nil
}

// history opens the database.
func (a *app) history(ctx context.Context, f *auditFlags) (*audit.Store, error) {
	name := f.database
	if name == "" {
		dir, err := a.stateDir()
		if err != nil {
			return nil, err
		}
		name = "sqlite:" + filepath.Join(dir, "history.db")
	}
	return audit.Open(ctx, name, audit.Options{
		Encode: func(w io.Writer, r *scanner.Report) error { return report.JSON(w, r, report.Options{}) },
		Decode: report.Read, Now: a.env.Now, Log: a.log,
	})
}

// stateDir is where the XDG base directories put what lasts.
func (a *app) stateDir() (string, error) {
	if dir := a.env.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "postscan"), nil
	}
	home := a.env.Getenv("HOME")
	if home == "" {
		return "", usageHint(errors.New("there is no home folder to keep the history in"), "say where with --database sqlite:FILE")
	}
	return filepath.Join(home, ".local", "state", "postscan"), nil
}

func newAuditCheck(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Validate the audits of the settings file",
		Long: `check reads the audits and notifications of the settings file and says, line by
line, what is wrong with them.`,
		Args: arguments(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			c, file, err := a.auditConfig()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.env.Stdout, "%s: %d audits and %d notifications, nothing wrong\n", file, len(c.Audits), len(c.Notifications))
			return err
		},
	}
}

func newAuditRun(a *app) *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "run NAME",
		Short: "Run one audit now and keep what it finds",
		Long: `run scans the target of one audit here and now, without a server, and adds the
result to the history. Where another such run of the audit goes on, it waits for
its end.`,
		Example: `  postscan audit run web --config postscan.yaml`,
		Args:    arguments(cobra.ExactArgs(1)),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.runAudit(cmd.Context(), &f, args[0]) },
	}
	f.define(cmd)
	return cmd
}

func (a *app) runAudit(ctx context.Context, f *auditFlags, name string) error {
	c, file, err := a.auditConfig()
	if err != nil {
		return err
	}
	known := false
	for i := range c.Audits {
		known = known || c.Audits[i].Name == name
	}
	if !known {
		return usage(fmt.Errorf("%s lists no audit %q", file, name))
	}
	s, err := a.history(ctx, f)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Configure(ctx, c.Audits); err != nil {
		return err
	}
	if err := s.Recover(ctx); err != nil {
		return err
	}
	run, err := s.Begin(ctx, name, audit.CauseDirect)
	if err != nil {
		return err
	}
	runner := &auditRunner{app: a, config: file}
	rep, err := s.Scan(ctx, run, func(ctx context.Context, target *audit.Audit) (*scanner.Report, error) {
		waits := func() { a.log.Warn("another run of this audit goes on; this one waits for its end", "audit", name) }
		if err := s.Turn(ctx, run, waits); err != nil {
			return nil, err
		}
		return runner.Scan(ctx, target)
	})
	end := context.WithoutCancel(ctx)
	switch {
	case ctx.Err() != nil:
		return errors.Join(s.Fail(end, run.ID, errors.New("interrupted")), ctx.Err())
	case rep == nil:
		return errors.Join(err, s.Fail(end, run.ID, err))
	}
	if err := s.Record(end, run.ID, rep); err != nil {
		return err
	}
	if run, err = s.Run(end, run.ID); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(a.env.Stdout, sentence(run)); err != nil {
		return err
	}
	if err := s.SendOf(ctx, run.ID, audit.NewNotifier(c.Notifications, a.env.Getenv, http.DefaultTransport).Send); err != nil {
		return fmt.Errorf("the run is stored, but not everybody was told of it; a server will try again: %w", err)
	}
	if n := run.Counts.Stale; n > 0 {
		return fmt.Errorf("%s could not be scanned; what the history shows of it is of an earlier run", plural(n, "target"))
	}
	return nil
}

// sentence tells a run in one line.
func sentence(r *audit.Run) string {
	if r.State != audit.Done {
		return fmt.Sprintf("run %s of %s: %s: %s", r.ID, r.Audit, r.State, r.Reason)
	}
	c := r.Counts
	text := fmt.Sprintf("run %s of %s: %d new, %d fixed, %d reopened; open: %d critical, %d high, %d medium, %d low", r.ID, r.Audit, c.New, c.Fixed, c.Reopened, c.Critical, c.High, c.Medium, c.Low)
	if c.Unknown > 0 {
		text += fmt.Sprintf("; %d unknown", c.Unknown)
	}
	if c.Stale > 0 {
		text += "; " + plural(c.Stale, "target") + " could not be scanned"
	}
	return text
}

func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.DateTime)
}
