package report

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// newSARIFResult makes the result of a finding. nth counts the findings of the
// run that share its fingerprint, from 1.
func newSARIFResult(f *scanner.Finding, t facts.Target, rule string, index, nth int) sarifResult {
	res := sarifResult{
		RuleID: rule, RuleIndex: index, Level: sarifLevel(f.Severity),
		Message:             newSARIFText(f.Rule.Title + ": " + f.Message),
		Locations:           []sarifLocation{newSARIFLocation(f, t)},
		PartialFingerprints: map[string]string{"primaryLocationLineHash": fmt.Sprintf("%s:%d", f.Fingerprint, nth)},
		Properties: sarifProperties{
			Check: f.Rule.ID, Severity: f.Severity, Resource: f.Resource, Evidence: f.Evidence, Key: f.Key,
			Rendered: f.Origin.Rendered, Layer: f.Layer,
		},
	}
	if f.Baseline != "" {
		res.BaselineState = f.Baseline
	}
	if s := f.Suppressed; s != nil {
		res.Suppressions = []sarifSuppression{newSARIFSuppression(s)}
	}
	if v := f.Vulnerability; v != nil {
		res.Properties.Package, res.Properties.InstalledVersion = v.Package, v.Version
		res.Properties.FixedVersion, res.Properties.Purl = v.FixedVersion, v.Purl
	}
	return res
}

func newSARIFSuppression(s *scanner.Suppression) sarifSuppression {
	out := sarifSuppression{Kind: "external", Status: "accepted", Justification: s.By + ": " + s.Reason}
	if s.By == "annotation" {
		out.Kind = "inSource"
	}
	if s.Owner != "" || s.Expiry != "" {
		out.Properties = map[string]any{"owner": s.Owner, "expiry": s.Expiry}
	}
	return out
}

// newSARIFLocation is the place that code scanning shows. Its four region
// numbers are always there; what has no line is shown at line 1.
func newSARIFLocation(f *scanner.Finding, t facts.Target) sarifLocation {
	var loc sarifLocation
	line := max(f.Origin.Line, 1)
	loc.PhysicalLocation.ArtifactLocation.URI = locationURI(f, t)
	loc.PhysicalLocation.Region = sarifRegion{StartLine: line, EndLine: line, StartColumn: 1, EndColumn: 1}
	if f.Resource.ID != "" {
		loc.LogicalLocations = []sarifLogical{{FullyQualifiedName: f.Resource.ID, Kind: "resource"}}
	}
	return loc
}

// locationURI is a relative URI that is never empty and holds no tag or digest.
func locationURI(f *scanner.Finding, t facts.Target) string {
	segments := locationPath(f, t)
	for i, s := range segments {
		segments[i] = strings.ReplaceAll(url.PathEscape(strings.ToValidUTF8(s, "\uFFFD")), ":", "%3A")
	}
	return strings.Join(segments, "/")
}

// locationPath is where a finding stands, in parts, at least one: of an image the
// repository and the file in it, of manifests the file, of anything else the
// resource and, where there is one, the file.
func locationPath(f *scanner.Finding, t facts.Target) []string {
	var path string
	switch {
	case f.Resource.Kind == facts.KindImage:
		path = imagePath(f.Resource.ID) + "/" + f.Origin.File
	case t.Kind == "manifests" && f.Origin.File != "":
		path = f.Origin.File
	default:
		path = f.Resource.ID + "/" + f.Origin.File
	}
	var parts []string
	for s := range strings.SplitSeq(path, "/") {
		if s != "" && s != "." && s != ".." {
			parts = append(parts, s)
		}
	}
	if len(parts) == 0 {
		return []string{"target"}
	}
	return parts
}

// imagePath is the repository of an image's id without registry host, tag and
// digest.
func imagePath(id string) string {
	id, _, _ = strings.Cut(id, "@")
	if i := strings.LastIndex(id, ":"); i > strings.LastIndex(id, "/") {
		id = id[:i]
	}
	host, rest, ok := strings.Cut(id, "/")
	if ok && (strings.ContainsAny(host, ".:") || host == "localhost") {
		return rest
	}
	return id
}
