package kube

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/postscan/postscan/scanner/facts"
)

// staticPod is a mirror pod as kubeadm's kubelet makes it.
func staticPod(t *testing.T, name, spec string) *corev1.Pod {
	t.Helper()
	p := decode[corev1.Pod](t, "metadata: {name: "+name+"-cp-1, namespace: kube-system, annotations: {kubernetes.io/config.mirror: x}}\nspec:\n  nodeName: cp-1\n  containers:\n"+spec)
	return p
}

const apiServerPod = `
  - name: kube-apiserver
    image: registry.k8s.io/kube-apiserver:v1.37.2
    command: [kube-apiserver, --authorization-mode=Node, --token-auth-file, /secret/tokens, --unknown-flag=secret]
`

// joined returns the cluster and the nodes of a set by id.
func joined(s *Set) map[string]*facts.Resource {
	out := map[string]*facts.Resource{}
	for r := range s.Resources() {
		if r.Kind == facts.KindCluster || r.Kind == facts.KindNode {
			out[r.ID] = r
		}
	}
	return out
}

func clusterOf(t *testing.T, s *Set) (*facts.Resource, *facts.Cluster) {
	t.Helper()
	r := joined(s)["cluster"]
	if r == nil {
		t.Fatal("there is no cluster")
	}
	return r, r.Facts.(*facts.Cluster)
}

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	return &unstructured.Unstructured{Object: *decode[map[string]any](t, text)}
}

func TestControlPlaneOfStaticPods(t *testing.T) {
	s := New(Options{Live: true})
	s.Cluster(ClusterInfo{Version: "v1.37.2", Missing: map[string]facts.Missing{"anonymous": {Status: facts.NotAssessed, Reason: "not tried"}}})
	s.Add(staticPod(t, "kube-apiserver", apiServerPod), Place{})
	s.Add(staticPod(t, "etcd", `
  - name: etcd
    image: registry.k8s.io/etcd:3.6.5-0
    command: [etcd, --listen-client-urls=https://10.0.0.1:2379]
    env: [{name: ETCD_CLIENT_CERT_AUTH, value: "true"}, {name: ETCD_ROOT_PASSWORD, value: hunter2}]
`), Place{})
	s.Add(staticPod(t, "kube-scheduler", `
  - name: kube-scheduler
    image: registry.k8s.io/kube-scheduler:v1.37.2
    command: [kube-scheduler, --config=/etc/scheduler.yaml]
`), Place{})
	r, f := clusterOf(t, s)
	if len(f.APIServers) != 1 || f.APIServers[0].Where != "cp-1" || f.APIServers[0].Version != "1.37.2" || f.APIServers[0].ConfigFile {
		t.Fatalf("API servers %+v", f.APIServers)
	}
	if want := []facts.Flag{
		{Name: "authorization-mode", Value: "Node", Path: "spec.containers[0].command[1]"},
		{Name: "token-auth-file", Value: "/secret/tokens", Path: "spec.containers[0].command[2]"},
	}; !slices.Equal(f.APIServers[0].Flags, want) {
		t.Errorf("flags %v, want %v", f.APIServers[0].Flags, want)
	}
	if v, _ := facts.FlagOf(f.Etcds[0].Flags, "client-cert-auth"); v != "true" || len(f.Etcds[0].Flags) != 2 {
		t.Errorf("etcd's variables are flags, and no others are kept: %v", f.Etcds[0].Flags)
	}
	if !f.Schedulers[0].ConfigFile || r.Missing["schedulers[].flags"].Status != facts.NotAssessed || !r.Missing["schedulers[].flags"].Partial {
		t.Errorf("a scheduler with a file: %v, %v", f.Schedulers[0].ConfigFile, r.Missing["schedulers[].flags"])
	}
	if m := r.Missing["controller_managers"]; m.Status != facts.NotAssessed || !m.Partial || !strings.Contains(m.Reason, "no static pod") {
		t.Errorf("what is not in view: %+v", m)
	}
	if f.Anonymous.Enabled != "true" || f.Anonymous.Limited || f.Anonymous.Bindings != 0 {
		t.Errorf("anonymous by its default: %+v", f.Anonymous)
	}
	if _, told := r.Missing["encryption"]; told || f.Encryption.Configured || f.Encryption.Path != "api_servers[0]" {
		t.Errorf("encryption %+v", f.Encryption)
	}
	if m := r.Missing["etcd_guarded"]; m.Status != facts.NotAssessed {
		t.Errorf("an etcd on the network needs a firewall that nobody saw: %+v", m)
	}
}

func TestAShellHidesFlags(t *testing.T) {
	s := New(Options{Live: true})
	s.Cluster(ClusterInfo{Version: "v1.37.2"})
	s.Add(staticPod(t, "etcd", `
  - {name: etcd, image: "registry.k8s.io/etcd:3.6.5-0", command: [/bin/sh, -c, "exec etcd --client-cert-auth=true"]}
`), Place{})
	if _, f := clusterOf(t, s); !f.Etcds[0].ConfigFile {
		t.Error("what a script sets is taken for the default")
	}
}

// A provider, or a distribution in one process, hides the control plane: that is
// not assessed, with the reason, and never a pass.
func TestHiddenControlPlanes(t *testing.T) {
	node := func(labels map[string]string) *corev1.Node {
		return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n", Labels: labels}}
	}
	for _, tt := range []struct {
		version, group, distribution, reason string
		managed, edge                        bool
		node                                 *corev1.Node
	}{
		{"v1.36.1-eks-5d4f", "", "eks", "the provider runs the control plane", true, false, nil},
		{"v1.36.1-gke.100", "", "gke", "the provider runs the control plane", true, false, nil},
		{"v1.36.1", "", "aks", "the provider runs the control plane", true, false, node(map[string]string{"kubernetes.azure.com/cluster": "x"})},
		{"v1.36.1+k3s1", "", "k3s", "inside its own process", false, true, nil},
		{"v1.36.1+rke2r1", "", "rke2", "inside its own process", false, false, nil},
		{"v1.36.1+k0s", "", "k0s", "inside its own process", false, true, nil},
		{"v1.34.1", "config.openshift.io", "openshift", "OpenShift's operators", false, false, nil},
		{"v1.36.1", "", "microk8s", "inside its own process", false, true, node(map[string]string{"microk8s.io/cluster": "true"})},
		{"v1.36.1-kubeedge-v1.20", "", "kubeedge", "no static pod", false, true, nil},
		{"v1.36.1", "", "openyurt", "no static pod", false, true, node(map[string]string{"openyurt.io/is-edge-worker": "false"})},
		{"v1.36.1", "", "superedge", "no static pod", false, true, node(map[string]string{"superedge.io/node-edge": "enable"})},
		{"v1.36.1", "", "kubernetes", "no static pod", false, false, nil},
	} {
		s := New(Options{Live: true})
		s.Cluster(ClusterInfo{Version: tt.version, Groups: []string{tt.group}})
		if tt.node != nil {
			s.Add(tt.node, Place{})
		}
		r, f := clusterOf(t, s)
		if f.Distribution != tt.distribution || f.Managed != tt.managed || f.Edge != tt.edge {
			t.Errorf("%s: %s, managed %v, edge %v", tt.version, f.Distribution, f.Managed, f.Edge)
		}
		for _, path := range []string{"api_servers", "controller_managers", "schedulers", "etcds"} {
			if m := r.Missing[path]; m.Status != facts.NotAssessed || !strings.Contains(m.Reason, tt.reason) {
				t.Errorf("%s: %s: %+v", tt.distribution, path, m)
			}
		}
		if _, cloud := r.Missing["cloud"]; cloud != tt.managed {
			t.Errorf("%s: the cloud's API is missing: %v", tt.distribution, cloud)
		}
		if m, ok := r.Missing["encryption"]; !ok && tt.distribution != "openshift" || ok && m.Reason == "" {
			t.Errorf("%s: encryption %+v", tt.distribution, m)
		}
	}
}

func TestOpenShiftObjects(t *testing.T) {
	s := New(Options{Live: true})
	s.Cluster(ClusterInfo{Version: "v1.34.1", Groups: []string{"config.openshift.io"}})
	for _, text := range []string{
		"{apiVersion: config.openshift.io/v1, kind: ClusterVersion, metadata: {name: version}, status: {desired: {version: 4.21.3}}}",
		"{apiVersion: config.openshift.io/v1, kind: APIServer, metadata: {name: cluster}, spec: {encryption: {type: aescbc}, audit: {profile: None}}}",
		"{apiVersion: config.openshift.io/v1, kind: OAuth, metadata: {name: cluster}, spec: {identityProviders: [{name: ldap}]}}",
		"{apiVersion: config.openshift.io/v1, kind: Image, metadata: {name: cluster}, spec: {registrySources: {allowedRegistries: [quay.io], insecureRegistries: [local]}}}",
		"{apiVersion: operator.openshift.io/v1, kind: KubeAPIServer, metadata: {name: cluster}, spec: {unsupportedConfigOverrides: {apiServerArguments: {x: [y]}}}}",
		"{apiVersion: operator.openshift.io/v1, kind: Etcd, metadata: {name: cluster}, spec: {unsupportedConfigOverrides: null}}",
		`{apiVersion: security.openshift.io/v1, kind: SecurityContextConstraints, metadata: {name: privileged}, allowPrivilegedContainer: true, allowHostPID: true, runAsUser: {type: RunAsAny},
		  users: ["system:admin", "system:serviceaccount:openshift-infra:build", "system:serviceaccount:shop:web", "bob"], groups: ["system:cluster-admins", "system:serviceaccounts:openshift-x", "system:authenticated"]}`,
		"{apiVersion: security.openshift.io/v1, kind: SecurityContextConstraints, metadata: {name: mine}, allowHostDirVolumePlugin: true, runAsUser: {type: MustRunAsRange}}",
	} {
		if !s.Add(object(t, text), Place{}) {
			t.Errorf("not read: %s", text)
		}
	}
	s.Add(decode[rbacv1.ClusterRole](t, "metadata: {name: use-mine}\nrules: [{verbs: [use], apiGroups: [security.openshift.io], resources: [securitycontextconstraints], resourceNames: [mine]}]"), Place{})
	s.Add(decode[rbacv1.RoleBinding](t, "metadata: {name: b, namespace: shop}\nroleRef: {kind: ClusterRole, name: use-mine}\nsubjects: [{kind: ServiceAccount, name: db}, {kind: ServiceAccount, name: x, namespace: openshift-y}]"), Place{})
	s.Add(decode[rbacv1.ClusterRole](t, "metadata: {name: cluster-admin}\nrules: [{verbs: ['*'], apiGroups: ['*'], resources: ['*']}, {verbs: ['*'], nonResourceURLs: ['*']}]"), Place{})
	s.Add(decode[rbacv1.ClusterRoleBinding](t, "metadata: {name: ops}\nroleRef: {kind: ClusterRole, name: cluster-admin}\nsubjects: [{kind: User, name: carol}]"), Place{})
	s.Add(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "kubeadmin"}}, Place{})
	r, f := clusterOf(t, s)
	o := f.OpenShift
	if !o.Present || o.Version != "4.21.3" || o.Encryption != "aescbc" || o.AuditProfile != "None" || !o.AllowedRegistries || !o.InsecureRegistries || !o.UnsupportedOverride || o.IdentityProviders != 1 || o.Kubeadmin != "true" {
		t.Errorf("settings %+v", o)
	}
	if f.Encryption != (facts.Encryption{Configured: true, Provider: "aescbc", Path: "openshift.encryption"}) {
		t.Errorf("encryption %+v", f.Encryption)
	}
	if len(o.SCCs) != 2 || !slices.Equal(o.SCCs[0].Users, []string{"ServiceAccount/shop/db"}) || !o.SCCs[0].HostDir || o.SCCs[0].RunAsAny {
		t.Errorf("the SCC granted by RBAC: %+v", o.SCCs)
	}
	if p := o.SCCs[1]; !p.Privileged || !p.HostPID || !p.RunAsAny || !slices.Equal(p.Users, []string{"Group/system:authenticated", "ServiceAccount/shop/web", "User/bob"}) {
		t.Errorf("the SCC granted by its own lists: %+v", p)
	}
	for _, path := range []string{"openshift.encryption", "openshift.sccs", "openshift.unsupported_overrides"} {
		if m, ok := r.Missing[path]; ok {
			t.Errorf("%s was seen, but %+v", path, m)
		}
	}
}

// OpenShift's objects that nobody could read are unknown, each for itself.
func TestOpenShiftUnread(t *testing.T) {
	s := New(Options{Live: true})
	s.Cluster(ClusterInfo{Version: "v1.34.1", Groups: []string{"config.openshift.io"}, Missing: map[string]facts.Missing{"openshift.kubeadmin": {Status: facts.Unknown, Reason: "forbidden"}}})
	s.Miss(SCCs, facts.Missing{Status: facts.Unknown, Reason: "forbidden"})
	r, f := clusterOf(t, s)
	if f.OpenShift.Kubeadmin != "unknown" {
		t.Errorf("kubeadmin %q", f.OpenShift.Kubeadmin)
	}
	for _, path := range []string{"openshift.encryption", "openshift.audit_profile", "openshift.insecure_registries", "openshift.sccs", "openshift.kubeadmin", "openshift.unsupported_overrides", "encryption"} {
		if r.Missing[path].Status != facts.Unknown {
			t.Errorf("%s: %+v", path, r.Missing[path])
		}
	}
}

// Without any right, nothing of the cluster is known.
func TestClusterWithoutRights(t *testing.T) {
	s := New(Options{Live: true})
	s.Cluster(ClusterInfo{Version: "v1.37.2"})
	forbidden := facts.Missing{Status: facts.Unknown, Reason: "forbidden"}
	for _, topic := range []Topic{Pods, Controllers, Nodes, Roles, Bindings, Secrets, ConfigMaps, CertificateSigning, Namespaces, NetworkPolicies, AdmissionPolicies, MeshObjects} {
		s.Miss(topic, forbidden)
	}
	r, f := clusterOf(t, s)
	for _, path := range []string{"api_servers", "controller_managers", "schedulers", "etcds", "kube_proxies", "node_count", "kubelet_lowest", "anonymous.bindings", "token_secrets", "bootstrap_tokens", "certificates", "mappings"} {
		if r.Missing[path].Status != facts.Unknown {
			t.Errorf("%s: %+v", path, r.Missing[path])
		}
	}
	if f.Anonymous.Bindings != -1 {
		t.Errorf("bindings that nobody saw are counted: %d", f.Anonymous.Bindings)
	}
}

func TestJoinDiscoveryIsNoFinding(t *testing.T) {
	s := New(Options{Live: true})
	s.Cluster(ClusterInfo{Version: "v1.37.2"})
	s.Add(decode[rbacv1.RoleBinding](t, "metadata: {name: 'kubeadm:bootstrap-signer-clusterinfo', namespace: kube-public}\nroleRef: {kind: Role, name: 'kubeadm:bootstrap-signer-clusterinfo'}\nsubjects: [{kind: User, name: 'system:anonymous'}]"), Place{})
	s.Add(decode[rbacv1.ClusterRoleBinding](t, "metadata: {name: open}\nroleRef: {kind: ClusterRole, name: view}\nsubjects: [{kind: Group, name: 'system:unauthenticated'}]"), Place{})
	if _, f := clusterOf(t, s); f.Anonymous.Bindings != 1 {
		t.Errorf("%d bindings, want the one that is no part of kubeadm", f.Anonymous.Bindings)
	}
}

func TestNodeFacts(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	s := New(Options{Live: true, Now: now})
	s.Cluster(ClusterInfo{Version: "v1.36.1+k3s1"})
	s.Add(decode[corev1.Node](t, `
metadata:
  name: edge
  labels: {node-role.kubernetes.io/edge: ""}
  annotations:
    k3s.io/node-args: '["server","--write-kubeconfig-mode","644","--token","********"]'
    k3s.io/node-env: '{"K3S_AGENT_TOKEN":"********","K3S_KUBECONFIG_MODE":"600","HOME":"/root"}'
    weave.works/kured-most-recent-reboot-needed: "2026-11-10T11:00:00Z"
spec: {providerID: "k3s://edge"}
`), Place{})
	s.Add(decode[corev1.Node](t, "metadata: {name: plain}\nspec: {providerID: 'aws:///eu-west-1a/i-1'}"), Place{})
	s.Add(decode[rbacv1.ClusterRole](t, "metadata: {name: ask}\nrules: [{verbs: [get], apiGroups: [''], resources: [nodes/proxy]}]"), Place{})
	s.Add(decode[rbacv1.ClusterRole](t, "metadata: {name: logs}\nrules: [{verbs: ['*'], apiGroups: [''], resources: ['nodes/*']}, {verbs: [get], apiGroups: [''], resources: [nodes/log]}]"), Place{})
	s.Add(decode[rbacv1.ClusterRoleBinding](t, "metadata: {name: a}\nroleRef: {kind: ClusterRole, name: ask}\nsubjects: [{kind: ServiceAccount, name: mon, namespace: monitoring}, {kind: ServiceAccount, name: x, namespace: kube-system}, {kind: Group, name: 'system:masters'}]"), Place{})
	s.Add(decode[rbacv1.ClusterRoleBinding](t, "metadata: {name: b}\nroleRef: {kind: ClusterRole, name: logs}\nsubjects: [{kind: Group, name: ops}]"), Place{})
	s.Add(decode[rbacv1.RoleBinding](t, "metadata: {name: c, namespace: shop}\nroleRef: {kind: ClusterRole, name: ask}\nsubjects: [{kind: User, name: bob}]"), Place{})
	all := joined(s)
	edge, plain := all["Node/edge"].Facts.(*facts.Node), all["Node/plain"].Facts.(*facts.Node)
	if want := []string{"Group/ops", "ServiceAccount/monitoring/mon"}; !slices.Equal(edge.KubeletCallers, want) {
		t.Errorf("kubelet callers %v, want %v", edge.KubeletCallers, want)
	}
	if !edge.RebootDue || edge.RebootDueDays != 10 || plain.RebootDue || plain.RebootDueDays != -1 {
		t.Errorf("reboot %v %d, %v %d", edge.RebootDue, edge.RebootDueDays, plain.RebootDue, plain.RebootDueDays)
	}
	if mode, _ := facts.FlagOf(edge.K3s, "write-kubeconfig-mode"); mode != "644" {
		t.Errorf("an argument outweighs a variable, got %q", mode)
	}
	for _, name := range []string{"token", "agent-token"} {
		if v, _ := facts.FlagOf(edge.K3s, name); v != facts.Given {
			t.Errorf("%s is %q", name, v)
		}
	}
	for path, want := range map[string]bool{"disk_encrypted": true, "tpm": true, "files": true, "software": true, "kubelet": true} {
		if m := all["Node/edge"].Missing[path]; (m.Status == facts.NotAssessed) != want || m.Reason == "" {
			t.Errorf("edge node: %s: %+v", path, m)
		}
	}
	if _, asked := all["Node/plain"].Missing["disk_encrypted"]; asked {
		t.Error("who holds an ordinary node in hand is not asked")
	}
	if m := all["Node/plain"].Missing["metadata_guard"]; m.Status != facts.NotAssessed || !strings.Contains(m.Reason, "cloud") {
		t.Errorf("the identity of a node in a cloud: %+v", m)
	}
	if m := all["Node/plain"].Missing["k3s"]; m.Status != facts.NotAssessed {
		t.Errorf("a k3s node without its flags: %+v", m)
	}
}

func TestAPIProxy(t *testing.T) {
	for text, want := range map[string]bool{
		"{image: tools, command: [kubectl, proxy, --address=0.0.0.0, --accept-hosts=.*]}":                 true,
		"{image: bitnami/kubectl, args: [proxy, --address, '::']}":                                        true,
		"{image: tools, command: [/bin/sh, -c, 'sleep 1; /usr/bin/kubectl proxy --address=\"0.0.0.0\"']}": true,
		"{image: tools, command: [kubectl, proxy]}":                                                       false,
		"{image: tools, command: [kubectl, proxy, --address=127.0.0.1]}":                                  false,
		"{image: tools, command: [kubectl, get, pods, --address=0.0.0.0]}":                                false,
		"{image: proxy, args: [proxy, --address=0.0.0.0]}":                                                false,
	} {
		if got := apiProxy(decode[corev1.Container](t, text)); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}
