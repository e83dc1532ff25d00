package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/audit"
)

func newAuditExport(a *app) *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "export [FILE]",
		Short: "Write the whole history as JSON lines",
		Long: `export writes runs, reports, findings and their history, as they are at one
moment, to a file or to standard output. Tokens are not in it, nor what is
queued.`,
		Example: `  postscan audit export history.jsonl
  postscan audit export --database sqlite:h.db |
    postscan audit import - --database postgres://postscan@db/postscan`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.history(cmd.Context(), &f)
			if err != nil {
				return err
			}
			defer s.Close()
			if len(args) == 0 || args[0] == "-" {
				return s.Export(cmd.Context(), a.env.Stdout)
			}
			return exportFile(cmd.Context(), s, args[0])
		},
	}
	f.define(cmd)
	return cmd
}

// exportFile writes the history beside the file and then puts it in its place: half
// an export never has the name of a whole one.
func exportFile(ctx context.Context, s *audit.Store, name string) error {
	part := name + ".part"
	w, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	err = errors.Join(s.Export(ctx, w), w.Sync(), w.Close())
	if err == nil {
		err = os.Rename(part, name)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write the export %s: %w", name, err), os.Remove(part))
	}
	return nil
}

func newAuditImport(a *app) *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Read an export into an empty database",
		Long: `import reads what export wrote, "-" from standard input: all of it, or nothing.
The database must hold no history yet.`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := a.env.Stdin
			if args[0] != "-" {
				file, err := os.Open(args[0])
				if err != nil {
					return fmt.Errorf("read the export: %w", err)
				}
				defer func() { _ = file.Close() }() // it was only read
				in = file
			}
			s, err := a.history(cmd.Context(), &f)
			if err != nil {
				return err
			}
			defer s.Close()
			n, err := s.Import(cmd.Context(), in)
			if err != nil {
				return fmt.Errorf("import %s: %w", args[0], err)
			}
			_, err = fmt.Fprintf(a.env.Stdout, "imported %s\n", plural(n, "row"))
			return err
		},
	}
	f.define(cmd)
	return cmd
}

func newAuditNotify(a *app) *cobra.Command {
	cmd := &cobra.Command{Use: "notify", Short: "See whether notifications arrive", RunE: needCommand}
	cmd.AddCommand(&cobra.Command{
		Use:   "test CHANNEL",
		Short: "Send a notification that says it is a test",
		Long: `test sends one made-up notification to a channel of the settings file, as it
would tell a real change.`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error { return a.testNotification(cmd.Context(), args[0]) },
	})
	return cmd
}

func (a *app) testNotification(ctx context.Context, channel string) error {
	c, file, err := a.auditConfig()
	if err != nil {
		return err
	}
	n := audit.NewNotifier(c.Notifications, a.env.Getenv, http.DefaultTransport)
	if n.Channels[channel] == nil {
		return usage(fmt.Errorf("%s lists no notification %q", file, channel))
	}
	err = n.Send(ctx, &audit.Notification{
		Key: "test/" + uuid.NewString(), Audit: "test", Channel: channel, Counts: audit.Counts{Critical: 1, New: 1},
		Changes: []audit.ChangedFinding{{Change: audit.ChangeNew, Severity: scanner.SeverityCritical, Check: "PS-TEST", Title: "This is a test", Target: "test", Resource: "test", Message: "nothing was found; somebody sees whether notifications arrive"}},
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.env.Stdout, "sent to %s\n", channel)
	return err
}
