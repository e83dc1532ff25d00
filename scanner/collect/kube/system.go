package kube

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/postscan/postscan/scanner/facts"
)

// systemComponent recognises a well-known component by where it runs, how its
// object's name starts, and the last part of an image's repository.
type systemComponent struct {
	component  string
	namespaces []string
	name       string
	images     []string
}

var inKubeSystem = []string{"kube-system"}

// components are what clusters and distributions bring along.
var components = []systemComponent{
	{"kube-apiserver", inKubeSystem, "kube-apiserver", []string{"kube-apiserver", "kube-apiserver-amd64", "hyperkube"}},
	{"kube-controller-manager", inKubeSystem, "kube-controller-manager", []string{"kube-controller-manager", "hyperkube"}},
	{"kube-scheduler", inKubeSystem, "kube-scheduler", []string{"kube-scheduler", "hyperkube"}},
	{"etcd", inKubeSystem, "etcd", []string{"etcd", "hardened-etcd"}},
	{"kube-proxy", inKubeSystem, "kube-proxy", []string{"kube-proxy", "hardened-kube-proxy", "kube-proxy-gke"}},
	{"coredns", inKubeSystem, "coredns", []string{"coredns", "mirrored-coredns-coredns", "hardened-coredns"}},
	{"coredns", inKubeSystem, "kube-dns", []string{"coredns", "k8s-dns-kube-dns", "kube-dns"}},
	{"dns-autoscaler", inKubeSystem, "kube-dns-autoscaler", []string{"cluster-proportional-autoscaler"}},
	{"dns-autoscaler", inKubeSystem, "coredns-autoscaler", []string{"cluster-proportional-autoscaler"}},
	{"node-local-dns", inKubeSystem, "node-local-dns", []string{"k8s-dns-node-cache"}},
	{"metrics-server", inKubeSystem, "metrics-server", []string{"metrics-server", "mirrored-metrics-server"}},
	{"konnectivity-agent", inKubeSystem, "konnectivity-agent", []string{"proxy-agent"}},
	{"cloud-controller-manager", inKubeSystem, "cloud-controller-manager", []string{"cloud-controller-manager"}},
	{"calico", []string{"kube-system", "calico-system"}, "calico-", []string{"node", "kube-controllers", "typha", "mirrored-calico-node"}},
	{"calico", []string{"tigera-operator"}, "tigera-operator", []string{"operator"}},
	{"cilium", inKubeSystem, "cilium", []string{"cilium", "operator", "operator-generic", "cilium-envoy", "hubble-relay"}},
	{"flannel", []string{"kube-system", "kube-flannel"}, "kube-flannel", []string{"flannel"}},
	{"kindnet", inKubeSystem, "kindnet", []string{"kindnetd"}},
	{"weave-net", inKubeSystem, "weave-net", []string{"weave-kube", "weave-npc"}},
	{"antrea", inKubeSystem, "antrea", []string{"antrea-agent-ubuntu", "antrea-controller-ubuntu", "antrea-ubuntu"}},
	{"kube-router", inKubeSystem, "kube-router", []string{"kube-router"}},
	{"aws-node", inKubeSystem, "aws-node", []string{"amazon-k8s-cni"}},
	{"ebs-csi", inKubeSystem, "ebs-csi-", []string{"aws-ebs-csi-driver"}},
	{"efs-csi", inKubeSystem, "efs-csi-", []string{"aws-efs-csi-driver"}},
	{"eks-pod-identity-agent", inKubeSystem, "eks-pod-identity-agent", []string{"eks-pod-identity-agent"}},
	{"azure-cns", inKubeSystem, "azure-cns", []string{"azure-cns"}},
	{"azure-npm", inKubeSystem, "azure-npm", []string{"azure-npm"}},
	{"azure-csi", inKubeSystem, "csi-azure", []string{"azuredisk-csi", "azurefile-csi", "azuredisk-csi-driver", "azurefile-csi-driver"}},
	{"cloud-node-manager", inKubeSystem, "cloud-node-manager", []string{"azure-cloud-node-manager"}},
	{"gke-dataplane", inKubeSystem, "anetd", []string{"cilium"}},
	{"gke-netd", inKubeSystem, "netd", []string{"netd-gke"}},
	{"gke-metadata-server", inKubeSystem, "gke-metadata-server", []string{"gke-metadata-server"}},
	{"pdcsi-node", inKubeSystem, "pdcsi-node", []string{"gcp-compute-persistent-disk-csi-driver"}},
	{"fluentbit-gke", inKubeSystem, "fluentbit-gke", []string{"fluent-bit"}},
	{"local-path-provisioner", []string{"kube-system", "local-path-storage"}, "local-path-provisioner", []string{"local-path-provisioner"}},
	{"traefik", inKubeSystem, "traefik", []string{"mirrored-library-traefik"}},
	{"traefik", inKubeSystem, "svclb-", []string{"klipper-lb", "mirrored-klipper-lb"}},
	{"helm-install", inKubeSystem, "helm-install-", []string{"klipper-helm"}},
	{"storage-provisioner", inKubeSystem, "storage-provisioner", []string{"storage-provisioner"}},
	{"nvidia-device-plugin", inKubeSystem, "nvidia-", []string{"k8s-device-plugin"}},
}

// networkPlugins recognises network plugins by the name of their DaemonSet.
// enforces says whether they enforce NetworkPolicy.
var networkPlugins = []struct{ prefix, plugin, enforces string }{
	{"calico-node", "calico", "true"}, {"canal", "calico", "true"}, {"cilium", "cilium", "true"}, {"anetd", "gke-dataplane-v2", "true"},
	{"antrea-agent", "antrea", "true"}, {"weave-net", "weave", "true"}, {"kube-router", "kube-router", "true"}, {"azure-npm", "azure-npm", "true"},
	{"ovnkube-node", "ovn-kubernetes", "true"}, {"sdn", "openshift-sdn", "true"}, {"kube-flannel", "flannel", "false"}, {"aws-node", "aws-vpc-cni", "unknown"},
	{"azure-cns", "azure-cni", "unknown"}, {"kindnet", "kindnet", "unknown"}, {"romana-agent", "romana", "true"},
	{"kube-network-policies", "kube-network-policies", "true"}, {"canal-node", "calico", "true"}, {"rke2-canal", "calico", "true"},
}

// networkPlugin books the network plugin that a DaemonSet is.
func (s *Set) networkPlugin(r ref, f *facts.Workload, pod *corev1.PodSpec) {
	if !systemNamespace(r.namespace) {
		return
	}
	for _, p := range networkPlugins {
		if p.prefix == "sdn" && r.name.name != "sdn" || !strings.HasPrefix(r.name.name, p.prefix) {
			continue
		}
		enforces := p.enforces
		for i := range f.Containers {
			c := &f.Containers[i]
			if p.plugin == "kindnet" && strings.HasPrefix(c.Image.Tag, "v20") { // images are named by their day
				enforces = "false"
				if c.Image.Tag >= "v20240813" {
					enforces = "true" // it brings kube-network-policies since then
				}
			}
		}
		if p.plugin == "aws-vpc-cni" {
			enforces = awsPolicyAgent(pod)
		}
		s.cluster.plugins[p.plugin] = enforces
		return
	}
}

// awsPolicyAgent says whether the node agent of the VPC CNI enforces policies: it
// is a container of its own, with a switch that is off by default.
func awsPolicyAgent(pod *corev1.PodSpec) string {
	for i := range pod.Containers {
		c := &pod.Containers[i]
		if !strings.Contains(c.Image, "network-policy-agent") {
			continue
		}
		for _, arg := range c.Args {
			if v, ok := strings.CutPrefix(arg, "--enable-network-policy"); ok {
				return strconv.FormatBool(v == "" || v == "=true")
			}
		}
	}
	return "false"
}

// ingressController recognises ingress-nginx and tells what is known of it.
func (s *Set) ingressController(w *work) facts.IngressController {
	var c facts.IngressController
	for i := range w.facts.Containers {
		im := &w.facts.Containers[i].Image
		if strings.HasSuffix(im.Repository, "ingress-nginx/controller") || strings.HasSuffix(im.Repository, "ingress-nginx/controller-chroot") || strings.HasSuffix(im.Repository, "nginx-ingress-controller") {
			c.Name, c.Path = "ingress-nginx", w.facts.Containers[i].Path
			if v := strings.TrimPrefix(im.Tag, "v"); leadingNumber(v) > 0 || strings.HasPrefix(v, "0.") {
				c.Version = v
			}
		}
	}
	if c.Name == "" {
		return c
	}
	c.SnippetsAllowed = "unknown"
	if _, miss := s.miss[ConfigMaps]; !miss && s.opts.Live {
		c.SnippetsAllowed = unset
	}
	for n, v := range s.cluster.snippetConfigs {
		if n.namespace == w.ref.namespace && c.SnippetsAllowed != "true" {
			c.SnippetsAllowed = v
		}
	}
	for _, in := range s.ingresses {
		if len(in.facts.Snippets) > 0 {
			c.SnippetUsers = append(c.SnippetUsers, in.ref.namespace+"/"+in.ref.name.name)
		}
	}
	slices.Sort(c.SnippetUsers)
	return c
}

// systemWebhook names the well-known owner of a webhook, by both of its names.
func systemWebhook(config, webhook string) string {
	for _, w := range [][3]string{
		{"gatekeeper-", "gatekeeper.sh", "gatekeeper"}, {"kyverno-", "kyverno.svc", "kyverno"}, {"cert-manager-webhook", "cert-manager.io", "cert-manager"},
		{"istio", "istio.io", "istio"}, {"linkerd-", "linkerd.io", "linkerd"}, {"aks-", "azmk8s.io", "aks"}, {"aks-", "kubernetes.azure.com", "aks"},
		{"pod-identity-webhook", "amazonaws.com", "eks"}, {"vpc-resource-", "vpc.k8s.aws", "eks"}, {"eks-", "eks.amazonaws.com", "eks"},
		{"warden-", "common-webhooks.networking.gke.io", "gke"}, {"", ".gke.io", "gke"}, {"", ".openshift.io", "openshift"}, {"ingress-nginx-admission", "nginx.ingress.kubernetes.io", "ingress-nginx"},
	} {
		if strings.HasPrefix(config, w[0]) && strings.HasSuffix(webhook, w[1]) {
			return w[2]
		}
	}
	return ""
}
