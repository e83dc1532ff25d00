package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/collect/image"
	"github.com/postscan/postscan/scanner/collect/kube"
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
		o := image.Options{
			Source: image.SourceRegistry, Registry: registry,
			CacheDir: f.cacheDir, NoCache: f.noCache, Parallel: f.parallel, NoSignatures: f.noSignatures,
			Limits: image.Limits{Time: f.imageTimeout}, Inventory: inventory.Options{Secrets: !f.noSecrets},
			EndOfLife: vulndb.EndOfLife, Now: now, Log: a.log,
		}
		out := newImageSink(ctx, sink, pull, images)
		o.Progress = func(e image.Event) {
			out.told(e)
			bar.image(e)
		}
		for {
			references, platform := out.next()
			if len(references) == 0 {
				return out.close()
			}
			o.References, o.Platform = references, platform
			if err := a.scanRunning(ctx, out, o, data, f.noVulnerabilities); err != nil {
				return err
			}
		}
	}, nil
}

// scanRunning scans images on one platform.
func (a *app) scanRunning(ctx context.Context, sink scanner.Sink, o image.Options, data vulndb.Options, noVulnerabilities bool) error {
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
	one := func(name kube.PullSecret) image.Logins {
		logins, known := read[name]
		if known {
			return logins
		}
		raw, err := secret(ctx, name)
		if err == nil {
			logins, err = image.ParseLogins(raw)
		}
		if err != nil {
			p.problems[name] = fmt.Sprintf("the pull secret %s/%s could not be used: %s", name.Namespace, name.Name, err)
		}
		read[name] = logins
		return logins
	}
	for i := range images {
		for _, ref := range images[i].References {
			for _, name := range ref.PullSecrets {
				p.byRepository[ref.Repository] = append(p.byRepository[ref.Repository], one(name))
			}
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
