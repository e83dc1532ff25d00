package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/postscan/postscan/scanner/facts"
)

// found is what a reference leads to.
type found struct {
	source     string
	id         string // what people call it
	registry   string // "docker.io"; empty where unknown
	repository string // "library/nginx"
	tag        string
	path       string // of an archive, layout or SBOM
	pics       []*picture
	sbom       *sbom
	aliases    []facts.Alias
	registryOf *registryStore // where signatures can be looked for; nil elsewhere
	close      func()
}

// find chooses the source and opens the image.
func (r *run) find(ctx context.Context, ref string) (*found, error) {
	want := wanted{platform: hostPlatform(runtime.GOARCH), all: r.opts.AllPlatforms}
	if r.opts.Platform != "" {
		p, err := parsePlatform(r.opts.Platform)
		if err != nil {
			return nil, err
		}
		want.platform, want.explicit = p, true
	}
	if h, ok := r.opts.Held[ref]; ok {
		return r.findHeld(ctx, ref, h, want)
	}
	switch r.opts.Source {
	case SourceRegistry:
		return r.findRemote(ctx, ref, want)
	case SourceDocker, SourcePodman:
		return r.findEngine(ctx, ref, want, r.opts.Source)
	case SourceArchive, SourceLayout, SourceSBOM:
		path, choice, ok := splitPath(ref)
		if !ok {
			return nil, fmt.Errorf("%w: there is no file or folder %q", ErrNotFound, ref)
		}
		return r.findPath(ctx, ref, path, choice, want)
	}
	if path, choice, ok := splitPath(ref); ok && !otherFolder(ref, path) {
		return r.findPath(ctx, ref, path, choice, want)
	}
	if looksLikePath(ref) {
		return nil, fmt.Errorf("%w: there is no file or folder %q", ErrNotFound, ref)
	}
	f, err := r.findEngine(ctx, ref, want, "")
	if err == nil {
		return f, nil
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if !errors.Is(err, errNoEngine) && !errors.Is(err, ErrNotFound) {
		r.log.Warn("the engine's copy of the image is not used, asking the registry", "ref", ref, "reason", err)
	}
	return r.findRemote(ctx, ref, want)
}

// splitPath says whether the reference is a path, and which image in it is meant:
// "dir", "image.tar", "dir:tag".
func splitPath(ref string) (path, choice string, ok bool) {
	if _, err := os.Stat(ref); err == nil {
		return ref, "", true
	}
	// The name behind the colon may hold colons itself: "dir:registry:5000/app:1".
	for i, ch := range ref {
		if ch != ':' || i == 0 {
			continue
		}
		if _, err := os.Stat(ref[:i]); err == nil {
			return ref[:i], ref[i+1:], true
		}
	}
	return "", "", false
}

// otherFolder says whether the reference only happens to be called like a folder
// (a checkout has a folder "nginx"), which holds no image.
func otherFolder(ref, path string) bool {
	if st, err := os.Stat(path); err != nil || !st.IsDir() || looksLikePath(ref) {
		return false
	}
	for _, name := range []string{"index.json", "oci-layout", "manifest.json"} {
		if _, err := os.Stat(filepath.Join(path, name)); err == nil {
			return false
		}
	}
	_, err := parseReference(ref)
	return err == nil
}

// looksLikePath keeps a mistyped path from being asked of a registry.
func looksLikePath(ref string) bool {
	return strings.HasPrefix(ref, "/") || strings.HasPrefix(ref, "./") || strings.HasPrefix(ref, "../") || strings.HasPrefix(ref, "~")
}

// findRemote opens the image in a registry.
func (r *run) findRemote(ctx context.Context, ref string, want wanted) (*found, error) {
	if r.opts.Registry == nil {
		return nil, fmt.Errorf("%w: no client for registries is configured", ErrUsage)
	}
	parsed, err := parseReference(ref)
	if err != nil {
		return nil, err
	}
	pics, st, err := r.opts.Registry.fromRegistry(ctx, parsed, r.cache, want, !r.opts.NoSignatures)
	if err != nil {
		return nil, err
	}
	f := &found{source: SourceRegistry, pics: pics, registryOf: st, close: func() {}}
	f.name(parsed)
	return f, nil
}

// name takes registry, repository and tag from a reference.
func (f *found) name(ref name.Reference) {
	f.registry, f.repository = registryName(ref.Context()), ref.Context().RepositoryStr()
	f.id = f.registry + "/" + f.repository
	if d, ok := ref.(name.Digest); ok {
		f.id += "@" + d.DigestStr()
		return
	}
	f.tag = ref.Identifier()
	f.id += ":" + f.tag
}

// findPath opens an archive, a layout or an SBOM.
func (r *run) findPath(ctx context.Context, ref, path, choice string, want wanted) (*found, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	src := r.opts.Source
	f := &found{id: ref, path: path, close: func() {}}
	if src == SourceSBOM || src == "" && !st.IsDir() && isSBOM(path) {
		f.source = SourceSBOM
		f.sbom, err = readSBOM(path, r.opts.Limits.File)
		if err != nil {
			return nil, fmt.Errorf("read SBOM %q: %w", path, err)
		}
		return f, nil
	}
	if src == SourceArchive && st.IsDir() {
		return nil, fmt.Errorf("%w: %q is a folder, not an archive", ErrUsage, path)
	}
	fs, err := openPath(ctx, path, r.opts.Limits, r.opts.TempDir)
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", path, err)
	}
	l, err := openFiles(ctx, fs, choice, want)
	if err == nil && src != "" && src != l.kind && (src != SourceArchive || st.IsDir()) {
		err = fmt.Errorf("%w: it is no %s but %s", ErrNotImage, src, l.kind)
	}
	if err != nil {
		_ = fs.Close()
		return nil, fmt.Errorf("open %q: %w", path, err)
	}
	f.source, f.pics, f.close = l.kind, l.pics, func() { _ = fs.Close() }
	f.nameFrom(l.ref)
	return f, nil
}

// nameFrom takes registry and repository from the name that an archive holds. A
// bare tag, or what is no reference, tells nothing.
func (f *found) nameFrom(ref string) {
	if ref == "" || !strings.ContainsAny(ref, ":/") {
		return
	}
	parsed, err := name.ParseReference(ref, name.WeakValidation)
	if err != nil {
		return
	}
	f.registry, f.repository = registryName(parsed.Context()), parsed.Context().RepositoryStr()
	if _, ok := parsed.(name.Digest); !ok {
		f.tag = parsed.Identifier()
	}
}

// identity is what stays the same from scan to scan. f and p are nil where nothing
// was found; it then follows from the reference.
func (r *run) identity(ref string, f *found, p *picture) string {
	platform := r.opts.Platform
	if p != nil {
		platform = platformKey(p)
	}
	if platform == "" {
		platform = hostPlatform(runtime.GOARCH).String()
	}
	base := r.opts.Name
	switch {
	case base != "" && !r.opts.AllPlatforms:
		return base
	case base != "":
	case f != nil && f.repository != "":
		base = f.registry + "/" + f.repository
	case f != nil && f.path != "":
		base = baseName(f.path)
	default:
		base = ref
		if path, _, ok := splitPath(ref); ok {
			base = baseName(path)
		} else if parsed, err := parseReference(ref); err == nil {
			base = registryName(parsed.Context()) + "/" + parsed.Context().RepositoryStr()
		}
	}
	return base + " " + platform
}

// platformKey names the platform without the version of the operating system, which
// changes from month to month on Windows.
func platformKey(p *picture) string {
	pl := p.platform
	pl.OSVersion = ""
	return pl.String()
}

// properties describe the target for readers.
func (f *found) properties(p *picture) map[string]string {
	m := map[string]string{"source": f.source, "platform": p.platform.String()}
	set := func(k, v string) {
		if v != "" {
			m[k] = v
		}
	}
	if p.digest.Hex != "" {
		m["digest"] = p.digest.String()
	}
	if p.index.Hex != "" {
		m["index_digest"] = p.index.String()
	}
	if p.configID.Hex != "" {
		m["image_id"] = p.configID.String()
	}
	set("tag", f.tag)
	set("path", f.path)
	if f.repository != "" {
		m["repository"] = f.registry + "/" + f.repository
	}
	return m
}

// baseName is the last element of a path: where a file stands differs from machine
// to machine.
func baseName(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs // "." has no name of its own
	}
	return filepath.Base(path)
}
