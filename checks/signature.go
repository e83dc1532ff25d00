package checks

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	opabundle "github.com/open-policy-agent/opa/v1/bundle"
)

// signaturesFile holds the signature of a bundle, at its root.
const signaturesFile = ".signatures.json"

// BundleKey is the public key of who may sign bundles of policies.
type BundleKey struct {
	pem        string
	algorithms []string // that a signature by this key can have
}

// ParseBundleKey reads a public key or a certificate in PEM: RSA, ECDSA or
// Ed25519. The error is for what is neither, and for a private key, which should
// not be where bundles are read.
func ParseBundleKey(text []byte) (*BundleKey, error) {
	block, rest := pem.Decode(text)
	switch {
	case block == nil:
		return nil, errors.New("it holds no key in PEM")
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, errors.New("it holds more than one key")
	case strings.Contains(block.Type, "PRIVATE"):
		return nil, errors.New("it holds a private key; give the public one, and keep this one where bundles are signed")
	}
	var key any
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		var cert *x509.Certificate
		if cert, err = x509.ParseCertificate(block.Bytes); err == nil {
			key = cert.PublicKey
		}
	default:
		err = fmt.Errorf("it holds a %s, not a public key", strings.ToLower(block.Type))
	}
	if err != nil {
		return nil, err
	}
	k := &BundleKey{pem: string(pem.EncodeToMemory(block))}
	switch key.(type) {
	case *rsa.PublicKey:
		k.algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	case *ecdsa.PublicKey:
		k.algorithms = []string{"ES256", "ES384", "ES512"}
	case ed25519.PublicKey:
		k.algorithms = []string{"EdDSA"}
	default:
		return nil, fmt.Errorf("a key of type %T signs no bundle: use RSA, ECDSA or Ed25519", key)
	}
	return k, nil
}

// verify holds the files of a bundle to its signature: each file is signed as it
// is, and none that is signed is missing.
func (k *BundleKey) verify(files []bundleFile) error {
	i := slices.IndexFunc(files, func(f bundleFile) bool { return f.path == signaturesFile })
	if i < 0 {
		return errors.New("it is not signed: it has no " + signaturesFile + " at its root, which opa sign and opa build write")
	}
	var signatures opabundle.SignaturesConfig
	if err := json.Unmarshal(files[i].text, &signatures); err != nil {
		return fmt.Errorf("%s: %w", signaturesFile, err)
	}
	if len(signatures.Signatures) != 1 || signatures.Plugin != "" {
		return fmt.Errorf("%s: it has %d signatures, postscan reads one of OPA's own kind", signaturesFile, len(signatures.Signatures))
	}
	algorithm, err := k.algorithm(signatures.Signatures[0])
	if err != nil {
		return fmt.Errorf("%s: %w", signaturesFile, err)
	}
	const id = "key" // whatever the signature calls it: there is one
	signed, err := opabundle.VerifyBundleSignature(signatures, opabundle.NewVerificationConfig(
		map[string]*opabundle.KeyConfig{id: {Key: k.pem, Algorithm: algorithm}}, id, "", nil))
	if err != nil {
		return fmt.Errorf("the signature is not by this key: %w", err)
	}
	for _, f := range files {
		if f.path == signaturesFile {
			continue
		}
		if hash := signed[f.path].Algorithm; hash == opabundle.MD5.String() || hash == opabundle.SHA1.String() {
			return fmt.Errorf("%s is signed by its %s, which can be forged: use SHA-256", f.path, hash)
		}
		if err := opabundle.VerifyBundleFile(f.path, *bytes.NewBuffer(f.text), signed); err != nil {
			return fmt.Errorf("it is not what was signed: %w", err)
		}
	}
	if len(signed) > 0 {
		return fmt.Errorf("it is not what was signed: %s is missing", strings.Join(slices.Sorted(maps.Keys(signed)), ", "))
	}
	return nil
}

// algorithm is the one that a signature says it has. It must be one of the key's
// kind: else whoever has the public key could use it as a password.
func (k *BundleKey) algorithm(token string) (string, error) {
	head, _, _ := strings.Cut(token, ".")
	var fields struct {
		Algorithm string `json:"alg"`
	}
	raw, err := base64.RawURLEncoding.DecodeString(head)
	if err == nil {
		err = json.Unmarshal(raw, &fields)
	}
	if err != nil {
		return "", fmt.Errorf("it is no token: %w", err)
	}
	if !slices.Contains(k.algorithms, fields.Algorithm) {
		return "", fmt.Errorf("the signature is of kind %q, the key's are %s", fields.Algorithm, strings.Join(k.algorithms, ", "))
	}
	return fields.Algorithm, nil
}
