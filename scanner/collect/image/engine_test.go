package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/postscan/postscan/scanner/facts"
)

// startPodman runs Podman's service on a socket of its own, with a store of its own,
// and loads an image under the name. It returns the socket's address.
func startPodman(t *testing.T, img v1.Image, ref string) string {
	t.Helper()
	bin, err := exec.LookPath("podman")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("podman is not installed, and CI must have it")
		}
		t.Skip("SKIPPED: podman is not installed; the engine's socket is not tested")
	}
	if os.Getuid() != 0 && os.Getenv("CI") != "true" {
		t.Skip("SKIPPED: Podman's own store in a temporary folder needs root")
	}
	// The path of a socket may have about 100 bytes.
	dir, err := os.MkdirTemp("", "ps-podman-")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	global := []string{
		"--root", filepath.Join(dir, "root"), "--runroot", filepath.Join(dir, "run"), "--tmpdir", filepath.Join(dir, "tmp"),
		"--cgroup-manager", "cgroupfs", "--events-backend", "file", "--storage-driver", "vfs",
	}
	archive := filepath.Join(dir, "image.tar")
	tag, err := name.NewTag(ref)
	must(t, err)
	must(t, tarball.WriteToFile(archive, tag, img))
	load := exec.CommandContext(t.Context(), bin, append(global, "load", "-i", archive)...)
	// An address in the environment would make podman a client of that.
	load.Env = slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "CONTAINER_HOST=") })
	if out, err := load.CombinedOutput(); err != nil {
		t.Fatalf("podman load: %v\n%s", err, out)
	}
	socket := "unix://" + filepath.Join(dir, "s")
	serve := exec.Command(bin, append(global, "system", "service", "--time=0", socket)...)
	serve.Env = load.Env
	must(t, serve.Start())
	t.Cleanup(func() {
		_ = serve.Process.Signal(os.Interrupt)
		done := make(chan struct{})
		go func() { _ = serve.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			_ = serve.Process.Kill()
			<-done
		}
	})
	for range 2400 {
		c, err := net.Dial("unix", strings.TrimPrefix(socket, "unix://"))
		if err == nil {
			_ = c.Close()
			return socket
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("podman does not listen after two minutes")
	return ""
}

// TestEngine reads an image from a real Podman: by its own socket and by what
// DOCKER_HOST says, chosen and forced.
func TestEngine(t *testing.T) {
	img := imageOf(t, v1.Config{User: "app", Healthcheck: &v1.HealthConfig{Test: []string{"CMD", "true"}}},
		gzLayer(t, baseFiles()...), gzLayer(t, file{name: "usr/bin/.wh.su"}))
	const ref = "registry.example/team/app:1"
	o := options(t, ref)
	socket := startPodman(t, img, ref)
	for what, tt := range map[string]struct {
		docker, podman string
		source, want   string
	}{
		"Podman, chosen":       {"", socket, "", SourcePodman},
		"Podman, forced":       {"", socket, SourcePodman, SourcePodman},
		"Docker's API, chosen": {socket, "", "", SourceDocker},
		"Docker's API, forced": {socket, "", SourceDocker, SourceDocker},
	} {
		t.Run(what, func(t *testing.T) {
			if tt.docker != "" {
				t.Setenv("DOCKER_HOST", tt.docker)
			}
			t.Setenv("CONTAINER_HOST", tt.podman)
			o := o
			o.Source, o.TempDir, o.NoCache = tt.source, t.TempDir(), true
			s := collect(t, o)
			im, res := s.image(t, ref)
			if im.Source != tt.want || im.Registry != "registry.example" || im.Repository != "team/app" || res.ID != ref {
				t.Errorf("source %q, registry %q, repository %q, id %q", im.Source, im.Registry, im.Repository, res.ID)
			}
			if got := s.targets[ref].Identity; got != "registry.example/team/app linux/amd64" {
				t.Errorf("identity %q", got)
			}
			if len(im.Packages) != 1 || len(im.PrivilegedFiles) != 0 || im.Config.UserUID != 1000 || len(im.Layers) != 2 {
				t.Errorf("packages %v, privileged files %v, config %+v", im.Packages, im.PrivilegedFiles, im.Config)
			}
			id, err := img.ConfigName()
			must(t, err)
			found := false
			for _, a := range res.Aliases {
				found = found || a.Type == "image-id" && a.Value == id.String()
			}
			if !found {
				t.Errorf("aliases %+v lack the id %s", res.Aliases, id)
			}
			if m := res.Missing["signature"]; m.Status != facts.NotAssessed {
				t.Errorf("signature: %+v", m)
			}
			left, err := os.ReadDir(o.TempDir)
			must(t, err)
			if len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
	t.Run("by a context of Docker's", func(t *testing.T) {
		o := options(t, ref)
		o.Source = SourceDocker
		t.Setenv("DOCKER_HOST", "")
		writeContext(t, "elsewhere", socket)
		must(t, os.WriteFile(filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), []byte(`{"currentContext":"elsewhere"}`), 0o600))
		if im, _ := collect(t, o).image(t, ref); im.Source != SourceDocker {
			t.Errorf("source %q", im.Source)
		}
	})
	t.Setenv("CONTAINER_HOST", socket)
	t.Run("not there", func(t *testing.T) {
		o := options(t, "registry.example/none:1")
		o.Source = SourcePodman
		t.Setenv("CONTAINER_HOST", socket)
		wantText(t, failure(t, o), "no such image", "podman")
	})
	t.Run("by id", func(t *testing.T) {
		id, err := img.ConfigName()
		must(t, err)
		o := options(t, id.Hex[:12])
		o.Source = SourcePodman
		t.Setenv("CONTAINER_HOST", socket)
		im, res := collect(t, o).image(t, o.References[0])
		if im.Registry != "registry.example" || im.Repository != "team/app" || res.ID != id.Hex[:12] {
			t.Errorf("registry %q, repository %q, id %q", im.Registry, im.Repository, res.ID)
		}
	})
	t.Run("registry serves what the engine lacks", func(t *testing.T) {
		srv := newServer(t)
		o := options(t, srv.push(t, "app:1", img))
		t.Setenv("CONTAINER_HOST", socket)
		if im, _ := collect(t, o).image(t, o.References[0]); im.Source != SourceRegistry {
			t.Errorf("source %q", im.Source)
		}
	})
	t.Run("another platform", func(t *testing.T) {
		o := options(t, ref)
		o.Source, o.Platform = SourcePodman, "linux/arm64"
		t.Setenv("CONTAINER_HOST", socket)
		wantText(t, failure(t, o), "linux/arm64 is wanted, the image is for linux/amd64")
	})
	t.Run("limit on disk", func(t *testing.T) {
		o := options(t, ref)
		o.Source, o.Limits.Spool = SourcePodman, 1000
		t.Setenv("CONTAINER_HOST", socket)
		wantText(t, failure(t, o), "limit passed", "1000 bytes on disk")
	})
	t.Run("full disk", func(t *testing.T) {
		o := options(t, ref)
		o.Source, o.TempDir = SourcePodman, filepath.Join(t.TempDir(), "none")
		t.Setenv("CONTAINER_HOST", socket)
		wantText(t, failure(t, o), "make a temporary file")
	})
	t.Run("cancel", func(t *testing.T) {
		o := options(t, ref)
		o.Source = SourcePodman
		t.Setenv("CONTAINER_HOST", socket)
		ctx, cancel := context.WithCancel(t.Context())
		o.Progress = func(e Event) {
			if e.Stage == Pulling {
				cancel()
			}
		}
		s := &sink{targets: map[string]facts.Target{}, resources: map[string]*facts.Resource{}}
		if err := New(o).Collect(ctx, s); !errors.Is(err, context.Canceled) || len(s.resources) != 0 {
			t.Errorf("%v, sent %v", err, s.order)
		}
	})
}

// writeContext makes a context as the docker command keeps it.
func writeContext(t *testing.T, context, host string) {
	t.Helper()
	sum := sha256.Sum256([]byte(context))
	dir := filepath.Join(os.Getenv("DOCKER_CONFIG"), "contexts", "meta", hex.EncodeToString(sum[:]))
	must(t, os.MkdirAll(dir, 0o700))
	meta := fmt.Sprintf(`{"Name":%q,"Metadata":{},"Endpoints":{"docker":{"Host":%q,"SkipTLSVerify":false}}}`, context, host)
	must(t, os.WriteFile(filepath.Join(dir, "meta.json"), []byte(meta), 0o600))
}

// TestNoEngine: a forced engine that is not there, and one that hangs up; as
// DOCKER_HOST and as a context say.
func TestNoEngine(t *testing.T) {
	o := options(t, "registry.example/app:1")
	o.Source = SourceDocker
	wantText(t, failure(t, o), "no container engine can be reached")
	t.Setenv("DOCKER_HOST", "")
	t.Setenv("DOCKER_CONTEXT", "gone")
	wantText(t, failure(t, o), "no container engine can be reached", `context "gone"`)
	dir, err := os.MkdirTemp("", "ps-")
	must(t, err)
	defer os.RemoveAll(dir)
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	must(t, err)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/get") {
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write(tarOf(t, file{name: "manifest.json", body: "[]"})[:600])
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"Id":"sha256:aa","RepoDigests":[]}`))
	}), ReadHeaderTimeout: time.Second, ErrorLog: noLog()}
	go func() { _ = srv.Serve(l) }()
	defer srv.Close()
	writeContext(t, "gone", "unix://"+filepath.Join(dir, "s"))
	wantText(t, failure(t, o), "save image")
	t.Setenv("DOCKER_CONTEXT", "")
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(dir, "s"))
	wantText(t, failure(t, o), "save image")
}
