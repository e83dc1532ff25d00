package report_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/report"
)

// A control is never passed by absence.
func TestControlStates(t *testing.T) {
	const fw, id = "nist-800-190", "4.4.3"
	type outcome struct {
		check      string
		counts     scanner.Counts
		findings   int
		suppressed int
		system     int // each on a resource of its own, the first of them suppressed
		gap        bool
	}
	for name, c := range map[string]struct {
		mapped  []string // checks of the catalogue that speak to the control; "IMG-" judges images
		judged  []outcome
		broken  bool
		failed  bool
		want    scanner.ControlStatus
		because string
	}{
		"no check speaks to it":           {want: scanner.ControlNotCovered, because: "no check speaks to it"},
		"its check judges something else": {mapped: []string{"IMG-1"}, want: scanner.ControlNotCovered, because: "its checks judge what this scan does not look at: IMG-1"},
		"nothing to judge":                {mapped: []string{"A"}, judged: []outcome{{check: "A"}}, want: scanner.ControlNotCovered, because: "nothing that its checks judge was seen"},
		"nothing applies":                 {mapped: []string{"A"}, judged: []outcome{{check: "A", counts: scanner.Counts{NotApplicable: 3}}}, want: scanner.ControlNotCovered, because: "its checks apply to nothing that was seen"},
		"pass":                            {mapped: []string{"A", "B"}, judged: []outcome{{check: "A", counts: scanner.Counts{Pass: 2}}, {check: "B", counts: scanner.Counts{NotApplicable: 2}}}, want: scanner.ControlPass},
		"pass beside another kind":        {mapped: []string{"A", "IMG-1"}, judged: []outcome{{check: "A", counts: scanner.Counts{Pass: 2}}}, want: scanner.ControlPass},
		"one fails":                       {mapped: []string{"A", "B"}, judged: []outcome{{check: "A", counts: scanner.Counts{Pass: 2}}, {check: "B", counts: scanner.Counts{Fail: 1, Unknown: 4}, findings: 1}}, want: scanner.ControlFail},
		"unknown":                         {mapped: []string{"A"}, judged: []outcome{{check: "A", counts: scanner.Counts{Pass: 2, Unknown: 1}}}, want: scanner.ControlIncomplete, because: "not seen in full: A"},
		"not assessed":                    {mapped: []string{"A"}, judged: []outcome{{check: "A", counts: scanner.Counts{Pass: 2, NotAssessed: 1}}}, want: scanner.ControlIncomplete, because: "not seen in full: A"},
		"waived":                          {mapped: []string{"A", "B"}, judged: []outcome{{check: "A", counts: scanner.Counts{Pass: 2}}, {check: "B", counts: scanner.Counts{Fail: 1}, suppressed: 2}}, want: scanner.ControlWaived, because: "all that is wrong is suppressed: B"},
		"waived in part":                  {mapped: []string{"B"}, judged: []outcome{{check: "B", counts: scanner.Counts{Fail: 1}, suppressed: 2, findings: 1}}, want: scanner.ControlFail},
		"waived, and not all was seen":    {mapped: []string{"B"}, judged: []outcome{{check: "B", counts: scanner.Counts{Fail: 1}, suppressed: 2, gap: true}}, want: scanner.ControlIncomplete, because: "not seen in full: B"},
		"waived beside what is unknown":   {mapped: []string{"A", "B"}, judged: []outcome{{check: "A", counts: scanner.Counts{Unknown: 2}}, {check: "B", counts: scanner.Counts{Fail: 1}, suppressed: 2}}, want: scanner.ControlIncomplete, because: "not seen in full: A"},
		"only what comes with it":         {mapped: []string{"A"}, judged: []outcome{{check: "A", counts: scanner.Counts{Fail: 2}, system: 2}}, want: scanner.ControlNotCovered, because: "all that its checks found comes with the cluster"},
		"system beside a pass":            {mapped: []string{"A"}, judged: []outcome{{check: "A", counts: scanner.Counts{Fail: 2, Pass: 1}, system: 2}}, want: scanner.ControlPass},
		"system beside a finding":         {mapped: []string{"A"}, judged: []outcome{{check: "A", counts: scanner.Counts{Fail: 3, Pass: 1}, findings: 1, system: 2}}, want: scanner.ControlFail},
		"system beside waived":            {mapped: []string{"A"}, judged: []outcome{{check: "A", counts: scanner.Counts{Fail: 3, Pass: 1}, suppressed: 1, system: 2}}, want: scanner.ControlWaived, because: "all that is wrong is suppressed: A"},
		"system beside unknown":           {mapped: []string{"A"}, judged: []outcome{{check: "A", counts: scanner.Counts{Fail: 2, Pass: 1, Unknown: 1}, system: 2}}, want: scanner.ControlIncomplete, because: "not seen in full: A"},
		"a fail without a finding":        {mapped: []string{"A"}, judged: []outcome{{check: "A", counts: scanner.Counts{Fail: 3, Pass: 1}, system: 2}}, want: scanner.ControlFail},
		"a check was left out":            {mapped: []string{"A", "B"}, judged: []outcome{{check: "A", counts: scanner.Counts{Pass: 2}}}, want: scanner.ControlIncomplete, because: "left out of this scan: B"},
		"all checks were left out":        {mapped: []string{"B"}, want: scanner.ControlIncomplete, because: "left out of this scan: B"},
		"the scan was broken off":         {mapped: []string{"A"}, judged: []outcome{{check: "A", counts: scanner.Counts{Pass: 2}}}, broken: true, want: scanner.ControlIncomplete, because: "the scan was broken off"},
		"a part of a check judges it":     {mapped: []string{"IMG-PART"}, want: scanner.ControlIncomplete, because: "left out of this scan: IMG-PART"},
		"a target failed":                 {mapped: []string{"A"}, judged: []outcome{{check: "A"}}, failed: true, want: scanner.ControlIncomplete, because: "shop could not be scanned"},
		"a target failed, none speaks":    {failed: true, want: scanner.ControlNotCovered, because: "no check speaks to it"},
	} {
		t.Run(name, func(t *testing.T) {
			rep := &scanner.Report{Run: scanner.Run{Complete: !c.broken, Targets: []facts.Target{{Ref: "shop"}}}}
			if c.failed {
				rep.Run.Targets[0].Error = "no such host"
			}
			system := 0
			for _, o := range c.judged {
				rule := &scanner.Rule{ID: o.check, Title: "about " + o.check}
				rep.Checks = append(rep.Checks, scanner.CheckCount{Rule: rule, Counts: o.counts})
				for i := range o.findings + o.suppressed {
					f := scanner.Finding{Rule: rule}
					if i >= o.findings {
						f.Suppressed = &scanner.Suppression{By: "waiver"}
					}
					rep.Findings = append(rep.Findings, f)
				}
				for i := range o.system {
					f := scanner.Finding{Rule: rule, Severity: scanner.SeverityInfo, Resource: scanner.ResourceRef{ID: fmt.Sprint("system", i)}, Evidence: []scanner.Evidence{{Value: map[string]any{"system": true}}}}
					if i == 0 {
						f.Suppressed = &scanner.Suppression{By: "waiver"}
					}
					rep.Findings = append(rep.Findings, f)
					system++
				}
				if o.gap {
					rep.Gaps = append(rep.Gaps, scanner.GapEntry{Check: o.check, Status: facts.NotAssessed})
				}
			}
			var all []*checks.Check
			for _, name := range c.mapped {
				check := &checks.Check{ID: name, Subject: facts.KindWorkload, References: []checks.Reference{{Framework: fw, Control: id}, {Framework: "other", Control: id}}}
				if strings.HasPrefix(name, "IMG-") {
					check.Subject = facts.KindImage
				}
				if name == "IMG-PART" {
					check.Parts = []*checks.Check{{ID: name, Subject: facts.KindWorkload}}
				}
				all = append(all, check)
			}
			got := report.Compliance(rep, []checks.Framework{{ID: fw, Controls: []checks.Control{{ID: "4.1.1"}, {ID: id, Title: "runtime"}}}}, all, []facts.Kind{facts.KindWorkload})
			if len(got) != 1 || len(got[0].Controls) != 2 {
				t.Fatalf("%+v", got)
			}
			if other := got[0].Controls[0]; other.Status != scanner.ControlNotCovered {
				t.Errorf("the control that nothing speaks to is %s", other.Status)
			}
			control := got[0].Controls[1]
			if control.Status != c.want || control.Reason != c.because {
				t.Errorf("%s (%q), want %s (%q)", control.Status, control.Reason, c.want, c.because)
			}
			if control.System != system {
				t.Errorf("%d findings are told apart, want %d", control.System, system)
			}
			var sum scanner.ControlCounts
			sum.Add(scanner.ControlNotCovered)
			sum.Add(c.want)
			if got[0].Summary != sum {
				t.Errorf("summary %+v", got[0].Summary)
			}
		})
	}
}

// What comes with the cluster counts apart only where it is a matter of
// information, and every format for people shows the number.
func TestSystemFindingsAreShownApart(t *testing.T) {
	rule := &scanner.Rule{ID: "PS-RBAC-001", Title: "Cluster admin", References: []scanner.Reference{{Framework: "f", Control: "1"}}}
	rep := &scanner.Report{Run: scanner.Run{Complete: true}, Checks: []scanner.CheckCount{{Rule: rule, Counts: scanner.Counts{Pass: 1, Fail: 1}}}}
	rep.Findings = []scanner.Finding{{Rule: rule, Severity: scanner.SeverityInfo, Evidence: []scanner.Evidence{{Value: map[string]any{"system": true}}}}}
	judge := func() scanner.Control {
		all := []*checks.Check{{ID: rule.ID, Subject: facts.KindIdentity, References: []checks.Reference{{Framework: "f", Control: "1"}}}}
		rep.Compliance = report.Compliance(rep, []checks.Framework{{ID: "f", Controls: []checks.Control{{ID: "1"}}}}, all, nil)
		return rep.Compliance[0].Controls[0]
	}
	if c := judge(); c.Status != scanner.ControlPass || c.System != 1 || c.Findings != 0 || c.Checks[0].System != 1 {
		t.Errorf("%+v", c)
	}
	for _, format := range []string{"table", "markdown", "html"} {
		if out := string(write(t, rep, format, report.Options{})); !strings.Contains(out, "1 on what comes with the cluster") {
			t.Errorf("%s does not show it:\n%s", format, out)
		}
	}
	rep.Findings[0].Severity = scanner.SeverityHigh
	if c := judge(); c.Status != scanner.ControlFail || c.System != 0 {
		t.Errorf("severity high: %+v", c)
	}
	rep.Findings[0].Severity, rep.Findings[0].Evidence[0].Value = scanner.SeverityInfo, map[string]any{"system": false}
	if c := judge(); c.Status != scanner.ControlFail || c.System != 0 {
		t.Errorf("not of the system: %+v", c)
	}
}

// A comment may not grow beyond what GitHub and GitLab take, whatever is in it.
func TestMarkdownStaysACommentWithControls(t *testing.T) {
	frameworks, err := checks.Frameworks()
	if err != nil {
		t.Fatal(err)
	}
	rep := workloadSample()
	for range 2000 { // findings alone fill the comment
		f := rep.Findings[0]
		f.Suppressed, f.Baseline, f.Message = nil, scanner.BaselineNew, fmt.Sprintf("%s %d", f.Message, len(rep.Findings))
		rep.Findings = append(rep.Findings, f)
	}
	rep.Compliance = report.Compliance(rep, frameworks, nil, nil)
	out := string(write(t, rep, "markdown", report.Options{}))
	if n := utf8.RuneCountInString(out); n > 65_536 {
		t.Errorf("the comment has %d characters", n)
	}
	for _, want := range []string{"does not fit into a comment", "attack-containers: ", "vsphere-9: "} {
		if !strings.Contains(out, want) {
			t.Errorf("the comment does not say %q", want)
		}
	}
	rep = workloadSample()
	rep.Compliance = report.Compliance(rep, slices.Concat(frameworks, frameworks, frameworks, frameworks), nil, nil)
	out = string(write(t, rep, "markdown", report.Options{}))
	if n := utf8.RuneCountInString(out); n > 65_536 || !strings.Contains(out, "more controls do not fit into a comment") {
		t.Errorf("the comment has %d characters, or does not say what it leaves out", n)
	}
}

// Every control of every framework that postscan ships is in its report.
func TestEveryControlIsReported(t *testing.T) {
	frameworks, err := checks.Frameworks()
	if err != nil {
		t.Fatal(err)
	}
	got := report.Compliance(sample(), frameworks, nil, nil)
	for i, f := range frameworks {
		if len(got[i].Controls) != len(f.Controls) || got[i].Summary.NotCovered != len(f.Controls) {
			t.Errorf("%s: %d controls of %d, %+v", f.ID, len(got[i].Controls), len(f.Controls), got[i].Summary)
		}
	}
}
