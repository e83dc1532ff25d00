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

// packageIDs are the ids of the report's packages, by index.
func packageIDs(r *scanner.Report) []string {
	ids := make([]string, len(r.Packages))
	for i := range r.Packages {
		ids[i] = packageID(&r.Packages[i])
	}
	return ids
}

// packagesByTarget are the indexes of the packages, by target's Ref.
func packagesByTarget(r *scanner.Report) map[string][]int {
	out := map[string][]int{}
	for i := range r.Packages {
		ref := r.Packages[i].Target
		out[ref] = append(out[ref], i)
	}
	return out
}

// sbomVulnerabilities groups the findings about known vulnerabilities by id and
// state of suppression, and finds their packages. ids are those of packageIDs.
func sbomVulnerabilities(r *scanner.Report, ids []string) []*sbomVulnerability {
	type place struct{ target, resource, purl, name, path string }
	places := make(map[place]string, len(r.Packages))
	for i := range r.Packages {
		p := &r.Packages[i]
		places[place{p.Target, p.Resource, p.Purl, p.Name, p.Path}] = ids[i]
	}
	type state struct{ id, by, reason string }
	index := map[state]*sbomVulnerability{}
	var out []*sbomVulnerability
	type pair struct {
		group *sbomVulnerability
		id    string
	}
	seen := map[pair]bool{}
	for i := range r.Findings {
		f := &r.Findings[i]
		v := f.Vulnerability
		if v == nil {
			continue
		}
		key := state{id: v.ID}
		if f.Suppressed != nil {
			key.by, key.reason = f.Suppressed.By, f.Suppressed.Reason
		}
		group := index[key]
		if group == nil {
			group = &sbomVulnerability{first: f}
			index[key] = group
			out = append(out, group)
		}
		id, ok := places[place{f.Target, f.Resource.ID, v.Purl, v.Package, v.Path}]
		if !ok || seen[pair{group, id}] {
			continue
		}
		seen[pair{group, id}] = true
		group.findings = append(group.findings, f)
		group.packages = append(group.packages, id)
	}
	return out
}
