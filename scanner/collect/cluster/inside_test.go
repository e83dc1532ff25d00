package cluster_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	authv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/postscan/postscan/scanner/collect/cluster"
	"github.com/postscan/postscan/scanner/collect/cluster/clustertest"
	"github.com/postscan/postscan/scanner/facts"
)

// insideVariable tells the test below that it runs where a pod would.
const insideVariable = "POSTSCAN_TEST_INSIDE"

// Inside a pod the token, the authority and the address that the kubelet puts
// there are used. The test runs itself again in a mount namespace of its own,
// with a real token of a service account at the place where a pod has it.
func TestInsidePod(t *testing.T) {
	if os.Getenv(insideVariable) != "" {
		testInside(t)
		return
	}
	s := clustertest.Start(t, nil)
	apply(t, s.Config, strings.TrimPrefix(shop, "\n"))
	apply(t, s.Config, `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: inside}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: default, namespace: ops}]`)
	client, err := kubernetes.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	token, err := client.CoreV1().ServiceAccounts("ops").CreateToken(t.Context(), "default", &authv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	authority, err := os.ReadFile(s.Config.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"token": token.Status.Token, "ca.crt": string(authority), "namespace": "ops"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at, err := url.Parse(s.Config.Host)
	if err != nil {
		t.Fatal(err)
	}
	own := []string{"--mount"}
	if os.Geteuid() != 0 {
		own = append(own, "--user", "--map-root-user")
	}
	const place = `mount -t tmpfs tmpfs /var/run && mkdir -p /var/run/secrets/kubernetes.io && cp -r "$1" /var/run/secrets/kubernetes.io/serviceaccount && `
	if out, err := exec.CommandContext(t.Context(), "unshare", append(slices.Clone(own), "sh", "-c", place+"true", "sh", dir)...).CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("make a mount namespace with unshare: %v\n%s", err, out)
		}
		t.Skipf("SKIPPED: no mount namespace can be made here: %v\n%s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "unshare", append(own, "sh", "-c", place+`exec "$2" -test.v -test.run '^TestInsidePod$'`, "sh", dir, self)...)
	cmd.Env = append(os.Environ(), insideVariable+"=true", "KUBECONFIG=", "HOME="+t.TempDir(),
		"KUBERNETES_SERVICE_HOST="+at.Hostname(), "KUBERNETES_SERVICE_PORT="+at.Port())
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestInsidePod") {
		t.Errorf("inside: %v\n%s", err, out)
	}
}

func testInside(t *testing.T) {
	conn := connection(t)
	if conn.Context != "in-cluster" || conn.Namespace != "" || conn.Config.BearerTokenFile == "" || conn.Config.Insecure {
		t.Errorf("context %q, namespace %q, token file %q", conn.Context, conn.Namespace, conn.Config.BearerTokenFile)
	}
	g := collect(t, conn.Config, conn.Namespace, cluster.Options{NoAnonymous: true})
	if want := []string{"ops/Pod/root", "shop/Deployment/web"}; g.targets[0].Error != "" || !slices.Equal(g.kinds(facts.KindWorkload), want) {
		t.Errorf("target %+v, workloads %v, want %v", g.targets[0], g.kinds(facts.KindWorkload), want)
	}
	if c := g.resources["cluster"].Facts.(*facts.Cluster).Credential; c.Kind != "token-file" {
		t.Errorf("credential %+v", c)
	}
}

// userKubeconfig writes a kubeconfig whose user is the given YAML.
func userKubeconfig(t *testing.T, server, user string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	text := "apiVersion: v1\nkind: Config\ncurrent-context: here\ncontexts: [{name: here, context: {cluster: c, user: u}}]\n" +
		"clusters: [{name: c, cluster: {server: " + server + ", insecure-skip-tls-verify: true}}]\nusers: [{name: u, user: " + user + "}]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Providers that Kubernetes has removed are told by name, with what took their
// place; that of OpenID Connect sends its token.
func TestAuthProviders(t *testing.T) {
	for provider, instead := range map[string]string{"gcp": "gke-gcloud-auth-plugin", "azure": "kubelogin", "openstack": "exec plugin"} {
		set := pflag.NewFlagSet("test", pflag.ContinueOnError)
		f := cluster.BindFlags(set)
		if err := set.Parse([]string{"--kubeconfig", userKubeconfig(t, "https://127.0.0.1:1", "{auth-provider: {name: "+provider+"}}")}); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Connect(); err == nil || !strings.Contains(err.Error(), provider) || !strings.Contains(err.Error(), instead) {
			t.Errorf("%s: %v", provider, err)
		}
	}
	const token = "e30.eyJleHAiOjQxMDI0NDQ4MDB9.c2ln" // #nosec G101 -- nobody's: {} and an expiry in 2100
	got := make(chan string, 100)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case got <- r.Header.Get("Authorization"):
		default:
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure, Reason: metav1.StatusReasonForbidden, Code: http.StatusForbidden})
	}))
	defer server.Close()
	conn := connection(t, "--kubeconfig", userKubeconfig(t, server.URL, "{auth-provider: {name: oidc, config: {idp-issuer-url: \"https://127.0.0.1:1\", client-id: x, id-token: "+token+"}}}"))
	collect(t, conn.Config, "", cluster.Options{NoAnonymous: true})
	if first := <-got; first != "Bearer "+token {
		t.Errorf("the server got %q", first)
	}
}

// connectionError reads kubectl's flags where that fails.
func connectionError(t *testing.T, args ...string) string {
	t.Helper()
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	f := cluster.BindFlags(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	_, err := f.Connect()
	if err == nil {
		t.Fatalf("%v: there is no error", args)
	}
	return err.Error()
}

// What is wrong with a kubeconfig is told with its path.
func TestWrongKubeconfig(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	empty, broken := file("empty", ""), file("broken", "a: [b")
	for _, args := range [][]string{{"--kubeconfig", empty}, {"--kubeconfig", broken}, {"--kubeconfig", dir}, {"--kubeconfig", filepath.Join(dir, "none")}} {
		if got := connectionError(t, args...); !strings.Contains(got, args[1]) || strings.Contains(got, "no kubeconfig was found") {
			t.Errorf("%v: %s", args, got)
		}
	}
	t.Setenv("KUBECONFIG", filepath.Join(dir, "gone")+string(os.PathListSeparator)+empty)
	if got := connectionError(t); !strings.Contains(got, empty) || !strings.Contains(got, "gone") {
		t.Errorf("KUBECONFIG: %s", got)
	}
	t.Setenv("KUBECONFIG", "")
	t.Setenv("HOME", dir)
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	if got := connectionError(t, "--context", "x"); !strings.Contains(got, "x") {
		t.Errorf("a context that nothing holds: %s", got)
	}
}

// An exec plugin gives the token; one that fails is run once and told in one
// line; one that hangs ends with the scan's time.
func TestExecPlugins(t *testing.T) {
	dir := t.TempDir()
	plugin := func(name, script string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte("#!/bin/sh\n"+script), 0o700); err != nil { // #nosec G306 -- it is run
			t.Fatal(err)
		}
		return "{exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: " + p + "}}"
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		status := metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure, Reason: metav1.StatusReasonForbidden, Code: http.StatusForbidden}
		if r.Header.Get("Authorization") != "Bearer from-plugin" {
			status.Reason, status.Code = metav1.StatusReasonUnauthorized, http.StatusUnauthorized
		}
		w.WriteHeader(int(status.Code))
		_ = json.NewEncoder(w).Encode(status)
	}))
	defer server.Close()
	scan := func(user string) *gathered {
		conn := connection(t, "--kubeconfig", userKubeconfig(t, server.URL, user))
		return collect(t, conn.Config, "", cluster.Options{NoAnonymous: true, Timeout: 2 * time.Second})
	}
	const token = `{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"from-plugin"}}`
	if g := scan(plugin("good", "echo '"+token+"'")); g.targets[0].Error != "" || g.resources["cluster"] == nil {
		t.Errorf("a plugin that works: %+v", g.targets[0])
	}
	runs := filepath.Join(dir, "runs")
	g := scan(plugin("bad", "echo run >> "+runs+"; exit 3"))
	if e := g.targets[0].Error; !strings.Contains(e, "bad failed with exit code 3") || strings.Contains(e, "\n") || strings.Contains(e, "timeout=") {
		t.Errorf("a plugin that fails: %q", e)
	}
	if b, err := os.ReadFile(runs); err != nil || string(b) != "run\n" {
		t.Errorf("the plugin ran: %q, %v", b, err)
	}
	g = scan("{exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: no-such-plugin, installHint: \"get it there\"}}")
	if e := g.targets[0].Error; !strings.Contains(e, "get it there") || strings.Contains(e, "\n") {
		t.Errorf("a plugin that is not there: %q", e)
	}
	// It ends when the folder is removed: what outlived the test would hold its output open.
	if g := scan(plugin("slow", "while [ -e "+runs+" ]; do sleep 0.1; done")); !strings.Contains(g.targets[0].Error, "time-out") {
		t.Errorf("a plugin that hangs: %+v", g.targets[0])
	}
}
