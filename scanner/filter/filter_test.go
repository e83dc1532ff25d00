package filter_test

import (
	"testing"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/filter"
)

func TestOnlyFixable(t *testing.T) {
	list, exploited := &scanner.Rule{ID: "PS-IMG-013"}, &scanner.Rule{ID: "PS-IMG-014"}
	fixed := &scanner.Vulnerability{Vulnerability: facts.Vulnerability{FixedVersion: "1.2"}}
	unfixed := &scanner.Vulnerability{}
	waived := &scanner.Suppression{By: "waiver", Reason: "accepted"}
	findings := []scanner.Finding{
		{Rule: list, Vulnerability: fixed},
		{Rule: list, Vulnerability: unfixed},
		{Rule: list, Vulnerability: unfixed, Suppressed: waived},
		{Rule: exploited, Vulnerability: unfixed},
		{Rule: list},
	}
	if err := (filter.OnlyFixable{Checks: []string{"PS-IMG-013"}}).Apply(&scanner.Report{Findings: findings}); err != nil {
		t.Fatal(err)
	}
	want := []string{"", "only-fixable", "waiver", "", ""}
	for i, f := range findings {
		by := ""
		if f.Suppressed != nil {
			by = f.Suppressed.By
		}
		if by != want[i] {
			t.Errorf("finding %d is suppressed by %q, want %q", i, by, want[i])
		}
	}
}
