package kube

import (
	"slices"
	"strings"

	"github.com/postscan/postscan/scanner/facts"
)

// componentAccess is what a component that clusters bring along may do, as its
// own project publishes it. It is recognised as the bootstrap roles are: by the
// names of binding, role and subject together, and by a role that grants
// nothing beyond these rules.
type componentAccess struct {
	component string
	role      string   // as ref.id writes it
	bindings  []string // those that give the role
	subjects  []string
	rules     []string // "verbs groups resources [names]", lists with commas; "core" is the group ""
}

// componentAccesses lists them. A component is not here for being well known
// but for being installed with the cluster: what people install themselves is
// judged like their own. The rules are those of the projects' own manifests:
// kube-flannel.yml of flannel, const_cni.go of kind, local-path-storage.yaml of
// rancher/local-path-provisioner (before and after it left endpoints), the chart
// aws-vpc-cni of EKS, and what the Helm controller of k3s makes for Traefik.
var componentAccesses = []componentAccess{
	{"flannel", "ClusterRole/flannel", []string{"ClusterRoleBinding/flannel"}, []string{"kube-flannel/ServiceAccount/flannel", "kube-system/ServiceAccount/flannel"}, []string{
		"get core pods,nodes", "list,watch core nodes", "patch core nodes/status", "list,watch networking.k8s.io clustercidrs",
	}},
	{"kindnet", "ClusterRole/kindnet", []string{"ClusterRoleBinding/kindnet"}, []string{"kube-system/ServiceAccount/kindnet"}, []string{
		"list,watch,patch core nodes", "get core configmaps", "list,watch core pods,namespaces", "list,watch networking.k8s.io networkpolicies",
	}},
	{
		"local-path-provisioner", "ClusterRole/local-path-provisioner-role", []string{"ClusterRoleBinding/local-path-provisioner-bind"},
		[]string{"local-path-storage/ServiceAccount/local-path-provisioner-service-account", "kube-system/ServiceAccount/local-path-provisioner-service-account"},
		[]string{
			"get,list,watch core nodes,persistentvolumeclaims,configmaps,pods,pods/log", "* core endpoints,persistentvolumes,pods",
			"get,list,watch,create,patch,update,delete core persistentvolumes", "create,patch core events", "get,list,watch storage.k8s.io storageclasses",
		},
	},
	{"storage-provisioner", "ClusterRole/system:persistent-volume-provisioner", []string{"ClusterRoleBinding/storage-provisioner"}, []string{"kube-system/ServiceAccount/storage-provisioner"}, nil},
	{"kube-proxy", "ClusterRole/system:node-proxier", []string{"ClusterRoleBinding/eks:kube-proxy"}, []string{"kube-system/ServiceAccount/kube-proxy"}, nil},
	{"aws-node", "ClusterRole/aws-node", []string{"ClusterRoleBinding/aws-node"}, []string{"kube-system/ServiceAccount/aws-node"}, []string{
		"get,list,watch crd.k8s.amazonaws.com eniconfigs", "list,watch,get core namespaces", "list,watch,get core pods", "list,watch,get core nodes",
		"create,patch,list core events", "create,patch,list events.k8s.io events", "get,list,watch,update,patch networking.k8s.aws policyendpoints",
		"get networking.k8s.aws policyendpoints/status", "get,list,watch vpcresources.k8s.aws cninodes", "update,patch vpcresources.k8s.aws cninodes",
	}},
	{"k3s", "ClusterRole/cluster-admin", []string{"ClusterRoleBinding/helm-kube-system-traefik"}, []string{"kube-system/ServiceAccount/helm-traefik"}, nil},
	{"k3s", "ClusterRole/cluster-admin", []string{"ClusterRoleBinding/helm-kube-system-traefik-crd"}, []string{"kube-system/ServiceAccount/helm-traefik-crd"}, nil},
	{"k3s", "ClusterRole/system:auth-delegator", []string{"ClusterRoleBinding/k3s-cloud-controller-manager-auth-delegator"}, []string{"User/k3s-cloud-controller-manager"}, nil},
}

// componentRole returns the rules that a component installs under the name of
// the role; ok is false where none does. A component that is given a role of
// Kubernetes itself installs none.
func componentRole(r ref) (rules []facts.Rule, ok bool) {
	id := r.id()
	for i := range componentAccesses {
		if c := &componentAccesses[i]; c.role == id && c.rules != nil {
			rules, ok = append(rules, componentRules(c.rules)...), true
		}
	}
	return rules, ok
}

func componentRules(lines []string) []facts.Rule {
	out := make([]facts.Rule, 0, len(lines))
	for _, line := range lines {
		f := append(strings.Fields(line), "")
		rule := facts.Rule{Verbs: strings.Split(f[0], ","), APIGroups: strings.Split(strings.Replace(f[1], "core", "", 1), ","), Resources: strings.Split(f[2], ",")}
		if f[3] != "" {
			rule.ResourceNames = strings.Split(f[3], ",")
		}
		out = append(out, rule)
	}
	return out
}

// componentSubjects returns the subjects that a component's binding of that
// name to that role has; ok is false where no component has such a binding.
func componentSubjects(b *binding) (subjects []string, ok bool) {
	id, role := b.ref.id(), b.role.id()
	for i := range componentAccesses {
		if c := &componentAccesses[i]; c.role == role && slices.Contains(c.bindings, id) {
			subjects, ok = append(subjects, c.subjects...), true
		}
	}
	return subjects, ok
}
