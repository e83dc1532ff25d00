package image

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// hasher hashes what is written to it and compares with a digest.
type hasher struct {
	hash.Hash
	want string // "sha256:…"
	alg  string
}

// newHasher returns the hasher for a digest. An algorithm that is not known is an
// error: content that cannot be verified is not believed.
func newHasher(digest string) (*hasher, error) {
	alg, sum, ok := strings.Cut(digest, ":")
	var h hash.Hash
	switch alg {
	case "sha256":
		h = sha256.New()
	case "sha384":
		h = sha512.New384()
	case "sha512":
		h = sha512.New()
	}
	raw, err := hex.DecodeString(sum)
	if !ok || h == nil || err != nil || len(raw) != h.Size() || strings.ToLower(sum) != sum {
		return nil, fmt.Errorf("%w: %q is no digest that can be verified", ErrDigest, plain(digest))
	}
	return &hasher{Hash: h, want: digest, alg: alg}, nil
}

// check compares what was written with the digest.
func (h *hasher) check() error {
	got := h.sum()
	if got != h.want {
		return fmt.Errorf("%w: content is %s, not %s", ErrDigest, got, h.want)
	}
	return nil
}

// sum returns the digest of what was written.
func (h *hasher) sum() string { return h.alg + ":" + hex.EncodeToString(h.Sum(nil)) }
