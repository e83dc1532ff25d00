package cli

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postscan/postscan/scanner/report"
)

func newReport(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Work with saved reports",
		RunE:  needCommand,
	}
	cmd.AddCommand(newConvert(a))
	return cmd
}

func newConvert(a *app) *cobra.Command {
	var f outputFlags
	cmd := &cobra.Command{
		Use:   "convert REPORT",
		Short: "Write a saved JSON report in other formats",
		Long: `convert reads a report that -o json wrote and writes it in any format, with the
same bytes as the scan would have written. "-" reads stdin. The formats are:

` + formatTable(),
		Example: `  postscan report convert report.json
  postscan report convert report.json -o json=copy.json -o table`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := readInput(a.env, args[0])
			if err != nil {
				return err
			}
			defer func() { _ = in.Close() }() // it was only read
			rep, err := report.Read(untilDone(cmd.Context(), in))
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			out, err := f.open()
			if err != nil {
				return err
			}
			defer out.abort()
			return a.writeReport(cmd.Context(), out, rep)
		},
	}
	addFlags(cmd, "Report", func(fs *pflag.FlagSet) { f.define(fs) })
	return cmd
}
