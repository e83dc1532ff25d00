package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/postscan/postscan/checks"
)

// ociScheme begins a --policy that stands in a registry.
const ociScheme = "oci://"

// bundleKey reads the key of --policy-key; nil where there is none.
func bundleKey(file string) (*checks.BundleKey, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, usage(fmt.Errorf("--policy-key %s: %w", file, errorCause(err)))
	}
	key, err := checks.ParseBundleKey(text)
	if err != nil {
		return nil, usage(fmt.Errorf("--policy-key %s: %w", file, err))
	}
	return key, nil
}

// policySource opens what --policy names: a folder, the file of a bundle, or an
// oci://registry/repository:tag (or @digest) of one. The registry is reached
// through network's mirrors, authorities and the user's credentials; nil is none
// of its own. A key that is not nil must have signed it.
func (a *app) policySource(ctx context.Context, spec string, key *checks.BundleKey, network *registryFlags) (checks.Source, error) {
	if ref, ok := strings.CutPrefix(spec, ociScheme); ok {
		return a.registryBundle(ctx, ref, key, network)
	}
	info, err := os.Stat(spec)
	switch {
	case err != nil:
		return checks.Source{}, errorCause(err)
	case info.IsDir() && key != nil:
		return checks.Source{}, errors.New("nobody has signed a folder, and --policy-key asks for it: give the signed bundle")
	case info.IsDir():
		return checks.Dir(spec), nil
	case !info.Mode().IsRegular():
		return checks.Source{}, errors.New("it is neither a folder nor a file")
	}
	f, err := os.Open(spec)
	if err != nil {
		return checks.Source{}, errorCause(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	return checks.Bundle(f, spec, key)
}

// registryBundle fetches a bundle as opa and oras push it: an artifact whose one
// layer is the tar.
func (a *app) registryBundle(ctx context.Context, ref string, key *checks.BundleKey, network *registryFlags) (checks.Source, error) {
	if _, err := name.ParseReference(ref); err != nil {
		return checks.Source{}, usage(fmt.Errorf("%q names no bundle: write it as %sregistry.example/policies:1, or better with its digest", ociScheme+ref, ociScheme))
	}
	var flags registryFlags
	if network != nil { // the user name and password belong to the registry of the images
		flags = registryFlags{mirrors: network.mirrors, insecure: network.insecure, caFile: network.caFile}
	}
	client, err := a.registry(&flags)
	if err != nil {
		return checks.Source{}, err
	}
	image, err := client.Fetch(ctx, ref)
	if err != nil {
		return checks.Source{}, err
	}
	content, err := bundleLayer(image)
	if err != nil {
		return checks.Source{}, fmt.Errorf("read the policy bundle %s: %w", ref, err)
	}
	defer func() { _ = content.Close() }() // it was only read
	return checks.Bundle(content, ref, key)
}

// bundleLayer opens the layer that is a tar.
func bundleLayer(image v1.Image) (io.ReadCloser, error) {
	manifest, err := image.Manifest()
	if err != nil {
		return nil, err
	}
	var found []v1.Hash
	for _, l := range manifest.Layers {
		if t := string(l.MediaType); strings.HasSuffix(t, "tar+gzip") || strings.HasSuffix(t, ".tar") || strings.HasSuffix(t, "tar.gzip") {
			found = append(found, l.Digest)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("the artifact has %d layers that are a tar, a bundle has one: push it as application/vnd.oci.image.layer.v1.tar+gzip", len(found))
	}
	layer, err := image.LayerByDigest(found[0])
	if err != nil {
		return nil, err
	}
	return layer.Compressed()
}
