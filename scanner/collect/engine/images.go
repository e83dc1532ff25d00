package engine

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	contentapi "github.com/containerd/containerd/api/services/content/v1"
	imagesapi "github.com/containerd/containerd/api/services/images/v1"
	"github.com/moby/moby/client"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// HeldImage is an image that an engine holds.
type HeldImage struct {
	Engine string // docker, podman, containerd, cri-o
	Host   string // of the engine: "unix:///run/docker.sock"
	Ref    string // what people call it; its id where it has no name
	ID     string // of its configuration, or of its manifest
	// Digest names the image in its registry ("docker.io/library/nginx@sha256:…");
	// "" where the engine does not tell.
	Digest string
	// Target is the digest of the manifest or index in Content.
	Target string
	// Content gives the image's blobs; nil for engines whose own API gives the
	// image whole (Docker, Podman) or not at all (CRI-O).
	Content Content
}

// Content gives blobs by digest ("sha256:…"). It is open until Images returns.
type Content interface {
	// Has says whether a blob is there.
	Has(ctx context.Context, digest string) (bool, error)
	// Open streams a blob; its error wraps fs.ErrNotExist where it is not there.
	Open(ctx context.Context, digest string) (io.ReadCloser, error)
}

// sendImages lists the images and hands them over.
func (s *session) sendImages(ctx context.Context, sink scanner.Sink, e api) error {
	var held []HeldImage
	err := s.call(ctx, "list the images", func(ctx context.Context) (err error) {
		held, err = e.images(ctx, s)
		return err
	})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return sink.Target(facts.Target{
			Kind: "image", Ref: "the images of " + s.place.ref, Identity: "images of " + s.identity(), Properties: map[string]string{}, Error: s.explain(err).Error(),
		})
	}
	slices.SortFunc(held, func(a, b HeldImage) int { return cmp.Or(cmp.Compare(a.Ref, b.Ref), cmp.Compare(a.ID, b.ID)) })
	held = slices.CompactFunc(held, func(a, b HeldImage) bool { return a.ID == b.ID && a.Ref == b.Ref })
	if len(held) == 0 {
		return nil
	}
	return s.opts.Images(ctx, held, sink)
}

// images implements [api].
func (d *dockerAPI) images(ctx context.Context, s *session) ([]HeldImage, error) {
	list, err := d.cli.ImageList(ctx, client.ImageListOptions{})
	if err != nil {
		return nil, err
	}
	var out []HeldImage
	for _, i := range list.Items {
		h := HeldImage{Engine: s.facts.Name, Host: s.place.ref, ID: i.ID, Ref: i.ID}
		tags := slices.DeleteFunc(slices.Sorted(slices.Values(i.RepoTags)), func(t string) bool { return strings.HasPrefix(t, "<none>") })
		digests := slices.DeleteFunc(slices.Sorted(slices.Values(i.RepoDigests)), func(t string) bool { return strings.HasPrefix(t, "<none>") })
		if len(digests) > 0 {
			h.Digest, h.Ref = digests[0], digests[0]
		}
		if len(tags) > 0 {
			h.Ref = tags[0]
		}
		out = append(out, h)
	}
	return out, nil
}

// images implements [api].
func (a *criAPI) images(ctx context.Context, s *session) ([]HeldImage, error) {
	if s.facts.Name == crio {
		return a.crioImages(ctx, s)
	}
	return a.containerdImages(ctx, s)
}

// crioImages lists the images by CRI. CRI-O keeps layers unpacked only and gives no content.
func (a *criAPI) crioImages(ctx context.Context, s *session) ([]HeldImage, error) {
	r, err := cri.NewImageServiceClient(a.conn).ListImages(ctx, &cri.ListImagesRequest{})
	if err != nil {
		return nil, err
	}
	var out []HeldImage
	for _, i := range r.GetImages() {
		h := HeldImage{Engine: s.facts.Name, Host: s.place.ref, ID: i.GetId(), Ref: i.GetId()}
		if d := i.GetRepoDigests(); len(d) > 0 {
			h.Digest, h.Ref = d[0], d[0]
		}
		if t := i.GetRepoTags(); len(t) > 0 {
			h.Ref = t[0]
		}
		out = append(out, h)
	}
	return out, nil
}

// containerdImages lists the images of the namespace that Kubernetes uses, or of
// all but Docker's where containerd does not serve Kubernetes.
func (a *criAPI) containerdImages(ctx context.Context, s *session) ([]HeldImage, error) {
	spaces := []string{"k8s.io"}
	if !s.facts.CRI.Served {
		var err error
		if spaces, err = a.namespaces(ctx); err != nil {
			return nil, err
		}
	}
	var out []HeldImage
	for _, ns := range spaces {
		r, err := imagesapi.NewImagesClient(a.conn).List(inNamespace(ctx, ns), &imagesapi.ListImagesRequest{})
		if err != nil {
			return nil, err
		}
		byTarget := map[string]HeldImage{}
		for _, i := range r.GetImages() {
			name, digest := i.GetName(), i.GetTarget().GetDigest()
			h := byTarget[digest]
			h.Engine, h.Host, h.ID, h.Target, h.Content = s.facts.Name, s.place.ref, digest, digest, &content{conn: contentapi.NewContentClient(a.conn), ns: ns}
			switch {
			case strings.HasPrefix(name, "sha256:"):
			case strings.Contains(name, "@"):
				h.Digest = name
			case h.Ref == "" || name < h.Ref:
				h.Ref = name
			}
			byTarget[digest] = h
		}
		for digest, h := range byTarget {
			h.Ref = cmp.Or(h.Ref, h.Digest, digest)
			if h.Digest == "" && h.Ref != digest {
				repository := h.Ref
				if i := strings.LastIndexByte(repository, ':'); i > strings.LastIndexByte(repository, '/') {
					repository = repository[:i]
				}
				h.Digest = repository + "@" + digest
			}
			out = append(out, h)
		}
	}
	return out, nil
}

// content is containerd's store of blobs in one namespace.
type content struct {
	conn contentapi.ContentClient
	ns   string
}

// Has implements [Content].
func (c *content) Has(ctx context.Context, digest string) (bool, error) {
	_, err := c.conn.Info(inNamespace(ctx, c.ns), &contentapi.InfoRequest{Digest: digest})
	if status.Code(err) == codes.NotFound {
		return false, nil
	}
	return err == nil, err
}

// Open implements [Content].
func (c *content) Open(ctx context.Context, digest string) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancel(inNamespace(ctx, c.ns))
	stream, err := c.conn.Read(ctx, &contentapi.ReadContentRequest{Digest: digest})
	if err != nil {
		cancel()
		return nil, fmt.Errorf("read blob %s: %w", digest, err)
	}
	return &blobReader{stream: stream, cancel: cancel, digest: digest}, nil
}

// blobReader streams a blob.
type blobReader struct {
	stream contentapi.Content_ReadClient
	cancel context.CancelFunc
	rest   []byte
	digest string
}

// Read implements [io.Reader].
func (b *blobReader) Read(p []byte) (int, error) {
	for len(b.rest) == 0 {
		r, err := b.stream.Recv()
		if status.Code(err) == codes.NotFound {
			return 0, fmt.Errorf("blob %s is not there any more: %w", b.digest, io.ErrUnexpectedEOF)
		}
		if err != nil {
			return 0, err // io.EOF at the end
		}
		b.rest = r.GetData()
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// Close implements [io.Closer].
func (b *blobReader) Close() error {
	b.cancel()
	return nil
}
