package cli

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	opabundle "github.com/open-policy-agent/opa/v1/bundle"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner/facts"
)

// bundle is a gzipped tar of a new check; change edits its files.
func bundle(t *testing.T, change func(files map[string]string)) []byte {
	t.Helper()
	cat, err := checks.Load(checks.BuiltIn())
	if err != nil {
		t.Fatal(err)
	}
	s, err := cat.Scaffold(facts.KindImage, "forbidden_label", false)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(s.Files)
	}
	var buf bytes.Buffer
	gz := gzip.NewWriter(&buf)
	tw := tar.NewWriter(gz)
	for path, text := range s.Files {
		if err := tw.WriteHeader(&tar.Header{Name: "/" + path, Mode: 0o644, Size: int64(len(text)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(tw, text); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []io.Closer{tw, gz} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return buf.Bytes()
}

// pushBundle puts layers into a registry as an artifact and returns its digest.
func pushBundle(t *testing.T, ref string, layers ...v1.Layer) string {
	t.Helper()
	image, err := mutate.AppendLayers(mutate.MediaType(empty.Image, types.OCIManifestSchema1), layers...)
	if err != nil {
		t.Fatal(err)
	}
	tag, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(tag, image); err != nil {
		t.Fatal(err)
	}
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

// Policies of a bundle, in a file or in a registry, are checks like any other.
func TestPolicyBundles(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo))))
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	content := bundle(t, nil)
	layer := static.NewLayer(content, types.OCILayer)
	digest := pushBundle(t, host+"/team/policies:1", layer)
	pushBundle(t, host+"/team/two:1", layer, static.NewLayer([]byte("other"), types.OCILayer))
	pushBundle(t, host+"/team/none:1", static.NewLayer([]byte("x"), "application/vnd.example"))
	colliding := bundle(t, func(files map[string]string) {
		path := "image/forbidden_label.rego"
		files[path] = strings.Replace(files[path], "MY-IMG-001", "PS-IMG-001", 1)
	})
	pushBundle(t, host+"/team/colliding:1", static.NewLayer(colliding, types.OCILayer))
	misread := bundle(t, func(files map[string]string) {
		files["image/forbidden_label.rego"] += "\nhelper if input.config.no_such_field\n"
	})

	t.Chdir(t.TempDir())
	for file, b := range map[string][]byte{"bundle.tar.gz": content, "misread.tgz": misread, "nonsense.tar": []byte("hello")} {
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, spec := range []string{"bundle.tar.gz", "oci://" + host + "/team/policies:1", "oci://" + host + "/team/policies@" + digest} {
		r := run(t, nil, "checks", "list", "MY-*", "--policy", spec)
		if r.code != exitDone || !strings.Contains(r.stdout, "MY-IMG-001") {
			t.Errorf("%s: exit code %d: %s%s", spec, r.code, r.stdout, r.stderr)
		}
		if r := run(t, nil, "checks", "test", spec); r.code != exitDone || !strings.Contains(r.stdout, "2 of 2 tests pass") {
			t.Errorf("test %s: exit code %d: %s%s", spec, r.code, r.stdout, r.stderr)
		}
	}
	for _, c := range []struct {
		spec, want string
		code       int
	}{
		{"oci://" + host + "/team/colliding:1", "PS-IMG-001", exitUsage},
		{"misread.tgz", "no_such_field", exitUsage},
		{"nonsense.tar", "no tar", exitUsage},
		{"missing.tar.gz", "no such file", exitUsage},
		{"oci://" + host + "/team/two:1", "2 layers that are a tar", exitFailed},
		{"oci://" + host + "/team/none:1", "0 layers that are a tar", exitFailed},
		{"oci://" + host + "/team/missing:1", "UNKNOWN", exitFailed},
		{"oci://", `"oci://" names no bundle: write it as oci://registry.example/policies:1`, exitUsage},
		{"oci://" + host + "/Team/policies", "names no bundle", exitUsage},
	} {
		// The image is not there: whoever got as far as to look for it says so.
		r := run(t, nil, "image", "./no-such-image.tar", "--source", "docker-archive", "--no-vulnerabilities", "--policy", c.spec)
		if r.code != c.code || !strings.Contains(r.stderr, c.want) || strings.Contains(r.stderr, "no-such-image") {
			t.Errorf("%s: exit code %d, want %d and %q:\n%s", c.spec, r.code, c.code, c.want, r.stderr)
		}
	}
	if r := run(t, nil, "image", "x", "--offline", "--policy", "oci://"+host+"/team/policies:1"); r.code != exitUsage || !strings.Contains(r.stderr, "--offline") {
		t.Errorf("offline: exit code %d: %s", r.code, r.stderr)
	}
	if left, _ := filepath.Glob("*"); len(left) != 3 {
		t.Errorf("left behind: %q", left)
	}
}

// With --policy-key nothing judges that the key has not signed.
func TestPolicyKey(t *testing.T) {
	t.Chdir(t.TempDir())
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	secret := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	signed := bundle(t, func(files map[string]string) {
		var list []opabundle.FileInfo
		for path, text := range files {
			list = append(list, opabundle.NewFile(path, fmt.Sprintf("%x", sha256.Sum256([]byte(text))), "SHA-256"))
		}
		token, err := opabundle.GenerateSignedToken(list, opabundle.NewSigningConfig(string(secret), "ES256", ""), "")
		if err != nil {
			t.Fatal(err)
		}
		files[".signatures.json"] = fmt.Sprintf(`{"signatures": [%q]}`, token)
	})
	server := httptest.NewServer(registry.New(registry.Logger(slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo))))
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	pushBundle(t, host+"/signed:1", static.NewLayer(signed, types.OCILayer))
	pushBundle(t, host+"/unsigned:1", static.NewLayer(bundle(t, nil), types.OCILayer))
	if err := os.Mkdir("folder", 0o700); err != nil {
		t.Fatal(err)
	}
	for file, b := range map[string][]byte{
		"signed.tgz": signed, "unsigned.tgz": bundle(t, nil), "key.pem": secret, "broken.pem": []byte("no key"),
		"key.pub": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}),
	} {
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		spec, key, want string
		code            int
	}{
		{"signed.tgz", "key.pub", "MY-IMG-001", exitDone},
		{"oci://" + host + "/signed:1", "key.pub", "MY-IMG-001", exitDone},
		{"unsigned.tgz", "key.pub", "it is not signed", exitUsage},
		{"oci://" + host + "/unsigned:1", "key.pub", "it is not signed", exitFailed},
		{"folder", "key.pub", "give the signed bundle", exitUsage},
		{"signed.tgz", "key.pem", "give the public one", exitUsage},
		{"signed.tgz", "broken.pem", "--policy-key broken.pem: it holds no key", exitUsage},
		{"signed.tgz", "missing.pem", "--policy-key missing.pem: no such file", exitUsage},
	} {
		for _, args := range [][]string{{"checks", "list", "MY-*", "--policy", c.spec}, {"checks", "test", c.spec}} {
			r := run(t, nil, append(args, "--policy-key", c.key)...)
			said := r.stdout + r.stderr
			if c.code == exitDone && args[1] == "test" && strings.Contains(said, "2 of 2 tests pass") {
				continue
			}
			if r.code != c.code && (args[1] == "list" || r.code == exitDone) || !strings.Contains(said, c.want) {
				t.Errorf("%v with %s: exit code %d, want %d and %q:\n%s", args, c.key, r.code, c.code, c.want, said)
			}
		}
	}
}
