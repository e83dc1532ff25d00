package vm_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/postscan/postscan/scanner/collect/vm"
	"github.com/postscan/postscan/scanner/facts"
)

// controlPlaneFiles are those of a control-plane node of kubeadm, with the
// configuration files that flags of the API server name.
func controlPlaneFiles() files {
	return files{
		"etc/kubernetes/manifests/kube-apiserver.yaml": `apiVersion: v1
kind: Pod
metadata: {name: kube-apiserver, namespace: kube-system}
spec:
  containers:
  - name: kube-apiserver
    image: registry.k8s.io/kube-apiserver:v1.37.2
    command:
    - kube-apiserver
    - --authorization-config=/conf/authz.yaml
    - --authentication-config=/conf/authn.yaml
    - --encryption-provider-config=/conf/enc.yaml
    - --audit-policy-file=/conf/audit.yaml
    - --audit-log-path=/var/log/audit.log
    volumeMounts: [{name: conf, mountPath: /conf}]
  volumes: [{name: conf, hostPath: {path: /etc/kubernetes/conf}}]
`,
		"etc/kubernetes/manifests/etcd.yaml": "kind: Pod\nspec: {containers: [{name: etcd, image: 'registry.k8s.io/etcd:3.6.5-0', command: [etcd, --listen-client-urls=http://10.0.0.1:2379],\n" +
			"  env: [{name: ETCD_CLIENT_CERT_AUTH, value: 'true'}]}]}\n",
		"etc/kubernetes/manifests/.hidden.yaml": "kind: Pod\nspec: {containers: [{name: kube-scheduler, image: kube-scheduler, command: [kube-scheduler]}]}\n",
		"etc/kubernetes/manifests/other.yaml":   "kind: Pod\nspec: {containers: [{name: etcd, image: example.com/not-it, command: [etcd]}]}\n",
		"etc/kubernetes/conf/authz.yaml":        "kind: AuthorizationConfiguration\nauthorizers: [{type: Node}, {type: AlwaysAllow}]\n",
		"etc/kubernetes/conf/authn.yaml":        "kind: AuthenticationConfiguration\nanonymous: {enabled: true, conditions: [{path: /livez}, {path: /readyz}]}\n",
		"etc/kubernetes/conf/enc.yaml": "kind: EncryptionConfiguration\nresources:\n- resources: [configmaps]\n  providers: [{identity: {}}]\n" +
			"- resources: [secrets]\n  providers: [{aescbc: {keys: [{name: k, secret: c2VjcmV0LXZhbHVl}]}}, {identity: {}}]\n",
		"etc/kubernetes/conf/audit.yaml": "kind: Policy\nrules:\n- {level: None, users: [system:kube-proxy], resources: [{group: '', resources: [secrets]}]}\n" +
			"- {level: None, resources: [{group: '', resources: [pods/exec, serviceaccounts/token]}]}\n- {level: Metadata, nonResourceURLs: ['/api*']}\n- {level: Metadata, resources: [{group: ''}]}\n",
	}
}

func plane(t *testing.T, f files) *facts.Resource {
	t.Helper()
	for _, r := range collect(t, vm.Options{Root: guest().with(f).write(t)}).resources {
		if r.Kind == facts.KindCluster {
			return r
		}
	}
	return nil
}

func TestControlPlane(t *testing.T) {
	r := plane(t, controlPlaneFiles())
	if r == nil {
		t.Fatal("no control plane was found")
	}
	c, ok := r.Facts.(*facts.Cluster)
	if !ok || len(c.APIServers) != 1 || len(c.Etcds) != 1 || len(c.Schedulers) != 0 {
		t.Fatalf("components %+v", c)
	}
	server := c.APIServers[0]
	if server.Version != "1.37.2" || server.Where == "" || r.Places["api_servers[0]"].File != "/etc/kubernetes/manifests/kube-apiserver.yaml" {
		t.Errorf("API server %+v at %+v", server, r.Places)
	}
	if !server.Config.Read || !slices.Equal(server.Config.Authorizers, []string{"Node", "AlwaysAllow"}) || server.Config.SecretsProvider != "aescbc" ||
		!slices.Equal(server.Config.AuditDrops, []string{"exec", "rbac-writes", "token-requests"}) {
		t.Errorf("configuration %+v", server.Config)
	}
	if c.Anonymous.Enabled != "true" || !c.Anonymous.Limited || c.Anonymous.Bindings != -1 || c.Encryption.Provider != "aescbc" {
		t.Errorf("%+v, %+v", c.Anonymous, c.Encryption)
	}
	if v, _ := facts.FlagOf(c.Etcds[0].Flags, "client-cert-auth"); v != "true" {
		t.Errorf("etcd %+v", c.Etcds[0])
	}
	for path, m := range r.Missing {
		if m.Status != facts.NotAssessed {
			t.Errorf("%s: %+v", path, m)
		}
	}
	if m := r.Missing["controller_managers"]; !m.Partial {
		t.Errorf("what is not on this machine: %+v", m)
	}
	got := verdicts(t, []*facts.Resource{r}, "PS-CP-001", "PS-CP-003", "PS-CP-010", "PS-CP-011", "PS-CP-017")
	for _, id := range []string{"PS-CP-003", "PS-CP-010", "PS-CP-011", "PS-CP-017"} {
		if !strings.Contains(strings.Join(got, "\n"), id) {
			t.Errorf("%s says nothing: %v", id, got)
		}
	}
}

// A file that a flag names and that cannot be read is unknown; what else is
// there is judged.
func TestControlPlaneUnread(t *testing.T) {
	f := controlPlaneFiles()
	delete(f, "etc/kubernetes/conf/enc.yaml")
	f["etc/kubernetes/manifests/broken.yaml"] = "kind: [Pod"
	r := plane(t, f)
	for _, path := range []string{"encryption.provider", "schedulers", "api_servers"} {
		if m := r.Missing[path]; m.Status != facts.Unknown || !m.Partial || m.Reason == "" {
			t.Errorf("%s: %+v", path, m)
		}
	}
}

func TestNoControlPlane(t *testing.T) {
	if r := plane(t, files{"etc/hostname": "web\n"}); r != nil {
		t.Errorf("%+v", r)
	}
}
