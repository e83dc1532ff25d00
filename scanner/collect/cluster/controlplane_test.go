package cluster_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/collect/cluster"
	"github.com/postscan/postscan/scanner/collect/cluster/clustertest"
	"github.com/postscan/postscan/scanner/collect/manifests"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/regoeval"
)

// kubeadm is what a control-plane node of kubeadm shows through the API: the
// node, and its static pods as the mirror pods that the kubelet makes of them.
const kubeadm = `
apiVersion: v1
kind: Node
metadata:
  name: cp-1
  labels: {node-role.kubernetes.io/control-plane: ""}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: kubeadm-config, namespace: kube-system}
data: {ClusterConfiguration: "kind: ClusterConfiguration"}
---
apiVersion: v1
kind: Pod
metadata: {name: kube-apiserver-cp-1, namespace: kube-system, annotations: {kubernetes.io/config.mirror: a, kubernetes.io/config.source: file}}
spec:
  nodeName: cp-1
  hostNetwork: true
  automountServiceAccountToken: false
  tolerations: [{operator: Exists, effect: NoExecute}]
  containers:
  - name: kube-apiserver
    image: registry.k8s.io/kube-apiserver:v1.37.2
    command:
    - kube-apiserver
    - --authorization-mode=Node,RBAC
    - --client-ca-file=/etc/kubernetes/pki/ca.crt
    - --enable-admission-plugins=NodeRestriction
    - --etcd-cafile=/etc/kubernetes/pki/etcd/ca.crt
    - --etcd-certfile=/etc/kubernetes/pki/apiserver-etcd-client.crt
    - --etcd-keyfile=/etc/kubernetes/pki/apiserver-etcd-client.key
    - --etcd-servers=https://127.0.0.1:2379
    - --kubelet-client-certificate=/etc/kubernetes/pki/apiserver-kubelet-client.crt
    - --kubelet-client-key=/etc/kubernetes/pki/apiserver-kubelet-client.key
    - --service-account-key-file=/etc/kubernetes/pki/sa.pub
    - --tls-cert-file=/etc/kubernetes/pki/apiserver.crt
    - --tls-private-key-file=/etc/kubernetes/pki/apiserver.key
---
apiVersion: v1
kind: Pod
metadata: {name: etcd-cp-1, namespace: kube-system, annotations: {kubernetes.io/config.mirror: b, kubernetes.io/config.source: file}}
spec:
  nodeName: cp-1
  hostNetwork: true
  automountServiceAccountToken: false
  tolerations: [{operator: Exists, effect: NoExecute}]
  containers:
  - name: etcd
    image: registry.k8s.io/etcd:3.6.5-0
    command:
    - etcd
    - --cert-file=/etc/kubernetes/pki/etcd/server.crt
    - --client-cert-auth=true
    - --key-file=/etc/kubernetes/pki/etcd/server.key
    - --listen-client-urls=https://127.0.0.1:2379,https://10.0.0.1:2379
    - --listen-peer-urls=https://10.0.0.1:2380
    - --peer-cert-file=/etc/kubernetes/pki/etcd/peer.crt
    - --peer-client-cert-auth=true
    - --peer-key-file=/etc/kubernetes/pki/etcd/peer.key
    - --peer-trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt
    - --trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt
---
apiVersion: v1
kind: Pod
metadata: {name: kube-scheduler-cp-1, namespace: kube-system, annotations: {kubernetes.io/config.mirror: c, kubernetes.io/config.source: file}}
spec:
  nodeName: cp-1
  hostNetwork: true
  automountServiceAccountToken: false
  tolerations: [{operator: Exists, effect: NoExecute}]
  containers:
  - name: kube-scheduler
    image: registry.k8s.io/kube-scheduler:v1.37.2
    command: [kube-scheduler, --bind-address=127.0.0.1, --kubeconfig=/etc/kubernetes/scheduler.conf]
`

// outcomes judges the cluster and its nodes by the checks of the control plane.
func outcomes(t *testing.T, g *gathered) (findings []string, statuses map[string]scanner.Status) {
	t.Helper()
	c, err := checks.Load(checks.BuiltIn())
	if err != nil {
		t.Fatal(err)
	}
	selected, err := c.Select([]string{"PS-CP-*"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	e, err := regoeval.New(t.Context(), c, selected, regoeval.Options{Now: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	statuses = map[string]scanner.Status{}
	for _, r := range g.resources {
		if r.Kind != facts.KindCluster && r.Kind != facts.KindNode {
			continue
		}
		r.Normalise()
		list, err := e.Evaluate(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range list {
			statuses[o.Rule.ID+" "+r.ID] = o.Status
			for _, v := range o.Violations {
				findings = append(findings, o.Rule.ID+" "+r.ID+" "+v.Severity.String()+" "+v.Key)
			}
		}
	}
	slices.Sort(findings)
	return findings, statuses
}

// A control plane of kubeadm on a real API server: exactly these findings, and
// what is hidden is neither passed nor failed.
func TestControlPlane(t *testing.T) {
	s := clustertest.Start(t, []string{"nobody"})
	apply(t, s.Config, strings.TrimSpace(kubeadm))
	g := collect(t, s.Config, "", cluster.Options{})
	f := g.resources["cluster"].Facts.(*facts.Cluster)
	if f.Distribution != "kubeadm" || f.Anonymous.Enabled != "true" || f.Anonymous.Limited || f.Credential.Kind == "none" {
		t.Errorf("cluster: %s, %+v, %+v", f.Distribution, f.Anonymous, f.Credential)
	}
	findings, statuses := outcomes(t, g)
	api := func(id, flag string) string { return id + " cluster %s cp-1/kube-apiserver/" + flag }
	want := []string{
		"PS-CP-001 cluster low anonymous",
		strings.Replace(api("PS-CP-005", "kubelet-certificate-authority"), "%s", "medium", 1),
		"PS-CP-008 cluster low cp-1/DenyServiceExternalIPs",
		"PS-CP-008 cluster low cp-1/EventRateLimit",
		strings.Replace(api("PS-CP-009", "audit-log-path"), "%s", "medium", 1),
		strings.Replace(api("PS-CP-009", "audit-policy-file"), "%s", "medium", 1),
		"PS-CP-011 cluster medium encryption",
		strings.Replace(api("PS-CP-012", "profiling"), "%s", "low", 1),
		"PS-CP-012 cluster low cp-1/kube-scheduler/profiling",
		strings.Replace(api("PS-CP-013", "service-account-extend-token-expiration"), "%s", "medium", 1),
		"PS-CP-033 Node/cp-1 info taint",
	}
	slices.Sort(want)
	if !slices.Equal(findings, want) {
		t.Errorf("findings\n%s\nwant\n%s", strings.Join(findings, "\n"), strings.Join(want, "\n"))
	}
	for check, status := range map[string]scanner.Status{
		"PS-CP-002 cluster": scanner.Pass, "PS-CP-003 cluster": scanner.Pass, "PS-CP-004 cluster": scanner.Pass, "PS-CP-007 cluster": scanner.Pass,
		"PS-CP-010 cluster": scanner.NotApplicable, "PS-CP-014 cluster": scanner.Pass, "PS-CP-017 cluster": scanner.Pass, "PS-CP-018 cluster": scanner.Pass,
		"PS-CP-042 cluster": scanner.Pass, "PS-CP-015 cluster": scanner.Pass, "PS-CP-029 cluster": scanner.Pass,
		"PS-CP-016 cluster": scanner.NotAssessed, // the controller manager is not in view
		"PS-CP-019 cluster": scanner.NotAssessed, // the firewall
		"PS-CP-034 cluster": scanner.NotApplicable, "PS-CP-037 cluster": scanner.NotApplicable,
		"PS-CP-020 Node/cp-1": scanner.NotAssessed, // --kubelet-config was not given
		"PS-CP-028 Node/cp-1": scanner.NotAssessed, // the node's own files
		"PS-CP-030 Node/cp-1": scanner.NotAssessed, // runc
		"PS-CP-040 Node/cp-1": scanner.NotApplicable,
	} {
		if statuses[check] != status {
			t.Errorf("%s: %s, want %s", check, statuses[check], status)
		}
	}
	blind := collect(t, s.As("nobody"), "", cluster.Options{})
	_, statuses = outcomes(t, blind)
	for check, status := range statuses {
		switch check {
		// What needs no right is known: the version, the answers to nobody, and where the server is.
		case "PS-CP-001 cluster", "PS-CP-015 cluster", "PS-CP-030 cluster", "PS-CP-034 cluster", "PS-CP-035 cluster", "PS-CP-036 cluster", "PS-CP-037 cluster", "PS-CP-038 cluster":
		default:
			if status == scanner.Pass || status == scanner.NotApplicable {
				t.Errorf("without rights %s is %s", check, status)
			}
		}
	}
}

// The manifests of static pods say of flags what the live cluster says, with the
// line of each, and what only a cluster has is not assessed.
func TestControlPlaneOnFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "control-plane.yaml")
	_, pods, _ := strings.Cut(kubeadm, "ClusterConfiguration\"}\n---\n")
	pods = strings.Replace(pods, "    - --authorization-mode=Node,RBAC\n", "    - --authorization-mode=AlwaysAllow\n    - --anonymous-auth=false\n", 1)
	if err := os.WriteFile(file, []byte(pods), 0o600); err != nil {
		t.Fatal(err)
	}
	g := &gathered{resources: map[string]*facts.Resource{}}
	if err := manifests.New(manifests.Options{Paths: []string{dir}}).Collect(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	findings, statuses := outcomes(t, g)
	at := "control-plane.yaml/kube-apiserver/"
	want := []string{
		"PS-CP-003 cluster critical " + at + "authorization-mode/AlwaysAllow",
		"PS-CP-003 cluster critical " + at + "authorization-mode/RBAC",
		"PS-CP-004 cluster high " + at + "authorization-mode",
		"PS-CP-005 cluster medium " + at + "kubelet-certificate-authority",
		"PS-CP-008 cluster low control-plane.yaml/DenyServiceExternalIPs",
		"PS-CP-008 cluster low control-plane.yaml/EventRateLimit",
		"PS-CP-009 cluster medium " + at + "audit-log-path",
		"PS-CP-009 cluster medium " + at + "audit-policy-file",
		"PS-CP-011 cluster medium encryption",
		"PS-CP-012 cluster low " + at + "profiling",
		"PS-CP-012 cluster low control-plane.yaml/kube-scheduler/profiling",
		"PS-CP-013 cluster medium " + at + "service-account-extend-token-expiration",
	}
	slices.Sort(want)
	for i, f := range findings { // the path depends on where the test runs
		before, _, _ := strings.Cut(f, dir)
		if dir != "" && before != f {
			findings[i] = before + strings.TrimPrefix(f[len(before)+len(dir):], "/")
		}
	}
	slices.Sort(findings)
	if !slices.Equal(findings, want) {
		t.Errorf("findings\n%s\nwant\n%s", strings.Join(findings, "\n"), strings.Join(want, "\n"))
	}
	for check, status := range map[string]scanner.Status{
		"PS-CP-001 cluster": scanner.Pass, "PS-CP-002 cluster": scanner.Pass, "PS-CP-017 cluster": scanner.Pass, "PS-CP-015 cluster": scanner.NotAssessed,
		"PS-CP-029 cluster": scanner.NotAssessed, "PS-CP-037 cluster": scanner.NotAssessed, "PS-CP-041 cluster": scanner.NotAssessed, "PS-CP-034 cluster": scanner.NotAssessed,
	} {
		if statuses[check] != status {
			t.Errorf("%s: %s, want %s", check, statuses[check], status)
		}
	}
	r := g.resources["cluster"]
	i := slices.IndexFunc(r.Facts.(*facts.Cluster).APIServers[0].Flags, func(f facts.Flag) bool { return f.Name == "authorization-mode" })
	place := r.Place(fmt.Sprintf("api_servers[0].flags[%d]", i))
	lines := strings.Split(pods, "\n")
	if place.Origin.Line < 1 || !strings.Contains(lines[place.Origin.Line-1], "authorization-mode") {
		t.Errorf("the finding stands at %+v", place.Origin)
	}
}

// A server that lets only health checks in without credentials is told apart
// from one that takes everybody.
func TestAnonymousIsLimited(t *testing.T) {
	file := filepath.Join(t.TempDir(), "authentication.yaml")
	const conf = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\nanonymous:\n  enabled: true\n  conditions: [{path: /livez}, {path: /readyz}, {path: /healthz}]\n"
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	s := clustertest.Start(t, nil, "--authentication-config="+file)
	g := collect(t, s.Config, "", cluster.Options{})
	f := g.resources["cluster"].Facts.(*facts.Cluster)
	if f.Anonymous.Enabled != "true" || !f.Anonymous.Limited || !slices.Equal(f.Anonymous.Paths, []string{"/healthz", "/livez", "/readyz"}) {
		t.Errorf("%+v", f.Anonymous)
	}
	if _, statuses := outcomes(t, g); statuses["PS-CP-001 cluster"] != scanner.Pass {
		t.Errorf("PS-CP-001 is %s", statuses["PS-CP-001 cluster"])
	}
}
