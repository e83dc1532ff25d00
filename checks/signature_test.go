package checks_test

import (
	"archive/tar"
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"maps"
	"slices"
	"strings"
	"testing"

	opabundle "github.com/open-policy-agent/opa/v1/bundle"

	"github.com/postscan/postscan/checks"
)

// keyPair is a key that signs, as a PEM file, and the public one.
func keyPair(t *testing.T, key crypto.Signer) (private string, public []byte) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})
}

func ecKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sign is what opa sign writes for files.
func sign(t *testing.T, files map[string]string, key, algorithm, hashing string) string {
	t.Helper()
	hasher, err := opabundle.NewSignatureHasher(opabundle.HashingAlgorithm(hashing))
	if err != nil {
		t.Fatal(err)
	}
	var list []opabundle.FileInfo
	for _, name := range slices.Sorted(maps.Keys(files)) {
		var value any = []byte(files[name])
		if opabundle.IsStructuredDoc(name) {
			if err := json.Unmarshal([]byte(files[name]), &value); err != nil {
				t.Fatal(err)
			}
		}
		sum, err := hasher.HashFile(value)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, opabundle.NewFile(name, hex.EncodeToString(sum), hashing))
	}
	token, err := opabundle.GenerateSignedToken(list, opabundle.NewSigningConfig(key, algorithm, ""), "whatever")
	if err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(opabundle.SignaturesConfig{Signatures: []string{token}})
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func packed(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var entries []entry
	for _, name := range slices.Sorted(maps.Keys(files)) {
		entries = append(entries, entry{"/" + name, files[name], tar.TypeReg})
	}
	return bundle(t, true, entries...)
}

// A bundle that the key signed is read, whatever kind of key it is.
func TestBundleSignature(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for algorithm, key := range map[string]crypto.Signer{"RS256": rsaKey, "PS512": rsaKey, "ES256": ecKey(t), "EdDSA": edKey} {
		private, public := keyPair(t, key)
		trusted, err := checks.ParseBundleKey(public)
		if err != nil {
			t.Errorf("%s: %v", algorithm, err)
			continue
		}
		files := scaffolded(t)
		files[".manifest"], files["data.json"] = `{"revision": "1", "roots": ["postscan"]}`, "{}"
		files[".signatures.json"] = sign(t, files, private, algorithm, "SHA-256")
		source, err := checks.Bundle(bytes.NewReader(packed(t, files)), "b", trusted)
		if err != nil {
			t.Errorf("%s: %v", algorithm, err)
			continue
		}
		cat, err := checks.Load(checks.BuiltIn(), source)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := cat.Lookup("MY-IMG-001"); !ok {
			t.Errorf("%s: the policy is not there", algorithm)
		}
	}
}

// What anybody but the key's owner could have made is refused.
func TestBundleSignatureRefuses(t *testing.T) {
	private, public := keyPair(t, ecKey(t))
	other, _ := keyPair(t, ecKey(t))
	trusted, err := checks.ParseBundleKey(public)
	if err != nil {
		t.Fatal(err)
	}
	const policy = "image/forbidden_label.rego"
	for name, c := range map[string]struct {
		key, algorithm, hashing string
		change                  func(files map[string]string) // after it was signed
		want                    string
	}{
		"not signed":       {private, "ES256", "SHA-256", func(f map[string]string) { delete(f, ".signatures.json") }, "not signed"},
		"by another key":   {other, "ES256", "SHA-256", nil, "not by this key"},
		"changed":          {private, "ES256", "SHA-256", func(f map[string]string) { f[policy] += "#" }, "not what was signed: image/forbidden_label.rego"},
		"added":            {private, "ES256", "SHA-256", func(f map[string]string) { f["image/more.rego"] = "package postscan.image.more" }, "image/more.rego not included"},
		"added data":       {private, "ES256", "SHA-256", func(f map[string]string) { f["data.json"] = "{}" }, "data.json not included"},
		"taken away":       {private, "ES256", "SHA-256", func(f map[string]string) { delete(f, policy) }, policy + " is missing"},
		"signature broken": {private, "ES256", "SHA-256", func(f map[string]string) { f[".signatures.json"] = `{"signatures":["a.b.c"]}` }, "no token"},
		"no signature":     {private, "ES256", "SHA-256", func(f map[string]string) { f[".signatures.json"] = `{"signatures":[]}` }, "0 signatures"},
		"below a folder": {private, "ES256", "SHA-256", func(f map[string]string) {
			f["our/.signatures.json"] = f[".signatures.json"]
			delete(f, ".signatures.json")
		}, "not signed"},
		"a weak hash": {private, "ES256", "MD5", nil, "can be forged"},
		// The public key is no secret: a signature that takes it for a password proves nothing.
		"public key as password": {string(public), "HS256", "SHA-256", nil, `of kind "HS256"`},
	} {
		files := scaffolded(t)
		files[".signatures.json"] = sign(t, files, c.key, c.algorithm, c.hashing)
		if c.change != nil {
			c.change(files)
		}
		if _, err := checks.Bundle(bytes.NewReader(packed(t, files)), "b", trusted); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, want one with %q", name, err, c.want)
		}
	}
}

func TestParseBundleKeyRefuses(t *testing.T) {
	private, public := keyPair(t, ecKey(t))
	for name, c := range map[string]struct{ text, want string }{
		"empty":     {"", "no key in PEM"},
		"no PEM":    {"secret", "no key in PEM"},
		"private":   {private, "private key"},
		"two":       {string(public) + string(public), "more than one"},
		"something": {"-----BEGIN MESSAGE-----\naGVsbG8=\n-----END MESSAGE-----\n", "a message"},
		"broken":    {"-----BEGIN PUBLIC KEY-----\naGVsbG8=\n-----END PUBLIC KEY-----\n", "asn1"},
	} {
		if _, err := checks.ParseBundleKey([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, want one with %q", name, err, c.want)
		} else if strings.Contains(err.Error(), "aGVsbG8=") {
			t.Errorf("%s: the error holds what may be a key", name)
		}
	}
}
