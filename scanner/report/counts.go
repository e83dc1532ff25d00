package report

import (
	"fmt"
	"strings"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// severities lists them worst first.
func severities() []scanner.Severity {
	return []scanner.Severity{
		scanner.SeverityCritical, scanner.SeverityHigh, scanner.SeverityMedium,
		scanner.SeverityLow, scanner.SeverityInfo, scanner.SeverityUnknown,
	}
}

// countLine says how many findings there are: "3 findings: 1 critical, 2 low".
func countLine(r *scanner.Report) string {
	var parts []string
	for _, s := range severities() {
		if n := r.Summary.BySeverity[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	line := plural(r.Summary.Findings, "finding")
	if len(parts) > 0 {
		line += ": " + strings.Join(parts, ", ")
	}
	return line
}

// unseenLines has a line for each reason why something is unknown, with the
// checks and the number of resources that it concerns. What was not meant to be
// looked at is not in it.
func unseenLines(r *scanner.Report) []string {
	var lines []string
	for _, g := range foldGaps(r.Gaps) {
		if g.status != facts.Unknown {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s (%s; %s)", g.reason, strings.Join(g.checks, ", "), plural(len(g.resources), "resource")))
	}
	return lines
}

// plural is "1 finding", "2 findings".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// fileLine is the file of a finding, with the line where it is known.
func fileLine(f *scanner.Finding) string {
	if f.Origin.File == "" || f.Origin.Line == 0 {
		return f.Origin.File
	}
	return fmt.Sprintf("%s:%d", f.Origin.File, f.Origin.Line)
}
