package image

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Tags lists the tags of a repository, in the registry's order, through the same
// mirrors, authorities and credentials as the images that are scanned.
func (r *Registry) Tags(ctx context.Context, repository string) ([]string, error) {
	parsed, err := parseReference(repository)
	if err != nil {
		return nil, err
	}
	if parsed.Identifier() != "latest" {
		return nil, fmt.Errorf("%w: %q is an image, not a repository", ErrUsage, plain(repository))
	}
	var tags []string
	err = r.eachEndpoint(ctx, parsed, func(e endpoint) error {
		s, err := r.session(ctx, e, false)
		if err != nil {
			return err
		}
		tags, err = remote.List(e.repo, remote.WithContext(ctx), remote.WithTransport(s.transport))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the tags of %s: %w", repository, err)
	}
	return tags, nil
}
