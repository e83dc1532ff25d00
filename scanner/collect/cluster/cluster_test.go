package cluster_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/spf13/pflag"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/collect/cluster"
	"github.com/postscan/postscan/scanner/collect/cluster/clustertest"
	"github.com/postscan/postscan/scanner/collect/kube"
	"github.com/postscan/postscan/scanner/facts"
)

// gathered is a sink that keeps everything.
type gathered struct {
	mu        sync.Mutex
	targets   []facts.Target
	resources map[string]*facts.Resource
}

func (g *gathered) Target(t facts.Target) error { g.targets = append(g.targets, t); return nil }
func (g *gathered) Source(facts.Source) error   { return nil }
func (g *gathered) Resource(_ context.Context, r *facts.Resource) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.resources[r.ID] = r
	return nil
}

func (g *gathered) kinds(k facts.Kind) []string {
	var out []string
	for id, r := range g.resources {
		if r.Kind == k {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

func collect(t *testing.T, config *rest.Config, namespace string, o cluster.Options) *gathered {
	t.Helper()
	g := &gathered{resources: map[string]*facts.Resource{}}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	if err := cluster.New(&cluster.Connection{Config: config, Context: "test", Namespace: namespace}, o).Collect(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	return g
}

// apply creates the objects of a YAML text.
func apply(t *testing.T, config *rest.Config, text string) {
	t.Helper()
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	for doc := range strings.SplitSeq(text, "\n---\n") {
		var u unstructured.Unstructured
		if err := yaml.Unmarshal([]byte(doc), &u.Object); err != nil {
			t.Fatalf("%v in\n%s", err, doc)
		}
		resource := strings.ToLower(u.GetKind()) + "s"
		switch {
		case strings.HasSuffix(u.GetKind(), "Policy"):
			resource = strings.TrimSuffix(resource, "ys") + "ies"
		case u.GetKind() == "Ingress":
			resource = "ingresses"
		}
		gvr := u.GroupVersionKind().GroupVersion().WithResource(resource)
		var in dynamic.ResourceInterface = client.Resource(gvr)
		if u.GetNamespace() != "" {
			in = client.Resource(gvr).Namespace(u.GetNamespace())
		}
		for try := 0; ; try++ { // the server makes parts of itself, and new kinds, ready a little later
			_, err := in.Create(t.Context(), &u, metav1.CreateOptions{})
			if err == nil {
				break
			}
			if try > 50 {
				t.Fatalf("create %s %s: %v", u.GetKind(), u.GetName(), err)
			}
			time.Sleep(200 * time.Millisecond)
		}
	}
}

const shop = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: baseline}}
---
apiVersion: v1
kind: Namespace
metadata: {name: ops}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: default, namespace: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: default, namespace: ops}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: nginx, ports: [{containerPort: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: root, namespace: ops, labels: {app: root}}
spec:
  hostPID: true
  containers:
  - {name: c, image: busybox, securityContext: {privileged: true}, volumeMounts: [{name: host, mountPath: /host}]}
  volumes: [{name: host, hostPath: {path: /}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: secrets, namespace: ops}
rules: [{verbs: [get, list], apiGroups: [''], resources: [secrets]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: secrets, namespace: ops}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: secrets}
subjects: [{kind: ServiceAccount, name: default, namespace: ops}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: conf, namespace: shop}
data: {password: hunter2hunter2}
---
apiVersion: v1
kind: Secret
metadata: {name: old, namespace: ops, annotations: {kubernetes.io/service-account.name: default}}
type: kubernetes.io/service-account-token
---
apiVersion: v1
kind: Secret
metadata: {name: bootstrap-token-abcdef, namespace: kube-system}
type: bootstrap.kubernetes.io/token
stringData: {token-id: abcdef, token-secret: 0123456789abcdef, usage-bootstrap-authentication: "true"}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: down}
webhooks:
- name: down.example.com
  clientConfig: {url: 'https://127.0.0.1:1/x'}
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Fail
  rules: [{operations: [UPDATE], apiGroups: [''], apiVersions: [v1], resources: [pods]}]
`

// TestRealCluster shares one server among its parts, which do not change it.
func TestRealCluster(t *testing.T) {
	s := clustertest.Start(t, []string{"nobody", "reader:readers", "lone"})
	apply(t, s.Config, shop)
	apply(t, s.Config, `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: pods-only}
rules: [{verbs: [get, list], apiGroups: ['', apps, batch], resources: [pods, namespaces, deployments, statefulsets, daemonsets, replicasets, jobs, cronjobs, replicationcontrollers, podtemplates]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: pods-only}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: pods-only}
subjects: [{kind: Group, name: readers, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: pods-only-namespace}
rules: [{verbs: [get], apiGroups: [''], resources: [namespaces]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: pods-only-namespace}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: pods-only-namespace}
subjects: [{kind: User, name: lone, apiGroup: rbac.authorization.k8s.io}]
`)
	t.Run("everything", func(t *testing.T) { testEverything(t, s) })
	t.Run("without rights", func(t *testing.T) { testWithoutRights(t, s) })
	t.Run("some rights", func(t *testing.T) { testSomeRights(t, s) })
	t.Run("namespaces and kinds", func(t *testing.T) { testSelection(t, s) })
	t.Run("not let in", func(t *testing.T) { testNotLetIn(t, s) })
	t.Run("kubectl's flags", func(t *testing.T) { testFlags(t, s) })
	t.Run("server errors are tried again", func(t *testing.T) { testServerErrors(t, s) })
	t.Run("a list that never answers", func(t *testing.T) { testHanging(t, s) })
	t.Run("custom kinds", func(t *testing.T) { testCustomKinds(t, s) })
	t.Run("running images", func(t *testing.T) { testRunningImages(t, s) })
	t.Run("manifests agree", func(t *testing.T) { testManifestsAgree(t, s) })
	t.Run("outcomes of manifests agree", func(t *testing.T) { testOutcomesAgree(t, s) })
	t.Run("server dies half-way", func(t *testing.T) { testServerDies(t, s) }) // last: it ends the server
}

func testEverything(t *testing.T, s *clustertest.Server) {
	g := collect(t, s.Config, "", cluster.Options{})
	target := g.targets[0]
	client, err := kubernetes.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	system, err := client.CoreV1().Namespaces().Get(t.Context(), "kube-system", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if target.Identity != "cluster:"+string(system.UID) || target.Error != "" || target.Properties["version"] != "v1.37.2" {
		t.Errorf("target %+v", target)
	}
	if want := []string{"ops/Pod/root", "shop/Deployment/web"}; !slices.Equal(g.kinds(facts.KindWorkload), want) {
		t.Errorf("workloads %v, want %v", g.kinds(facts.KindWorkload), want)
	}
	web := g.resources["shop/Deployment/web"].Facts.(*facts.Workload)
	if !web.Network.Ingress.Isolated || web.Network.Metadata != "blocked" || web.Namespace.PodSecurity.Enforce != "baseline" || len(web.Exposures) != 1 || web.Exposures[0].Reach != "outside" || web.Cluster.Minor != 37 {
		t.Errorf("web %+v", web)
	}
	root := g.resources["ops/Pod/root"].Facts.(*facts.Workload)
	if !root.Containers[0].Privileged || !root.HostPID || len(root.Volumes) != 1 || root.Volumes[0].HostPath != "/" || !root.Identity.Bound || root.Identity.Exists != "true" {
		t.Errorf("root %+v", root)
	}
	if len(root.Identity.Rights) == 0 || root.Identity.Rights[0].Resource != "secrets" {
		t.Errorf("rights %+v", root.Identity.Rights)
	}
	for id, r := range g.resources {
		for path, m := range r.Missing {
			if m.Status == facts.Unknown && !strings.HasPrefix(path, "nodes") {
				t.Errorf("%s of %s is unknown: %s", path, id, m.Reason)
			}
		}
	}
	for _, id := range g.kinds(facts.KindRole) { // what a real server installs is known by name and content
		f := g.resources[id].Facts.(*facts.Role)
		own := strings.Contains(id, "secrets") || strings.Contains(id, "pods-only")
		if f.Bootstrap == own {
			t.Errorf("%s: bootstrap is %v", id, f.Bootstrap)
		}
	}
	for _, id := range g.kinds(facts.KindBinding) {
		f := g.resources[id].Facts.(*facts.Binding)
		own := strings.Contains(id, "secrets") || strings.Contains(id, "pods-only")
		if f.Bootstrap == own {
			t.Errorf("%s: bootstrap is %v", id, f.Bootstrap)
		}
	}
	c := g.resources["cluster"].Facts.(*facts.Cluster)
	if c.Distribution != "kubernetes" || c.Anonymous.Enabled != "true" || c.Endpoint.Public != "false" || c.SupportEnds == "" || len(c.BootstrapTokens) != 1 || c.BootstrapTokens[0].Expires || len(c.TokenSecrets) != 1 {
		t.Errorf("cluster %+v", c)
	}
	if g.resources["cluster"].Missing["api_servers"].Status != facts.NotAssessed {
		t.Error("no static pod shows the API server's flags: that is not assessed")
	}
	hook := g.resources["ValidatingWebhookConfiguration/down/down.example.com"].Facts.(*facts.AdmissionPolicy)
	if !hook.Blocks || !hook.Pods {
		t.Errorf("webhook %+v", hook)
	}
	if id := g.resources["ops/ServiceAccount/default"].Facts.(*facts.Identity); id.TokenSecrets != 1 || id.Used != "true" || !id.Default {
		t.Errorf("identity %+v", id)
	}
	for id := range g.resources {
		if strings.Contains(fmt.Sprintf("%+v", g.resources[id].Facts), "0123456789abcdef") || strings.Contains(fmt.Sprintf("%+v", g.resources[id].Facts), "hunter2") {
			t.Errorf("%s holds a secret", id)
		}
	}
}

func testWithoutRights(t *testing.T, s *clustertest.Server) {
	g := collect(t, s.As("nobody"), "", cluster.Options{})
	r := g.resources["cluster"]
	if r == nil || g.targets[0].Error != "" {
		t.Fatalf("resources %v, target %+v", g.kinds(facts.KindWorkload), g.targets)
	}
	// Every kind that could not be listed has one resource that says so, and of which nothing is known.
	for _, kind := range []facts.Kind{
		facts.KindWorkload, facts.KindNamespace, facts.KindNetworkPolicy, facts.KindService, facts.KindIngress, facts.KindConfigMap,
		facts.KindIdentity, facts.KindRole, facts.KindBinding, facts.KindAdmissionPolicy, facts.KindNode,
	} {
		ids := g.kinds(kind)
		if len(ids) != 1 || !strings.HasSuffix(ids[0], "that were not seen)") {
			t.Errorf("%s: resources %v, want one that stands for those that were not seen", kind, ids)
			continue
		}
		if _, known := g.resources[ids[0]].MissingAt("anything"); known || len(g.resources[ids[0]].Missing) == 0 {
			t.Errorf("%s: missing %v", kind, g.resources[ids[0]].Missing)
		}
	}
	c := r.Facts.(*facts.Cluster)
	if c.Minor != 37 {
		t.Error("the version needs no right")
	}
	for _, p := range []string{"node_count", "token_secrets", "verifiers", "network.policies", "mappings", "certificates"} {
		if m := r.Missing[p]; m.Status != facts.Unknown || !strings.Contains(m.Reason, "grant") {
			t.Errorf("%s: %+v", p, m)
		}
	}
}

func testSomeRights(t *testing.T, s *clustertest.Server) {
	g := collect(t, s.As("reader"), "", cluster.Options{})
	r := g.resources["shop/Deployment/web"]
	if r == nil {
		t.Fatalf("workloads %v", g.kinds(facts.KindWorkload))
	}
	for _, p := range []string{"network", "exposures", "identity.grants", "identity.rights", "nodes"} {
		if r.Missing[p].Status != facts.Unknown {
			t.Errorf("%s is not unknown: %+v", p, r.Missing[p])
		}
	}
	for _, p := range []string{"namespace.pod_security", "running", "containers", "volumes"} {
		if m, ok := r.Missing[p]; ok {
			t.Errorf("%s was seen, and is missing: %+v", p, m)
		}
	}
}

func testSelection(t *testing.T, s *clustertest.Server) {
	g := collect(t, s.Config, "shop", cluster.Options{})
	if got := g.kinds(facts.KindWorkload); !slices.Equal(got, []string{"shop/Deployment/web"}) {
		t.Errorf("-n shop: %v", got)
	}
	g = collect(t, s.Config, "", cluster.Options{ExcludeNamespaces: []string{"sh*"}, IncludeKinds: []string{"deployment", "Pod"}})
	if got := g.kinds(facts.KindWorkload); !slices.Equal(got, []string{"ops/Pod/root"}) || len(g.resources) != 1 {
		t.Errorf("--exclude-namespace: %v of %d", got, len(g.resources))
	}
	g = collect(t, s.Config, "", cluster.Options{IncludeKinds: []string{"deploy", "ciliumclusterwidenetworkpolicies"}, NoAnonymous: true}) // as kubectl takes them
	if got := g.kinds(facts.KindWorkload); !slices.Equal(got, []string{"shop/Deployment/web"}) || len(g.resources) != 1 {
		t.Errorf("--include-kind deploy: %v of %d", got, len(g.resources))
	}
	// A report on nothing would look like a good one.
	for _, user := range []string{"", "nobody", "lone"} {
		config := s.Config
		if user != "" {
			config = s.As(user)
		}
		g := collect(t, config, "nope", cluster.Options{NoAnonymous: true})
		if unseen := user == "nobody"; unseen != (g.targets[0].Error == "") {
			t.Errorf("as %q: a namespace that is not there: target %+v", user, g.targets[0])
		}
	}
	if g := collect(t, s.Config, "", cluster.Options{IncludeKinds: []string{"Deploymint"}}); len(g.resources) != 0 || !strings.Contains(g.targets[0].Error, `"Deploymint"`) {
		t.Errorf("a kind that nobody knows: target %+v", g.targets[0])
	}
}

// Where the server does not let the caller in, there is nothing to report on.
func testNotLetIn(t *testing.T, s *clustertest.Server) {
	wrong := rest.CopyConfig(s.Config)
	wrong.BearerToken = "wrong"
	as := s.As("nobody")
	as.Impersonate.UserName = "admin"
	for want, config := range map[string]*rest.Config{"does not accept the credentials": wrong, `as "admin": the credentials may not act as others`: as} {
		if g := collect(t, config, "", cluster.Options{}); len(g.resources) != 0 || !strings.Contains(g.targets[0].Error, want) {
			t.Errorf("want %q, the target is %+v", want, g.targets[0])
		}
	}
}

// connection reads kubectl's flags.
func connection(t *testing.T, args ...string) *cluster.Connection {
	t.Helper()
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	f := cluster.BindFlags(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	c, err := f.Connect()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func testFlags(t *testing.T, s *clustertest.Server) {
	second := filepath.Join(t.TempDir(), "second")
	if err := os.WriteFile(second, []byte("apiVersion: v1\nkind: Config\ncontexts: [{name: other, context: {cluster: test, user: nobody, namespace: ops}}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", s.Kubeconfig+string(os.PathListSeparator)+second)
	connect := func(args ...string) *cluster.Connection { return connection(t, args...) }
	if c := connect(); c.Context != "test" || c.Namespace != "" || c.Config.Host != s.Config.Host {
		t.Errorf("plain: %+v", c)
	}
	c := connect("--context", "other", "-n", "shop", "--as", "reader", "--as-group", "readers")
	if c.Context != "other" || c.Namespace != "shop" || c.Config.Impersonate.UserName != "reader" || c.Config.Impersonate.Groups[0] != "readers" {
		t.Errorf("flags: %+v %+v", c, c.Config.Impersonate)
	}
	if c := connect("-n", "shop", "-A"); c.Namespace != "" {
		t.Errorf("-A: %+v", c)
	}
	g := collect(t, connect("--as", "reader", "--as-group", "readers").Config, "", cluster.Options{})
	if len(g.kinds(facts.KindWorkload)) != 2 || !slices.Equal(g.kinds(facts.KindIdentity), []string{"(identities that were not seen)"}) {
		t.Errorf("as reader: %d workloads, %d identities", len(g.kinds(facts.KindWorkload)), len(g.kinds(facts.KindIdentity)))
	}
}

// through puts a reverse proxy before the real server. meddle answers a request
// itself by returning true.
func through(t *testing.T, s *clustertest.Server, meddle func(http.ResponseWriter, *http.Request) bool) *rest.Config {
	t.Helper()
	to, err := url.Parse(s.Config.Host)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := rest.TransportFor(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.Transport = transport
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !meddle(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(front.Close)
	return &rest.Config{Host: front.URL}
}

func testServerErrors(t *testing.T, s *clustertest.Server) {
	var pods, services atomic.Int32
	config := through(t, s, func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case r.URL.Path == "/api/v1/pods" && pods.Add(1) <= 2:
			w.WriteHeader(http.StatusInternalServerError)
			return true
		case r.URL.Path == "/api/v1/services":
			services.Add(1)
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		case r.URL.Path == "/apis/apps/v1/daemonsets" && r.Header.Get("Seen") == "":
			return false
		}
		return false
	})
	g := collect(t, config, "", cluster.Options{NoAnonymous: true})
	if g.resources["ops/Pod/root"] == nil || pods.Load() < 3 {
		t.Errorf("pods were asked for %d times", pods.Load())
	}
	m := g.resources["shop/Deployment/web"].Missing["exposures"]
	if m.Status != facts.Unknown || services.Load() < 2 || !strings.Contains(m.Reason, "services") {
		t.Errorf("services were asked for %d times, exposures: %+v", services.Load(), m)
	}
}

func testHanging(t *testing.T, s *clustertest.Server) {
	config := through(t, s, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/apis/apps/v1/deployments" {
			<-r.Context().Done()
			return true
		}
		return false
	})
	g := collect(t, config, "", cluster.Options{NoAnonymous: true, Timeout: 5 * time.Second})
	r := g.resources["Namespace/ops"]
	if r == nil {
		t.Fatal("what was listed before the time-out is not reported")
	}
	if m := r.Missing["workloads"]; m.Status != facts.Unknown || !strings.Contains(m.Reason, "time-out") {
		t.Errorf("workloads: %+v", m)
	}
}

func testCustomKinds(t *testing.T, s *clustertest.Server) {
	crd := func(group, version, kind, plural, scope string) string {
		return fmt.Sprintf("apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: %s.%s, annotations: {api-approved.kubernetes.io: unapproved}}\nspec:\n  group: %s\n  scope: %s\n  names: {kind: %s, plural: %s, singular: %s}\n  versions: [{name: %s, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]\n",
			plural, group, group, scope, kind, plural, strings.ToLower(kind), version)
	}
	apply(t, s.Config, strings.Join([]string{
		crd("kyverno.io", "v1", "ClusterPolicy", "clusterpolicies", "Cluster"),
		crd("cilium.io", "v2", "CiliumNetworkPolicy", "ciliumnetworkpolicies", "Namespaced"),
		crd("gateway.networking.k8s.io", "v1", "Gateway", "gateways", "Namespaced"),
		crd("projectcalico.org", "v3", "GlobalNetworkPolicy", "globalnetworkpolicies", "Cluster"),
		crd("policies.kyverno.io", "v1beta1", "NamespacedValidatingPolicy", "namespacedvalidatingpolicies", "Namespaced"),
	}, "---\n"))
	apply(t, s.Config, `
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: signed}
spec:
  validationFailureAction: Enforce
  rules: [{name: a, match: {any: [{resources: {kinds: [Pod]}}]}, verifyImages: [{imageReferences: ['*']}]}]
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: everywhere}
spec: {selector: "app == 'nobody'", types: [Egress]}
---
apiVersion: policies.kyverno.io/v1beta1
kind: NamespacedValidatingPolicy
metadata: {name: strict, namespace: ops}
spec: {validationActions: [Deny], matchConstraints: {resourceRules: [{resources: [pods]}]}, validations: [{expression: 'true'}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: ops}
spec: {gatewayClassName: x, listeners: [{name: http, port: 80, protocol: HTTP}]}
`)
	client, err := dynamic.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	policy := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": map[string]any{"name": "closed", "namespace": "ops"},
		"spec": map[string]any{"endpointSelector": map[string]any{"matchLabels": map[string]any{"k8s:app": "root"}}, "egress": []any{map[string]any{"toCIDR": []any{"10.0.0.0/8"}}}},
	}}
	gvr := schema.GroupVersionResource{Group: "cilium.io", Version: "v2", Resource: "ciliumnetworkpolicies"}
	if _, err := client.Resource(gvr).Namespace("ops").Create(t.Context(), policy, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	g := collect(t, s.Config, "", cluster.Options{NoAnonymous: true})
	if f := g.resources["ClusterPolicy/signed"].Facts.(*facts.AdmissionPolicy); !f.Blocks || f.Engine != "kyverno" {
		t.Errorf("kyverno: %+v", f)
	}
	if f := g.resources["ops/NamespacedValidatingPolicy/strict"].Facts.(*facts.AdmissionPolicy); !f.Blocks || !f.Pods {
		t.Errorf("kyverno in a namespace: %+v", f)
	}
	if f := g.resources["GlobalNetworkPolicy/everywhere"].Facts.(*facts.NetworkPolicy); f.Matches != 0 || !f.Egress {
		t.Errorf("calico: %+v", f)
	}
	if v := g.resources["cluster"].Facts.(*facts.Cluster).Verifiers; len(v) != 1 || v[0].Kind != "signature" || !v[0].Enforces {
		t.Errorf("verifiers: %+v", v)
	}
	if f := g.resources["ops/Gateway/edge"].Facts.(*facts.Ingress); f.Hosts[0].TLS != "none" {
		t.Errorf("gateway: %+v", f)
	}
	n := g.resources["ops/CiliumNetworkPolicy/closed"].Facts.(*facts.NetworkPolicy)
	if !n.Egress || n.Ingress || n.Matches != 1 {
		t.Errorf("cilium: %+v", n)
	}
	if w := g.resources["ops/Pod/root"].Facts.(*facts.Workload); w.Network.Policies.Cilium != 1 || !w.Network.Egress.Isolated || w.Network.Ingress.Isolated {
		t.Errorf("network of the pod: %+v", w.Network)
	}
}

func testRunningImages(t *testing.T, s *clustertest.Server) {
	apply(t, s.Config, `
apiVersion: v1
kind: Secret
metadata: {name: pull, namespace: ops}
type: kubernetes.io/dockerconfigjson
stringData: {.dockerconfigjson: '{"auths":{}}'}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: puller, namespace: ops}
imagePullSecrets: [{name: pull}]
---
apiVersion: v1
kind: Pod
metadata: {name: pulled, namespace: ops}
spec: {serviceAccountName: puller, imagePullSecrets: [{name: gone}], containers: [{name: c, image: 'registry.example/app:1'}]}
`)
	client, err := kubernetes.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	digest := "registry.example/app@sha256:" + strings.Repeat("ab", 32)
	patch := fmt.Sprintf(`{"status":{"phase":"Running","containerStatuses":[{"name":"c","image":"registry.example/app:1","imageID":%q,"ready":true,"restartCount":0,"state":{},"lastState":{}}]}}`, digest)
	if _, err := client.CoreV1().Pods("ops").Patch(t.Context(), "pulled", types.MergePatchType, []byte(patch), metav1.PatchOptions{}, "status"); err != nil {
		t.Fatal(err)
	}
	called := 0
	collect(t, s.Config, "", cluster.Options{NoAnonymous: true, Images: func(ctx context.Context, _ scanner.Sink, images []kube.RunningImage, secret func(context.Context, kube.PullSecret) ([]byte, error)) error {
		called++
		want := []kube.RunningImage{{Digest: strings.TrimPrefix(digest, "registry.example/app@"), Workloads: []string{"ops/Pod/pulled"}, References: []kube.ImageReference{
			{Name: digest, Repository: "registry.example/app", PullSecrets: []kube.PullSecret{{Namespace: "ops", Name: "gone"}, {Namespace: "ops", Name: "pull"}}},
		}}}
		if !reflect.DeepEqual(images, want) {
			t.Errorf("images %+v, want %+v", images, want)
		}
		if b, err := secret(ctx, kube.PullSecret{Namespace: "ops", Name: "pull"}); err != nil || string(b) != `{"auths":{}}` {
			t.Errorf("pull secret: %q, %v", b, err)
		}
		if _, err := secret(ctx, kube.PullSecret{Namespace: "ops", Name: "gone"}); err == nil || !strings.Contains(err.Error(), "no such Secret") {
			t.Errorf("a Secret that is not there: %v", err)
		}
		return nil
	}})
	if called != 1 {
		t.Errorf("called %d times", called)
	}
}

func testServerDies(t *testing.T, s *clustertest.Server) {
	client, err := kubernetes.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("many-%02d", i)}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: fmt.Sprintf("i:%d", i)}}}}
		if _, err := client.CoreV1().Pods("ops").Create(t.Context(), p, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	var once sync.Once
	g := collect(t, s.Config, "", cluster.Options{NoAnonymous: true, PageSize: 5, RequestTimeout: 3 * time.Second, Progress: func(p cluster.Progress) {
		if p.Kind == "pods" && !p.Done {
			once.Do(s.StopAPI)
		}
	}})
	pods := len(g.kinds(facts.KindWorkload))
	if pods < 5 || pods > 28 {
		t.Errorf("%d workloads of a list that broke off", pods)
	}
	m := g.resources["Namespace/ops"].Missing["workloads"]
	if m.Status != facts.Unknown || !m.Partial || !strings.Contains(m.Reason, "after") {
		t.Errorf("workloads: %+v", m)
	}
}

func TestOldEtcd(t *testing.T) {
	s := clustertest.StartOnOldEtcd(t)
	apply(t, s.Config, shop)
	g := collect(t, s.Config, "", cluster.Options{PageSize: 1})
	if want := []string{"ops/Pod/root", "shop/Deployment/web"}; !slices.Equal(g.kinds(facts.KindWorkload), want) {
		t.Errorf("workloads %v, want %v", g.kinds(facts.KindWorkload), want)
	}
}

func TestListExpiresHalfWay(t *testing.T) {
	s := clustertest.Start(t, nil, "--watch-cache=false", "--anonymous-auth=false")
	apply(t, s.Config, "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: default, namespace: default}")
	client, err := kubernetes.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	create := func(name string) string {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i:" + name}}}}
		got, err := client.CoreV1().Pods("default").Create(t.Context(), p, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return got.ResourceVersion
	}
	for i := range 40 {
		create(fmt.Sprintf("p-%02d", i))
	}
	var once sync.Once
	gone := 0
	config := rest.CopyConfig(s.Config)
	config.Wrap(func(rt http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			resp, err := rt.RoundTrip(r)
			if err == nil && resp.StatusCode == http.StatusGone {
				gone++
			}
			return resp, err
		})
	})
	g := collect(t, config, "", cluster.Options{PageSize: 5, Progress: func(p cluster.Progress) {
		if p.Kind == "pods" && !p.Done {
			once.Do(func() {
				rev := create("z-late")
				body := fmt.Sprintf(`{"revision": %q, "physical": true}`, rev)
				resp, err := http.Post(s.Etcd+"/v3/kv/compaction", "application/json", strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				defer resp.Body.Close()
				if b, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
					t.Errorf("compact etcd: %s %s", resp.Status, b)
				}
			})
		}
	}})
	if gone == 0 {
		t.Error("no list expired: the test tests nothing")
	}
	pods := g.kinds(facts.KindWorkload)
	if len(pods) < 40 {
		t.Errorf("%d pods after the list expired: %v", len(pods), pods)
	}
	if m, ok := g.resources["Namespace/default"].Missing["workloads"]; ok {
		t.Errorf("the list went on and is whole: %+v", m)
	}
	if c := g.resources["cluster"].Facts.(*facts.Cluster); c.Anonymous.Enabled != "false" {
		t.Errorf("anonymous requests are refused, got %+v", c.Anonymous)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestUnreachable(t *testing.T) {
	g := collect(t, &rest.Config{Host: "https://127.0.0.1:1"}, "", cluster.Options{})
	if len(g.resources) != 0 || !strings.Contains(g.targets[0].Error, "reach the cluster at https://127.0.0.1:1") {
		t.Errorf("targets %+v", g.targets)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	g := &gathered{resources: map[string]*facts.Resource{}}
	err := cluster.New(&cluster.Connection{Config: &rest.Config{Host: "https://127.0.0.1:1"}, Context: "x"}, cluster.Options{}).Collect(ctx, g)
	if err == nil || len(g.targets) != 0 {
		t.Errorf("error %v, targets %+v", err, g.targets)
	}
}
