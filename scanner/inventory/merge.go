package inventory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

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
		m.mergeDistribution, m.mergeDatabases, m.mergeApplications, m.mergeArchives,
		m.mergeSecrets, m.mergeMalware, m.mergePrivileged,
		m.mergeAccounts, m.mergeSudo, m.mergeTools, m.mergeSSH, m.mergeWritable, m.mergeProblems,
	}
	for _, step := range steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	sortFacts(m.inv.Packages)
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
	groups []group
	who    who
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
	if os.Family == "" && other == "" && len(gone) > 0 {
		slices.Reverse(gone)
		seen = gone
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
			if d.Family == "" && other == "" { // better than nothing: what it installs from
				d.Family, d.Version = r.RepoOS, r.RepoRel
				m.os.Family, m.os.Name = types.OSType(r.RepoOS), r.RepoRel
			}
		}
	}
	switch {
	case d.Family != "":
	case other != "":
		d.Family = other
		m.gap("packages", "the packages of the distribution %q cannot be read by this version", other)
	default:
		d.Family = "none"
	}
	m.inv.Distribution = d
	return nil
}

// mergeDatabases lists the packages of the operating system. Those of a bill of
// materials come last: what the package manager itself recorded is more complete.
func (m *merger) mergeDatabases(context.Context) error {
	seen := map[string]bool{}
	found := 0
	for _, fromSBOM := range []bool{false, true} {
		for i, l := range m.layers {
			for k := range l.Databases {
				db := &l.Databases[k]
				name, ok := m.nameOf(db.Path, i)
				if !ok || (db.Format == "sbom") != fromSBOM {
					continue
				}
				found += len(db.Packages)
				m.addDatabase(db, name, i, seen)
			}
		}
	}
	if found > 0 && m.os.Family == "" && m.inv.Distribution.Family == "none" {
		m.gap("distribution", "there are packages of an operating system, but nothing says of which")
		m.gap("packages", "there are packages of an operating system, but nothing says of which; no advisory can be matched")
	}
	return nil
}

func (m *merger) addDatabase(db *database, name string, layer int, seen map[string]bool) {
	sets := map[int]map[string]bool{} // what older versions of the database held
	for k := range db.Packages {
		p := db.Packages[k]
		if seen[p.key()] || !m.purlFits(&p) {
			continue
		}
		seen[p.key()] = true
		p.Path = ""
		f := p.fact(cmp.Or(string(m.os.Family), db.Format), &m.os)
		f.Path = name
		f.Layer = m.databaseOrigin(db.Path, &p, layer, sets)
		if b := m.buildOf(f.Layer); b != nil {
			f.ContentSets, f.BuildNVR, f.BuildArch = b.ContentSets, b.NVR, b.Arch
		}
		m.inv.Packages = append(m.inv.Packages, f)
	}
}

// purlFits says whether a package that a bill of materials names is one of this
// distribution.
func (m *merger) purlFits(p *pkg) bool {
	rest, ok := strings.CutPrefix(p.Purl, "pkg:")
	if !ok || m.os.Family == "" {
		return true
	}
	rest, _, _ = strings.Cut(rest, "@")
	parts := strings.Split(rest, "/")
	return len(parts) < 3 || parts[1] == m.os.Family.PurlNamespace()
}

// databaseOrigin finds the layer that brought the package: from the one that last
// wrote the database downwards, as long as the package is in it.
func (m *merger) databaseOrigin(file string, p *pkg, top int, sets map[int]map[string]bool) int {
	origin := top
	for i := top - 1; i >= 0; i-- {
		held, ok := sets[i]
		if !ok {
			held = m.held(i, file)
			sets[i] = held
		}
		if held == nil {
			continue
		}
		if !held[p.Name+"\x00"+p.Version+"\x00"+p.Release] {
			break
		}
		origin = i
	}
	return origin
}

// held lists the packages of a database as one layer has it, nil where it has none.
func (m *merger) held(layer int, file string) map[string]bool {
	list := m.layers[layer].Databases
	k, ok := slices.BinarySearchFunc(list, file, func(d database, p string) int { return cmp.Compare(d.Path, p) })
	if !ok {
		return nil
	}
	out := make(map[string]bool, len(list[k].Packages))
	for _, p := range list[k].Packages {
		out[p.Name+"\x00"+p.Version+"\x00"+p.Release] = true
	}
	return out
}

// mergeApplications lists the packages of languages.
func (m *merger) mergeApplications(context.Context) error {
	for i, l := range m.layers {
		for k := range l.Applications {
			a := &l.Applications[k]
			name, ok := m.nameOf(a.Path, i)
			if !ok {
				continue
			}
			for j := range a.Packages {
				p := &a.Packages[j]
				f := p.fact(a.Type, nil)
				if f.Path == "" {
					f.Path = name
				}
				if a.Type == string(types.GoBinary) || a.Type == string(types.RustBinary) {
					f.Binary = name
				}
				f.Layer = m.applicationOrigin(a, p, i)
				m.inv.Packages = append(m.inv.Packages, f)
			}
		}
	}
	return nil
}

// applicationOrigin is databaseOrigin for a file of a language.
func (m *merger) applicationOrigin(a *application, p *pkg, top int) int {
	origin := top
	key := a.Path + "\x00" + a.Type
	for i := top - 1; i >= 0; i-- {
		list := m.layers[i].Applications
		k, ok := slices.BinarySearchFunc(list, key, func(b application, key string) int { return cmp.Compare(b.Path+"\x00"+b.Type, key) })
		if !ok {
			continue
		}
		if !slices.ContainsFunc(list[k].Packages, func(o pkg) bool { return o.same(p) }) {
			break
		}
		origin = i
	}
	return origin
}

// mergeSecrets lists credentials in files of all layers. One that a later layer
// deletes can still be read by whoever has the image.
func (m *merger) mergeSecrets(context.Context) error {
	type key struct {
		path  string
		match secretMatch
	}
	brought := map[key]int{} // by the layer that will have the file again: who brought it
	for i, l := range m.layers {
		if !l.SecretsSought {
			m.inv.Missing["secrets"] = facts.Missing{Status: facts.NotAssessed, Reason: "the search for secrets in files was not asked for"}
		}
		for _, f := range l.Secrets {
			name, visible := m.nameOf(f.Path, i)
			if !visible {
				name = f.Path
			}
			next := m.tree.hiddenBy(f.Path, i)
			for _, s := range f.Found {
				origin, again := brought[key{f.Path, s}]
				if !again {
					origin = i
				}
				delete(brought, key{f.Path, s})
				if !visible && m.holdsSecret(next, f.Path, s) {
					brought[key{f.Path, s}] = origin // the same file, written again
					continue
				}
				out := facts.Secret{
					Rule: s.Rule, Category: s.Category, Title: s.Title, Severity: s.Severity, Path: name,
					StartLine: s.StartLine, EndLine: s.EndLine, Length: s.Length, Layer: origin, DeletedIn: -1,
				}
				if !visible {
					out.Deleted, out.DeletedIn = true, next
				}
				m.inv.Secrets = append(m.inv.Secrets, out)
			}
		}
	}
	slices.SortFunc(m.inv.Secrets, func(a, b facts.Secret) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.StartLine, b.StartLine), cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Length, b.Length))
	})
	return nil
}

// holdsSecret says whether the layer has the file with the same credential in it.
func (m *merger) holdsSecret(layer int, p string, s secretMatch) bool {
	if layer < 0 {
		return false
	}
	list := m.layers[layer].Secrets
	k, ok := slices.BinarySearchFunc(list, p, func(f secretFile, p string) int { return cmp.Compare(f.Path, p) })
	return ok && slices.Contains(list[k].Found, s)
}

// mergeMalware lists listed files of all layers: deleted ones still ship. The same
// file, written again by later layers, is named for the topmost.
func (m *merger) mergeMalware(context.Context) error {
	for i, l := range m.layers {
		if !l.MalwareSought {
			m.inv.Missing["malware"] = facts.Missing{Status: facts.NotAssessed, Reason: "no list of malware hashes is configured"}
		}
		for _, f := range l.Malware {
			name, visible := m.nameOf(f.Path, i)
			if next := m.tree.hiddenBy(f.Path, i); !visible && next >= 0 && slices.Contains(m.layers[next].Malware, f) {
				continue
			}
			m.inv.Malware = append(m.inv.Malware, facts.Malware{
				Path: cmp.Or(name, f.Path), SHA256: f.SHA256, Name: f.Name, Layer: i, Deleted: !visible,
			})
		}
	}
	slices.SortFunc(m.inv.Malware, func(a, b facts.Malware) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Layer, b.Layer))
	})
	return nil
}

// mergeProblems turns what could not be read into Missing. A file that a later
// layer hides matters only where deleted files do.
func (m *merger) mergeProblems(context.Context) error {
	for i, l := range m.layers {
		for _, p := range l.Problems {
			name, visible := m.nameOf(p.Path, i)
			switch {
			case p.Path == "":
				m.gap(p.Area, "layer %d: %s", i, p.Reason)
			case visible:
				m.gap(p.Area, "%s (layer %d): %s", name, i, p.Reason)
			case p.Area == "secrets":
				m.gap(p.Area, "%s (layer %d): %s", p.Path, i, p.Reason)
			}
		}
	}
	for area, list := range m.gaps {
		m.inv.Missing[area] = facts.Missing{Status: facts.Unknown, Partial: true, Reason: reasonOf(list)}
	}
	if gap, ok := m.inv.Missing["packages"]; ok {
		m.inv.Missing["vulnerabilities"] = facts.Missing{
			Status: gap.Status, Partial: true, Reason: "not every package is known: " + gap.Reason,
		}
	}
	return nil
}

// reasonOf makes one sentence of many.
func reasonOf(list []string) string {
	const most = 3
	slices.Sort(list)
	list = slices.Compact(list)
	text := strings.Join(list[:min(most, len(list))], "; ")
	if rest := len(list) - most; rest > 0 {
		text += fmt.Sprintf("; and %d more", rest)
	}
	return text
}

// sortFacts puts packages into the order of reports.
func sortFacts(list []facts.Package) {
	slices.SortFunc(list, func(a, b facts.Package) int {
		return cmp.Or(
			cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version),
			cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(a.Release, b.Release), cmp.Compare(a.Arch, b.Arch),
			cmp.Compare(a.Path, b.Path), cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Digest, b.Digest))
	})
}
