package isolation

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// CheckID is the check that this package decides.
const CheckID = "PS-PATH-010"

// Classes of workloads.
const (
	ClassUntrusted    = "untrusted"
	ClassTenantShared = "tenant-shared"
	ClassDefault      = "default"
	ClassSystem       = "system" // a DaemonSet of the system; it is held to the default
)

// Policy is the level that each class of workloads must have.
type Policy struct {
	Untrusted    int
	TenantShared int
	Default      int
	// SandboxHandlers are names of further runtime handlers that are a sandbox.
	SandboxHandlers []string
}

// DefaultPolicy is the policy without any parameter.
func DefaultPolicy() Policy { return Policy{Untrusted: 4, TenantShared: 3, Default: 2} }

// The parameters of PS-PATH-010.
const (
	paramUntrusted    = "isolation_untrusted"
	paramTenantShared = "isolation_tenant_shared"
	paramDefault      = "isolation_default"
	paramHandlers     = "sandbox_handlers"
)

// PolicyOf reads the policy of the parameters of a scan; one that is not among
// them has its default. The error is for a level that does not exist.
func PolicyOf(params map[string]any) (Policy, error) {
	p := DefaultPolicy()
	for name, level := range map[string]*int{paramUntrusted: &p.Untrusted, paramTenantShared: &p.TenantShared, paramDefault: &p.Default} {
		v, ok := params[name]
		if !ok {
			continue
		}
		n, err := strconv.Atoi(fmt.Sprint(v))
		if err != nil || n < 0 || n > 6 {
			return p, fmt.Errorf("parameter %s is %v: use a level from 0 to 6", name, v)
		}
		*level = n
	}
	if list, ok := params[paramHandlers].([]string); ok {
		p.SandboxHandlers = list
	}
	return p, nil
}

// class says which class a workload is of, and the level that it must have.
func (p Policy) class(w *facts.Workload) (class string, required int) {
	switch strings.ToLower(w.Class.Trust) {
	case "untrusted":
		return ClassUntrusted, p.Untrusted
	case "tenant-shared":
		return ClassTenantShared, p.TenantShared
	}
	if w.Kind == "DaemonSet" && (w.Component != "" || w.Namespace.System) {
		return ClassSystem, p.Default
	}
	return ClassDefault, p.Default
}

// Evaluator scores every workload that another evaluator judges, and decides
// PS-PATH-010 where that is selected. It is safe for concurrent use. It belongs
// to one scan.
type Evaluator struct {
	inner  scanner.Evaluator
	policy Policy
	rule   *scanner.Rule // of PS-PATH-010; nil where it is not selected

	mu     sync.Mutex
	groups map[string]*group // by the Input's key
	keys   sync.Pool         // buffers for keys
}

// group is the workloads with equal Inputs.
type group struct {
	in      *Input
	weakest int
	result  scanner.IsolationGroup
}

// NewEvaluator stands around another evaluator.
func NewEvaluator(inner scanner.Evaluator, p Policy) *Evaluator {
	e := &Evaluator{inner: inner, policy: p, groups: map[string]*group{}}
	e.keys.New = func() any { return new([]byte) }
	for _, r := range inner.Rules() {
		if r.ID == CheckID {
			e.rule = r
		}
	}
	return e
}

// Rules implements [scanner.Evaluator].
func (e *Evaluator) Rules() []*scanner.Rule { return e.inner.Rules() }

// Evaluate implements [scanner.Evaluator].
func (e *Evaluator) Evaluate(ctx context.Context, r *facts.Resource) ([]scanner.Outcome, error) {
	outcomes, err := e.inner.Evaluate(ctx, r)
	if err != nil {
		return nil, err
	}
	in, ok := FromWorkload(r, e.policy.SandboxHandlers)
	if !ok {
		in, ok = FromContainer(r, e.policy.SandboxHandlers)
	}
	if !ok {
		return outcomes, nil
	}
	g := e.groupOf(in)
	entry := scanner.IsolatedWorkload{Target: r.Target, Resource: scanner.ResourceRef{Kind: r.Kind, ID: r.ID}, Class: ClassDefault}
	if w, ok := r.Facts.(*facts.Workload); ok {
		if g.weakest < len(w.Containers) {
			entry.Container = w.Containers[g.weakest].Name
		}
		var required int
		entry.Class, required = e.policy.class(w)
		if e.rule != nil {
			o := e.judge(r, w, g, entry.Class, required)
			entry.Required, entry.Verdict = required, o.Status
			outcomes = slices.DeleteFunc(outcomes, func(o scanner.Outcome) bool { return o.Rule.ID == CheckID })
			outcomes = append(outcomes, o)
		}
	}
	e.mu.Lock()
	g.result.Workloads = append(g.result.Workloads, entry)
	e.mu.Unlock()
	return outcomes, nil
}

// groupOf finds the group of an Input, and scores it where it is new.
func (e *Evaluator) groupOf(in *Input) *group {
	buf := e.keys.Get().(*[]byte)
	*buf = appendInput((*buf)[:0], in)
	e.mu.Lock()
	g := e.groups[string(*buf)]
	e.mu.Unlock()
	k := ""
	if g == nil {
		k = string(*buf)
	}
	e.keys.Put(buf)
	if g != nil {
		return g
	}
	fresh := &group{in: in}
	fresh.result, fresh.weakest = Score(in)
	e.mu.Lock()
	defer e.mu.Unlock()
	if g := e.groups[k]; g != nil {
		return g // another goroutine came first
	}
	e.groups[k] = fresh
	return fresh
}

// judge holds a workload's level against what its class must have. What was not
// seen never lets it pass.
func (e *Evaluator) judge(r *facts.Resource, w *facts.Workload, g *group, class string, required int) scanner.Outcome {
	o := scanner.Outcome{Rule: e.rule, Resource: r, Status: scanner.Pass}
	switch {
	case g.result.Level >= required:
	case g.result.BestLevel < required:
		o.Status = scanner.Fail
		o.Violations = []scanner.Violation{{
			Message: g.message(class, required), Path: cmp.Or(w.PodPath, "spec"), Value: "L" + strconv.Itoa(g.result.Level), Severity: e.rule.Severity,
		}}
	default:
		o.Status, o.Gap = scanner.NotAssessed, facts.NotAssessed
		for _, f := range g.in.doubts(required) {
			if f.Gap == facts.Unknown {
				o.Status, o.Gap = scanner.Unknown, facts.Unknown
			}
			if !slices.Contains(o.Reasons, f.Reason) {
				o.Reasons = append(o.Reasons, f.Reason)
			}
		}
	}
	return o
}

// message says what a workload has and must have, why, and what would help.
func (g *group) message(class string, required int) string {
	r := &g.result
	m := fmt.Sprintf("its isolation is L%d (%s), and a workload of class %s must have L%d", r.BestLevel, LevelName(r.BestLevel), class, required)
	if r.Level != r.BestLevel {
		m = fmt.Sprintf("its isolation is L%d to L%d, and a workload of class %s must have L%d", r.Level, r.BestLevel, class, required)
	}
	var why []string
	for _, b := range r.Breakers {
		if b.Known && len(why) < 3 {
			why = append(why, b.What)
		}
	}
	if len(why) > 0 {
		m += ": " + strings.Join(why, "; ")
	}
	if i := slices.IndexFunc(r.Steps, func(s scanner.IsolationStep) bool { return s.Level >= required }); i >= 0 {
		m += fmt.Sprintf(". To get there: %s", r.Steps[i].Text)
	} else if len(r.Steps) > 0 {
		m += fmt.Sprintf(". The cheapest step up: %s", r.Steps[0].Text)
	}
	if class == ClassSystem {
		m += ". It is a DaemonSet of the system: where it must be so, accept it by its name in a waiver"
	}
	return m
}

// Report adds the isolation part, worst first, to a report; see [scanner.Options.Parts].
func (e *Evaluator) Report(rep *scanner.Report) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.groups) == 0 {
		return
	}
	iso := &scanner.Isolation{Model: scanner.IsolationModel, Groups: make([]scanner.IsolationGroup, 0, len(e.groups))}
	for _, g := range e.groups {
		if len(g.result.Workloads) == 0 {
			continue // the scan was broken off before it was booked
		}
		slices.SortFunc(g.result.Workloads, compareWorkloads)
		iso.Groups = append(iso.Groups, g.result)
	}
	slices.SortFunc(iso.Groups, func(a, b scanner.IsolationGroup) int {
		return cmp.Or(
			cmp.Compare(a.Level, b.Level), cmp.Compare(a.Score, b.Score), cmp.Compare(a.BestLevel, b.BestLevel), cmp.Compare(a.BestScore, b.BestScore),
			compareWorkloads(a.Workloads[0], b.Workloads[0]),
		)
	})
	rep.Isolation = iso
}

func compareWorkloads(a, b scanner.IsolatedWorkload) int {
	return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.Resource.ID, b.Resource.ID))
}
