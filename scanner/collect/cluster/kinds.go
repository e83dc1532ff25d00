package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	certv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	netv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/postscan/postscan/scanner/collect/kube"
)

// madeByController is the value of the label of EndpointSlices that Kubernetes
// makes from selectors; hand-made ones lack it.
const madeByController = discoveryv1.LabelManagedBy + "!=endpointslice-controller.k8s.io"

func gr(group, resource string) schema.GroupResource {
	return schema.GroupResource{Group: group, Resource: resource}
}

// optional marks a kind that older servers lack without harm.
func optional(l *lister) *lister {
	l.optional = true
	return l
}

// base lists what workloads are joined with.
func (s *session) base(ns string) []*lister {
	core, rbac, net := s.typed.CoreV1(), s.typed.RbacV1(), s.typed.NetworkingV1()
	none := metav1.ListOptions{}
	out := []*lister{
		s.namespaceList(),
		list(s, kube.Nodes, gr("", "nodes"), core.Nodes().List, func(l *corev1.NodeList) []corev1.Node { return l.Items }, none),
		list(s, kube.ServiceAccounts, gr("", "serviceaccounts"), core.ServiceAccounts(ns).List, func(l *corev1.ServiceAccountList) []corev1.ServiceAccount { return l.Items }, none),
		list(s, kube.Roles, gr("rbac.authorization.k8s.io", "roles"), rbac.Roles(ns).List, func(l *rbacv1.RoleList) []rbacv1.Role { return l.Items }, none),
		list(s, kube.Roles, gr("rbac.authorization.k8s.io", "clusterroles"), rbac.ClusterRoles().List, func(l *rbacv1.ClusterRoleList) []rbacv1.ClusterRole { return l.Items }, none),
		list(s, kube.Bindings, gr("rbac.authorization.k8s.io", "rolebindings"), rbac.RoleBindings(ns).List, func(l *rbacv1.RoleBindingList) []rbacv1.RoleBinding { return l.Items }, none),
		list(s, kube.Bindings, gr("rbac.authorization.k8s.io", "clusterrolebindings"), rbac.ClusterRoleBindings().List, func(l *rbacv1.ClusterRoleBindingList) []rbacv1.ClusterRoleBinding { return l.Items }, none),
		list(s, kube.NetworkPolicies, gr("networking.k8s.io", "networkpolicies"), net.NetworkPolicies(ns).List, func(l *netv1.NetworkPolicyList) []netv1.NetworkPolicy { return l.Items }, none),
		list(s, kube.Ingresses, gr("networking.k8s.io", "ingresses"), net.Ingresses(ns).List, func(l *netv1.IngressList) []netv1.Ingress { return l.Items }, none),
		list(s, kube.Services, gr("", "services"), core.Services(ns).List, func(l *corev1.ServiceList) []corev1.Service { return l.Items }, none),
		list(s, kube.EndpointSlices, gr("discovery.k8s.io", "endpointslices"), s.typed.DiscoveryV1().EndpointSlices(ns).List, func(l *discoveryv1.EndpointSliceList) []discoveryv1.EndpointSlice { return l.Items }, metav1.ListOptions{LabelSelector: madeByController}),
		list(s, kube.PersistentVolumes, gr("", "persistentvolumes"), core.PersistentVolumes().List, func(l *corev1.PersistentVolumeList) []corev1.PersistentVolume { return l.Items }, none),
		list(s, kube.Quotas, gr("", "resourcequotas"), core.ResourceQuotas(ns).List, func(l *corev1.ResourceQuotaList) []corev1.ResourceQuota { return l.Items }, none),
		list(s, kube.LimitRanges, gr("", "limitranges"), core.LimitRanges(ns).List, func(l *corev1.LimitRangeList) []corev1.LimitRange { return l.Items }, none),
		list(s, kube.ConfigMaps, gr("", "configmaps"), core.ConfigMaps(ns).List, func(l *corev1.ConfigMapList) []corev1.ConfigMap { return l.Items }, none),
		optional(list(s, kube.RuntimeClasses, gr("node.k8s.io", "runtimeclasses"), s.typed.NodeV1().RuntimeClasses().List, func(l *nodev1.RuntimeClassList) []nodev1.RuntimeClass { return l.Items }, none)),
		list(s, kube.CertificateSigning, gr("certificates.k8s.io", "certificatesigningrequests"), s.typed.CertificatesV1().CertificateSigningRequests().List, func(l *certv1.CertificateSigningRequestList) []certv1.CertificateSigningRequest { return l.Items }, none),
		s.tokenSecrets(ns), s.bootstrapTokens(),
	}
	out = append(out, s.admission()...)
	for _, c := range customKinds {
		if _, stored := s.served[gr(calicoStored, c.resource)]; c.group == calicoGroup && stored {
			continue
		}
		out = append(out, s.custom(ns, c.topic, c.group, c.resource))
	}
	return s.byNamespace(ns, append(out, s.constraints()...), s.base)
}

// bootstrapTokens lists the join tokens. They are read whole, because their
// dates are data, and reduced at once to those dates.
func (s *session) bootstrapTokens() *lister {
	l := list(s, kube.Secrets, gr("", "secrets"), s.typed.CoreV1().Secrets("kube-system").List, func(l *corev1.SecretList) []corev1.Secret { return l.Items },
		metav1.ListOptions{FieldSelector: "type=bootstrap.kubernetes.io/token"})
	l.what, l.part = "bootstrap tokens", true
	if s.namespace != "" && s.namespace != "kube-system" {
		l.pages = func(context.Context) (int, error) { return 0, nil }
	}
	return l
}

// namespaceList lists the namespaces. Where one was asked for and the list is
// refused, that one is read by its name.
func (s *session) namespaceList() *lister {
	all := s.typed.CoreV1().Namespaces()
	l := list(s, kube.Namespaces, gr("", "namespaces"), all.List, func(l *corev1.NamespaceList) []corev1.Namespace { return l.Items }, metav1.ListOptions{})
	pages := l.pages
	l.pages = func(ctx context.Context) (int, error) {
		defer s.namespacesOnce.Do(func() { close(s.namespacesRead) })
		n, err := pages(ctx)
		if err == nil && s.namespace != "" {
			s.mu.Lock()
			defer s.mu.Unlock()
			if !slices.Contains(s.set.NamespaceNames(), s.namespace) {
				s.closed = s.noNamespace()
			}
		}
		if !denied(err) || s.namespace == "" {
			return n, err
		}
		var one *corev1.Namespace
		again := s.retry(ctx, l.what, func(ctx context.Context) (err error) {
			one, err = all.Get(ctx, s.namespace, metav1.GetOptions{})
			return err
		})
		s.mu.Lock()
		defer s.mu.Unlock()
		switch {
		case apierrors.IsNotFound(again):
			s.closed = s.noNamespace()
		case again == nil:
			s.set.Add(one, kube.Place{})
			n = 1 // the others are not seen
		}
		return n, err
	}
	return l
}

// noNamespace is the error of a namespace that is not there: a report on nothing
// would look like a good one.
func (s *session) noNamespace() error {
	return fmt.Errorf("look at the namespace %q: the cluster has no such namespace", s.namespace)
}

// admission lists what decides at admission.
func (s *session) admission() []*lister {
	a := s.typed.AdmissionregistrationV1()
	const group = "admissionregistration.k8s.io"
	none := metav1.ListOptions{}
	return []*lister{
		list(s, kube.AdmissionPolicies, gr(group, "validatingwebhookconfigurations"), a.ValidatingWebhookConfigurations().List, func(l *admissionv1.ValidatingWebhookConfigurationList) []admissionv1.ValidatingWebhookConfiguration {
			return l.Items
		}, none),
		list(s, kube.AdmissionPolicies, gr(group, "mutatingwebhookconfigurations"), a.MutatingWebhookConfigurations().List, func(l *admissionv1.MutatingWebhookConfigurationList) []admissionv1.MutatingWebhookConfiguration {
			return l.Items
		}, none),
		optional(list(s, kube.AdmissionPolicies, gr(group, "validatingadmissionpolicies"), a.ValidatingAdmissionPolicies().List, func(l *admissionv1.ValidatingAdmissionPolicyList) []admissionv1.ValidatingAdmissionPolicy {
			return l.Items
		}, none)),
		optional(list(s, kube.AdmissionPolicies, gr(group, "validatingadmissionpolicybindings"), a.ValidatingAdmissionPolicyBindings().List, func(l *admissionv1.ValidatingAdmissionPolicyBindingList) []admissionv1.ValidatingAdmissionPolicyBinding {
			return l.Items
		}, none)),
	}
}

// customKind is a kind of an add-on.
type customKind struct {
	topic           kube.Topic
	group, resource string
}

// called says whether a kind or a resource is this one: "Gateway", "gateways".
func (c customKind) called(name string) bool {
	plural, _ := meta.UnsafeGuessKindToResource(schema.GroupVersionKind{Kind: name})
	return c.resource == plural.Resource || c.resource == strings.ToLower(name)
}

// Calico keeps its policies in one group and shows them in another, which newer
// versions have alone. Where both are served they hold the same.
const (
	calicoStored = "crd.projectcalico.org"
	calicoGroup  = "projectcalico.org"
)

// customKinds are those of add-ons, read where the server offers them.
var customKinds = []customKind{
	{kube.Ingresses, "gateway.networking.k8s.io", "gateways"},
	{kube.Ingresses, "gateway.networking.k8s.io", "httproutes"},
	{kube.Ingresses, "gateway.networking.k8s.io", "grpcroutes"},
	{kube.Ingresses, "gateway.networking.k8s.io", "tlsroutes"},
	{kube.Ingresses, "gateway.networking.k8s.io", "tcproutes"},
	{kube.Ingresses, "gateway.networking.k8s.io", "udproutes"},
	{kube.Ingresses, "route.openshift.io", "routes"},
	{kube.NetworkPolicies, "cilium.io", "ciliumnetworkpolicies"},
	{kube.NetworkPolicies, "cilium.io", "ciliumclusterwidenetworkpolicies"},
	{kube.NetworkPolicies, calicoStored, "networkpolicies"},
	{kube.NetworkPolicies, calicoStored, "globalnetworkpolicies"},
	{kube.NetworkPolicies, calicoGroup, "networkpolicies"},
	{kube.NetworkPolicies, calicoGroup, "globalnetworkpolicies"},
	{kube.NetworkPolicies, "policy.networking.k8s.io", "adminnetworkpolicies"},
	{kube.NetworkPolicies, "policy.networking.k8s.io", "baselineadminnetworkpolicies"},
	{kube.NetworkPolicies, "policy.networking.k8s.io", "clusternetworkpolicies"},
	{kube.AdmissionPolicies, "kyverno.io", "clusterpolicies"},
	{kube.AdmissionPolicies, "kyverno.io", "policies"},
	{kube.AdmissionPolicies, "policies.kyverno.io", "validatingpolicies"},
	{kube.AdmissionPolicies, "policies.kyverno.io", "imagevalidatingpolicies"},
	{kube.AdmissionPolicies, "policies.kyverno.io", "namespacedvalidatingpolicies"},
	{kube.AdmissionPolicies, "policies.kyverno.io", "namespacedimagevalidatingpolicies"},
	{kube.AdmissionPolicies, "policy.sigstore.dev", "clusterimagepolicies"},
	{kube.AdmissionPolicies, "config.ratify.deislabs.io", "verifiers"},
	{kube.MeshObjects, "security.istio.io", "peerauthentications"},
	{kube.SCCs, "security.openshift.io", "securitycontextconstraints"},
	{kube.AdmissionPolicies, "config.openshift.io", "clusterimagepolicies"},
	{kube.AdmissionPolicies, "config.openshift.io", "imagepolicies"},
	{kube.OpenShiftConfig, "config.openshift.io", "clusterversions"},
	{kube.OpenShiftConfig, "config.openshift.io", "apiservers"},
	{kube.OpenShiftConfig, "config.openshift.io", "oauths"},
	{kube.OpenShiftConfig, "config.openshift.io", "images"},
	{kube.OpenShiftConfig, "operator.openshift.io", "kubeapiservers"},
	{kube.OpenShiftConfig, "operator.openshift.io", "kubecontrollermanagers"},
	{kube.OpenShiftConfig, "operator.openshift.io", "kubeschedulers"},
	{kube.OpenShiftConfig, "operator.openshift.io", "openshiftapiservers"},
	{kube.OpenShiftConfig, "operator.openshift.io", "etcds"},
	{kube.Controllers, "apps.openshift.io", "deploymentconfigs"},
}

// controllers lists the kinds that stand at the top.
func (s *session) controllers(ns string) []*lister {
	none := metav1.ListOptions{}
	apps := s.typed.AppsV1()
	return s.byNamespace(ns, []*lister{
		list(s, kube.Controllers, gr("apps", "deployments"), apps.Deployments(ns).List, func(l *appsv1.DeploymentList) []appsv1.Deployment { return l.Items }, none),
		list(s, kube.Controllers, gr("apps", "statefulsets"), apps.StatefulSets(ns).List, func(l *appsv1.StatefulSetList) []appsv1.StatefulSet { return l.Items }, none),
		list(s, kube.Controllers, gr("apps", "daemonsets"), apps.DaemonSets(ns).List, func(l *appsv1.DaemonSetList) []appsv1.DaemonSet { return l.Items }, none),
		list(s, kube.Controllers, gr("batch", "cronjobs"), s.typed.BatchV1().CronJobs(ns).List, func(l *batchv1.CronJobList) []batchv1.CronJob { return l.Items }, none),
		list(s, kube.Controllers, gr("", "replicationcontrollers"), s.typed.CoreV1().ReplicationControllers(ns).List, func(l *corev1.ReplicationControllerList) []corev1.ReplicationController { return l.Items }, none),
		list(s, kube.Controllers, gr("", "podtemplates"), s.typed.CoreV1().PodTemplates(ns).List, func(l *corev1.PodTemplateList) []corev1.PodTemplate { return l.Items }, none),
	}, s.controllers)
}

// parts lists the kinds that mostly belong to another controller.
func (s *session) parts(ns string) []*lister {
	none := metav1.ListOptions{}
	return s.byNamespace(ns, []*lister{
		list(s, kube.Controllers, gr("apps", "replicasets"), s.typed.AppsV1().ReplicaSets(ns).List, func(l *appsv1.ReplicaSetList) []appsv1.ReplicaSet { return l.Items }, none),
		list(s, kube.Controllers, gr("batch", "jobs"), s.typed.BatchV1().Jobs(ns).List, func(l *batchv1.JobList) []batchv1.Job { return l.Items }, none),
	}, s.parts)
}

// openShiftAPIServer is where OpenShift's static pods of the API server are.
const openShiftAPIServer = "openshift-kube-apiserver"

// pods lists the pods, those of kube-system first: the static ones among them
// tell of the control plane, which others are judged by. OpenShift has them in
// a namespace of their own.
func (s *session) pods(ns string) []*lister {
	of := func(ns, fields string) *lister {
		return list(s, kube.Pods, gr("", "pods"), s.typed.CoreV1().Pods(ns).List, func(l *corev1.PodList) []corev1.Pod { return l.Items }, metav1.ListOptions{FieldSelector: fields})
	}
	if ns != "" {
		return []*lister{of(ns, "")}
	}
	first := []string{metav1.NamespaceSystem}
	if slices.Contains(s.info.Groups, "config.openshift.io") {
		first = append(first, openShiftAPIServer)
	}
	var out []*lister
	var rest []string
	for _, n := range first {
		l := of(n, "")
		l.what, l.part = "pods of "+n, true
		out, rest = append(out, l), append(rest, "metadata.namespace!="+n)
	}
	others := of("", strings.Join(rest, ","))
	others.in = func(ns string) *lister {
		if slices.Contains(first, ns) { // read already, or refused already
			return &lister{what: others.what, pages: func(context.Context) (int, error) { return 0, nil }}
		}
		return of(ns, "")
	}
	return append(out, others)
}
