package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/postscan/postscan/cmd/internal/demo"
	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/collect/image"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/inventory"
	"github.com/postscan/postscan/scanner/vulndb"
)

// demoReference is what the bundled image is called.
const demoReference = "shop.example/web:demo"

func newDemo(a *app) *cobra.Command {
	var f scanFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Scan a small bundled image, without any network",
		Long: `demo scans a small image that postscan brings along, with a small vulnerability
database that it brings along too. It needs no network and leaves nothing
behind. It takes the flags of every scan for reports, gates and policies.`,
		Example: `  postscan demo
  postscan demo --severity high -o table -o json=demo.json
  postscan demo --fail-on critical; echo $?`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := a.demo(cmd.Context(), &f)
			var verdict *verdictError
			if !a.quiet && (err == nil || errors.As(err, &verdict)) { // it was shown
				a.demoNext()
			}
			return err
		},
	}
	f.define(cmd, true)
	return cmd
}

// demo scans the bundled image in a temporary folder.
func (a *app) demo(ctx context.Context, f *scanFlags) error {
	vulndb.RouteLogs(a.log)
	dir, err := os.MkdirTemp("", "postscan-demo-*")
	if err != nil {
		return fmt.Errorf("make a temporary folder for the demonstration: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // what is left over is temporary
	paths, err := demo.Extract(dir)
	if err != nil {
		return err
	}
	now := a.env.Now().UTC().Truncate(time.Second)
	return a.scan(ctx, f, job{
		collected: now,
		kinds:     []facts.Kind{facts.KindImage},
		collector: func(ctx context.Context) (scanner.Collector, func(), error) {
			o := image.Options{
				References: []string{paths.Image}, Source: image.SourceLayout, Platform: "linux/amd64",
				NoCache: true, NoSignatures: true, TempDir: dir,
				Inventory: inventory.Options{Secrets: true},
				EndOfLife: vulndb.EndOfLife, Now: now, Log: a.log,
			}
			data := vulndb.Options{
				Dir: paths.Database, Offline: true, Bundled: true, KEV: paths.KEV, EPSS: paths.EPSS,
				Now: a.env.Now, Log: a.log,
			}
			c, closer, err := a.imageCollector(ctx, o, data, false)
			return bundled{Collector: c, dir: dir, image: paths.Image}, closer, err
		},
	})
}

// demoNext says what to try after the demonstration. It stands on stderr, so
// that a report on stdout stays whole.
func (a *app) demoNext() {
	_, _ = fmt.Fprint(a.env.Stderr, `
This was a bundled image and a bundled database. Try next:
  postscan checks explain PS-IMG-001         what a check looks at, and how to mend it
  postscan demo --fail-on high; echo $?      a gate for a pipeline
  postscan db update                         fetch the real vulnerability database
  postscan image nginx:latest                scan an image
`) // stderr is the last resort
}

// bundled names the image of the demonstration by its reference, and not by the
// temporary folder that it lies in, so that two runs give the same report.
type bundled struct {
	scanner.Collector
	dir, image string
}

// Collect implements [scanner.Collector].
func (b bundled) Collect(ctx context.Context, sink scanner.Sink) error {
	return b.Collector.Collect(ctx, bundledSink{sink, b})
}

type bundledSink struct {
	scanner.Sink
	bundled
}

func (s bundledSink) rename(text string) string {
	if text == s.image {
		return demoReference
	}
	return text
}

// Target implements [scanner.Sink].
func (s bundledSink) Target(t facts.Target) error {
	t.Ref = s.rename(t.Ref)
	delete(t.Properties, "path")
	return s.Sink.Target(t)
}

// Source implements [scanner.Sink].
func (s bundledSink) Source(src facts.Source) error {
	if rel, err := filepath.Rel(s.dir, src.Location); err == nil && filepath.IsLocal(rel) {
		src.Location = "bundled: " + filepath.Base(rel)
	}
	return s.Sink.Source(src)
}

// Resource implements [scanner.Sink].
func (s bundledSink) Resource(ctx context.Context, r *facts.Resource) error {
	r.ID, r.Target = s.rename(r.ID), s.rename(r.Target)
	r.Origin.File = s.rename(r.Origin.File)
	return s.Sink.Resource(ctx, r)
}
