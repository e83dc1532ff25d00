package inventory

import (
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/xml"
	"errors"
	"maps"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/aquasecurity/trivy/pkg/fanal/types"
)

// gemspec says whether the file describes an installed Ruby gem.
func gemspec(p string) bool {
	if !strings.HasSuffix(p, ".gemspec") {
		return false
	}
	_, rest, ok := strings.Cut("/"+p, "/specifications/")
	return ok && len(rest) > len(".gemspec")
}

var (
	gemVariable = regexp.MustCompile(`\|(.*)\|`)
	gemValue    = regexp.MustCompile(`\.(?:name|version|license)\s*=\s*(\S+)`)
	gemLicenses = regexp.MustCompile(`\.licenses\s*=\s*\[(.+)\]`)
)

// addGem reads the specification of an installed gem. It is Ruby, but written by
// a program, one assignment to a line.
func (s *LayerScan) addGem(p string, data []byte) error {
	pk, err := parseGemspec(data)
	if err != nil {
		return unlessFixture(p, err)
	}
	s.addApplication(types.GemSpec, p, []pkg{pk})
	return nil
}

func parseGemspec(data []byte) (pkg, error) {
	var p pkg
	variable := ""
	for line := range bytes.Lines(data) {
		text := strings.TrimSpace(string(line))
		if strings.Contains(text, "Gem::Specification.new") {
			variable = ""
			if m := gemVariable.FindStringSubmatch(text); m != nil {
				variable = m[1]
			}
		}
		if variable == "" {
			continue
		}
		rest, ok := strings.CutPrefix(text, variable+".")
		switch {
		case !ok:
		case strings.HasPrefix(rest, "name"):
			p.Name = gemString(text)
		case strings.HasPrefix(rest, "version"):
			p.Version = gemString(text)
		case strings.HasPrefix(rest, "licenses"):
			p.Licenses = nil
			if m := gemLicenses.FindStringSubmatch(text); m != nil {
				for l := range strings.SplitSeq(m[1], ",") {
					p.Licenses = append(p.Licenses, oneLine(gemUnquote(l)))
				}
			}
		case strings.HasPrefix(rest, "license"):
			p.Licenses = nil
			if l := gemString(text); l != "" {
				p.Licenses = []string{oneLine(l)}
			}
		}
		if p.Name != "" && p.Version != "" && len(p.Licenses) > 0 {
			break
		}
	}
	if p.Name == "" || p.Version == "" {
		return pkg{}, errors.New("it names no gem or no version")
	}
	return p, nil
}

func gemString(line string) string {
	if m := gemValue.FindStringSubmatch(line); m != nil {
		return gemUnquote(m[1])
	}
	return ""
}

func gemUnquote(s string) string {
	return strings.Trim(strings.TrimSuffix(strings.TrimSpace(s), ".freeze"), `'"`)
}

// condaMeta says whether the file describes a package of a conda environment:
// conda-meta/name-version-build.json.
func condaMeta(p string) bool {
	dir, name := path.Split(p)
	return strings.HasSuffix("/"+dir, "/conda-meta/") && strings.HasSuffix(name, ".json") && strings.Count(name, "-") >= 2
}

func (s *LayerScan) addConda(p string, data []byte) error {
	var doc struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		License string `json:"license"`
	}
	if err := unmarshalFirst(data, &doc); err != nil {
		return err
	}
	if doc.Name == "" || doc.Version == "" {
		return errors.New("it names no package or no version")
	}
	pk := pkg{Name: doc.Name, Version: doc.Version}
	if doc.License != "" {
		pk.Licenses = []string{oneLine(doc.License)}
	}
	s.addApplication(types.CondaPkg, p, []pkg{pk})
	return nil
}

// addComposer reads vendor/composer/installed.json: an object with packages, or
// as Composer 1 wrote it, the bare list.
func (s *LayerScan) addComposer(p string, data []byte) error {
	pkgs, err := parseComposer(data)
	if err != nil {
		if path.Base(path.Dir(p)) != "composer" {
			return nil // some other program's installed.json
		}
		return err
	}
	s.addApplication(types.ComposerVendor, p, pkgs)
	return nil
}

func parseComposer(data []byte) ([]pkg, error) {
	type composerPackage struct {
		Name    string          `json:"name"`
		Version string          `json:"version"`
		License json.RawMessage `json:"license"`
	}
	var doc struct {
		Packages []composerPackage `json:"packages"`
	}
	var err error
	if bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("[")) {
		err = unmarshalFirst(data, &doc.Packages)
	} else {
		err = unmarshalFirst(data, &doc)
	}
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var pkgs []pkg
	for _, c := range doc.Packages {
		if c.Name == "" || c.Version == "" || seen[c.Name] {
			continue
		}
		seen[c.Name] = true
		pkgs = append(pkgs, pkg{Name: c.Name, Version: c.Version, Licenses: nodeLicenses(c.License)})
	}
	return pkgs, nil
}

// addDotNetDeps reads the .deps.json of a .NET application: the libraries that it
// needs, and for the platform that it was built for, which of them are there when
// it runs.
func (s *LayerScan) addDotNetDeps(p string, data []byte) error {
	pkgs, err := parseDotNetDeps(data)
	if err != nil {
		return unlessFixture(p, err)
	}
	s.addApplication(types.DotNetCore, p, pkgs)
	return nil
}

func parseDotNetDeps(data []byte) ([]pkg, error) {
	type parts map[string]json.RawMessage
	var doc struct {
		Libraries map[string]struct {
			Type string `json:"type"`
		} `json:"libraries"`
		RuntimeTarget struct {
			Name string `json:"name"`
		} `json:"runtimeTarget"`
		Targets map[string]map[string]parts `json:"targets"`
	}
	if err := unmarshalFirst(data, &doc); err != nil {
		return nil, err
	}
	// The runtime of a self-contained application has a prefix that its
	// advisories do not know.
	const pack = "runtimepack."
	target, known := doc.Targets[doc.RuntimeTarget.Name]
	atRunTime := map[string]bool{}
	for name, have := range target {
		atRunTime[strings.TrimPrefix(name, pack)] = holdsAny(have["runtime"]) || holdsAny(have["runtimeTargets"]) || holdsAny(have["native"])
	}
	byID := map[string]pkg{}
	for id, lib := range doc.Libraries {
		name, version, ok := strings.Cut(id, "/")
		kind := strings.ToLower(lib.Type)
		if !ok || kind != "package" && kind != "project" && kind != "runtimepack" {
			continue
		}
		id = strings.TrimPrefix(id, pack)
		if used, listed := atRunTime[id]; known && listed && !used {
			continue
		}
		byID[id] = pkg{Name: strings.TrimPrefix(name, pack), Version: version}
	}
	return slices.Collect(maps.Values(byID)), nil
}

// holdsAny says whether a JSON value is present and not null.
func holdsAny(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// addNuGetLock reads packages.lock.json.
func (s *LayerScan) addNuGetLock(p string, data []byte) error {
	var doc struct {
		Targets map[string]map[string]struct {
			Type     string `json:"type"`
			Resolved string `json:"resolved"`
		} `json:"dependencies"`
	}
	if err := unmarshalFirst(data, &doc); err != nil {
		return unlessFixture(p, err)
	}
	var pkgs []pkg
	for _, target := range doc.Targets {
		for name, dep := range target {
			if dep.Type != "Project" {
				pkgs = append(pkgs, pkg{Name: name, Version: dep.Resolved})
			}
		}
	}
	s.addApplication(types.NuGet, p, uniquePackages(pkgs))
	return nil
}

// addNuGetConfig reads packages.config, without what only development needs.
func (s *LayerScan) addNuGetConfig(p string, data []byte) error {
	var doc struct {
		XMLName  xml.Name `xml:"packages"`
		Packages []struct {
			ID      string `xml:"id,attr"`
			Version string `xml:"version,attr"`
			Dev     bool   `xml:"developmentDependency,attr"`
		} `xml:"package"`
	}
	if err := xml.Unmarshal(data, &doc); err != nil {
		s.opts.Log.Debug("no NuGet configuration", "path", p, "reason", err)
		return nil // many programs have a packages.config
	}
	var pkgs []pkg
	for _, c := range doc.Packages {
		if c.ID != "" && !c.Dev {
			pkgs = append(pkgs, pkg{Name: c.ID, Version: c.Version})
		}
	}
	s.addApplication(types.NuGet, p, uniquePackages(pkgs))
	return nil
}

// addPackagesProps reads Directory.Packages.props and its kin. A version that is
// a variable cannot be known.
func (s *LayerScan) addPackagesProps(p string, data []byte) error {
	type reference struct {
		Version string `xml:"Version,attr"`
		Update  string `xml:"Update,attr"`
		Include string `xml:"Include,attr"`
	}
	var doc struct {
		XMLName xml.Name `xml:"Project"`
		Groups  []struct {
			References []reference `xml:"PackageReference"`
			Versions   []reference `xml:"PackageVersion"`
		} `xml:"ItemGroup"`
	}
	if err := xml.Unmarshal(data, &doc); err != nil {
		return unlessFixture(p, err)
	}
	variable := func(s string) bool { return strings.HasPrefix(s, "$(") && strings.HasSuffix(s, ")") }
	var pkgs []pkg
	for _, g := range doc.Groups {
		for _, r := range slices.Concat(g.References, g.Versions) {
			name, version := strings.TrimSpace(cmp.Or(r.Include, r.Update)), strings.TrimSpace(r.Version)
			if name != "" && version != "" && !variable(name) && !variable(version) {
				pkgs = append(pkgs, pkg{Name: name, Version: version})
			}
		}
	}
	s.addApplication(types.PackagesProps, p, uniquePackages(pkgs))
	return nil
}

// uniquePackages keeps one of each name and version.
func uniquePackages(pkgs []pkg) []pkg {
	sortPackages(pkgs)
	return slices.CompactFunc(pkgs, func(a, b pkg) bool { return a.Name == b.Name && a.Version == b.Version })
}

var wordpressVersion = regexp.MustCompile(`(?m)^[ \t]*\$wp_version[ \t]*=[ \t]*['"]([^'"\n]+)['"][ \t]*;`)

// addWordPress reads the version file of WordPress itself.
func (s *LayerScan) addWordPress(p string, data []byte) error {
	m := wordpressVersion.FindSubmatch(data)
	if m == nil {
		return unlessFixture(p, errors.New("it names no version"))
	}
	v := oneLine(string(m[1]))
	s.addApplication("wordpress", p, []pkg{{Name: "wordpress", Version: v, Purl: "pkg:generic/wordpress@" + url.PathEscape(v)}})
	return nil
}
