package image

import (
	"bytes"
	"context"
	"crypto"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
)

// verifyKey is the configured public key. A key of a curve above P-256 may have
// signed over SHA-256 (older cosign) or over the hash of its own strength.
type verifyKey struct {
	verifiers []signature.Verifier
}

// parseKey reads a public key in PEM; the error wraps [ErrUsage].
func parseKey(pem []byte) (*verifyKey, error) {
	pub, err := cryptoutils.UnmarshalPEMToPublicKey(pem)
	if err != nil {
		return nil, fmt.Errorf("%w: the key to verify with is no public key in PEM: %s", ErrUsage, plain(err.Error()))
	}
	k := &verifyKey{}
	for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		v, err := signature.LoadVerifier(pub, h)
		if err != nil {
			return nil, fmt.Errorf("%w: the key to verify with: %s", ErrUsage, plain(err.Error()))
		}
		k.verifiers = append(k.verifiers, v)
	}
	return k, nil
}

var errSignature = errors.New("the signature is not by the configured key")

// check verifies a signature over a message.
func (k *verifyKey) check(sig, message []byte) error {
	for _, v := range k.verifiers {
		if v.VerifySignature(bytes.NewReader(sig), bytes.NewReader(message)) == nil {
			return nil
		}
	}
	return errSignature
}

// verify fetches what the signature is over and verifies it: that the key made it,
// and that it is about the digest. It does not ask a transparency log, since a
// configured key is what is trusted.
func (p *proof) verify(ctx context.Context, key *verifyKey) error {
	raw, err := p.store.blob(ctx, p.blob, attachmentLimit)
	if err != nil {
		return fmt.Errorf("fetch the signature: %w", err)
	}
	if p.cosign == "" {
		return verifyBundle(ctx, key, raw, p)
	}
	sig, err := base64.StdEncoding.DecodeString(p.cosign)
	if err != nil {
		return errors.New("the signature is no base64")
	}
	if err := key.check(sig, raw); err != nil {
		return err
	}
	return checkSimpleSigning(raw, p.subject)
}

// checkSimpleSigning says whether a payload of the simple-signing format is about
// the digest. A signature that is valid for another image proves nothing.
func checkSimpleSigning(payload []byte, subject v1.Hash) error {
	var doc struct {
		Critical struct {
			Image struct {
				Digest string `json:"docker-manifest-digest"`
			} `json:"image"`
			Type string `json:"type"`
		} `json:"critical"`
	}
	if err := json.Unmarshal(payload, &doc); err != nil {
		return fmt.Errorf("%w: the signed payload is no JSON", ErrCorrupt)
	}
	if t := doc.Critical.Type; t != "cosign container image signature" && t != "atomic container signature" {
		return fmt.Errorf("the signed payload is of type %q, no signature of an image", plain(t))
	}
	if doc.Critical.Image.Digest != subject.String() {
		return fmt.Errorf("the signature is for another image, %s", plain(doc.Critical.Image.Digest))
	}
	return nil
}

// bundleDoc is the part of a sigstore bundle (v0.1 to v0.3) that a public key can
// verify.
type bundleDoc struct {
	Envelope *struct {
		Payload     string `json:"payload"`
		PayloadType string `json:"payloadType"`
		Signatures  []struct {
			Sig string `json:"sig"`
		} `json:"signatures"`
	} `json:"dsseEnvelope"`
	Message *struct {
		Digest struct {
			Algorithm string `json:"algorithm"`
			Digest    string `json:"digest"`
		} `json:"messageDigest"`
		Signature string `json:"signature"`
	} `json:"messageSignature"`
}

// verifyBundle verifies a sigstore bundle.
func verifyBundle(ctx context.Context, key *verifyKey, raw []byte, p *proof) error {
	var doc bundleDoc
	if err := json.Unmarshal(raw, &doc); err != nil {
		return fmt.Errorf("%w: the bundle is no JSON", ErrCorrupt)
	}
	switch {
	case doc.Envelope != nil:
		payload, err := base64.StdEncoding.DecodeString(doc.Envelope.Payload)
		if err != nil {
			return fmt.Errorf("%w: the bundle's payload is no base64", ErrCorrupt)
		}
		signed := preAuth(doc.Envelope.PayloadType, payload)
		for _, s := range doc.Envelope.Signatures {
			sig, err := base64.StdEncoding.DecodeString(s.Sig)
			if err == nil && key.check(sig, signed) == nil {
				return checkStatement(payload, p.subject)
			}
		}
		return errSignature
	case doc.Message != nil:
		sig, err := base64.StdEncoding.DecodeString(doc.Message.Signature)
		if err != nil {
			return fmt.Errorf("%w: the bundle's signature is no base64", ErrCorrupt)
		}
		// What is signed is the manifest itself.
		manifest, _, err := p.store.manifest(ctx, p.store.repo.Digest(p.subject.String()))
		if err != nil {
			return fmt.Errorf("fetch what the signature is about: %w", err)
		}
		return key.check(sig, manifest)
	default:
		return fmt.Errorf("%w: the bundle holds no signature", ErrCorrupt)
	}
}

// preAuth is what a DSSE signature is over.
func preAuth(payloadType string, payload []byte) []byte {
	var b bytes.Buffer
	for _, part := range []string{"DSSEv1", strconv.Itoa(len(payloadType)), payloadType, strconv.Itoa(len(payload))} {
		b.WriteString(part)
		b.WriteByte(' ')
	}
	b.Write(payload)
	return b.Bytes()
}

// checkStatement says whether an in-toto statement is cosign's signature of the digest.
func checkStatement(payload []byte, subject v1.Hash) error {
	var doc struct {
		Type      string `json:"_type"`
		Predicate string `json:"predicateType"`
		Subject   []struct {
			Digest map[string]string `json:"digest"`
		} `json:"subject"`
	}
	if err := json.Unmarshal(payload, &doc); err != nil {
		return fmt.Errorf("%w: the signed statement is no JSON", ErrCorrupt)
	}
	if !strings.HasPrefix(doc.Type, "https://in-toto.io/Statement/") || !strings.HasPrefix(doc.Predicate, predicateSign) {
		return fmt.Errorf("the signed statement is of type %q, no signature of an image", plain(doc.Predicate))
	}
	for _, s := range doc.Subject {
		if sum, err := hex.DecodeString(s.Digest[subject.Algorithm]); err == nil && hex.EncodeToString(sum) == subject.Hex {
			return nil
		}
	}
	return errors.New("the signature is for another image")
}
