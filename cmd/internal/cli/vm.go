package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/collect/vm"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/inventory"
	"github.com/postscan/postscan/scanner/vulndb"
)

// vmFlags say which machine to look at and what of it.
type vmFlags struct {
	root              string
	name              string
	packages          bool
	noVulnerabilities bool
	fileSystems       []string
	imds              bool
	imdsURL           string
	imdsTimeout       time.Duration
	offline           bool
	file              sizeValue
	registry          registryFlags
	database          databaseFlags
}

func (f *vmFlags) define(cmd *cobra.Command) {
	addFlags(cmd, "Machine", func(fs *pflag.FlagSet) {
		fs.StringVar(&f.root, "root", "", "look at the disk that is mounted or unpacked in this `DIR`, not at this machine")
		fs.StringVar(&f.name, "name", "", "call the machine by this `NAME` in fingerprints, not by its machine-id")
		fs.BoolVar(&f.packages, "packages", true, "look for packages, with one walk of the file system")
		fs.BoolVar(&f.noVulnerabilities, "no-vulnerabilities", false, "do not look for vulnerabilities, and need no database")
		fs.StringArrayVar(&f.fileSystems, "file-system", nil, "look for packages in the file system mounted at this `DIR` of the machine too, as /var")
		fs.BoolVar(&f.imds, "imds", false, "ask the cloud's metadata service; the only use of a network, and never for a credential")
		fs.StringVar(&f.imdsURL, "imds-url", "", "the metadata service is at this `URL` (default: the clouds' own address)")
		fs.DurationVar(&f.imdsTimeout, "imds-timeout", time.Second, "wait this `TIME` for one of its answers (default 1s)")
	})
	addFlags(cmd, "Database", func(fs *pflag.FlagSet) {
		fs.StringVar(&f.database.dir, "db-dir", "", "`DIR` of the databases (default: in the user's cache); fill it with postscan db update")
		f.database.defineUse(fs)
	})
	addFlags(cmd, "Network", func(fs *pflag.FlagSet) {
		f.registry.define(fs) // for policies from one
		fs.BoolVar(&f.offline, "offline", false, "connect to nothing: refuse --imds, and policies from a registry")
	})
	addFlags(cmd, "Limit", func(fs *pflag.FlagSet) {
		fs.Var(&f.file, "max-file-size", "most bytes of one file that is read, a `SIZE` (default 1GiB)")
	})
}

func newVM(a *app) *cobra.Command {
	var f vmFlags
	var scan scanFlags
	cmd := &cobra.Command{
		Use:   "vm",
		Short: "Inspect the virtual machine that this runs on, or a disk",
		Long: `vm inspects a machine from the inside: what it runs on, its kernel and how it
started, what the host shares with it, who can log in, and its packages. It only
reads. Run it as root; without, what needs root is unknown, and the report says
so. It uses no network: vulnerabilities come from the database on disk (postscan
db update), and the cloud's metadata service is asked with --imds only.`,
		Example: `  postscan vm
  postscan vm --fail-on high -o table -o json=vm.json
  postscan vm --root /mnt/disk --packages=false
  postscan vm --imds`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.scanVM(cmd.Context(), &scan, &f) },
	}
	scan.define(cmd, true)
	f.define(cmd)
	scan.policy.network, scan.policy.offline = &f.registry, &f.offline
	return cmd
}

// scanVM inspects this machine, or a disk.
func (a *app) scanVM(ctx context.Context, scan *scanFlags, f *vmFlags) error {
	vulndb.RouteLogs(a.log)
	now := a.env.Now().UTC().Truncate(time.Second)
	o := vm.Options{
		Root: f.root, Disk: f.root != "", Name: f.name, NoPackages: !f.packages, FileSystems: f.fileSystems,
		Inventory: inventory.Options{MaxFile: int64(f.file)}, EndOfLife: vulndb.EndOfLife, Now: now, Log: a.log,
	}
	switch {
	case f.imds && f.root != "":
		return usage(errors.New("--imds asks about the machine that this runs on, and --root is about another; leave one out"))
	case f.imds && f.offline:
		return usage(errors.New("--imds asks the metadata service, which --offline forbids; leave one out"))
	case len(f.fileSystems) > 0 && !f.packages:
		return usage(errors.New("--file-system says where to look for packages, and --packages=false looks for none; leave one out"))
	case f.imdsURL != "" && !f.imds:
		return usage(errors.New("--imds-url needs --imds"))
	case f.imdsTimeout <= 0:
		return usage(fmt.Errorf("--imds-timeout %s: give it some time", f.imdsTimeout))
	case f.imds:
		o.IMDS = &vm.IMDS{Timeout: f.imdsTimeout}
	}
	if f.imdsURL != "" {
		u, err := url.Parse(f.imdsURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
			return usage(errors.New("--imds-url: write it as http://HOST:PORT, without a user"))
		}
		o.IMDS.URL = u
	}
	f.database.offline = true // a scan of a machine uses no network
	data, err := a.databaseOptions(&f.database, &f.registry)
	if err != nil {
		return err
	}
	return a.scan(ctx, scan, job{
		collected: now,
		kinds:     []facts.Kind{facts.KindVM, facts.KindNode, facts.KindCluster},
		sure:      []facts.Kind{facts.KindVM}, // few machines are nodes
		collector: func(ctx context.Context) (scanner.Collector, func(), error) {
			bar := a.newProgress()
			o.Progress = bar.files
			c, closer, err := a.vmCollector(ctx, o, data, f.noVulnerabilities)
			return c, func() { bar.stop(); closer() }, err
		},
	})
}

// vmCollector opens the databases and returns the collector that uses them.
func (a *app) vmCollector(ctx context.Context, o vm.Options, data vulndb.Options, noVulnerabilities bool) (scanner.Collector, func(), error) {
	c := &withSources{}
	k, err := a.knowledge(ctx, data, noVulnerabilities || o.NoPackages, c)
	if err != nil {
		return nil, nil, err
	}
	o.Matcher, o.NoMatcher, o.Jars = k.matcher, k.unmatched, k.jars
	c.Collector = vm.New(o)
	return c, k.close, nil
}

// files tells how far the walk of a file system is.
func (p *progress) files(n int) {
	if p == nil {
		return
	}
	p.tell(fmt.Sprintf("reading the file system: %d files", n))
}
