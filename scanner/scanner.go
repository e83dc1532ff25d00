// Package scanner is the spine of postscan: the words that every part uses and
// the one direction in which things flow.
//
//	target → Collector → facts → Evaluator → outcomes → filters → Report → writers
//	         (I/O)                           (pure)     (pure)             (I/O)
//
// It holds the seams and no implementation: collectors live in scanner/collect,
// the evaluator in scanner/regoeval, filters in scanner/filter, writers in
// scanner/report. [Scan] wires what it is given; it knows none of them.
package scanner

import (
	"context"

	"github.com/postscan/postscan/scanner/facts"
)

// A Collector looks at targets and tells what it saw.
type Collector interface {
	// Collect sends every target, source and resource to sink. Sink may be
	// called from several goroutines.
	//
	// What cannot be seen of a resource goes into its Missing map; a target that
	// yields no facts at all is sent with its Error set and does not stop the
	// others. The error that Collect returns is for what ends the whole
	// collection: a cancelled context, or a sink that refuses.
	Collect(ctx context.Context, sink Sink) error
}

// Sink takes what a collector saw. Its methods are safe for concurrent use.
type Sink interface {
	Target(facts.Target) error
	Source(facts.Source) error
	Resource(ctx context.Context, r *facts.Resource) error
}

// An Evaluator judges resources. It is safe for concurrent use.
type Evaluator interface {
	// Evaluate returns one outcome for each selected check whose subject is the
	// resource's kind. The error is for a cancelled context only: a policy that
	// fails is an Unknown outcome.
	Evaluate(ctx context.Context, r *facts.Resource) ([]Outcome, error)
	// Rules returns every selected check, for the report's counters.
	Rules() []*Rule
}

// A Filter marks findings of a report: as suppressed, as new. It never removes
// one. What it has to say beside goes into the report's notices.
type Filter interface {
	Apply(r *Report) error
}

// Severity orders findings. The zero value is the severity of an advisory that
// states none.
type Severity int

// The severities, least first.
const (
	SeverityUnknown Severity = iota
	SeverityInfo
	SeverityLow
	SeverityMedium
	SeverityHigh
	SeverityCritical
)

// Rule is what a finding needs to know of its check: what checks.Check tells,
// without Rego. One Rule is shared by all findings of a check.
type Rule struct {
	ID          string      `json:"id"`
	Title       string      `json:"title"`
	Description string      `json:"description"`
	Severity    Severity    `json:"severity"`   // the check's own; a finding may have another
	Severities  []Severity  `json:"severities"` // every severity that a finding may have; a gate asks for the worst
	Subject     facts.Kind  `json:"subject"`
	Remediation string      `json:"remediation"`
	References  []Reference `json:"references"`
}

// Reference points from a check to a control of a framework or to a page.
type Reference struct {
	Framework string `json:"framework"` // "nist-800-190", "attack", "cwe" …; "url" for a page
	Control   string `json:"control"`   // "4.1.2"; for a page its address
}

// Status is the verdict of one check on one resource.
type Status string

// The verdicts.
const (
	Pass          Status = "pass"
	Fail          Status = "fail"
	NotApplicable Status = "not_applicable"
	NotAssessed   Status = "not_assessed"
	Unknown       Status = "unknown"
)

// Outcome is what one check says of one resource.
type Outcome struct {
	Rule     *Rule
	Resource *facts.Resource
	Status   Status
	// Reasons say why the status is NotAssessed or Unknown. A Fail with reasons
	// is one that did not see everything: both are kept.
	Reasons []string
	// Gap is the kind of not knowing behind Reasons; empty where there are none.
	Gap facts.Gap
	// Violations are the broken promises of a Fail, in the policy's order.
	Violations []Violation
}

// Violation is one object of a policy's deny set.
type Violation struct {
	Message  string
	Path     string // where in the facts document
	Value    any    // what stands there; JSON types only
	Key      string // what makes two violations of one check on one resource different
	Severity Severity
	// Evidence is Path and Value as findings hold them, shared by all findings of
	// a violation that many resources have; nil where nobody made it.
	Evidence []Evidence
}
