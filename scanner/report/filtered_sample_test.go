package report_test

import (
	"time"

	"github.com/postscan/postscan/scanner"
)

// filteredSample is the sample after waivers and a comparison with a baseline.
func filteredSample() *scanner.Report {
	rep := sample()
	rep.Notices = []scanner.Notice{{Source: "waivers", Text: "waivers.yaml:3: the waiver for PS-IMG-001 expired on 2026-01-31 and waives nothing; it would match 2 findings"}}
	for i := range rep.Findings {
		rep.Findings[i].Baseline = scanner.BaselineUnchanged
		if i%3 == 0 {
			rep.Findings[i].Baseline = scanner.BaselineNew
		}
	}
	gone := rep.Findings[0]
	rep.Baseline = &scanner.BaselineSummary{
		Name: "main.json", Collected: rep.Run.Collected.Add(-24 * time.Hour), New: 11, Unchanged: 22, Unseen: 2,
		Gone: []scanner.GoneFinding{{Check: gone.Rule.ID, Title: gone.Rule.Title, Severity: gone.Severity, Target: gone.Target, Resource: gone.Resource, Message: gone.Message, Fingerprint: gone.Fingerprint}},
	}
	return rep
}
