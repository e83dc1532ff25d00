package checks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// TestReport is what [RunTests] found.
type TestReport struct {
	Tests    []TestResult // by file and line
	Coverage []Coverage   // one for each policy of the source, by id and file
}

// TestResult is one rule test_… of a test file.
type TestResult struct {
	Package  string
	Name     string
	File     string
	Line     int
	Pass     bool
	Skipped  bool   // the name begins with todo_
	Error    string // why it could not be run; a test that is merely false has none
	Output   string // what print said
	Duration time.Duration
}

// Coverage says what the tests of a policy showed it.
type Coverage struct {
	Check   *Check
	Failing bool // some test saw deny with something in it
	Passing bool // some test saw deny empty
	// Misshapen says what tests saw in deny that is no violation as the contract
	// has it; a scan would make the check unknown.
	Misshapen []string
}

// Err is nil where every test passed and every policy was seen to fail and to pass.
func (r *TestReport) Err() error {
	var problems Problems
	for _, t := range r.Tests {
		p := Problem{File: t.File, Line: t.Line}
		switch {
		case t.Error != "":
			p.Text = fmt.Sprintf("%s: %s", t.Name, t.Error)
		case t.Skipped:
			p.Text = t.Name + " is left to do"
		case !t.Pass:
			p.Text = t.Name + " is false"
		default:
			continue
		}
		problems = append(problems, p)
	}
	for _, c := range r.Coverage {
		for _, m := range c.Misshapen {
			problems = append(problems, Problem{File: c.Check.File, Text: m})
		}
		switch {
		case !c.Failing && !c.Passing:
			problems = append(problems, Problem{File: c.Check.File, Text: "no test looks at deny: write one on facts that fail and one on facts that pass"})
		case !c.Failing:
			problems = append(problems, Problem{File: c.Check.File, Text: "no test sees deny with something in it: write one on facts that fail"})
		case !c.Passing:
			problems = append(problems, Problem{File: c.Check.File, Text: "no test sees deny empty: write one on facts that pass"})
		}
	}
	return problems.orNil()
}

// RunTests verifies the policies of a source and runs their tests, as
// `opa check --strict` and `opa test` do, with what policies may use and no
// more. The built-in libraries are there for a user's policies. A test's package
// is the policy's own or has _test at its end.
//
// The error is [Problems] where the policies break the contract, so that there
// is nothing to run; failing tests are in the report, see [TestReport.Err].
func RunTests(ctx context.Context, source Source) (*TestReport, error) {
	sources := []Source{source}
	if !source.Official {
		sources = []Source{BuiltIn(), source}
	}
	c, err := Load(sources...)
	if err != nil {
		return nil, err
	}
	files := slices.DeleteFunc(slices.Clone(c.files), func(f *file) bool {
		return f.official != source.Official && f.kind != libraryFile
	})
	if _, err := compile(files, CompileOptions{Types: true}); err != nil {
		return nil, err
	}
	return runInParallel(ctx, files)
}

// runInParallel runs the tests in as many parts as there are processors: the
// tester compiles for itself, and traced tests run one after the other.
func runInParallel(ctx context.Context, files []*file) (*TestReport, error) {
	modules, err := parse(files, true)
	if err != nil {
		return nil, err
	}
	parts := make([][]ast.Ref, runtime.GOMAXPROCS(0)) // packages of tests
	next := 0
	for _, f := range files {
		if f.kind == testFile {
			parts[next%len(parts)] = append(parts[next%len(parts)], modules[f.name].Package.Path)
			next++
		}
	}
	reports, errs := make([]*TestReport, len(parts)), make([]error, len(parts))
	trace := make([]*coverageTracer, len(parts))
	var wg sync.WaitGroup
	for i, packages := range parts {
		trace[i] = newCoverageTracer(files)
		if len(packages) > 0 {
			wg.Go(func() { reports[i], errs[i] = run(ctx, modules, packages, trace[i]) })
		}
	}
	wg.Wait()
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return nil, errs[i] // all have compiled the same
	}
	all := &TestReport{Coverage: coverage(files, trace)}
	for _, r := range reports {
		if r != nil {
			all.Tests = append(all.Tests, r.Tests...)
		}
	}
	slices.SortFunc(all.Tests, func(a, b TestResult) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Name, b.Name))
	})
	return all, nil
}

// run runs the tests of some packages, one at a time: the tracer tells
// evaluations apart by their order.
func run(ctx context.Context, modules map[string]*ast.Module, packages []ast.Ref, trace *coverageTracer) (*TestReport, error) {
	compiler := ast.NewCompiler().WithCapabilities(Capabilities()).WithEnablePrintStatements(true)
	runner := tester.NewRunner().SetCompiler(compiler).SetModules(modules).SetPrefixMatchers(packages...).SetParallel(1).SetTimeout(time.Minute).
		SetCoverageQueryTracer(trace).RaiseBuiltinErrors(true).CapturePrintOutput(true)
	results, err := runner.RunTests(ctx, nil)
	if err != nil {
		var many ast.Errors
		if errors.As(err, &many) {
			return nil, regoProblems(many).orNil()
		}
		return nil, fmt.Errorf("run the tests of the policies: %w", err)
	}
	report := &TestReport{}
	for r := range results {
		t := TestResult{
			Package: strings.TrimPrefix(r.Package, "data."), Name: r.Name, Pass: r.Pass(), Skipped: r.Skip,
			Output: string(r.Output), Duration: r.Duration,
		}
		if r.Location != nil {
			t.File, t.Line = r.Location.File, r.Location.Row
		}
		if r.Error != nil {
			t.Error = r.Error.Error()
		}
		report.Tests = append(report.Tests, t)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return report, nil
}

// coverageTracer watches each evaluation of a deny: whether it yields anything.
// OPA says Index when it begins to look for the rules of a name, and Exit for
// each rule that holds.
type coverageTracer struct {
	denies map[string]*denySeen // by package
}

type denySeen struct {
	open, yielded    bool // of the evaluation that goes on
	failing, passing bool
	check            *Check
	misshapen        []string
}

func newCoverageTracer(files []*file) *coverageTracer {
	t := &coverageTracer{denies: map[string]*denySeen{}}
	for _, f := range files {
		if f.kind == policyFile {
			t.denies[f.pkg] = &denySeen{check: f.check}
		}
	}
	return t
}

// Enabled implements [topdown.QueryTracer].
func (t *coverageTracer) Enabled() bool { return true }

// Config implements [topdown.QueryTracer].
func (t *coverageTracer) Config() topdown.TraceConfig { return topdown.TraceConfig{} }

// TraceEvent implements [topdown.QueryTracer].
func (t *coverageTracer) TraceEvent(e topdown.Event) {
	switch e.Op {
	case topdown.IndexOp:
		if e.Ref == nil {
			return
		}
		names := groundNames(*e.Ref)
		if len(names) == 0 || names[len(names)-1] != "deny" {
			return
		}
		if d, ok := t.denies[strings.Join(names[:len(names)-1], ".")]; ok {
			d.close()
			d.open = true
		}
	case topdown.ExitOp:
		rule, ok := e.Node.(*ast.Rule)
		if !ok || ruleName(rule) != "deny" || rule.Module == nil {
			return
		}
		if d, ok := t.denies[packageName(rule.Module)]; ok {
			d.yielded = true
			d.look(e.Plug(rule.Head.Key))
		}
	default:
	}
}

// look holds what deny yields to the contract.
func (d *denySeen) look(t *ast.Term) {
	if t == nil || !t.IsGround() {
		return // the compiler left an expression
	}
	if _, err := d.check.Violation(t.Value); err != nil && !slices.Contains(d.misshapen, err.Error()) {
		d.misshapen = append(d.misshapen, err.Error())
	}
}

// close books the evaluation that ended.
func (d *denySeen) close() {
	switch {
	case d.open && d.yielded:
		d.failing = true
	case d.open:
		d.passing = true
	}
	d.open, d.yielded = false, false
}

// coverage joins what the tracers saw.
func coverage(files []*file, traces []*coverageTracer) []Coverage {
	var out []Coverage
	for _, f := range files {
		if f.check == nil || f.check.DecidedBy != "" {
			continue
		}
		c := Coverage{Check: f.check}
		for _, t := range traces {
			d := t.denies[f.pkg]
			d.close()
			c.Failing, c.Passing = c.Failing || d.failing, c.Passing || d.passing
			c.Misshapen = append(c.Misshapen, d.misshapen...)
		}
		slices.Sort(c.Misshapen)
		c.Misshapen = slices.Compact(c.Misshapen)
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Coverage) int {
		return cmp.Or(cmp.Compare(a.Check.ID, b.Check.ID), cmp.Compare(a.Check.File, b.Check.File))
	})
	return out
}
