package kube

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postscan/postscan/scanner/facts"
)

// account is a ServiceAccount on its way.
type account struct {
	name      name
	automount string
	cloud     string   // the cloud identity that its annotations name
	pull      []string // Secrets for pulling images
	at        Place
}

// role is a Role or ClusterRole on its way.
type role struct {
	ref       ref
	labels    map[string]string
	aggregate *rbacv1.AggregationRule
	rules     []facts.Rule
	rights    []facts.Right // of the rules, as if bound cluster-wide
	bootstrap bool
	bound     bool
	at        Place
	rightsOK  bool
}

// binding is a RoleBinding or ClusterRoleBinding on its way.
type binding struct {
	ref       ref
	role      ref
	subjects  []rbacv1.Subject
	bootstrap bool
	at        Place
}

// Annotations that give a service account an identity in a cloud.
var cloudAnnotations = []string{"eks.amazonaws.com/role-arn", "iam.gke.io/gcp-service-account", "azure.workload.identity/client-id"}

func (s *Set) addAccount(o *corev1.ServiceAccount, at Place) {
	n := name{s.intern(s.namespaceOf(&o.ObjectMeta)), strings.Clone(o.Name)}
	a := &account{name: n, automount: position(o.AutomountServiceAccountToken), at: at}
	for _, k := range cloudAnnotations {
		if v := o.Annotations[k]; v != "" {
			a.cloud = strings.Clone(v)
			break
		}
	}
	for _, ref := range o.ImagePullSecrets {
		a.pull = append(a.pull, s.intern(ref.Name))
	}
	if n.name != "default" {
		s.count(n.namespace, "ServiceAccount")
	}
	s.accounts[n] = a
}

func (s *Set) addRole(kind string, meta *metav1.ObjectMeta, rules []rbacv1.PolicyRule, agg *rbacv1.AggregationRule, at Place) {
	r := &role{ref: ref{kind, name{"", strings.Clone(meta.Name)}}, labels: s.internMap(meta.Labels), aggregate: agg.DeepCopy(), at: at}
	if kind == "Role" {
		r.ref.namespace = s.intern(s.namespaceOf(meta))
		s.count(r.ref.namespace, "Role")
	}
	for i := range rules {
		p := &rules[i]
		r.rules = append(r.rules, facts.Rule{
			Verbs: s.internAll(p.Verbs), APIGroups: s.internAll(p.APIGroups), Resources: s.internAll(p.Resources),
			ResourceNames: s.internAll(p.ResourceNames), NonResourceURLs: s.internAll(p.NonResourceURLs),
		})
	}
	r.bootstrap = bootstrapRole(r.ref, r.rules)
	s.roles[r.ref] = r
}

func (s *Set) addBinding(kind string, meta *metav1.ObjectMeta, to rbacv1.RoleRef, subjects []rbacv1.Subject, at Place) {
	b := &binding{ref: ref{kind, name{"", strings.Clone(meta.Name)}}, role: ref{s.intern(to.Kind), name{"", s.intern(to.Name)}}, at: at}
	if kind == "RoleBinding" {
		b.ref.namespace = s.intern(s.namespaceOf(meta))
		if to.Kind == "Role" {
			b.role.namespace = b.ref.namespace
		}
		s.count(b.ref.namespace, "RoleBinding")
	}
	for _, sub := range subjects {
		sub.Kind, sub.Name, sub.Namespace, sub.APIGroup = s.intern(sub.Kind), s.intern(sub.Name), s.intern(sub.Namespace), ""
		if sub.Kind == "ServiceAccount" && sub.Namespace == "" {
			sub.Namespace = b.ref.namespace // the API server wants it written; a manifest may lean on its own
		}
		if ns, sa, ok := serviceAccountUser(sub); ok {
			sub.Kind, sub.Namespace, sub.Name = "ServiceAccount", s.intern(ns), s.intern(sa)
		}
		b.subjects = append(b.subjects, sub)
	}
	b.bootstrap = bootstrapBinding(b)
	s.bindings = append(s.bindings, b)
}

// serviceAccountUser recognises a service account that is bound by its user name.
func serviceAccountUser(sub rbacv1.Subject) (ns, sa string, ok bool) {
	if sub.Kind != "User" {
		return "", "", false
	}
	rest, ok := strings.CutPrefix(sub.Name, "system:serviceaccount:")
	if !ok {
		return "", "", false
	}
	ns, sa, ok = strings.Cut(rest, ":")
	return ns, sa, ok && ns != "" && sa != ""
}

// settleRoles fills aggregated roles where no controller did (manifests, or a
// cluster whose controller has not run), and notes which roles are bound.
func (s *Set) settleRoles() {
	order := slices.SortedFunc(maps.Keys(s.roles), compareRefs)
	settled := map[*role]bool{}
	for _, key := range order {
		s.settleRole(s.roles[key], order, settled)
	}
	for _, b := range s.bindings {
		if r := s.roles[b.role]; r != nil {
			r.bound = true
		}
	}
}

// settleRole fills one aggregated role, those that it takes in first.
func (s *Set) settleRole(r *role, order []ref, settled map[*role]bool) {
	if settled[r] || r.aggregate == nil {
		return
	}
	settled[r] = true // before the others: two roles may select each other
	if len(r.rules) > 0 && s.opts.Live {
		return
	}
	r.rules = nil
	for _, key := range order {
		from := s.roles[key]
		if key.kind != "ClusterRole" || from == r || !aggregates(r.aggregate, from.labels) {
			continue
		}
		s.settleRole(from, order, settled)
		for _, rule := range from.rules {
			if rule.From == "" {
				rule.From = key.name.name
			}
			r.rules = append(r.rules, rule)
		}
	}
	r.bootstrap = bootstrapRole(r.ref, r.rules)
}

// aggregates says whether an aggregation rule takes in a role with these labels.
func aggregates(agg *rbacv1.AggregationRule, l map[string]string) bool {
	if agg == nil {
		return false
	}
	return slices.ContainsFunc(agg.ClusterRoleSelectors, func(sel metav1.LabelSelector) bool {
		compiled, ok := selector(&sel)
		return ok && compiled.Matches(labelSet(l))
	})
}

// rulesOf returns the rules of a role, those that every cluster has by
// bootstrap included, and what is known of the role itself.
func (s *Set) rulesOf(r ref) (rules []facts.Rule, rights []facts.Right, about facts.RoleRef) {
	about = facts.RoleRef{Kind: r.kind, Namespace: r.namespace, Name: r.name.name, Found: "unknown"}
	if own := s.roles[r]; own != nil {
		if !own.rightsOK {
			own.rights, own.rightsOK = rightsOf(own.rules), true
		}
		about.Found, about.Bootstrap, about.Aggregated = "true", own.bootstrap, own.aggregate != nil
		return own.rules, own.rights, about
	}
	if _, miss := s.miss[Roles]; s.opts.Live && !miss {
		about.Found = "false"
		return nil, nil, about
	}
	if r.kind != "ClusterRole" {
		return nil, nil, about
	}
	assumed := s.assumed[r.name.name]
	if assumed == nil {
		rules := bootstrapRules(r.name.name)
		assumed = &role{rules: rules, rights: rightsOf(rules)}
		s.assumed[r.name.name] = assumed
	}
	if assumed.rules == nil {
		return nil, nil, about
	}
	about.Found, about.Bootstrap, about.Aggregated = "true", true, slices.Contains(defaultAggregated, r.name.name)
	return assumed.rules, assumed.rights, about
}

// defaultAggregated are the ClusterRoles of every cluster that take in others by label.
var defaultAggregated = []string{"view", "edit", "admin"}

// asked is a resource that checks ask about, with the verbs that matter on it.
type asked struct {
	group, resource, sub string
	verbs                []string
	name                 string // as kubectl writes it
	top                  bool   // create takes no name: a rule with resourceNames cannot grant it
}

// Verb lists of the table below.
const (
	verbsRead   = "get list watch"
	verbsWrite  = "create update patch delete deletecollection"
	verbsAll    = verbsRead + " " + verbsWrite
	verbsChange = "create update patch"
	verbsAct    = "impersonate impersonate:user-info impersonate:serviceaccount impersonate:arbitrary-node impersonate:associated-node"
)

// askedTable lists, for each API group, "resource[/subresource]: verbs".
var askedTable = []struct {
	group string
	rows  [][2]string
}{
	{"", [][2]string{
		{"secrets", verbsAll}, {"configmaps", verbsAll}, {"serviceaccounts", verbsAll + " " + verbsAct}, {"serviceaccounts/token", "create"},
		{"pods", verbsAll}, {"pods/exec", "create get"}, {"pods/attach", "create get"}, {"pods/portforward", "create get"},
		{"pods/proxy", "create delete get patch update"}, {"services/proxy", "create delete get patch update"},
		{"pods/ephemeralcontainers", "update patch"}, {"pods/eviction", "create"}, {"pods/binding", "create"}, {"pods/status", "update patch"},
		{"pods/log", "get list watch delete deletecollection"},
		{"replicationcontrollers", verbsWrite}, {"nodes", verbsAll + " " + verbsAct}, {"nodes/status", "update patch"},
		{"nodes/proxy", "create delete get patch update"}, {"namespaces", verbsWrite}, {"persistentvolumes", verbsWrite},
		{"persistentvolumeclaims", verbsWrite}, {"events", verbsWrite}, {"services", verbsWrite}, {"services/status", "update patch"},
		{"endpoints", verbsWrite}, {"users", verbsAct}, {"groups", verbsAct},
	}},
	{"apps", [][2]string{{"deployments", verbsWrite}, {"daemonsets", verbsWrite}, {"statefulsets", verbsWrite}, {"replicasets", verbsWrite}}},
	{"batch", [][2]string{{"jobs", verbsWrite}, {"cronjobs", verbsWrite}}},
	{"rbac.authorization.k8s.io", [][2]string{
		{"roles", verbsWrite + " bind escalate"}, {"clusterroles", verbsWrite + " bind escalate"},
		{"rolebindings", verbsWrite}, {"clusterrolebindings", verbsWrite},
	}},
	{"authentication.k8s.io", [][2]string{
		{"users", verbsAct}, {"groups", verbsAct}, {"uids", verbsAct}, {"serviceaccounts", verbsAct}, {"nodes", verbsAct}, {"userextras/*", verbsAct},
	}},
	{"certificates.k8s.io", [][2]string{
		{"certificatesigningrequests", "create"}, {"certificatesigningrequests/approval", "update patch"},
		{"certificatesigningrequests/status", "update patch"}, {"signers", "approve sign attest"},
	}},
	{"admissionregistration.k8s.io", [][2]string{
		{"mutatingwebhookconfigurations", verbsWrite}, {"validatingwebhookconfigurations", verbsWrite}, {"validatingadmissionpolicies", verbsWrite},
		{"validatingadmissionpolicybindings", verbsWrite}, {"mutatingadmissionpolicies", verbsWrite}, {"mutatingadmissionpolicybindings", verbsWrite},
	}},
	{"events.k8s.io", [][2]string{{"events", verbsWrite}}},
	{"networking.k8s.io", [][2]string{{"networkpolicies", verbsWrite}, {"ingresses", verbsWrite}}},
	{"discovery.k8s.io", [][2]string{{"endpointslices", verbsWrite}}},
	{"gateway.networking.k8s.io", [][2]string{
		{"gateways", verbsWrite}, {"httproutes", verbsWrite}, {"grpcroutes", verbsWrite}, {"tlsroutes", verbsWrite},
		{"tcproutes", verbsWrite}, {"udproutes", verbsWrite},
	}},
	{"route.openshift.io", [][2]string{{"routes", verbsWrite}}},
	{"security.openshift.io", [][2]string{{"securitycontextconstraints", "use " + verbsWrite}}},
}

// askedResources is askedTable spelled out.
var askedResources = spellAsked()

func spellAsked() []asked {
	var out []asked
	for _, g := range askedTable {
		for _, row := range g.rows {
			a := asked{group: g.group, name: row[0], verbs: strings.Fields(row[1])}
			a.resource, a.sub, _ = strings.Cut(row[0], "/")
			a.top = a.sub == ""
			if g.group != "" {
				a.name = a.resource + "." + g.group
				if a.sub != "" {
					a.name += "/" + a.sub
				}
			}
			slices.Sort(a.verbs)
			a.verbs = slices.Compact(a.verbs)
			out = append(out, a)
		}
	}
	return out
}

// rightsOf works out what a role's rules give on the resources that checks ask about.
func rightsOf(rules []facts.Rule) []facts.Right {
	var out []facts.Right
	for i := range rules {
		for j := range askedResources {
			if verbs, ok := grantedVerbs(&rules[i], &askedResources[j]); ok {
				out = append(out, facts.Right{
					Resource: askedResources[j].name, Verbs: verbs, Wildcard: slices.Contains(rules[i].Verbs, "*"),
					Names: rules[i].ResourceNames, Rule: i,
				})
			}
		}
	}
	return out
}

// grantedVerbs matches one rule against one resource as the RBAC authorizer
// does: "*" covers everything, "x" covers x and not x/sub, "*/sub" covers that
// subresource of everything; "x/*" and "*/*" are plain names that nothing has.
func grantedVerbs(rule *facts.Rule, a *asked) ([]string, bool) {
	if !slices.Contains(rule.APIGroups, a.group) && !slices.Contains(rule.APIGroups, "*") {
		return nil, false
	}
	if !slices.ContainsFunc(rule.Resources, func(r string) bool { return coversResource(r, a) }) {
		return nil, false
	}
	every := slices.Contains(rule.Verbs, "*")
	named := len(rule.ResourceNames) > 0
	var verbs []string
	for _, v := range a.verbs {
		if !every && !slices.Contains(rule.Verbs, v) {
			continue
		}
		if named && (v == "deletecollection" || v == "create" && a.top) {
			continue // such a request carries no name, so the rule never matches it
		}
		verbs = append(verbs, v)
	}
	return verbs, len(verbs) > 0
}

// coversResource matches one resource form of a rule.
func coversResource(r string, a *asked) bool {
	if r == "*" {
		return true
	}
	if a.sub == "" {
		return r == a.resource
	}
	res, sub, found := strings.Cut(r, "/")
	if !found || sub == "" {
		return false
	}
	if a.sub == "*" { // userextras/KEY, for whatever key
		return res == a.resource && sub != "*"
	}
	return sub == a.sub && (res == a.resource || res == "*")
}

// withinNamespace returns which of the verbs on a resource a RoleBinding can
// give: none on objects that are in no namespace, with three exceptions. The
// object of a namespace counts as being in it; the API server asks for bind in
// the namespace of the binding, and OpenShift for the use of a
// SecurityContextConstraints in that of the pod.
func withinNamespace(resource string, verbs []string) []string {
	var only []string
	base, group, _ := strings.Cut(resource, ".")
	switch {
	case resource == "namespaces":
		only = []string{"get", "update", "patch", "delete"}
	case resource == "clusterroles.rbac.authorization.k8s.io":
		only = []string{"bind"}
	case resource == "securitycontextconstraints.security.openshift.io":
		only = []string{"use"}
	case slices.Contains([]string{"nodes", "nodes/status", "nodes/proxy", "persistentvolumes", "users", "groups"}, resource),
		resource == "clusterrolebindings.rbac.authorization.k8s.io",
		strings.HasPrefix(group, "certificates.k8s.io"), group == "admissionregistration.k8s.io",
		strings.HasPrefix(group, "authentication.k8s.io") && base != "serviceaccounts":
		return nil
	default:
		return verbs
	}
	return slices.DeleteFunc(slices.Clone(verbs), func(v string) bool { return !slices.Contains(only, v) })
}

// compareRefs orders by namespace, kind and name.
func compareRefs(a, b ref) int {
	return cmp.Or(strings.Compare(a.namespace, b.namespace), strings.Compare(a.kind, b.kind), strings.Compare(a.name.name, b.name.name))
}
