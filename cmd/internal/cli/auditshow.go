package cli

import (
	"fmt"
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
