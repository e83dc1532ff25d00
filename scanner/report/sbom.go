package report

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// sbomSpace is the name space of the ids in SBOMs. They are derived (UUIDv5),
// so that the same report gives the same bytes.
var sbomSpace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://github.com/postscan/postscan/sbom")) //nolint:gochecknoglobals // a constant that Go cannot write as one

// sbomID derives an id from what it stands for.
func sbomID(parts ...string) string {
	return uuid.NewSHA1(sbomSpace, []byte(strings.Join(parts, "\x00"))).String()
}

// sbomSerial is the id of the whole document: of the targets at their digests,
// and of the time that they were looked at.
func sbomSerial(r *scanner.Report, format string) string {
	parts := []string{format, r.Run.Version, r.Run.Collected.UTC().String()}
	for _, t := range r.Run.Targets {
		parts = append(parts, t.Ref, t.Identity, t.Properties["digest"])
	}
	return sbomID(parts...)
}

// targetID is the id of a target in SBOMs.
func targetID(t facts.Target) string { return sbomID("target", t.Kind, t.Ref) }

// packageID is the id of a package in SBOMs.
func packageID(p *scanner.PackageEntry) string {
	return sbomID("package", p.Target, p.Resource, p.Type, p.Name, fullVersion(&p.Package), p.Purl, p.Path)
}

// fullVersion is the version with epoch and release, as package managers print it.
func fullVersion(p *facts.Package) string {
	v := p.Version
	if p.Release != "" {
		v += "-" + p.Release
	}
	if p.Epoch != 0 {
		v = fmt.Sprintf("%d:%s", p.Epoch, v)
	}
	return v
}

// sbomVulnerability is a vulnerability with the packages that have it.
type sbomVulnerability struct {
	first    *scanner.Finding
	findings []*scanner.Finding
	packages []string // their ids, in the report's order
}

// sbomVulnerabilities groups the findings about known vulnerabilities by id and
// state of suppression, and finds their packages.
func sbomVulnerabilities(r *scanner.Report) []*sbomVulnerability {
	type place struct{ target, resource, purl, name, path string }
	ids := make(map[place]string, len(r.Packages))
	for i := range r.Packages {
		p := &r.Packages[i]
		ids[place{p.Target, p.Resource, p.Purl, p.Name, p.Path}] = packageID(p)
	}
	index := map[string]*sbomVulnerability{}
	var out []*sbomVulnerability
	seen := map[string]bool{}
	for i := range r.Findings {
		f := &r.Findings[i]
		v := f.Vulnerability
		if v == nil {
			continue
		}
		key := v.ID
		if f.Suppressed != nil {
			key += "\x00" + f.Suppressed.By + "\x00" + f.Suppressed.Reason
		}
		group := index[key]
		if group == nil {
			group = &sbomVulnerability{first: f}
			index[key] = group
			out = append(out, group)
		}
		id, ok := ids[place{f.Target, f.Resource.ID, v.Purl, v.Package, v.Path}]
		if !ok || seen[key+id] {
			continue
		}
		seen[key+id] = true
		group.findings = append(group.findings, f)
		group.packages = append(group.packages, id)
	}
	return out
}
