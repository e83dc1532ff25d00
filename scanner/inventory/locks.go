package inventory

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/aquasecurity/go-version/pkg/semver"
	"github.com/aquasecurity/go-version/pkg/version"
	"github.com/aquasecurity/trivy/pkg/fanal/types"
	"github.com/pelletier/go-toml/v2"
)

// lockScan gathers lock files and the files beside them that say which packages
// are only for development. They are put together at the end of the layer.
type lockScan struct {
	cargo         map[string][]cargoPackage // by directory: packages of Cargo.lock
	cargoManifest map[string]*cargoManifest
	julia         map[string][]juliaPackage // by directory: packages of Manifest.toml
	juliaProject  map[string]*juliaProject
}

type cargoPackage struct {
	Name         string   `toml:"name"`
	Version      string   `toml:"version"`
	Dependencies []string `toml:"dependencies"`
}

type cargoManifest struct {
	Package struct {
		Name    string `toml:"name"`
		Version any    `toml:"version"`
	} `toml:"package"`
	Dependencies map[string]any `toml:"dependencies"`
	Target       map[string]struct {
		Dependencies map[string]any `toml:"dependencies"`
	} `toml:"target"`
	Workspace struct {
		Dependencies map[string]any `toml:"dependencies"`
		Members      []string       `toml:"members"`
		Package      struct {
			Version string `toml:"version"`
		} `toml:"package"`
	} `toml:"workspace"`
}

func (s *LayerScan) addCargoLock(p string, data []byte) error {
	var doc struct {
		Packages []cargoPackage `toml:"package"`
	}
	if err := toml.Unmarshal(data, &doc); err != nil {
		return unlessFixture(p, err)
	}
	if s.locks.cargo == nil {
		s.locks.cargo = map[string][]cargoPackage{}
	}
	s.note(p)
	s.locks.cargo[path.Dir(p)] = doc.Packages
	return nil
}

func (s *LayerScan) addCargoManifest(p string, data []byte) error {
	m := &cargoManifest{}
	if err := toml.Unmarshal(data, m); err != nil {
		s.opts.Log.Debug("Cargo.toml not read, development dependencies are listed too", "path", p, "reason", err)
		return nil
	}
	if s.locks.cargoManifest == nil {
		s.locks.cargoManifest = map[string]*cargoManifest{}
	}
	s.locks.cargoManifest[path.Dir(p)] = m
	return nil
}

type juliaPackage struct {
	Name    string
	UUID    string
	Version string
	Deps    []string // names or UUIDs
}

type juliaProject struct {
	Deps   map[string]string `toml:"deps"` // name → UUID
	Extras map[string]string `toml:"extras"`
}

func (s *LayerScan) addJuliaManifest(p string, data []byte) error {
	var doc map[string]any
	if err := toml.Unmarshal(data, &doc); err != nil {
		return unlessFixture(p, err)
	}
	juliaVersion, _ := doc["julia_version"].(string)
	deps, ok := doc["deps"].(map[string]any)
	if _, format := doc["manifest_format"]; !format {
		deps, ok, juliaVersion = doc, true, "unknown" // the first format has no head
	}
	if !ok {
		return nil
	}
	if s.locks.julia == nil {
		s.locks.julia = map[string][]juliaPackage{}
	}
	var pkgs []juliaPackage
	for name, v := range deps {
		entries, _ := v.([]any)
		for _, e := range entries {
			if fields, ok := e.(map[string]any); ok {
				pkgs = append(pkgs, juliaEntry(name, juliaVersion, fields))
			}
		}
	}
	s.note(p)
	s.locks.julia[path.Dir(p)] = pkgs
	return nil
}

func juliaEntry(name, juliaVersion string, fields map[string]any) juliaPackage {
	jp := juliaPackage{Name: name}
	jp.UUID, _ = fields["uuid"].(string)
	jp.Version, _ = fields["version"].(string)
	jp.Version = cmp.Or(jp.Version, juliaVersion) // the standard library has Julia's own
	switch deps := fields["deps"].(type) {
	case []any:
		for _, d := range deps {
			if text, ok := d.(string); ok {
				jp.Deps = append(jp.Deps, text)
			}
		}
	case map[string]any:
		for _, d := range deps {
			if text, ok := d.(string); ok {
				jp.Deps = append(jp.Deps, text)
			}
		}
	}
	return jp
}

func (s *LayerScan) addJuliaProject(p string, data []byte) error {
	pr := &juliaProject{}
	if err := toml.Unmarshal(data, pr); err != nil {
		s.opts.Log.Debug("Project.toml not read", "path", p, "reason", err)
		return nil
	}
	if s.locks.juliaProject == nil {
		s.locks.juliaProject = map[string]*juliaProject{}
	}
	s.locks.juliaProject[path.Dir(p)] = pr
	return nil
}

// finishLocks makes applications of what was gathered.
func (s *LayerScan) finishLocks() {
	for _, dir := range slices.Sorted(maps.Keys(s.locks.cargo)) {
		s.addApplication(types.Cargo, path.Join(dir, "Cargo.lock"), s.cargoPackages(dir))
	}
	for _, dir := range slices.Sorted(maps.Keys(s.locks.julia)) {
		s.addApplication(types.Julia, path.Join(dir, "Manifest.toml"), s.juliaPackages(dir))
	}
	s.locks = lockScan{}
}

// cargoPackages lists what a lock file needs at run time: everything that can be
// reached from the dependencies of the manifests, or all where there is none.
func (s *LayerScan) cargoPackages(dir string) []pkg {
	all := s.locks.cargo[dir]
	root, ok := s.locks.cargoManifest[dir]
	if !ok {
		return cargoList(all, nil)
	}
	direct := root.direct()
	keep := map[string]bool{root.id(""): true}
	for at, member := range s.locks.cargoManifest {
		if slices.ContainsFunc(root.Workspace.Members, func(glob string) bool {
			ok, err := path.Match(path.Join(dir, glob), at)
			return ok && err == nil
		}) {
			keep[member.id(root.Workspace.Package.Version)] = true
			for name, constraint := range member.direct() {
				if _, have := direct[name]; !have {
					direct[name] = constraint
				}
			}
		}
	}
	byID, byName := map[string]cargoPackage{}, map[string]cargoPackage{}
	var pending []string
	for _, p := range all {
		byID[p.Name+"@"+p.Version], byName[p.Name] = p, p
	}
	for name, constraint := range direct {
		for _, p := range all {
			if p.Name == name && cargoMatches(p.Version, constraint) {
				pending = append(pending, p.Name+"@"+p.Version)
				break
			}
		}
	}
	for len(pending) > 0 {
		id := pending[0]
		pending = pending[1:]
		if keep[id] {
			continue
		}
		keep[id] = true
		for _, dep := range byID[id].Dependencies {
			switch words := strings.Fields(dep); len(words) {
			case 1:
				pending = append(pending, words[0]+"@"+byName[words[0]].Version)
			case 2, 3:
				pending = append(pending, words[0]+"@"+words[1])
			}
		}
	}
	return cargoList(all, keep)
}

// cargoList makes packages of those that are kept, or of all where keep is nil.
func cargoList(all []cargoPackage, keep map[string]bool) []pkg {
	var out []pkg
	for _, p := range all {
		if p.Name != "" && (keep == nil || keep[p.Name+"@"+p.Version]) {
			out = append(out, pkg{Name: p.Name, Version: p.Version})
		}
	}
	return uniquePackages(out)
}

func (m *cargoManifest) id(workspaceVersion string) string {
	v, ok := m.Package.Version.(string)
	if !ok {
		v = cmp.Or(workspaceVersion, m.Workspace.Package.Version)
	}
	return m.Package.Name + "@" + v
}

// direct returns the constraints of the dependencies that are not only for
// development or the build.
func (m *cargoManifest) direct() map[string]string {
	out := map[string]string{}
	add := func(deps map[string]any) {
		for name, v := range deps {
			switch v := v.(type) {
			case string:
				out[name] = v
			case map[string]any:
				if text, ok := v["version"].(string); ok {
					out[name] = text
				}
			}
		}
	}
	add(m.Dependencies)
	for _, t := range m.Target {
		add(t.Dependencies)
	}
	add(m.Workspace.Dependencies)
	return out
}

// cargoMatches says whether the version satisfies a constraint of Cargo, where a
// bare version means "compatible with".
func cargoMatches(v, constraint string) bool {
	if _, err := version.Parse(constraint); err == nil {
		constraint = "^" + constraint
	}
	ver, err := semver.Parse(v)
	if err != nil {
		return false
	}
	c, err := semver.NewConstraints(constraint)
	return err == nil && c.Check(ver)
}

// juliaPackages lists what can be reached from the project's dependencies, or all
// where no project says.
func (s *LayerScan) juliaPackages(dir string) []pkg {
	all := s.locks.julia[dir]
	keep := map[string]bool{}
	if pr, ok := s.locks.juliaProject[dir]; ok {
		byName := map[string]string{}
		byUUID := map[string]juliaPackage{}
		for _, p := range all {
			byName[p.Name], byUUID[p.UUID] = p.UUID, p
		}
		pending := slices.Concat(slices.Collect(maps.Values(pr.Deps)), slices.Collect(maps.Values(pr.Extras)))
		for len(pending) > 0 {
			id := pending[0]
			pending = pending[1:]
			if uuid, ok := byName[id]; ok {
				id = uuid
			}
			if p, ok := byUUID[id]; ok && !keep[id] {
				keep[id] = true
				pending = append(pending, p.Deps...)
			}
		}
	}
	var out []pkg
	for _, p := range all {
		if keep[p.UUID] || len(keep) == 0 {
			out = append(out, pkg{ID: p.UUID, Name: p.Name, Version: p.Version})
		}
	}
	return out
}
