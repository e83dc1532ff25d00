package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/isolation"
	"github.com/postscan/postscan/scanner/regoeval"
	"github.com/postscan/postscan/scanner/report"
)

// scanFlags are the flags of every command that judges.
type scanFlags struct {
	output   outputFlags
	policy   policyFlags
	gate     gate
	triage   triageFlags
	upload   uploadFlags
	outcomes bool
	factsOut string
	timeout  time.Duration
}

// define adds the flags. collects is false for a command that judges facts that
// were collected before.
func (f *scanFlags) define(cmd *cobra.Command, collects bool) {
	addFlags(cmd, "Report", func(fs *pflag.FlagSet) {
		f.output.define(fs)
		fs.BoolVar(&f.outcomes, "outcomes", false, "put every single outcome into the JSON report, passes too")
		if collects {
			f.upload.define(fs)
			fs.StringVar(&f.factsOut, "facts-out", "", "keep what was seen in this `FILE`, for postscan eval")
		}
	})
	addFlags(cmd, "Gate", func(fs *pflag.FlagSet) {
		f.gate.define(fs)
		f.triage.define(fs)
	})
	addFlags(cmd, "Policy", f.policy.define)
	addFlags(cmd, "Limit", func(fs *pflag.FlagSet) {
		fs.DurationVar(&f.timeout, "timeout", 0, "give up after this `TIME`, as 5m (default never)")
	})
}

// job is what one scan collects.
type job struct {
	// collector is called once everything else stands, and closes what it opened
	// when the context is done or close is called.
	collector func(ctx context.Context) (c scanner.Collector, closer func(), err error)
	// collected is the time that policies take for now.
	collected time.Time
	// params are those that the facts were collected with; nil for a new scan.
	params map[string]any
	// kinds are what the collector can yield; none: any. Policies about other
	// things are not even compiled.
	kinds []facts.Kind
	// sure are those of them that a resource is sure to come of; nil is all.
	sure []facts.Kind
}

// errTimeout is the cause of a scan's end by --timeout.
var errTimeout = errors.New("the time of --timeout is over")

// scan collects, judges, and writes the report. The error tells the exit code.
func (a *app) scan(ctx context.Context, f *scanFlags, j job) error {
	if f.timeout < 0 {
		return usage(fmt.Errorf("--timeout %s: use a time above 0, as 5m", f.timeout))
	}
	sel, err := f.policy.load(ctx, a, j.kinds, j.params)
	if err != nil {
		return err
	}
	asked, err := regoeval.New(ctx, sel.catalogue, sel.checks, regoeval.Options{Params: sel.params, Now: j.collected, Sure: j.sure, Log: a.log})
	if err != nil {
		return fmt.Errorf("load the policies: %w", err)
	}
	eval, err := withSeverities(asked, sel.profile.Severities)
	if err != nil {
		return err
	}
	policy, err := isolation.PolicyOf(sel.params)
	if err != nil {
		return usage(err)
	}
	scored := isolation.NewEvaluator(eval, policy)
	if err := f.gate.validate(eval.Rules()); err != nil {
		return err
	}
	annotations := f.triage.newAnnotations(sel.catalogue, a.env.Now())
	filters, err := f.triage.filters(sel.catalogue, annotations, a.env.Now())
	if err != nil {
		return err
	}
	filters = append([]scanner.Filter{notes(sel.notices)}, filters...)
	token, err := f.upload.open(a)
	if err != nil {
		return err
	}
	out, err := f.output.open()
	if err != nil {
		return err
	}
	defer out.abort()
	tee, err := a.factsFile(f.factsOut, facts.Header{Version: a.env.Version, Collected: j.collected, Params: sel.params, Kinds: j.kinds})
	if err != nil {
		return err
	}
	defer tee.abort()

	limited := ctx
	if f.timeout > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeoutCause(ctx, f.timeout, fmt.Errorf("%w (%s)", errTimeout, f.timeout))
		defer cancel()
	}
	collector, closer, err := j.collector(limited)
	if err != nil {
		return because(limited, err)
	}
	defer closer()
	dropStartupPages() // and what loading them took
	rep, err := scanner.Scan(limited, annotated{withCause{collector}, annotations}, scored, scanner.Options{
		Version:      a.env.Version,
		PolicyDigest: "sha256:" + sel.catalogue.Digest(),
		Params:       sel.params,
		Collected:    j.collected,
		Now:          a.env.Now,
		Filters:      filters,
		Parts: []func(*scanner.Report){scored.Report, func(rep *scanner.Report) {
			rep.Compliance = report.Compliance(rep, f.policy.framework.list(sel.catalogue), sel.catalogue.All(), j.kinds)
		}},
		Tee:      tee.sink(),
		Outcomes: f.outcomes,
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if rep == nil {
		return err
	}
	if err := tee.commit(err); err != nil {
		return err
	}
	if err := a.writeReport(ctx, out, rep); err != nil {
		return err
	}
	if err := f.upload.send(ctx, a, token, rep); err != nil {
		return err
	}
	return f.gate.verdict(rep)
}

// vulnerabilityChecks are the checks that list known vulnerabilities, to which
// --only-fixable applies.
func vulnerabilityChecks() []string { return []string{"PS-IMG-013", "PS-VM-011"} }

// withCause tells why a collection ended where the context knows it better.
type withCause struct{ scanner.Collector }

func (c withCause) Collect(ctx context.Context, sink scanner.Sink) error {
	return because(ctx, c.Collector.Collect(ctx, sink))
}

// because returns why the context ended in place of an error that came of it.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, errTimeout) {
		return cause
	}
	return err
}

// factsFile is the file of --facts-out; nil where there is none.
type factsFile struct {
	mu   sync.Mutex
	w    *facts.Writer
	file *outFile
}

func (a *app) factsFile(name string, h facts.Header) (*factsFile, error) {
	if name == "" {
		return nil, nil
	}
	file, err := createFile(name)
	if err != nil {
		return nil, err
	}
	w, err := facts.NewWriter(file, h)
	if err != nil {
		file.Abort()
		return nil, fmt.Errorf("write the facts: %w", err)
	}
	return &factsFile{w: w, file: file}, nil
}

// sink returns the file as a sink, a nil interface where there is none.
func (f *factsFile) sink() scanner.Sink {
	if f == nil {
		return nil
	}
	return f
}

// Target implements [scanner.Sink].
func (f *factsFile) Target(t facts.Target) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.w.Target(t)
}

// Source implements [scanner.Sink].
func (f *factsFile) Source(s facts.Source) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.w.Source(s)
}

// Resource implements [scanner.Sink].
func (f *factsFile) Resource(_ context.Context, r *facts.Resource) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.w.Resource(r)
}

// commit ends the stream; broken is what broke collection off, or nil.
func (f *factsFile) commit(broken error) error {
	if f == nil {
		return nil
	}
	if err := f.w.Close(broken); err != nil {
		return fmt.Errorf("write the facts: %w", err)
	}
	return f.file.Commit()
}

func (f *factsFile) abort() {
	if f != nil {
		f.file.Abort()
	}
}
