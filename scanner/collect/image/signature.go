package image

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/postscan/postscan/scanner/facts"
)

// The kinds of signatures.
const (
	kindCosign   = "cosign"
	kindNotation = "notation"
	kindBundle   = "sigstore-bundle"
)

// Media types and annotations of what is attached to images.
const (
	typeSimpleSigning  = "application/vnd.dev.cosign.simplesigning.v1+json"
	typeCosignReferrer = "application/vnd.dev.cosign.artifact.sig.v1+json"
	typeNotation       = "application/vnd.cncf.notary.signature"
	typeBundlePrefix   = "application/vnd.dev.sigstore.bundle"
	typeDSSE           = "application/vnd.dsse.envelope.v1+json"
	typeEmpty          = "application/vnd.oci.empty.v1+json"

	annotationCosign    = "dev.cosignproject.cosign/signature"
	annotationPredicate = "predicateType" // of cosign's attestations
	annotationBundle    = "dev.sigstore.bundle.predicateType"
	annotationInToto    = "in-toto.io/predicate-type" // of BuildKit's attestations

	predicateSign = "https://sigstore.dev/cosign/sign/"
)

// attachmentLimit bounds one signature or attestation; an SBOM in one may be large,
// and is not read.
const attachmentLimit = 4 << 20

// maxAttachments bounds how many attachments of an image are looked at.
const maxAttachments = 64

// attachments is what was found about one or more digests.
type attachments struct {
	sig      facts.Signature
	problems []string // what could not be asked
	proofs   []proof  // signatures to verify
	mu       sync.Mutex
}

// proof is one signature that may verify.
type proof struct {
	subject v1.Hash // the digest that it must be about
	cosign  string  // base64, for a simple-signing payload; empty for a bundle
	blob    v1.Hash // payload or bundle
	store   *session
}

// signature says what the registry keeps about the image's origin: signatures and
// attestations about the platform's manifest and about the index that lists it. The
// endpoint that served the image is asked, since a mirror that has the image but
// not its signatures cannot prove anything.
func (r *run) signature(ctx context.Context, f *found, p *picture) (facts.Signature, map[string]facts.Missing) {
	none := facts.Signature{Kinds: []string{}}
	if f.registryOf == nil {
		return none, map[string]facts.Missing{"signature": {
			Status: facts.NotAssessed, Reason: "signatures are kept in registries, and this image was not read from one; scan it by its reference there",
		}}
	}
	if r.opts.NoSignatures {
		return none, map[string]facts.Missing{"signature": {Status: facts.NotAssessed, Reason: "looking for signatures is switched off"}}
	}
	st := f.registryOf
	s, err := r.opts.Registry.session(ctx, st.using, true)
	if err != nil {
		return none, map[string]facts.Missing{"signature": {Status: facts.Unknown, Reason: "the registry could not be asked for signatures: " + redact(err).Error()}}
	}
	found := &attachments{sig: none}
	var wg sync.WaitGroup
	for _, h := range []v1.Hash{p.digest, p.index} {
		if h.Hex == "" {
			continue
		}
		for _, look := range []func(context.Context, *session, v1.Hash) error{
			found.cosignSignature, found.cosignAttestation, found.cosignSBOM, found.referrers,
		} {
			wg.Go(func() { found.note(guard(r.log, func() error { return look(ctx, s, h) })) })
		}
	}
	for _, d := range p.attached {
		wg.Go(func() { found.note(guard(r.log, func() error { return found.buildkit(ctx, s, d) })) })
	}
	wg.Wait()
	slices.Sort(found.sig.Kinds)
	found.sig.Kinds = slices.Compact(found.sig.Kinds)
	return found.judge(ctx, r.key)
}

// judge verifies and says what is missing.
func (a *attachments) judge(ctx context.Context, key *verifyKey) (facts.Signature, map[string]facts.Missing) {
	missing := map[string]facts.Missing{}
	if len(a.problems) > 0 {
		slices.Sort(a.problems)
		missing["signature"] = facts.Missing{
			Status: facts.Unknown, Partial: true,
			Reason: "the registry could not be asked for every signature: " + strings.Join(slices.Compact(a.problems), "; "),
		}
	}
	if key == nil {
		missing["signature.verified"] = facts.Missing{Status: facts.NotAssessed, Reason: "no public key is configured to verify signatures with"}
		return a.sig, missing
	}
	var reasons []string
	for _, p := range a.proofs {
		err := p.verify(ctx, key)
		if err == nil {
			a.sig.Verified = true
			return a.sig, missing
		}
		reasons = append(reasons, plain(redact(err).Error()))
	}
	switch {
	case len(reasons) > 0:
		slices.Sort(reasons)
		a.sig.Problem = strings.Join(slices.Compact(reasons), "; ")
	case a.sig.Present:
		a.sig.Problem = "a signature of kind " + strings.Join(a.sig.Kinds, ", ") + " cannot be verified with a public key"
	default:
		a.sig.Problem = "there is no signature"
	}
	return a.sig, missing
}

func (a *attachments) note(err error) {
	if err == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.problems = append(a.problems, plain(redact(err).Error()))
}

// signed books a signature.
func (a *attachments) signed(kind string, p *proof) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sig.Present = true
	a.sig.Kinds = append(a.sig.Kinds, kind)
	if p != nil && len(a.proofs) < maxAttachments {
		a.proofs = append(a.proofs, *p)
	}
}

// attested books an attestation by the type of its statement.
func (a *attachments) attested(predicate string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case strings.HasPrefix(predicate, "https://slsa.dev/provenance"), strings.HasPrefix(predicate, "https://in-toto.io/provenance"):
		a.sig.Provenance = true
	case strings.HasPrefix(predicate, "https://spdx.dev/"), strings.HasPrefix(predicate, "https://cyclonedx.org/"), strings.HasPrefix(predicate, "https://syft.dev/"):
		a.sig.SBOM = true
	}
}

// cosignTag is the name under which cosign keeps what is about a digest.
func cosignTag(h v1.Hash, what string) string { return h.Algorithm + "-" + h.Hex + what }

func (a *attachments) cosignSignature(ctx context.Context, s *session, h v1.Hash) error {
	m, err := s.attachment(ctx, cosignTag(h, ".sig"))
	if m == nil || err != nil {
		return err
	}
	a.simpleSigning(s, h, m)
	return nil
}

// simpleSigning books the signatures that stand in a manifest of cosign's.
func (a *attachments) simpleSigning(s *session, h v1.Hash, m *v1.Manifest) {
	for _, l := range m.Layers {
		if sig := l.Annotations[annotationCosign]; sig != "" && l.MediaType == typeSimpleSigning {
			a.signed(kindCosign, &proof{subject: h, cosign: sig, blob: l.Digest, store: s})
		}
	}
}

func (a *attachments) cosignAttestation(ctx context.Context, s *session, h v1.Hash) error {
	m, err := s.attachment(ctx, cosignTag(h, ".att"))
	if m == nil || err != nil {
		return err
	}
	for _, l := range m.Layers {
		a.attested(l.Annotations[annotationPredicate])
	}
	return nil
}

func (a *attachments) cosignSBOM(ctx context.Context, s *session, h v1.Hash) error {
	m, err := s.attachment(ctx, cosignTag(h, ".sbom"))
	if m == nil || err != nil {
		return err
	}
	if len(m.Layers) > 0 {
		a.attested("https://spdx.dev/")
	}
	return nil
}

// referrers asks for what refers to the digest, by the API or, on registries
// without it, by the tag that stands in for it.
func (a *attachments) referrers(ctx context.Context, s *session, h v1.Hash) error {
	raw, ok, err := s.referrers(ctx, h)
	if err != nil {
		return err
	}
	if !ok {
		if raw, err = s.tagged(ctx, cosignTag(h, "")); err != nil || raw == nil {
			return err
		}
	}
	doc, err := parseManifest(raw)
	if err != nil {
		return fmt.Errorf("referrers of %s: %w", h, err)
	}
	if doc.index == nil {
		return nil
	}
	list := doc.index.Manifests
	if len(list) > maxAttachments {
		a.note(fmt.Errorf("%d manifests refer to %s; the first %d were looked at", len(list), h, maxAttachments))
		list = list[:maxAttachments]
	}
	for _, d := range list {
		if err := a.referrer(ctx, s, h, d); err != nil {
			return err
		}
	}
	return nil
}

// referrer books one manifest that refers to the digest.
func (a *attachments) referrer(ctx context.Context, s *session, h v1.Hash, d v1.Descriptor) error {
	kind, notes := d.ArtifactType, d.Annotations
	if kind == typeEmpty {
		kind = "" // the registry took the configuration's type for the artifact's
	}
	var m *v1.Manifest
	// Some registries leave out what the manifest itself says.
	if kind == "" || kind == typeCosignReferrer || strings.HasPrefix(kind, typeBundlePrefix) || strings.Contains(kind, "in-toto") || kind == typeDSSE {
		var err error
		if m, err = s.attachmentOf(ctx, d.Digest); err != nil {
			return err
		}
		if kind == "" {
			kind = m.ArtifactType
		}
		if kind == "" {
			kind = string(m.Config.MediaType)
		}
		if len(notes) == 0 {
			notes = m.Annotations
		}
	}
	switch {
	case kind == typeNotation:
		a.signed(kindNotation, nil)
	case kind == typeCosignReferrer:
		a.simpleSigning(s, h, m)
	case strings.HasPrefix(kind, typeBundlePrefix):
		a.bundle(s, h, m, notes)
	case strings.Contains(kind, "spdx"), strings.Contains(kind, "cyclonedx"), strings.Contains(kind, "sbom"), strings.Contains(kind, "syft"):
		a.attested("https://spdx.dev/")
	case m != nil:
		for _, l := range m.Layers {
			a.attested(l.Annotations[annotationInToto])
			a.attested(l.Annotations[annotationPredicate])
		}
	}
	return nil
}

// bundle books a sigstore bundle: a signature, or an attestation that is signed.
func (a *attachments) bundle(s *session, h v1.Hash, m *v1.Manifest, notes map[string]string) {
	predicate := notes[annotationBundle]
	if predicate != "" && !strings.HasPrefix(predicate, predicateSign) {
		a.attested(predicate)
		return
	}
	for _, l := range m.Layers {
		if strings.HasPrefix(string(l.MediaType), typeBundlePrefix) {
			a.signed(kindBundle, &proof{subject: h, blob: l.Digest, store: s})
		}
	}
}

// buildkit books the attestations that BuildKit puts into the index beside the image.
func (a *attachments) buildkit(ctx context.Context, s *session, d v1.Descriptor) error {
	m, err := s.attachmentOf(ctx, d.Digest)
	if err != nil {
		return err
	}
	for _, l := range m.Layers {
		a.attested(l.Annotations[annotationInToto])
	}
	return nil
}

// attachment reads a manifest by tag; nil where there is none.
func (s *session) attachment(ctx context.Context, tag string) (*v1.Manifest, error) {
	raw, err := s.tagged(ctx, tag)
	if raw == nil || err != nil {
		return nil, err
	}
	return asAttachment(raw, tag)
}

func (s *session) attachmentOf(ctx context.Context, h v1.Hash) (*v1.Manifest, error) {
	raw, _, err := s.manifest(ctx, s.repo.Digest(h.String()))
	if err != nil {
		return nil, err
	}
	return asAttachment(raw, h.String())
}

func asAttachment(raw []byte, what string) (*v1.Manifest, error) {
	doc, err := parseManifest(raw)
	if err == nil && doc.manifest == nil {
		err = errors.New("an index, where a manifest is expected")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return doc.manifest, nil
}
