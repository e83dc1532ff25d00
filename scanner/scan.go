package scanner

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/postscan/postscan/scanner/facts"
)

// Options are what [Scan] needs beside its collector and evaluator.
type Options struct {
	Version      string
	PolicyDigest string
	Params       map[string]any
	// Collected is the time of collection, which policies see as now.
	Collected time.Time
	// Now is the clock for the run's start and end.
	Now func() time.Time
	// Filters run in this order.
	Filters []Filter
	// Parts add further parts to the report, in this order, after the filters.
	Parts []func(*Report)
	// Tee also receives the stream, for --facts-out; nil for none.
	Tee Sink
	// Outcomes keeps every single outcome in the report.
	Outcomes bool
}

// Scan collects, judges and builds the report. Resources are judged as they
// come, on the goroutine that sends them. Where collection is broken off, the
// report on what came until then is returned beside the error.
func Scan(ctx context.Context, c Collector, e Evaluator, o Options) (*Report, error) {
	b := newBuilder(e, o)
	collectErr := c.Collect(ctx, b)
	rep, err := b.report(collectErr)
	if err != nil {
		return nil, err
	}
	return rep, collectErr
}

// builder is the Sink that judges what it is sent and gathers the report.
type builder struct {
	eval      Evaluator
	opts      Options
	started   time.Time
	mu        sync.Mutex
	rep       *Report
	targets   map[string]facts.Target // by Ref, for identities
	counts    map[string]*tally       // by check id
	findings  pile[Finding]
	gaps      pile[GapEntry]
	resources int
	running   *running // nil where no image is judged
}

func newBuilder(e Evaluator, o Options) *builder {
	b := &builder{
		eval: e, opts: o, started: o.Now(),
		rep:     &Report{Schema: ReportSchema, Run: Run{Targets: []facts.Target{}}, Sources: []facts.Source{}, Checks: []CheckCount{}, Packages: []PackageEntry{}, Findings: []Finding{}, Gaps: []GapEntry{}, Notices: []Notice{}, Compliance: []Framework{}},
		targets: map[string]facts.Target{},
		counts:  map[string]*tally{},
	}
	for _, r := range e.Rules() {
		b.counts[r.ID] = &tally{rule: r}
		if r.Subject == facts.KindImage && b.running == nil {
			b.running = &running{uses: map[string][]ImageUse{}}
		}
	}
	return b
}

// Target implements [Sink]. A target is sent before its resources.
func (b *builder) Target(t facts.Target) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if t.Properties == nil {
		t.Properties = map[string]string{}
	}
	b.targets[t.Ref] = t
	b.rep.Run.Targets = append(b.rep.Run.Targets, t)
	if b.opts.Tee != nil {
		return b.opts.Tee.Target(t)
	}
	return nil
}

// Source implements [Sink].
func (b *builder) Source(s facts.Source) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rep.Sources = append(b.rep.Sources, s)
	if b.opts.Tee != nil {
		return b.opts.Tee.Source(s)
	}
	return nil
}

// Resource implements [Sink].
func (b *builder) Resource(ctx context.Context, r *facts.Resource) error {
	r.Normalise()
	outcomes, err := b.eval.Evaluate(ctx, r)
	if err != nil {
		return fmt.Errorf("judge %s %q: %w", r.Kind, r.ID, err)
	}
	b.mu.Lock()
	target := b.targets[r.Target]
	b.mu.Unlock()
	n := 0
	for i := range outcomes {
		n += len(outcomes[i].Violations)
	}
	found := make([]Finding, 0, n) // made outside the lock, for others judge meanwhile
	for i := range outcomes {
		found = appendFindings(found, &outcomes[i], &target)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.resources++
	b.findings.take(found)
	if b.running != nil {
		b.running.add(r)
	}
	for i := range outcomes {
		b.add(&outcomes[i])
	}
	if held, ok := r.Facts.(facts.Packaged); ok {
		for _, p := range held.HeldPackages() {
			b.rep.Packages = append(b.rep.Packages, PackageEntry{Target: r.Target, Resource: r.ID, Package: p})
		}
	}
	if b.opts.Tee != nil {
		return b.opts.Tee.Resource(ctx, r)
	}
	return nil
}

// add books one outcome beside its findings.
func (b *builder) add(o *Outcome) {
	c, ok := b.counts[o.Rule.ID]
	if !ok {
		c = &tally{rule: o.Rule}
		b.counts[o.Rule.ID] = c
	}
	c.of(o.Resource.Target).Add(o.Status)
	ref := ResourceRef{Kind: o.Resource.Kind, ID: o.Resource.ID}
	if o.Gap != "" {
		b.gaps.add(GapEntry{Check: o.Rule.ID, Target: o.Resource.Target, Resource: ref, Status: o.Gap, Reasons: list(o.Reasons)})
	}
	if b.opts.Outcomes {
		b.rep.Outcomes = append(b.rep.Outcomes, OutcomeEntry{Check: o.Rule.ID, Target: o.Resource.Target, Resource: ref, Status: o.Status, Reasons: list(o.Reasons)})
	}
}

// tally counts the outcomes of one check by target. Most come from the target of
// the one before.
type tally struct {
	rule     *Rule
	byTarget map[string]*Counts
	last     string // the target that was counted last
	count    *Counts
}

// of is the count of a target.
func (t *tally) of(target string) *Counts {
	if t.count != nil && t.last == target {
		return t.count
	}
	n, ok := t.byTarget[target]
	if !ok {
		n = &Counts{}
		if t.byTarget == nil {
			t.byTarget = map[string]*Counts{}
		}
		t.byTarget[target] = n
	}
	t.last, t.count = target, n
	return n
}

// checkCount is what the report holds of it.
func (t *tally) checkCount() CheckCount {
	c := CheckCount{Rule: t.rule, ByTarget: make(map[string]Counts, len(t.byTarget))}
	for target, n := range t.byTarget {
		c.ByTarget[target] = *n
		c.Pass += n.Pass
		c.Fail += n.Fail
		c.NotApplicable += n.NotApplicable
		c.NotAssessed += n.NotAssessed
		c.Unknown += n.Unknown
	}
	return c
}

// pileBlock is how many elements a block of a [pile] holds.
const pileBlock = 4096

// pile is a long list while it grows: in blocks, so that what is in it is copied
// once and not at every growth.
type pile[T any] struct{ blocks [][]T }

func (p *pile[T]) add(elements ...T) {
	for len(elements) > 0 {
		last := len(p.blocks) - 1
		if last < 0 || len(p.blocks[last]) == cap(p.blocks[last]) {
			p.blocks, last = append(p.blocks, make([]T, 0, pileBlock)), last+1
		}
		n := min(len(elements), cap(p.blocks[last])-len(p.blocks[last]))
		p.blocks[last], elements = append(p.blocks[last], elements[:n]...), elements[n:]
	}
}

// take adds a list that nobody else uses any more, without copying it.
func (p *pile[T]) take(block []T) {
	if len(block) > 0 {
		p.blocks = append(p.blocks, block[:len(block):len(block)])
	}
}

// list takes everything out, as one list that is not nil.
func (p *pile[T]) list() []T {
	n := 0
	for _, b := range p.blocks {
		n += len(b)
	}
	out := make([]T, 0, n)
	for i, b := range p.blocks {
		out = append(out, b...)
		p.blocks[i] = nil
	}
	p.blocks = nil
	return out
}

// report sorts, filters and counts what was gathered.
func (b *builder) report(collectErr error) (*Report, error) {
	rep := b.rep
	for _, c := range b.counts {
		rep.Checks = append(rep.Checks, c.checkCount())
	}
	rep.Findings, rep.Gaps = b.findings.list(), b.gaps.list()
	slices.SortFunc(rep.Checks, func(x, y CheckCount) int { return cmp.Compare(x.ID, y.ID) })
	slices.SortFunc(rep.Run.Targets, func(x, y facts.Target) int { return cmp.Compare(x.Ref, y.Ref) })
	slices.SortFunc(rep.Sources, func(x, y facts.Source) int { return cmp.Compare(x.Name, y.Name) })
	sortGaps(rep.Gaps)
	slices.SortFunc(rep.Outcomes, func(x, y OutcomeEntry) int {
		return cmp.Or(cmp.Compare(x.Target, y.Target), cmp.Compare(x.Resource.ID, y.Resource.ID), cmp.Compare(x.Check, y.Check))
	})
	slices.SortFunc(rep.Packages, func(x, y PackageEntry) int {
		return cmp.Or(cmp.Compare(x.Target, y.Target), cmp.Compare(x.Resource, y.Resource), cmp.Compare(x.Type, y.Type),
			cmp.Compare(x.Name, y.Name), cmp.Compare(x.Version, y.Version), cmp.Compare(x.Path, y.Path))
	})
	if b.running != nil {
		b.running.join(rep)
	}
	SortFindings(rep.Findings)
	for _, f := range b.opts.Filters {
		if err := f.Apply(rep); err != nil {
			return nil, err
		}
	}
	rep.Run.Version = b.opts.Version
	rep.Run.PolicyDigest = b.opts.PolicyDigest
	rep.Run.Params = b.opts.Params
	if rep.Run.Params == nil {
		rep.Run.Params = map[string]any{}
	}
	rep.Run.Started = b.started.UTC()
	rep.Run.Collected = b.opts.Collected.UTC()
	rep.Run.Complete = collectErr == nil
	if collectErr != nil {
		rep.Run.Error = collectErr.Error()
	}
	for _, add := range b.opts.Parts {
		add(rep)
	}
	rep.Run.Finished = b.opts.Now().UTC()
	rep.Summary = summarise(rep, b.resources)
	return rep, nil
}

// sortGaps puts gaps into the report's order: by target, resource, check and kind.
func sortGaps(gaps []GapEntry) {
	type group struct{ target, resource string }
	sortGrouped(gaps, func(g *GapEntry) group { return group{g.Target, g.Resource.ID} }, func(a, b group) int {
		return cmp.Or(cmp.Compare(a.target, b.target), cmp.Compare(a.resource, b.resource))
	}, func(a, b *GapEntry) int {
		return cmp.Or(cmp.Compare(a.Check, b.Check), cmp.Compare(a.Resource.Kind, b.Resource.Kind))
	})
}

// summarise counts the report.
func summarise(rep *Report, resources int) Summary {
	s := Summary{
		Targets: len(rep.Run.Targets), Resources: resources, Packages: len(rep.Packages),
		BySeverity: map[Severity]int{},
	}
	for sev := SeverityUnknown; sev <= SeverityCritical; sev++ {
		s.BySeverity[sev] = 0
	}
	for _, t := range rep.Run.Targets {
		if t.Error != "" {
			s.Failed++
		}
	}
	for i := range rep.Findings {
		if rep.Findings[i].Suppressed != nil {
			s.Suppressed++
			continue
		}
		s.Findings++
		s.BySeverity[rep.Findings[i].Severity]++
	}
	for _, c := range rep.Checks {
		s.Pass += c.Pass
		s.Fail += c.Fail
		s.NotApplic += c.NotApplicable
		s.NotAssessed += c.NotAssessed
		s.Unknown += c.Unknown
	}
	return s
}
