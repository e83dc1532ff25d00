package cli

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/postscan/postscan/cmd/internal/demo"
)

// startRegistry starts a registry that speaks HTTP on loopback, fills it, and
// returns its address. It holds
//
//	team/hardened:1  a numeric user, nothing to find but the missing health check
//	team/careless:1  root, and a private key
//	shop/web:demo    the image of the demonstration
//	trivy-db:2       the database of the demonstration, as its publisher keeps it
//
// Its web server also has the lists /kev.json and /epss.csv.
func startRegistry(t *testing.T) string {
	t.Helper()
	paths, err := demo.Extract(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", registry.New(registry.Logger(slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo))))
	mux.HandleFunc("/kev.json", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, paths.KEV) })
	mux.HandleFunc("/epss.csv", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, paths.EPSS) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	address := strings.TrimPrefix(server.URL, "http://")
	push(t, address+"/shop/web:demo", layoutImage(t, paths.Image))
	push(t, address+"/trivy-db:2", databaseArtifact(t, paths.Database))
	push(t, address+"/team/hardened:1", buildImage(t, v1.Config{User: "10001", Entrypoint: []string{"/app"}}, map[string]string{
		"app":        "#!/bin/sh\n",
		"etc/passwd": "app:x:10001:10001::/:/sbin/nologin\n",
	}))
	push(t, address+"/team/careless:1", buildImage(t, v1.Config{Entrypoint: []string{"/app"}}, map[string]string{
		"app":           "#!/bin/sh\n",
		"etc/passwd":    "root:x:0:0::/root:/bin/sh\n",
		"root/.ssh/key": testKey(),
	}))
	return address
}

// layoutImage opens the only image of an OCI layout.
func layoutImage(t *testing.T, dir string) v1.Image {
	t.Helper()
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	img, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// databaseArtifact packs a database as its publisher does: one layer, a
// compressed archive of two files.
func databaseArtifact(t *testing.T, dir string) v1.Image {
	t.Helper()
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	tw := tar.NewWriter(zw)
	for _, name := range []string{"trivy.db", "metadata.json"} {
		content := read(t, filepath.Join(dir, name))
		addFile(t, tw, name, content)
	}
	if err := errors.Join(tw.Close(), zw.Close()); err != nil {
		t.Fatal(err)
	}
	img, err := mutate.Append(empty.Image, mutate.Addendum{
		Layer: static.NewLayer(buf.Bytes(), "application/vnd.aquasec.trivy.db.layer.v1.tar+gzip"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func addFile(t *testing.T, tw *tar.Writer, name, content string) {
	t.Helper()
	h := &tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(content)), ModTime: time.Unix(1700000000, 0)}
	if err := tw.WriteHeader(h); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(tw, content); err != nil {
		t.Fatal(err)
	}
}

// testKey is what a private key looks like; it opens nothing.
func testKey() string {
	line := strings.Repeat("c29tZXRoaW5nIHRoYXQgaXMgbm8ga2V5", 2) + "\n"
	return "-----BEGIN RSA PRIVATE " + "KEY-----\n" + strings.Repeat(line, 8) + "-----END RSA PRIVATE " + "KEY-----\n"
}

// buildImage makes an image of one layer with these files.
func buildImage(t *testing.T, config v1.Config, files map[string]string) v1.Image {
	t.Helper()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		addFile(t, tw, name, files[name])
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.Append(empty.Image, mutate.Addendum{Layer: layer, History: v1.History{CreatedBy: "COPY . / # buildkit"}})
	if err != nil {
		t.Fatal(err)
	}
	file, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Config = "linux", "amd64", config
	file.Created = v1.Time{Time: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	img, err = mutate.ConfigFile(img, file)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func push(t *testing.T, ref string, img v1.Image) {
	t.Helper()
	r, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(r, img); err != nil {
		t.Fatal(err)
	}
}
