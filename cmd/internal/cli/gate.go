package cli

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// gate decides whether a report lets a pipeline go on.
type gate struct {
	failOn    severityValue
	onUnknown bool
	require   []string // check ids
}

func (g *gate) define(fs *pflag.FlagSet) {
	fs.Var(&g.failOn, "fail-on", "exit 3 where a finding of this `SEVERITY` or worse is not suppressed, and 4 where something that could be one is unknown")
	fs.BoolVar(&g.onUnknown, "fail-on-unknown", true, "let --fail-on exit 4 for what is unknown")
	fs.StringSliceVar(&g.require, "require", nil, "exit 4 unless the check of this `ID` was decided everywhere")
}

// asked says whether there is a gate at all.
func (g *gate) asked() bool { return g.failOn.set || len(g.require) > 0 }

// validate refuses a gate that could not mean anything.
func (g *gate) validate(rules []*scanner.Rule) error {
	if g.failOn.set && g.failOn.severity == scanner.SeverityUnknown {
		return usage(errors.New("--fail-on unknown: use critical, high, medium, low or info; what is unknown fails the gate of any of them"))
	}
	for _, id := range g.require {
		if !slices.ContainsFunc(rules, func(r *scanner.Rule) bool { return r.ID == id }) {
			return usageHint(fmt.Errorf("--require %s: this scan does not judge such a check", id), "see: postscan checks list")
		}
	}
	return nil
}

// verdict returns nil where all is well, else an error with the exit code and
// every reason. Targets without facts come before findings, and findings before
// what is unknown.
func (g *gate) verdict(rep *scanner.Report) error {
	v := &verdictError{}
	add := func(code int, reason string) {
		if v.code == 0 {
			v.code = code
		}
		v.reasons = append(v.reasons, reason)
	}
	for _, t := range rep.Run.Targets {
		if t.Error != "" {
			add(exitFailed, fmt.Sprintf("%s: %s", t.Ref, t.Error))
		}
	}
	if !rep.Run.Complete {
		add(exitFailed, "the scan was broken off: "+rep.Run.Error)
	}
	if n := g.findings(rep); n > 0 {
		add(exitFindings, fmt.Sprintf("%s of severity %s or worse (--fail-on %s)", plural(n, "finding"), g.failOn.severity, g.failOn.severity))
	}
	for _, reason := range g.unknowns(rep) {
		add(exitUnknown, reason)
	}
	if v.code == 0 {
		return nil
	}
	return v
}

// findings counts the findings that fail the gate.
func (g *gate) findings(rep *scanner.Report) int {
	n := 0
	for i := range rep.Findings {
		if g.failOn.set && rep.Findings[i].Suppressed == nil && rep.Findings[i].Severity >= g.failOn.severity {
			n++
		}
	}
	return n
}

// unknowns says what the gate depends on and could not be seen: checks that
// could have failed it, required checks, findings of unknown severity, and a
// scan that saw nothing at all.
func (g *gate) unknowns(rep *scanner.Report) []string {
	if !g.asked() {
		return nil
	}
	rules := map[string]*scanner.Rule{}
	for _, c := range rep.Checks {
		rules[c.ID] = c.Rule
	}
	hidden := map[string]bool{}
	for _, gap := range rep.Gaps {
		switch {
		case slices.Contains(g.require, gap.Check):
			hidden[gap.Check] = true
		case gap.Status == facts.Unknown && g.dependsOn(rules[gap.Check]):
			hidden[gap.Check] = true
		}
	}
	for _, c := range rep.Checks {
		if slices.Contains(g.require, c.ID) && c.Pass+c.Fail+c.NotApplicable == 0 {
			hidden[c.ID] = true
		}
	}
	var reasons []string
	if len(hidden) > 0 {
		ids := slices.SortedFunc(maps.Keys(hidden), cmp.Compare)
		reasons = append(reasons, fmt.Sprintf("the gate depends on %s, not decided everywhere: %s", plural(len(ids), "check"), strings.Join(ids, ", ")))
	}
	if !g.failOn.set || !g.onUnknown {
		return reasons
	}
	if n := unrated(rep); n > 0 {
		reasons = append(reasons, fmt.Sprintf("%s of unknown severity may be %s or worse", plural(n, "finding"), g.failOn.severity))
	}
	if rep.Summary.Resources == 0 && rep.Summary.Failed == 0 {
		reasons = append(reasons, "nothing was scanned, so nothing is known")
	}
	return reasons
}

// dependsOn says whether an unknown outcome of the check trips --fail-on: the
// check could have found something bad enough. A check that the report does not
// list could have been anything.
func (g *gate) dependsOn(rule *scanner.Rule) bool {
	if !g.failOn.set || !g.onUnknown {
		return false
	}
	return rule == nil || rule.Worst() >= g.failOn.severity
}

// unrated counts findings of unknown severity that are not suppressed.
func unrated(rep *scanner.Report) int {
	n := 0
	for i := range rep.Findings {
		if rep.Findings[i].Suppressed == nil && rep.Findings[i].Severity == scanner.SeverityUnknown {
			n++
		}
	}
	return n
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
