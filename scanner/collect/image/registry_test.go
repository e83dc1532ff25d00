package image

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

func small(t testing.TB) v1.Image { return imageOf(t, v1.Config{}, gzLayer(t, baseFiles()...)) }

// answer makes a server answer one kind of request with a status.
func answer(part string, status int, body string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, part) {
			return false
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	}
}

// TestRegistryErrors: what is said when a registry or what it keeps is bad.
func TestRegistryErrors(t *testing.T) {
	chart := func(config types.MediaType) v1.Image {
		img := mutate.MediaType(small(t), types.OCIManifestSchema1)
		return mutate.ConfigMediaType(img, config)
	}
	tests := map[string]struct {
		image  v1.Image
		before func(http.ResponseWriter, *http.Request) bool
		says   []string
	}{
		"no such tag":         {says: []string{"status 404", "no such image|NAME_UNKNOWN|MANIFEST_UNKNOWN"}},
		"unauthorized":        {image: small(t), before: answer("/manifests/", 401, ""), says: []string{"status 401", "docker login", "--username"}},
		"forbidden":           {image: small(t), before: answer("/manifests/", 403, `{"errors":[{"code":"DENIED","message":"go\u001b[31m away"}]}`), says: []string{"status 403", "DENIED go [31m away"}},
		"too many requests":   {image: small(t), before: answer("/manifests/", 429, ""), says: []string{"status 429", "use a mirror"}},
		"broken server":       {image: small(t), before: answer("/manifests/", 500, ""), says: []string{"status 500"}},
		"no registry":         {image: small(t), before: answer("/v2/", 404, "<html>nothing here"), says: []string{"log in to", "status 404"}},
		"manifest is HTML":    {image: small(t), before: answer("/manifests/", 200, "<html>please log in"), says: []string{"corrupt", "not JSON"}},
		"manifest is nothing": {image: small(t), before: answer("/manifests/", 200, "{}"), says: []string{"unknown media type"}},
		"schema 1":            {image: small(t), before: answer("/manifests/", 200, `{"schemaVersion":1,"fsLayers":[]}`), says: []string{"schema 1"}},
		"image and index":     {image: small(t), before: answer("/manifests/", 200, `{"config":{},"layers":[],"manifests":[]}`), says: []string{"an image and an index at once"}},
		"huge manifest":       {image: small(t), before: answer("/manifests/", 200, strings.Repeat(" ", manifestLimit+1)), says: []string{"limit passed"}},
		"Helm chart":          {image: chart("application/vnd.cncf.helm.config.v1+json"), says: []string{"not a container image", "Helm chart"}},
		"other artifact":      {image: chart("application/vnd.example+json"), says: []string{"not a container image", "application/vnd.example+json"}},
		"unknown layer type":  {image: imageOf(t, v1.Config{}, staticBlob("x", "application/vnd.example.layer")), says: []string{"unknown media type", "application/vnd.example.layer"}},
		"lacking blob":        {image: small(t), before: answer("/blobs/", 404, ""), says: []string{"status 404"}},
	}
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			srv := newServer(t)
			ref := srv.host + "/some/app:1"
			if tt.image != nil {
				srv.push(t, "some/app:1", tt.image)
			}
			srv.interfere(tt.before)
			got := failure(t, options(t, ref))
			for _, say := range tt.says {
				found := false
				for alt := range strings.SplitSeq(say, "|") {
					found = found || strings.Contains(got, alt)
				}
				if !found {
					t.Errorf("%q does not say %q", got, say)
				}
			}
			if strings.ContainsAny(got, "\x1b") {
				t.Errorf("%q holds control characters", got)
			}
		})
	}
}

// TestReferences: what Docker takes for a name is one, and what is wrong with another is said.
func TestReferences(t *testing.T) {
	const sum = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	for ref, want := range map[string]string{
		"nginx": "index.docker.io/library/nginx:latest", "x": "index.docker.io/library/x:latest", "x:1": "index.docker.io/library/x:1",
		"team/x": "index.docker.io/team/x:latest", "registry.example/x:1": "registry.example/x:1", "localhost/x": "localhost/x:latest",
		"localhost:5000/x:y": "localhost:5000/x:y", "registry.example:5000/x@" + sum: "registry.example:5000/x@" + sum,
		"registry.example/x:1@" + sum: "registry.example/x@" + sum,
	} {
		if got, err := parseReference(ref); err != nil || got.Name() != want {
			t.Errorf("%s: %v %v, want %s", ref, got, err, want)
		}
	}
	for ref, says := range map[string]string{
		"UPPER/case:1": "can only contain", "app:" + strings.Repeat("x", 200): "tag", "app@sha256:12": "digest", "": "must be specified", "X": "no image reference",
		"registry.example//app": "is empty", "registry.example/x:": "no image reference",
	} {
		if got, err := parseReference(ref); err == nil || !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v %v, want an error with %q", ref, got, err, says)
		}
	}
	srv := newServer(t)
	ref := srv.push(t, "x:1", small(t))
	if im, res := collect(t, options(t, ref)).image(t, ref); im.Repository != "x" || res.ID != ref {
		t.Errorf("repository %q, id %q", im.Repository, res.ID)
	}
}

// TestProxyThatIsDown: the proxy is what does not answer, not the registry.
func TestProxyThatIsDown(t *testing.T) {
	err := &url.Error{Op: "Get", URL: "https://user:secret@registry.example/v2/", Err: &net.OpError{Op: "proxyconnect", Net: "tcp", Err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}}
	got := redact(err).Error()
	wantText(t, got, "the proxy that HTTPS_PROXY or HTTP_PROXY names: connection refused")
	if strings.Contains(got, "secret") {
		t.Error(got)
	}
}

// TestWrongDigests: content that is not what its digest says is not believed.
func TestWrongDigests(t *testing.T) {
	lie := func(part string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, part) {
				return false
			}
			_, _ = io.WriteString(w, "something else")
			return true
		}
	}
	layer := gzLayer(t, baseFiles()...)
	img := imageOf(t, v1.Config{}, layer)
	digest, err := img.Digest()
	must(t, err)
	conf, err := img.ConfigName()
	must(t, err)
	blob, err := layer.Digest()
	must(t, err)
	for what, tt := range map[string]struct{ ref, part, says string }{
		"manifest": {"@" + digest.String(), "/manifests/", "wrong digest"},
		"config":   {":1", conf.Hex, "wrong digest"},
		"layer":    {":1", blob.Hex, "truncated"}, // its length gives it away first
	} {
		srv := newServer(t)
		srv.push(t, "app:1", img)
		srv.interfere(lie(tt.part))
		if got := failure(t, options(t, srv.host+"/app"+tt.ref)); !strings.Contains(got, tt.says) {
			t.Errorf("%s: %q", what, got)
		}
	}
	// Of the right length, and of another content.
	srv := newServer(t)
	ref := srv.push(t, "app:1", img)
	srv.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, blob.Hex) {
			return false
		}
		raw := append(tarOf(t, file{name: "evil", body: "x"}), make([]byte, 100_000)...)
		size, err := layer.Size()
		must(t, err)
		_, _ = w.Write(raw[:size])
		return true
	})
	if got := failure(t, options(t, ref)); !strings.Contains(got, "wrong digest") && !strings.Contains(got, "corrupt") && !strings.Contains(got, "truncated") {
		t.Errorf("layer of another content: %q", got)
	}
	// The configuration may lie about what the layer unpacks to.
	other := &rawLayer{stored: tarOf(t, baseFiles()...), diffID: digestOf([]byte("x")), media: types.OCIUncompressedLayer}
	ref = srv.push(t, "lying:1", imageOf(t, v1.Config{}, other))
	wantText(t, failure(t, options(t, ref)), "unpacked: wrong digest")
}

// TestBrokenConnections: a blob whose connection breaks is taken up where it broke,
// with and without ranges; one that never gets on ends.
func TestBrokenConnections(t *testing.T) {
	layer := gzLayer(t, append(baseFiles(), file{name: "big", body: randomText(300_000)})...)
	blob, err := layer.Digest()
	must(t, err)
	raw, err := layer.Compressed()
	must(t, err)
	body, err := io.ReadAll(raw)
	must(t, err)
	for what, ranges := range map[string]bool{"with ranges": true, "without ranges": false} {
		srv := newServer(t)
		ref := srv.push(t, "app:1", imageOf(t, v1.Config{}, layer))
		var tries atomic.Int32
		srv.interfere(func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, blob.Hex) {
				return false
			}
			n := int(tries.Add(1))
			from, upTo := 0, min(len(body), n*len(body)/3+1)
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			if h := r.Header.Get("Range"); h != "" && ranges {
				_, err := fmt.Sscanf(h, "bytes=%d-", &from)
				must(t, err)
				w.Header().Set("Content-Length", fmt.Sprint(len(body)-from))
				w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(body)-1, len(body)))
				w.WriteHeader(http.StatusPartialContent)
			}
			_, _ = w.Write(body[from:upTo])
			w.(http.Flusher).Flush()
			if upTo < len(body) {
				panic(http.ErrAbortHandler)
			}
			return true
		})
		im, _ := collect(t, options(t, ref)).image(t, ref)
		if len(im.Packages) != 1 || tries.Load() < 3 {
			t.Errorf("%s: %d packages after %d tries", what, len(im.Packages), tries.Load())
		}
	}
	srv := newServer(t)
	ref := srv.push(t, "app:1", imageOf(t, v1.Config{}, layer))
	srv.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, blob.Hex) {
			return false
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = w.Write(body[:1000])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	wantText(t, failure(t, options(t, ref)), "truncated after 1000 of")
}

// randomText is text that does not compress.
func randomText(n int) string {
	out := make([]byte, n)
	state := uint64(88172645463325252)
	for i := range out {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		out[i] = byte(state)
	}
	return string(out)
}

// TestRetries: a registry that is busy for a moment is asked again.
func TestRetries(t *testing.T) {
	srv := newServer(t)
	ref := srv.push(t, "app:1", small(t))
	var n atomic.Int32
	srv.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/manifests/1") && n.Add(1) <= 2 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		return false
	})
	collect(t, options(t, ref)).image(t, ref)
	if n.Load() != 3 {
		t.Errorf("asked %d times", n.Load())
	}
}

// TestSlowRegistry: one that does not answer, or stops sending, comes to an end.
func TestSlowRegistry(t *testing.T) {
	hang := func(part string, first []byte) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, part) {
				return false
			}
			if first != nil {
				_, _ = w.Write(first)
				w.(http.Flusher).Flush()
			}
			<-r.Context().Done()
			return true
		}
	}
	for what, tt := range map[string]struct {
		before func(http.ResponseWriter, *http.Request) bool
		says   string
	}{
		"no login":    {hang("/v2/", nil), "no answer in time"},
		"no manifest": {hang("/manifests/", nil), "no answer in time"},
		"half a blob": {hang("/blobs/", []byte("\x1f\x8b\x08")), "stopped sending"},
	} {
		srv := newServer(t)
		ref := srv.push(t, "app:1", small(t))
		srv.interfere(func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/v2/" && what != "no login" {
				return false
			}
			return tt.before(w, r)
		})
		o := options(t, ref)
		o.Registry = newClient(t, RegistryOptions{AnswerTimeout: 100 * time.Millisecond, IdleTimeout: 100 * time.Millisecond})
		if got := failure(t, o); !strings.Contains(got, tt.says) {
			t.Errorf("%s: %q", what, got)
		}
	}
	// The time limit of an image ends what trickles on for ever.
	srv := newServer(t)
	ref := srv.push(t, "app:1", small(t))
	srv.interfere(hang("/manifests/", nil))
	o := options(t, ref)
	o.Limits.Time = 50 * time.Millisecond
	wantText(t, failure(t, o), "limit passed", "50ms")
}

// TestRegistryDown: nobody listens.
func TestRegistryDown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	addr := l.Addr().String()
	must(t, l.Close())
	wantText(t, failure(t, options(t, addr+"/app:1")), "connection refused", addr)
}

// TestRedirects: blobs may come from another host, which gets no credentials; what
// must not be followed is not.
func TestRedirects(t *testing.T) {
	var leaked atomic.Value
	store := newServer(t)
	store.push(t, "app:1", small(t))
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, pass, ok := r.BasicAuth()
		if !ok || user != "me" || pass != "s3cr3t-pass" {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if strings.Contains(r.URL.Path, "/blobs/") {
			http.Redirect(w, r, store.URL+r.URL.Path+"?signature=s3cr3t-query", http.StatusTemporaryRedirect)
			return
		}
		u, _ := url.Parse(store.URL)
		resp, err := http.Get(u.String() + r.URL.Path)
		must(t, err)
		defer resp.Body.Close()
		w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	defer front.Close()
	store.interfere(func(_ http.ResponseWriter, r *http.Request) bool {
		if h := r.Header.Get("Authorization"); h != "" {
			leaked.Store(h)
		}
		return false
	})
	host := strings.TrimPrefix(front.URL, "http://")
	o := options(t, host+"/app:1")
	o.Registry = newClient(t, RegistryOptions{Username: "me", Password: "s3cr3t-pass"})
	collect(t, o).image(t, host+"/app:1")
	if leaked.Load() != nil {
		t.Error("the other host got the credentials")
	}
	o = options(t, host+"/app:1")
	o.Registry = newClient(t, RegistryOptions{Username: "me", Password: "wrong-s3cr3t"})
	got := failure(t, o)
	wantText(t, got, "status 401")
	if strings.Contains(got, "s3cr3t") {
		t.Errorf("%q tells a secret", got)
	}
	// An address that is signed stays out of messages.
	store.interfere(answer("/blobs/", 500, ""))
	o = options(t, host+"/app:1")
	o.Registry = newClient(t, RegistryOptions{Username: "me", Password: "s3cr3t-pass"})
	got = failure(t, o)
	wantText(t, got, "status 500")
	if strings.Contains(got, "s3cr3t") {
		t.Errorf("%q tells a secret", got)
	}

	for what, tt := range map[string]struct {
		from, to string
		ok       bool
	}{
		"another host":         {"https://r.example/v2/", "https://cdn.example/x", true},
		"same host":            {"https://10.0.0.1/v2/", "https://10.0.0.1/x", true},
		"inside to inside":     {"https://10.0.0.1/v2/", "https://10.0.0.2/x", true},
		"public to inside":     {"https://r.example/v2/", "https://10.0.0.2/x", false},
		"public to loopback":   {"https://r.example/v2/", "https://127.0.0.1/x", false},
		"to metadata":          {"https://r.example/v2/", "https://169.254.1.1/x", false},
		"inside to link-local": {"https://10.0.0.1/v2/", "https://[fe80::1]/x", false},
		"to plain HTTP":        {"https://r.example/v2/", "http://cdn.example/x", false},
	} {
		first, err := http.NewRequestWithContext(t.Context(), http.MethodGet, tt.from, nil)
		must(t, err)
		next, err := http.NewRequestWithContext(t.Context(), http.MethodGet, tt.to, nil)
		must(t, err)
		if err := checkRedirect(next, []*http.Request{first}); (err == nil) != tt.ok {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestCredentials: from Docker's file, from Podman's, and given ones.
func TestCredentials(t *testing.T) {
	reg := newServer(t)
	reg.push(t, "team/app:1", small(t))
	reg.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		if user, pass, ok := r.BasicAuth(); ok && user == "me" && pass == "pw" {
			return false
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	ref := reg.host + "/team/app:1"
	auth := func(key string) string {
		return fmt.Sprintf(`{"auths":{%q:{"auth":"bWU6cHc="}}}`, key) // me:pw
	}
	wantText(t, failure(t, options(t, ref)), "status 401")

	o := options(t, ref)
	must(t, os.WriteFile(filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), []byte(auth(reg.host)), 0o600))
	t.Setenv("HOME", t.TempDir())
	collect(t, o).image(t, ref)

	// Podman's file names a part of the registry, and stands beside a file of Docker's
	// that knows nothing of it.
	o = options(t, ref)
	must(t, os.WriteFile(filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), []byte(auth("other.example")), 0o600))
	podman := filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "containers")
	must(t, os.MkdirAll(podman, 0o700))
	must(t, os.WriteFile(filepath.Join(podman, "auth.json"), []byte(auth(reg.host+"/team")), 0o600))
	collect(t, o).image(t, ref)

	o = options(t, ref)
	o.Registry = newClient(t, RegistryOptions{Username: "me", Password: "pw"})
	collect(t, o).image(t, ref)
}

// TestCredentialsGoNowhereElse: given ones are for the registry that the user
// names, not for its mirrors, nor for what the same client fetches besides.
func TestCredentialsGoNowhereElse(t *testing.T) {
	mirror, origin := newServer(t), newServer(t)
	var seen atomic.Int32
	watch := func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") != "" {
			seen.Add(1)
		}
		return false
	}
	mirror.push(t, "app:1", small(t))
	mirror.interfere(watch)
	reg := newClient(t, RegistryOptions{Username: "me", Password: "pw", Mirrors: map[string][]string{origin.host: {mirror.host}}})
	o := options(t, origin.host+"/app:1")
	o.Registry = reg
	collect(t, o).image(t, origin.host+"/app:1")
	if _, err := reg.Fetch(t.Context(), mirror.host+"/app:1"); err != nil {
		t.Fatal(err)
	}
	if seen.Load() != 0 {
		t.Errorf("the mirror got the credentials %d times", seen.Load())
	}
}

// TestMirrors: the first that has the image serves it, and the identity stays the
// registry's own.
func TestMirrors(t *testing.T) {
	img := small(t)
	down, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	must(t, down.Close())
	empty, full := newServer(t), newServer(t)
	full.push(t, "hub/library/nginx:1.27", img)
	o := options(t, "nginx:1.27")
	o.Registry = newClient(t, RegistryOptions{Mirrors: map[string][]string{"docker.io": {down.Addr().String(), empty.host, full.host + "/hub"}}})
	s := collect(t, o)
	im, res := s.image(t, "nginx:1.27")
	if im.Registry != "docker.io" || im.Repository != "library/nginx" || res.ID != "docker.io/library/nginx:1.27" {
		t.Errorf("registry %q, repository %q, id %q", im.Registry, im.Repository, res.ID)
	}
	if got := s.targets["nginx:1.27"].Identity; got != "docker.io/library/nginx linux/amd64" {
		t.Errorf("identity %q", got)
	}
	if empty.requests("library/nginx/manifests/1.27") == 0 {
		t.Error("the mirrors were not asked in their order")
	}

	// The registry itself comes last; its error is told, with those of the mirrors.
	o = options(t, empty.host+"/app:1")
	o.Registry = newClient(t, RegistryOptions{Mirrors: map[string][]string{empty.host: {full.host}}})
	empty.push(t, "app:1", img)
	collect(t, o).image(t, empty.host+"/app:1")
	if full.requests("/app/manifests/1") == 0 {
		t.Error("the mirror was not asked")
	}
	o.References = []string{empty.host + "/none:1"}
	wantText(t, failure(t, o), empty.host, full.host, "from mirrors")

	// A mirror whose content is wrong is not believed; the registry serves.
	digest, err := img.Digest()
	must(t, err)
	full.interfere(answer("/manifests/", 200, `{"schemaVersion":2}`))
	o.References = []string{empty.host + "/app@" + digest.String()}
	collect(t, o).image(t, o.References[0])
}

// TestTLS: a registry with an authority of its own.
func TestTLS(t *testing.T) {
	reg := registry.New(registry.Logger(noLog()))
	srv := httptest.NewTLSServer(reg)
	defer srv.Close()
	srv.Config.ErrorLog = noLog()
	host := strings.TrimPrefix(srv.URL, "https://")
	ref, err := name.ParseReference(host + "/app:1")
	must(t, err)
	must(t, remote.Write(ref, small(t), remote.WithTransport(srv.Client().Transport)))
	ca := filepath.Join(t.TempDir(), "ca.pem")
	must(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600))

	wantText(t, failure(t, options(t, ref.String())), "certificate")
	o := options(t, ref.String())
	o.Registry = newClient(t, RegistryOptions{CAFile: ca})
	collect(t, o).image(t, ref.String())
	o.Registry = newClient(t, RegistryOptions{Insecure: []string{host}})
	collect(t, o).image(t, ref.String())

	// What Docker keeps for the registry, in a folder of its name.
	dir := filepath.Join(t.TempDir(), "certs.d")
	must(t, os.MkdirAll(filepath.Join(dir, host), 0o700))
	raw, err := os.ReadFile(ca)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, host, "ca.crt"), raw, 0o600))
	o.Registry = newClient(t, RegistryOptions{CertsDirs: []string{filepath.Join(dir, "none"), dir}})
	collect(t, o).image(t, ref.String())
	must(t, os.WriteFile(filepath.Join(dir, host, "ca.crt"), []byte("x"), 0o600))
	o.Registry = newClient(t, RegistryOptions{CertsDirs: []string{dir}})
	wantText(t, failure(t, o), "ca.crt", "no PEM certificate")

	if _, err := NewRegistry(RegistryOptions{CAFile: "/nowhere"}); err == nil {
		t.Error("a CA file that is not there is taken")
	}
	bad := filepath.Join(t.TempDir(), "bad.pem")
	must(t, os.WriteFile(bad, []byte("x"), 0o600))
	if _, err := NewRegistry(RegistryOptions{CAFile: bad}); err == nil {
		t.Error("a CA file without a certificate is taken")
	}
}

// TestClientCertificates: a registry that wants one gets the one that is kept for it,
// and no other host does.
func TestClientCertificates(t *testing.T) {
	authority, cert, key := authorityAndClient(t)
	start := func() (*httptest.Server, string) {
		srv := httptest.NewUnstartedServer(registry.New(registry.Logger(noLog())))
		srv.Config.ErrorLog = noLog()
		srv.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority, MinVersion: tls.VersionTLS12}
		srv.StartTLS()
		t.Cleanup(srv.Close)
		return srv, strings.TrimPrefix(srv.URL, "https://")
	}
	srv, host := start()
	_, other := start()
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, host), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, host, "client.cert"), cert, 0o600))
	o := options(t, host+"/app:1")
	reg := func() *Registry {
		return newClient(t, RegistryOptions{CertsDirs: []string{dir}, Insecure: []string{host, other}})
	}
	o.Registry = reg()
	wantText(t, failure(t, o), host) // without the key the certificate is of no use

	must(t, os.WriteFile(filepath.Join(dir, host, "client.key"), key, 0o600))
	pair, err := tls.X509KeyPair(cert, key)
	must(t, err)
	push := srv.Client().Transport.(*http.Transport).Clone()
	push.TLSClientConfig.Certificates = []tls.Certificate{pair}
	ref, err := name.ParseReference(host + "/app:1")
	must(t, err)
	must(t, remote.Write(ref, small(t), remote.WithTransport(push)))
	o.Registry = reg()
	collect(t, o).image(t, o.References[0])
	o.References = []string{other + "/app:1"}
	wantText(t, failure(t, o), other)
}

// authorityAndClient makes an authority and a client's certificate and key by it.
func authorityAndClient(t *testing.T) (pool *x509.CertPool, cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	now := time.Now()
	made := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "client"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, made, made, private.Public(), private)
	must(t, err)
	parsed, err := x509.ParseCertificate(der)
	must(t, err)
	pool = x509.NewCertPool()
	pool.AddCert(parsed)
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	return pool, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

// TestPlainHTTPOnlyWhereAllowed: credentials do not go over the wire unprotected.
func TestPlainHTTPOnlyWhereAllowed(t *testing.T) {
	never := roundTripper(func(*http.Request) (*http.Response, error) { return nil, io.EOF })
	for _, tt := range []struct {
		url     string
		allow   bool
		refused bool
	}{
		{"http://10.1.2.3:5000/v2/", false, true},
		{"http://registry.local/v2/", false, true},
		{"http://registry.local/v2/", true, false},
		{"http://127.0.0.1:5000/v2/", false, false},
		{"http://localhost:5000/v2/", false, false},
		{"https://10.1.2.3:5000/v2/", false, false},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, tt.url, nil)
		must(t, err)
		_, err = (&plainGuard{inner: never, allow: tt.allow}).RoundTrip(req)
		if errors.Is(err, io.EOF) == tt.refused {
			t.Errorf("%s, allowed %t: %v", tt.url, tt.allow, err)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestByDigestFromCache: a second scan by digest asks the registry for signatures alone.
func TestByDigestFromCache(t *testing.T) {
	srv := newServer(t)
	img := small(t)
	srv.push(t, "app:1", img)
	digest, err := img.Digest()
	must(t, err)
	ref := srv.host + "/app@" + digest.String()
	o := options(t, ref)
	collect(t, o).image(t, ref)
	srv.reset()
	o.NoSignatures = true
	collect(t, o).image(t, ref)
	if srv.requests("") != 0 {
		t.Errorf("the second scan asked for %v", srv.got)
	}
}

// TestByDigestThroughMirrors: signatures are looked for where the image is, also
// where its manifest is kept.
func TestByDigestThroughMirrors(t *testing.T) {
	without, with := newServer(t), newServer(t)
	img := small(t)
	with.push(t, "app:1", img)
	h, err := img.Digest()
	must(t, err)
	with.push(t, "app:"+cosignTag(h, ".sig"), artifact(t, types.OCIConfigJSON, typeSimpleSigning, payload(h.String()), map[string]string{annotationCosign: "AA=="}, nil))
	ref := "registry.invalid/app@" + h.String()
	o := options(t, ref)
	o.Registry = newClient(t, RegistryOptions{Mirrors: map[string][]string{"registry.invalid": {without.host, with.host}}})
	for range 2 {
		if sig, missing := signatureOf(t, o); !sig.Present || missing["signature"].Reason != "" {
			t.Errorf("%+v %+v", sig, missing["signature"])
		}
	}
}

// TestProxy: requests go through the proxy that the environment names. Go reads that
// once in a process, so the asking is done in another one.
func TestProxy(t *testing.T) {
	if ref := os.Getenv("POSTSCAN_TEST_PROXIED"); ref != "" {
		_, err := newClient(t, RegistryOptions{Insecure: []string{"registry.invalid"}}).Fetch(t.Context(), ref)
		must(t, err)
		return
	}
	srv := newServer(t)
	srv.push(t, "app:1", small(t))
	var proxied atomic.Int32
	srv.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodConnect {
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
		if r.Host == "registry.invalid" {
			proxied.Add(1)
		}
		return false
	})
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProxy$")
	child.Env = append(os.Environ(), "POSTSCAN_TEST_PROXIED=registry.invalid/app:1", "HTTP_PROXY="+srv.URL, "HTTPS_PROXY="+srv.URL, "NO_PROXY=")
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if proxied.Load() == 0 {
		t.Error("the proxy was not asked")
	}
}
