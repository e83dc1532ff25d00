package report

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// The JUnit XML that CI dashboards read (the schema of the Jenkins plug-in).
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name      string      `xml:"name,attr"`
		Timestamp string      `xml:"timestamp,attr"`
		Tests     int         `xml:"tests,attr"`
		Failures  int         `xml:"failures,attr"`
		Errors    int         `xml:"errors,attr"`
		Skipped   int         `xml:"skipped,attr"`
		Cases     []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name      string        `xml:"name,attr"`
		Class     string        `xml:"classname,attr"`
		Failure   *junitProblem `xml:"failure"`
		Error     *junitProblem `xml:"error"`
		Skipped   *junitProblem `xml:"skipped"`
		SystemOut string        `xml:"system-out,omitempty"`
	}
	junitProblem struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes a test suite for each target and a test case for each check in
// it. A check passes only where it was decided for every resource of the target:
// one that is unknown or not assessed for any is skipped, with the reason; one
// whose findings are all suppressed is skipped too. A target that could not be
// scanned is an error.
func JUnit(w io.Writer, r *scanner.Report, _ Options) error {
	findings := map[[2]string][]*scanner.Finding{} // by target and check
	for i := range r.Findings {
		f := &r.Findings[i]
		key := [2]string{f.Target, f.Rule.ID}
		findings[key] = append(findings[key], f)
	}
	gaps := map[[2]string][]scanner.GapEntry{}
	for _, g := range r.Gaps {
		key := [2]string{g.Target, g.Check}
		gaps[key] = append(gaps[key], g)
	}
	all := junitSuites{Name: "postscan"}
	for _, t := range r.Run.Targets {
		s := junitSuite{Name: xmlText(t.Ref), Timestamp: r.Run.Started.UTC().Format("2006-01-02T15:04:05")}
		if t.Error != "" {
			s.Cases = append(s.Cases, junitCase{Name: "scan", Class: "postscan." + t.Kind, Error: &junitProblem{Message: xmlText(t.Error), Type: "not scanned"}})
		}
		for _, c := range r.Checks {
			key := [2]string{t.Ref, c.ID}
			counts, looked := c.ByTarget[t.Ref]
			if !looked && len(findings[key]) == 0 && len(gaps[key]) == 0 {
				continue // the target has nothing that the check judges
			}
			s.Cases = append(s.Cases, newJUnitCase(c.Rule, counts, findings[key], gaps[key]))
		}
		s.count()
		all.Suites = append(all.Suites, s)
		all.Tests, all.Failures, all.Errors, all.Skipped = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors, all.Skipped+s.Skipped
	}
	bw := bufio.NewWriter(w)
	_, _ = bw.WriteString(xml.Header)
	enc := xml.NewEncoder(bw)
	enc.Indent("", " ")
	if err := enc.Encode(all); err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	_, _ = bw.WriteString("\n")
	return bw.Flush()
}

func newJUnitCase(rule *scanner.Rule, counts scanner.Counts, findings []*scanner.Finding, gaps []scanner.GapEntry) junitCase {
	c := junitCase{Name: xmlText(rule.ID + " " + rule.Title), Class: "postscan." + string(rule.Subject)}
	var failing, suppressed []string
	worst := scanner.SeverityUnknown
	for _, f := range findings {
		line := fmt.Sprintf("%s: %s", f.Resource.ID, f.Message)
		if place := fileLine(f); place != "" {
			line += " (" + place + ")"
		}
		if f.Suppressed != nil {
			suppressed = append(suppressed, fmt.Sprintf("%s [suppressed by %s: %s]", line, f.Suppressed.By, f.Suppressed.Reason))
			continue
		}
		failing = append(failing, fmt.Sprintf("[%s] %s", f.Severity, line))
		worst = max(worst, f.Severity)
	}
	unseen, unknown := gapLines(gaps)
	c.SystemOut = xmlText(strings.Join(append(suppressed, unseen...), "\n"))
	switch {
	case len(failing) > 0:
		c.Failure = &junitProblem{
			Message: xmlText(fmt.Sprintf("%s, worst %s: %s", plural(len(failing), "finding"), worst, rule.Title)), Type: worst.String(),
			Text: xmlText(strings.Join(failing, "\n") + "\n\n" + rule.Remediation),
		}
	case unknown:
		c.Skipped = &junitProblem{Message: xmlText("unknown: " + strings.Join(unseen, "; "))}
	case len(unseen) > 0:
		c.Skipped = &junitProblem{Message: xmlText("not assessed: " + strings.Join(unseen, "; "))}
	case len(suppressed) > 0:
		c.Skipped = &junitProblem{Message: xmlText("suppressed: " + strings.Join(suppressed, "; "))}
	case counts.Pass == 0:
		c.Skipped = &junitProblem{Message: "not applicable"}
	}
	return c
}

// gapLines gives each reason once, and says whether something is unknown.
func gapLines(gaps []scanner.GapEntry) (lines []string, unknown bool) {
	seen := map[string]bool{}
	for _, g := range gaps {
		unknown = unknown || g.Status == facts.Unknown
		for _, reason := range g.Reasons {
			if !seen[reason] {
				seen[reason] = true
				lines = append(lines, reason)
			}
		}
	}
	return lines, unknown
}

func (s *junitSuite) count() {
	s.Tests = len(s.Cases)
	for _, c := range s.Cases {
		switch {
		case c.Failure != nil:
			s.Failures++
		case c.Error != nil:
			s.Errors++
		case c.Skipped != nil:
			s.Skipped++
		}
	}
}

// xmlText makes text safe for XML 1.0, which cannot hold most control
// characters even as escapes.
func xmlText(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = Clean(lines[i])
	}
	return strings.Join(lines, "\n")
}
