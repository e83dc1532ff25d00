package image

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/postscan/postscan/scanner/facts"
)

// TestEverySourceGivesTheSameFacts reads one image from each source.
func TestEverySourceGivesTheSameFacts(t *testing.T) {
	img := imageOf(t, v1.Config{
		User: "app", Env: []string{"PATH=/app:/bin", "MODE=x"}, Labels: map[string]string{"b": "1", "a": "2"},
		ExposedPorts: map[string]struct{}{"8080/tcp": {}, "53/udp": {}}, Volumes: map[string]struct{}{"/data": {}},
		WorkingDir: "/app", Cmd: []string{"serve"}, Healthcheck: &v1.HealthConfig{Test: []string{"CMD", "true"}},
	}, gzLayer(t, baseFiles()...), gzLayer(t, file{name: "app/serve", body: "#!/bin/sh\n", mode: 0o755}))
	srv := newServer(t)
	ref := srv.push(t, "team/app:1", img)
	dir := filepath.Join(t.TempDir(), "layout")
	lp, err := layout.Write(dir, empty.Index)
	must(t, err)
	must(t, lp.AppendImage(img, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": ref})))
	archive := filepath.Join(t.TempDir(), "app.tar")
	tag, err := name.NewTag(ref)
	must(t, err)
	must(t, tarball.WriteToFile(archive, tag, img))
	ociArchive := filepath.Join(t.TempDir(), "oci.tar")
	must(t, os.WriteFile(ociArchive, tarFolder(t, dir), 0o600))

	o := options(t, ref, dir, archive, ociArchive)
	s := collect(t, o)
	for ref, source := range map[string]string{ref: SourceRegistry, dir: SourceLayout, archive: SourceArchive, ociArchive: SourceLayout} {
		im, res := s.image(t, ref)
		if im.Source != source || im.Repository != "team/app" || im.Registry != srv.host {
			t.Errorf("%s: source %q, registry %q, repository %q", ref, im.Source, im.Registry, im.Repository)
		}
		if got, want := s.targets[ref].Identity, srv.host+"/team/app linux/amd64"; got != want {
			t.Errorf("%s: identity %q, want %q", ref, got, want)
		}
		if res.Key != "image" || res.Kind != facts.KindImage || res.Links == nil {
			t.Errorf("%s: resource %+v", ref, res)
		}
		if im.Distribution.Family != "debian" || len(im.Packages) != 1 || im.Packages[0].SourceName != "zlib" || im.Packages[0].Layer != 0 {
			t.Errorf("%s: distribution %+v, packages %+v", ref, im.Distribution, im.Packages)
		}
		if c := im.Config; c.UserUID != 1000 || !slices.Equal(c.Path, []string{"/app", "/bin"}) || !slices.Equal(c.EnvNames, []string{"PATH", "MODE"}) ||
			!slices.Equal(c.LabelNames, []string{"a", "b"}) || c.Healthcheck != "defined" || c.WorkingDir != "/app" ||
			!slices.Equal(c.ExposedPorts, []facts.ExposedPort{{Number: 53, Protocol: "udp"}, {Number: 8080, Protocol: "tcp"}}) || !slices.Equal(c.Volumes, []string{"/data"}) {
			t.Errorf("%s: config %+v", ref, c)
		}
		if im.Created != "2026-01-02T03:04:05Z" || im.OS != "linux" || im.Architecture != "amd64" {
			t.Errorf("%s: created %q, %s/%s", ref, im.Created, im.OS, im.Architecture)
		}
		if len(im.Layers) != 2 || im.Layers[1].Step != 1 || im.History[1].Layer != 1 || im.History[0].Instruction != "RUN" || im.History[0].Arguments != "make" {
			t.Errorf("%s: layers %+v, history %+v", ref, im.Layers, im.History)
		}
		if im.Layers[0].Digest == "" || im.Layers[0].DiffID == "" || im.Layers[0].Size == 0 {
			t.Errorf("%s: layer %+v", ref, im.Layers[0])
		}
		if len(im.PrivilegedFiles) != 1 || im.PrivilegedFiles[0].Path != "usr/bin/su" {
			t.Errorf("%s: privileged files %+v", ref, im.PrivilegedFiles)
		}
		if m := res.Missing["vulnerabilities"]; m.Status != facts.Unknown || m.Reason == "" {
			t.Errorf("%s: without a database vulnerabilities are %+v", ref, m)
		}
	}
	// A target comes before its resource.
	for _, ref := range o.References {
		if slices.Index(s.order, "target "+ref) > slices.Index(s.order, "resource "+ref) {
			t.Errorf("%s: the resource came first", ref)
		}
	}
}

// tarFolder packs a folder.
func tarFolder(t *testing.T, dir string) []byte {
	t.Helper()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	must(t, tw.AddFS(os.DirFS(dir)))
	must(t, tw.Close())
	return buf.Bytes()
}

// TestOneBadImageDoesNotStopTheOthers: the others have facts, the bad one says why.
func TestOneBadImageDoesNotStopTheOthers(t *testing.T) {
	srv := newServer(t)
	good := srv.push(t, "app:1", imageOf(t, v1.Config{}, gzLayer(t, baseFiles()...)))
	bad := srv.host + "/none:1"
	s := collect(t, options(t, bad, good, good))
	s.image(t, good)
	wantText(t, s.targets[bad].Error, "status 404")
	if len(s.targets) != 2 || len(s.order) != 3 {
		t.Errorf("sent %v", s.order)
	}
}

// TestCancelEndsPromptly: a cancelled context is the error, and nothing more is sent.
func TestCancelEndsPromptly(t *testing.T) {
	srv := newServer(t)
	ref := srv.push(t, "app:1", imageOf(t, v1.Config{}, gzLayer(t, baseFiles()...)))
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("Ctrl-C")
	o := options(t, ref)
	o.NoCache, o.TempDir = true, t.TempDir()
	o.Progress = func(e Event) {
		if e.Stage == Reading {
			cancel(stop)
		}
	}
	s := &sink{targets: map[string]facts.Target{}, resources: map[string]*facts.Resource{}}
	if err := New(o).Collect(ctx, s); !errors.Is(err, stop) {
		t.Fatalf("error is %v", err)
	}
	if len(s.resources) != 0 || len(s.targets) != 0 {
		t.Errorf("sent %v after the end", s.order)
	}
	left, err := os.ReadDir(o.TempDir)
	must(t, err)
	if len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestPlatforms: choosing, all of them, and what is said where none fits.
func TestPlatforms(t *testing.T) {
	srv := newServer(t)
	index := func(platforms ...string) v1.ImageIndex {
		var idx v1.ImageIndex = empty.Index
		for _, p := range platforms {
			pl, err := v1.ParsePlatform(p)
			must(t, err)
			img := imageOf(t, v1.Config{Labels: map[string]string{"p": p}}, gzLayer(t, file{name: "etc/p", body: p}))
			conf, err := img.ConfigFile()
			must(t, err)
			conf = conf.DeepCopy()
			conf.OS, conf.Architecture, conf.Variant = pl.OS, pl.Architecture, pl.Variant
			img, err = mutate.ConfigFile(img, conf)
			must(t, err)
			idx = mutate.AppendManifests(idx, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: pl}})
		}
		return idx
	}
	ref := srv.push(t, "multi:1", index("linux/amd64", "linux/arm64", "linux/arm/v6", "linux/arm/v7"))

	o := options(t, ref)
	o.Platform = "linux/arm64/v8"
	s := collect(t, o)
	if im, res := s.image(t, ref); im.Architecture != "arm64" || s.targets[ref].Identity != srv.host+"/multi linux/arm64" || len(res.Aliases) != 3 {
		t.Errorf("arm64: %q, identity %q, aliases %v", im.Architecture, s.targets[ref].Identity, res.Aliases)
	}
	o.Platform = "linux/arm/v7"
	if im, _ := collect(t, o).image(t, ref); im.Variant != "v7" {
		t.Errorf("arm/v7: variant %q", im.Variant)
	}
	o.Platform = "linux/s390x"
	wantText(t, failure(t, o), "linux/s390x is wanted", "linux/amd64, linux/arm/v6, linux/arm/v7, linux/arm64")

	o.Platform, o.AllPlatforms = "", true
	s = collect(t, o)
	if len(s.targets) != 4 || len(s.resources) != 4 {
		t.Fatalf("all platforms: %v", s.order)
	}
	identities := map[string]bool{}
	for _, target := range s.targets {
		identities[target.Identity] = true
	}
	if len(identities) != 4 {
		t.Errorf("identities %v are not one for each platform", identities)
	}

	// An index of one image is taken as it is, unless a platform is named.
	only := srv.push(t, "only:1", index("linux/s390x"))
	o = options(t, only)
	o.Platform = ""
	if im, _ := collect(t, o).image(t, only); im.Architecture != "s390x" {
		t.Errorf("only platform: %q", im.Architecture)
	}
	o.Platform = "linux/amd64"
	wantText(t, failure(t, o), "linux/amd64 is wanted", "linux/s390x")
}

// TestUsage: options that cannot be meant.
func TestUsage(t *testing.T) {
	for name, o := range map[string]Options{
		"no image":       {},
		"name for two":   {References: []string{"a", "b"}, Name: "x"},
		"two platforms":  {References: []string{"a"}, Platform: "linux/amd64", AllPlatforms: true},
		"bad platform":   {References: []string{"a"}, Platform: "amd64"},
		"bad source":     {References: []string{"a"}, Source: "ftp"},
		"key is no key":  {References: []string{"a"}, VerifyKey: []byte("x")},
		"empty key file": {References: []string{"a"}, VerifyKey: []byte{}},
	} {
		if err := o.Validate(); !errors.Is(err, ErrUsage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestIdentity: tags and digests never get into it, names do.
func TestIdentity(t *testing.T) {
	srv := newServer(t)
	ref := srv.push(t, "app:1", imageOf(t, v1.Config{}, gzLayer(t, baseFiles()...)))
	o := options(t, ref)
	o.Name = "shop"
	if got := collect(t, o).targets[ref].Identity; got != "shop" {
		t.Errorf("with a name: %q", got)
	}
	o = options(t, srv.host+"/gone:2")
	if got := collect(t, o).targets[srv.host+"/gone:2"].Identity; got != srv.host+"/gone linux/amd64" {
		t.Errorf("of a failed target: %q", got)
	}
	// An archive that names no image is called by its file, not by its place.
	path := filepath.Join(t.TempDir(), "my.tar")
	digest, err := name.NewDigest("ubuntu@sha256:" + strings.Repeat("a", 64))
	must(t, err)
	f, err := os.Create(path)
	must(t, err)
	must(t, tarball.Write(digest, imageOf(t, v1.Config{}, gzLayer(t, baseFiles()...)), f))
	must(t, f.Close())
	if got := collect(t, options(t, path)).targets[path].Identity; got != "my.tar linux/amd64" {
		t.Errorf("of an archive: %q", got)
	}
}
