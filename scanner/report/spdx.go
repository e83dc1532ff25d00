package report

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// SPDX writes the packages of the report as an SPDX 2.3 SBOM. Each
// vulnerability is a security reference of its packages.
func SPDX(w io.Writer, r *scanner.Report, _ Options) error {
	serial := sbomSerial(r, "spdx")
	doc := &spdx.Document{
		SPDXVersion: spdx.Version, DataLicense: spdx.DataLicense, SPDXIdentifier: "DOCUMENT", DocumentName: "postscan-" + serial,
		DocumentNamespace: "https://github.com/postscan/postscan/spdx/" + serial,
		DocumentComment:   spdxComment(r),
		CreationInfo: &spdx.CreationInfo{
			Creators: []common.Creator{{CreatorType: "Tool", Creator: "postscan-" + strings.ReplaceAll(r.Run.Version, " ", "-")}},
			Created:  r.Run.Collected.UTC().Format(time.RFC3339),
		},
	}
	advisories := map[string][]*scanner.Finding{} // by package id
	for _, v := range sbomVulnerabilities(r) {
		for i, id := range v.packages {
			advisories[id] = append(advisories[id], v.findings[i])
		}
	}
	targets := map[string]common.ElementID{}
	for _, t := range r.Run.Targets {
		p := spdxTarget(t)
		targets[t.Ref] = p.PackageSPDXIdentifier
		doc.Packages = append(doc.Packages, p)
		doc.Relationships = append(doc.Relationships, spdxRelation("DOCUMENT", common.TypeRelationshipDescribe, p.PackageSPDXIdentifier))
	}
	seen := map[common.ElementID]bool{}
	for i := range r.Packages {
		p := spdxPackage(&r.Packages[i], advisories[packageID(&r.Packages[i])])
		if seen[p.PackageSPDXIdentifier] {
			continue
		}
		seen[p.PackageSPDXIdentifier] = true
		doc.Packages = append(doc.Packages, p)
		doc.Relationships = append(doc.Relationships, spdxRelation(targets[r.Packages[i].Target], common.TypeRelationshipContains, p.PackageSPDXIdentifier))
	}
	if err := spdxjson.Write(doc, w, spdxjson.EscapeHTML(false)); err != nil {
		return fmt.Errorf("write SPDX: %w", err)
	}
	return nil
}

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
		PackageName: t.Ref, PackageSPDXIdentifier: common.ElementID("Target-" + targetID(t)), PackageVersion: t.Properties["digest"],
		PackageDownloadLocation: "NOASSERTION", PackageLicenseConcluded: "NOASSERTION", PackageLicenseDeclared: "NOASSERTION", PackageCopyrightText: "NOASSERTION",
	}
	if t.Kind == "image" {
		p.PrimaryPackagePurpose = "CONTAINER"
	}
	return p
}

func spdxPackage(e *scanner.PackageEntry, advisories []*scanner.Finding) *spdx.Package {
	p := &spdx.Package{
		PackageName: e.Name, PackageSPDXIdentifier: common.ElementID("Package-" + packageID(e)), PackageVersion: fullVersion(&e.Package),
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
