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
	"sync"
	"testing"
	"time"

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

	// One that is broken does not take the others along.
	one, err := index("linux/arm64").IndexManifest()
	must(t, err)
	srv.interfere(answer("/manifests/"+one.Manifests[0].Digest.String(), 404, ""))
	o.NoCache, o.TempDir = true, t.TempDir()
	s = collect(t, o)
	if len(s.resources) != 3 || !strings.Contains(s.targets[ref+" (linux/arm64)"].Error, "status 404") {
		t.Errorf("one broken platform: %v, %q", s.order, s.targets[ref+" (linux/arm64)"].Error)
	}
	srv.interfere(nil)

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

// TestArchives: several images, names that lead to one of them, and what is said of
// files that are no images.
func TestArchives(t *testing.T) {
	one := imageOf(t, v1.Config{User: "1"}, gzLayer(t, file{name: "a", body: "1"}))
	two := imageOf(t, v1.Config{User: "2"}, gzLayer(t, file{name: "a", body: "2"}))
	dir := filepath.Join(t.TempDir(), "layout")
	lp, err := layout.Write(dir, empty.Index)
	must(t, err)
	must(t, lp.AppendImage(one, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": "one"})))
	must(t, lp.AppendImage(two, layout.WithAnnotations(map[string]string{"io.containerd.image.name": "docker.io/library/two:2", "org.opencontainers.image.ref.name": "2"})))
	docker := filepath.Join(t.TempDir(), "both.tar")
	must(t, tarball.MultiWriteToFile(docker, map[name.Tag]v1.Image{tagOf(t, "registry.example/one:1"): one, tagOf(t, "registry.example/two:2"): two}))
	twins := filepath.Join(t.TempDir(), "twins.tar")
	must(t, tarball.MultiWriteToFile(twins, map[name.Tag]v1.Image{tagOf(t, "registry.example/one:1"): one, tagOf(t, "registry.example/two:1"): two}))
	packed := filepath.Join(t.TempDir(), "both.tar.gz")
	raw, err := os.ReadFile(docker)
	must(t, err)
	must(t, os.WriteFile(packed, gz(t, raw), 0o600))

	for ref, want := range map[string]struct{ user, repository string }{
		dir + ":one":                       {"1", ""},
		dir + ":docker.io/library/two:2":   {"2", "library/two"},
		dir + ":2":                         {"2", "library/two"},
		docker + ":registry.example/one:1": {"1", "one"},
		docker + ":2":                      {"2", "two"},
		twins + ":registry.example/two:1":  {"2", "two"},
		packed + ":registry.example/two:2": {"2", "two"},
	} {
		o := options(t, ref)
		o.TempDir, o.NoCache = t.TempDir(), true
		im, _ := collect(t, o).image(t, ref)
		if im.Config.User != want.user || im.Repository != want.repository {
			t.Errorf("%s: user %q, repository %q", ref, im.Config.User, im.Repository)
		}
		left, err := os.ReadDir(o.TempDir)
		must(t, err)
		if len(left) != 0 {
			t.Errorf("%s: left behind %v", ref, left)
		}
	}
	for ref, says := range map[string]string{
		dir:                                  "several images; choose one of one, docker.io/library/two:2",
		docker:                               "several images; choose one of",
		twins + ":1":                         "several images; choose one of",
		dir + ":three":                       `not "three"`,
		docker + ":nine":                     `not "nine"`,
		"./not-there":                        "no file or folder",
		filepath.Join(t.TempDir(), "no.tar"): "no file or folder",
	} {
		if got := failure(t, options(t, ref)); !strings.Contains(got, says) {
			t.Errorf("%s: %q", ref, got)
		}
	}
	for what, tt := range map[string]struct {
		body []byte
		says string
	}{
		"text":             {[]byte("hello\n"), "no archive of docker save, no OCI layout and no SBOM"},
		"empty":            {nil, "not a container image"},
		"tar of something": {tarOf(t, baseFiles()...), "neither an index.json (OCI layout) nor a manifest.json"},
		"cut":              {raw[:len(raw)-2000], "truncated: the archive ends"},
		"cut gzip":         {gz(t, raw)[:500], "truncated"},
		"lacks a layer":    {tarOf(t, file{name: "manifest.json", body: `[{"Config":"c","Layers":["l"]}]`}, file{name: "c", body: `{"architecture":"amd64","rootfs":{"diff_ids":["sha256:` + strings.Repeat("a", 64) + `"]}}`}), `lacks the file "l"`},
		"lacks the config": {tarOf(t, file{name: "manifest.json", body: `[{"Config":"c","Layers":[]}]`}), `lacks the file "c"`},
		"no image in it":   {tarOf(t, file{name: "manifest.json", body: `[]`}), "lists no image"},
		"other counts":     {tarOf(t, file{name: "manifest.json", body: `[{"Config":"c","Layers":["l"]}]`}, file{name: "c", body: `{}`}, file{name: "l"}), "lists 1 layers, the configuration 0"},
		"layout of none":   {tarOf(t, file{name: "index.json", body: `{"schemaVersion":2,"manifests":[]}`}), "not a container image: index.json lists no image"},
	} {
		path := filepath.Join(t.TempDir(), "x.tar")
		must(t, os.WriteFile(path, tt.body, 0o600))
		got, ok := failure(t, options(t, path)), false
		for say := range strings.SplitSeq(tt.says, "|") {
			ok = ok || strings.Contains(got, say)
		}
		if !ok {
			t.Errorf("%s: %q", what, got)
		}
	}
	o := options(t, dir+":one")
	o.Source = SourceArchive
	wantText(t, failure(t, o), "is a folder")
	o = options(t, docker+":2")
	o.Source = SourceLayout
	wantText(t, failure(t, o), "it is no oci-layout but docker-archive")
}

func tagOf(t *testing.T, s string) name.Tag {
	t.Helper()
	tag, err := name.NewTag(s)
	must(t, err)
	return tag
}

// TestProgress: the stages come in their order, and the bytes add up, from the
// registry and from the cache.
func TestProgress(t *testing.T) {
	srv := newServer(t)
	ref := srv.push(t, "app:1", imageOf(t, v1.Config{}, gzLayer(t, baseFiles()...), gzLayer(t, file{name: "b", body: randomText(50_000)})))
	o := options(t, ref)
	for _, from := range []string{"registry", "cache"} {
		var mu sync.Mutex
		var stages []Stage
		var last Event
		o.Progress = func(e Event) {
			mu.Lock()
			defer mu.Unlock()
			if len(stages) == 0 || stages[len(stages)-1] != e.Stage {
				stages = append(stages, e.Stage)
			}
			if e.Stage == Reading && e.Done >= last.Done {
				last = e
			}
		}
		im, _ := collect(t, o).image(t, ref)
		if !slices.Equal(stages, []Stage{Finding, Reading, Matching, Done}) {
			t.Errorf("from the %s: stages %v", from, stages)
		}
		if want := im.Layers[0].Size + im.Layers[1].Size; last.Done != want || last.Total != want || last.Layers != 2 {
			t.Errorf("from the %s: %+v, want %d bytes", from, last, want)
		}
	}
}

// matcher is a database that knows one vulnerability of everything.
type matcher struct{ err error }

func (m matcher) Match(_ context.Context, _ facts.Distribution, p []facts.Package) ([]facts.Vulnerability, error) {
	var out []facts.Vulnerability
	for i := range p {
		out = append(out, facts.Vulnerability{ID: "CVE-1", Package: p[i].Name, Layer: p[i].Layer})
	}
	return out, m.err
}

func (m matcher) Missing() map[string]facts.Missing {
	return map[string]facts.Missing{"vulnerabilities[].kev": {Status: facts.NotAssessed, Reason: "no list"}}
}

type partial struct{}

func (partial) Error() string { return "old" }
func (partial) Missing() facts.Missing {
	return facts.Missing{Status: facts.Unknown, Reason: "old", Partial: true}
}

// TestVulnerabilities: what the database says, and what it cannot say.
func TestVulnerabilities(t *testing.T) {
	srv := newServer(t)
	ref := srv.push(t, "app:1", small(t))
	for what, tt := range map[string]struct {
		m       Matcher
		found   int
		missing facts.Missing
	}{
		"all well":    {matcher{}, 1, facts.Missing{}},
		"not all":     {matcher{partial{}}, 1, facts.Missing{Status: facts.Unknown, Reason: "old", Partial: true}},
		"broken":      {matcher{errors.New("bad page")}, 0, facts.Missing{Status: facts.Unknown, Reason: "matching against the vulnerability database broke off: bad page"}},
		"no database": {nil, 0, facts.Missing{Status: facts.Unknown, Reason: "there is none, run db update"}},
	} {
		o := options(t, ref)
		o.Matcher, o.NoMatcher = tt.m, "there is none, run db update"
		o.EndOfLife = func(d facts.Distribution, _ time.Time) (bool, bool) { return d.Version == "12", d.Family == "ubuntu" }
		im, res := collect(t, o).image(t, ref)
		if len(im.Vulnerabilities) != tt.found || res.Missing["vulnerabilities"] != tt.missing {
			t.Errorf("%s: %d found, missing %+v", what, len(im.Vulnerabilities), res.Missing["vulnerabilities"])
		}
		if _, ok := res.Missing["vulnerabilities[].kev"]; ok != (tt.found > 0) {
			t.Errorf("%s: kev missing %t", what, ok)
		}
		if m := res.Missing["distribution.end_of_life"]; m.Status != facts.Unknown {
			t.Errorf("%s: end of life %+v", what, m)
		}
	}
}

// TestFaultOfAParserStaysWithItsImage: a panic is that image's error.
func TestFaultOfAParserStaysWithItsImage(t *testing.T) {
	srv := newServer(t)
	bad, good := srv.push(t, "app:bad", small(t)), srv.push(t, "app:good", imageOf(t, v1.Config{}, gzLayer(t, file{name: "x", body: "1"})))
	o := options(t, bad, good)
	o.Matcher = panicker{}
	s := collect(t, o)
	s.image(t, good)
	wantText(t, s.targets[bad].Error, "a fault in postscan", "boom")
}

type panicker struct{ matcher }

func (panicker) Match(_ context.Context, _ facts.Distribution, p []facts.Package) ([]facts.Vulnerability, error) {
	if len(p) > 0 {
		panic("boom")
	}
	return nil, nil
}

// TestFolderCalledLikeAnImage: a checkout may have a folder with the name of an image.
func TestFolderCalledLikeAnImage(t *testing.T) {
	t.Chdir(t.TempDir())
	must(t, os.MkdirAll(filepath.Join("team", "app"), 0o700))
	srv := newServer(t)
	srv.push(t, "team/app:latest", small(t))
	o := options(t, "team/app", "./team/app")
	o.Registry = newClient(t, RegistryOptions{Mirrors: map[string][]string{"docker.io": {srv.host}}})
	s := collect(t, o)
	if im, _ := s.image(t, "team/app"); im.Source != SourceRegistry {
		t.Errorf("source %q", im.Source)
	}
	wantText(t, s.targets["./team/app"].Error, "neither an index.json")
}

// TestWindows: layers of Windows have other paths, users and separators.
func TestWindows(t *testing.T) {
	srv := newServer(t)
	img := imageOf(t, v1.Config{User: "ContainerUser", Env: []string{`Path=C:\\Windows;C:\\app`}}, gzLayer(t, file{name: "Files/app/x.exe", body: "MZ"}))
	file, err := img.ConfigFile()
	must(t, err)
	file = file.DeepCopy()
	file.OS, file.OSVersion = "windows", "10.0.20348.1"
	img, err = withConfig(img, file)
	must(t, err)
	ref := srv.push(t, "win:1", img)
	o := options(t, ref)
	o.Platform = ""
	s := collect(t, o)
	im, res := s.image(t, ref)
	if im.OS != "windows" || len(im.Config.Path) != 2 || im.Config.UserUID != -1 || res.Missing["config.user_uid"].Status != "" {
		t.Errorf("os %q, path %q, missing %+v", im.OS, im.Config.Path, res.Missing["config.user_uid"])
	}
	if got := s.targets[ref].Identity; got != srv.host+"/win windows/amd64" {
		t.Errorf("identity %q changes with every update of Windows", got)
	}
}

// refusing is a sink that takes nothing.
type refusing struct{ sink }

var errFull = errors.New("no room")

func (*refusing) Target(facts.Target) error { return errFull }

// TestSinkThatRefuses ends the collection with its error.
func TestSinkThatRefuses(t *testing.T) {
	srv := newServer(t)
	ref := srv.push(t, "app:1", small(t))
	for _, refs := range [][]string{{ref}, {srv.host + "/none:1"}} {
		if err := New(options(t, refs...)).Collect(t.Context(), &refusing{}); !errors.Is(err, errFull) {
			t.Errorf("%v: %v", refs, err)
		}
	}
}
