package scanner

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/postscan/postscan/scanner/facts"
)

// Finding is one broken promise on one resource. [FindingDocument] is what
// reports hold of it.
type Finding struct {
	Rule          *Rule // shared by all findings of the check
	Severity      Severity
	Target        string // the target's Ref
	Resource      ResourceRef
	Message       string
	Evidence      []Evidence // at least one
	Key           string
	Fingerprint   string
	Origin        facts.Origin
	Layer         *LayerRef      // nil where no layer brought it
	Vulnerability *Vulnerability // nil where the evidence is no known vulnerability
	Suppressed    *Suppression   // nil for a finding that counts
	Baseline      string         // [BaselineNew] or [BaselineUnchanged]; empty where the report was compared with none
}

// ResourceRef names a resource.
type ResourceRef struct {
	Kind facts.Kind `json:"kind"`
	ID   string     `json:"id"`
}

// Evidence is one fact that a finding rests on.
type Evidence struct {
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// LayerRef names the layer and the step of the build that brought something.
type LayerRef struct {
	Index       int    `json:"index"` // counts from 0, lowest first
	Digest      string `json:"digest"`
	DiffID      string `json:"diff_id"`
	Instruction string `json:"instruction"` // the history step, empty where history does not tell
}

// Vulnerability is the known vulnerability that a finding is about: what the
// facts say of it, except that the two fields that need a list of their own are
// nil where none was configured, so that nobody reads "false" for "not looked".
type Vulnerability struct {
	facts.Vulnerability
	KEV  *bool    `json:"kev" jsonschema:"nullable"`
	EPSS *float64 `json:"epss" jsonschema:"nullable"`
}

// Suppression says why a finding does not count. The finding stays in the report.
type Suppression struct {
	By     string `json:"by"`     // "only-fixable", "waiver", "annotation", "vex", "baseline"
	Reason string `json:"reason"` // in words
	Owner  string `json:"owner"`
	Expiry string `json:"expiry"` // YYYY-MM-DD, empty for never
}

// Fingerprint is the identity of a finding from scan to scan: SHA-256, in hex,
// over the check id, the target's identity, the resource's key within the target
// and the finding's key. It holds no tag, digest, line or message, so that a
// rebuilt image or a moved line keeps it. It need not be unique in a report.
func Fingerprint(check, targetIdentity, resourceKey, key string) string {
	var room [256]byte // most are shorter, and cost no allocation
	parts := room[:0]
	for _, part := range [...]string{check, targetIdentity, resourceKey, key} {
		parts = append(append(parts, part...), 0)
	}
	sum := sha256.Sum256(parts)
	return hex.EncodeToString(sum[:])
}

// appendFindings adds the findings of an outcome. target is the target that the
// outcome's resource belongs to. Outcomes on equal facts share their violations,
// and so do the findings share texts and evidence.
func appendFindings(out []Finding, o *Outcome, target *facts.Target) []Finding {
	if o.Status != Fail {
		return out
	}
	r := o.Resource
	for i := range o.Violations {
		v := &o.Violations[i]
		evidence := v.Evidence
		if evidence == nil {
			evidence = []Evidence{{Path: v.Path, Value: v.Value}}
		}
		place := r.Place(v.Path)
		out = append(out, Finding{
			Rule:          o.Rule,
			Severity:      v.Severity,
			Target:        r.Target,
			Resource:      ResourceRef{Kind: r.Kind, ID: r.ID},
			Message:       v.Message,
			Evidence:      evidence,
			Key:           v.Key,
			Fingerprint:   Fingerprint(o.Rule.ID, target.Identity, r.FingerprintKey(), v.Key),
			Origin:        place.Origin,
			Layer:         layerRef(r, place.Layer),
			Vulnerability: vulnerability(r, v.Path),
		})
	}
	return out
}

// layerRef resolves an index into the layers of an image.
func layerRef(r *facts.Resource, index int) *LayerRef {
	im, ok := r.Facts.(*facts.Image)
	if !ok || index < 0 || index >= len(im.Layers) {
		return nil
	}
	l := im.Layers[index]
	ref := &LayerRef{Index: index, Digest: l.Digest, DiffID: l.DiffID}
	if l.Step >= 0 && l.Step < len(im.History) {
		step := im.History[l.Step]
		ref.Instruction = strings.TrimSpace(step.Instruction + " " + step.Arguments)
	}
	return ref
}

// vulnerability returns the vulnerability that the evidence path points at, nil
// where it points elsewhere.
func vulnerability(r *facts.Resource, path string) *Vulnerability {
	held, ok := r.Facts.(facts.Packaged)
	if !ok {
		return nil
	}
	known := held.HeldVulnerabilities()
	list, i, ok := facts.FirstItem(path)
	if !ok || list != "vulnerabilities" || i >= len(known) {
		return nil
	}
	v := &Vulnerability{Vulnerability: known[i]}
	if _, missing := r.MissingAt("vulnerabilities[].kev"); !missing {
		v.KEV = &v.Vulnerability.KEV
	}
	if _, missing := r.MissingAt("vulnerabilities[].epss"); !missing {
		v.EPSS = &v.Vulnerability.EPSS
	}
	return v
}

// SortFindings puts findings into the report's order: by target, worst first,
// then check, resource, key, and at last message and evidence path, so that the
// order is total.
func SortFindings(fs []Finding) {
	sortGrouped(fs, func(f *Finding) findingGroup { return findingGroup{f.Target, f.Severity, f.Rule.ID} }, compareFindingGroups, func(a, b *Finding) int {
		if c := cmp.Compare(a.Resource.ID, b.Resource.ID); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Message, b.Message), cmp.Compare(a.Evidence[0].Path, b.Evidence[0].Path))
	})
}

// findingGroup is what findings are ordered by first.
type findingGroup struct {
	target   string
	severity Severity
	check    string
}

func compareFindingGroups(a, b findingGroup) int {
	return cmp.Or(cmp.Compare(a.target, b.target), cmp.Compare(b.severity, a.severity), cmp.Compare(a.check, b.check))
}
