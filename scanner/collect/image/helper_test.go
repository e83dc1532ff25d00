package image

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/zstd"

	"github.com/postscan/postscan/scanner/facts"
)

// file is an entry of a layer that a test builds.
type file struct {
	name string
	body string
	mode int64
	link string // symbolic, or hard where hard is set
	hard bool
	dir  bool
	cap  string
}

// tarOf makes a tar archive.
func tarOf(t testing.TB, files ...file) []byte {
	t.Helper()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.body)), Typeflag: tar.TypeReg}
		if f.mode != 0 {
			h.Mode = f.mode
		}
		switch {
		case f.dir:
			h.Typeflag, h.Size = tar.TypeDir, 0
			if f.mode == 0 {
				h.Mode = 0o755
			}
		case f.hard:
			h.Typeflag, h.Linkname, h.Size = tar.TypeLink, f.link, 0
		case f.link != "":
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, f.link, 0
		}
		if f.cap != "" {
			h.PAXRecords = map[string]string{"SCHILY.xattr.security.capability": f.cap}
			h.Format = tar.FormatPAX
		}
		must(t, tw.WriteHeader(h))
		if h.Size > 0 {
			_, err := io.WriteString(tw, f.body)
			must(t, err)
		}
	}
	must(t, tw.Close())
	return buf.Bytes()
}

// gzLayer is a layer as builders make it.
func gzLayer(t testing.TB, files ...file) v1.Layer {
	t.Helper()
	raw := tarOf(t, files...)
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil })
	must(t, err)
	return l
}

// rawLayer is a layer of which a test says every part.
type rawLayer struct {
	stored []byte
	diffID v1.Hash
	media  types.MediaType
}

func (l *rawLayer) Digest() (v1.Hash, error) { return digestOf(l.stored), nil }
func (l *rawLayer) DiffID() (v1.Hash, error) { return l.diffID, nil }
func (l *rawLayer) Compressed() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(l.stored)), nil
}
func (l *rawLayer) Uncompressed() (io.ReadCloser, error) { return l.Compressed() }
func (l *rawLayer) Size() (int64, error)                 { return int64(len(l.stored)), nil }
func (l *rawLayer) MediaType() (types.MediaType, error)  { return l.media, nil }

func plainLayer(t testing.TB, files ...file) v1.Layer {
	raw := tarOf(t, files...)
	return &rawLayer{raw, digestOf(raw), types.OCIUncompressedLayer}
}

func zstdLayer(t testing.TB, files ...file) v1.Layer {
	raw := tarOf(t, files...)
	enc, err := zstd.NewWriter(nil)
	must(t, err)
	return &rawLayer{enc.EncodeAll(raw, nil), digestOf(raw), types.OCILayerZStd}
}

// baseFiles are a small Debian.
func baseFiles() []file {
	return []file{
		{name: "etc/", dir: true},
		{name: "etc/os-release", body: "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"},
		{name: "etc/debian_version", body: "12.4\n"},
		{name: "etc/passwd", body: "root:x:0:0:root:/root:/bin/bash\napp:x:1000:1000::/home/app:/usr/sbin/nologin\n"},
		{name: "var/lib/dpkg/status", body: "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nSource: zlib\nVersion: 1:1.2.13.dfsg-1\nMaintainer: Debian\n\n"},
		{name: "usr/bin/su", body: "x", mode: 0o4755},
	}
}

// imageOf makes an image of layers for linux/amd64.
func imageOf(t testing.TB, conf v1.Config, layers ...v1.Layer) v1.Image {
	t.Helper()
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	var adds []mutate.Addendum
	for _, l := range layers {
		media, err := l.MediaType()
		must(t, err)
		adds = append(adds, mutate.Addendum{Layer: l, MediaType: media, History: v1.History{CreatedBy: "RUN /bin/sh -c make # buildkit"}})
	}
	img, err := mutate.Append(img, adds...)
	must(t, err)
	file, err := img.ConfigFile()
	must(t, err)
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Config = "linux", "amd64", conf
	file.Created = v1.Time{Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	img, err = mutate.ConfigFile(img, file)
	must(t, err)
	return img
}

// server is a registry over HTTP that counts requests and lets a test interfere.
type server struct {
	*httptest.Server
	host string
	mu   sync.Mutex
	got  []string // "GET /v2/…"
	// before may answer a request itself, and then returns true.
	before func(w http.ResponseWriter, r *http.Request) bool
}

func newServer(t testing.TB) *server {
	t.Helper()
	reg := registry.New(registry.Logger(noLog()), registry.WithReferrersSupport(true))
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.got = append(s.got, r.Method+" "+r.URL.Path)
		before := s.before
		s.mu.Unlock()
		if before != nil && before(w, r) {
			return
		}
		reg.ServeHTTP(w, r)
	}))
	s.host = strings.TrimPrefix(s.URL, "http://")
	t.Cleanup(s.Close)
	return s
}

func (s *server) interfere(f func(w http.ResponseWriter, r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = f
}

// requests counts requests whose line holds the text, and forgets none.
func (s *server) requests(text string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, g := range s.got {
		if strings.Contains(g, text) {
			n++
		}
	}
	return n
}

func (s *server) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = nil
}

// push writes an image or index and returns its whole reference.
func (s *server) push(t testing.TB, ref string, what any) string {
	t.Helper()
	full := s.host + "/" + ref
	parsed, err := parseReference(full)
	must(t, err)
	switch v := what.(type) {
	case v1.Image:
		must(t, remote.Write(parsed, v, remote.WithNondistributable))
	case v1.ImageIndex:
		must(t, remote.WriteIndex(parsed, v))
	default:
		t.Fatalf("cannot push a %T", what)
	}
	return full
}

// sink records what a collector sends.
type sink struct {
	mu        sync.Mutex
	targets   map[string]facts.Target
	resources map[string]*facts.Resource // by target
	order     []string
}

func (s *sink) Target(t facts.Target) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.targets[t.Ref] = t
	s.order = append(s.order, "target "+t.Ref)
	return nil
}
func (s *sink) Source(facts.Source) error { return nil }
func (s *sink) Resource(_ context.Context, r *facts.Resource) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resources[r.Target] = r
	s.order = append(s.order, "resource "+r.Target)
	return nil
}

// image returns the facts of a target that must have them.
func (s *sink) image(t testing.TB, ref string) (*facts.Image, *facts.Resource) {
	t.Helper()
	r := s.resources[ref]
	if r == nil {
		t.Fatalf("no facts of %q; targets: %+v", ref, s.targets)
	}
	return r.Facts.(*facts.Image), r
}

// options are what most tests want: no cache of the user's, no registries.conf, quick retries.
func options(t testing.TB, refs ...string) Options {
	t.Helper()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	t.Setenv("DOCKER_HOST", "unix://"+t.TempDir()+"/none.sock")
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	t.Setenv("CONTAINER_HOST", "")
	return Options{
		References: refs, CacheDir: t.TempDir(), Registry: newClient(t, RegistryOptions{}), Source: "",
		Platform: "linux/amd64",
	}
}

func newClient(t testing.TB, o RegistryOptions) *Registry {
	t.Helper()
	if o.RegistriesConf == nil {
		o.RegistriesConf = []string{}
	}
	if o.CertsDirs == nil {
		o.CertsDirs = []string{}
	}
	if o.RetryDelay == 0 {
		o.RetryDelay = time.Millisecond
	}
	r, err := NewRegistry(o)
	must(t, err)
	return r
}

// collect runs a collection that must not break off.
func collect(t testing.TB, o Options) *sink {
	t.Helper()
	s := &sink{targets: map[string]facts.Target{}, resources: map[string]*facts.Resource{}}
	must(t, New(o).Collect(t.Context(), s))
	return s
}

// failure runs a collection of one reference that must fail, and returns the reason.
func failure(t testing.TB, o Options) string {
	t.Helper()
	s := collect(t, o)
	got := s.targets[o.References[0]].Error
	if got == "" || len(s.resources) != 0 {
		t.Fatalf("%s: error %q, %d resources; it should have failed", o.References[0], got, len(s.resources))
	}
	return got
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantText(t testing.TB, got string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(got, p) {
			t.Errorf("%q does not say %q", got, p)
		}
	}
}

// staticBlob is a layer of any type.
func staticBlob(body string, media types.MediaType) v1.Layer {
	return static.NewLayer([]byte(body), media)
}

func noLog() *log.Logger { return log.New(io.Discard, "", 0) }

func noSlog() *slog.Logger { return slog.New(slog.DiscardHandler) }

// withConfig replaces an image's configuration.
func withConfig(img v1.Image, file *v1.ConfigFile) (v1.Image, error) {
	return mutate.ConfigFile(img, file)
}

// jsonOf gives the facts as they are written.
func jsonOf(t testing.TB, docs ...any) string {
	t.Helper()
	var out strings.Builder
	for _, d := range docs {
		raw, err := json.Marshal(d)
		must(t, err)
		out.Write(raw)
	}
	return out.String()
}

// sum counts and hashes what is written to it.
type sum struct {
	*hasher
	n int64
}

func newSum() *sum { return &sum{hasher: &hasher{Hash: sha256.New(), alg: "sha256"}} }

func (s *sum) Write(p []byte) (int, error) { s.n += int64(len(p)); return s.Hash.Write(p) }
func (s *sum) hex() string                 { return strings.TrimPrefix(s.sum(), "sha256:") }
