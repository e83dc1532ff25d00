package image

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// picture is one image on one platform: found and described, its layers not yet read.
type picture struct {
	platform v1.Platform
	index    v1.Hash // digest of the index that the reference leads to; zero where none
	digest   v1.Hash // digest of the manifest; zero where there is no manifest
	manifest []byte  // as stored; nil where there is none
	configID v1.Hash
	config   *v1.ConfigFile
	layers   []blob
	// err says why this one of several platforms could not be opened; then only
	// platform and digests are set.
	err error
	// attached are the manifests of the index that carry statements about this
	// image (BuildKit's attestations), by digest.
	attached []v1.Descriptor
}

// blob is one layer as stored.
type blob struct {
	digest    string // of the stored bytes; empty where nobody says it
	diffID    string // of the uncompressed tar
	size      int64  // stored bytes; 0 is unknown
	mediaType string
	// hidden says why the layer cannot be read here (it is encrypted); empty where it can.
	hidden string
	// foreign layers may not be distributed: the registry may lack them, which is
	// then no fault of the image.
	foreign bool
	open    func(ctx context.Context) (io.ReadCloser, error)
}

// store gives content by digest. Manifests and small blobs come verified.
type store interface {
	manifest(ctx context.Context, h v1.Hash) ([]byte, error)
	blob(ctx context.Context, h v1.Hash, most int64) ([]byte, error)
	open(ctx context.Context, h v1.Hash, size int64) (io.ReadCloser, error)
}

// partialStore is a store that may lack what its indexes list.
type partialStore interface {
	has(h v1.Hash) bool
}

// wanted says which platforms of an image to look at.
type wanted struct {
	platform v1.Platform
	// explicit is true where the user named the platform: then an image for
	// another one is an error even where it is the only one.
	explicit bool
	all      bool
}

// maxIndexDepth bounds indexes in indexes.
const maxIndexDepth = 4

// maxPlatforms bounds how many images one reference may stand for.
const maxPlatforms = 256

// pictures follows a manifest to the images that are wanted.
func pictures(ctx context.Context, st store, raw []byte, h v1.Hash, want wanted) ([]*picture, error) {
	doc, err := parseManifest(raw)
	if err != nil {
		return nil, err
	}
	if doc.index == nil {
		p, err := newPicture(ctx, st, raw, h, doc.manifest)
		if err != nil {
			return nil, err
		}
		if want.explicit && !want.all && !matches(p.platform, want.platform) {
			return nil, fmt.Errorf("%w: %s is wanted, the image is for %s", ErrPlatform, want.platform, p.platform)
		}
		return []*picture{p}, nil
	}
	return indexPictures(ctx, st, doc.index, h, want)
}

// indexPictures opens the images of an index that are wanted.
func indexPictures(ctx context.Context, st store, idx *v1.IndexManifest, h v1.Hash, want wanted) ([]*picture, error) {
	found, attached, err := flatten(ctx, st, idx, 1)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w: the index lists no image", ErrNotImage)
	}
	chosen := found
	if !want.all {
		one, err := choose(found, want)
		if err != nil {
			return nil, err
		}
		chosen = []v1.Descriptor{one}
	}
	if len(chosen) > maxPlatforms {
		return nil, fmt.Errorf("%w: the index lists %d images, more than %d", ErrLimit, len(chosen), maxPlatforms)
	}
	out := make([]*picture, 0, len(chosen))
	for _, d := range chosen {
		p, err := indexPicture(ctx, st, d)
		if err != nil {
			if !want.all || ctx.Err() != nil {
				return nil, err
			}
			p = &picture{digest: d.Digest, err: err}
		}
		if d.Platform != nil {
			// The index is what a runtime chooses by, and it alone tells the OS version.
			p.platform = *d.Platform
		}
		p.index, p.attached = h, attached[d.Digest]
		out = append(out, p)
	}
	return out, nil
}

// indexPicture opens one image that an index lists.
func indexPicture(ctx context.Context, st store, d v1.Descriptor) (*picture, error) {
	raw, err := st.manifest(ctx, d.Digest)
	if err != nil {
		return nil, fmt.Errorf("manifest for %s: %w", platformName(d.Platform), err)
	}
	doc, err := parseManifest(raw)
	if err != nil {
		return nil, err
	}
	if doc.manifest == nil {
		return nil, fmt.Errorf("%w: the index calls %s an image, but it is another index", ErrCorrupt, d.Digest)
	}
	return newPicture(ctx, st, raw, d.Digest, doc.manifest)
}

// flatten lists the images of an index and of the indexes in it, and by image
// what is attached to it.
func flatten(ctx context.Context, st store, idx *v1.IndexManifest, depth int) ([]v1.Descriptor, map[v1.Hash][]v1.Descriptor, error) {
	var found []v1.Descriptor
	attached := map[v1.Hash][]v1.Descriptor{}
	for _, d := range idx.Manifests {
		// An engine's archive may hold the index of all platforms and the content of one.
		if p, ok := st.(partialStore); ok && !p.has(d.Digest) {
			continue
		}
		if d.Annotations["vnd.docker.reference.type"] != "" {
			if of, err := v1.NewHash(d.Annotations["vnd.docker.reference.digest"]); err == nil {
				attached[of] = append(attached[of], d)
			}
			continue
		}
		if !d.MediaType.IsIndex() {
			if d.ArtifactType == "" || isConfigType(types.MediaType(d.ArtifactType)) {
				found = append(found, d)
			}
			continue
		}
		if depth >= maxIndexDepth {
			return nil, nil, fmt.Errorf("%w: indexes stand in each other more than %d deep", ErrLimit, maxIndexDepth)
		}
		raw, err := st.manifest(ctx, d.Digest)
		if err != nil {
			return nil, nil, err
		}
		doc, err := parseManifest(raw)
		if err != nil {
			return nil, nil, err
		}
		if doc.index == nil {
			return nil, nil, fmt.Errorf("%w: %s is called an index, but is none", ErrCorrupt, d.Digest)
		}
		more, att, err := flatten(ctx, st, doc.index, depth+1)
		if err != nil {
			return nil, nil, err
		}
		found = append(found, more...)
		for k, v := range att {
			attached[k] = append(attached[k], v...)
		}
		if len(found) > maxPlatforms {
			return nil, nil, fmt.Errorf("%w: the index lists more than %d images", ErrLimit, maxPlatforms)
		}
	}
	return found, attached, nil
}

// choose finds the image for the platform. Of several it is the one whose variant
// fits best, else the first.
func choose(found []v1.Descriptor, w wanted) (v1.Descriptor, error) {
	want := w.platform
	var names []string
	best := -1
	for i, d := range found {
		names = append(names, platformName(d.Platform))
		if d.Platform == nil || !matches(*d.Platform, want) {
			continue
		}
		if best < 0 || found[best].Platform.Variant != want.Variant && d.Platform.Variant == want.Variant {
			best = i
		}
	}
	if best >= 0 {
		return found[best], nil
	}
	if len(found) == 1 && (found[0].Platform == nil || !w.explicit) {
		return found[0], nil
	}
	slices.Sort(names)
	return v1.Descriptor{}, fmt.Errorf("%w: %s is wanted, the image has %s; choose one of these as the platform", ErrPlatform, want, strings.Join(slices.Compact(names), ", "))
}

// matches says whether an image for the platform have serves one who wants want.
func matches(have, want v1.Platform) bool {
	if have.OS != want.OS || have.Architecture != want.Architecture {
		return false
	}
	if want.OSVersion != "" && want.OSVersion != have.OSVersion {
		return false
	}
	if want.Variant == "" || want.Variant == have.Variant {
		return true
	}
	// arm64 has one variant in practice, and most images leave it out.
	return want.Architecture == "arm64" && want.Variant == "v8" && have.Variant == ""
}

func platformName(p *v1.Platform) string {
	if p == nil || p.OS == "" && p.Architecture == "" {
		return "an unnamed platform"
	}
	return p.String()
}

// parsed is a manifest of either kind; exactly one field is set.
type parsed struct {
	manifest *v1.Manifest
	index    *v1.IndexManifest
}

// parseManifest tells by content, not by what the server calls it, what a manifest is.
func parseManifest(raw []byte) (parsed, error) {
	var probe struct {
		SchemaVersion int             `json:"schemaVersion"`
		MediaType     types.MediaType `json:"mediaType"`
		Config        json.RawMessage `json:"config"`
		Layers        json.RawMessage `json:"layers"`
		Manifests     json.RawMessage `json:"manifests"`
		FSLayers      json.RawMessage `json:"fsLayers"`
	}
	if err := json.Unmarshal(raw, &probe); err != nil {
		return parsed{}, fmt.Errorf("%w: the manifest is not JSON of a manifest: %s", ErrCorrupt, plain(err.Error()))
	}
	switch {
	case probe.SchemaVersion == 1 || probe.FSLayers != nil:
		return parsed{}, fmt.Errorf("%w: a manifest of Docker's schema 1, which no registry should serve any more; push the image again", ErrMediaType)
	case probe.Manifests != nil && (probe.Layers != nil || probe.Config != nil):
		return parsed{}, fmt.Errorf("%w: the manifest claims to be an image and an index at once", ErrCorrupt)
	case probe.Manifests != nil:
		idx, err := v1.ParseIndexManifest(bytes.NewReader(raw))
		if err != nil {
			return parsed{}, fmt.Errorf("%w: index: %s", ErrCorrupt, plain(err.Error()))
		}
		return parsed{index: idx}, nil
	case probe.Config != nil:
		m, err := v1.ParseManifest(bytes.NewReader(raw))
		if err != nil {
			return parsed{}, fmt.Errorf("%w: manifest: %s", ErrCorrupt, plain(err.Error()))
		}
		return parsed{manifest: m}, nil
	default:
		return parsed{}, fmt.Errorf("%w: a manifest of type %q with neither a configuration nor a list of manifests", ErrMediaType, plain(string(probe.MediaType)))
	}
}

func isConfigType(t types.MediaType) bool {
	return t == types.OCIConfigJSON || t == types.DockerConfigJSON
}

// newPicture reads the configuration and describes the layers.
func newPicture(ctx context.Context, st store, raw []byte, h v1.Hash, m *v1.Manifest) (*picture, error) {
	if err := checkIsImage(m); err != nil {
		return nil, err
	}
	var conf []byte
	var err error
	if m.Config.Data != nil {
		conf = m.Config.Data
		err = verifyBytes(conf, m.Config.Digest.String())
	} else {
		conf, err = st.blob(ctx, m.Config.Digest, configLimit)
	}
	if err != nil {
		return nil, fmt.Errorf("configuration of the image: %w", err)
	}
	file, err := parseConfig(conf)
	if err != nil {
		return nil, err
	}
	if len(file.RootFS.DiffIDs) != len(m.Layers) {
		return nil, fmt.Errorf("%w: the manifest lists %d layers, the configuration %d", ErrCorrupt, len(m.Layers), len(file.RootFS.DiffIDs))
	}
	p := &picture{digest: h, manifest: raw, configID: m.Config.Digest, config: file, platform: platformOf(file)}
	for i, l := range m.Layers {
		hidden, foreign, err := layerKind(l)
		if err != nil {
			return nil, err
		}
		b := blob{
			digest: l.Digest.String(), diffID: file.RootFS.DiffIDs[i].String(),
			size: l.Size, mediaType: string(l.MediaType), hidden: hidden, foreign: foreign,
			open: func(ctx context.Context) (io.ReadCloser, error) { return st.open(ctx, l.Digest, l.Size) },
		}
		if l.Data != nil {
			b.open = func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(l.Data)), nil }
		}
		p.layers = append(p.layers, b)
	}
	return p, nil
}

// checkIsImage tells an image from the other things that registries keep.
func checkIsImage(m *v1.Manifest) error {
	t := m.Config.MediaType
	switch {
	case isConfigType(t) && (m.ArtifactType == "" || isConfigType(types.MediaType(m.ArtifactType))):
		if len(m.Layers) > 0 && strings.HasPrefix(string(m.Layers[0].MediaType), "application/vnd.in-toto") {
			return fmt.Errorf("%w: it holds attestations about an image", ErrNotImage)
		}
		return nil
	case t == "application/vnd.cncf.helm.config.v1+json":
		return fmt.Errorf("%w: it is a Helm chart", ErrNotImage)
	case strings.HasPrefix(string(t), "application/vnd.docker.plugin"):
		return fmt.Errorf("%w: it is a Docker plugin", ErrNotImage)
	case strings.HasPrefix(string(t), "application/vnd.wasm"):
		return fmt.Errorf("%w: it is a WebAssembly module", ErrNotImage)
	case m.ArtifactType != "":
		return fmt.Errorf("%w: it is an artifact of type %q", ErrNotImage, plain(m.ArtifactType))
	default:
		return fmt.Errorf("%w: it is an artifact whose configuration is of type %q", ErrNotImage, plain(string(t)))
	}
}

// layerKind checks a layer's media type. How a layer is compressed is told by its
// bytes, not by its type.
func layerKind(d v1.Descriptor) (hidden string, foreign bool, err error) {
	t := string(d.MediaType)
	if strings.HasSuffix(t, "+encrypted") {
		return "it is encrypted", false, nil
	}
	switch types.MediaType(t) {
	case types.DockerForeignLayer, types.OCIRestrictedLayer, types.OCIUncompressedRestrictedLayer,
		"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd":
		return "", true, nil
	case types.DockerLayer, types.DockerUncompressedLayer, types.OCILayer, types.OCILayerZStd, types.OCIUncompressedLayer,
		"application/vnd.docker.image.rootfs.diff.tar.zstd":
		return "", false, nil
	default:
		return "", false, fmt.Errorf("layer %s: %w %q", d.Digest, ErrMediaType, plain(t))
	}
}

// parseConfig reads an image's configuration.
func parseConfig(raw []byte) (*v1.ConfigFile, error) {
	file, err := v1.ParseConfigFile(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%w: the configuration of the image is not what it should be: %s", ErrCorrupt, plain(err.Error()))
	}
	return file, nil
}

func platformOf(c *v1.ConfigFile) v1.Platform {
	p := v1.Platform{OS: c.OS, Architecture: c.Architecture, Variant: c.Variant, OSVersion: c.OSVersion}
	if p.OS == "" {
		p.OS = "linux"
	}
	return p
}

// hostPlatform is what is scanned where nobody says otherwise.
func hostPlatform(arch string) v1.Platform { return v1.Platform{OS: "linux", Architecture: arch} }

// parsePlatform reads "linux/arm64/v8".
func parsePlatform(s string) (v1.Platform, error) {
	p, err := v1.ParsePlatform(s)
	if err == nil && (p.OS == "" || p.Architecture == "") {
		err = errors.New("a part is missing")
	}
	if err != nil {
		return v1.Platform{}, fmt.Errorf("%w: platform %q: write it like linux/arm64 or linux/arm/v7", ErrUsage, plain(s))
	}
	return *p, nil
}
