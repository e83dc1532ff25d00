// Package checks is the catalogue: what postscan promises to look at. It reads
// the METADATA on top of every policy, which is the only home of a check's
// title, severity, remediation and references, and holds it to the contract.
//
// [Load] reads the METADATA alone, in parallel: a list of checks needs no Rego.
// [Catalogue.Compile] parses and checks the Rego of the subjects that a scan
// needs, and [Catalogue.Verify] that of all. [RunTests] runs the tests beside the policies,
// [Scaffold] writes a new check.
//
// The package does not know outcomes or findings; scanner/regoeval decides checks.
package checks

import (
	"slices"
	"strings"

	"github.com/postscan/postscan/scanner/facts"
)

// A Check is one promise, as the METADATA of its policy states it.
type Check struct {
	// ID is permanent: "PS-IMG-001". A user's own have another prefix than PS.
	ID          string
	Title       string
	Description string
	// Severity is the check's own; with Severities, the worst of them.
	Severity string
	// Severities are what a finding may have, worst first, where facts decide;
	// empty where Severity is the only one.
	Severities []string
	// Needs are the paths of the facts document without which the policy cannot
	// decide: "config.user", "vulnerabilities[].kev".
	Needs []string
	// Optional are paths that the policy reads too, and decides without where
	// they were not seen: it then meets the empty value.
	Optional []string
	// Params are the parameters that the policy reads as data.params.<name>.
	Params []Param
	// RequiresParams are those of Params without which there is nothing to
	// decide: where one is empty, the check is not assessed.
	RequiresParams   []string
	Remediation      string
	References       []Reference
	RelatedResources []RelatedResource
	// Since is the version of postscan that brought the check.
	Since string
	// Subject is the kind of resource that is judged.
	Subject facts.Kind
	// Package is the Rego package: "postscan.image.runs_as_root".
	Package string
	// File is where the policy stands, for people: "policies/image/runs_as_root.rego".
	File string
	// Source is the whole text of the file.
	Source string
	// DecidedBy says what decides a check that has no Rego; empty for all others.
	DecidedBy string
	// BuiltIn is true for a check that postscan brings itself.
	BuiltIn bool
	// Parts are the policies of the same check for other kinds of resources, by
	// subject: each has its own Subject, Package, File, Source, Needs, Optional,
	// Params and RequiresParams, and everything else of this one.
	Parts []*Check
}

// Policies are the check itself and its parts: one for each kind of resource
// that it judges.
func (c *Check) Policies() []*Check { return append([]*Check{c}, c.Parts...) }

// AllParams are the parameters of all its policies, each once.
func (c *Check) AllParams() []Param {
	var out []Param
	for _, policy := range c.Policies() {
		for _, p := range policy.Params {
			if !slices.ContainsFunc(out, func(q Param) bool { return q.Name == p.Name }) {
				out = append(out, p)
			}
		}
	}
	return out
}

// Subjects are the kinds of resources that the check judges, its own first.
func (c *Check) Subjects() []facts.Kind {
	out := []facts.Kind{c.Subject}
	for _, p := range c.Parts {
		out = append(out, p.Subject)
	}
	return out
}

// Reference points from a check to a control of a framework.
type Reference struct {
	Framework string // id of a [Framework]
	Control   string // id of one of its controls
}

// RelatedResource is a page to read on.
type RelatedResource struct {
	Ref         string // its address
	Description string
}

// Name is the last part of the package and the name of the file: "runs_as_root".
func (c *Check) Name() string { return lastPart(c.Package) }

// Rego is the policy below its METADATA, from the package on.
func (c *Check) Rego() string {
	at := 0
	for line := range strings.Lines(c.Source) {
		if strings.HasPrefix(line, "package ") {
			break
		}
		at += len(line)
	}
	return strings.TrimRight(c.Source[at:], "\n") + "\n"
}

// severities are the names that a check may use, worst first.
func severities() []string {
	return []string{"critical", "high", "medium", "low", "info", "unknown"}
}
