package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postscan/postscan/scanner/audit"
)

func newAuditShow(a *app) *cobra.Command {
	var f auditFlags
	var out outputFlags
	cmd := &cobra.Command{
		Use:     "show RUN",
		Short:   "Write the report of a run, in any format",
		Example: `  postscan audit show 01a20971-fd69-7d6b-90d5-1181011c2fac -o html=run.html`,
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.history(cmd.Context(), &f)
			if err != nil {
				return err
			}
			defer s.Close()
			rep, err := s.Report(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			files, err := out.open()
			if err != nil {
				return err
			}
			defer files.abort()
			return files.write(a.env, rep)
		},
	}
	f.define(cmd)
	addFlags(cmd, "Report", func(fs *pflag.FlagSet) { out.define(fs) })
	return cmd
}

// diffFlags say between which moments.
type diffFlags struct {
	audit  auditFlags
	since  string
	name   string
	format string
}

func newAuditDiff(a *app) *cobra.Command {
	var f diffFlags
	cmd := &cobra.Command{
		Use:   "diff [RUN RUN]",
		Short: "Tell what changed between two runs, or since a time",
		Long: `diff tells which findings are new, fixed, open again, or of another severity, by
their fingerprints: between two runs of one audit, or of all audits since a
time.`,
		Example: `  postscan audit diff --since 7d
  postscan audit diff --since 2026-11-01 --audit web -o json`,
		Args: arguments(func(_ *cobra.Command, args []string) error {
			if len(args) != 0 && len(args) != 2 || (len(args) == 0) == (f.since == "") {
				return errors.New("name two runs, or give --since")
			}
			return nil
		}),
		RunE: func(cmd *cobra.Command, args []string) error { return a.auditDiff(cmd.Context(), &f, args) },
	}
	f.audit.define(cmd)
	addFlags(cmd, outputHeading, func(fs *pflag.FlagSet) {
		fs.StringVar(&f.since, "since", "", "what changed since this `TIME`: 7d, 36h, or 2026-11-01")
		fs.StringVar(&f.name, "audit", "", "only of this `AUDIT`")
		fs.StringVarP(&f.format, "output", "o", "table", "write it as `FORMAT`: table, markdown or json")
	})
	return cmd
}

// since reads "7d", "36h" or a date.
func since(text string, now time.Time) (time.Time, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n < 100_000 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usage(fmt.Errorf("--since %s: write 7d, 36h, 2026-11-01 or 2026-11-01T08:00:00Z", text))
}

func (a *app) auditDiff(ctx context.Context, f *diffFlags, args []string) error {
	if f.format != "table" && f.format != "json" && f.format != "markdown" {
		return usage(fmt.Errorf("-o %s: a difference is written as table, markdown or json", f.format))
	}
	s, err := a.history(ctx, &f.audit)
	if err != nil {
		return err
	}
	defer s.Close()
	name, to := f.name, a.env.Now()
	var from time.Time
	if f.since != "" {
		if from, err = since(f.since, to); err != nil {
			return err
		}
	} else if name, from, to, err = between(ctx, s, args[0], args[1]); err != nil {
		return err
	}
	d, err := s.Diff(ctx, name, from, to)
	if err != nil {
		return err
	}
	switch f.format {
	case "json":
		enc := json.NewEncoder(a.env.Stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(d)
	case "markdown":
		return writeDifference(a.env.Stdout, d, "## %s: %d\n\n", "- **%s** %s %s: %s (`%s`)\n")
	}
	return writeDifference(a.env.Stdout, d, "%s: %d\n", "  %-8s %s  %s: %s (%s)\n")
}

// between finds the moments at which two runs of one audit ended, the earlier first.
func between(ctx context.Context, s *audit.Store, one, other string) (name string, from, to time.Time, err error) {
	x, err := s.Run(ctx, one)
	if err != nil {
		return "", from, to, err
	}
	y, err := s.Run(ctx, other)
	switch {
	case err != nil:
		return "", from, to, err
	case x.Audit != y.Audit:
		return "", from, to, usage(fmt.Errorf("the runs are of two audits, %s and %s", x.Audit, y.Audit))
	case x.State != audit.Done || y.State != audit.Done:
		return "", from, to, usage(errors.New("both runs must be done"))
	}
	if y.Finished.Before(x.Finished) {
		x, y = y, x
	}
	return x.Audit, x.Finished, y.Finished, nil
}

func writeDifference(w io.Writer, d *audit.Difference, heading, line string) error {
	var b strings.Builder
	for _, part := range []struct {
		title string
		list  []audit.Finding
	}{{"New", d.New}, {"Reopened", d.Reopened}, {"Another severity", d.Changed}, {"Fixed", d.Fixed}} {
		fmt.Fprintf(&b, heading, part.title, len(part.list))
		for i := range part.list {
			f := &part.list[i]
			fmt.Fprintf(&b, line, f.Severity, f.Check, oneLine(f.Resource), oneLine(f.Message), oneLine(f.Target.Ref))
		}
	}
	if d.More {
		b.WriteString("There were more than are listed.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// oneLine keeps text from a report from breaking lines or moving the cursor.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

func newAuditPrune(a *app) *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Remove runs and reports that the audits' retention does not keep",
		Long: `prune removes old runs and reports. The history of findings stays, and so does
the last whole report on every target.`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, _, err := a.auditConfig()
			if err != nil {
				return err
			}
			s, err := a.history(cmd.Context(), &f)
			if err != nil {
				return err
			}
			defer s.Close()
			p, err := s.Prune(cmd.Context(), c.Audits)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.env.Stdout, "removed %s and %s\n", plural(p.Runs, "run"), plural(p.Documents, "report"))
			return err
		},
	}
	f.define(cmd)
	return cmd
}

func newAuditToken(a *app) *cobra.Command {
	cmd := &cobra.Command{Use: "token", Short: "Make, list and revoke tokens for the server", RunE: needCommand}
	cmd.AddCommand(newTokenCreate(a), newTokenList(a), newTokenRevoke(a))
	return cmd
}

func newTokenCreate(a *app) *cobra.Command {
	var f auditFlags
	var role, name string
	var life time.Duration
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a token and print it, this once",
		Long: `create prints a new token. A viewer looks, an operator may also start runs, and
an upload token adds reports to one audit and does nothing else.`,
		Example: `  postscan audit token create anna --role viewer --expires 720h
  postscan audit token create cron --role upload --audit prod-cluster`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.history(cmd.Context(), &f)
			if err != nil {
				return err
			}
			defer s.Close()
			_, secret, err := s.NewToken(cmd.Context(), args[0], audit.Role(role), name, life)
			if err != nil {
				return usage(err)
			}
			_, err = fmt.Fprintln(a.env.Stdout, secret)
			return err
		},
	}
	f.define(cmd)
	addFlags(cmd, "Token", func(fs *pflag.FlagSet) {
		fs.StringVar(&role, "role", string(audit.Viewer), "let it do what this `ROLE` may: viewer, operator or upload")
		fs.StringVar(&name, "audit", "", "the `AUDIT` that an upload token is for")
		fs.DurationVar(&life, "expires", 0, "end it after this `TIME` (default never)")
	})
	return cmd
}

func newTokenList(a *app) *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the tokens, never their secrets",
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.history(cmd.Context(), &f)
			if err != nil {
				return err
			}
			defer s.Close()
			all, err := s.Tokens(cmd.Context())
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(a.env.Stdout, 0, 4, 2, ' ', 0)
			_, _ = fmt.Fprintln(w, "TOKEN\tNAME\tROLE\tAUDIT\tCREATED\tEXPIRES\tUSED\tREVOKED") // the flush reports errors
			for _, t := range all {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, oneLine(t.Name), t.Role, t.Audit, when(t.Created), when(t.Expires), when(t.Used), when(t.Revoked)) // likewise
			}
			return w.Flush()
		},
	}
	f.define(cmd)
	return cmd
}

func newTokenRevoke(a *app) *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "revoke TOKEN",
		Short: "End a token, by the id that list shows",
		Args:  arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.history(cmd.Context(), &f)
			if err != nil {
				return err
			}
			defer s.Close()
			return s.Revoke(cmd.Context(), args[0])
		},
	}
	f.define(cmd)
	return cmd
}
