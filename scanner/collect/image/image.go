// Package image collects facts about container images: from registries, from
// Docker and Podman, from archives and layouts on disk, and from SBOM files.
//
// For each reference the work has four phases: find the image (which source, which
// platform, which manifest), read its layers, merge what they hold, and ask the
// vulnerability database. A layer is streamed once, from the network through
// decompression into [inventory.LayerScan]; nothing is unpacked. Layers are read in
// parallel, each distinct one once in a run, and its result is kept on disk under
// its digest.
//
// Memory: a layer that is being read takes a few MiB (up to 128 MiB more where its
// builder used zstd in long mode), and what was found in the images that are being
// merged. It does not grow with their size.
//
// It never fails open. An image that cannot be read as its digests say has no facts:
// its target fails with the reason. What cannot be seen of an image that is sound
// (a layer that may not be distributed, an encrypted one) stands in the resource's
// Missing map.
package image

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/inventory"
)

// The sources that Options.Source may force. Empty chooses by what is there: a
// path that exists, then Docker or Podman where they have the image, then the registry.
const (
	SourceRegistry = "registry"
	SourceDocker   = "docker"
	SourcePodman   = "podman"
	SourceArchive  = "docker-archive" // an archive of docker save, or an OCI layout in one
	SourceLayout   = "oci-layout"     // a folder, or an archive of one
	SourceSBOM     = "sbom"
)

// Sources lists what Options.Source may be, for help texts.
func Sources() []string {
	return []string{SourceRegistry, SourceDocker, SourcePodman, SourceArchive, SourceLayout, SourceSBOM}
}

// Options say what to collect and how.
type Options struct {
	// References are image references or paths; of a path to several images one is
	// chosen as PATH:NAME.
	References []string
	// Name replaces the identity that is made of registry and repository. It needs
	// exactly one reference.
	Name string
	// Platform is "os/arch[/variant]"; empty is linux on this machine's architecture,
	// or the only platform that the image has.
	Platform string
	// AllPlatforms takes every platform of an index, each as a target of its own.
	AllPlatforms bool
	// Source forces one of the sources; see [Sources].
	Source string
	// EngineHost is the engine to ask where Source is docker or podman; empty
	// finds it by its usual sockets and the environment.
	EngineHost string
	// Held are references that stand for images in an engine's store of blobs.
	Held map[string]Held
	// Registry is the client for registries; required where one may be asked.
	Registry *Registry
	// Limits bound one image; zero fields have defaults.
	Limits Limits
	// CacheDir keeps results of layers; empty for the user's cache folder. CacheSize
	// bounds it in bytes, default 1 GiB. NoCache keeps nothing after the run.
	CacheDir  string
	CacheSize int64
	NoCache   bool
	// Parallel bounds the layers, and the images, that are worked on at a time;
	// default GOMAXPROCS.
	Parallel int
	// Inventory says what to look for in files. Its limits are set from Limits.
	Inventory inventory.Options
	// Matcher knows vulnerabilities. Without one, NoMatcher says why, and
	// vulnerabilities are unknown.
	Matcher   Matcher
	NoMatcher string
	// Jars identifies Java archives that do not name themselves; may be nil.
	Jars inventory.JarLookup
	// EndOfLife says whether support of a release has ended at a time; known is
	// false where it has no such release. Nil is not assessed.
	EndOfLife func(d facts.Distribution, now time.Time) (ended, known bool)
	// Now is the time of collection; required for EndOfLife.
	Now time.Time
	// VerifyKey is a public key (PEM) that signatures must verify with; nil where
	// none is configured.
	VerifyKey []byte
	// NoSignatures leaves out the requests for signatures and attestations.
	NoSignatures bool
	// TempDir takes images of engines and compressed archives; empty is the
	// system's directory for temporary files.
	TempDir string
	Log     *slog.Logger // default: none
	// Progress is told what happens, from several goroutines; may be nil. It must be quick.
	Progress func(Event)
}

// Matcher finds the known vulnerabilities of packages. It is safe for concurrent use.
type Matcher interface {
	// Match returns the vulnerabilities. An error that has a method
	// Missing() facts.Missing says that what was returned is right, but not all.
	Match(ctx context.Context, d facts.Distribution, packages []facts.Package) ([]facts.Vulnerability, error)
	// Missing names, by path, what no answer can hold.
	Missing() map[string]facts.Missing
}

// Event is a step of the work on one target.
type Event struct {
	Ref   string // the target
	Stage Stage
	// Done and Total count stored bytes of layers while Reading; Total is 0 where
	// nobody says it. Bytes that another image or the cache already read count as done.
	Done, Total int64
	Layers      int // number of layers, while Reading
	Err         error
}

// Stage names a step.
type Stage string

// The stages, in their order. Failed may follow any of them.
const (
	Finding  Stage = "finding"
	Pulling  Stage = "pulling" // an engine writes the image to disk
	Reading  Stage = "reading layers"
	Matching Stage = "matching"
	Done     Stage = "done"
	Failed   Stage = "failed"
)

// Collector collects images. It implements [scanner.Collector].
type Collector struct {
	opts Options
	log  *slog.Logger
}

// New returns a collector. Whether the options are sound is said by
// [Options.Validate], which Collect calls too.
func New(o Options) *Collector {
	o.Limits = o.Limits.withDefaults()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Parallel <= 0 {
		o.Parallel = runtime.GOMAXPROCS(0)
	}
	if o.Progress == nil {
		o.Progress = func(Event) {}
	}
	if o.NoMatcher == "" {
		o.NoMatcher = "no vulnerability database is configured"
	}
	o.Inventory.MaxFile, o.Inventory.MaxArchiveDepth = o.Limits.File, o.Limits.ArchiveDepth
	if o.Inventory.SpoolDir == "" {
		o.Inventory.SpoolDir = o.TempDir
	}
	if o.Inventory.Log == nil {
		o.Inventory.Log = o.Log
	}
	return &Collector{opts: o, log: o.Log}
}

// Validate says what is wrong with the options; its errors wrap [ErrUsage].
func (o Options) Validate() error {
	switch {
	case len(o.References) == 0:
		return fmt.Errorf("%w: name at least one image", ErrUsage)
	case o.Name != "" && len(o.References) > 1:
		return fmt.Errorf("%w: a name can be given to one image only", ErrUsage)
	case o.Platform != "" && o.AllPlatforms:
		return fmt.Errorf("%w: choose one platform or all of them, not both", ErrUsage)
	case o.Source != "" && !slices.Contains(Sources(), o.Source):
		return fmt.Errorf("%w: source %q: use one of %v", ErrUsage, o.Source, Sources())
	}
	if o.Platform != "" {
		if _, err := parsePlatform(o.Platform); err != nil {
			return err
		}
	}
	if o.VerifyKey != nil {
		if _, err := parseKey(o.VerifyKey); err != nil {
			return err
		}
	}
	return nil
}

// Collect implements [scanner.Collector]. Images are worked on in parallel; one that
// cannot be read does not stop the others.
func (c *Collector) Collect(ctx context.Context, sink scanner.Sink) error {
	o := c.opts
	if err := o.Validate(); err != nil {
		return err
	}
	store, done, err := c.openCache()
	if err != nil {
		return err
	}
	defer done()
	run := &run{
		Collector: c, sink: sink, cache: store,
		layers: newLayerReader(o.Inventory, o.Limits, store, o.Parallel, c.log),
	}
	if o.VerifyKey != nil {
		if run.key, err = parseKey(o.VerifyKey); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slots := make(chan struct{}, o.Parallel)
	var wg sync.WaitGroup
	seen := map[string]bool{}
	for _, ref := range o.References {
		if seen[ref] {
			continue
		}
		seen[ref] = true
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := run.reference(ctx, ref); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	run.layers.wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	store.prune(ctx)
	return nil
}

// openCache opens the cache folder, or makes one for this run alone.
func (c *Collector) openCache() (*cache, func(), error) {
	o := c.opts
	if o.NoCache {
		dir, err := os.MkdirTemp(o.TempDir, "postscan-cache-*")
		if err != nil {
			return nil, nil, fmt.Errorf("make a temporary folder: %w", err)
		}
		return openCache(dir, o.CacheSize, c.log), func() { _ = os.RemoveAll(dir) }, nil
	}
	dir := o.CacheDir
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			c.log.Warn("there is no cache folder; the scan goes on without", "reason", err)
			return nil, func() {}, nil
		}
		dir = filepath.Join(base, "postscan")
	}
	return openCache(filepath.Join(dir, "image"), o.CacheSize, c.log), func() {}, nil
}

// run is one call of Collect.
type run struct {
	*Collector
	sink   scanner.Sink
	cache  *cache
	layers *layerReader
	key    *verifyKey
}

// reference collects everything that one reference stands for. The error ends the
// whole collection.
func (r *run) reference(ctx context.Context, ref string) error {
	r.opts.Progress(Event{Ref: ref, Stage: Finding})
	var found *found
	err := r.within(ctx, func(ctx context.Context) (err error) {
		found, err = r.find(ctx, ref)
		return err
	})
	if err != nil {
		return r.failed(ctx, facts.Target{Kind: "image", Ref: ref, Identity: r.identity(ref, nil, nil)}, err)
	}
	defer found.close()
	if found.sbom != nil {
		return r.sbomImage(ctx, ref, found)
	}
	names := map[string]bool{}
	for _, p := range found.pics {
		target := facts.Target{
			Kind: "image", Ref: ref, Identity: r.identity(ref, found, p),
			Properties: found.properties(p),
		}
		id := found.id
		if len(found.pics) > 1 {
			suffix := fmt.Sprintf(" (%s)", p.platform)
			if names[suffix] { // an index may list two for one platform
				suffix = fmt.Sprintf(" (%s, %s)", p.platform, p.digest)
			}
			names[suffix] = true
			target.Ref, id = ref+suffix, id+suffix
		}
		if err := r.platform(ctx, target, id, found, p); err != nil {
			return err
		}
	}
	return nil
}

// platform collects one image on one platform.
func (r *run) platform(ctx context.Context, target facts.Target, id string, f *found, p *picture) error {
	var res *facts.Resource
	err := p.err
	if err == nil {
		err = r.within(ctx, func(ctx context.Context) (err error) {
			res, err = r.image(ctx, target.Ref, f, p)
			return err
		})
	}
	if err != nil {
		return r.failed(ctx, target, err)
	}
	res.ID, res.Target = id, target.Ref
	return r.send(ctx, target, res)
}

// within runs a part of the work under the time limit, and turns a fault in it into
// an error.
func (r *run) within(ctx context.Context, work func(context.Context) error) error {
	limited, cancel := context.WithTimeoutCause(ctx, r.opts.Limits.Time, timeError(r.opts.Limits.Time))
	defer cancel()
	err := guard(r.log, func() error { return work(limited) })
	if err != nil && limited.Err() != nil {
		return context.Cause(limited)
	}
	return err
}

// failed sends a target that yielded no facts. Where the whole collection was
// cancelled, that is the error.
func (r *run) failed(ctx context.Context, t facts.Target, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	t.Error = redact(err).Error()
	if t.Properties == nil {
		t.Properties = map[string]string{}
	}
	r.opts.Progress(Event{Ref: t.Ref, Stage: Failed, Err: err})
	r.log.Info("image has no facts", "ref", t.Ref, "reason", t.Error)
	return r.sink.Target(t)
}

// send sends a target and its resource.
func (r *run) send(ctx context.Context, t facts.Target, res *facts.Resource) error {
	res.Normalise()
	if err := r.sink.Target(t); err != nil {
		return err
	}
	if err := r.sink.Resource(ctx, res); err != nil {
		return err
	}
	r.opts.Progress(Event{Ref: t.Ref, Stage: Done})
	return nil
}
