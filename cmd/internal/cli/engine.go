package cli

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/collect/engine"
	"github.com/postscan/postscan/scanner/collect/image"
	"github.com/postscan/postscan/scanner/collect/kube"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/inventory"
	"github.com/postscan/postscan/scanner/vulndb"
)

// engineFlags say which engines to look at and what of them.
type engineFlags struct {
	hosts       []string
	name        string
	callTimeout time.Duration
	parallel    int

	images bool
	pull   bool
	imageScanFlags
}

func (f *engineFlags) define(cmd *cobra.Command) {
	addFlags(cmd, "Engine", func(fs *pflag.FlagSet) {
		fs.StringArrayVar(&f.hosts, "host", nil, "look at the engine at this `ADDRESS`: unix:///path, tcp://host:port, ssh://user@host (default: every engine of this machine)")
		fs.StringVar(&f.name, "name", "", "call the engine by this `NAME` in fingerprints, not by machine-id and engine")
	})
	addFlags(cmd, "Image", func(fs *pflag.FlagSet) {
		fs.BoolVar(&f.images, "images", false, "scan every image that the engines hold too")
		fs.BoolVar(&f.pull, "pull", false, "fetch an image from its registry where the engine does not give it; else it is unknown")
	})
	f.imageScanFlags.define(cmd)
	addFlags(cmd, "Limit", func(fs *pflag.FlagSet) {
		fs.DurationVar(&f.callTimeout, "call-timeout", 20*time.Second, "give one call to an engine up after this `TIME`")
		fs.IntVar(&f.parallel, "parallel", 8, "containers inspected at a time, a `NUMBER`")
	})
}

func newEngine(a *app) *cobra.Command {
	var f engineFlags
	var scan scanFlags
	cmd := &cobra.Command{
		Use:   "engine",
		Short: "Inspect Docker, Podman, containerd, CRI-O and Swarm",
		Long: `engine asks the container engines of this machine how they are set up and what
their containers may do, and reads their configuration and /proc for what they
do not tell. It only reads. Run it as root; without, what needs root is unknown,
and the report says so. Every engine is a target of its own.`,
		Example: `  postscan engine
  postscan engine --fail-on high -o table -o json=engines.json
  postscan engine --host unix:///run/user/1000/podman/podman.sock
  postscan engine --host ssh://root@worker-1
  postscan engine --images`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.scanEngines(cmd.Context(), &scan, &f) },
	}
	scan.define(cmd, true)
	f.define(cmd)
	scan.policy.network, scan.policy.offline = &f.registry, &f.database.offline
	return cmd
}

// scanEngines inspects the engines of this machine, or those that the flags name.
func (a *app) scanEngines(ctx context.Context, scan *scanFlags, f *engineFlags) error {
	vulndb.RouteLogs(a.log)
	now := a.env.Now().UTC().Truncate(time.Second)
	o := engine.Options{
		Hosts: f.hosts, Name: f.name, CallTimeout: f.callTimeout, Parallel: f.parallel, Getenv: a.env.Getenv, Log: a.log,
		Detect: func(where, name, value string) []engine.Detection {
			var out []engine.Detection
			for _, d := range detectSecrets(kube.DetectInput{Where: where, Name: name, Value: value}) {
				out = append(out, engine.Detection{Rule: d.Rule, Category: d.Category, Title: d.Title, Severity: d.Severity, Length: d.Length})
			}
			return out
		},
	}
	if err := f.validate(o); err != nil {
		return err
	}
	kinds := []facts.Kind{facts.KindEngine, facts.KindContainer}
	var registry *image.Registry
	if f.images {
		kinds = append(kinds, facts.KindImage)
		var err error
		if registry, err = a.registry(&f.registry); err != nil {
			return err
		}
	} else {
		f.database.offline = true // an engine alone is no reason to fetch a database
	}
	data, err := a.databaseOptions(&f.database, &f.registry)
	if err != nil {
		return err
	}
	return a.scan(ctx, scan, job{
		collected: now,
		kinds:     kinds,
		collector: func(ctx context.Context) (scanner.Collector, func(), error) {
			bar := a.newProgress()
			data.Progress = bar.database
			o.Progress = func(name string, done, all int) {
				bar.tell(fmt.Sprintf("%s: %d of %s", name, done, plural(all, "container")))
			}
			c, closer, err := a.engineCollector(ctx, o, f, data, registry, now, bar)
			return c, func() { bar.stop(); closer() }, err
		},
	})
}

// validate says what is wrong with the flags.
func (f *engineFlags) validate(o engine.Options) error {
	switch {
	case f.callTimeout <= 0:
		return usage(fmt.Errorf("--call-timeout %s: give it some time", f.callTimeout))
	case f.parallel < 1:
		return usage(fmt.Errorf("--parallel %d: inspect one container at least", f.parallel))
	case f.pull && !f.images:
		return usage(errors.New("--pull needs --images"))
	case f.pull && f.database.offline:
		return usage(errors.New("--pull asks registries, which --offline forbids; leave one out"))
	}
	if err := o.Validate(); err != nil {
		return usage(err)
	}
	return nil
}

// engineCollector opens the database and returns the collector that uses it.
func (a *app) engineCollector(ctx context.Context, o engine.Options, f *engineFlags, data vulndb.Options, registry *image.Registry, now time.Time, bar *progress) (scanner.Collector, func(), error) {
	c := &withSources{}
	k, err := a.knowledge(ctx, data, f.noVulnerabilities, c)
	if err != nil {
		return nil, nil, err
	}
	if o.NoMatch = k.unmatched; o.NoMatch == "" {
		o.Match = func(ctx context.Context, modules []facts.Package) ([]facts.Vulnerability, error) {
			return k.matcher.Match(ctx, facts.Distribution{}, modules)
		}
	}
	images := image.Options{
		Registry: registry, CacheDir: f.cacheDir, NoCache: f.noCache, NoSignatures: true, Limits: image.Limits{Time: f.imageTimeout},
		Inventory: inventory.Options{Secrets: !f.noSecrets}, EndOfLife: vulndb.EndOfLife, Now: now, Log: a.log, Progress: bar.image,
		Matcher: k.matcher, NoMatcher: k.unmatched, Jars: k.jars,
	}
	if f.images {
		o.Images = func(ctx context.Context, held []engine.HeldImage, sink scanner.Sink) error {
			return scanHeld(ctx, images, held, f.pull, sink)
		}
	}
	c.Collector = engine.New(o)
	return c, k.close, nil
}

// scanHeld scans the images of one engine, in one run, so that each layer is read once.
func scanHeld(ctx context.Context, o image.Options, held []engine.HeldImage, pull bool, sink scanner.Sink) error {
	o.Held = map[string]image.Held{}
	for _, h := range held {
		o.References = append(o.References, h.Ref)
		switch h.Engine {
		case image.SourceDocker, image.SourcePodman:
			o.Source, o.EngineHost = h.Engine, h.Host
		default:
			entry := image.Held{Target: h.Target}
			if h.Content != nil {
				entry.Content = h.Content
			}
			if pull {
				entry.Pull = h.Digest
			}
			o.Held[h.Ref] = entry
		}
	}
	unseen := func(r *facts.Resource) error { return sink.Resource(ctx, r) }
	return image.New(o).Collect(ctx, heldSink{Sink: sink, engine: held[0].Engine, unseen: unseen})
}

// heldSink says of an image that could not be read that it is unknown: the engine
// is what was asked for, and it was seen.
type heldSink struct {
	scanner.Sink
	engine string
	unseen func(*facts.Resource) error
}

// Target implements [scanner.Sink].
func (s heldSink) Target(t facts.Target) error {
	if t.Error == "" {
		return s.Sink.Target(t)
	}
	reason := "the image that " + s.engine + " holds could not be read: " + t.Error
	t.Error = ""
	if err := s.Sink.Target(t); err != nil {
		return err
	}
	missing := map[string]facts.Missing{}
	for field := range reflect.TypeFor[facts.Image]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		missing[name] = facts.Missing{Status: facts.Unknown, Reason: reason}
	}
	return s.unseen(&facts.Resource{Kind: facts.KindImage, ID: t.Ref, Key: "image", Target: t.Ref, Missing: missing, Facts: &facts.Image{}})
}
