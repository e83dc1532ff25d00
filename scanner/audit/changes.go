package audit

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// States of a finding in the report of a difference, beside [scanner.BaselineNew]:
// the names are SARIF's.
const (
	baselineUpdated = "updated" // another severity
	baselineAbsent  = "absent"  // fixed
)

// DifferenceReport makes a report of what changed, in the form of the report that a
// scan makes: its findings are those that are new, open again or of another severity;
// what is fixed is among them too, suppressed, and in the report's baseline. The first
// evidence of each says how it changed, and the message of one that is not new. Everything else comes from the reports of the
// runs that saw the findings last; of one that was pruned, the history's own words
// have to do. name is what the report calls its beginning.
func (s *Store) DifferenceReport(ctx context.Context, d *Difference, name string) (*scanner.Report, error) {
	rep := &scanner.Report{
		Schema: scanner.ReportSchema,
		Run:    scanner.Run{Started: d.From, Finished: d.To, Collected: d.To, Params: map[string]any{}, Targets: []facts.Target{}, Complete: true},
		Baseline: &scanner.BaselineSummary{
			Name: name, Collected: d.From, New: len(d.New) + len(d.Reopened), Gone: []scanner.GoneFinding{},
		},
		Sources: []facts.Source{}, Packages: []scanner.PackageEntry{}, Findings: []scanner.Finding{}, Gaps: []scanner.GapEntry{}, Notices: []scanner.Notice{}, Compliance: []scanner.Framework{},
	}
	if d.More {
		rep.Notices = append(rep.Notices, scanner.Notice{Source: "audit", Text: fmt.Sprintf("more changed than is listed: of each kind the latest %d are", maxDifference)})
	}
	look := &lookup{store: s, runs: map[string]map[string]scanner.Finding{}, rules: map[string]*scanner.Rule{}}
	for _, part := range []struct {
		list          []Finding
		change, state string
		words         string // before the message, for formats that show neither
	}{{d.New, ChangeNew, scanner.BaselineNew, ""}, {d.Reopened, ChangeReopened, scanner.BaselineNew, "open again: "}, {d.Changed, ChangeSeverity, baselineUpdated, "of another severity: "}, {d.Fixed, ChangeFixed, baselineAbsent, ""}} {
		for i := range part.list {
			f, err := look.finding(ctx, &part.list[i])
			if err != nil {
				return nil, fmt.Errorf("read the finding %d of the difference: %w", part.list[i].ID, err)
			}
			f.Baseline, f.Message = part.state, part.words+f.Message
			f.Evidence = append([]scanner.Evidence{{Path: "history.change", Value: part.change}}, f.Evidence...)
			if part.change == ChangeFixed {
				f.Suppressed = &scanner.Suppression{By: "audit", Reason: "fixed, seen at " + part.list[i].FixedAt.Format("2006-01-02 15:04") + " UTC"}
				rep.Baseline.Gone = append(rep.Baseline.Gone, scanner.GoneFinding{
					Check: f.Rule.ID, Title: f.Rule.Title, Severity: f.Severity, Target: f.Target, Resource: f.Resource, Message: f.Message, Key: f.Key, Fingerprint: f.Fingerprint,
				})
			}
			rep.Findings = append(rep.Findings, f)
		}
	}
	slices.SortStableFunc(rep.Findings, func(x, y scanner.Finding) int { return cmp.Compare(y.Severity, x.Severity) })
	count(rep, d)
	return rep, nil
}

// count fills in what a report says of its findings as a whole.
func count(rep *scanner.Report, d *Difference) {
	sum := &rep.Summary
	sum.BySeverity = map[scanner.Severity]int{}
	for severity := scanner.SeverityUnknown; severity <= scanner.SeverityCritical; severity++ {
		sum.BySeverity[severity] = 0
	}
	known := map[string]bool{}
	for _, list := range [][]Finding{d.New, d.Reopened, d.Changed, d.Fixed} {
		for i := range list {
			if t := &list[i].Target; !known[t.Ref] {
				known[t.Ref] = true
				rep.Run.Targets = append(rep.Run.Targets, facts.Target{Kind: t.Kind, Ref: t.Ref, Identity: t.Identity})
			}
		}
	}
	slices.SortFunc(rep.Run.Targets, func(x, y facts.Target) int { return cmp.Compare(x.Ref, y.Ref) })
	sum.Targets = len(rep.Run.Targets)
	checks := map[string]*scanner.CheckCount{}
	resources := map[[2]string]bool{}
	for i := range rep.Findings {
		f := &rep.Findings[i]
		if f.Suppressed != nil {
			sum.Suppressed++
		} else {
			sum.Findings++
			sum.BySeverity[f.Severity]++
		}
		c := checks[f.Rule.ID]
		if c == nil {
			c = &scanner.CheckCount{Rule: f.Rule, ByTarget: map[string]scanner.Counts{}}
			checks[f.Rule.ID] = c
		}
		if f.Suppressed != nil {
			continue
		}
		c.Fail++
		sum.Fail++
		n := c.ByTarget[f.Target]
		n.Fail++
		c.ByTarget[f.Target] = n
		resources[[2]string{f.Target, f.Resource.ID}] = true
	}
	sum.Resources = len(resources)
	rep.Checks = make([]scanner.CheckCount, 0, len(checks))
	for _, id := range sortedKeys(checks) {
		rep.Checks = append(rep.Checks, *checks[id])
	}
}

// lookup finds what reports say of findings, and reads each report once.
type lookup struct {
	store *Store
	runs  map[string]map[string]scanner.Finding // by run and fingerprint; an empty one where the report was pruned
	rules map[string]*scanner.Rule
}

// finding is the finding as the report has it that saw it last, under the name that
// its target has in the history.
func (l *lookup) finding(ctx context.Context, f *Finding) (scanner.Finding, error) {
	var run, detail string
	err := l.store.db.read(ctx, func(q querier) error {
		_, err := one(ctx, q, []any{&run, &detail}, `SELECT `+evidenceRun+`, p.detail `+findingTables+` WHERE f.id = $1`, f.ID)
		return err
	})
	if err != nil {
		return scanner.Finding{}, err
	}
	if l.runs[run] == nil {
		l.runs[run] = map[string]scanner.Finding{}
		rep, err := l.store.Report(ctx, run)
		if err != nil && ctx.Err() != nil {
			return scanner.Finding{}, err
		}
		if err == nil { // else it was pruned
			for _, found := range rep.Findings {
				l.runs[run][found.Fingerprint] = found
			}
		}
	}
	if l.rules[f.Check] == nil {
		rule := &scanner.Rule{}
		if err := json.Unmarshal([]byte(detail), rule); err != nil {
			return scanner.Finding{}, err
		}
		l.rules[f.Check] = rule
	}
	out, ok := l.runs[run][f.Fingerprint]
	if !ok {
		out = scanner.Finding{Resource: scanner.ResourceRef{Kind: facts.Kind(f.Kind), ID: f.Resource}, Message: f.Message, Key: f.Key, Fingerprint: f.Fingerprint}
	}
	out.Rule, out.Severity, out.Target, out.Suppressed = l.rules[f.Check], f.Severity, f.Target.Ref, nil
	return out, nil
}
