package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// BuildVersion returns the release's version where the linker set one, else what
// the Go toolchain stamped into the binary: a tag, or a pseudo-version with the
// commit; "(devel)" where it was built without the repository.
func BuildVersion(linked string) string {
	if linked != "" {
		return linked
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// versions is what the version command tells.
type versions struct {
	Version      string `json:"version"`
	PolicyDigest string `json:"policy_digest"`
	Checks       int    `json:"checks"`
	Facts        string `json:"facts_schema"`
	Report       string `json:"report_schema"`
	Go           string `json:"go"`
	Platform     string `json:"platform"`
}

func newVersion(a *app) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Show the version and the digest of the policies",
		Args:  arguments(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			cat, err := checks.Load(checks.BuiltIn())
			if err != nil {
				return err
			}
			v := versions{
				Version: a.env.Version, PolicyDigest: "sha256:" + cat.Digest(), Checks: len(cat.All()),
				Facts: facts.Schema, Report: scanner.ReportSchema,
				Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
			}
			return show(a.env.Stdout, format, v, func() error {
				_, err := fmt.Fprintf(a.env.Stdout, "postscan %s\npolicies %s (%d checks)\nfacts    %s\nreport   %s\nbuilt    %s %s\n",
					v.Version, v.PolicyDigest, v.Checks, v.Facts, v.Report, v.Go, v.Platform)
				return err
			})
		},
	}
	addFlags(cmd, outputHeading, func(fs *pflag.FlagSet) { defineTextOrJSON(fs, &format) })
	return cmd
}

// defineTextOrJSON adds the -o of commands that show something other than a report.
func defineTextOrJSON(fs *pflag.FlagSet, format *string) {
	fs.StringVarP(format, "output", "o", "text", "show it in this `FORMAT`: text or json (default text)")
}

// show writes a value as JSON, or as text by the function given.
func show(w io.Writer, format string, value any, text func() error) error {
	switch format {
	case "text":
		return text()
	case "json":
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(value)
	default:
		return usage(fmt.Errorf("-o %s: use text or json", format))
	}
}
