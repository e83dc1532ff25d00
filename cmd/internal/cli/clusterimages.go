package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/collect/image"
	"github.com/postscan/postscan/scanner/collect/kube"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/inventory"
	"github.com/postscan/postscan/scanner/vulndb"
)

// clusterImageFlags say how the images that run in a cluster are scanned.
type clusterImageFlags struct {
	on                bool
	noSecrets         bool
	noVulnerabilities bool
	noSignatures      bool
	cacheDir          string
	noCache           bool
	parallel          int
	imageTimeout      time.Duration
	database          databaseFlags
}

func (f *clusterImageFlags) define(cmd *cobra.Command) {
	addFlags(cmd, "Image", func(fs *pflag.FlagSet) {
		fs.BoolVar(&f.on, "images", false, "scan every image that runs too; reads the pull secrets of its workloads by name")
		fs.BoolVar(&f.noSecrets, "no-secrets", false, "do not look for credentials in files of images, which takes the most time")
		fs.BoolVar(&f.noVulnerabilities, "no-vulnerabilities", false, "do not look for vulnerabilities, and need no database")
		fs.BoolVar(&f.noSignatures, "no-signatures", false, "do not ask registries for signatures and attestations")
		fs.DurationVar(&f.imageTimeout, "image-timeout", 0, "give one image up after this `TIME` (default 1h)")
		fs.IntVar(&f.parallel, "parallel", 0, "layers and images worked on at a time, a `NUMBER` (default: one for each processor)")
		fs.StringVar(&f.cacheDir, "cache-dir", "", "keep what layers of images hold in this `DIR` (default: in the user's cache)")
		fs.BoolVar(&f.noCache, "no-cache", false, "keep nothing of images after the scan")
		f.database.defineOffline(fs)
	})
	addFlags(cmd, "Database", f.database.defineScan)
}

// pullSecretReader reads the content of one pull Secret.
type pullSecretReader = func(context.Context, kube.PullSecret) ([]byte, error)

// clusterImages returns what scans the images that run in a cluster. Each is read
// once, with the pull secrets of the workloads that run it; one that cannot be
// read is unknown, and no failure of the scan.
func (a *app) clusterImages(f *clusterImageFlags, network *registryFlags, now time.Time, bar *progress) (func(context.Context, scanner.Sink, []kube.RunningImage, pullSecretReader) error, error) {
	data, err := a.databaseOptions(&f.database, network)
	if err != nil {
		return nil, err
	}
	data.Progress = bar.database
	return func(ctx context.Context, sink scanner.Sink, images []kube.RunningImage, secret pullSecretReader) error {
		vulndb.RouteLogs(a.log)
		pull := readPullSecrets(ctx, images, secret)
		registry, err := a.registryWith(network, pull.logins)
		if err != nil {
			return err
		}
		out := &imageSink{Sink: sink, ctx: ctx, pull: pull, images: map[string]*kube.RunningImage{}, sources: map[string]bool{}}
		byPlatform := map[string][]string{}
		for i := range images {
			im := &images[i]
			out.images[im.Digest] = im
			if im.Untold {
				if err := out.unread(facts.Target{Kind: "image", Ref: im.Digest, Identity: im.Repository}, "the runtime of its node tells no digest that a registry knows, so which content runs is not known"); err != nil {
					return err
				}
				continue
			}
			platform := ""
			if len(im.Platforms) > 0 {
				platform = im.Platforms[0]
			}
			byPlatform[platform] = append(byPlatform[platform], im.Digest)
		}
		for _, platform := range slices.Sorted(maps.Keys(byPlatform)) {
			o := image.Options{
				References: byPlatform[platform], Platform: platform, Source: image.SourceRegistry, Registry: registry,
				CacheDir: f.cacheDir, NoCache: f.noCache, Parallel: f.parallel, NoSignatures: f.noSignatures,
				Limits: image.Limits{Time: f.imageTimeout}, Inventory: inventory.Options{Secrets: !f.noSecrets},
				EndOfLife: vulndb.EndOfLife, Now: now, Log: a.log, Progress: bar.image,
			}
			if err := a.scanPlatform(ctx, out, o, data, f.noVulnerabilities); err != nil {
				return err
			}
		}
		return out.otherPlatforms(images)
	}, nil
}

// scanPlatform scans the images of one platform.
func (a *app) scanPlatform(ctx context.Context, sink scanner.Sink, o image.Options, data vulndb.Options, noVulnerabilities bool) error {
	c, closer, err := a.imageCollector(ctx, o, data, noVulnerabilities)
	if err != nil {
		return err
	}
	defer closer()
	return c.Collect(ctx, sink)
}

// pullSecrets are the logins of the workloads of a cluster.
type pullSecrets struct {
	byRepository map[string][]image.Logins
	problems     map[kube.PullSecret]string
}

// readPullSecrets reads each Secret once. One that cannot be read counts only where
// its image cannot be read either.
func readPullSecrets(ctx context.Context, images []kube.RunningImage, secret pullSecretReader) *pullSecrets {
	p := &pullSecrets{byRepository: map[string][]image.Logins{}, problems: map[kube.PullSecret]string{}}
	read := map[kube.PullSecret]image.Logins{}
	for i := range images {
		for _, name := range images[i].PullSecrets {
			logins, known := read[name]
			if !known {
				raw, err := secret(ctx, name)
				if err == nil {
					logins, err = image.ParseLogins(raw)
				}
				if err != nil {
					p.problems[name] = fmt.Sprintf("the pull secret %s/%s could not be used: %s", name.Namespace, name.Name, err)
				}
				read[name] = logins
			}
			p.byRepository[images[i].Repository] = append(p.byRepository[images[i].Repository], logins)
		}
	}
	return p
}

// logins are those for a repository.
func (p *pullSecrets) logins(repository string) []image.Login {
	var out []image.Login
	for _, l := range p.byRepository[repository] {
		for _, one := range l.For(repository) {
			if !slices.Contains(out, one) {
				out = append(out, one)
			}
		}
	}
	return out
}

// imageSink hands on what is seen of the images of a cluster. Where the image
// command would fail a target, the image is unknown here: nobody asked for it by
// name, and the workloads that run it are judged all the same.
type imageSink struct {
	scanner.Sink
	ctx     context.Context //nolint:containedctx // of the collection; Target has none
	pull    *pullSecrets
	images  map[string]*kube.RunningImage
	mu      sync.Mutex // guards sources
	sources map[string]bool
}

// Target implements [scanner.Sink].
func (s *imageSink) Target(t facts.Target) error {
	if t.Error == "" {
		return s.Sink.Target(t)
	}
	reason := "the image could not be read: " + t.Error
	if im := s.images[t.Ref]; im != nil {
		for _, name := range im.PullSecrets {
			if p := s.pull.problems[name]; p != "" {
				reason += "; " + p
			}
		}
	}
	t.Error = ""
	return s.unread(t, reason)
}

// Source implements [scanner.Sink]. Each platform is a collection of its own.
func (s *imageSink) Source(src facts.Source) error {
	s.mu.Lock()
	seen := s.sources[src.Name]
	s.sources[src.Name] = true
	s.mu.Unlock()
	if seen {
		return nil
	}
	return s.Sink.Source(src)
}

// unread sends an image of which nothing could be seen.
func (s *imageSink) unread(t facts.Target, reason string) error {
	if t.Properties == nil {
		t.Properties = map[string]string{}
	}
	if err := s.Sink.Target(t); err != nil {
		return err
	}
	return s.unknown(t.Ref, t.Ref, reason)
}

// otherPlatforms tells of the images that nodes of several platforms run. One
// digest then stands for another content on each, and that of the first alone
// was read.
func (s *imageSink) otherPlatforms(images []kube.RunningImage) error {
	for i := range images {
		im := &images[i]
		if im.Untold || len(im.Platforms) < 2 {
			continue
		}
		for _, p := range im.Platforms[1:] {
			reason := fmt.Sprintf("nodes of %s run it too, and only the content for %s was read; scan the other with postscan image --platform %s", p, im.Platforms[0], p)
			if err := s.unknown(im.Digest, im.Digest+" ("+p+")", reason); err != nil {
				return err
			}
		}
	}
	return nil
}

// unknown sends an image of a target of which nothing is known.
func (s *imageSink) unknown(target, id, reason string) error {
	r := &facts.Resource{Kind: facts.KindImage, ID: id, Key: "image", Target: target, Missing: map[string]facts.Missing{}, Facts: &facts.Image{}}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[facts.Image]()) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			r.Missing[name] = facts.Missing{Status: facts.Unknown, Reason: reason}
		}
	}
	return s.Sink.Resource(s.ctx, r)
}

// registryWith makes the client for registries that enters repositories with
// logins of the cluster before those of this machine.
func (a *app) registryWith(f *registryFlags, logins func(string) []image.Login) (*image.Registry, error) {
	o, err := a.registryOptions(f)
	if err != nil {
		return nil, err
	}
	o.Logins = logins
	r, err := image.NewRegistry(o)
	if errors.Is(err, image.ErrUsage) {
		return nil, usage(err)
	}
	return r, err
}
