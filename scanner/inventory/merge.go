package inventory

import (
	"context"
	"fmt"
	"slices"

	"github.com/aquasecurity/trivy/pkg/fanal/types"

	"github.com/postscan/postscan/scanner/facts"
)

// Merge puts layers on top of each other, lowest first, and says what the tree
// holds. rt is what will run in it. jars identifies Java archives; without it, those
// that do not name themselves are reported in Missing. Layers are not changed, so
// one may be merged into several images at the same time. The error is for a
// context that is done.
func Merge(ctx context.Context, layers []*Layer, rt Runtime, jars JarLookup) (*Inventory, error) {
	m := &merger{
		layers: layers, tree: newTree(layers), rt: rt, jars: jars,
		inv: &Inventory{Missing: map[string]facts.Missing{}}, gaps: map[string][]string{},
	}
	steps := []func(context.Context) error{
		m.mergeDistribution, m.mergeDatabases, m.mergeApplications, m.mergeProblems,
	}
	for _, step := range steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return m.inv, nil
}

// merger is the state of one Merge.
type merger struct {
	layers []*Layer
	tree   *tree
	rt     Runtime
	jars   JarLookup
	inv    *Inventory
	os     types.OS
	gaps   map[string][]string // by facts path: what could not be seen
}

func (m *merger) gap(area, format string, args ...any) {
	m.gaps[area] = append(m.gaps[area], fmt.Sprintf(format, args...))
}

// nameOf returns a name under which the file of that layer is visible: its path,
// or else one of its hard links.
func (m *merger) nameOf(p string, layer int) (string, bool) {
	if m.tree.visible(p, layer) {
		return p, true
	}
	for _, link := range m.layers[layer].HardLinks[p] {
		if m.tree.visible(link, layer) {
			return link, true
		}
	}
	return "", false
}

// mergeDistribution finds the operating system. Where every release file was
// deleted, those that once were are believed: the packages are still theirs.
func (m *merger) mergeDistribution(context.Context) error {
	var seen, gone []release
	for i, l := range m.layers {
		for _, r := range l.Releases {
			if _, ok := m.nameOf(r.Path, i); ok {
				seen = append(seen, r)
			} else {
				gone = append(gone, r)
			}
		}
	}
	os, name, other := operatingSystem(seen)
	if os.Family == "" && other == "" {
		slices.Reverse(gone)
		os, name, other = operatingSystem(gone)
	}
	m.os = os
	d := facts.Distribution{
		Family: string(os.Family), Version: os.Name, Name: name,
		Extended: os.Extended, Supplier: string(os.Supplier),
	}
	for _, r := range seen {
		if r.RepoRel != "" {
			d.RepositoryRelease = r.RepoRel
		}
	}
	if d.Family == "" {
		d.Family = other
		if other == "" {
			d.Family = "none"
		}
	}
	m.inv.Distribution = d
	return nil
}

// mergeDatabases lists the packages of the operating system.
func (m *merger) mergeDatabases(context.Context) error {
	seen := map[string]bool{}
	for i, l := range m.layers {
		for _, db := range l.Databases {
			name, ok := m.nameOf(db.Path, i)
			if !ok {
				continue
			}
			for k := range db.Packages {
				p := &db.Packages[k]
				key := p.key()
				if seen[key] {
					continue
				}
				seen[key] = true
				f := p.fact(string(m.os.Family), &m.os)
				f.Path = name
				f.Layer = m.databaseOrigin(db.Path, p, i)
				m.inv.Packages = append(m.inv.Packages, f)
			}
		}
	}
	return nil
}

// databaseOrigin finds the layer that brought the package, going down from the
// one that last wrote the database as long as the package is in it.
func (m *merger) databaseOrigin(file string, p *pkg, top int) int {
	origin := top
	for i := top - 1; i >= 0; i-- {
		for _, db := range m.layers[i].Databases {
			if db.Path != file {
				continue
			}
			if !slices.ContainsFunc(db.Packages, func(o pkg) bool { return o.same(p) }) {
				return origin
			}
			origin = i
		}
	}
	return origin
}

// mergeApplications lists the packages of languages.
func (m *merger) mergeApplications(context.Context) error {
	for i, l := range m.layers {
		for _, a := range l.Applications {
			name, ok := m.nameOf(a.Path, i)
			if !ok {
				continue
			}
			for k := range a.Packages {
				f := a.Packages[k].fact(a.Type, nil)
				if f.Path == "" {
					f.Path = name
				}
				f.Layer = i
				m.inv.Packages = append(m.inv.Packages, f)
			}
		}
	}
	return nil
}

// mergeProblems turns what could not be read into Missing.
func (m *merger) mergeProblems(context.Context) error {
	for i, l := range m.layers {
		for _, p := range l.Problems {
			if _, ok := m.nameOf(p.Path, i); ok || p.Area == "secrets" {
				m.gap(p.Area, "%s: %s", p.Path, p.Reason)
			}
		}
	}
	for area, list := range m.gaps {
		m.inv.Missing[area] = facts.Missing{Status: facts.Unknown, Partial: true, Reason: list[0]}
	}
	return nil
}
