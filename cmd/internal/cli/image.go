package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/collect/image"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/inventory"
	"github.com/postscan/postscan/scanner/vulndb"
)

// imageFlags say what to collect of images, and how.
type imageFlags struct {
	name, platform, source string
	allPlatforms           bool
	noSignatures           bool
	verifyKey              string
	malwareHashes          string
	parallel               countValue
	size, file             sizeValue
	spool                  sizeValue
	files, depth, ratio    countValue
	imageScanFlags
}

func (f *imageFlags) define(cmd *cobra.Command) {
	addFlags(cmd, "Image", func(fs *pflag.FlagSet) {
		fs.StringVar(&f.platform, "platform", "", "look at this `OS/ARCH` of the image (default linux on this machine's)")
		fs.BoolVar(&f.allPlatforms, "all-platforms", false, "look at every platform of the image")
		fs.StringVar(&f.source, "source", "", "take the image from this `SOURCE`: "+strings.Join(image.Sources(), ", ")+" (default: a file of that name, Docker or Podman where they have it, else the registry)")
		fs.StringVar(&f.name, "name", "", "call the image by this `NAME` in fingerprints, not by registry and repository")
		fs.StringVar(&f.verifyKey, "verify-key", "", "verify signatures with this public key (PEM `FILE`)")
		fs.StringVar(&f.malwareHashes, "malware-hashes", "", "look for files on this list: a `FILE` of lines \"SHA-256 NAME\"")
		fs.BoolVar(&f.noSignatures, "no-signatures", false, "do not ask the registry for signatures and attestations")
	})
	f.imageScanFlags.define(cmd)
	addFlags(cmd, "Limit", func(fs *pflag.FlagSet) {
		fs.Var(&f.size, "max-size", "most uncompressed bytes of all layers of an image, a `SIZE` (default 32GiB)")
		fs.Var(&f.file, "max-file-size", "most bytes of one file that is read, a `SIZE` (default 512MiB)")
		fs.Var(&f.files, "max-files", "most files of all layers of an image, a `NUMBER` (default 2000000)")
		fs.Var(&f.ratio, "max-ratio", "most uncompressed bytes for one compressed, above 256 MiB, a `NUMBER` (default 300)")
		fs.Var(&f.spool, "max-spool", "most bytes on disk for an image of Docker, Podman or a compressed archive, a `SIZE` (default 32GiB)")
		fs.Var(&f.depth, "max-archive-depth", "how deep archives in archives are read, a `NUMBER` (default 8)")
		fs.Var(&f.parallel, "parallel", "layers and images worked on at a time, a `NUMBER` (default: one for each processor)")
	})
}

func newImage(a *app) *cobra.Command {
	var f imageFlags
	var scan scanFlags
	cmd := &cobra.Command{
		Use:   "image REFERENCE...",
		Short: "Scan container images, from wherever they are",
		Long: `image scans container images. A REFERENCE is a name in a registry, with tag or
digest; or the path of an archive of docker save, of an OCI layout, or of a
CycloneDX or SPDX file. Of several images in one archive or layout, PATH:NAME
chooses one. One image that cannot be read does not stop the others.`,
		Example: `  postscan image nginx:latest
  postscan image registry.example:5000/app@sha256:… -o table -o json=app.json
  postscan image app.tar ./layout --severity high --fail-on critical
  postscan image nginx:latest --mirror docker.io=127.0.0.1:5000 --offline`,
		Args: arguments(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.scanImages(cmd.Context(), &scan, &f, args)
		},
	}
	scan.define(cmd, true)
	f.define(cmd)
	scan.policy.network, scan.policy.offline = &f.registry, &f.database.offline
	return cmd
}

// scanImages scans images from wherever the flags say.
func (a *app) scanImages(ctx context.Context, scan *scanFlags, f *imageFlags, refs []string) error {
	vulndb.RouteLogs(a.log)
	now := a.env.Now().UTC().Truncate(time.Second)
	o, err := a.imageOptions(f, refs, now)
	if err != nil {
		return err
	}
	if err := o.Validate(); err != nil {
		return usage(err)
	}
	data, err := a.databaseOptions(&f.database, &f.registry)
	if err != nil {
		return err
	}
	return a.scan(ctx, scan, job{
		collected: now,
		kinds:     []facts.Kind{facts.KindImage},
		collector: func(ctx context.Context) (scanner.Collector, func(), error) {
			bar := a.newProgress()
			o.Progress, data.Progress = bar.image, bar.database
			c, closer, err := a.imageCollector(ctx, o, data, f.noVulnerabilities)
			return c, func() { bar.stop(); closer() }, err
		},
	})
}

// imageOptions turns the flags into the collector's options.
func (a *app) imageOptions(f *imageFlags, refs []string, now time.Time) (image.Options, error) {
	o := image.Options{
		References: refs, Name: f.name, Platform: f.platform, AllPlatforms: f.allPlatforms, Source: f.source,
		CacheDir: f.cacheDir, NoCache: f.noCache, Parallel: int(f.parallel), NoSignatures: f.noSignatures,
		Limits:    image.Limits{Size: int64(f.size), Files: int(f.files), File: int64(f.file), ArchiveDepth: int(f.depth), Ratio: int(f.ratio), Time: f.imageTimeout, Spool: int64(f.spool)},
		Inventory: inventory.Options{Secrets: !f.noSecrets},
		EndOfLife: vulndb.EndOfLife, Now: now, Log: a.log,
	}
	if f.imageTimeout < 0 {
		return o, usage(fmt.Errorf("--image-timeout %s: use a time above 0, as 30m", f.imageTimeout))
	}
	var err error
	if o.Registry, err = a.registry(&f.registry); err != nil {
		return o, err
	}
	if f.verifyKey != "" {
		if o.VerifyKey, err = os.ReadFile(f.verifyKey); err != nil {
			return o, usage(fmt.Errorf("--verify-key %s: %w", f.verifyKey, errorCause(err)))
		}
	}
	if f.malwareHashes != "" {
		if o.Inventory.Malware, err = readHashes(f.malwareHashes); err != nil {
			return o, usage(fmt.Errorf("--malware-hashes %s: %w", f.malwareHashes, errorCause(err)))
		}
	}
	return o, nil
}

// imageCollector opens the databases and returns the collector that uses them.
func (a *app) imageCollector(ctx context.Context, o image.Options, data vulndb.Options, noVulnerabilities bool) (scanner.Collector, func(), error) {
	a.keepHeapSmall()
	c := &withSources{}
	k, err := a.knowledge(ctx, data, noVulnerabilities, c)
	if err != nil {
		return nil, nil, err
	}
	o.Matcher, o.NoMatcher, o.Jars = k.matcher, k.unmatched, k.jars
	c.Collector = image.New(o)
	return c, k.close, nil
}

// image tells the steps of an image scan.
func (p *progress) image(e image.Event) {
	if p == nil || e.Stage == image.Done || e.Stage == image.Failed {
		return
	}
	text := e.Ref + ": " + string(e.Stage)
	if e.Stage == image.Reading && e.Total > 0 {
		text = fmt.Sprintf("%s: reading %s, %s of %s", e.Ref, plural(e.Layers, "layer"), megabytes(e.Done), megabytes(e.Total))
	}
	p.tell(text)
}

// sizeValue is a flag that holds a number of bytes; 0 is not set.
type sizeValue int64

func (v *sizeValue) String() string {
	if v == nil || *v == 0 {
		return ""
	}
	return strconv.FormatInt(int64(*v), 10)
}

// Set reads "512MiB", "2GB", "1000".
func (v *sizeValue) Set(s string) error {
	number := strings.TrimRightFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	unit, ok := map[string]int64{
		"": 1, "B": 1, "K": 1 << 10, "KB": 1000, "KIB": 1 << 10, "M": 1 << 20, "MB": 1e6, "MIB": 1 << 20,
		"G": 1 << 30, "GB": 1e9, "GIB": 1 << 30, "T": 1 << 40, "TB": 1e12, "TIB": 1 << 40,
	}[strings.ToUpper(strings.TrimSpace(s[len(number):]))]
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || !ok || n <= 0 || n > (1<<62)/unit {
		return errors.New("use a number of bytes, as 512MiB or 2GB")
	}
	*v = sizeValue(n * unit)
	return nil
}

func (v *sizeValue) Type() string { return "size" }

// countValue is a flag that holds a number above 0; 0 is not set.
type countValue int

func (v *countValue) String() string {
	if v == nil || *v == 0 {
		return ""
	}
	return strconv.Itoa(int(*v))
}

// Set reads a number.
func (v *countValue) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n <= 0 {
		return errors.New("use a whole number above 0")
	}
	*v = countValue(n)
	return nil
}

func (v *countValue) Type() string { return "number" }
