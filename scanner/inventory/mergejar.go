package inventory

import (
	"context"
	"reflect"
	"slices"
	"strings"

	mavenversion "github.com/masahiro331/go-mvn-version"

	"github.com/aquasecurity/trivy/pkg/fanal/types"
)

// mergeArchives lists the packages of Java archives.
func (m *merger) mergeArchives(ctx context.Context) error {
	unnamed, failed := 0, 0
	var reason error
	for i, l := range m.layers {
		for k := range l.Archives {
			root := &l.Archives[k]
			name, ok := m.nameOf(root.Path, i)
			if !ok {
				continue
			}
			r := &jarResolver{jars: m.jars, seen: map[string][]mavenversion.Version{}}
			if err := r.resolve(ctx, root); err != nil {
				return err
			}
			m.inv.NeedsJavaDB = m.inv.NeedsJavaDB || r.asked
			unnamed += r.unnamed
			if r.failed != nil {
				failed++
				reason = r.failed
			}
			origin := m.archiveOrigin(root, i)
			for _, p := range r.pkgs {
				p.Path = name + p.Path[len(root.Path):]
				f := p.fact(string(types.Jar), nil)
				f.Binary = name
				f.Layer = origin
				m.inv.Packages = append(m.inv.Packages, f)
			}
		}
	}
	if unnamed > 0 {
		m.gap("packages", "%d Java archives do not name themselves and there is no index of Java artifacts; fetch it with \"postscan db update\"", unnamed)
	}
	if failed > 0 {
		m.gap("packages", "the index of Java artifacts could not be asked about %d archives: %v", failed, reason)
	}
	return nil
}

// archiveOrigin finds the layer that brought the archive as it is.
func (m *merger) archiveOrigin(a *archive, top int) int {
	origin := top
	for i := top - 1; i >= 0; i-- {
		k, ok := slices.BinarySearchFunc(m.layers[i].Archives, a.Path, func(b archive, p string) int { return strings.Compare(b.Path, p) })
		if !ok {
			continue
		}
		if !reflect.DeepEqual(*a, m.layers[i].Archives[k]) {
			break
		}
		origin = i
	}
	return origin
}

// jarResolver names the packages of one archive and those in it.
type jarResolver struct {
	jars    JarLookup
	pkgs    []pkg
	seen    map[string][]mavenversion.Version // versions by name and path
	asked   bool                              // the index was needed
	unnamed int                               // archives that only an index could name, and there was none
	failed  error
}

func (r *jarResolver) resolve(ctx context.Context, a *archive) error {
	for _, art := range a.Artifacts {
		r.add(art, a.Path)
	}
	for k := range a.Nested {
		if err := r.resolve(ctx, &a.Nested[k]); err != nil {
			return err
		}
	}
	if a.Named {
		return nil
	}
	r.asked = true
	if r.jars == nil {
		if len(a.Artifacts) == 0 && len(a.Nested) == 0 {
			r.unnamed++
		}
		return nil
	}
	art, ok, err := r.identify(ctx, a)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		r.failed = err
		return nil //nolint:nilerr // kept, and told once for all archives
	}
	if ok {
		r.add(art, a.Path)
	}
	return nil
}

// identify asks the index: about what the manifest claims, then the checksum, then
// the file's name. An archive that is not known is the image's own work.
func (r *jarResolver) identify(ctx context.Context, a *archive) (artifact, bool, error) {
	if a.Manifest != nil {
		if ok, err := r.jars.Exists(ctx, a.Manifest.Group, a.Manifest.ID); err != nil || ok {
			return *a.Manifest, ok, err
		}
	}
	group, id, version, ok, err := r.jars.SearchBySHA1(ctx, a.SHA1)
	if err != nil || ok {
		return artifact{Group: group, ID: id, Version: version}, ok, err
	}
	if a.FileID == "" || a.FileVersion == "" {
		return artifact{}, false, nil
	}
	group, ok, err = r.jars.SearchByArtifactID(ctx, a.FileID, a.FileVersion)
	return artifact{Group: group, ID: a.FileID, Version: a.FileVersion}, ok, err
}

// add records a package once: "2.17" and "2.17.0" are the same version.
func (r *jarResolver) add(a artifact, p string) {
	key := a.name() + "::" + p
	v, err := mavenversion.NewVersion(a.Version)
	if err == nil && slices.ContainsFunc(r.seen[key], func(o mavenversion.Version) bool { return o.Equal(v) }) {
		return
	}
	r.seen[key] = append(r.seen[key], v)
	r.pkgs = append(r.pkgs, pkg{Name: a.name(), Version: a.Version, Path: p})
}
