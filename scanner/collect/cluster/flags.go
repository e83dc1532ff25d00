package cluster

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	_ "k8s.io/client-go/plugin/pkg/client/auth/oidc" // the auth-provider "oidc", the last one that Kubernetes has
)

// Flags are kubectl's own flags for finding and entering a cluster.
type Flags struct {
	rules     *clientcmd.ClientConfigLoadingRules
	overrides clientcmd.ConfigOverrides
	all       bool
}

// BindFlags binds kubectl's flags to a set: --kubeconfig, --context, --cluster,
// --user, -n/--namespace, -A/--all-namespaces, --as, --as-group, --as-uid,
// --server, --token, --certificate-authority and their like. KUBECONFIG may
// name several files; without any the configuration inside a pod is used.
// kubectl's --cache-dir is left out: postscan has one of its own.
func BindFlags(set *pflag.FlagSet) *Flags {
	f := &Flags{rules: clientcmd.NewDefaultClientConfigLoadingRules()}
	set.StringVar(&f.rules.ExplicitPath, clientcmd.RecommendedConfigPathFlag, "", "path to the kubeconfig file (default: $KUBECONFIG, else ~/.kube/config, else the pod's own)")
	clientcmd.BindOverrideFlags(&f.overrides, set, clientcmd.RecommendedConfigOverrideFlags(""))
	set.BoolVarP(&f.all, "all-namespaces", "A", false, "look at all namespaces, which is the default without --namespace")
	return f
}

// Connection is how to reach a cluster.
type Connection struct {
	Config *rest.Config
	// Context is the name of the kubeconfig's context; "in-cluster" inside a pod.
	Context string
	// Namespace limits the scan; "" is all of them.
	Namespace string
}

// Connect reads the configuration. It talks to nobody.
func (f *Flags) Connect() (*Connection, error) {
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(f.rules, &f.overrides)
	config, err := loader.ClientConfig()
	if err != nil {
		switch files := f.rules.GetLoadingPrecedence(); {
		case !clientcmd.IsEmptyConfig(err):
		case f.rules.ExplicitPath != "" || os.Getenv(clientcmd.RecommendedConfigPathEnvVar) != "":
			return nil, fmt.Errorf("find a cluster: the kubeconfig %s names none, or is not there", strings.Join(files, ", "))
		default:
			return nil, errors.New("find a cluster: no kubeconfig was found and this is no pod; give --kubeconfig or set KUBECONFIG")
		}
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	if p := config.AuthProvider; p != nil && p.Name != "oidc" {
		return nil, fmt.Errorf("read the kubeconfig: its user logs in by the auth-provider %q, which Kubernetes has removed; name an exec plugin there instead%s", p.Name, execInstead(p.Name))
	}
	c := &Connection{Config: config, Context: f.overrides.CurrentContext}
	if raw, err := loader.RawConfig(); err == nil && c.Context == "" {
		c.Context = raw.CurrentContext
	}
	if c.Context == "" {
		c.Context = config.Host
		if _, inside := os.LookupEnv("KUBERNETES_SERVICE_HOST"); inside {
			c.Context = "in-cluster"
		}
	}
	if !f.all {
		c.Namespace = f.overrides.Context.Namespace
	}
	return c, nil
}

// execInstead names what took an auth-provider's place; "" for one that nobody
// knows.
func execInstead(provider string) string {
	switch provider {
	case "gcp":
		return " (gke-gcloud-auth-plugin; gcloud container clusters get-credentials writes it)"
	case "azure":
		return " (kubelogin; kubelogin convert-kubeconfig writes it)"
	default:
		return ""
	}
}
