package cli

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// The gate's answer for every kind of report that it may meet.
func TestGate(t *testing.T) {
	medium := &scanner.Rule{ID: "PS-IMG-001", Severity: scanner.SeverityMedium}
	listed := &scanner.Rule{ID: "PS-IMG-013", Severity: scanner.SeverityHigh, Severities: []scanner.Severity{scanner.SeverityCritical, scanner.SeverityUnknown}}
	finding := func(r *scanner.Rule, s scanner.Severity) scanner.Finding {
		return scanner.Finding{Rule: r, Severity: s}
	}
	suppressed := finding(listed, scanner.SeverityCritical)
	suppressed.Suppressed = &scanner.Suppression{By: "waiver"}
	unknown := func(id string) scanner.GapEntry { return scanner.GapEntry{Check: id, Status: facts.Unknown} }
	notAssessed := func(id string) scanner.GapEntry { return scanner.GapEntry{Check: id, Status: facts.NotAssessed} }
	failed := facts.Target{Ref: "x", Error: "no such image"}
	high := severityValue{scanner.SeverityHigh, true}
	critical := severityValue{scanner.SeverityCritical, true}

	for name, c := range map[string]struct {
		gate     gate
		findings []scanner.Finding
		gaps     []scanner.GapEntry
		targets  []facts.Target
		broken   bool
		nothing  bool
		want     int
	}{
		"clean":                                 {gate: gate{failOn: high, onUnknown: true}, want: 0},
		"no gate, findings":                     {gate: gate{onUnknown: true}, findings: []scanner.Finding{finding(listed, scanner.SeverityCritical)}, want: 0},
		"no gate, unknown":                      {gate: gate{onUnknown: true}, gaps: []scanner.GapEntry{unknown("PS-IMG-013")}, want: 0},
		"no gate, failed target":                {gate: gate{onUnknown: true}, targets: []facts.Target{failed}, want: 1},
		"at the gate":                           {gate: gate{failOn: high, onUnknown: true}, findings: []scanner.Finding{finding(listed, scanner.SeverityHigh)}, want: 3},
		"above the gate":                        {gate: gate{failOn: high, onUnknown: true}, findings: []scanner.Finding{finding(listed, scanner.SeverityCritical)}, want: 3},
		"below the gate":                        {gate: gate{failOn: high, onUnknown: true}, findings: []scanner.Finding{finding(medium, scanner.SeverityMedium)}, want: 0},
		"suppressed":                            {gate: gate{failOn: high, onUnknown: true}, findings: []scanner.Finding{suppressed}, want: 0},
		"finding of unknown severity":           {gate: gate{failOn: critical, onUnknown: true}, findings: []scanner.Finding{finding(listed, scanner.SeverityUnknown)}, want: 4},
		"unknown severity, relaxed":             {gate: gate{failOn: critical}, findings: []scanner.Finding{finding(listed, scanner.SeverityUnknown)}, want: 0},
		"unknown that could be worse":           {gate: gate{failOn: critical, onUnknown: true}, gaps: []scanner.GapEntry{unknown("PS-IMG-013")}, want: 4},
		"unknown that could not":                {gate: gate{failOn: high, onUnknown: true}, gaps: []scanner.GapEntry{unknown("PS-IMG-001")}, want: 0},
		"unknown of a check that is not listed": {gate: gate{failOn: critical, onUnknown: true}, gaps: []scanner.GapEntry{unknown("PS-X")}, want: 4},
		"unknown, relaxed":                      {gate: gate{failOn: critical}, gaps: []scanner.GapEntry{unknown("PS-IMG-013")}, want: 0},
		"not assessed":                          {gate: gate{failOn: critical, onUnknown: true}, gaps: []scanner.GapEntry{notAssessed("PS-IMG-013")}, want: 0},
		"required and not assessed":             {gate: gate{failOn: critical, onUnknown: true, require: []string{"PS-IMG-001"}}, gaps: []scanner.GapEntry{notAssessed("PS-IMG-001")}, want: 4},
		"required alone":                        {gate: gate{onUnknown: true, require: []string{"PS-IMG-001"}}, gaps: []scanner.GapEntry{unknown("PS-IMG-001")}, want: 4},
		"required, relaxed":                     {gate: gate{require: []string{"PS-IMG-001"}}, gaps: []scanner.GapEntry{unknown("PS-IMG-001")}, want: 4},
		"required and never asked":              {gate: gate{onUnknown: true, require: []string{"PS-IMG-099"}}, want: 4},
		"required and passed":                   {gate: gate{onUnknown: true, require: []string{"PS-IMG-013"}}, want: 0},
		"findings before unknown":               {gate: gate{failOn: high, onUnknown: true}, findings: []scanner.Finding{finding(listed, scanner.SeverityHigh)}, gaps: []scanner.GapEntry{unknown("PS-IMG-013")}, want: 3},
		"failed target before findings":         {gate: gate{failOn: high, onUnknown: true}, findings: []scanner.Finding{finding(listed, scanner.SeverityHigh)}, targets: []facts.Target{failed}, want: 1},
		"broken off":                            {gate: gate{onUnknown: true}, broken: true, want: 1},
		"nothing at all":                        {gate: gate{failOn: high, onUnknown: true}, nothing: true, want: 4},
	} {
		t.Run(name, func(t *testing.T) {
			rep := &scanner.Report{
				Run:      scanner.Run{Targets: c.targets, Complete: !c.broken},
				Findings: c.findings, Gaps: c.gaps,
				Checks: []scanner.CheckCount{
					{Rule: medium, Counts: scanner.Counts{Pass: 1}},
					{Rule: listed, Counts: scanner.Counts{Pass: 1}},
					{Rule: &scanner.Rule{ID: "PS-IMG-099"}},
				},
				Summary: scanner.Summary{Resources: 1},
			}
			if c.nothing {
				rep.Summary.Resources = 0
			}
			code := 0
			if err := c.gate.verdict(rep); err != nil {
				var v *verdictError
				if !errors.As(err, &v) || len(v.reasons) == 0 {
					t.Fatalf("error %v gives no code or no reason", err)
				}
				code = v.code
			}
			if code != c.want {
				t.Errorf("exit code %d, want %d", code, c.want)
			}
		})
	}
}

func TestGateTellsEverything(t *testing.T) {
	g := gate{failOn: severityValue{scanner.SeverityHigh, true}, onUnknown: true}
	rule := &scanner.Rule{ID: "PS-IMG-013", Severity: scanner.SeverityCritical}
	err := g.verdict(&scanner.Report{
		Run:      scanner.Run{Complete: true, Targets: []facts.Target{{Ref: "a", Error: "no such image"}}},
		Checks:   []scanner.CheckCount{{Rule: rule}},
		Findings: []scanner.Finding{{Rule: rule, Severity: scanner.SeverityHigh}, {Rule: rule}},
		Gaps:     []scanner.GapEntry{{Check: "PS-IMG-013", Status: facts.Unknown}},
	})
	var v *verdictError
	if !errors.As(err, &v) {
		t.Fatal(err)
	}
	for _, want := range []string{"a: no such image", "1 finding of severity high or worse", "PS-IMG-013", "unknown severity"} {
		if !slices.ContainsFunc(v.reasons, func(r string) bool { return strings.Contains(r, want) }) {
			t.Errorf("no reason says %q: %q", want, v.reasons)
		}
	}
}
