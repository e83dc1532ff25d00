package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// githubMax is how many annotations of a level GitHub shows for a step.
const githubMax = 10

// GitHub writes workflow commands, which GitHub Actions shows as annotations on
// the run and on changed lines. GitHub shows ten of a level, so the worst ten
// are written and the last line says how many there are in all.
func GitHub(w io.Writer, r *scanner.Report, o Options) error {
	bw := bufio.NewWriter(w)
	var shown []*scanner.Finding
	suppressed := 0
	for i := range r.Findings {
		switch f := &r.Findings[i]; {
		case f.Suppressed != nil:
			suppressed++
		case f.Severity >= o.MinSeverity:
			shown = append(shown, f)
		}
	}
	slices.SortStableFunc(shown, func(a, b *scanner.Finding) int { return -cmp.Compare(a.Severity, b.Severity) })
	files := map[string]bool{} // targets whose files are the checkout's
	for _, t := range r.Run.Targets {
		files[t.Ref] = t.Kind == "manifests"
	}
	count := map[string]int{}
	for _, f := range shown {
		level, at := githubLevel(f.Severity), facts.Origin{}
		if files[f.Target] && !f.Origin.Rendered {
			at = f.Origin
		}
		if count[level]++; count[level] <= githubMax {
			githubCommand(bw, level, at, f.Rule.ID+" "+f.Rule.Title, fmt.Sprintf("%s: %s. %s", cmp.Or(f.Resource.ID, f.Target), strings.TrimSuffix(f.Message, "."), strings.Join(strings.Fields(f.Rule.Remediation), " ")))
		}
	}
	for _, t := range r.Run.Targets {
		if t.Error != "" {
			githubCommand(bw, "error", facts.Origin{}, "postscan could not scan "+t.Ref, t.Error)
		}
	}
	if r.Run.Error != "" {
		githubCommand(bw, "error", facts.Origin{}, "postscan was broken off", r.Run.Error)
	}
	for _, line := range unseenLines(r) {
		githubCommand(bw, "warning", facts.Origin{}, "postscan could not see everything", line)
	}
	for _, n := range r.Notices {
		githubCommand(bw, "warning", facts.Origin{}, "postscan "+n.Source, n.Text)
	}
	githubCommand(bw, "notice", facts.Origin{}, "postscan", fmt.Sprintf("%s; %d suppressed. Annotations show at most %d of a level.", countLine(r), suppressed, githubMax))
	return bw.Flush()
}

func githubLevel(s scanner.Severity) string {
	switch sarifLevel(s) {
	case "error":
		return "error"
	case "warning":
		return "warning"
	default:
		return "notice"
	}
}

var (
	githubText     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// githubCommand writes one command; at is a place in the checkout, or empty.
func githubCommand(w io.Writer, level string, at facts.Origin, title, text string) {
	place := ""
	if at.File != "" {
		place = fmt.Sprintf("file=%s,line=%d,", githubProperty.Replace(Clean(at.File)), max(at.Line, 1))
	}
	_, _ = fmt.Fprintf(w, "::%s %stitle=%s::%s\n", level, place, githubProperty.Replace(Clean(title)), githubText.Replace(Clean(text)))
}
