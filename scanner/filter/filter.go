// Package filter holds the filters between judging and reporting. Each
// implements [scanner.Filter]: it marks findings as suppressed, with a reason
// that reports show, and never removes one. A finding that is suppressed already
// keeps its first reason.
package filter

import (
	"slices"

	"github.com/postscan/postscan/scanner"
)

// OnlyFixable suppresses the vulnerabilities that no version mends yet.
type OnlyFixable struct {
	// Checks are the ids of the checks that it applies to: those that list known
	// vulnerabilities. What attackers use already is a check of its own and is
	// told whether it can be mended or not.
	Checks []string
}

// Apply implements [scanner.Filter].
func (f OnlyFixable) Apply(r *scanner.Report) error {
	findings := r.Findings
	for i := range findings {
		v := findings[i].Vulnerability
		if v == nil || v.FixedVersion != "" || findings[i].Suppressed != nil || !slices.Contains(f.Checks, findings[i].Rule.ID) {
			continue
		}
		findings[i].Suppressed = &scanner.Suppression{By: "only-fixable", Reason: "no version mends it yet"}
	}
	return nil
}
