package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/audit"
	"github.com/postscan/postscan/scanner/report"
)

// diffFlags say between which moments.
type diffFlags struct {
	audit auditFlags
	since string
	name  string
	out   outputFlags
}

func newAuditDiff(a *app) *cobra.Command {
	var f diffFlags
	cmd := &cobra.Command{
		Use:   "diff [RUN RUN]",
		Short: "Tell what changed between two runs, or since a time",
		Long: `diff tells which findings are new, fixed, open again, or of another severity, by
their fingerprints: between two runs of one audit, or of all audits since a
time. As table, markdown and json it lists the four; in another format it is a
report whose findings say how they changed.`,
		Example: `  postscan audit diff --since 7d
  postscan audit diff --since 2026-11-01 --audit web -o json
  postscan audit diff --since 24h -o table -o sarif=changes.sarif`,
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
		f.out.define(fs)
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
	files, err := f.out.open()
	if err != nil {
		return err
	}
	defer files.abort()
	if err := files.refuse("a difference is no bill of materials; write one with audit show RUN", "cyclonedx", "spdx"); err != nil {
		return err
	}
	s, err := a.history(ctx, &f.audit)
	if err != nil {
		return err
	}
	defer s.Close()
	name, to := f.name, a.env.Now()
	var from time.Time
	var start string
	if f.since != "" {
		if from, err = since(f.since, to); err != nil {
			return err
		}
		start = "the history"
	} else {
		if name, from, to, err = between(ctx, s, args[0], args[1]); err != nil {
			return err
		}
		start = "the run " + args[0]
	}
	if name != "" {
		if _, err := s.Audit(ctx, name); err != nil {
			return err
		}
	}
	d, err := s.Diff(ctx, name, from, to)
	if err != nil {
		return err
	}
	rep, err := s.DifferenceReport(ctx, d, start)
	if err != nil {
		return err
	}
	rep.Run.Version = a.env.Version
	files.instead(map[string]report.WriteFunc{
		"json": func(w io.Writer, _ *scanner.Report, _ report.Options) error {
			enc := json.NewEncoder(w)
			enc.SetIndent("", "  ")
			return enc.Encode(d)
		},
		"markdown": func(w io.Writer, _ *scanner.Report, o report.Options) error {
			return writeDifference(w, d, o, "## %s: %d\n\n", "- **%s** %s %s: %s (%s)\n", inline)
		},
		"table": func(w io.Writer, _ *scanner.Report, o report.Options) error {
			return writeDifference(w, d, o, "%s: %d\n", "  %-8s %s  %s: %s (%s)\n", oneLine)
		},
	})
	return files.write(a.env, rep)
}

// refuse takes back what was opened where a format is among those that cannot hold
// what there is to write.
func (o *outputs) refuse(why string, formats ...string) error {
	for _, out := range o.list {
		if slices.Contains(formats, out.format.Name) {
			return usage(fmt.Errorf("-o %s: %s", out.format.Name, why))
		}
	}
	return nil
}

// instead writes formats in another way than as a report.
func (o *outputs) instead(write map[string]report.WriteFunc) {
	for i := range o.list {
		if w := write[o.list[i].format.Name]; w != nil {
			o.list[i].format.Write = w
		}
	}
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

// writeDifference lists what changed. What is below the severity of the options is
// counted, not listed.
func writeDifference(w io.Writer, d *audit.Difference, o report.Options, heading, line string, safe func(string) string) error {
	var b strings.Builder
	for _, part := range []struct {
		title string
		list  []audit.Finding
	}{{"New", d.New}, {"Reopened", d.Reopened}, {"Another severity", d.Changed}, {"Fixed", d.Fixed}} {
		fmt.Fprintf(&b, heading, part.title, len(part.list))
		hidden := 0
		for i := range part.list {
			f := &part.list[i]
			if f.Severity < o.MinSeverity {
				hidden++
				continue
			}
			fmt.Fprintf(&b, line, f.Severity, f.Check, safe(f.Resource), safe(f.Message), safe(f.Target.Ref))
		}
		if hidden > 0 {
			fmt.Fprintf(&b, "  %d below %s are not listed\n", hidden, o.MinSeverity)
		}
		if heading[0] == '#' {
			b.WriteString("\n")
		}
	}
	if d.More {
		b.WriteString("There were more than are listed: the latest are. Narrow it with --audit or --since.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// oneLine keeps text from a report from breaking lines or moving the cursor.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == '\t' {
			return ' '
		}
		return r
	}, report.Clean(s))
}

// inline is text from a report as Markdown shows it: nothing of it is markup.
func inline(s string) string {
	return strings.NewReplacer("\\", "\\\\", "`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]", "<", "&lt;", ">", "&gt;", "|", "\\|", "#", "\\#", "@", "&#64;", "!", "\\!", "&", "&amp;").Replace(oneLine(s))
}
