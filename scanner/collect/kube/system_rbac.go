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
	rules     []string // "verbs groups resources [names]", lists with commas; "core" is the group "", and the group "url" has paths
}

// componentAccesses lists them. A component is not here for being well known
// but for being installed with the cluster: what people install themselves is
// judged like their own. The rules are those of the projects' own manifests:
// kube-flannel.yml of flannel, const_cni.go of kind, local-path-storage.yaml of
// rancher/local-path-provisioner (before and after it left endpoints), the chart
// aws-vpc-cni of EKS, and what the Helm controller of k3s makes for Traefik. Of
// the clouds: the EKS user guide (eks:addon-cluster-admin lets EKS install
// add-ons) and what audits of AKS clusters publish (aks-cluster-admin-binding is
// for its local accounts; the one for Entra groups names other groups in each
// cluster and is judged). GKE publishes none. Those of OpenShift are in
// pkg/bootstrappolicy of openshift/openshift-apiserver; its large roles and the
// roles of its controllers are left out and judged.
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
	{"eks", "ClusterRole/cluster-admin", []string{"ClusterRoleBinding/eks:addon-cluster-admin"}, []string{"User/eks:addon-manager"}, nil},
	{"aks", "ClusterRole/cluster-admin", []string{"ClusterRoleBinding/aks-cluster-admin-binding"}, []string{"User/clusterAdmin", "User/clusterUser"}, nil},
	{"openshift", "ClusterRole/cluster-admin", []string{"ClusterRoleBinding/cluster-admins"}, []string{"Group/system:cluster-admins", "User/system:admin"}, nil},
	{"openshift", "ClusterRole/system:master", []string{"ClusterRoleBinding/system:masters"}, []string{"Group/system:masters"}, []string{"* * *", "* url *"}},
	{"openshift", "ClusterRole/system:node-admin", []string{"ClusterRoleBinding/system:node-admins"}, []string{"User/system:master", "Group/system:node-admins"}, []string{
		"get,list,watch,proxy core nodes", "* core nodes/proxy,nodes/metrics,nodes/spec,nodes/stats,nodes/log",
	}},
	{"openshift", "ClusterRole/system:node-proxier", []string{"ClusterRoleBinding/system:node-proxiers"}, []string{"Group/system:nodes"}, nil},
	{"openshift", "ClusterRole/basic-user", []string{"ClusterRoleBinding/basic-users"}, []string{"Group/system:authenticated"}, []string{
		"get core,user.openshift.io users ~", "list core,project.openshift.io projectrequests", "get,list core,authorization.openshift.io clusterroles",
		"get,list,watch rbac.authorization.k8s.io clusterroles", "get,list storage.k8s.io storageclasses", "list,watch core,project.openshift.io projects",
		"create core,authorization.openshift.io selfsubjectrulesreviews", "create authorization.k8s.io selfsubjectaccessreviews",
		"get,list,watch snapshot.storage.k8s.io volumesnapshotclasses",
	}},
	{"openshift", "ClusterRole/self-access-reviewer", []string{"ClusterRoleBinding/self-access-reviewers"}, []string{"Group/system:authenticated", "Group/system:unauthenticated"}, []string{
		"create core,authorization.openshift.io selfsubjectrulesreviews", "create authorization.k8s.io selfsubjectaccessreviews",
	}},
	{"openshift", "ClusterRole/self-provisioner", []string{"ClusterRoleBinding/self-provisioners"}, []string{"Group/system:authenticated:oauth"}, []string{"create core,project.openshift.io projectrequests"}},
	{"openshift", "ClusterRole/cluster-status", []string{"ClusterRoleBinding/cluster-status-binding"}, []string{"Group/system:authenticated"}, []string{"get url /healthz,/healthz/", openShiftDiscovery}},
	{"openshift", "ClusterRole/system:openshift:discovery", []string{"ClusterRoleBinding/system:openshift:discovery"}, []string{"Group/system:authenticated"}, []string{openShiftDiscovery}},
	{"openshift", "ClusterRole/system:oauth-token-deleter", []string{"ClusterRoleBinding/system:oauth-token-deleters"}, []string{"Group/system:authenticated", "Group/system:unauthenticated"}, []string{
		"delete core,oauth.openshift.io oauthaccesstokens,oauthauthorizetokens",
	}},
	{"openshift", "ClusterRole/system:webhook", []string{"ClusterRoleBinding/system:webhooks"}, []string{"Group/system:authenticated", "Group/system:unauthenticated"}, []string{
		"get,create core,build.openshift.io buildconfigs/webhooks",
	}},
	{"openshift", "ClusterRole/system:scope-impersonation", []string{"ClusterRoleBinding/system:scope-impersonation"}, []string{"Group/system:authenticated", "Group/system:unauthenticated"}, []string{
		"impersonate authentication.k8s.io userextras/scopes.authorization.openshift.io",
	}},
	{"openshift", "ClusterRole/system:build-strategy-docker", []string{"ClusterRoleBinding/system:build-strategy-docker-binding"}, []string{"Group/system:authenticated"}, []string{
		"create core,build.openshift.io builds/docker,builds/optimizeddocker",
	}},
	{"openshift", "ClusterRole/system:build-strategy-source", []string{"ClusterRoleBinding/system:build-strategy-source-binding"}, []string{"Group/system:authenticated"}, []string{"create core,build.openshift.io builds/source"}},
	{"openshift", "ClusterRole/system:build-strategy-jenkinspipeline", []string{"ClusterRoleBinding/system:build-strategy-jenkinspipeline-binding"}, []string{"Group/system:authenticated"}, []string{"create core,build.openshift.io builds/jenkinspipeline"}},
}

// openShiftDiscovery is what everybody who is logged in may ask OpenShift's API
// servers, to find out what they offer.
const openShiftDiscovery = "get url /version,/version/*,/api,/api/*,/apis,/apis/*,/oapi,/oapi/*,/openapi/v2,/swaggerapi,/swaggerapi/*,/swagger.json,/swagger-2.0.0.pb-v1,/osapi,/osapi/,/.well-known,/.well-known/oauth-authorization-server,/"

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
		if f[1] == "url" {
			out = append(out, facts.Rule{Verbs: strings.Split(f[0], ","), NonResourceURLs: strings.Split(f[2], ",")})
			continue
		}
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
