package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// registryStore reads one repository: through the endpoint that served the first
// manifest, and through the others where that one fails.
type registryStore struct {
	reg   *Registry
	cache *cache
	repo  name.Repository // as the user named it, mirrors undone
	using endpoint
	rest  []endpoint // the others, in their order
}

// fromRegistry finds the reference in its registry or a mirror. signatures says
// that the endpoint will be asked for these too.
func (r *Registry) fromRegistry(ctx context.Context, ref name.Reference, c *cache, want wanted, signatures bool) ([]*picture, *registryStore, error) {
	st := &registryStore{reg: r, cache: c, repo: ref.Context()}
	if d, ok := ref.(name.Digest); ok {
		pics, err := st.fromCache(ctx, d, want, signatures)
		if pics != nil || err != nil {
			return pics, st, err
		}
	}
	var raw []byte
	var h v1.Hash
	err := r.eachEndpoint(ctx, ref, func(e endpoint) error {
		st.using = e
		return r.enter(ctx, e, func(s *session) (err error) {
			raw, h, err = s.manifest(ctx, e.reference(ref))
			return err
		})
	})
	if err != nil {
		return nil, nil, err
	}
	if err := st.findRest(ref); err != nil {
		return nil, nil, err
	}
	c.keepBlob(h, raw)
	pics, err := pictures(ctx, st, raw, h, want)
	return pics, st, err
}

// fromCache opens an image by digest without asking the registry, where its manifest
// is kept. nil without an error means that the registry must be asked.
func (st *registryStore) fromCache(ctx context.Context, d name.Digest, want wanted, signatures bool) ([]*picture, error) {
	h, err := v1.NewHash(d.DigestStr())
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrUsage, plain(err.Error()))
	}
	raw := st.cache.blob(h)
	if raw == nil {
		return nil, nil
	}
	eps, err := st.reg.conf.endpoints(st.repo, true)
	if err != nil {
		return nil, err
	}
	if signatures && len(eps) > 1 {
		return nil, nil // which mirror has the image is not known, and it alone can tell of signatures
	}
	st.using, st.rest = eps[0], eps[1:]
	return pictures(ctx, st, raw, h, want)
}

// findRest lists the endpoints other than the one in use.
func (st *registryStore) findRest(ref name.Reference) error {
	_, digest := ref.(name.Digest)
	eps, err := st.reg.conf.endpoints(st.repo, digest)
	if err != nil {
		return err
	}
	for _, e := range eps {
		if e != st.using {
			st.rest = append(st.rest, e)
		}
	}
	return nil
}

// each tries the endpoints until one succeeds.
func (st *registryStore) each(ctx context.Context, try func(*session) error) error {
	var errs []error
	for _, e := range append([]endpoint{st.using}, st.rest...) {
		err := st.reg.enter(ctx, e, try)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		errs = append(errs, redact(err))
	}
	return errors.Join(errs...)
}

func (st *registryStore) manifest(ctx context.Context, h v1.Hash) ([]byte, error) {
	if raw := st.cache.blob(h); raw != nil {
		return raw, nil
	}
	var raw []byte
	err := st.each(ctx, func(s *session) (err error) {
		raw, _, err = s.manifest(ctx, s.repo.Digest(h.String()))
		return err
	})
	if err != nil {
		return nil, err
	}
	st.cache.keepBlob(h, raw)
	return raw, nil
}

func (st *registryStore) blob(ctx context.Context, h v1.Hash, most int64) ([]byte, error) {
	if raw := st.cache.blob(h); raw != nil && int64(len(raw)) <= most {
		return raw, nil
	}
	var raw []byte
	err := st.each(ctx, func(s *session) (err error) {
		raw, err = s.blob(ctx, h, most)
		return err
	})
	if err != nil {
		return nil, err
	}
	st.cache.keepBlob(h, raw)
	return raw, nil
}

func (st *registryStore) open(ctx context.Context, h v1.Hash, size int64) (io.ReadCloser, error) {
	var body io.ReadCloser
	err := st.each(ctx, func(s *session) (err error) {
		body, err = s.open(ctx, h, size, st.reg.opts.RetryDelay)
		return err
	})
	if err != nil {
		return nil, err
	}
	return body, nil
}

// tagged asks for a manifest by tag; nil where there is none.
func (s *session) tagged(ctx context.Context, tag string) ([]byte, error) {
	raw, _, err := s.manifest(ctx, s.repo.Tag(tag))
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return raw, err
}

// referrers asks for the list of what refers to the digest. found is false where
// the registry has no such list (an old one): then there may be a tag.
func (s *session) referrers(ctx context.Context, h v1.Hash) (raw []byte, found bool, err error) {
	resp, err := s.get(ctx, "referrers/"+h.String(), nil, http.StatusOK)
	if err != nil {
		var ce *cleanError
		if errors.Is(err, ErrNotFound) || errors.As(err, &ce) && ce.status >= 400 && ce.status < 500 && !errors.Is(err, ErrUnauthorized) && ce.status != http.StatusTooManyRequests {
			return nil, false, nil
		}
		return nil, false, err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end already
	if raw, err = readAll(resp.Body, manifestLimit); err != nil {
		return nil, false, fmt.Errorf("read referrers of %s: %w", h, redact(err))
	}
	return raw, true, nil
}
