package vulndb

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	dbtypes "github.com/aquasecurity/trivy-db/pkg/types"

	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/vulndb/dbfile"
)

var (
	debian = facts.Distribution{Family: "debian", Version: "12.4"}
	libssl = facts.Package{
		Type: "debian", Class: "os", Name: "libssl3", Version: "3.0.11", Release: "1~deb12u1", Arch: "amd64",
		SourceName: "openssl", SourceVersion: "3.0.11", SourceRelease: "1~deb12u1",
		Purl: "pkg:deb/debian/libssl3@3.0.11-1~deb12u1?arch=amd64", Path: "var/lib/dpkg/status", Layer: 2,
	}
)

func language(kind, name, version, path string) facts.Package {
	return facts.Package{Type: kind, Class: "language", Name: name, Version: version, Path: path}
}

func TestMatch(t *testing.T) {
	db := open(t, Options{Dir: write(t, fixture(t))})
	alpine := facts.Distribution{Family: "alpine", Version: "3.18.4"}
	busybox := facts.Package{Type: "alpine", Class: "os", Name: "busybox-binsh", Version: "1.36.1-r0", SourceName: "busybox", SourceVersion: "1.36.1-r0"}
	redhat := facts.Distribution{Family: "redhat", Version: "8.7"}
	rpm := func(name, version, release string, change func(*facts.Package)) facts.Package {
		p := facts.Package{Type: "redhat", Class: "os", Name: name, Epoch: 1, Version: version, Release: release, Arch: "x86_64"}
		if change != nil {
			change(&p)
		}
		return p
	}
	tests := map[string]struct {
		dist facts.Distribution
		pkgs []facts.Package
		want []string // "package version id fixed status severity(source)"
	}{
		"debian: by source package, severity of NVD where Debian has none": {
			debian, []facts.Package{libssl},
			[]string{"libssl3 3.0.11-1~deb12u1 CVE-2023-5363 3.0.11-1~deb12u2 fixed high(nvd)"},
		},
		"debian: not fixed, severity and status of Debian": {
			debian,
			[]facts.Package{{Type: "debian", Class: "os", Name: "zlib1g", Epoch: 1, Version: "1.2.13.dfsg", Release: "1", SourceName: "zlib", SourceEpoch: 1, SourceVersion: "1.2.13.dfsg", SourceRelease: "1"}},
			[]string{"zlib1g 1:1.2.13.dfsg-1 CVE-2023-45853  will_not_fix low(debian)"},
		},
		"a package of a third party is not matched by name": {
			debian,
			[]facts.Package{{Type: "debian", Class: "os", Name: "containerd", Version: "1.6.20", SourceName: "containerd", SourceVersion: "1.6.20", ThirdParty: true}},
			nil,
		},
		"alpine: minor release": {
			alpine, []facts.Package{busybox},
			[]string{"busybox-binsh 1.36.1-r0 CVE-2022-48174 1.36.1-r1 fixed critical(nvd)"},
		},
		"alpine: the repositories say another release": {
			facts.Distribution{Family: "alpine", Version: "3.18.4", RepositoryRelease: "edge"}, []facts.Package{busybox},
			[]string{"busybox-binsh 1.36.1-r0 CVE-2023-42363 1.36.1-r17 fixed medium(nvd)"},
		},
		"ubuntu": {
			facts.Distribution{Family: "ubuntu", Version: "22.04"},
			[]facts.Package{{Type: "ubuntu", Class: "os", Name: "libcurl4", Version: "7.81.0", Release: "1ubuntu1.13", SourceName: "curl", SourceVersion: "7.81.0", SourceRelease: "1ubuntu1.13"}},
			[]string{"libcurl4 7.81.0-1ubuntu1.13 CVE-2023-38545 7.81.0-1ubuntu1.14 fixed high(ubuntu)"},
		},
		"amazon: a version with a name": {
			facts.Distribution{Family: "amazon", Version: "2 (Karoo)"},
			[]facts.Package{{Type: "amazon", Class: "os", Name: "curl", Version: "8.2.1", Release: "1.amzn2.0.2", Arch: "x86_64"}},
			[]string{"curl 8.2.1-1.amzn2.0.2 CVE-2023-38545 8.3.0-1.amzn2.0.4 fixed high(amazon)"},
		},
		"rocky: by architecture": {
			facts.Distribution{Family: "rocky", Version: "9.1"},
			[]facts.Package{
				{Type: "rocky", Class: "os", Name: "openssl-libs", Epoch: 1, Version: "3.0.1", Release: "43.el9_0", Arch: "x86_64"},
				{Type: "rocky", Class: "os", Name: "openssl-libs", Epoch: 1, Version: "3.0.1", Release: "43.el9_0", Arch: "i686"},
			},
			[]string{"openssl-libs 1:3.0.1-43.el9_0 CVE-2023-0286 1:3.0.1-47.el9_1 fixed high(rocky)"},
		},
		"redhat: default content sets": {
			redhat, []facts.Package{rpm("openssl-libs", "1.1.1k", "7.el8_6", nil)},
			[]string{"openssl-libs 1:1.1.1k-7.el8_6 CVE-2023-0286 1:1.1.1k-9.el8_7 fixed high(redhat)"},
		},
		"redhat: the build's name instead of content sets": {
			redhat, []facts.Package{rpm("openssl-libs", "1.1.1k", "7.el8_6", func(p *facts.Package) {
				p.BuildNVR, p.BuildArch = "ubi8-container-8.7-1054", "x86_64"
			})},
			[]string{"openssl-libs 1:1.1.1k-7.el8_6 CVE-2023-0286 1:1.1.1k-9.el8_7 fixed high(redhat)"},
		},
		"redhat: content sets that the advisory is not for": {
			redhat, []facts.Package{rpm("openssl-libs", "1.1.1k", "7.el8_6", func(p *facts.Package) {
				p.ContentSets = []string{"rhel-8-for-x86_64-appstream-rpms"}
			})},
			nil,
		},
		"redhat: a module": {
			redhat, []facts.Package{rpm("nodejs", "16.18.1", "3.module+el8.7.0+17465+1a1abd74", func(p *facts.Package) {
				p.Modularity = "nodejs:16:8070020221213090945:bd1311ed"
			})},
			[]string{"nodejs 1:16.18.1-3.module+el8.7.0+17465+1a1abd74 CVE-2023-23918 1:16.19.1-1.module+el8.7.0+18373+704f5cef fixed medium(redhat)"},
		},
		"redhat: without the module, not to be fixed": {
			redhat, []facts.Package{rpm("nodejs", "10.24.0", "1.el8", nil)},
			[]string{"nodejs 1:10.24.0-1.el8 CVE-2023-23918  will_not_fix medium(redhat)"},
		},
		"npm: the same package at two paths": {
			facts.Distribution{Family: "none"},
			[]facts.Package{
				language("node-pkg", "lodash", "4.17.20", "app/node_modules/lodash/package.json"),
				language("node-pkg", "lodash", "4.17.20", "srv/node_modules/lodash/package.json"),
				language("node-pkg", "lodash", "4.17.21", "opt/node_modules/lodash/package.json"),
			},
			[]string{
				"lodash 4.17.20 CVE-2021-23337 4.17.21 fixed high(ghsa)",
				"lodash 4.17.20 CVE-2021-23337 4.17.21 fixed high(ghsa)",
			},
		},
		"pip: names are normalised, no fixed version": {
			facts.Distribution{Family: "none"},
			[]facts.Package{language("python-pkg", "ruamel_yaml", "0.16.5", "usr/lib/python3/dist-packages/ruamel_yaml-0.16.5.dist-info/METADATA")},
			[]string{"ruamel_yaml 0.16.5 CVE-2019-20478  affected critical(nvd)"},
		},
		"maven": {
			facts.Distribution{Family: "none"},
			[]facts.Package{language("jar", "org.apache.logging.log4j:log4j-core", "2.14.1", "app.jar")},
			[]string{"org.apache.logging.log4j:log4j-core 2.14.1 CVE-2021-44228 2.15.0 fixed critical(ghsa)"},
		},
		"go: modules and the standard library": {
			facts.Distribution{Family: "none"},
			[]facts.Package{
				language("gobinary", "golang.org/x/net", "v0.16.0", "usr/bin/app"),
				language("gobinary", "stdlib", "v1.21.2", "usr/bin/app"),
				language("gobinary", "stdlib", "v1.21.3", "usr/bin/other"),
				language("gobinary", "example.org/app", "", "usr/bin/app"),
			},
			[]string{
				"golang.org/x/net v0.16.0 CVE-2023-39325 0.17.0 fixed high(nvd)",
				"stdlib v1.21.2 CVE-2023-39325 1.20.10, 1.21.3 fixed high(nvd)",
			},
		},
		"ruby: only what is patched is known": {
			facts.Distribution{Family: "none"},
			[]facts.Package{language("gemspec", "rack", "2.0.9.1", "usr/lib/ruby/gems/3.0.0/specifications/rack-2.0.9.1.gemspec")},
			[]string{"rack 2.0.9.1 CVE-2022-44571 ~> 2.0.9, >= 2.0.9.2, >= 3.0.4.1 fixed high(ruby-advisory-db)"},
		},
		"a supplier's own build": {
			facts.Distribution{Family: "none"},
			[]facts.Package{language("node-pkg", "@seal-security/ejs", "2.7.4", "app/node_modules/ejs/package.json")},
			[]string{"@seal-security/ejs 2.7.4 CVE-2022-29078 2.7.4-sp1 fixed critical(seal)"},
		},
		"nothing to match": {facts.Distribution{Family: "none"}, nil, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			found, err := db.Match(t.Context(), tt.dist, tt.pkgs)
			if err != nil {
				t.Fatal(err)
			}
			if got := lines(found); !slices.Equal(got, tt.want) {
				t.Errorf("Match found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

func lines(found []facts.Vulnerability) []string {
	var out []string
	for _, v := range found {
		out = append(out, fmt.Sprintf("%s %s %s %s %s %s(%s)", v.Package, v.Version, v.ID, v.FixedVersion, v.Status, v.Severity, v.SeveritySource))
	}
	return out
}

func TestMatchFillsEveryField(t *testing.T) {
	dir := write(t, fixture(t))
	db := open(t, Options{Dir: dir, KEV: writeText(t, kevText), EPSS: writeText(t, epssText)})
	found, err := db.Match(t.Context(), debian, []facts.Package{libssl})
	if err != nil {
		t.Fatal(err)
	}
	want := facts.Vulnerability{
		ID: "CVE-2023-5363", Aliases: []string{"DSA-5532-1"}, Package: "libssl3", PackageType: "debian",
		Version: "3.0.11-1~deb12u1", FixedVersion: "3.0.11-1~deb12u2", Status: "fixed",
		Severity: "high", SeveritySource: "nvd", Score: 7.5,
		Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", NetworkVector: true, KEV: true, EPSS: 0.00385,
		Title: "Keys and IVs of the wrong length are taken for right", References: []string{"https://www.openssl.org/news/secadv/20231024.txt"},
		PrimaryURL: "https://avd.aquasec.com/nvd/cve-2023-5363", DataSource: "Debian Security Tracker",
		Published: "2023-10-25T18:17:43Z", Purl: libssl.Purl, Path: "var/lib/dpkg/status", Layer: 2,
	}
	if len(found) != 1 || fmt.Sprint(found[0]) != fmt.Sprint(want) {
		t.Errorf("Match found\n%+v\nwant\n%+v", found, want)
	}
	if got := db.Missing(); len(got) != 0 {
		t.Errorf("Missing = %v, want nothing", got)
	}
	if got := db.Sources(); len(got) != 3 || got[1].Name != "kev" || got[2].Name != "epss" {
		t.Errorf("Sources = %+v, want the database, KEV and EPSS", got)
	}
}

func TestMatchNamesWhatNothingCouldMatch(t *testing.T) {
	db := open(t, Options{Dir: write(t, fixture(t))})
	os := func(family string) []facts.Package {
		return []facts.Package{{Type: family, Class: "os", Name: "bash", Version: "5.2"}}
	}
	tests := map[string]struct {
		dist   facts.Distribution
		pkgs   []facts.Package
		status facts.Gap
		says   string
	}{
		"a release that the database does not have": {facts.Distribution{Family: "debian", Version: "14"}, os("debian"), facts.Unknown, "no advisories for debian 14"},
		"testing, which has no number":              {facts.Distribution{Family: "debian", Version: "trixie/sid"}, os("debian"), facts.Unknown, "no advisories for debian trixie/sid"},
		"an alpine release":                         {facts.Distribution{Family: "alpine", Version: "3.99.1"}, os("alpine"), facts.Unknown, "alpine 3.99.1"},
		"repositories of Red Hat that it does not know": {
			facts.Distribution{Family: "redhat", Version: "8.7"},
			[]facts.Package{{Type: "redhat", Class: "os", Name: "bash", Version: "4.4.20", Release: "4.el8", ContentSets: []string{"rhel-99"}}},
			facts.Unknown, "1 OS package cannot be matched",
		},
		"packages of another release": {
			facts.Distribution{Family: "alpine", Version: "3.18.4", RepositoryRelease: "3.99"}, os("alpine"), facts.Unknown,
			"alpine 3.18.4 with packages of 3.99",
		},
		"a family without advisories":     {facts.Distribution{Family: "fedora", Version: "42"}, os("fedora"), facts.Unknown, "no source of advisories for fedora 42"},
		"a distribution without packages": {debian, nil, facts.Unknown, "the distribution is debian 12.4, but none of its packages was found"},
		"packages and no distribution":    {facts.Distribution{Family: "none"}, os(""), facts.Unknown, "the distribution is not known"},
		"an ecosystem":                    {facts.Distribution{Family: "none"}, []facts.Package{language("rustbinary", "time", "0.1.0", "a")}, facts.Unknown, "1 rustbinary package cannot be matched: the database has no advisories for cargo"},
		"a kind without advisories":       {facts.Distribution{Family: "none"}, []facts.Package{language("conda-pkg", "openssl", "1.1.1", "a"), language("conda-pkg", "zlib", "1.2", "b")}, facts.NotAssessed, "2 conda-pkg packages cannot be matched"},
		"both kinds of gaps": {
			facts.Distribution{Family: "none"},
			[]facts.Package{language("conda-pkg", "openssl", "1.1.1", "a"), language("rustbinary", "time", "0.1.0", "b")}, facts.Unknown, "; ",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			pkgs := append(slices.Clone(tt.pkgs), language("node-pkg", "lodash", "4.17.20", "app/node_modules/lodash/package.json"))
			found, err := db.Match(t.Context(), tt.dist, pkgs)
			var incomplete *IncompleteError
			if !errors.As(err, &incomplete) {
				t.Fatalf("Match = %v, want an IncompleteError", err)
			}
			if got := incomplete.Missing(); got.Status != tt.status || !got.Partial || !strings.Contains(got.Reason, tt.says) {
				t.Errorf("Missing = %+v, want %s and %q", got, tt.status, tt.says)
			}
			if len(found) != 1 {
				t.Errorf("Match found %v, want what could be matched", lines(found))
			}
		})
	}
}

// TestEveryDistributionIsMatchedOrNamed runs trivy's detector of each family:
// none may end the program, and each is either covered or named.
func TestEveryDistributionIsMatchedOrNamed(t *testing.T) {
	db := open(t, Options{Dir: write(t, fixture(t))})
	for _, family := range []string{
		"alma", "alpine", "amazon", "azurelinux", "bottlerocket", "cbl-mariner", "centos", "chainguard", "coreos", "debian", "echo", "fedora",
		"minimos", "opensuse", "opensuse-leap", "opensuse-tumbleweed", "oracle", "photon", "redhat", "rocky", "slem", "sles", "ubuntu", "wolfi", "arch", "",
	} {
		for _, version := range []string{"8", "99.9", ""} {
			pkg := facts.Package{Type: family, Class: "os", Name: "bash", Version: "5.2", Release: "1", SourceName: "bash", SourceVersion: "5.2", SourceRelease: "1"}
			_, err := db.Match(t.Context(), facts.Distribution{Family: family, Version: version}, []facts.Package{pkg})
			if err == nil && family != "redhat" && family != "centos" {
				t.Errorf("%s %q: clean, though the database has no advisories for it", family, version)
			}
		}
	}
}

func TestMatchOfEightImagesAtOnce(t *testing.T) {
	db := open(t, Options{Dir: write(t, manyPackages(200))})
	images := make([][]facts.Package, 8)
	want := make([][]string, len(images))
	for i := range images {
		images[i] = installed(200, fmt.Sprintf("1.%d", i))
		found, err := db.Match(t.Context(), debian, images[i])
		if err != nil {
			t.Fatal(err)
		}
		if want[i] = lines(found); len(want[i]) == 0 {
			t.Fatalf("image %d has no vulnerabilities", i)
		}
	}
	var wg sync.WaitGroup
	for i := range images {
		wg.Go(func() {
			for range 5 {
				found, err := db.Match(t.Context(), debian, images[i])
				if err != nil || !slices.Equal(lines(found), want[i]) {
					t.Errorf("image %d: %v, %d vulnerabilities, want %d", i, err, len(found), len(want[i]))
				}
			}
		})
	}
	wg.Wait()
}

func TestMatchSurvivesAFileThatIsCutShortUnderIt(t *testing.T) {
	dir := write(t, manyPackages(2000))
	db := open(t, Options{Dir: dir})
	if err := os.Truncate(databasePath(dir), 2*4096); err != nil {
		t.Fatal(err)
	}
	found, err := db.Match(t.Context(), debian, installed(2000, "1.0"))
	if !errors.Is(err, ErrCorrupt) || len(found) > 0 {
		t.Errorf("Match = %d vulnerabilities, %v, want ErrCorrupt", len(found), err)
	}
}

func TestBestScore(t *testing.T) {
	const v2, v3, v4 = "AV:N/AC:L/Au:N/C:P/I:P/A:P", "CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:H", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
	tests := map[string]struct {
		all    dbtypes.VendorCVSS
		first  dbtypes.SourceID
		score  float64
		vector string
	}{
		"none":                              {nil, "debian", 0, ""},
		"of the source of the severity":     {dbtypes.VendorCVSS{"nvd": {V3Score: 9, V3Vector: v3}, "ghsa": {V3Score: 5.5, V3Vector: v3}}, "ghsa", 5.5, v3},
		"3 before 4":                        {dbtypes.VendorCVSS{"ghsa": {V40Score: 9.3, V40Vector: v4, V3Score: 5.5, V3Vector: v3}}, "ghsa", 5.5, v3},
		"4 where there is no 3":             {dbtypes.VendorCVSS{"ghsa": {V40Score: 9.3, V40Vector: v4}}, "ghsa", 9.3, v4},
		"another's 3 before one's own 2":    {dbtypes.VendorCVSS{"nvd": {V2Score: 7.5, V2Vector: v2}, "redhat": {V3Score: 5.5, V3Vector: v3}}, "nvd", 5.5, v3},
		"2 where there is nothing else":     {dbtypes.VendorCVSS{"nvd": {V2Score: 7.5, V2Vector: v2}}, "debian", 7.5, v2},
		"of nobody known: first in letters": {dbtypes.VendorCVSS{"zzz": {V3Score: 1}, "aaa": {V3Score: 2}}, "", 2, ""},
	}
	for name, tt := range tests {
		if score, vector := bestScore(tt.all, tt.first); score != tt.score || vector != tt.vector {
			t.Errorf("%s: %v %q, want %v %q", name, score, vector, tt.score, tt.vector)
		}
	}
	for vector, want := range map[string]bool{v2: true, v3: false, v4: true, "": false, "CVSS:3.1/MAV:N/AV:L": false} {
		if overNetwork(vector) != want {
			t.Errorf("overNetwork(%q) is not %t", vector, want)
		}
	}
}

// manyPackages is a database of n packages of Debian with three vulnerabilities
// each, one of which is not fixed.
func manyPackages(n int) dbfile.Fixture {
	advisories := map[string]map[string]dbfile.Advisory{}
	details := map[string]dbfile.Vulnerability{}
	for i := range n {
		ids := [3]string{}
		for j := range ids {
			ids[j] = fmt.Sprintf("CVE-2024-%d", 10000+3*i+j)
			details[ids[j]] = dbfile.Vulnerability{
				Title: "a vulnerability", Severity: map[string]string{"nvd": "high"},
				CVSS:       map[string]dbfile.CVSS{"nvd": {V3: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", V3Score: 7.5}},
				References: []string{"https://example.org/" + ids[j], "https://example.net/" + ids[j]},
			}
		}
		advisories[fmt.Sprintf("source%d", i)] = map[string]dbfile.Advisory{
			ids[0]: {Fixed: "1.4-1"}, ids[1]: {Fixed: "0.9-1"}, ids[2]: {},
		}
	}
	return dbfile.Fixture{
		Updated: today, NextUpdate: today.AddDate(0, 0, 1),
		Sources:         map[string]dbfile.Source{"debian 12": {ID: "debian", Name: "Debian Security Tracker"}},
		Advisories:      map[string]map[string]map[string]dbfile.Advisory{"debian 12": advisories},
		Vulnerabilities: details,
	}
}

// installed are n packages that manyPackages knows.
func installed(n int, version string) []facts.Package {
	out := make([]facts.Package, n)
	for i := range out {
		name := fmt.Sprintf("source%d", i)
		out[i] = facts.Package{
			Type: "debian", Class: "os", Name: "lib" + name, Version: version, Release: "1", Arch: "amd64",
			SourceName: name, SourceVersion: version, SourceRelease: "1", Path: "var/lib/dpkg/status",
		}
	}
	return out
}

func BenchmarkMatch(b *testing.B) {
	dir := b.TempDir()
	if err := manyPackages(5000).Write(dir); err != nil {
		b.Fatal(err)
	}
	db := open(b, Options{Dir: dir})
	for _, n := range []int{100, 500} {
		pkgs := installed(n, "1.0")
		b.Run(fmt.Sprintf("%d packages", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := db.Match(b.Context(), debian, pkgs); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	if err := manyPackages(5000).Write(dir); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		db, err := Open(b.Context(), Options{Dir: dir, Now: at(today)})
		if err != nil {
			b.Fatal(err)
		}
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
