// Package regoeval decides checks with policies in Rego.
//
// It compiles the selected policies once, one compilation and one query for each
// subject. A resource is judged in four steps: what a policy needs and was not
// seen answers for it; the fields that the policies need are converted, without
// a detour over JSON; one evaluation asks the subject's policies; and their
// answers become outcomes. A policy is asked once about facts that are equal in
// what it looks at.
//
// Nothing fails open. A policy that ends in an error, takes too long or answers
// with something that is no violation is unknown, with the reason, and is told
// in the log; the others of the subject still count.
package regoeval

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/storage/inmem"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// defaultTimeout bounds one evaluation of one resource. The policies of an image
// with thousands of vulnerabilities take well under a second.
const defaultTimeout = 30 * time.Second

// Options are what [New] takes beside the checks.
type Options struct {
	// Params are the values that a profile gives; every other parameter has the
	// default that its check states. One that no check of the catalogue knows is
	// an error, as is a value of another type.
	Params map[string]any
	// Now is the time of collection, data.params.now of the policies.
	Now time.Time
	// Parallel is how many resources are evaluated at once; the number of
	// processors where it is 0.
	Parallel int
	// Timeout bounds the evaluation of one resource; 30 seconds where it is 0.
	Timeout time.Duration
	// Sure are kinds of which a resource is sure to come: their policies are compiled
	// at once, those of other kinds when the first resource comes. Nil is all kinds.
	Sure []facts.Kind
	// Log takes errors of policies; nothing is logged where it is nil.
	Log *slog.Logger
}

// Evaluator judges resources. It implements [scanner.Evaluator].
type Evaluator struct {
	rules    []*scanner.Rule // by id
	subjects map[facts.Kind]*subject
	params   map[string]any
	timeout  time.Duration
	slots    chan struct{} // one for each evaluation that may go on
	log      *slog.Logger
}

// New prepares the selected checks. The error is [checks.Problems] where policies
// of a user break the contract. Subjects that have built-in policies alone, which
// are proven when postscan is built, go on compiling while the scan begins.
func New(ctx context.Context, catalogue *checks.Catalogue, selected []*checks.Check, o Options) (*Evaluator, error) {
	if len(selected) == 0 {
		return nil, errors.New("prepare policies: no check is selected")
	}
	params, err := parameters(catalogue, o.Params)
	if err != nil {
		return nil, err
	}
	e := &Evaluator{
		subjects: map[facts.Kind]*subject{},
		params:   params,
		timeout:  o.Timeout,
		slots:    make(chan struct{}, parallel(o.Parallel)),
		log:      o.Log,
	}
	if e.timeout <= 0 {
		e.timeout = defaultTimeout
	}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	seen := maps.Clone(params)
	seen["now"] = o.Now.UTC().Format(time.RFC3339)
	store := inmem.NewFromObjectWithOpts(map[string]any{"params": seen}, inmem.OptReturnASTValuesOnRead(true))

	bySubject := map[facts.Kind][]*checks.Check{}
	rules := map[string]*scanner.Rule{} // one for a check, however many policies it has
	for _, c := range selected {
		r, err := rule(c)
		if err != nil {
			return nil, err
		}
		rules[c.ID], e.rules = r, append(e.rules, r)
		for _, p := range c.Policies() {
			bySubject[p.Subject] = append(bySubject[p.Subject], p)
		}
	}
	var errs []error
	for kind, own := range bySubject {
		s, err := newSubject(ctx, catalogue, kind, own, rules, params, store)
		if err != nil {
			return nil, err
		}
		e.subjects[kind] = s
		if o.Sure == nil || slices.Contains(o.Sure, kind) {
			s.begin()
		}
	}
	for kind, own := range bySubject {
		if slices.ContainsFunc(own, func(c *checks.Check) bool { return !c.BuiltIn }) {
			errs = append(errs, e.subjects[kind].wait(ctx))
		}
	}
	if err := joined(errs); err != nil {
		return nil, err
	}
	slices.SortFunc(e.rules, func(a, b *scanner.Rule) int { return strings.Compare(a.ID, b.ID) })
	return e, nil
}

// parameters joins what a profile gives with the defaults.
func parameters(catalogue *checks.Catalogue, given map[string]any) (map[string]any, error) {
	out := map[string]any{}
	for _, p := range catalogue.Params() {
		out[p.Name] = p.Default
		if v, ok := given[p.Name]; ok {
			value, err := p.Value(v)
			if err != nil {
				return nil, err
			}
			out[p.Name] = value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, ok := out[name]; !ok {
			return nil, fmt.Errorf("parameter %q: no check has it; they have %s", name, strings.Join(slices.Sorted(maps.Keys(out)), ", "))
		}
	}
	return out, nil
}

// Params are the values of all parameters, those that were given and the
// defaults of the others. The time is not among them.
func (e *Evaluator) Params() map[string]any { return maps.Clone(e.params) }

// Rules implements [scanner.Evaluator].
func (e *Evaluator) Rules() []*scanner.Rule { return slices.Clone(e.rules) }

// Evaluate implements [scanner.Evaluator]. Beside a cancelled context, its error
// is that built-in policies do not compile.
func (e *Evaluator) Evaluate(ctx context.Context, r *facts.Resource) ([]scanner.Outcome, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s, ok := e.subjects[r.Kind]
	if !ok {
		return nil, nil // no selected check judges this kind
	}
	if err := s.wait(ctx); err != nil {
		return nil, err
	}
	gaps := s.gaps.in(r, s.policies)
	answers, err := e.answers(ctx, s, r, gaps.run)
	if err != nil {
		return nil, err
	}
	outcomes := make([]scanner.Outcome, len(s.policies))
	for i, p := range s.policies {
		outcomes[i] = outcome(p, r, gaps.of[i], answers[i])
	}
	return outcomes, nil
}

// outcome joins what was not seen with what the policy says.
func outcome(p *policy, r *facts.Resource, g gap, a answer) scanner.Outcome {
	o := scanner.Outcome{Rule: p.rule, Resource: r, Violations: a.violations}
	if len(a.unknown) > 0 {
		g.reasons = slices.Clone(g.reasons) // they are shared
		g.add(facts.Unknown, a.unknown...)
	}
	o.Gap, o.Reasons = g.status, g.reasons
	switch {
	case len(a.violations) > 0:
		o.Status = scanner.Fail
	case g.status == facts.Unknown:
		o.Status = scanner.Unknown
	case g.status == facts.NotAssessed:
		o.Status = scanner.NotAssessed
	case a.notApplicable:
		o.Status = scanner.NotApplicable
	default:
		o.Status = scanner.Pass
	}
	return o
}

// parallel is how many evaluations may go on at once.
func parallel(asked int) int {
	if asked > 0 {
		return asked
	}
	return runtime.GOMAXPROCS(0)
}

// joined is all problems as one, or the other errors joined.
func joined(errs []error) error {
	var all checks.Problems
	for _, err := range errs {
		var ps checks.Problems
		if err != nil && !errors.As(err, &ps) {
			return errors.Join(errs...)
		}
		all = append(all, ps...)
	}
	if len(all) == 0 {
		return nil
	}
	return all
}
