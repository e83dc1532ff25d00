package vm_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postscan/postscan/scanner/collect/vm"
	"github.com/postscan/postscan/scanner/facts"
)

// flag is the value of a flag of the first component; "" where there is none.
func flag(list []facts.Component, name string) string {
	if len(list) == 0 {
		return ""
	}
	v, _ := facts.FlagOf(list[0].Flags, name)
	return v
}

// resourceOf returns the resource of a kind, nil where there is none.
func resourceOf(t *testing.T, root string, kind facts.Kind) *facts.Resource {
	t.Helper()
	for _, r := range collect(t, vm.Options{Root: root, NoPackages: true}).resources {
		if r.Kind == kind {
			return r
		}
	}
	return nil
}

func clusterOf(t *testing.T, r *facts.Resource) *facts.Cluster {
	t.Helper()
	if r == nil {
		t.Fatal("no control plane was found")
	}
	return r.Facts.(*facts.Cluster)
}

// A control plane that no static pod starts: processes, units of systemd, and one in a container.
func TestControlPlaneOutsideOfPods(t *testing.T) {
	wants := "etc/systemd/system/multi-user.target.wants/"
	root := guest().with(files{
		"proc/501/comm":    "kube-apiserver\n",
		"proc/501/cmdline": "/usr/local/bin/kube-apiserver\x00--authorization-mode=AlwaysAllow\x00--encryption-provider-config\x00/etc/kubernetes/enc.yaml\x00",
		"proc/501/cgroup":  "0::/system.slice/kube-apiserver.service\n",
		"proc/502/comm":    "kube-controller\n",
		"proc/502/cmdline": "kube-controller-manager\x00--profiling=false\x00--bind-address=0.0.0.0\x00",
		"proc/503/comm":    "kube-proxy\n",
		"proc/503/cmdline": "/usr/local/bin/kube-proxy\x00--config=/var/lib/kube-proxy/config.conf\x00",
		"proc/503/cgroup":  "0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-0123.scope\n",
		"proc/504/comm":    "kube-scheduler\n", // another program of that name
		"proc/504/cmdline": "/opt/other/thing\x00--profiling=false\x00",
		"usr/lib/systemd/system/kube-scheduler.service":      "[Service]\nExecStart=/usr/bin/kube-scheduler \\\n  $ARGS --bind-address=${HOST}\n",
		"etc/systemd/system/kube-scheduler.service.d/a.conf": "[Service]\nEnvironment=ARGS=--profiling=true HOST=127.0.0.1\n",
		wants + "kube-scheduler.service":                     "-> /usr/lib/systemd/system/kube-scheduler.service",
		"etc/systemd/system/etcd.service":                    "[Service]\nEnvironmentFile=-/etc/etcd.env\nExecStart=/usr/bin/etcd\n",
		wants + "etcd.service":                               "-> /etc/systemd/system/etcd.service",
		"etc/etcd.env":                                       "ETCD_DATA_DIR=\"/srv/etcd\"\nETCD_LISTEN_CLIENT_URLS=http://10.0.0.1:2379\n",
		"etc/kubernetes/enc.yaml":                            "resources:\n- resources: [secrets]\n  providers: [{identity: {}}]\n",
		"var/lib/kube-proxy/config.conf":                     "metricsBindAddress: 0.0.0.0:10249\n",
		"srv/etcd":                                           "0755|dir",
	}).with(node(t)).write(t)
	r := resourceOf(t, root, facts.KindCluster)
	c := clusterOf(t, r)
	if flag(c.APIServers, "authorization-mode") != "AlwaysAllow" || c.Encryption.Provider != "identity" || r.Places["api_servers[0]"].File != "/proc/501/cmdline" {
		t.Errorf("API server %+v, encryption %+v, places %+v", c.APIServers, c.Encryption, r.Places)
	}
	if flag(c.ControllerManagers, "bind-address") != "0.0.0.0" {
		t.Errorf("controller manager %+v", c.ControllerManagers)
	}
	if flag(c.Schedulers, "profiling") != "true" || flag(c.Schedulers, "bind-address") != "127.0.0.1" || r.Places["schedulers[0]"].File != "/usr/lib/systemd/system/kube-scheduler.service" {
		t.Errorf("scheduler %+v", c.Schedulers)
	}
	if flag(c.Etcds, "listen-client-urls") != "http://10.0.0.1:2379" {
		t.Errorf("etcd %+v", c.Etcds)
	}
	// kube-proxy runs in a pod: the file of that name on the machine is not its own.
	if m := r.Missing["kube_proxies[].flags"]; flag(c.KubeProxies, "metrics-bind-address") != "" || !m.Partial || !strings.Contains(m.Reason, "in a container") {
		t.Errorf("kube-proxy %+v, missing %+v", c.KubeProxies, m)
	}
	expect(t, verdicts(t, []*facts.Resource{r}, "PS-CP-003", "PS-CP-011", "PS-CP-017"), []string{
		"PS-CP-003 worker-1/kube-apiserver/authorization-mode/AlwaysAllow", "PS-CP-003 worker-1/kube-apiserver/authorization-mode/RBAC", "PS-CP-011 provider",
		"PS-CP-017 worker-1/etcd/cert-file", "PS-CP-017 worker-1/etcd/client-cert-auth", "PS-CP-017 worker-1/etcd/key-file", "PS-CP-017 worker-1/etcd/listen-client-urls",
	})
	for _, f := range resourceOf(t, root, facts.KindNode).Facts.(*facts.Node).Files {
		if f.Role == facts.RoleEtcdData && f.Path == "/srv/etcd" && f.Mode == 0o755 {
			return
		}
	}
	t.Error("the data folder that etcd names is not among the files")
}

// kube-proxy on the machine itself: its configuration file says what flags do not.
func TestKubeProxyUnit(t *testing.T) {
	root := guest().with(node(t)).with(files{
		"proc/503/comm": "kube-proxy\n", "proc/503/cmdline": "kube-proxy\x00--config=/var/lib/kube-proxy/config.yaml\x00", "proc/503/cgroup": "0::/system.slice/kube-proxy.service\n",
		"var/lib/kube-proxy/config.yaml": "kind: KubeProxyConfiguration\nmetricsBindAddress: 0.0.0.0:10249\n",
	}).write(t)
	r := resourceOf(t, root, facts.KindCluster)
	if c := clusterOf(t, r); flag(c.KubeProxies, "metrics-bind-address") != "0.0.0.0:10249" || c.KubeProxies[0].ConfigFile {
		t.Errorf("kube-proxy %+v", c.KubeProxies)
	}
}

// Etcd's data lies where its static pod says, by the volume that is mounted there, or where its own file says.
func TestEtcdData(t *testing.T) {
	for name, tt := range map[string]struct {
		more files
		want string
	}{
		"data-dir of a static pod": {files{
			"etc/kubernetes/manifests/etcd.yaml": "spec: {containers: [{name: etcd, image: 'registry.k8s.io/etcd:3.6.5-0', command: [etcd, --data-dir=/data/member],\n" +
				"  volumeMounts: [{name: d, mountPath: /data}]}], volumes: [{name: d, hostPath: {path: /mnt/fast/etcd}}]}\n",
			"mnt/fast/etcd/member": "0700|dir",
		}, "/mnt/fast/etcd/member"},
		"config-file of RKE2": {files{
			"var/lib/rancher/rke2/agent/pod-manifests/etcd.yaml": "spec: {containers: [{name: etcd, image: 'index.docker.io/rancher/hardened-etcd:v3.5', command: [etcd, --config-file=/var/lib/rancher/rke2/server/db/etcd/config],\n" +
				"  volumeMounts: [{name: d, mountPath: /var/lib/rancher/rke2/server/db/etcd}]}], volumes: [{name: d, hostPath: {path: /var/lib/rancher/rke2/server/db/etcd}}]}\n",
			"var/lib/rancher/rke2/server/db/etcd/config": "data-dir: /var/lib/rancher/rke2/server/db/etcd\nlisten-client-urls: https://127.0.0.1:2379\nclient-transport-security:\n  client-cert-auth: true\n  trusted-ca-file: /ca\n" +
				"peer-transport-security:\n  client-cert-auth: true\n",
		}, "/var/lib/rancher/rke2/server/db/etcd"},
		"the usual place": {files{"var/lib/etcd": "0700|dir"}, "/var/lib/etcd"},
	} {
		t.Run(name, func(t *testing.T) {
			root := guest().with(node(t)).with(tt.more).write(t)
			var found []string
			for _, f := range resourceOf(t, root, facts.KindNode).Facts.(*facts.Node).Files {
				if f.Role == facts.RoleEtcdData {
					found = append(found, f.Path)
				}
			}
			expect(t, found, []string{tt.want})
			if strings.Contains(name, "RKE2") {
				c := clusterOf(t, resourceOf(t, root, facts.KindCluster))
				if flag(c.Etcds, "client-cert-auth") != "true" || flag(c.Etcds, "peer-client-cert-auth") != "true" || c.Etcds[0].ConfigFile {
					t.Errorf("etcd %+v", c.Etcds)
				}
			}
		})
	}
}

// An etcd on a machine that is no node is not taken for a cluster's.
func TestEtcdOfSomethingElse(t *testing.T) {
	root := guest().with(files{"proc/9/comm": "etcd\n", "proc/9/cmdline": "etcd\x00--data-dir=/srv\x00"}).write(t)
	if r := resourceOf(t, root, facts.KindCluster); r != nil {
		t.Errorf("%+v", r)
	}
}

// MicroK8s keeps arguments, keys and kubeconfigs in its own places.
func TestMicroK8s(t *testing.T) {
	const data = "var/snap/microk8s/current/"
	root := guest().with(files{
		data + "args/kubelet":                "--kubeconfig=${SNAP_DATA}/credentials/kubelet.config\n--client-ca-file=${SNAP_DATA}/certs/ca.crt\n--anonymous-auth=false\n# a comment\n--authorization-mode=Webhook\n",
		data + "args/kube-apiserver":         "--authorization-mode=RBAC,Node\n--token-auth-file=${SNAP_DATA}/credentials/known_tokens.csv\n",
		data + "certs/ca.crt":                certificate(t, "10.152.183.1"),
		data + "certs/server.key":            "0660|key",
		data + "credentials/client.config":   "0660|apiVersion: v1\n",
		data + "credentials/kubelet.config":  "0600|apiVersion: v1\n",
		data + "var/kubernetes/backend/x":    "0600|x",
		"proc/77/comm":                       "kubelite\n",
		"etc/systemd/system/ignored.service": "[Service]\n",
	}).write(t)
	must(t, os.Chmod(filepath.Join(root, data, "var/kubernetes/backend"), 0o750))
	r := resourceOf(t, root, facts.KindNode)
	if r == nil {
		t.Fatal("it is not taken for a node")
	}
	n := r.Facts.(*facts.Node)
	if n.Kubelet.AnonymousAuth || n.Kubelet.AuthorizationMode != "Webhook" || n.Kubelet.ClientCAFile != "/"+data+"certs/ca.crt" {
		t.Errorf("kubelet %+v, missing %+v", n.Kubelet, r.Missing)
	}
	roles := map[string]bool{}
	for _, f := range n.Files {
		roles[f.Role+" /"+strings.TrimPrefix(f.Path, "/")] = true
	}
	for _, want := range []string{
		facts.RolePrivateKey + " /" + data + "certs/server.key", facts.RoleAdminKubeconfig + " /" + data + "credentials/client.config",
		facts.RoleKubeletConf + " /" + data + "credentials/kubelet.config", facts.RoleEtcdData + " /" + data + "var/kubernetes/backend", facts.RoleKubeletConfig + " /" + data + "args/kubelet",
	} {
		if !roles[want] {
			t.Errorf("%s is missing among %v", want, roles)
		}
	}
	c := clusterOf(t, resourceOf(t, root, facts.KindCluster))
	if flag(c.APIServers, "authorization-mode") != "RBAC,Node" {
		t.Errorf("API server %+v", c.APIServers)
	}
}

// Options of sshd's command line come before its files: of the unit, and of the process where it runs.
func TestSSHDOptions(t *testing.T) {
	unit := guest().with(files{
		"usr/sbin/sshd": "0755|x", "etc/ssh/sshd_config": "PermitRootLogin no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n",
		"usr/lib/systemd/system/ssh.service":                     "[Service]\nEnvironmentFile=-/etc/default/ssh\nExecStart=/usr/sbin/sshd -D $SSHD_OPTS\n",
		"etc/systemd/system/multi-user.target.wants/ssh.service": "-> /usr/lib/systemd/system/ssh.service",
		"etc/default/ssh": "SSHD_OPTS=\"-o PasswordAuthentication=yes\"\n",
	})
	_, r := machine(t, vm.Options{Root: unit.write(t), NoPackages: true})
	expect(t, verdicts(t, []*facts.Resource{r}, "PS-VM-009"), []string{"PS-VM-009 password"})
	if p := r.Place("ssh.password_authentication"); p.Origin.File != "/usr/lib/systemd/system/ssh.service" {
		t.Errorf("read at %+v", p)
	}
	running := unit.with(files{
		"proc/88/comm":            "sshd\n",
		"proc/88/cmdline":         "sshd: /usr/sbin/sshd -f /etc/ssh/other_config -o PermitRootLogin=yes [listener] 0 of 10-100 startups\x00",
		"etc/ssh/other_config":    "PasswordAuthentication no\nKbdInteractiveAuthentication no\nAuthorizedKeysFile /etc/keys/%u\n",
		"etc/keys/root":           "ssh-ed25519 AAAA a\n",
		"root/.ssh/unused_for_it": "x",
	})
	_, r = machine(t, vm.Options{Root: running.write(t), NoPackages: true})
	expect(t, verdicts(t, []*facts.Resource{r}, "PS-VM-009"), []string{"PS-VM-009 root", "PS-VM-009 root keys"})
}
