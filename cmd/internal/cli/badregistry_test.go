package cli

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// badHandler answers a request for something of an image in place of the
// registry; false leaves the request to it.
type badHandler func(w http.ResponseWriter, r *http.Request, good http.Handler) bool

// startBadRegistry starts a registry on loopback and returns its address. Each
// of its images, bad/HOW:1, is bad in the way that it is named after.
func startBadRegistry(t *testing.T) string {
	t.Helper()
	good := registry.New(registry.Logger(slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)))
	handlers := map[string]badHandler{
		// The connection ends in the middle of the layer, every time.
		"truncated": layerOnly(func(w http.ResponseWriter, _ *http.Request, blob []byte) {
			w.Header().Set("Content-Length", fmt.Sprint(len(blob)))
			_, _ = w.Write(blob[:len(blob)/2])
			panic(http.ErrAbortHandler)
		}),
		// As many bytes as were promised, and others.
		"swapped": layerOnly(func(w http.ResponseWriter, _ *http.Request, blob []byte) {
			blob = bytes.Clone(blob)
			blob[9] ^= 0xff // the system that made it, in the head of gzip
			_, _ = w.Write(blob)
		}),
		"longer": layerOnly(func(w http.ResponseWriter, _ *http.Request, blob []byte) {
			_, _ = w.Write(append(bytes.Clone(blob), "more"...))
		}),
		"missing": layerOnly(func(w http.ResponseWriter, r *http.Request, _ []byte) { http.NotFound(w, r) }),
		"looping": layerOnly(func(w http.ResponseWriter, r *http.Request, _ []byte) {
			http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
		}),
		// To a store of its own, as the big registries do.
		"redirected": layerOnly(func(w http.ResponseWriter, r *http.Request, _ []byte) {
			http.Redirect(w, r, strings.Replace(r.URL.Path, "/redirected/", "/store/", 1), http.StatusTemporaryRedirect)
		}),
		"store":     func(http.ResponseWriter, *http.Request, http.Handler) bool { return false },
		"denied":    status(http.StatusUnauthorized, "UNAUTHORIZED", "authentication required"),
		"forbidden": status(http.StatusForbidden, "DENIED", "requested access to the resource is denied"),
		"failing":   status(http.StatusInternalServerError, "UNKNOWN", "out of order"),
		// A portal that asks for a login, in place of a manifest.
		"portal": func(w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html><body>Please log in</body></html>")
			return true
		},
		// Another manifest than the digest that was asked for.
		"impostor": func(w http.ResponseWriter, r *http.Request, good http.Handler) bool {
			if strings.Contains(r.URL.Path, "/manifests/sha256:") {
				r.URL.Path = r.URL.Path[:strings.LastIndex(r.URL.Path, "/")] + "/1"
				good.ServeHTTP(w, r)
				return true
			}
			return false
		},
		// Takes the request and says nothing.
		"silent": func(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool {
			<-r.Context().Done()
			return true
		},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		how, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/bad/"), "/")
		if bad := handlers[how]; bad != nil && r.Method == http.MethodGet && bad(w, r, good) {
			return
		}
		good.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	address := strings.TrimPrefix(server.URL, "http://")

	sound := buildImage(t, v1.Config{User: "10001", Entrypoint: []string{"/app"}}, map[string]string{
		"app":        strings.Repeat("#!/bin/sh\n", 500),
		"etc/passwd": "app:x:10001:10001::/:/sbin/nologin\n",
	})
	fill := startServer(t, good)
	for how := range handlers {
		push(t, fill+"/bad/"+how+":1", sound)
	}
	for how, layer := range badLayers(t) {
		img, err := mutate.AppendLayers(empty.Image, layer)
		if err != nil {
			t.Fatal(err)
		}
		push(t, fill+"/bad/"+how+":1", img)
	}
	chart, err := mutate.AppendLayers(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), "application/vnd.cncf.helm.config.v1+json"),
		static.NewLayer(gzipped(t, tarred(t, map[string]string{"Chart.yaml": "name: web\n"})), "application/vnd.cncf.helm.chart.content.v1.tar+gzip"))
	if err != nil {
		t.Fatal(err)
	}
	push(t, fill+"/bad/chart:1", chart)
	return address
}

// badLayers are layers whose digests are right and whose content is not.
func badLayers(t *testing.T) map[string]v1.Layer {
	t.Helper()
	small := gzipped(t, tarred(t, map[string]string{"app": strings.Repeat("#!/bin/sh\n", 5000)}))
	many := map[string]string{}
	for i := range 3000 {
		many[fmt.Sprintf("srv/%d", i)] = ""
	}
	oci := func(content []byte) v1.Layer { return static.NewLayer(content, types.OCILayer) }
	return map[string]v1.Layer{
		"nogzip":    oci([]byte("this is no archive, whatever its media type says\n")),
		"notar":     oci(gzipped(t, bytes.Repeat([]byte("this is no archive either\n"), 100))),
		"cut":       oci(small[:len(small)-20]),
		"mediatype": static.NewLayer(small, "application/vnd.example.layer.v1.something"),
		"bomb":      oci(gzipped(t, tarred(t, map[string]string{"zeros": strings.Repeat("\x00", 64<<20)}))),
		"many":      oci(gzipped(t, tarred(t, many))),
		"escape": oci(gzipped(t, tarred(t, map[string]string{
			"../../../../../../../../escaped": "outside\n",
			"/escaped":                        "absolute\n",
			"etc/passwd":                      "root:x:0:0::/root:/bin/sh\n",
		}))),
		// Package databases, archives and programs that break off or never began.
		"broken": oci(gzipped(t, tarred(t, map[string]string{
			"etc/os-release":                                     "ID=debian\nVERSION_ID=\"12\"\n",
			"var/lib/dpkg/status":                                "Package: half\nVersion",
			"var/lib/rpm/rpmdb.sqlite":                           "SQLite format 3\x00" + strings.Repeat("\xff", 200),
			"var/lib/rpm/Packages":                               strings.Repeat("\x00\xff", 4096),
			"usr/lib/sysimage/rpm/Packages.db":                   "RpmP" + strings.Repeat("\xff", 64),
			"app/app.jar":                                        "PK\x03\x04" + strings.Repeat("\x00", 100),
			"app/server":                                         "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 40),
			"app/node_modules/left/package.json":                 `{"name": "left", "version": `,
			"usr/lib/python3/site-packages/a.dist-info/METADATA": "Name",
		}))),
	}
}

// layerOnly changes how the layer is served, and nothing else of the image.
func layerOnly(serve func(w http.ResponseWriter, r *http.Request, blob []byte)) badHandler {
	return func(w http.ResponseWriter, r *http.Request, good http.Handler) bool {
		if !strings.Contains(r.URL.Path, "/blobs/") {
			return false
		}
		plain := r.Clone(r.Context())
		plain.Header.Del("Range")
		answer := httptest.NewRecorder()
		good.ServeHTTP(answer, plain)
		blob := answer.Body.Bytes()
		if answer.Code != http.StatusOK || bytes.HasPrefix(blob, []byte("{")) { // the config
			return false
		}
		serve(w, r, blob)
		return true
	}
}

// status refuses the image with an error as the distribution API writes it.
func status(code int, name, message string) badHandler {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = fmt.Fprintf(w, `{"errors":[{"code":%q,"message":%q}]}`, name, message)
		return true
	}
}

func startServer(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func tarred(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	for name, content := range files {
		if err := tw.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(tw, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t *testing.T, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	zw := gzip.NewWriter(&b)
	if _, err := zw.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A full disk under the cache costs the next scan its speed, and this one
// nothing.
func TestFullDiskUnderTheCache(t *testing.T) {
	if out, err := exec.Command("unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", t.TempDir()).CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("mount a small file system: %v\n%s", err, out)
		}
		t.Skipf("no file system can be mounted here: %v", err)
	}
	ref := startRegistry(t) + "/team/careless:1"
	dir := t.TempDir()
	scan := func(name, before string) string {
		t.Helper()
		report := filepath.Join(dir, name)
		script := before + ` && exec postscan image "$1" --offline --cache-dir "$2" -o json="$3"`
		cmd := exec.Command("unshare", "--map-root-user", "--mount", "sh", "-ec", script, "sh", ref, filepath.Join(dir, "cache"), report)
		cmd.Env = append(os.Environ(), "TEST_NOW=2026-11-23T12:00:00Z", "XDG_CACHE_HOME="+dir)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Run(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, stderr.Bytes())
		}
		if strings.Contains(stderr.String(), "panic") {
			t.Errorf("%s:\n%s", name, stderr.Bytes())
		}
		text, err := os.ReadFile(report)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(text)
		return hex.EncodeToString(sum[:])
	}
	full := scan("full.json", `mkdir "$2" && mount -t tmpfs -o size=4k,mode=700 tmpfs "$2" && (dd if=/dev/zero of="$2/fill" bs=4k count=1 2>/dev/null || true)`)
	roomy := scan("roomy.json", "true")
	if full != roomy {
		t.Error("the report differs where the cache has no room")
	}
}
