package report

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// qualityIssue is an issue of GitLab's code quality report, which is a part of
// Code Climate's format.
type qualityIssue struct {
	Description string          `json:"description"`
	CheckName   string          `json:"check_name"`
	Fingerprint string          `json:"fingerprint"`
	Severity    string          `json:"severity"` // info, minor, major, critical or blocker
	Location    qualityLocation `json:"location"`
}

type qualityLocation struct {
	Path  string `json:"path"`
	Lines struct {
		Begin int `json:"begin"`
	} `json:"lines"`
}

// GitLabCodeQuality writes all findings, of whatever target, as a GitLab code
// quality report. The format has a place for issues alone: so what could not be
// seen, and what could not be scanned at all, is an issue too. Suppressed
// findings are of severity info and say why.
func GitLabCodeQuality(w io.Writer, r *scanner.Report, _ Options) error {
	bw := bufio.NewWriterSize(w, 1<<16)
	enc := json.NewEncoder(bw)
	enc.SetEscapeHTML(false)
	var problem error
	sep := "\n"
	write := func(issue qualityIssue) {
		_, _ = bw.WriteString(sep)
		sep = ","
		if err := enc.Encode(issue); err != nil && problem == nil {
			problem = fmt.Errorf("write the code quality report: %w", err)
		}
	}
	_, _ = bw.WriteString("[")
	targets, seen := map[string]facts.Target{}, map[string]int{}
	for _, t := range r.Run.Targets {
		targets[t.Ref] = t
		if t.Error != "" {
			write(qualityNote("not-scanned", "blocker", t, t.Ref+" could not be scanned: "+t.Error))
		}
	}
	if !r.Run.Complete {
		write(qualityNote("broken-off", "blocker", facts.Target{}, "The scan was broken off: "+r.Run.Error))
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		seen[f.Fingerprint]++
		write(newQualityIssue(f, targets[f.Target], seen[f.Fingerprint]))
	}
	for _, line := range unseenLines(r) {
		write(qualityNote("unknown", "major", facts.Target{}, "Could not be seen: "+line))
	}
	_, _ = bw.WriteString("]\n")
	if problem != nil {
		return problem
	}
	return bw.Flush()
}

// newQualityIssue makes the issue of a finding. GitLab drops an issue whose
// fingerprint it has seen, so the nth of those that share one has another.
func newQualityIssue(f *scanner.Finding, t facts.Target, nth int) qualityIssue {
	text := f.Rule.Title + ": " + cmp.Or(f.Resource.ID, f.Target) + ": " + f.Message
	if v := f.Vulnerability; v != nil && v.FixedVersion != "" {
		text += "; fixed in " + v.FixedVersion
	}
	issue := qualityIssue{CheckName: f.Rule.ID, Fingerprint: f.Fingerprint, Severity: qualitySeverity(f.Severity)}
	if v := f.Vulnerability; v != nil && v.ID != "" {
		issue.CheckName += "/" + Clean(v.ID)
	}
	if nth > 1 || issue.Fingerprint == "" {
		issue.Fingerprint = scanner.Fingerprint("gitlab-codequality", f.Fingerprint, fmt.Sprint(nth), "")
	}
	if f.Suppressed != nil {
		issue.Severity = "info"
		text = "Suppressed by " + suppressionText(f) + ". " + text
	}
	issue.Description = Clean(text)
	issue.Location.Path = Clean(strings.Join(locationPath(f, t), "/"))
	issue.Location.Lines.Begin = 1
	if t.Kind == "manifests" {
		issue.Location.Lines.Begin = max(f.Origin.Line, 1) // elsewhere a line is no line of the repository
	}
	return issue
}

// qualityNote is an issue that is no finding.
func qualityNote(name, severity string, t facts.Target, text string) qualityIssue {
	issue := qualityIssue{
		CheckName: "postscan/" + name, Severity: severity, Description: Clean(text),
		Fingerprint: scanner.Fingerprint("gitlab-codequality", name, t.Identity, text),
	}
	issue.Location.Path, issue.Location.Lines.Begin = "postscan", 1
	return issue
}

// qualitySeverity maps the severities onto Code Climate's. One that is unknown
// is not known to be harmless.
func qualitySeverity(s scanner.Severity) string {
	switch s {
	case scanner.SeverityCritical:
		return "blocker"
	case scanner.SeverityHigh:
		return "critical"
	case scanner.SeverityMedium, scanner.SeverityUnknown:
		return "major"
	case scanner.SeverityLow:
		return "minor"
	default:
		return "info"
	}
}
