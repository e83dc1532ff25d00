package kube

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/postscan/postscan/scanner/facts"
)

// openShiftPods are static pods of OpenShift's control plane, cut down to what
// makes them recognisable.
var openShiftPods = []string{
	`metadata: {name: kube-apiserver-m0, namespace: openshift-kube-apiserver, annotations: {kubernetes.io/config.mirror: x}}
spec:
  nodeName: m0
  containers:
  - name: kube-apiserver
    image: quay.io/openshift-release-dev/ocp-v4.0-art-dev@sha256:aaaa
    command: [/bin/bash, -ec]
    args:
    - |
      # waits for the kube-apiserver of before
      exec watch-termination --graceful-termination-duration=15s -- hyperkube kube-apiserver --openshift-config=/etc/config.yaml --bind-address=${HOST_IP} --profiling=false --permit-address-sharing`,
	`metadata: {name: kube-controller-manager-m0, namespace: openshift-kube-controller-manager, annotations: {kubernetes.io/config.mirror: x}}
spec:
  containers:
  - name: kube-controller-manager
    image: mirror.example/any@sha256:aaaa
    command: [/bin/bash, -c]
    args:
    - "exec hyperkube kube-controller-manager --openshift-config=/etc/config.yaml \\\n  --authentication-kubeconfig=/etc/kubeconfig || exit 1\n"`,
	`metadata: {name: openshift-kube-scheduler-m0, namespace: openshift-kube-scheduler, annotations: {kubernetes.io/config.mirror: x}}
spec:
  containers:
  - {name: kube-scheduler, image: 'mirror.example/any@sha256:aaaa', command: [hyperkube, kube-scheduler], args: [--config=/etc/config.yaml, --tls-min-version=VersionTLS12]}`,
	`metadata: {name: etcd-m0, namespace: openshift-etcd, annotations: {kubernetes.io/config.mirror: x}}
spec:
  containers:
  - {name: etcdctl, image: 'mirror.example/any@sha256:aaaa', command: [/bin/bash, -c, 'sleep infinity']}
  - name: etcd
    image: mirror.example/any@sha256:aaaa
    env: [{name: ON_ALL, value: 0.0.0.0}]
    command:
    - /bin/sh
    - -c
    - "etcdctl member list || true\n# see https://etcd.io\nexec nice -n -19 etcd \\\n --client-cert-auth=true \\\n --listen-client-urls=https://${ON_ALL}:2379 || mv a b"`,
	// Named alike, and something else.
	`metadata: {name: kube-apiserver-x, namespace: openshift-kube-apiserver}
spec: {containers: [{name: kube-apiserver, image: i, command: [/bin/bash, -c, 'echo kube-apiserver']}]}`,
}

const openShiftSettings = `metadata: {name: config, namespace: openshift-kube-apiserver}
data:
  config.yaml: |
    {"apiVersion": "kubecontrolplane.config.openshift.io/v1", "kind": "KubeAPIServerConfig", "secretive": "hunter2",
     "apiServerArguments": {"anonymous-auth": ["true"], "authorization-mode": ["Scope", "RBAC"], "profiling": ["true"], "made-up": ["hunter2"], "enable-admission-plugins": ["AlwaysPullImages"]}}`

// OpenShift's control plane is read from its static pods and from the ConfigMap
// that holds their arguments. What neither tells stays open.
func TestOpenShiftControlPlane(t *testing.T) {
	for _, seen := range []bool{true, false} {
		s := New(Options{Live: true})
		if seen {
			s.Add(decode[corev1.ConfigMap](t, openShiftSettings), Place{})
			s.Add(decode[corev1.ConfigMap](t, strings.NewReplacer("kube-apiserver}", "kube-controller-manager}", "apiServerArguments", "extendedArguments").Replace(openShiftSettings)), Place{})
		}
		s.Cluster(ClusterInfo{Version: "v1.34.1", Groups: []string{"config.openshift.io"}, Missing: map[string]facts.Missing{}})
		for _, p := range openShiftPods {
			s.Add(decode[corev1.Pod](t, p), Place{})
		}
		var r *facts.Resource
		component := map[string]string{}
		for res := range s.Resources() {
			switch f := res.Facts.(type) {
			case *facts.Cluster:
				r = res
			case *facts.Workload:
				component[res.ID] = f.Component
				if want := map[bool]string{true: "false", false: "unknown"}; f.Cluster.DenyExternalIPs != want[seen] {
					t.Errorf("seen %v: the admission plugin of external IPs is %q", seen, f.Cluster.DenyExternalIPs)
				}
			}
		}
		c := r.Facts.(*facts.Cluster)
		flags := func(list []facts.Component) string {
			if len(list) != 1 {
				t.Fatalf("components %+v", list)
			}
			var out []string
			for _, f := range list[0].Flags {
				out = append(out, f.Name+"="+f.Value)
			}
			if !list[0].ConfigFile {
				t.Errorf("%s: what is not in its flags counts as not set", list[0].Name)
			}
			return strings.Join(out, " ")
		}
		want := map[string]string{
			"api": "openshift-config=/etc/config.yaml profiling=false", "managers": "openshift-config=/etc/config.yaml authentication-kubeconfig=/etc/kubeconfig",
			"schedulers": "config=/etc/config.yaml tls-min-version=VersionTLS12", "etcds": "client-cert-auth=true listen-client-urls=https://0.0.0.0:2379",
		}
		if seen {
			want["api"] += " anonymous-auth=true authorization-mode=Scope,RBAC enable-admission-plugins=AlwaysPullImages"
			want["managers"] += " profiling=true"
		}
		for name, got := range map[string]string{"api": flags(c.APIServers), "managers": flags(c.ControllerManagers), "schedulers": flags(c.Schedulers), "etcds": flags(c.Etcds)} {
			if got != want[name] {
				t.Errorf("seen %v: %s has %q, want %q", seen, name, got, want[name])
			}
		}
		if m := r.Missing["api_servers[].flags"]; m.Status != facts.NotAssessed || !m.Partial {
			t.Errorf("flags: %+v", m)
		}
		if text := fmt.Sprintf("%+v", c); strings.Contains(text, "hunter2") {
			t.Errorf("a value that no check asks for is kept: %s", text)
		}
		if component["openshift-etcd/Pod/etcd-m0"] != "etcd" || component["openshift-kube-apiserver/Pod/kube-apiserver-x"] != "" {
			t.Errorf("components %v", component)
		}
	}
}
