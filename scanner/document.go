package scanner

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/postscan/postscan/scanner/facts"
)

// FindingDocument is a finding as reports hold it: complete in itself, with the
// texts of its check written out, so that a reader of one finding needs no other
// part of the report.
type FindingDocument struct {
	Check         string         `json:"check"`
	Severity      Severity       `json:"severity"`
	Title         string         `json:"title"`
	Target        string         `json:"target"`
	Resource      ResourceRef    `json:"resource"`
	Message       string         `json:"message"`
	Evidence      []Evidence     `json:"evidence"`
	Key           string         `json:"key"`
	Fingerprint   string         `json:"fingerprint"`
	Origin        facts.Origin   `json:"origin"`
	Layer         *LayerRef      `json:"layer" jsonschema:"nullable"`
	Vulnerability *Vulnerability `json:"vulnerability" jsonschema:"nullable"`
	Remediation   string         `json:"remediation"`
	References    []Reference    `json:"references"`
	Suppressed    *Suppression   `json:"suppressed" jsonschema:"nullable"`
	Baseline      string         `json:"baseline"`
}

// Document returns what reports hold of the finding. Its texts are shared with
// the finding and its check, not copied.
func (f *Finding) Document() FindingDocument {
	return FindingDocument{
		Check:         f.Rule.ID,
		Severity:      f.Severity,
		Title:         f.Rule.Title,
		Target:        f.Target,
		Resource:      f.Resource,
		Message:       f.Message,
		Evidence:      f.Evidence,
		Key:           f.Key,
		Fingerprint:   f.Fingerprint,
		Origin:        f.Origin,
		Layer:         f.Layer,
		Vulnerability: f.Vulnerability,
		Remediation:   f.Rule.Remediation,
		References:    list(f.Rule.References),
		Suppressed:    f.Suppressed,
		Baseline:      f.Baseline,
	}
}

// Finding is the way back. The check's rule is taken from rules where what it
// says there is what the document says, so that all findings of a check share
// one; else the finding gets a rule of its own.
func (d *FindingDocument) Finding(rules map[string]*Rule) Finding {
	rule, ok := rules[d.Check]
	if !ok || rule.Title != d.Title || rule.Remediation != d.Remediation || !slices.Equal(rule.References, d.References) {
		rule = &Rule{ID: d.Check, Title: d.Title, Severity: d.Severity, Subject: d.Resource.Kind, Remediation: d.Remediation, References: d.References}
	}
	return Finding{
		Rule:          rule,
		Severity:      d.Severity,
		Target:        d.Target,
		Resource:      d.Resource,
		Message:       d.Message,
		Evidence:      d.Evidence,
		Key:           d.Key,
		Fingerprint:   d.Fingerprint,
		Origin:        d.Origin,
		Layer:         d.Layer,
		Vulnerability: d.Vulnerability,
		Suppressed:    d.Suppressed,
		Baseline:      d.Baseline,
	}
}

// Document returns what reports hold of the check.
func (c *CheckCount) Document() CheckCount {
	d, rule := *c, *c.Rule
	rule.Severities, rule.References = list(rule.Severities), list(rule.References)
	d.Rule = &rule
	if d.ByTarget == nil {
		d.ByTarget = map[string]Counts{}
	}
	return d
}

// MarshalJSON implements [json.Marshaler].
func (f Finding) MarshalJSON() ([]byte, error) { return json.Marshal(f.Document()) }

// UnmarshalJSON implements [json.Unmarshaler]. Numbers in evidence stay
// [json.Number], so that writing them again gives the same text.
func (f *Finding) UnmarshalJSON(b []byte) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var d FindingDocument
	if err := dec.Decode(&d); err != nil {
		return err
	}
	*f = d.Finding(nil)
	return nil
}

// JSONSchemaAlias tells the generator of the report's JSON schema which type
// stands for a Finding.
func (Finding) JSONSchemaAlias() any { return FindingDocument{} }

// Worst returns the worst severity that a finding of the check may have.
func (r *Rule) Worst() Severity {
	worst := r.Severity
	for _, s := range r.Severities {
		worst = max(worst, s)
	}
	return worst
}

// list makes an empty list of nil: reports hold [] and never null.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
