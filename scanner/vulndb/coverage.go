package vulndb

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aquasecurity/trivy-db/pkg/vulnsrc/bucket"
	"github.com/aquasecurity/trivy/pkg/detector/library"
	osver "github.com/aquasecurity/trivy/pkg/detector/ospkg/version"
	ftypes "github.com/aquasecurity/trivy/pkg/fanal/types"

	"github.com/postscan/postscan/scanner/facts"
)

// coverage says what nothing in the database could have matched: the packages
// of a distribution or release that it has no advisories of, those of an
// ecosystem that it does not know, and a distribution of which no package was
// seen at all. Trivy reports these clean.
func coverage(buckets map[string]bool, dist facts.Distribution, pkgs []facts.Package) []facts.Missing {
	var gaps []facts.Missing
	osPackages := 0
	kinds := map[string]int{}
	for i := range pkgs {
		if pkgs[i].Class == classOS {
			osPackages++
		} else if pkgs[i].Version != "" { // without one nothing can be matched by anybody
			kinds[pkgs[i].Type]++
		}
	}
	if osPackages > 0 {
		if reason := osGap(buckets, dist); reason != "" {
			gaps = append(gaps, facts.Missing{
				Status: facts.Unknown, Partial: true,
				Reason: fmt.Sprintf("%s cannot be matched: %s", count(osPackages, "OS package"), reason),
			})
		}
	}
	if family := ftypes.OSType(dist.Family); osPackages == 0 && family != "" && family != familyNone && family.HasOSPackages() {
		gaps = append(gaps, facts.Missing{
			Status: facts.Unknown, Partial: true,
			Reason: fmt.Sprintf("the distribution is %s, but none of its packages was found: what it has installed cannot be matched", distName(dist)),
		})
	}
	names := make([]string, 0, len(kinds))
	for k := range kinds {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, kind := range names {
		if gap, ok := languageGap(buckets, kind, kinds[kind]); ok {
			gaps = append(gaps, gap)
		}
	}
	return gaps
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// osGap says why the packages of the distribution cannot be matched; empty
// where they can.
func osGap(buckets map[string]bool, dist facts.Distribution) string {
	if dist.Family == "" || dist.Family == familyNone {
		return "the distribution is not known"
	}
	want, supported := releaseBuckets(dist)
	if !supported {
		return fmt.Sprintf("there is no source of advisories for %s", distName(dist))
	}
	if !slices.ContainsFunc(want, func(name string) bool { return buckets[name] }) {
		return fmt.Sprintf("the database has no advisories for %s", distName(dist))
	}
	return ""
}

func distName(d facts.Distribution) string {
	name := strings.TrimSpace(d.Family + " " + d.Version)
	if d.RepositoryRelease != "" && !strings.HasPrefix(d.Version, d.RepositoryRelease) {
		name += " with packages of " + d.RepositoryRelease
	}
	return name
}

// releaseBuckets returns the database's names for the release, any of which
// will do, and whether trivy has a detector for the family at all.
func releaseBuckets(d facts.Distribution) (names []string, supported bool) {
	v := d.Version
	switch ftypes.OSType(d.Family) {
	case ftypes.Alpine:
		release := osver.Minor(v)
		if d.RepositoryRelease != "" {
			release = osver.Minor(d.RepositoryRelease)
		}
		return []string{bucket.NewAlpine(release).Name()}, true
	case ftypes.Debian:
		return []string{bucket.NewDebian(osver.Major(v)).Name()}, true
	case ftypes.Ubuntu:
		return []string{bucket.NewUbuntu(v).Name(), bucket.NewUbuntu(v + "-ESM").Name()}, true
	case ftypes.Alma:
		return []string{bucket.NewAlma(osver.Major(v)).Name()}, true
	case ftypes.Rocky:
		return []string{bucket.NewRocky(osver.Major(v)).Name()}, true
	case ftypes.Oracle:
		return []string{bucket.NewOracle(osver.Major(v)).Name()}, true
	case ftypes.RedHat, ftypes.CentOS:
		return []string{bucket.NewRedHat("").Name()}, true
	case ftypes.Amazon:
		first, _, _ := strings.Cut(v, " ")
		if first = osver.Major(first); first != "2" && first != "2022" && first != "2023" {
			first = "1" // which calls itself "AMI release 2018.03"
		}
		return []string{bucket.NewAmazon(first).Name()}, true
	case ftypes.Azure:
		return []string{bucket.NewAzureLinux(osver.Minor(v)).Name()}, true
	case ftypes.CBLMariner:
		return []string{bucket.NewMariner(osver.Minor(v)).Name()}, true
	case ftypes.Photon:
		return []string{bucket.NewPhoton(v).Name()}, true
	case ftypes.SLES:
		return []string{bucket.NewSUSELinuxEnterprise(v).Name()}, true
	case ftypes.SLEMicro:
		return []string{bucket.NewSUSELinuxEnterpriseMicro(v).Name()}, true
	case ftypes.OpenSUSELeap:
		return []string{bucket.NewOpenSUSE(v).Name()}, true
	case ftypes.OpenSUSETumbleweed:
		return []string{bucket.NewOpenSUSETumbleweed().Name()}, true
	case ftypes.Wolfi:
		return []string{bucket.NewWolfi("").Name()}, true
	case ftypes.Chainguard:
		return []string{bucket.NewChainguard("").Name()}, true
	case ftypes.MinimOS:
		return []string{bucket.NewMinimOS("").Name()}, true
	case ftypes.Echo:
		return []string{bucket.NewEcho("").Name()}, true
	case ftypes.Bottlerocket:
		return []string{bucket.NewBottlerocket().Name()}, true
	default: // Fedora, Arch and others; CoreOS has a detector that knows no advisory
		return nil, false
	}
}

// languageGap says why packages of the kind cannot be matched.
func languageGap(buckets map[string]bool, kind string, n int) (facts.Missing, bool) {
	driver, ok := library.NewDriver(ftypes.LangType(kind))
	if !ok {
		return facts.Missing{
			Status: facts.NotAssessed, Partial: true,
			Reason: fmt.Sprintf("%s cannot be matched: there is no source of advisories for this kind", count(n, kind+" package")),
		}, true
	}
	prefix := driver.Type() + "::"
	for name := range buckets {
		if strings.HasPrefix(name, prefix) {
			return facts.Missing{}, false
		}
	}
	return facts.Missing{
		Status: facts.Unknown, Partial: true,
		Reason: fmt.Sprintf("%s cannot be matched: the database has no advisories for %s", count(n, kind+" package"), driver.Type()),
	}, true
}
