package kube

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/postscan/postscan/scanner/facts"
)

// admission is an object that decides at admission, on its way.
type admission struct {
	ref        ref
	facts      facts.AdmissionPolicy
	namespaces labels.Selector // nil: all
	only, not  []string        // names or patterns of namespaces that it is for, or leaves out
	guards     bool            // it validates pods, so that it may guard a namespace
	refuses    bool            // some part of it refuses what it objects to
	privileged bool            // it is known to refuse privileged pods
	understood bool            // what it refuses is known
	bindings   []vapBinding    // of a ValidatingAdmissionPolicy
	at         Place
}

// vapBinding is a ValidatingAdmissionPolicyBinding.
type vapBinding struct {
	deny, warn, audit bool
	namespaces        labels.Selector
}

// covers says whether an admission object looks at a namespace.
func (a *admission) covers(ns *namespace) bool {
	if a.bindings != nil && !slices.ContainsFunc(a.bindings, func(b vapBinding) bool {
		return b.deny && (b.namespaces == nil || b.namespaces.Matches(labels.Set(ns.labels)))
	}) {
		return false
	}
	match := func(list []string) bool {
		return slices.ContainsFunc(list, func(p string) bool { return glob(p, ns.name) })
	}
	return (a.namespaces == nil || a.namespaces.Matches(labels.Set(ns.labels))) && (len(a.only) == 0 || match(a.only)) && !match(a.not)
}

// glob matches a name against a pattern in which "*" stands for any run of characters.
func glob(pattern, v string) bool {
	before, after, found := strings.Cut(pattern, "*")
	if !found {
		return pattern == v
	}
	if !strings.HasPrefix(v, before) {
		return false
	}
	v = v[len(before):]
	if after == "" {
		return true
	}
	for i := range len(v) + 1 {
		if glob(after, v[i:]) {
			return true
		}
	}
	return false
}

func (s *Set) addValidatingWebhooks(o *admissionv1.ValidatingWebhookConfiguration, at Place) {
	for i := range o.Webhooks {
		h := &o.Webhooks[i]
		s.addWebhook("ValidatingWebhookConfiguration", o.Name, h.Name, h.FailurePolicy, h.NamespaceSelector, h.Rules, i, at)
	}
}

func (s *Set) addMutatingWebhooks(o *admissionv1.MutatingWebhookConfiguration, at Place) {
	for i := range o.Webhooks {
		h := &o.Webhooks[i]
		s.addWebhook("MutatingWebhookConfiguration", o.Name, h.Name, h.FailurePolicy, h.NamespaceSelector, h.Rules, i, at)
	}
}

func (s *Set) addWebhook(kind, config, webhook string, fail *admissionv1.FailurePolicyType, sel *metav1.LabelSelector, rules []admissionv1.RuleWithOperations, i int, at Place) {
	a := &admission{ref: ref{kind, name{"", strings.Clone(config) + "/" + strings.Clone(webhook)}}, at: at}
	f := &a.facts
	f.Kind, f.Webhook, f.Path, f.FailurePolicy = kind, strings.Clone(webhook), keyIndex("webhooks", i), "Fail"
	f.Engine = "validating-webhook"
	if kind == "MutatingWebhookConfiguration" {
		f.Engine = "mutating-webhook"
	}
	if fail != nil {
		f.FailurePolicy = string(*fail)
	}
	f.Validates = f.Engine == "validating-webhook"
	f.Blocks = f.Validates && f.FailurePolicy == "Fail"
	if sel != nil {
		a.namespaces, _ = selector(sel)
	}
	for j := range rules {
		f.Pods = f.Pods || slices.ContainsFunc(rules[j].Resources, podResource)
	}
	f.System = systemWebhook(config, webhook)
	for prefix, engine := range map[string]string{
		"policy.sigstore.dev": "sigstore-policy-controller", "ratify": "ratify", "connaisseur": "connaisseur", "portieris": "portieris", "binaryauthorization": "binary-authorization",
	} {
		if strings.Contains(config, prefix) || strings.Contains(webhook, prefix) {
			s.cluster.verify(facts.Verifier{Engine: engine, Name: strings.Clone(config), Kind: "signature", Enforces: f.FailurePolicy == "Fail"})
		}
	}
	s.admissions = append(s.admissions, a)
}

// podResource: a rule's resource takes in pods or what makes them.
func podResource(r string) bool {
	switch r {
	case "*", "*/*", "pods", "pods/*", "deployments", "daemonsets", "statefulsets", "replicasets", "jobs", "cronjobs", "replicationcontrollers":
		return true
	}
	return false
}

func (s *Set) addVAP(o *admissionv1.ValidatingAdmissionPolicy, at Place) {
	a := &admission{ref: ref{"ValidatingAdmissionPolicy", name{"", strings.Clone(o.Name)}}, at: at}
	a.facts = facts.AdmissionPolicy{Engine: "vap", Kind: "ValidatingAdmissionPolicy", FailurePolicy: "Fail", Validates: true, Path: "spec"}
	if o.Spec.FailurePolicy != nil {
		a.facts.FailurePolicy = string(*o.Spec.FailurePolicy)
	}
	if m := o.Spec.MatchConstraints; m != nil {
		for i := range m.ResourceRules {
			a.facts.Pods = a.facts.Pods || slices.ContainsFunc(m.ResourceRules[i].Resources, podResource)
		}
		if m.NamespaceSelector != nil {
			a.namespaces, _ = selector(m.NamespaceSelector)
		}
	}
	a.guards, a.understood = a.facts.Pods, true
	for i := range o.Spec.Validations {
		e := o.Spec.Validations[i].Expression
		a.privileged = a.privileged || strings.Contains(e, "privileged")
		if strings.Contains(e, ".image") {
			a.facts.Engine = "vap"
			s.cluster.registryPolicies = append(s.cluster.registryPolicies, a)
		}
	}
	s.admissions = append(s.admissions, a)
}

func (s *Set) addVAPBinding(o *admissionv1.ValidatingAdmissionPolicyBinding) {
	var b vapBinding
	for _, act := range o.Spec.ValidationActions {
		b.deny = b.deny || act == admissionv1.Deny
		b.warn = b.warn || act == admissionv1.Warn
		b.audit = b.audit || act == admissionv1.Audit
	}
	if m := o.Spec.MatchResources; m != nil && m.NamespaceSelector != nil {
		b.namespaces, _ = selector(m.NamespaceSelector)
	}
	n := strings.Clone(o.Spec.PolicyName)
	s.vapBindings[n] = append(s.vapBindings[n], b)
}

// settleVAP joins policies with their bindings.
func (s *Set) settleVAP() {
	for _, a := range s.admissions {
		if a.ref.kind != "ValidatingAdmissionPolicy" {
			continue
		}
		a.facts.Action = "none"
		for _, b := range s.vapBindings[a.ref.name.name] {
			switch {
			case b.deny:
				a.facts.Action, a.facts.Blocks = "Deny", true
			case b.warn && a.facts.Action != "Deny":
				a.facts.Action = "Warn"
			case b.audit && a.facts.Action == "none":
				a.facts.Action = "Audit"
			}
		}
		a.refuses = a.facts.Blocks
		if a.refuses {
			a.bindings = s.vapBindings[a.ref.name.name]
		}
		a.guards = a.guards && len(s.vapBindings[a.ref.name.name]) > 0
	}
	for _, a := range s.cluster.registryPolicies {
		if a.facts.Action != "none" {
			s.cluster.verify(facts.Verifier{Engine: a.facts.Engine, Name: a.ref.name.name, Kind: "registry", Enforces: a.facts.Blocks})
		}
	}
}

// addKyverno reads a Kyverno policy of the older or the newer kinds.
func (s *Set) addKyverno(u *unstructured.Unstructured, at Place) {
	a := &admission{ref: ref{u.GetKind(), name{"", strings.Clone(u.GetName())}}, at: at, guards: true}
	if u.GetKind() == "Policy" || strings.HasPrefix(u.GetKind(), "Namespaced") {
		a.ref.namespace = s.intern(s.namespaceOf(metaOf(u)))
		a.only = []string{a.ref.namespace}
	}
	a.facts = facts.AdmissionPolicy{Engine: "kyverno", Kind: u.GetKind(), Action: "Audit", Path: "spec", FailurePolicy: cmp.Or(text(u.Object, "spec", "failurePolicy"), "Fail")}
	f := &a.facts
	common := cmp.Or(kyvernoAction(text(u.Object, "spec", "validationFailureAction")), "Audit")
	f.Action = common
	for _, o := range maplist(u.Object, "spec", "validationFailureActionOverrides") {
		if kyvernoAction(text(o, "action")) == "Audit" && o["namespaceSelector"] == nil {
			a.not = append(a.not, texts(o, "namespaces")...)
		}
	}
	if acts := texts(u.Object, "spec", "validationActions"); len(acts) > 0 {
		f.Action = acts[0]
		if slices.Contains(acts, "Deny") {
			f.Action = "Deny"
		}
	} else if strings.HasPrefix(u.GetAPIVersion(), "policies.kyverno.io") {
		f.Action = "Deny"
	}
	verifies := u.GetKind() == "ImageValidatingPolicy" || u.GetKind() == "NamespacedImageValidatingPolicy"
	f.Validates = strings.HasSuffix(u.GetKind(), "ValidatingPolicy")
	registry := false
	a.understood = true
	advises, enforces := false, false
	for _, r := range maplist(u.Object, "spec", "rules") {
		act := common
		for _, own := range append([]map[string]any{submap(r, "validate")}, maplist(r, "verifyImages")...) {
			act = cmp.Or(kyvernoAction(text(own, "failureAction")), act)
		}
		if r["validate"] != nil || r["verifyImages"] != nil {
			f.Validates = true
			advises, enforces = advises || act != "Enforce", enforces || act == "Enforce"
		}
		verifies = verifies || r["verifyImages"] != nil
		body, err := json.Marshal(r["validate"])
		if err == nil {
			tells := strings.Contains(string(body), "privileged") || dig(r, "validate", "podSecurity") != nil && text(r, "validate", "podSecurity", "level") != "privileged"
			a.privileged = a.privileged || tells && act == "Enforce"
			registry = registry || strings.Contains(string(body), `"image":`)
		}
		for _, m := range kyvernoMatches(r, "match") {
			f.Pods = f.Pods || slices.ContainsFunc(texts(m, "resources", "kinds"), kyvernoPods)
			a.only = append(a.only, texts(m, "resources", "namespaces")...)
			if ns := submap(m, "resources", "namespaceSelector"); ns != nil {
				a.namespaces, _ = looseSelector(ns)
			}
		}
		for _, m := range kyvernoMatches(r, "exclude") {
			a.not = append(a.not, texts(m, "resources", "namespaces")...)
		}
	}
	for _, r := range maplist(u.Object, "spec", "matchConstraints", "resourceRules") {
		f.Pods = f.Pods || slices.ContainsFunc(texts(r, "resources"), podResource)
	}
	if body, err := json.Marshal(dig(u.Object, "spec", "validations")); err == nil {
		a.privileged = a.privileged || strings.Contains(string(body), "privileged")
	}
	switch {
	case advises:
		f.Action = "Audit" // the weakest of its rules
	case enforces:
		f.Action = "Enforce"
	}
	f.Blocks = f.Validates && (f.Action == "Enforce" || f.Action == "Deny")
	a.refuses = f.Blocks || enforces
	if verifies {
		f.Pods = true
		s.cluster.verify(facts.Verifier{Engine: "kyverno", Name: strings.Clone(u.GetName()), Kind: "signature", Enforces: a.refuses})
	}
	if registry {
		s.cluster.verify(facts.Verifier{Engine: "kyverno", Name: strings.Clone(u.GetName()), Kind: "registry", Enforces: a.refuses})
	}
	s.admissions = append(s.admissions, a)
}

// kyvernoAction writes an action with a capital, as newer versions do; "" stays.
func kyvernoAction(v string) string {
	if v == "" {
		return ""
	}
	return strings.ToUpper(v[:1]) + strings.ToLower(v[1:])
}

// kyvernoMatches lists the filters of a match or exclude block.
func kyvernoMatches(rule map[string]any, field string) []map[string]any {
	m := submap(rule, field)
	out := append(maplist(m, "any"), maplist(m, "all")...)
	if m["resources"] != nil {
		out = append(out, m)
	}
	return out
}

func kyvernoPods(kind string) bool {
	kind = kind[strings.LastIndexByte(kind, '/')+1:]
	switch kind {
	case "*", "Pod", "Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "Job", "CronJob":
		return true
	}
	return false
}

// addConstraint reads a Gatekeeper constraint; its kind names the template.
func (s *Set) addConstraint(u *unstructured.Unstructured, at Place) {
	a := &admission{ref: ref{u.GetKind(), name{"", strings.Clone(u.GetName())}}, at: at, guards: true}
	a.facts = facts.AdmissionPolicy{Engine: "gatekeeper", Kind: u.GetKind(), Action: cmp.Or(text(u.Object, "spec", "enforcementAction"), "deny"), Validates: true, Path: "spec"}
	a.facts.Blocks = a.facts.Action == "deny"
	if a.facts.Action == "scoped" {
		for _, act := range maplist(u.Object, "spec", "scopedEnforcementActions") {
			a.facts.Blocks = a.facts.Blocks || text(act, "action") == "deny"
		}
	}
	a.refuses = a.facts.Blocks
	kinds := maplist(u.Object, "spec", "match", "kinds")
	for _, k := range kinds {
		a.facts.Pods = a.facts.Pods || slices.ContainsFunc(texts(k, "kinds"), kyvernoPods)
	}
	a.facts.Pods = a.facts.Pods || len(kinds) == 0
	a.only = texts(u.Object, "spec", "match", "namespaces")
	a.not = texts(u.Object, "spec", "match", "excludedNamespaces")
	if ns := submap(u.Object, "spec", "match", "namespaceSelector"); ns != nil {
		a.namespaces, _ = looseSelector(ns)
	}
	lower := strings.ToLower(u.GetKind())
	a.privileged = strings.Contains(lower, "privileged") && !strings.Contains(lower, "escalation")
	a.understood = a.privileged || strings.HasPrefix(lower, "k8spsp") || slices.Contains(otherConstraints, lower)
	if strings.Contains(lower, "repos") || strings.Contains(lower, "registr") {
		s.cluster.verify(facts.Verifier{Engine: "gatekeeper", Name: strings.Clone(u.GetName()), Kind: "registry", Enforces: a.facts.Blocks})
	}
	if strings.Contains(lower, "ratify") || strings.Contains(lower, "signature") {
		s.cluster.verify(facts.Verifier{Engine: "ratify", Name: strings.Clone(u.GetName()), Kind: "signature", Enforces: a.facts.Blocks})
	}
	s.admissions = append(s.admissions, a)
}

// otherConstraints are kinds of Gatekeeper's library, in lower case, that have
// nothing to do with what a pod may do to its node.
var otherConstraints = []string{
	"k8srequiredlabels", "k8srequiredannotations", "k8sallowedrepos", "k8sallowedreposv2", "k8sdisallowedrepos", "k8scontainerlimits", "k8scontainerrequests",
	"k8scontainerratios", "k8srequiredresources", "k8scontainerephemeralstoragelimit", "k8sdisallowedtags", "k8simagedigests", "k8sreplicalimits",
	"k8srequiredprobes", "k8sblocknodeport", "k8sblockloadbalancer", "k8sexternalips", "k8shttpsonly", "k8suniqueingresshost", "k8suniqueserviceselector",
	"k8sdisallowanonymous", "k8sblockwildcardingress", "k8sstorageclass", "k8spoddisruptionbudget", "k8shorizontalpodautoscaler", "verifydeprecatedapi",
	"k8sdisallowinteractivetty", "k8sblockendpointeditdefaultrole", "k8sblockupdateserviceaccount", "k8sblockcreationwithdefaultserviceaccount",
}

// addImageVerifier reads the objects of image verification engines.
func (s *Set) addImageVerifier(u *unstructured.Unstructured) {
	v := facts.Verifier{Engine: "sigstore-policy-controller", Name: strings.Clone(u.GetName()), Kind: "signature", Enforces: text(u.Object, "spec", "mode") != "warn"}
	switch {
	case u.GetKind() == "Verifier":
		v.Engine = "ratify"
	case strings.HasPrefix(u.GetAPIVersion(), "config.openshift.io/"):
		v.Engine = "openshift"
	}
	s.cluster.verify(v)
}

// guards are the policies of other engines that look at pods of a namespace.
func (s *Set) guards(ns *namespace) []facts.Guard {
	var out []facts.Guard
	for _, a := range s.admissions {
		if a.guards && a.facts.Pods && a.covers(ns) {
			out = append(out, facts.Guard{Engine: a.facts.Engine, Name: a.ref.name.name, Enforces: a.refuses, Privileged: a.privileged, Understood: a.understood})
		}
	}
	if s.cluster.openshift.Present {
		out = append(out, facts.Guard{Engine: "scc", Name: "restricted-v2", Enforces: true, Privileged: true, Understood: true})
	}
	return out
}

// admissionResources yields every admission object.
func (s *Set) admissionResources(yield func(*facts.Resource) bool) bool {
	for _, a := range s.admissions {
		if !s.keep(a.ref.namespace, a.ref.kind) {
			continue
		}
		f := a.facts
		for _, ns := range s.namespaces {
			if a.ref.namespace == "" && !systemNamespace(ns.name) && !a.covers(ns) {
				f.SkipsUserNamespaces = true
			}
		}
		r := s.resource(facts.KindAdmissionPolicy, a.ref, a.at, &f)
		s.lack(r, "skips_user_namespaces", Namespaces)
		for _, path := range []string{"action", "blocks"} {
			s.lack(r, path, AdmissionPolicies)
			if !s.opts.Live && f.Action == "none" {
				r.Missing[path] = notAssessed("the files hold no binding of the policy; add it, or scan the cluster")
			}
		}
		if !s.opts.Live && !f.SkipsUserNamespaces && (a.namespaces != nil || len(a.only)+len(a.not)+len(a.bindings) > 0) {
			r.Missing["skips_user_namespaces"] = notAssessed("the files do not show every namespace that it may leave out; scan the cluster")
		}
		if !yield(r) {
			return false
		}
	}
	return true
}
