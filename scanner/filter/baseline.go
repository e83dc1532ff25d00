package filter

import (
	"github.com/postscan/postscan/scanner"
)

// Baseline is a [scanner.Filter] that compares the findings with those of an
// earlier report, by fingerprint and its count.
type Baseline struct {
	// Before is the earlier report.
	Before *scanner.Report
	// Name is what reports call it.
	Name string
	// OnlyNew suppresses what was there before.
	OnlyNew bool
}

// Apply implements [scanner.Filter]. Each finding is marked new or unchanged. What
// is gone is listed in the report's baseline; what cannot be seen now is not
// gone: it is counted as unseen.
func (f Baseline) Apply(r *scanner.Report) error {
	before := map[string]int{}
	for i := range f.Before.Findings {
		before[f.Before.Findings[i].Fingerprint]++
	}
	left := make(map[string]int, len(before))
	for fp, n := range before {
		left[fp] = n
	}
	sum := &scanner.BaselineSummary{Name: f.Name, Collected: f.Before.Run.Collected, Gone: []scanner.GoneFinding{}}
	for i := range r.Findings {
		fd := &r.Findings[i]
		if left[fd.Fingerprint] == 0 {
			fd.Baseline = scanner.BaselineNew
			sum.New++
			continue
		}
		left[fd.Fingerprint]--
		fd.Baseline = scanner.BaselineUnchanged
		sum.Unchanged++
		if f.OnlyNew && fd.Suppressed == nil {
			fd.Suppressed = &scanner.Suppression{By: "baseline", Reason: "it stands in " + f.Name + " already"}
		}
	}
	seen := newVisibility(r)
	for i := range f.Before.Findings {
		fd := &f.Before.Findings[i]
		if left[fd.Fingerprint] == 0 {
			continue
		}
		left[fd.Fingerprint]--
		if !seen.decided(fd) {
			sum.Unseen++
			continue
		}
		sum.Gone = append(sum.Gone, scanner.GoneFinding{
			Check: fd.Rule.ID, Title: fd.Rule.Title, Severity: fd.Severity, Target: fd.Target, Resource: fd.Resource,
			Message: fd.Message, Key: fd.Key, Fingerprint: fd.Fingerprint,
		})
	}
	r.Baseline = sum
	return nil
}

// visibility says which checks a report has decided.
type visibility struct {
	whole  bool            // the scan was not broken off and no target failed
	judged map[string]bool // checks that the report has
	gaps   map[string]bool // checks that did not see something
}

func newVisibility(r *scanner.Report) *visibility {
	v := &visibility{whole: r.Run.Complete, judged: map[string]bool{}, gaps: map[string]bool{}}
	for _, t := range r.Run.Targets {
		v.whole = v.whole && t.Error == ""
	}
	for _, c := range r.Checks {
		v.judged[c.ID] = true
	}
	for _, g := range r.Gaps {
		v.gaps[g.Check] = true
	}
	return v
}

// decided says whether the absence of a finding that was there before means that
// it is mended. It does not where the scan was broken off or a target failed (it
// may be this one under another tag), where the check was not run, or where it
// did not see everything.
func (v *visibility) decided(f *scanner.Finding) bool {
	return v.whole && v.judged[f.Rule.ID] && !v.gaps[f.Rule.ID]
}
