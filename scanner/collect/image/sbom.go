package image

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/inventory"
)

// sbom is what a file of CycloneDX or SPDX tells.
type sbom struct {
	distribution facts.Distribution
	packages     []facts.Package
	nameless     []string // components that no package URL identifies
}

// readSBOM reads a file of CycloneDX or SPDX.
func readSBOM(path string, most int64) (*sbom, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	raw, err := readAll(f, most)
	if err != nil {
		return nil, err
	}
	doc, err := inventory.ReadSBOM(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	s := &sbom{distribution: doc.Distribution, packages: doc.Packages, nameless: doc.Nameless}
	for i := range s.packages {
		s.refine(&s.packages[i])
	}
	return s, nil
}

// refine takes from a package's URL what the document says nowhere else: tools
// other than trivy name the distribution and the source package there alone.
func (s *sbom) refine(p *facts.Package) {
	p.Layer = -1
	if p.Class != "os" || p.Purl == "" {
		return
	}
	u, err := packageurl.FromString(p.Purl)
	if err != nil {
		return
	}
	q := u.Qualifiers.Map()
	if s.distribution.Family == "none" || s.distribution.Family == "" {
		// "debian-12.4"; for Alpine trivy writes the version alone.
		family, version, ok := strings.Cut(q["distro"], "-")
		if !ok {
			family, version = u.Namespace, q["distro"]
		}
		if family != "" && version != "" {
			s.distribution = facts.Distribution{Family: family, Version: version}
		}
	}
	if up := q["upstream"]; up != "" && p.SourceName == p.Name {
		p.SourceName, _, _ = strings.Cut(up, "@")
		// An rpm's upstream is the name of its source file.
		if u.Type == packageurl.TypeRPM {
			p.SourceName = sourceRPM(up, p.Name)
		}
	}
}

// sourceRPM takes the name from "name-version-release.src.rpm".
func sourceRPM(file, otherwise string) string {
	name, ok := strings.CutSuffix(file, ".src.rpm")
	for range 2 {
		i := strings.LastIndexByte(name, '-')
		if !ok || i <= 0 {
			return otherwise
		}
		name = name[:i]
	}
	return name
}

// sbomImage sends what an SBOM tells. Everything but packages and their
// vulnerabilities is not assessed: the file says nothing of it.
func (r *run) sbomImage(ctx context.Context, ref string, f *found) error {
	target := facts.Target{
		Kind: "image", Ref: ref, Identity: r.sbomIdentity(f),
		Properties: map[string]string{"source": SourceSBOM, "path": f.path},
	}
	doc := &facts.Image{
		Source:       SourceSBOM,
		Distribution: f.sbom.distribution, Packages: f.sbom.packages,
	}
	missing := map[string]facts.Missing{}
	for _, path := range []string{
		"os", "architecture", "variant", "created", "config", "base", "layers", "history", "secrets", "config_secrets",
		"privileged_files", "writable_files", "users", "groups", "sudo_rules", "tools", "ssh_starters", "malware", "signature",
		"registry", "repository",
	} {
		missing[path] = facts.Missing{Status: facts.NotAssessed, Reason: "an SBOM tells packages and nothing else; scan the image itself"}
	}
	if hasOSPackages(doc.Packages) && (doc.Distribution.Family == "none" || doc.Distribution.Family == "") {
		missing["distribution"] = facts.Missing{Status: facts.Unknown, Reason: "the SBOM names no operating system, which its packages belong to"}
		missing["vulnerabilities"] = facts.Missing{Status: facts.Unknown, Partial: true, Reason: "the SBOM names no operating system, so its packages could not be matched"}
	}
	addMissing(missing, f.sbom.gaps())
	r.fillEndOfLife(doc, missing)
	r.opts.Progress(Event{Ref: ref, Stage: Matching})
	if err := r.within(ctx, func(ctx context.Context) error { return r.fillVulnerabilities(ctx, doc, missing) }); err != nil {
		return r.failed(ctx, target, err)
	}
	return r.send(ctx, target, &facts.Resource{
		Kind: facts.KindImage, ID: ref, Key: "image", Target: ref, Facts: doc, Missing: missing,
	})
}

// gaps say what a document leaves open: software without an identity, and a list
// with nothing on it.
func (s *sbom) gaps() map[string]facts.Missing {
	var reason string
	switch n := len(s.nameless); {
	case n > 0:
		reason = fmt.Sprintf("%d of the components have no package URL of a kind that advisories know, as %s", n, plain(s.nameless[0]))
	case len(s.packages) == 0:
		reason = "the SBOM lists no package"
	default:
		return nil
	}
	m := facts.Missing{Status: facts.Unknown, Partial: true, Reason: reason}
	return map[string]facts.Missing{"packages": m, "vulnerabilities": m}
}

// sbomIdentity is the file's name: an SBOM has no platform.
func (r *run) sbomIdentity(f *found) string {
	if r.opts.Name != "" {
		return r.opts.Name
	}
	return baseName(f.path)
}

func hasOSPackages(list []facts.Package) bool {
	for i := range list {
		if list[i].Class == "os" {
			return true
		}
	}
	return false
}
