package cluster_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/collect/cluster"
	"github.com/postscan/postscan/scanner/collect/cluster/clustertest"
	"github.com/postscan/postscan/scanner/collect/kube"
	"github.com/postscan/postscan/scanner/facts"
)

// deployed reads a file of docs/deploy.
func deployed(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// grant binds a ClusterRole to a user.
func grant(t *testing.T, c kubernetes.Interface, user, role string) {
	t.Helper()
	b := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: user + "-" + role},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: user}},
	}
	if _, err := c.RbacV1().ClusterRoleBindings().Create(t.Context(), b, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// grantIn binds a Role of a namespace to a user.
func grantIn(t *testing.T, c kubernetes.Interface, namespace, user, role string) {
	t.Helper()
	b := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: user + "-" + role},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: user}},
	}
	if _, err := c.RbacV1().RoleBindings(namespace).Create(t.Context(), b, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// refusals are the reasons of what the given rights did not show, each once.
func refusals(g *gathered) []string {
	var out []string
	for _, r := range g.resources {
		for _, m := range r.Missing {
			for reason := range strings.SplitSeq(m.Reason, "; the ") {
				if strings.Contains(reason, "may not") && !slices.Contains(out, reason) {
					out = append(out, reason)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// about is true where a reason is about one of the kinds.
func about(reason string, kinds ...string) bool {
	return slices.ContainsFunc(kinds, func(k string) bool { return strings.Contains(reason, "may not list "+k+";") })
}

// Each role of docs/deploy shows all that its part needs, and holds no right that
// nobody asks for.
func TestDeployedRoles(t *testing.T) {
	users := []string{"base", "all", "kubelets", "one", "several", "puller"}
	s := clustertest.Start(t, users)
	client, err := kubernetes.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	apply(t, s.Config, shop)
	for _, name := range []string{"base.yaml", "configmaps.yaml", "secrets.yaml", "add-ons.yaml", "kubelet-config.yaml", "account.yaml", "images.yaml", "one-namespace.yaml"} {
		apply(t, s.Config, strings.TrimPrefix(deployed(t, name), "---\n"))
	}
	crd := "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: ciliumnetworkpolicies.cilium.io}\nspec:\n  group: cilium.io\n  scope: Namespaced\n  names: {kind: CiliumNetworkPolicy, plural: ciliumnetworkpolicies, singular: ciliumnetworkpolicy}\n  versions: [{name: v2, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]\n"
	apply(t, s.Config, crd)
	apply(t, s.Config, "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: any, namespace: ops}\nspec: {endpointSelector: {}, ingress: [{}]}\n")
	apply(t, s.Config, "apiVersion: v1\nkind: Node\nmetadata: {name: one}\n")
	for _, user := range []string{"base", "all", "kubelets"} {
		grant(t, client, user, "postscan-base")
	}
	for _, role := range []string{"postscan-configmaps", "postscan-secrets", "postscan-add-ons"} {
		grant(t, client, "all", role)
	}
	grant(t, client, "kubelets", "postscan-kubelet-config")

	t.Run("base", func(t *testing.T) {
		for _, reason := range refusals(collect(t, s.As("base"), "", cluster.Options{})) {
			if !about(reason, "secrets", "bootstrap tokens", "configmaps", "ciliumnetworkpolicies.cilium.io") {
				t.Errorf("the base role does not show it: %s", reason)
			}
		}
	})
	t.Run("all", func(t *testing.T) {
		g := collect(t, s.As("all"), "", cluster.Options{})
		if got := refusals(g); len(got) > 0 {
			t.Errorf("with every role: %q", got)
		}
		if len(g.kinds(facts.KindWorkload)) != 2 {
			t.Errorf("workloads %v", g.kinds(facts.KindWorkload))
		}
	})
	t.Run("nothing beyond", func(t *testing.T) { testNothingBeyond(t, s) })
	t.Run("kubelet configuration", func(t *testing.T) {
		asks := func(user string) bool {
			g := collect(t, s.As(user), "", cluster.Options{KubeletConfig: true})
			return slices.ContainsFunc(refusals(g), func(r string) bool { return strings.Contains(r, "kubelet's configuration") })
		}
		if !asks("base") || asks("kubelets") {
			t.Error("the role for --kubelet-config does not decide")
		}
	})
	t.Run("one namespace", func(t *testing.T) {
		grantIn(t, client, "shop", "one", "postscan")
		g := collect(t, s.As("one"), "shop", cluster.Options{})
		for _, reason := range refusals(g) {
			if !about(reason, "namespaces", "nodes", "clusterroles", "clusterrolebindings", "persistentvolumes", "runtimeclasses", "certificatesigningrequests", "secrets",
				"validatingwebhookconfigurations", "mutatingwebhookconfigurations", "validatingadmissionpolicies", "validatingadmissionpolicybindings", "ciliumnetworkpolicies.cilium.io") {
				t.Errorf("the role for one namespace does not show it: %s", reason)
			}
		}
		web := g.resources["shop/Deployment/web"]
		if web == nil || web.Facts.(*facts.Workload).Namespace.PodSecurity.Enforce != "baseline" {
			t.Errorf("the workload and its namespace: %+v", web)
		}
	})
	t.Run("several namespaces", func(t *testing.T) { testSeveralNamespaces(t, s, client) })
	t.Run("pull secrets", func(t *testing.T) { testPullSecrets(t, s, client) })
}

// testNothingBeyond compares the rights with the lists that a scan asks for.
func testNothingBeyond(t *testing.T, s *clustertest.Server) {
	var mu sync.Mutex
	asked := map[string]bool{}
	config := through(t, s, func(_ http.ResponseWriter, r *http.Request) bool {
		parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
		mu.Lock()
		defer mu.Unlock()
		switch {
		case parts[0] == "api" && len(parts) >= 3:
			asked["/"+parts[len(parts)-1]] = true
		case parts[0] == "apis" && len(parts) >= 4:
			asked[parts[1]+"/"+parts[len(parts)-1]] = true
		}
		return false
	})
	collect(t, config, "", cluster.Options{})
	for _, name := range []string{"base.yaml", "configmaps.yaml", "secrets.yaml"} {
		var role rbacv1.ClusterRole
		if err := yaml.Unmarshal([]byte(deployed(t, name)), &role); err != nil {
			t.Fatal(err)
		}
		for _, rule := range role.Rules {
			if !slices.Equal(rule.Verbs, []string{"list"}) {
				t.Errorf("%s grants %v", name, rule.Verbs)
			}
			for _, resource := range rule.Resources {
				if !asked[rule.APIGroups[0]+"/"+resource] {
					t.Errorf("%s grants %s/%s, which nobody asks for", name, rule.APIGroups[0], resource)
				}
			}
		}
	}
}

// testSeveralNamespaces scans with rights in two namespaces and none in the others.
func testSeveralNamespaces(t *testing.T, s *clustertest.Server, client kubernetes.Interface) {
	role, err := client.RbacV1().Roles("shop").Get(t.Context(), "postscan", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	role.ObjectMeta = metav1.ObjectMeta{Name: "postscan"}
	if _, err := client.RbacV1().Roles("ops").Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	grantIn(t, client, "shop", "several", "postscan")
	grantIn(t, client, "ops", "several", "postscan")
	apply(t, s.Config, "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: namespaces}\nrules: [{apiGroups: [''], resources: [namespaces], verbs: [list]}]\n")
	grant(t, client, "several", "namespaces")
	g := collect(t, s.As("several"), "", cluster.Options{})
	got := slices.DeleteFunc(g.kinds(facts.KindWorkload), func(id string) bool { return strings.Contains(id, "not seen") })
	if want := []string{"ops/Pod/root", "shop/Deployment/web"}; !slices.Equal(got, want) {
		t.Errorf("workloads %v, want %v", got, want)
	}
	unseen := g.resources["(workloads that were not seen)"]
	if unseen == nil || !strings.Contains(unseen.Missing["containers"].Reason, "kube-system") || strings.Contains(unseen.Missing["containers"].Reason, "shop") {
		t.Errorf("what other namespaces hold is not told: %+v", unseen)
	}
}

// testPullSecrets reads the pull Secret that the role names, and no other.
func testPullSecrets(t *testing.T, s *clustertest.Server, client kubernetes.Interface) {
	for _, name := range []string{"registry", "other"} {
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, Type: corev1.SecretTypeDockerConfigJson, Data: map[string][]byte{corev1.DockerConfigJsonKey: []byte(`{"auths":{}}`)}}
		if _, err := client.CoreV1().Secrets("shop").Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	grantIn(t, client, "shop", "puller", "postscan-images")
	collect(t, s.As("puller"), "shop", cluster.Options{NoAnonymous: true, Images: func(ctx context.Context, _ scanner.Sink, _ []kube.RunningImage, secret func(context.Context, kube.PullSecret) ([]byte, error)) error {
		if b, err := secret(ctx, kube.PullSecret{Namespace: "shop", Name: "registry"}); err != nil || string(b) != `{"auths":{}}` {
			t.Errorf("the named Secret: %q, %v", b, err)
		}
		if _, err := secret(ctx, kube.PullSecret{Namespace: "shop", Name: "other"}); err == nil || !strings.Contains(err.Error(), "may not read it") {
			t.Errorf("another Secret: %v", err)
		}
		return nil
	}})
}

// An exec plugin of the kubeconfig is run for the token.
func TestExecPlugin(t *testing.T) {
	s := clustertest.Start(t, nil)
	dir := t.TempDir()
	plugin := filepath.Join(dir, "login")
	script := "#!/bin/sh\nprintf '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"%s\"}}' \"$TEST_TOKEN\"\n"
	if err := os.WriteFile(plugin, []byte(script), 0o700); err != nil { // #nosec G306 -- it is run
		t.Fatal(err)
	}
	config := rest.CopyConfig(s.Config)
	kubeconfig := filepath.Join(dir, "kubeconfig")
	text := "apiVersion: v1\nkind: Config\ncurrent-context: here\ncontexts: [{name: here, context: {cluster: c, user: u}}]\n" +
		"clusters: [{name: c, cluster: {server: " + config.Host + ", insecure-skip-tls-verify: true}}]\n" +
		"users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ./login, interactiveMode: Never, env: [{name: TEST_TOKEN, value: " + config.BearerToken + "}]}}}]\n"
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	conn := connection(t, "--kubeconfig", kubeconfig)
	g := collect(t, conn.Config, "", cluster.Options{NoAnonymous: true})
	if g.targets[0].Error != "" || len(refusals(g)) > 0 {
		t.Errorf("target %+v, refused %q", g.targets[0], refusals(g))
	}
}
