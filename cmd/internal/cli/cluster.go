package cli

import (
	"context"
	"fmt"
	"path"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/collect/cluster"
	"github.com/postscan/postscan/scanner/facts"
)

// clusterFlags say which cluster to look at and what of it.
type clusterFlags struct {
	kubectl     *cluster.Flags
	name        string
	exclude     []string
	kinds       []string
	kubelet     bool
	noAnonymous bool
	pageSize    int64
	pss         pssValue
	images      clusterImageFlags
}

func (f *clusterFlags) define(cmd *cobra.Command) {
	addFlags(cmd, "Cluster", func(fs *pflag.FlagSet) {
		f.kubectl = cluster.BindFlags(fs)
		fs.StringSliceVar(&f.exclude, "exclude-namespace", nil, "leave these `NAMESPACES` out of the report; names or patterns, as team-*")
		fs.StringSliceVar(&f.kinds, "include-kind", nil, "report only these `KINDS`, as Deployment")
		fs.BoolVar(&f.kubelet, "kubelet-config", false, "read every kubelet's configuration through the API; needs the right nodes/proxy")
		fs.BoolVar(&f.noAnonymous, "no-anonymous", false, "send no request without credentials to see what the server shows to anybody")
		fs.StringVar(&f.name, "name", "", "call the cluster by this `NAME` in fingerprints, not by the UID of kube-system")
	})
	f.images.define(cmd)
	addFlags(cmd, "Policy", f.pss.define)
	addFlags(cmd, "Limit", func(fs *pflag.FlagSet) {
		fs.Int64Var(&f.pageSize, "page-size", 500, "objects asked for at once")
	})
}

func newCluster(a *app) *cobra.Command {
	var f clusterFlags
	var scan scanFlags
	cmd := &cobra.Command{
		Use:   "cluster",
		Short: "Audit a live Kubernetes cluster",
		Long: `cluster reads the objects of a cluster through its API, with kubectl's own flags
and kubeconfig, and judges them. It only reads. What the given rights do not
show is unknown for exactly the checks that depend on it, and the report says
why.`,
		Example: `  postscan cluster
  postscan cluster --context prod -n shop --fail-on critical
  postscan cluster --framework pss-baseline -o html=prod.html
  postscan cluster --images`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.scanCluster(cmd.Context(), &scan, &f) },
	}
	scan.define(cmd, true)
	f.define(cmd)
	scan.policy.defineNetwork(cmd)
	scan.policy.offline = &f.images.database.offline
	return cmd
}

// scanCluster audits the cluster of the kubeconfig.
func (a *app) scanCluster(ctx context.Context, scan *scanFlags, f *clusterFlags) error {
	if f.pageSize < 1 {
		return usage(fmt.Errorf("--page-size %d: ask for one object at least", f.pageSize))
	}
	for _, p := range f.exclude {
		if _, err := path.Match(p, ""); err != nil {
			return usage(fmt.Errorf("--exclude-namespace %s: a pattern is written as team-* or team-[ab]", p))
		}
	}
	if err := f.pss.apply(&scan.policy); err != nil {
		return err
	}
	conn, err := f.kubectl.Connect()
	if err != nil {
		return err
	}
	a.keepHeapWithin(clusterHeap)
	now := a.env.Now().UTC().Truncate(time.Second)
	progress := a.newProgress()
	defer progress.stop()
	kinds := kubernetesKinds()
	// The last tenth of --timeout is for judging what was read until then.
	options := cluster.Options{
		Name: f.name, ExcludeNamespaces: f.exclude, IncludeKinds: f.kinds, KubeletConfig: f.kubelet, NoAnonymous: f.noAnonymous,
		Timeout: scan.timeout / 10 * 9, PageSize: f.pageSize, Detect: detectSecrets, Now: now, Log: a.log,
		Progress: func(p cluster.Progress) { progress.tell(fmt.Sprintf("reading %s: %d", p.Kind, p.Objects)) },
	}
	if f.images.on {
		kinds = append(kinds, facts.KindImage)
		if options.Images, err = a.clusterImages(&f.images, scan.policy.network, now, progress); err != nil {
			return err
		}
	}
	return a.scan(ctx, scan, job{
		collected: now,
		kinds:     kinds,
		collector: func(context.Context) (scanner.Collector, func(), error) {
			return cluster.New(conn, options), progress.stop, nil
		},
	})
}
