package report

import (
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// CycloneDX writes the packages of the report as a CycloneDX 1.6 SBOM with their
// vulnerabilities. A report on several targets has a component for each, with
// its packages below it.
//
// The library's encoder takes the whole document at once. A report may have
// 100,000 packages, so each element is encoded by itself and the frame is written
// around them; the bytes are those that the library would write.
func CycloneDX(w io.Writer, r *scanner.Report, _ Options) error {
	bom := cdx.NewBOM()
	bom.SpecVersion, bom.JSONSchema = cdx.SpecVersion1_6, "http://cyclonedx.org/schema/bom-1.6.schema.json"
	bom.SerialNumber = "urn:uuid:" + sbomSerial(r, "cyclonedx")
	bom.Metadata = &cdx.Metadata{
		Timestamp: r.Run.Collected.UTC().Format(time.RFC3339),
		Tools:     &cdx.ToolsChoice{Components: &[]cdx.Component{{Type: cdx.ComponentTypeApplication, Name: "postscan", Version: r.Run.Version}}},
	}
	single := len(r.Run.Targets) == 1
	if single {
		top := cdxTarget(r.Run.Targets[0])
		bom.Metadata.Component = &top
	}
	ids, byTarget := packageIDs(r), packagesByTarget(r)
	d := newDocument(w)
	d.begin(bom)
	d.text(`,"components":`)
	if single {
		elements(d, cdxPackages(r, byTarget[r.Run.Targets[0].Ref], ids))
	} else {
		cdxTargets(d, r, byTarget, ids)
	}
	d.text(`,"dependencies":`)
	elements(d, func(yield func(*cdx.Dependency) bool) {
		for _, t := range r.Run.Targets {
			on := []string{}
			for _, i := range byTarget[t.Ref] {
				on = append(on, ids[i])
			}
			if !yield(&cdx.Dependency{Ref: targetID(t), Dependencies: &on}) {
				return
			}
		}
	})
	if properties := cdxGaps(r); len(properties) > 0 {
		d.text(`,"properties":`)
		d.value(properties)
	}
	d.text(`,"vulnerabilities":`)
	elements(d, func(yield func(*cdx.Vulnerability) bool) {
		for _, v := range sbomVulnerabilities(r, ids) {
			if out := cdxVulnerability(v); !yield(&out) {
				return
			}
		}
	})
	d.text("}\n")
	if err := d.flush(); err != nil {
		return fmt.Errorf("write CycloneDX: %w", err)
	}
	return nil
}

// cdxTargets writes a component for each target, with its packages below it.
func cdxTargets(d *document, r *scanner.Report, byTarget map[string][]int, ids []string) {
	d.text("[")
	for i, t := range r.Run.Targets {
		if i > 0 {
			d.text(",")
		}
		top := cdxTarget(t)
		d.begin(&top)
		if below := byTarget[t.Ref]; len(below) > 0 {
			d.text(`,"components":`)
			elements(d, cdxPackages(r, below, ids))
		}
		d.text("}")
	}
	d.text("]")
}

// cdxPackages makes the components of the packages at the indexes.
func cdxPackages(r *scanner.Report, indexes []int, ids []string) iter.Seq[*cdx.Component] {
	return func(yield func(*cdx.Component) bool) {
		for _, i := range indexes {
			c := cdxPackage(&r.Packages[i])
			c.BOMRef = ids[i]
			if !yield(&c) {
				return
			}
		}
	}
}

// cdxGaps says in the document's properties what was not seen: an SBOM without
// vulnerabilities must not read as a clean one.
func cdxGaps(r *scanner.Report) []cdx.Property {
	var out []cdx.Property
	for _, t := range r.Run.Targets {
		if t.Error != "" {
			out = append(out, cdx.Property{Name: "postscan:not-scanned", Value: t.Ref + ": " + t.Error})
		}
	}
	for _, line := range unseenLines(r) {
		out = append(out, cdx.Property{Name: "postscan:unknown", Value: line})
	}
	return out
}

func cdxTarget(t facts.Target) cdx.Component {
	c := cdx.Component{BOMRef: targetID(t), Type: cdx.ComponentTypePlatform, Name: t.Ref, Version: t.Properties["digest"]}
	if t.Kind == "image" {
		c.Type = cdx.ComponentTypeContainer
	}
	return c
}

// cdxPackage is the component of a package, without its id.
func cdxPackage(p *scanner.PackageEntry) cdx.Component {
	c := cdx.Component{
		Type: cdx.ComponentTypeLibrary, Name: p.Name, Version: fullVersion(&p.Package), PackageURL: p.Purl,
		Properties: &[]cdx.Property{{Name: "postscan:type", Value: p.Type}, {Name: "postscan:class", Value: p.Class}},
	}
	if p.Path != "" {
		*c.Properties = append(*c.Properties, cdx.Property{Name: "postscan:path", Value: p.Path})
	}
	if p.SourceName != "" {
		*c.Properties = append(*c.Properties, cdx.Property{Name: "postscan:source-name", Value: p.SourceName})
	}
	if p.Maintainer != "" {
		c.Publisher = p.Maintainer
	}
	if alg, sum, ok := strings.Cut(p.Digest, ":"); ok {
		if name, known := map[string]cdx.HashAlgorithm{"sha1": cdx.HashAlgoSHA1, "sha256": cdx.HashAlgoSHA256, "md5": cdx.HashAlgoMD5}[alg]; known {
			c.Hashes = &[]cdx.Hash{{Algorithm: name, Value: sum}}
		}
	}
	if len(p.Licenses) > 0 {
		licenses := cdx.Licenses{}
		for _, l := range p.Licenses {
			licenses = append(licenses, cdx.LicenseChoice{License: &cdx.License{Name: l}})
		}
		c.Licenses = &licenses
	}
	return c
}

func cdxVulnerability(v *sbomVulnerability) cdx.Vulnerability {
	f := v.first
	out := cdx.Vulnerability{
		BOMRef: sbomID("vulnerability", f.Vulnerability.ID, suppressionText(f)), ID: f.Vulnerability.ID,
		Description: f.Vulnerability.Title, Published: f.Vulnerability.Published,
		Ratings: &[]cdx.VulnerabilityRating{cdxRating(f)},
	}
	if f.Vulnerability.DataSource != "" {
		out.Source = &cdx.Source{Name: f.Vulnerability.DataSource}
	}
	advisories := []cdx.Advisory{}
	for _, address := range f.Vulnerability.References {
		if webAddress(address) {
			advisories = append(advisories, cdx.Advisory{URL: address})
		}
	}
	if len(advisories) > 0 {
		out.Advisories = &advisories
	}
	affects := []cdx.Affects{}
	var fixes []string
	for i, id := range v.packages {
		fv := v.findings[i].Vulnerability
		affects = append(affects, cdx.Affects{Ref: id, Range: &[]cdx.AffectedVersions{{Version: fv.Version, Status: cdx.VulnerabilityStatusAffected}}})
		if fv.FixedVersion != "" {
			fixes = append(fixes, "update "+fv.Package+" to "+fv.FixedVersion)
		}
	}
	out.Affects = &affects
	out.Recommendation = strings.Join(fixes, "; ")
	if s := f.Suppressed; s != nil {
		out.Analysis = &cdx.VulnerabilityAnalysis{State: cdx.IASInTriage, Detail: suppressionText(f)}
		if s.By == "vex" {
			out.Analysis.State = cdx.IASNotAffected
		}
	}
	return out
}

func suppressionText(f *scanner.Finding) string {
	if f.Suppressed == nil {
		return ""
	}
	return f.Suppressed.By + ": " + f.Suppressed.Reason
}

func cdxRating(f *scanner.Finding) cdx.VulnerabilityRating {
	v := f.Vulnerability
	out := cdx.VulnerabilityRating{Severity: cdx.Severity(f.Severity.String()), Vector: v.Vector}
	if v.Score > 0 {
		out.Score = &v.Score
	}
	if v.SeveritySource != "" {
		out.Source = &cdx.Source{Name: v.SeveritySource}
	}
	switch {
	case strings.HasPrefix(v.Vector, "CVSS:4"):
		out.Method = cdx.ScoringMethodCVSSv4
	case strings.HasPrefix(v.Vector, "CVSS:3.1"):
		out.Method = cdx.ScoringMethodCVSSv31
	case strings.HasPrefix(v.Vector, "CVSS:3.0"):
		out.Method = cdx.ScoringMethodCVSSv3
	default:
		out.Method = cdx.ScoringMethodOther
	}
	return out
}
