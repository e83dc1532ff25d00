package image

import (
	"context"
	"errors"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// SourceContent: the image was read blob by blob from a store that an engine keeps.
const SourceContent = "content"

// Held is an image in a store of blobs, as containerd keeps one.
type Held struct {
	// Target is the digest of its manifest or index.
	Target string
	// Content gives the blobs; nil where the engine gives none.
	Content Content
	// Pull is the name to ask of a registry where the store lacks something;
	// empty where that is not wanted.
	Pull string
}

// Content is a store of blobs by digest ("sha256:…"). It is safe for concurrent use.
type Content interface {
	Has(ctx context.Context, digest string) (bool, error)
	Open(ctx context.Context, digest string) (io.ReadCloser, error)
}

// findHeld opens an image of [Options.Held].
func (r *run) findHeld(ctx context.Context, ref string, h Held, want wanted) (*found, error) {
	f, err := r.fromContent(ctx, ref, h, want)
	if err == nil || h.Pull == "" || ctx.Err() != nil {
		return f, err
	}
	r.log.Info("the engine does not give the image, asking the registry", "ref", ref, "reason", err)
	f, err = r.findRemote(ctx, h.Pull, want)
	if err == nil {
		f.id = ref
	}
	return f, err
}

// fromContent opens an image in a store of blobs, all of whose layers are there.
func (r *run) fromContent(ctx context.Context, ref string, h Held, want wanted) (*found, error) {
	if h.Content == nil {
		return nil, fmt.Errorf("%w: the engine keeps images unpacked and gives no layers; fetch them from the registry with --pull", ErrNotFound)
	}
	hash, err := v1.NewHash(h.Target)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrUsage, plain(err.Error()))
	}
	st := &contentStore{content: h.Content, present: func(d v1.Hash) bool {
		ok, err := h.Content.Has(ctx, d.String())
		return ok && err == nil
	}}
	raw, err := st.manifest(ctx, hash)
	if err != nil {
		return nil, err
	}
	pics, err := pictures(ctx, st, raw, hash, want)
	if err != nil {
		return nil, err
	}
	for _, p := range pics {
		for _, l := range p.layers {
			if l.hidden != "" || l.digest == "" {
				continue
			}
			ok, err := h.Content.Has(ctx, l.digest)
			if err != nil {
				return nil, err
			}
			if !ok {
				return nil, fmt.Errorf("%w: the engine threw layer %s away once it was unpacked; fetch it from the registry with --pull", ErrNotFound, l.digest)
			}
		}
	}
	f := &found{source: SourceContent, id: ref, pics: pics, close: func() {}}
	f.nameFrom(ref)
	return f, nil
}

// contentStore reads a [Content].
type contentStore struct {
	content Content
	present func(v1.Hash) bool
}

func (s *contentStore) has(h v1.Hash) bool { return s.present(h) }

func (s *contentStore) manifest(ctx context.Context, h v1.Hash) ([]byte, error) {
	return s.blob(ctx, h, manifestLimit)
}

func (s *contentStore) blob(ctx context.Context, h v1.Hash, most int64) ([]byte, error) {
	body, err := s.content.Open(ctx, h.String())
	if err != nil {
		return nil, err
	}
	defer body.Close() //nolint:errcheck // read only
	raw, err := readAll(body, most)
	if err != nil {
		return nil, fmt.Errorf("read blob %s: %w", h, err)
	}
	if err := verifyBytes(raw, h.String()); err != nil {
		return nil, fmt.Errorf("blob %s: %w", h, err)
	}
	return raw, nil
}

func (s *contentStore) open(ctx context.Context, h v1.Hash, _ int64) (io.ReadCloser, error) {
	body, err := s.content.Open(ctx, h.String())
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, h)
	}
	return body, err
}
