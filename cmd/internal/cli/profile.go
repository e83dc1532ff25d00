package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// defaultProfile is read where it is there and --profile is not given.
const defaultProfile = ".postscan/profile.yaml"

// profile is the profile in force; its zero value changes nothing.
type profile struct {
	name string // empty where there is none
	checks.Resolved
}

// readProfile reads the profile of the flag, or else the default one, and holds it
// against the catalogue.
func (f *policyFlags) readProfile(cat *checks.Catalogue) (profile, error) {
	name := f.profile
	if name == "" {
		if _, err := os.Stat(defaultProfile); errors.Is(err, fs.ErrNotExist) {
			return profile{}, nil
		}
		name = defaultProfile
	}
	in, err := os.Open(name)
	if err != nil {
		return profile{}, usage(fmt.Errorf("--profile %s: %w", name, errorCause(err)))
	}
	defer func() { _ = in.Close() }() // it was only read
	read, err := checks.ReadProfile(in, name)
	if err != nil {
		return profile{}, usage(err)
	}
	resolved, err := read.Resolve(cat)
	if err != nil {
		return profile{}, usage(err)
	}
	return profile{name: name, Resolved: *resolved}, nil
}

// notices say what the profile changes. A gate that is weaker than people think
// must show.
func (p profile) notices(cat *checks.Catalogue, kinds []facts.Kind, selects bool) []scanner.Notice {
	if p.name == "" {
		return nil
	}
	var parts []string
	if selects && len(p.Include)+len(p.Exclude) > 0 {
		all := judging(cat.All(), kinds)
		if left, err := cat.Select(p.Include, p.Exclude); err == nil {
			parts = append(parts, fmt.Sprintf("it leaves %d of %s", len(judging(left, kinds)), plural(len(all), "check")))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.Severities)) {
		if c, ok := cat.Lookup(id); ok && len(judging([]*checks.Check{c}, kinds)) > 0 {
			parts = append(parts, id+" counts as "+levelsText(c, p.Severities[id]))
		}
	}
	if len(p.Params) > 0 {
		parts = append(parts, "it sets "+strings.Join(slices.Sorted(maps.Keys(p.Params)), ", "))
	}
	if len(parts) == 0 {
		return nil
	}
	return []scanner.Notice{{Source: "profile", Text: p.name + " is in force: " + strings.Join(parts, "; ")}}
}

// judging are the checks that judge one of the kinds; none is any.
func judging(list []*checks.Check, kinds []facts.Kind) []*checks.Check {
	if len(kinds) == 0 {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(c *checks.Check) bool {
		return !slices.ContainsFunc(c.Subjects(), func(k facts.Kind) bool { return slices.Contains(kinds, k) })
	})
}

// levelsText says what a check's severities count as: "high, not medium".
func levelsText(c *checks.Check, levels checks.Levels) string {
	var parts []string
	for _, own := range ownSeverities(c) {
		if now := levels.Of(own); now != own {
			parts = append(parts, now+", not "+own)
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "before")
}

// ownSeverities are those that a check gives its findings, worst first.
func ownSeverities(c *checks.Check) []string {
	if len(c.Severities) > 0 {
		return c.Severities
	}
	return []string{c.Severity}
}

// severitiesOf are those that findings of the check have under the profile, worst
// first, each once.
func (p profile) severitiesOf(c *checks.Check) []string {
	var out []string
	for _, own := range ownSeverities(c) {
		if now := p.Severities[c.ID].Of(own); !slices.Contains(out, now) {
			out = append(out, now)
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		x, _ := scanner.ParseSeverity(a) // the catalogue holds known ones alone
		y, _ := scanner.ParseSeverity(b)
		return -cmp.Compare(x, y)
	})
	return out
}

// notes is a filter that tells what everybody who reads the report must know.
type notes []scanner.Notice

// Apply implements [scanner.Filter].
func (n notes) Apply(r *scanner.Report) error {
	r.Notices = append(r.Notices, n...)
	return nil
}

// rated judges as its evaluator does, with the severities of a profile. Nothing
// else of a finding changes, its fingerprint least of all.
type rated struct {
	scanner.Evaluator
	rules  map[string]*scanner.Rule // those that change, by id
	levels map[string]map[scanner.Severity]scanner.Severity
}

// withSeverities puts a profile's severities over an evaluator.
func withSeverities(e scanner.Evaluator, changes map[string]checks.Levels) (scanner.Evaluator, error) {
	if len(changes) == 0 {
		return e, nil
	}
	out := rated{Evaluator: e, rules: map[string]*scanner.Rule{}, levels: map[string]map[scanner.Severity]scanner.Severity{}}
	for _, rule := range e.Rules() {
		levels, ok := changes[rule.ID]
		if !ok {
			continue
		}
		changed, to := *rule, map[scanner.Severity]scanner.Severity{}
		for _, own := range append(slices.Clone(rule.Severities), rule.Severity) {
			now, err := scanner.ParseSeverity(levels.Of(own.String()))
			if err != nil {
				return nil, err
			}
			to[own] = now
		}
		changed.Severity, changed.Severities = to[rule.Severity], nil
		for _, own := range rule.Severities {
			if now := to[own]; !slices.Contains(changed.Severities, now) {
				changed.Severities = append(changed.Severities, now)
			}
		}
		slices.SortFunc(changed.Severities, func(a, b scanner.Severity) int { return -cmp.Compare(a, b) })
		out.rules[rule.ID], out.levels[rule.ID] = &changed, to
	}
	return out, nil
}

// Rules implements [scanner.Evaluator].
func (r rated) Rules() []*scanner.Rule {
	list := slices.Clone(r.Evaluator.Rules())
	for i, rule := range list {
		if changed, ok := r.rules[rule.ID]; ok {
			list[i] = changed
		}
	}
	return list
}

// Evaluate implements [scanner.Evaluator].
func (r rated) Evaluate(ctx context.Context, res *facts.Resource) ([]scanner.Outcome, error) {
	outcomes, err := r.Evaluator.Evaluate(ctx, res)
	for i := range outcomes {
		o := &outcomes[i]
		rule, ok := r.rules[o.Rule.ID]
		if !ok {
			continue
		}
		to := r.levels[o.Rule.ID]
		o.Rule = rule
		o.Violations = slices.Clone(o.Violations) // resources with equal facts share them
		for k := range o.Violations {
			if now, ok := to[o.Violations[k].Severity]; ok {
				o.Violations[k].Severity = now
			}
		}
	}
	return outcomes, err
}

// selects says whether the profile lets the check judge.
func (p profile) selects(cat *checks.Catalogue, c *checks.Check) bool {
	selected, err := cat.Select(p.Include, p.Exclude)
	return err == nil && slices.Contains(selected, c)
}
