// Package kube turns Kubernetes objects into facts: it normalises and it joins.
// It does no I/O; collect/cluster and collect/manifests feed it.
//
// # Phases and memory
//
// A [Set] takes objects one by one and reduces each at once to what the facts
// and the joins need, so the caller can drop a page as soon as it was added.
// When everything was added, [Set.Resources] joins and yields the resources one
// at a time. What stays in memory between the two is the reduced facts of every
// distinct pod template and bare pod, the labels that selectors ask about, and
// small tables of services, policies, roles and nodes; a pod that equals its
// controller's template leaves only its node's name.
//
// The order of adding matters in one place: pods come after the objects that
// may own them, so that a pod that equals its controller's template need not be
// kept. [Rank] gives a good order.
//
// What could not be listed is told by [Set.Miss]; it becomes Missing entries of
// exactly the fields that depend on it.
package kube

import (
	"hash/maphash"
	"log/slog"
	"strconv"
	"strings"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	certv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	netv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/postscan/postscan/scanner/facts"
)

// Options are what a [Set] needs to know before the first object.
type Options struct {
	// Live is true for a running cluster. In a set of manifests an object that
	// is not there may still be in the cluster, so its absence proves nothing.
	Live bool
	// Target is the Ref of the target that the resources belong to.
	Target string
	// Namespace is that of objects that name none; "default" where empty.
	Namespace string
	// Minor is the cluster's minor version; 0 where unknown. A Set of a live
	// cluster learns it by [Set.Cluster].
	Minor int
	// Now is the time of collection, for ages.
	Now time.Time
	// Detect finds credentials in literal values; nil makes them not assessed.
	Detect Detector
	// Keep says whether an object's namespace is to be reported on; nil keeps
	// all. Objects of other namespaces still take part in joins.
	Keep func(namespace string) bool
	// Early receives pods that can be judged while others are still added: bare
	// ones, which are most of what weighs in a cluster of bare pods. Everything
	// but pods has to be added, and [Set.Cluster] called, before the first pod.
	// nil keeps all for [Set.Resources].
	Early func(*facts.Resource)
	// TrackImages keeps which workloads run which images; see [Set.RunningImages].
	TrackImages bool
	// Kinds limits the resources to these kinds of Kubernetes objects
	// ("Deployment"); empty is all.
	Kinds []string
	Log   *slog.Logger
}

// A Detector finds credentials in one value. It must not keep the value.
type Detector func(in DetectInput) []Detection

// DetectInput is a value to look at.
type DetectInput struct {
	Where string // env, command, args or file
	Name  string // of the variable or key; "" for commands
	Value string
}

// Detection is a credential that was found, without the credential.
type Detection struct {
	Rule     string
	Category string
	Title    string
	Severity string // critical, high, medium, low or unknown
	Line     int    // within the value, from 1; 0 where it has no lines
	Length   int    // bytes
}

// Place is where an object was read; the zero Place is the API.
type Place struct {
	facts.Origin
	// Lines gives the line of each field by its path ("spec.replicas"); nil for the API.
	Lines map[string]int
	// Target is the Ref of the target that the object belongs to, where it is
	// not [Options.Target].
	Target string
}

// Topic names a list of objects that facts depend on; see [Set.Miss].
type Topic string

// The topics. Each is what one list call yields.
const (
	Pods               Topic = "pods"
	Controllers        Topic = "controllers" // any of the kinds that own pods
	ServiceAccounts    Topic = "serviceaccounts"
	Roles              Topic = "roles"    // Roles and ClusterRoles
	Bindings           Topic = "bindings" // RoleBindings and ClusterRoleBindings
	Namespaces         Topic = "namespaces"
	NetworkPolicies    Topic = "networkpolicies" // of any engine
	Services           Topic = "services"
	EndpointSlices     Topic = "endpointslices"
	Ingresses          Topic = "ingresses" // Ingresses, Gateway API, Routes
	Nodes              Topic = "nodes"
	PersistentVolumes  Topic = "persistentvolumes"
	Quotas             Topic = "resourcequotas"
	LimitRanges        Topic = "limitranges"
	AdmissionPolicies  Topic = "admission" // webhooks, policies and bindings of any engine
	RuntimeClasses     Topic = "runtimeclasses"
	CertificateSigning Topic = "certificatesigningrequests"
	Secrets            Topic = "secrets"
	ConfigMaps         Topic = "configmaps"
	MeshObjects        Topic = "mesh"
	Configz            Topic = "configz" // kubelet configuration
	SCCs               Topic = "securitycontextconstraints"
	OpenShiftConfig    Topic = "openshift"
)

// Set gathers objects. It is not safe for concurrent use; what
// [Set.Resources] yields may be used by other goroutines.
type Set struct {
	opts Options
	miss map[Topic]facts.Missing

	works    []*work
	byName   map[ref]*work // top controllers and bare pods
	owners   map[ref]ref   // controller of an intermediate object (ReplicaSet → Deployment)
	spare    []spareOwner  // ReplicaSets and Jobs whose owner is not known yet
	drifts   map[driftKey]*work
	strings  map[string]string
	detected map[uint64][]Detection
	seed     maphash.Seed

	accounts    map[name]*account
	roles       map[ref]*role
	assumed     map[string]*role // ClusterRoles that every cluster has and that were not seen
	bindings    []*binding
	namespaces  map[string]*namespace
	limits      map[string][]limitDefaults
	quotas      map[string]quota
	counts      map[string]map[string]int // namespace → kind → objects
	policies    []*netPolicy
	services    []*service
	byService   map[name]*service
	servicesIn  map[string][]*service // those with a selector, by namespace
	endpoints   map[name][]string     // addresses of hand-made EndpointSlices, by Service
	ingresses   []*ingress
	gateways    map[name]*gateway
	nodes       map[string]*node
	nodeOrder   []string                 // their names in order, once all were added
	running     map[string]*runningImage // by digest, where TrackImages
	sealed      bool                     // everything but pods was added
	unnamed     bool                     // nobody said where objects without a namespace go
	added       *Place                   // of the first object; nil where there was none
	access      *access
	identities  map[name]*workIdentity
	workloads   map[string]int        // top controllers and bare pods by namespace
	openPeers   []openPeer            // peers of policies that nothing matched yet
	asked       map[string]bool       // labels that policies and services ask about
	volumes     map[name]volumeSource // of PersistentVolumes, by claim
	claims      map[string]name       // PersistentVolume's name → claim, from manifests
	volumeNames map[string]volumeSource
	classes     map[string]string // RuntimeClass → handler
	secrets     map[name]tokenSecret
	configs     []*configMap
	admissions  []*admission
	vapBindings map[string][]vapBinding
	cluster     clusterFacts
	waivers     map[objectKey]map[string]string // annotations that ask for one
}

// name is a namespaced name.
type name struct{ namespace, name string }

// ref names an object of a kind. Group is left out: the kinds that postscan
// joins have no namesakes that matter.
type ref struct {
	kind string
	name
}

func (r ref) id() string {
	if r.namespace == "" {
		return r.kind + "/" + r.name.name
	}
	return r.namespace + "/" + r.kind + "/" + r.name.name
}

// New returns an empty Set.
func New(o Options) *Set {
	unnamed := o.Namespace == "" && !o.Live
	if o.Namespace == "" {
		o.Namespace = metav1.NamespaceDefault
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Set{
		opts: o, unnamed: unnamed, seed: maphash.MakeSeed(),
		miss:    map[Topic]facts.Missing{},
		byName:  map[ref]*work{},
		owners:  map[ref]ref{},
		drifts:  map[driftKey]*work{},
		strings: map[string]string{}, detected: map[uint64][]Detection{},
		accounts: map[name]*account{}, roles: map[ref]*role{}, assumed: map[string]*role{}, namespaces: map[string]*namespace{},
		limits: map[string][]limitDefaults{}, quotas: map[string]quota{}, counts: map[string]map[string]int{},
		endpoints: map[name][]string{}, gateways: map[name]*gateway{}, nodes: map[string]*node{},
		volumes: map[name]volumeSource{}, claims: map[string]name{}, volumeNames: map[string]volumeSource{},
		running: map[string]*runningImage{}, identities: map[name]*workIdentity{}, workloads: map[string]int{},
		classes: map[string]string{}, secrets: map[name]tokenSecret{}, vapBindings: map[string][]vapBinding{},
		waivers: map[objectKey]map[string]string{},
		cluster: clusterFacts{
			hints: map[string]bool{}, mapped: map[subjectKey]bool{}, snippetConfigs: map[name]string{}, plugins: map[string]string{},
			peerModes: map[name]string{}, openshiftSeen: map[string]bool{}, openshiftFlags: map[string][]facts.Flag{},
		},
	}
}

// Miss tells that the objects of a topic could not be seen, or not all of them
// (m.Partial). The first reason for a topic stays.
func (s *Set) Miss(t Topic, m facts.Missing) {
	if old, ok := s.miss[t]; ok && (!old.Partial || m.Partial) {
		return
	}
	s.miss[t] = m
}

// Rank orders kinds so that owners come before what they own: a set of
// manifests is added in this order.
func Rank(kind string) int {
	switch kind {
	case "Pod":
		return 3
	case "ReplicaSet", "Job":
		return 2
	case "Namespace":
		return 0
	default:
		return 1
	}
}

// Add takes one object and reduces it. It reports false for a kind that it does
// not know. The object is not kept, so its memory may be used again.
func (s *Set) Add(obj any, at Place) bool {
	s.noteWaivers(obj, at)
	if s.added == nil {
		s.added = &Place{Target: at.Target}
	}
	switch o := obj.(type) {
	case *corev1.Pod:
		s.addPod(o, at)
	case *corev1.PodTemplate:
		s.addTemplate("PodTemplate", &o.ObjectMeta, &o.Template, "template", nil, at)
	case *corev1.ReplicationController:
		tpl := o.Spec.Template
		if tpl == nil {
			tpl = &corev1.PodTemplateSpec{}
		}
		s.addTemplate("ReplicationController", &o.ObjectMeta, tpl, "spec.template", nil, at)
	case *appsv1.Deployment:
		s.addTemplate("Deployment", &o.ObjectMeta, &o.Spec.Template, "spec.template", nil, at)
	case *appsv1.StatefulSet:
		s.addTemplate("StatefulSet", &o.ObjectMeta, &o.Spec.Template, "spec.template", o.Spec.VolumeClaimTemplates, at)
	case *appsv1.DaemonSet:
		s.addTemplate("DaemonSet", &o.ObjectMeta, &o.Spec.Template, "spec.template", nil, at)
	case *appsv1.ReplicaSet:
		s.addTemplate("ReplicaSet", &o.ObjectMeta, &o.Spec.Template, "spec.template", nil, at)
	case *batchv1.Job:
		s.addTemplate("Job", &o.ObjectMeta, &o.Spec.Template, "spec.template", nil, at)
	case *batchv1.CronJob:
		s.addTemplate("CronJob", &o.ObjectMeta, &o.Spec.JobTemplate.Spec.Template, "spec.jobTemplate.spec.template", nil, at)
	case *corev1.ServiceAccount:
		s.addAccount(o, at)
	case *rbacv1.Role:
		s.addRole("Role", &o.ObjectMeta, o.Rules, nil, at)
	case *rbacv1.ClusterRole:
		s.addRole("ClusterRole", &o.ObjectMeta, o.Rules, o.AggregationRule, at)
	case *rbacv1.RoleBinding:
		s.addBinding("RoleBinding", &o.ObjectMeta, o.RoleRef, o.Subjects, at)
	case *rbacv1.ClusterRoleBinding:
		s.addBinding("ClusterRoleBinding", &o.ObjectMeta, o.RoleRef, o.Subjects, at)
	case *corev1.Namespace:
		s.addNamespace(o, at)
	case *netv1.NetworkPolicy:
		s.addNetworkPolicy(o, at)
	case *corev1.Service:
		s.addService(o, at)
	case *discoveryv1.EndpointSlice:
		s.addEndpointSlice(o)
	case *corev1.Endpoints: //nolint:staticcheck // old clusters and manifests still have them
		s.addEndpoints(o)
	case *netv1.Ingress:
		s.addIngress(o, at)
	case *corev1.Node:
		s.addNode(o, at)
	case *corev1.PersistentVolume:
		s.addVolume(o)
	case *corev1.PersistentVolumeClaim:
		s.addClaim(o)
	case *corev1.ResourceQuota:
		s.addQuota(o)
	case *corev1.LimitRange:
		s.addLimitRange(o)
	case *admissionv1.ValidatingWebhookConfiguration:
		s.addValidatingWebhooks(o, at)
	case *admissionv1.MutatingWebhookConfiguration:
		s.addMutatingWebhooks(o, at)
	case *admissionv1.ValidatingAdmissionPolicy:
		s.addVAP(o, at)
	case *admissionv1.ValidatingAdmissionPolicyBinding:
		s.addVAPBinding(o)
	case *nodev1.RuntimeClass:
		s.classes[o.Name] = o.Handler
	case *certv1.CertificateSigningRequest:
		s.addCSR(o)
	case *corev1.Secret:
		s.addSecret(o)
	case *corev1.ConfigMap:
		s.addConfigMap(o, at)
	case *unstructured.Unstructured:
		return s.addUnstructured(o, at)
	default:
		return false
	}
	return true
}

// namespaceOf is the namespace of a namespaced object.
func (s *Set) namespaceOf(m *metav1.ObjectMeta) string {
	if m.Namespace == "" {
		return s.opts.Namespace
	}
	return m.Namespace
}

// count books an object for its namespace's summary.
func (s *Set) count(namespace, kind string) {
	m := s.counts[namespace]
	if m == nil {
		m = map[string]int{}
		s.counts[namespace] = m
	}
	m[kind]++
}

// intern returns one copy of equal strings, so that reduced objects do not keep
// the page that they were read from.
func (s *Set) intern(v string) string {
	if v == "" {
		return ""
	}
	if old, ok := s.strings[v]; ok {
		return old
	}
	v = strings.Clone(v)
	s.strings[v] = v
	return v
}

// internAll interns the elements of a list; nil stays an empty list.
func (s *Set) internAll(list []string) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = s.intern(v)
	}
	return out
}

// internMap copies a map of labels with interned strings.
func (s *Set) internMap(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[s.intern(k)] = s.intern(v)
	}
	return out
}

// detect asks the detector, once for each distinct value.
func (s *Set) detect(in DetectInput) []Detection {
	if s.opts.Detect == nil || in.Value == "" {
		return nil
	}
	var h maphash.Hash
	h.SetSeed(s.seed)
	for _, part := range []string{in.Where, in.Name, in.Value} {
		_, _ = h.WriteString(strconv.Itoa(len(part)))
		_ = h.WriteByte(':')
		_, _ = h.WriteString(part)
	}
	key := h.Sum64()
	if d, ok := s.detected[key]; ok {
		return d
	}
	d := s.opts.Detect(in)
	s.detected[key] = d
	return d
}

// at makes "prefix[3]" and keeps one copy of it.
func (s *Set) at(prefix string, i int) string {
	return s.intern(keyIndex(prefix, i))
}
