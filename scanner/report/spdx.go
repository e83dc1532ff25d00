package report

import (
	"fmt"
	"io"
	"iter"
	"net/url"
	"strings"
	"time"

	"github.com/spdx/tools-golang/spdx/v2/common"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// SPDX writes the packages of the report as an SPDX 2.3 SBOM. Each
// vulnerability is a security reference of its packages.
//
// As in [CycloneDX], each element is encoded by itself: the bytes are those that
// the library writes for the whole document.
func SPDX(w io.Writer, r *scanner.Report, _ Options) error {
	serial := sbomSerial(r, "spdx")
	ids := packageIDs(r)
	kept := spdxKept(ids)
	d := newDocument(w)
	d.begin(&spdx.Document{
		SPDXVersion: spdx.Version, DataLicense: spdx.DataLicense, SPDXIdentifier: "DOCUMENT", DocumentName: "postscan-" + serial,
		DocumentNamespace: "https://github.com/postscan/postscan/spdx/" + serial,
		DocumentComment:   spdxComment(r),
		CreationInfo: &spdx.CreationInfo{
			Creators: []common.Creator{{CreatorType: "Tool", Creator: "postscan-" + strings.ReplaceAll(r.Run.Version, " ", "-")}},
			Created:  r.Run.Collected.UTC().Format(time.RFC3339),
		},
	})
	if len(r.Run.Targets)+len(kept) > 0 { // the library leaves empty lists out
		d.text(`,"packages":`)
		elements(d, spdxPackages(r, ids, kept))
		d.text(`,"relationships":`)
		elements(d, spdxRelations(r, ids, kept))
	}
	d.text("}\n")
	if err := d.flush(); err != nil {
		return fmt.Errorf("write SPDX: %w", err)
	}
	return nil
}

// spdxKept are the indexes of the packages, each id once.
func spdxKept(ids []string) []int {
	kept := make([]int, 0, len(ids))
	seen := make(map[string]bool, len(ids))
	for i, id := range ids {
		if !seen[id] {
			seen[id] = true
			kept = append(kept, i)
		}
	}
	return kept
}

// spdxPackages makes the packages: first the targets, then what is in them.
func spdxPackages(r *scanner.Report, ids []string, kept []int) iter.Seq[*spdx.Package] {
	return func(yield func(*spdx.Package) bool) {
		for _, t := range r.Run.Targets {
			if !yield(spdxTarget(t)) {
				return
			}
		}
		advisories := map[string][]*scanner.Finding{} // by package id
		for _, v := range sbomVulnerabilities(r, ids) {
			for i, id := range v.packages {
				advisories[id] = append(advisories[id], v.findings[i])
			}
		}
		for _, i := range kept {
			if !yield(spdxPackage(&r.Packages[i], ids[i], advisories[ids[i]])) {
				return
			}
		}
	}
}

// spdxRelations says what is described and which target contains which package.
func spdxRelations(r *scanner.Report, ids []string, kept []int) iter.Seq[*spdx.Relationship] {
	return func(yield func(*spdx.Relationship) bool) {
		targets := map[string]common.ElementID{}
		for _, t := range r.Run.Targets {
			targets[t.Ref] = spdxTargetID(t)
			if !yield(spdxRelation("DOCUMENT", common.TypeRelationshipDescribe, targets[t.Ref])) {
				return
			}
		}
		for _, i := range kept {
			if !yield(spdxRelation(targets[r.Packages[i].Target], common.TypeRelationshipContains, spdxPackageID(ids[i]))) {
				return
			}
		}
	}
}

func spdxTargetID(t facts.Target) common.ElementID { return common.ElementID("Target-" + targetID(t)) }

func spdxPackageID(id string) common.ElementID { return common.ElementID("Package-" + id) }

// spdxComment says what was not seen.
func spdxComment(r *scanner.Report) string {
	var lines []string
	for _, t := range r.Run.Targets {
		if t.Error != "" {
			lines = append(lines, Clean("not scanned: "+t.Ref+": "+t.Error))
		}
	}
	for _, line := range unseenLines(r) {
		lines = append(lines, Clean("unknown: "+line))
	}
	return strings.Join(lines, "\n")
}

func spdxRelation(from common.ElementID, kind string, to common.ElementID) *spdx.Relationship {
	return &spdx.Relationship{RefA: common.MakeDocElementID("", string(from)), RefB: common.MakeDocElementID("", string(to)), Relationship: kind}
}

func spdxTarget(t facts.Target) *spdx.Package {
	p := &spdx.Package{
		PackageName: t.Ref, PackageSPDXIdentifier: spdxTargetID(t), PackageVersion: t.Properties["digest"],
		PackageDownloadLocation: "NOASSERTION", PackageLicenseConcluded: "NOASSERTION", PackageLicenseDeclared: "NOASSERTION", PackageCopyrightText: "NOASSERTION",
	}
	if t.Kind == "image" {
		p.PrimaryPackagePurpose = "CONTAINER"
	}
	return p
}

func spdxPackage(e *scanner.PackageEntry, id string, advisories []*scanner.Finding) *spdx.Package {
	p := &spdx.Package{
		PackageName: e.Name, PackageSPDXIdentifier: spdxPackageID(id), PackageVersion: fullVersion(&e.Package),
		PackageDownloadLocation: "NOASSERTION", PackageLicenseConcluded: "NOASSERTION", PackageLicenseDeclared: "NOASSERTION", PackageCopyrightText: "NOASSERTION",
		PrimaryPackagePurpose: "LIBRARY",
	}
	if e.Path != "" {
		p.PackageSourceInfo = "found in " + e.Path
	}
	if len(e.Licenses) > 0 {
		// Package managers' licence names are not all SPDX expressions: a comment
		// keeps them without making the document invalid.
		p.PackageLicenseComments = "declared as: " + strings.Join(e.Licenses, ", ")
	}
	if e.Purl != "" {
		p.PackageExternalReferences = append(p.PackageExternalReferences, &spdx.PackageExternalReference{
			Category: common.CategoryPackageManager, RefType: common.TypePackageManagerPURL, Locator: e.Purl,
		})
	}
	for _, f := range advisories {
		comment := f.Vulnerability.ID + ", severity " + f.Severity.String()
		if fix := f.Vulnerability.FixedVersion; fix != "" {
			comment += ", fixed in " + fix
		}
		if f.Suppressed != nil {
			comment += ", suppressed by " + suppressionText(f)
		}
		locator := f.Vulnerability.PrimaryURL
		if !webAddress(locator) {
			locator = checkPage(f.Rule.ID) + "#" + url.PathEscape(f.Vulnerability.ID)
		}
		p.PackageExternalReferences = append(p.PackageExternalReferences, &spdx.PackageExternalReference{
			Category: common.CategorySecurity, RefType: common.TypeSecurityAdvisory, Locator: locator, ExternalRefComment: comment,
		})
	}
	return p
}
