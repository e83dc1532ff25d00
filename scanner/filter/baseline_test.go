package filter_test

import (
	"testing"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/filter"
)

func reportOf(fingerprints ...string) *scanner.Report {
	rule := &scanner.Rule{ID: "PS-IMG-001", Title: "root"}
	r := &scanner.Report{Run: scanner.Run{Complete: true}, Checks: []scanner.CheckCount{{Rule: rule}}}
	for _, fp := range fingerprints {
		r.Findings = append(r.Findings, scanner.Finding{Rule: rule, Fingerprint: fp})
	}
	return r
}

func TestBaseline(t *testing.T) {
	now := reportOf("a", "a", "b", "c")
	if err := (filter.Baseline{Before: reportOf("a", "b", "d", "d"), Name: "main", OnlyNew: true}).Apply(now); err != nil {
		t.Fatal(err)
	}
	want := []string{scanner.BaselineUnchanged, scanner.BaselineNew, scanner.BaselineUnchanged, scanner.BaselineNew}
	for i, f := range now.Findings {
		if f.Baseline != want[i] || (f.Suppressed != nil) != (want[i] == scanner.BaselineUnchanged) {
			t.Errorf("finding %d is %q, suppressed %v; want %q", i, f.Baseline, f.Suppressed, want[i])
		}
	}
	if b := now.Baseline; b.New != 2 || b.Unchanged != 2 || len(b.Gone) != 2 || b.Unseen != 0 {
		t.Errorf("baseline %+v", b)
	}
}

// What this scan did not see is not gone.
func TestBaselineUnseen(t *testing.T) {
	for name, change := range map[string]func(*scanner.Report){
		"a gap":           func(r *scanner.Report) { r.Gaps = []scanner.GapEntry{{Check: "PS-IMG-001"}} },
		"broken off":      func(r *scanner.Report) { r.Run.Complete = false },
		"a failed target": func(r *scanner.Report) { r.Run.Targets = []facts.Target{{Error: "no such host"}} },
		"check not run":   func(r *scanner.Report) { r.Checks = nil },
	} {
		now := reportOf("b")
		change(now)
		if err := (filter.Baseline{Before: reportOf("a", "b")}).Apply(now); err != nil {
			t.Fatal(err)
		}
		if b := now.Baseline; len(b.Gone) != 0 || b.Unseen != 1 {
			t.Errorf("%s: gone %v, unseen %d", name, b.Gone, b.Unseen)
		}
	}
}
