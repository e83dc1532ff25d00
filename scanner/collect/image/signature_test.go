package image

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/postscan/postscan/scanner/facts"
)

// signer is a key pair.
type signer struct {
	signature.Signer
	pem []byte
}

func newSigner(t testing.TB, key crypto.PrivateKey, h crypto.Hash) signer {
	t.Helper()
	s, err := signature.LoadSigner(key, h)
	must(t, err)
	pub, err := s.PublicKey()
	must(t, err)
	pem, err := cryptoutils.MarshalPublicKeyToPEM(pub)
	must(t, err)
	return signer{s, pem}
}

func ecKey(t testing.TB, c elliptic.Curve) crypto.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(c, rand.Reader)
	must(t, err)
	return k
}

func (s signer) sign(t testing.TB, message []byte) string {
	t.Helper()
	sig, err := s.SignMessage(bytes.NewReader(message))
	must(t, err)
	return base64.StdEncoding.EncodeToString(sig)
}

// artifact makes a manifest that holds one blob.
func artifact(t testing.TB, config types.MediaType, media types.MediaType, body []byte, layerNotes, notes map[string]string) v1.Image {
	t.Helper()
	img, err := mutate.Append(mutate.MediaType(empty.Image, types.OCIManifestSchema1), mutate.Addendum{
		Layer: static.NewLayer(body, media), MediaType: media, Annotations: layerNotes,
	})
	must(t, err)
	img = mutate.ConfigMediaType(img, config)
	if notes != nil {
		img = mutate.Annotations(img, notes).(v1.Image)
	}
	return img
}

// payload is what cosign signs.
func payload(digest string) []byte {
	return fmt.Appendf(nil, `{"critical":{"identity":{"docker-reference":""},"image":{"docker-manifest-digest":%q},"type":"cosign container image signature"},"optional":null}`, digest)
}

// attach writes an artifact that refers to an image.
func (s *server) attach(t testing.TB, repo string, subject v1.Image, art v1.Image) {
	t.Helper()
	desc, err := descriptor(subject)
	must(t, err)
	art = mutate.Subject(art, desc).(v1.Image)
	h, err := art.Digest()
	must(t, err)
	ref, err := name.ParseReference(s.host + "/" + repo + "@" + h.String())
	must(t, err)
	must(t, remote.Write(ref, art))
}

func descriptor(img v1.Image) (v1.Descriptor, error) {
	h, err := img.Digest()
	if err != nil {
		return v1.Descriptor{}, err
	}
	size, err := img.Size()
	if err != nil {
		return v1.Descriptor{}, err
	}
	media, err := img.MediaType()
	return v1.Descriptor{MediaType: media, Size: size, Digest: h}, err
}

func signatureOf(t *testing.T, o Options) (facts.Signature, map[string]facts.Missing) {
	t.Helper()
	im, res := collect(t, o).image(t, o.References[0])
	return im.Signature, res.Missing
}

// TestCosignSignature: by tag, with every kind of key, and what does not verify.
func TestCosignSignature(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	keys := map[string]signer{
		"P-256":            newSigner(t, ecKey(t, elliptic.P256()), crypto.SHA256),
		"P-384, SHA-256":   newSigner(t, ecKey(t, elliptic.P384()), crypto.SHA256),
		"P-384, SHA-384":   newSigner(t, ecKey(t, elliptic.P384()), crypto.SHA384),
		"RSA":              newSigner(t, rsaKey, crypto.SHA256),
		"Ed25519":          newSigner(t, edKey, crypto.Hash(0)),
		"P-521 by SHA-512": newSigner(t, ecKey(t, elliptic.P521()), crypto.SHA512),
	}
	for what, key := range keys {
		srv := newServer(t)
		img := small(t)
		ref := srv.push(t, "app:1", img)
		h, err := img.Digest()
		must(t, err)
		body := payload(h.String())
		srv.push(t, "app:"+cosignTag(h, ".sig"), artifact(t, types.OCIConfigJSON, typeSimpleSigning, body, map[string]string{annotationCosign: key.sign(t, body)}, nil))

		o := options(t, ref)
		sig, missing := signatureOf(t, o)
		if !sig.Present || sig.Verified || !slices.Equal(sig.Kinds, []string{kindCosign}) || missing["signature.verified"].Status != facts.NotAssessed {
			t.Errorf("%s, no key: %+v %+v", what, sig, missing["signature.verified"])
		}
		o.VerifyKey = key.pem
		sig, missing = signatureOf(t, o)
		if _, gone := missing["signature.verified"]; !sig.Verified || sig.Problem != "" || gone {
			t.Errorf("%s: %+v", what, sig)
		}
		o.VerifyKey = newSigner(t, ecKey(t, elliptic.P256()), crypto.SHA256).pem
		if sig, _ = signatureOf(t, o); sig.Verified || !strings.Contains(sig.Problem, "not by the configured key") {
			t.Errorf("%s, another key: %+v", what, sig)
		}
	}
}

// TestSignatureOfAnotherImage: a valid signature that is about something else
// proves nothing.
func TestSignatureOfAnotherImage(t *testing.T) {
	key := newSigner(t, ecKey(t, elliptic.P256()), crypto.SHA256)
	for what, tt := range map[string]struct {
		body func(digest string) []byte
		says string
	}{
		"other digest": {func(string) []byte { return payload("sha256:" + strings.Repeat("a", 64)) }, "for another image"},
		"other type": {func(d string) []byte {
			return []byte(strings.Replace(string(payload(d)), "cosign container image signature", "promise", 1))
		}, "promise"},
		"no JSON": {func(string) []byte { return []byte("x") }, "no JSON"},
	} {
		srv := newServer(t)
		img := small(t)
		o := options(t, srv.push(t, "app:1", img))
		o.VerifyKey = key.pem
		h, err := img.Digest()
		must(t, err)
		body := tt.body(h.String())
		srv.push(t, "app:"+cosignTag(h, ".sig"), artifact(t, types.OCIConfigJSON, typeSimpleSigning, body, map[string]string{annotationCosign: key.sign(t, body)}, nil))
		if sig, _ := signatureOf(t, o); sig.Verified || !sig.Present || !strings.Contains(sig.Problem, tt.says) {
			t.Errorf("%s: %+v", what, sig)
		}
	}
	// Nothing at all is a problem too, where a key is configured.
	srv := newServer(t)
	o := options(t, srv.push(t, "app:1", small(t)))
	o.VerifyKey = key.pem
	if sig, missing := signatureOf(t, o); sig.Present || sig.Verified || sig.Problem != "there is no signature" || len(missing["signature"].Reason) != 0 {
		t.Errorf("none: %+v %+v", sig, missing["signature"])
	}
}

// bundleOf makes a sigstore bundle with an envelope.
func bundleOf(t testing.TB, key signer, predicate, hexDigest string) []byte {
	t.Helper()
	statement := fmt.Appendf(nil, `{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":%q}}],"predicateType":%q,"predicate":{}}`, hexDigest, predicate)
	const kind = "application/vnd.in-toto+json"
	raw, err := json.Marshal(map[string]any{
		"mediaType":            "application/vnd.dev.sigstore.bundle.v0.3+json",
		"verificationMaterial": map[string]any{"publicKey": map[string]any{"hint": "x"}},
		"dsseEnvelope": map[string]any{
			"payload": base64.StdEncoding.EncodeToString(statement), "payloadType": kind,
			"signatures": []any{map[string]any{"sig": key.sign(t, preAuth(kind, statement))}},
		},
	})
	must(t, err)
	return raw
}

// TestBundles: a signature in a sigstore bundle, found by the list of referrers and
// by the tag that stands in for it.
func TestBundles(t *testing.T) {
	const media = "application/vnd.dev.sigstore.bundle.v0.3+json"
	key := newSigner(t, ecKey(t, elliptic.P256()), crypto.SHA256)
	sign := predicateSign + "v1"
	img := small(t)
	h, err := img.Digest()
	must(t, err)
	manifest, err := img.RawManifest()
	must(t, err)
	message, err := json.Marshal(map[string]any{"mediaType": media, "messageSignature": map[string]any{"signature": key.sign(t, manifest)}})
	must(t, err)
	for what, tt := range map[string]struct {
		bundle   []byte
		verified bool
		says     string
	}{
		"envelope":              {bundleOf(t, key, sign, h.Hex), true, ""},
		"message":               {message, true, ""},
		"other image":           {bundleOf(t, key, sign, strings.Repeat("b", 64)), false, "for another image"},
		"other statement":       {bundleOf(t, key, "https://slsa.dev/provenance/v1", h.Hex), false, "no signature of an image"},
		"other key":             {bundleOf(t, newSigner(t, ecKey(t, elliptic.P256()), crypto.SHA256), sign, h.Hex), false, "not by the configured key"},
		"nothing in it":         {[]byte(`{}`), false, "holds no signature"},
		"no JSON":               {[]byte(`x`), false, "no JSON"},
		"payload is no base64":  {[]byte(`{"dsseEnvelope":{"payload":"?"}}`), false, "no base64"},
		"message of no base64":  {[]byte(`{"messageSignature":{"signature":"?"}}`), false, "no base64"},
		"envelope not signed":   {[]byte(`{"dsseEnvelope":{"payload":"","signatures":[]}}`), false, "not by the configured key"},
		"signature of nonsense": {[]byte(`{"dsseEnvelope":{"payload":"","signatures":[{"sig":"?"},{"sig":"AA=="}]}}`), false, "not by the configured key"},
	} {
		for _, api := range []bool{true, false} {
			srv := newServer(t)
			ref := srv.push(t, "app:1", img)
			art := artifact(t, "application/vnd.oci.empty.v1+json", media, tt.bundle, nil, map[string]string{"dev.sigstore.bundle.content": "dsse-envelope", annotationBundle: sign})
			art = withArtifactType(t, art, media)
			if api {
				srv.attach(t, "app", img, art)
			} else {
				srv.push(t, "app:bundle", art)
				desc, err := descriptor(art)
				must(t, err)
				desc.ArtifactType = media
				idx := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), mutate.IndexAddendum{Add: art, Descriptor: desc})
				srv.push(t, "app:"+cosignTag(h, ""), idx)
				srv.interfere(answer("/referrers/", 404, ""))
			}
			o := options(t, ref)
			o.VerifyKey = key.pem
			sig, _ := signatureOf(t, o)
			if !sig.Present || sig.Verified != tt.verified || !slices.Equal(sig.Kinds, []string{kindBundle}) || !strings.Contains(sig.Problem, tt.says) {
				t.Errorf("%s, by API %t: %+v", what, api, sig)
			}
		}
	}
}

// withArtifactType writes a manifest's artifact type by hand: the library has no
// way to.
func withArtifactType(t testing.TB, img v1.Image, kind string) v1.Image {
	t.Helper()
	return &typedArtifact{Image: img, kind: kind}
}

type typedArtifact struct {
	v1.Image
	kind string
}

func (a *typedArtifact) Manifest() (*v1.Manifest, error) {
	m, err := a.Image.Manifest()
	if err != nil {
		return nil, err
	}
	m = m.DeepCopy()
	m.ArtifactType = a.kind
	return m, nil
}

func (a *typedArtifact) RawManifest() ([]byte, error) {
	m, err := a.Manifest()
	if err != nil {
		return nil, err
	}
	return json.Marshal(m)
}

func (a *typedArtifact) Digest() (v1.Hash, error) {
	raw, err := a.RawManifest()
	return digestOf(raw), err
}

func (a *typedArtifact) Size() (int64, error) {
	raw, err := a.RawManifest()
	return int64(len(raw)), err
}

// TestAttestations: SBOM and provenance, wherever builders put them.
func TestAttestations(t *testing.T) {
	img := small(t)
	h, err := img.Digest()
	must(t, err)
	envelope := func(predicate string) v1.Image {
		return artifact(t, types.OCIConfigJSON, typeDSSE, []byte(predicate), map[string]string{annotationPredicate: predicate}, nil)
	}
	t.Run("cosign tags", func(t *testing.T) {
		srv := newServer(t)
		ref := srv.push(t, "app:1", img)
		srv.push(t, "app:"+cosignTag(h, ".att"), envelope("https://slsa.dev/provenance/v1"))
		if sig, _ := signatureOf(t, options(t, ref)); !sig.Provenance || sig.SBOM || sig.Present {
			t.Errorf("provenance: %+v", sig)
		}
		srv.push(t, "app:"+cosignTag(h, ".sbom"), artifact(t, types.OCIConfigJSON, "text/spdx+json", []byte("{}"), nil, nil))
		if sig, _ := signatureOf(t, options(t, ref)); !sig.SBOM {
			t.Errorf("SBOM: %+v", sig)
		}
	})
	t.Run("referrers", func(t *testing.T) {
		for kind, check := range map[string]func(facts.Signature) bool{
			"application/vnd.cyclonedx+json": func(s facts.Signature) bool { return s.SBOM && !s.Present },
			"application/spdx+json":          func(s facts.Signature) bool { return s.SBOM && !s.Present },
			typeNotation:                     func(s facts.Signature) bool { return s.Present && slices.Equal(s.Kinds, []string{kindNotation}) },
			"application/vnd.example":        func(s facts.Signature) bool { return !s.Present && !s.SBOM && !s.Provenance },
		} {
			srv := newServer(t)
			ref := srv.push(t, "app:1", img)
			srv.attach(t, "app", img, artifact(t, types.MediaType(kind), "application/octet-stream", []byte("x"), nil, nil))
			if sig, missing := signatureOf(t, options(t, ref)); !check(sig) || missing["signature"].Reason != "" {
				t.Errorf("%s: %+v %+v", kind, sig, missing["signature"])
			}
		}
	})
	t.Run("cosign's referrer", func(t *testing.T) {
		key := newSigner(t, ecKey(t, elliptic.P256()), crypto.SHA256)
		srv := newServer(t)
		ref := srv.push(t, "app:1", img)
		body := payload(h.String())
		srv.attach(t, "app", img, artifact(t, typeCosignReferrer, typeSimpleSigning, body, map[string]string{annotationCosign: key.sign(t, body)}, nil))
		o := options(t, ref)
		o.VerifyKey = key.pem
		if sig, _ := signatureOf(t, o); !sig.Verified {
			t.Errorf("%+v", sig)
		}
	})
	t.Run("BuildKit", func(t *testing.T) {
		srv := newServer(t)
		att := artifact(t, types.OCIConfigJSON, "application/vnd.in-toto+json", []byte("{}"), map[string]string{annotationInToto: "https://spdx.dev/Document"}, nil)
		platform := v1.Platform{OS: "linux", Architecture: "amd64"}
		idx := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex),
			mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &platform}},
			mutate.IndexAddendum{Add: att, Descriptor: v1.Descriptor{
				Platform:    &v1.Platform{OS: "unknown", Architecture: "unknown"},
				Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": h.String()},
			}})
		o := options(t, srv.push(t, "app:1", idx))
		if sig, _ := signatureOf(t, o); !sig.SBOM {
			t.Errorf("%+v", sig)
		}
		o.Platform, o.AllPlatforms = "", true
		if s := collect(t, o); len(s.resources) != 1 {
			t.Errorf("the attestation was taken for a platform: %v", s.order)
		}
	})
	t.Run("index", func(t *testing.T) {
		// cosign signs what the tag leads to, which is the index.
		key := newSigner(t, ecKey(t, elliptic.P256()), crypto.SHA256)
		srv := newServer(t)
		idx := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex),
			mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}})
		o := options(t, srv.push(t, "app:1", idx))
		ih, err := idx.Digest()
		must(t, err)
		body := payload(ih.String())
		srv.push(t, "app:"+cosignTag(ih, ".sig"), artifact(t, types.OCIConfigJSON, typeSimpleSigning, body, map[string]string{annotationCosign: key.sign(t, body)}, nil))
		o.VerifyKey = key.pem
		if sig, _ := signatureOf(t, o); !sig.Verified {
			t.Errorf("%+v", sig)
		}
	})
}

// TestSignaturesThatCannotBeAskedFor are unknown, not absent.
func TestSignaturesThatCannotBeAskedFor(t *testing.T) {
	srv := newServer(t)
	o := options(t, srv.push(t, "app:1", small(t)))
	srv.interfere(answer("/referrers/", 500, ""))
	if sig, missing := signatureOf(t, o); sig.Present || missing["signature"].Status != facts.Unknown || !strings.Contains(missing["signature"].Reason, "status 500") {
		t.Errorf("%+v %+v", sig, missing["signature"])
	}
	srv.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, ".sig") {
			return false
		}
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	if _, missing := signatureOf(t, o); missing["signature"].Status != facts.Unknown {
		t.Errorf("%+v", missing["signature"])
	}
	o.NoSignatures = true
	srv.reset()
	if _, missing := signatureOf(t, o); missing["signature"].Status != facts.NotAssessed || srv.requests(".sig") != 0 {
		t.Errorf("%+v", missing["signature"])
	}
}

// FuzzVerify: no bundle and no payload verifies that the key did not sign.
func FuzzVerify(f *testing.F) {
	key := newSigner(f, ecKey(f, elliptic.P256()), crypto.SHA256)
	k, err := parseKey(key.pem)
	must(f, err)
	subject := digestOf([]byte("x"))
	f.Add([]byte(`{"dsseEnvelope":{"payload":"e30=","payloadType":"t","signatures":[{"sig":"AA=="}]}}`))
	f.Add([]byte(`{"critical":{"image":{"docker-manifest-digest":"sha256:aa"},"type":"cosign container image signature"}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if bytes.Contains(raw, []byte("messageSignature")) {
			return // asks a registry
		}
		if verifyBundle(context.Background(), k, raw, &proof{subject: subject}) == nil {
			t.Errorf("%q verifies", raw)
		}
		if checkSimpleSigning(raw, subject) == nil && !bytes.Contains(raw, []byte(subject.Hex)) {
			t.Errorf("%q is about %s", raw, subject)
		}
		_ = checkStatement(raw, subject)
	})
}
