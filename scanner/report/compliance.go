package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// Compliance works out what became of every control of the frameworks. all are
// the checks of the catalogue, kinds what the scan could look at (none: anything);
// both tell which checks of a control were no part of the scan.
//
// A control fails where a check of it has a finding that counts. It is
// incomplete where something was not seen, or a check of it that judges what was
// looked at was left out. It is failed and waived where all that is wrong is
// suppressed. It passes where at least one resource was judged, and all passed.
// What was found on what comes with the cluster is counted apart and decides nothing.
// What is left is not covered: no check speaks to it, or none applied to anything.
func Compliance(rep *scanner.Report, frameworks []checks.Framework, all []*checks.Check, kinds []facts.Kind) []scanner.Framework {
	c := newCompliance(rep)
	out := make([]scanner.Framework, 0, len(frameworks))
	for _, f := range frameworks {
		fw := scanner.Framework{ID: f.ID, Title: f.Title, Version: frameworkVersion(rep, f), URL: f.URL, Controls: []scanner.Control{}}
		for _, control := range f.Controls {
			fw.Controls = append(fw.Controls, c.control(control, f.ID, all, kinds))
			fw.Summary.Add(fw.Controls[len(fw.Controls)-1].Status)
		}
		out = append(out, fw)
	}
	return out
}

// frameworkVersion is the edition whose numbers are meant. Of Pod Security it is
// the version of the standards that was judged.
func frameworkVersion(rep *scanner.Report, f checks.Framework) string {
	if !strings.HasPrefix(f.ID, "pss-") {
		return f.Version
	}
	if v, ok := rep.Run.Params["pss_version"].(string); ok && v != "" {
		return v
	}
	return "that of each namespace's enforce label, else latest"
}

// compliance is what the report says of each check.
type compliance struct {
	checks map[string]scanner.ControlCheck
	gaps   map[string]bool // checks that did not see everything
	own    map[string]int  // by check: resources that fail for what comes with the cluster alone
	broken string          // why the scan as a whole did not see everything; "" where it did
}

func newCompliance(rep *scanner.Report) *compliance {
	c := &compliance{checks: map[string]scanner.ControlCheck{}, gaps: map[string]bool{}, own: map[string]int{}}
	for _, t := range rep.Run.Targets { // the summary may not be made yet
		if t.Error != "" && c.broken == "" {
			c.broken = t.Ref + " could not be scanned"
		}
	}
	if !rep.Run.Complete {
		c.broken = "the scan was broken off"
	}
	for _, g := range rep.Gaps {
		c.gaps[g.Check] = true
	}
	type place struct{ check, target, resource string }
	findings, suppressed, system := map[string]int{}, map[string]int{}, map[string]int{}
	own, others := map[place]bool{}, map[place]bool{} // resources with findings of either sort
	for i := range rep.Findings {
		f := &rep.Findings[i]
		at := place{f.Rule.ID, f.Target, f.Resource.ID}
		switch {
		case onSystem(f):
			system[f.Rule.ID]++
			own[at] = true
			continue
		case f.Suppressed != nil:
			suppressed[f.Rule.ID]++
		default:
			findings[f.Rule.ID]++
		}
		others[at] = true
	}
	for at := range own {
		if !others[at] {
			c.own[at.check]++
		}
	}
	for _, n := range rep.Checks {
		check := scanner.ControlCheck{ID: n.ID, Title: n.Title, Counts: n.Counts, Findings: findings[n.ID], Suppressed: suppressed[n.ID], System: system[n.ID]}
		check.Status = c.status(&check)
		c.checks[n.ID] = check
	}
	return c
}

// onSystem says whether a finding is on what comes with the cluster: of severity
// info, with evidence that says so.
func onSystem(f *scanner.Finding) bool {
	return f.Severity == scanner.SeverityInfo && slices.ContainsFunc(f.Evidence, func(e scanner.Evidence) bool {
		value, ok := e.Value.(map[string]any)
		return ok && value["system"] == true
	})
}

// status is what one check says of the controls that it speaks to.
func (c *compliance) status(n *scanner.ControlCheck) scanner.ControlStatus {
	fail := n.Counts.Fail - c.own[n.ID]
	switch {
	case n.Findings > 0, fail > 0 && n.Suppressed == 0:
		return scanner.ControlFail
	case n.Counts.Unknown+n.Counts.NotAssessed > 0, c.gaps[n.ID]:
		return scanner.ControlIncomplete
	case fail > 0:
		return scanner.ControlWaived
	case n.Counts.Pass > 0:
		return scanner.ControlPass
	default:
		return scanner.ControlNotCovered
	}
}

// control puts the checks of a control together.
func (c *compliance) control(control checks.Control, framework string, all []*checks.Check, kinds []facts.Kind) scanner.Control {
	out := scanner.Control{ID: control.ID, Title: control.Title, Checks: []scanner.ControlCheck{}, LeftOut: []string{}, OutOfScope: []string{}}
	for _, check := range all {
		if !slices.Contains(check.References, checks.Reference{Framework: framework, Control: control.ID}) {
			continue
		}
		judged, ok := c.checks[check.ID]
		switch {
		case ok:
			out.Checks = append(out.Checks, judged)
		case len(kinds) > 0 && !slices.ContainsFunc(check.Subjects(), func(k facts.Kind) bool { return slices.Contains(kinds, k) }):
			out.OutOfScope = append(out.OutOfScope, check.ID)
		default:
			out.LeftOut = append(out.LeftOut, check.ID)
		}
	}
	c.settle(&out)
	return out
}

// settle adds the checks up and decides.
func (c *compliance) settle(out *scanner.Control) {
	n := map[scanner.ControlStatus][]string{}
	for _, check := range out.Checks {
		out.Counts.Pass += check.Counts.Pass
		out.Counts.Fail += check.Counts.Fail
		out.Counts.NotApplicable += check.Counts.NotApplicable
		out.Counts.NotAssessed += check.Counts.NotAssessed
		out.Counts.Unknown += check.Counts.Unknown
		out.Findings += check.Findings
		out.Suppressed += check.Suppressed
		out.System += check.System
		n[check.Status] = append(n[check.Status], check.ID)
	}
	mapped := len(out.Checks)+len(out.LeftOut) > 0
	switch {
	case len(n[scanner.ControlFail]) > 0:
		out.Status = scanner.ControlFail
	case len(n[scanner.ControlIncomplete]) > 0:
		out.Status, out.Reason = scanner.ControlIncomplete, "not seen in full: "+strings.Join(n[scanner.ControlIncomplete], ", ")
	case len(out.LeftOut) > 0:
		out.Status, out.Reason = scanner.ControlIncomplete, "left out of this scan: "+strings.Join(out.LeftOut, ", ")
	case c.broken != "" && mapped:
		out.Status, out.Reason = scanner.ControlIncomplete, c.broken
	case len(n[scanner.ControlWaived]) > 0:
		out.Status, out.Reason = scanner.ControlWaived, "all that is wrong is suppressed: "+strings.Join(n[scanner.ControlWaived], ", ")
	case len(n[scanner.ControlPass]) > 0:
		out.Status = scanner.ControlPass
	default:
		out.Status, out.Reason = scanner.ControlNotCovered, c.uncovered(out)
	}
}

// uncovered says why nothing speaks to a control.
func (c *compliance) uncovered(out *scanner.Control) string {
	switch {
	case out.System > 0:
		return "all that its checks found comes with the cluster"
	case out.Counts.NotApplicable > 0:
		return "its checks apply to nothing that was seen"
	case len(out.Checks) > 0:
		return "nothing that its checks judge was seen"
	case len(out.OutOfScope) > 0:
		return "its checks judge what this scan does not look at: " + strings.Join(out.OutOfScope, ", ")
	default:
		return "no check speaks to it"
	}
}

// referred are the frameworks and controls that the report's checks refer to,
// for a page that shows more than was asked for. It says nothing of checks that
// are not in the report.
func referred(rep *scanner.Report) []scanner.Framework {
	c := newCompliance(rep)
	by := map[string]map[string]*scanner.Control{}
	for _, n := range rep.Checks {
		for _, ref := range n.References {
			if ref.Framework == "url" || ref.Framework == "cwe" {
				continue // a weakness is a tag on a check, not a framework
			}
			if by[ref.Framework] == nil {
				by[ref.Framework] = map[string]*scanner.Control{}
			}
			control := by[ref.Framework][ref.Control]
			if control == nil {
				control = &scanner.Control{ID: ref.Control}
				by[ref.Framework][ref.Control] = control
			}
			control.Checks = append(control.Checks, c.checks[n.ID])
		}
	}
	var out []scanner.Framework
	for id, controls := range by {
		f := scanner.Framework{ID: id}
		for _, control := range controls {
			c.settle(control)
			f.Controls = append(f.Controls, *control)
			f.Summary.Add(control.Status)
		}
		slices.SortFunc(f.Controls, func(a, b scanner.Control) int { return cmp.Compare(a.ID, b.ID) })
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b scanner.Framework) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// controlStates lists the states of controls, worst first, in words.
func controlStates() []struct {
	status scanner.ControlStatus
	word   string
} {
	return []struct {
		status scanner.ControlStatus
		word   string
	}{
		{scanner.ControlFail, "fail"}, {scanner.ControlIncomplete, "incomplete"}, {scanner.ControlWaived, "fail (waived)"},
		{scanner.ControlPass, "pass"}, {scanner.ControlNotCovered, "not covered"},
	}
}

// controlWord is a state in words.
func controlWord(s scanner.ControlStatus) string {
	for _, state := range controlStates() {
		if state.status == s {
			return state.word
		}
	}
	return string(s)
}

// controlLine sums up a framework: "3 fail, 2 incomplete, 5 pass".
func controlLine(f *scanner.Framework) string {
	n := map[scanner.ControlStatus]int{}
	for i := range f.Controls {
		n[f.Controls[i].Status]++
	}
	var parts []string
	for _, state := range controlStates() {
		if n[state.status] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[state.status], state.word))
		}
	}
	return strings.Join(parts, ", ")
}

// failing names the checks that make a control fail, with their findings.
func failing(c *scanner.Control) string {
	var parts []string
	for _, check := range c.Checks {
		if check.Findings > 0 {
			parts = append(parts, fmt.Sprintf("%s (%d)", check.ID, check.Findings))
		}
	}
	return strings.Join(parts, ", ")
}

// controlWhy says in words why a control is not passed, and what was told apart.
func controlWhy(c *scanner.Control) string {
	why := c.Reason
	if c.Status == scanner.ControlFail {
		why = cmp.Or(failing(c), c.Reason)
	}
	switch {
	case c.System == 0:
		return why
	case why == "":
		return systemNote(c)
	default:
		return why + "; " + systemNote(c)
	}
}

// systemNote counts the findings that decide nothing.
func systemNote(c *scanner.Control) string {
	return fmt.Sprintf("%d on what comes with the cluster", c.System)
}

// compliance tells of each framework that was asked for what became of its
// controls: what is wrong one by one, the rest by name.
func (t *table) compliance(r *scanner.Report) {
	for i := range r.Compliance {
		f := &r.Compliance[i]
		t.item(t.bold("Compliance  "+Clean(f.ID)+"  "), Clean(f.Title+", "+f.Version+": "+controlLine(f)))
		for _, state := range controlStates() {
			var ids []string
			for j := range f.Controls {
				c := &f.Controls[j]
				if c.Status != state.status {
					continue
				}
				if state.status == scanner.ControlPass || state.status == scanner.ControlNotCovered {
					id := Clean(c.ID)
					if c.System > 0 {
						id += " (" + systemNote(c) + ")"
					}
					ids = append(ids, id)
					continue
				}
				text := Clean(c.ID)
				if c.Title != "" {
					text += "  " + Clean(c.Title)
				}
				t.item("  "+t.severity(controlColor(state.status), pad(state.word, 14)), text+": "+Clean(controlWhy(c)))
			}
			if len(ids) > 0 {
				t.item("  "+t.dim(pad(state.word, 14)), strings.Join(ids, ", "))
			}
		}
		t.line("")
	}
}

func controlColor(s scanner.ControlStatus) scanner.Severity {
	switch s {
	case scanner.ControlFail:
		return scanner.SeverityHigh
	case scanner.ControlIncomplete, scanner.ControlWaived:
		return scanner.SeverityMedium
	default:
		return scanner.SeverityInfo
	}
}

// compliance writes a folded table for each framework, worst first.
func (m *markdown) compliance() {
	for i := range m.r.Compliance {
		f := &m.r.Compliance[i]
		if m.b.Len() > markdownMax {
			fmt.Fprintf(&m.b, "%s: %s\n\n", md(f.ID), controlLine(f)) // the controls do not fit into a comment
			continue
		}
		fmt.Fprintf(&m.b, "<details><summary><b>%s</b>: %s</summary>\n\n| control | result | why |\n|---|---|---|\n", md(f.ID), controlLine(f))
		left := 0
		for _, state := range controlStates() {
			for j := range f.Controls {
				c := &f.Controls[j]
				switch {
				case c.Status != state.status:
				case m.b.Len() > markdownMax:
					left++
				default:
					fmt.Fprintf(&m.b, "| %s | %s | %s |\n", md(strings.TrimSpace(c.ID+" "+c.Title)), state.word, md(controlWhy(c)))
				}
			}
		}
		if left > 0 {
			fmt.Fprintf(&m.b, "| … | | %d more controls do not fit into a comment; the JSON or HTML report has all |\n", left)
		}
		m.b.WriteString("\n</details>\n\n")
	}
}
