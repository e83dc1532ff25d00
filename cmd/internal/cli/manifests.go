package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/collect/manifests"
	"github.com/postscan/postscan/scanner/facts"
)

// manifestFlags say how to read manifests.
type manifestFlags struct {
	name      string
	values    []string
	namespace string
	minor     minorValue
	pss       pssValue
	file      sizeValue
}

func (f *manifestFlags) define(cmd *cobra.Command) {
	addFlags(cmd, "Manifest", func(fs *pflag.FlagSet) {
		fs.StringSliceVarP(&f.values, "values", "f", nil, "render Helm charts with the values of this `FILE`; later files win")
		fs.StringVarP(&f.namespace, "namespace", "n", "", "the `NAMESPACE` of objects that name none (default default)")
		fs.Var(&f.minor, "kubernetes-version", "the `VERSION` of Kubernetes that the manifests are for, as 1.34; charts are rendered for it")
		fs.StringVar(&f.name, "name", "", "call the manifests by this `NAME` in fingerprints, not by their path in the repository")
	})
	addFlags(cmd, "Policy", f.pss.define)
	addFlags(cmd, "Limit", func(fs *pflag.FlagSet) {
		fs.Var(&f.file, "max-file-size", "most bytes of one file, a `SIZE` (default 32MiB)")
	})
}

func newManifests(a *app) *cobra.Command {
	var f manifestFlags
	var scan scanFlags
	cmd := &cobra.Command{
		Use:   "manifests PATH...",
		Short: "Judge Kubernetes manifests before they are deployed",
		Long: `manifests judges what would run in a cluster before it does. A PATH is a file of
YAML or JSON, a folder, a Helm chart (folder or .tgz), a Kustomize folder, or -
for standard input. All paths are judged together: a network policy in one
counts for a workload in another. Nothing is fetched: no remote bases, no
plugins.`,
		Example: `  postscan manifests deploy/ --fail-on high
  postscan manifests chart/ --values prod.yaml --framework pss-restricted
  kubectl kustomize overlays/prod | postscan manifests - -o sarif=out.sarif`,
		Args: arguments(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.scanManifests(cmd.Context(), &scan, &f, args)
		},
	}
	scan.define(cmd, true)
	f.define(cmd)
	scan.policy.defineNetwork(cmd)
	return cmd
}

// scanManifests judges the manifests below the given paths.
func (a *app) scanManifests(ctx context.Context, scan *scanFlags, f *manifestFlags, paths []string) error {
	for _, name := range f.values {
		if _, err := os.Stat(name); err != nil {
			return usage(fmt.Errorf("--values %s: %w", name, errorCause(err)))
		}
	}
	if err := f.pss.apply(&scan.policy); err != nil {
		return err
	}
	now := a.env.Now().UTC().Truncate(time.Second)
	return a.scan(ctx, scan, job{
		collected: now,
		kinds:     kubernetesKinds(),
		collector: func(context.Context) (scanner.Collector, func(), error) {
			return manifests.New(manifests.Options{
				Paths: paths, Stdin: a.env.Stdin, Name: f.name, Values: f.values, Namespace: f.namespace,
				Minor: int(f.minor), Detect: detectSecrets, MaxFile: int64(f.file), Now: now, Log: a.log,
			}), func() {}, nil
		},
	})
}

// kubernetesKinds are what manifests and clusters can yield.
func kubernetesKinds() []facts.Kind {
	others := []facts.Kind{facts.KindImage, facts.KindVM, facts.KindEngine, facts.KindContainer}
	return slices.DeleteFunc(facts.Kinds(), func(k facts.Kind) bool { return slices.Contains(others, k) })
}

// minorValue is a flag that holds a version of Kubernetes by its minor number;
// 0 is not set.
type minorValue int

func (v *minorValue) String() string {
	if v == nil || *v == 0 {
		return ""
	}
	return "1." + strconv.Itoa(int(*v))
}

var kubernetesVersion = regexp.MustCompile(`^v?1\.([0-9]{1,3})(?:\.[0-9]+)?(?:[+-].*)?$`)

// Set reads "1.34", "v1.34" and "v1.34.2".
func (v *minorValue) Set(s string) error {
	m := kubernetesVersion.FindStringSubmatch(s)
	if m == nil {
		return errors.New("use a version of Kubernetes, as 1.34")
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return err
	}
	*v = minorValue(n)
	return nil
}

func (v *minorValue) Type() string { return "version" }

// pssParam is the policies' parameter that --pss-version sets.
const pssParam = "pss_version"

// pssValue is a flag that holds a version of the Pod Security Standards; "" is
// that of each namespace.
type pssValue string

func (v *pssValue) define(fs *pflag.FlagSet) {
	fs.Var(v, "pss-version", "judge by this `VERSION` of the Pod Security Standards: v1.34, or latest (default: that of the namespace's enforce label, else latest)")
}

func (v *pssValue) String() string {
	if v == nil {
		return ""
	}
	return string(*v)
}

var pssVersion = regexp.MustCompile(`^(latest|v1\.(0|[1-9][0-9]{0,2}))$`)

// Set takes what the namespace's label takes.
func (v *pssValue) Set(s string) error {
	if !pssVersion.MatchString(s) {
		return errors.New("use a version as v1.34, or latest")
	}
	*v = pssValue(s)
	return nil
}

func (v *pssValue) Type() string { return "version" }

// apply hands the version to the policies.
func (v *pssValue) apply(p *policyFlags) error {
	if *v == "" {
		return nil
	}
	for _, given := range p.params {
		if strings.HasPrefix(given, pssParam+"=") {
			return usage(fmt.Errorf("--pss-version and --param %s set the same thing; leave one out", pssParam))
		}
	}
	p.params = append(p.params, pssParam+"="+string(*v))
	return nil
}
