package vulndb

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	tdb "github.com/aquasecurity/trivy-db/pkg/db"
	dbtypes "github.com/aquasecurity/trivy-db/pkg/types"
	"github.com/aquasecurity/trivy/pkg/clock"
	osdetect "github.com/aquasecurity/trivy/pkg/detector/ospkg"
	ftypes "github.com/aquasecurity/trivy/pkg/fanal/types"
	"github.com/aquasecurity/trivy/pkg/scan/langpkg"
	"github.com/aquasecurity/trivy/pkg/scan/ospkg"
	"github.com/aquasecurity/trivy/pkg/types"
	"github.com/aquasecurity/trivy/pkg/vulnerability"

	"github.com/postscan/postscan/scanner/facts"
)

const (
	classOS     = "os" // facts.Package.Class
	familyNone  = "none"
	autoSource  = dbtypes.SourceID("auto") // trivy's default: the vendor's severity, else NVD's, else another's
	classedOut  = ftypes.RepositoryClassThirdParty
	unknownText = "unknown"
)

// Match returns the known vulnerabilities of the packages of one file tree:
// one entry for each vulnerability, package and path, in a fixed order. What it
// finds is what trivy's command line finds with the same database.
//
// The error is an [IncompleteError], with which what was found still counts, or
// says why nothing could be matched: [ErrClosed], [ErrCorrupt], or ctx's error.
// Match may be called from several goroutines.
func (db *DB) Match(ctx context.Context, dist facts.Distribution, pkgs []facts.Package) ([]facts.Vulnerability, error) {
	db.mu.RLock()
	defer db.mu.RUnlock()
	if db.closed {
		return nil, fmt.Errorf("match packages with the vulnerability database: %w", ErrClosed)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	found, gaps, err := db.detect(ctx, target(dist, pkgs))
	if err != nil {
		return nil, err
	}
	out := db.collect(found, pkgs)
	gaps = append(gaps, coverage(db.buckets, dist, pkgs)...)
	if db.stale != "" {
		gaps = append(gaps, facts.Missing{Status: facts.Unknown, Reason: db.stale, Partial: true})
	}
	if len(gaps) > 0 {
		return out, &IncompleteError{Gaps: gaps}
	}
	return out, nil
}

// target puts the packages in trivy's shape. The index of each stands in
// Identifier.UID, which trivy's detectors hand through.
func target(dist facts.Distribution, pkgs []facts.Package) types.ScanTarget {
	t := types.ScanTarget{OS: trivyOS(dist)}
	if dist.RepositoryRelease != "" {
		t.Repository = &ftypes.Repository{Family: t.OS.Family, Release: dist.RepositoryRelease}
	}
	apps := map[ftypes.LangType]*ftypes.Application{}
	var order []ftypes.LangType
	for i := range pkgs {
		p := trivyPackage(&pkgs[i], i)
		if pkgs[i].Class == classOS {
			t.Packages = append(t.Packages, p)
			continue
		}
		kind := ftypes.LangType(pkgs[i].Type)
		if apps[kind] == nil {
			apps[kind] = &ftypes.Application{Type: kind}
			order = append(order, kind)
		}
		apps[kind].Packages = append(apps[kind].Packages, p)
	}
	for _, kind := range order {
		t.Applications = append(t.Applications, *apps[kind])
	}
	return t
}

func trivyOS(d facts.Distribution) ftypes.OS {
	return ftypes.OS{
		Family: ftypes.OSType(d.Family), Name: d.Version,
		Supplier: ftypes.Supplier(d.Supplier), Extended: d.Extended,
	}
}

func trivyPackage(p *facts.Package, index int) ftypes.Package {
	t := ftypes.Package{
		Identifier: ftypes.PkgIdentifier{UID: strconv.Itoa(index)},
		Name:       p.Name, Version: p.Version, Epoch: p.Epoch, Release: p.Release, Arch: p.Arch,
		SrcName: p.SourceName, SrcVersion: p.SourceVersion, SrcEpoch: p.SourceEpoch, SrcRelease: p.SourceRelease,
		Maintainer: p.Maintainer, Modularitylabel: p.Modularity, FilePath: p.Path,
	}
	if len(p.ContentSets) > 0 || p.BuildNVR != "" {
		t.BuildInfo = &ftypes.BuildInfo{ContentSets: p.ContentSets, Nvr: p.BuildNVR, Arch: p.BuildArch}
	}
	if p.ThirdParty {
		t.Repository.Class = classedOut
	}
	return t
}

// detect runs trivy's detectors. A damaged page makes the database library
// panic, and a file that was cut short under it raises a fault; both become
// errors, as either would otherwise end the program.
//
// Where the detector of the distribution gives up, as Red Hat's does over
// repositories that the database does not know, the OS packages are a gap and
// the others are matched all the same.
func (db *DB) detect(ctx context.Context, t types.ScanTarget) (found []types.DetectedVulnerability, gaps []facts.Missing, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			found, gaps, err = nil, nil, fmt.Errorf("match packages with the vulnerability database %s: %w: %v; run `postscan db update`",
				databasePath(db.opts.Dir), ErrCorrupt, r)
		}
	}()
	// Which of Ubuntu's advisories count depends on the date of the scan.
	ctx = clock.With(ctx, db.opts.Now())
	opts := types.ScanOptions{Scanners: types.Scanners{types.VulnerabilityScanner}}
	if len(t.Packages) > 0 {
		result, _, err := ospkg.NewScanner().Scan(ctx, t, opts)
		if err != nil && !errors.Is(err, osdetect.ErrUnsupportedOS) { // coverage tells of that one
			gaps = append(gaps, facts.Missing{
				Status: facts.Unknown, Partial: true,
				Reason: fmt.Sprintf("%s cannot be matched: %v", count(len(t.Packages), "OS package"), err),
			})
		}
		found = append(found, result.Vulnerabilities...)
	}
	results, err := langpkg.NewScanner().Scan(ctx, t, opts)
	if err != nil {
		return nil, nil, fmt.Errorf("match packages with the vulnerability database %s: %w", databasePath(db.opts.Dir), err)
	}
	for _, r := range results {
		found = append(found, r.Vulnerabilities...)
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	vulnerability.NewClient(tdb.Config{}).FillInfo(found, []dbtypes.SourceID{autoSource})
	return found, gaps, nil
}

// collect turns what trivy found into facts, drops repetitions as trivy's
// report does, and sorts.
func (db *DB) collect(found []types.DetectedVulnerability, pkgs []facts.Package) []facts.Vulnerability {
	type key struct{ id, kind, name, version, arch, path string }
	at := make(map[key]int, len(found))
	out := make([]facts.Vulnerability, 0, len(found))
	for i := range found {
		v := &found[i]
		index, err := strconv.Atoi(v.PkgIdentifier.UID)
		if err != nil || index >= len(pkgs) {
			continue // no detector makes up packages
		}
		p := &pkgs[index]
		k := key{v.VulnerabilityID, p.Type, v.PkgName, v.InstalledVersion, p.Arch, p.Path}
		entry := db.entry(v, p)
		if n, ok := at[k]; !ok {
			at[k] = len(out)
			out = append(out, entry)
		} else if out[n].FixedVersion < entry.FixedVersion {
			out[n] = entry
		}
	}
	slices.SortFunc(out, compareVulnerabilities)
	return out
}

func compareVulnerabilities(a, b facts.Vulnerability) int {
	for _, c := range []int{
		strings.Compare(a.PackageType, b.PackageType), strings.Compare(a.Package, b.Package),
		strings.Compare(a.Version, b.Version), strings.Compare(a.Path, b.Path),
		strings.Compare(a.ID, b.ID), strings.Compare(a.Purl, b.Purl),
	} {
		if c != 0 {
			return c
		}
	}
	return 0
}

// entry makes one fact.
func (db *DB) entry(v *types.DetectedVulnerability, p *facts.Package) facts.Vulnerability {
	score, vector := bestScore(v.CVSS, v.SeveritySource)
	out := facts.Vulnerability{
		ID: v.VulnerabilityID, Aliases: nonNil(v.VendorIDs),
		Package: v.PkgName, PackageType: p.Type, Version: v.InstalledVersion,
		FixedVersion: v.FixedVersion, Status: v.Status.String(),
		Severity:       severity(v.Severity), //nolint:staticcheck // deprecated in the database, but this is what FillInfo decided
		SeveritySource: string(v.SeveritySource),
		Score:          score, Vector: vector, NetworkVector: overNetwork(vector),
		Title: v.Title, References: nonNil(v.References), PrimaryURL: v.PrimaryURL,
		DataSource: dataSource(v), Purl: p.Purl, Path: p.Path, Layer: p.Layer,
	}
	if v.PublishedDate != nil {
		out.Published = v.PublishedDate.UTC().Format(time.RFC3339)
	}
	ids := append([]string{v.VulnerabilityID}, v.VendorIDs...)
	if db.kev.ok() {
		out.KEV = slices.ContainsFunc(ids, db.kev.content.has)
	}
	if db.epss.ok() {
		out.EPSS = db.epss.content.highest(ids)
	}
	return out
}

// severity is trivy's in our words.
func severity(s string) string {
	switch s {
	case "CRITICAL", "HIGH", "MEDIUM", "LOW":
		return strings.ToLower(s)
	default:
		return unknownText
	}
}

// dataSource names who said that the package is affected.
func dataSource(v *types.DetectedVulnerability) string {
	switch {
	case v.DataSource == nil:
		return string(v.SeveritySource) // Red Hat's advisories are the only ones without
	case v.DataSource.Name != "":
		return v.DataSource.Name
	default:
		return string(v.DataSource.ID)
	}
}

// bestScore picks the CVSS score and vector: of the source that set the
// severity if it has one, else NVD's, GitHub's, Red Hat's, else of the first in
// alphabet. Within a source version 3 goes before 4, as severities rest on it,
// and 2 comes last.
func bestScore(all dbtypes.VendorCVSS, first dbtypes.SourceID) (score float64, vector string) {
	order := []dbtypes.SourceID{first, "nvd", "ghsa", "redhat"}
	var rest []dbtypes.SourceID
	for id := range all {
		rest = append(rest, id)
	}
	slices.Sort(rest)
	order = append(order, rest...)
	pick := []func(dbtypes.CVSS) (float64, string){
		func(c dbtypes.CVSS) (float64, string) { return c.V3Score, c.V3Vector },
		func(c dbtypes.CVSS) (float64, string) { return c.V40Score, c.V40Vector },
		func(c dbtypes.CVSS) (float64, string) { return c.V2Score, c.V2Vector },
	}
	// Version 2 is so coarse that any newer score of any source is better.
	for _, versions := range [][]func(dbtypes.CVSS) (float64, string){pick[:2], pick[2:]} {
		for _, id := range order {
			for _, of := range versions {
				if score, vector := of(all[id]); score > 0 || vector != "" {
					return score, vector
				}
			}
		}
	}
	return 0, ""
}

// overNetwork says whether a CVSS vector of any version has attack vector
// network.
func overNetwork(vector string) bool {
	return slices.Contains(strings.Split(vector, "/"), "AV:N")
}

// nonNil makes null impossible: facts have none.
func nonNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
