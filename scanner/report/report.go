// Package report writes a [scanner.Report] in the formats that people and
// machines read. One file holds one format; each is a function of the report
// alone, so that the format of a saved report can be changed later and gives
// the same bytes.
//
// JSON is the report itself: [JSON] writes it as a stream, [Read] reads it back.
package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/postscan/postscan/scanner"
)

// A WriteFunc writes a whole report in one format. The error is w's.
type WriteFunc func(w io.Writer, r *scanner.Report, o Options) error

// Options say how a report is shown. They never change what a machine-readable
// format holds.
type Options struct {
	// MinSeverity hides findings below it from formats made for people, which
	// say how many they hide. The zero value shows all.
	MinSeverity scanner.Severity
	// Color allows colour and bold.
	Color bool
	// Width is the number of columns of the terminal; 0 means 80.
	Width int
}

// Format is a format with the name that -o takes.
type Format struct {
	Name string
	// About is one line for the help text.
	About string
	Write WriteFunc
}

// Formats lists every format, the default first.
func Formats() []Format {
	return []Format{
		{Name: "table", About: "for people: worst first, repeated things folded", Write: Table},
		{Name: "json", About: "the whole report, schema " + scanner.ReportSchema, Write: JSON},
		{Name: "sarif", About: "SARIF 2.1.0 for code scanning", Write: SARIF},
		{Name: "junit", About: "JUnit XML for CI dashboards", Write: JUnit},
		{Name: "markdown", About: "a comment for a pull request", Write: Markdown},
		{Name: "html", About: "one page for people, self-contained", Write: HTML},
		{Name: "cyclonedx", About: "CycloneDX 1.6 SBOM with vulnerabilities", Write: CycloneDX},
		{Name: "spdx", About: "SPDX 2.3 SBOM with vulnerabilities", Write: SPDX},
		{Name: "csv", About: "a line per finding", Write: CSV},
		{Name: "gitlab", About: "GitLab container scanning, of images", Write: GitLab},
		{Name: "gitlab-codequality", About: "GitLab code quality, of every target", Write: GitLabCodeQuality},
		{Name: "github", About: "annotations of GitHub Actions", Write: GitHub},
	}
}

// Lookup finds a format by name. The error names the ones that exist.
func Lookup(name string) (Format, error) {
	names := make([]string, 0, 8)
	for _, f := range Formats() {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return Format{}, fmt.Errorf("format %q: use one of %s", name, strings.Join(names, ", "))
}
