package kube

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/postscan/postscan/scanner/facts"
)

// Resources joins what was added and yields every resource, one at a time, in
// an order that depends on the objects alone. The Set is spent afterwards.
//
// Resources share parts (the rules of a role). They are normalised here, on one
// goroutine, so that whoever receives them has nothing left to write.
func (s *Set) Resources() iter.Seq[*facts.Resource] {
	return func(out func(*facts.Resource) bool) {
		yield := func(r *facts.Resource) bool {
			r.Normalise()
			return out(r)
		}
		s.seal()
		s.bookClasses()
		for _, w := range s.works {
			s.book(w)
		}
		slices.SortStableFunc(s.works, func(a, b *work) int { return compareRefs(a.ref, b.ref) })
		slices.SortStableFunc(s.bindings, func(a, b *binding) int { return compareRefs(a.ref, b.ref) })
		slices.SortStableFunc(s.policies, func(a, b *netPolicy) int { return compareRefs(a.ref, b.ref) })
		slices.SortStableFunc(s.services, func(a, b *service) int { return compareRefs(a.ref, b.ref) })
		slices.SortStableFunc(s.ingresses, func(a, b *ingress) int { return compareRefs(a.ref, b.ref) })
		slices.SortStableFunc(s.admissions, func(a, b *admission) int { return compareRefs(a.ref, b.ref) })
		_ = s.workloadResources(yield) &&
			s.namespaceResources(yield) &&
			s.policyResources(yield) &&
			s.serviceResources(yield) &&
			s.ingressResources(yield) &&
			s.configResources(yield) &&
			s.identityResources(yield) &&
			s.roleResources(yield) &&
			s.bindingResources(yield) &&
			s.admissionResources(yield) &&
			s.nodeResources(yield) &&
			s.clusterResource(yield) &&
			s.unseenResources(yield)
	}
}

// seal joins everything but pods, once. What is added later counts for what
// comes after it only.
func (s *Set) seal() {
	if s.sealed {
		return
	}
	s.sealed = true
	s.settleOwners()
	s.settleClaims()
	s.settleVAP()
	s.settleRoutes()
	s.access = s.indexAccess()
	s.bindServices()
	s.openSelectors()
}

// book counts a workload for everything that asks how many there are.
func (s *Set) book(w *work) {
	if w.drift != nil {
		return
	}
	s.workloads[w.ref.namespace]++
	s.bookServices(w)
	s.bookPolicies(w)
	s.access.use(w)
}

// keep says whether an object is to be reported on.
func (s *Set) keep(namespace, kind string) bool {
	if len(s.opts.Kinds) > 0 && !slices.ContainsFunc(s.opts.Kinds, func(k string) bool { return strings.EqualFold(k, kind) }) {
		return false
	}
	if kind == "Namespace" || s.opts.Keep == nil {
		return true
	}
	return s.opts.Keep(namespace)
}

// resource starts a resource.
func (s *Set) resource(kind facts.Kind, r ref, at Place, doc any) *facts.Resource {
	return &facts.Resource{
		Kind: kind, ID: r.id(), Target: cmp.Or(at.Target, s.opts.Target), Origin: at.Origin, Lines: at.Lines,
		Missing: map[string]facts.Missing{}, Annotations: s.waiversOf(r, at, doc), Facts: doc,
	}
}

// lack marks a path as missing where one of the topics was not seen.
func (s *Set) lack(r *facts.Resource, path string, topics ...Topic) {
	for _, t := range topics {
		m, ok := s.miss[t]
		if !ok {
			continue
		}
		if old, has := r.Missing[path]; !has || old.Partial && !m.Partial {
			r.Missing[path] = m
		}
	}
}

// missNamespace marks the Pod Security levels of a namespace that was not seen.
func (s *Set) missNamespace(r *facts.Resource, ns string) {
	if ns == "" {
		return
	}
	if m, ok := s.namespaceMissing(ns); ok {
		r.Missing["namespace.pod_security"] = m
	}
}

// workloadResources yields every workload, joined as it is yielded.
func (s *Set) workloadResources(yield func(*facts.Resource) bool) bool {
	for _, w := range s.works {
		if s.keep(w.ref.namespace, w.facts.Kind) && !yield(s.workload(w)) {
			return false
		}
		w.facts = nil // nothing asks for it again: what was judged can be freed
	}
	return true
}

// workIdentity is what workloads carry of a service account, worked out once.
type workIdentity struct {
	facts facts.WorkloadIdentity
	grants
}

// workload joins one workload.
func (s *Set) workload(w *work) *facts.Resource {
	f := *w.facts
	f.Live, f.Running, f.Component = s.opts.Live, w.running, w.component
	f.Class, f.Cluster = s.classOf(w), s.clusterSummary()
	f.Namespace = s.namespaceView(w.ref.namespace, w.declared)
	f.Nodes = s.nodesView(w)
	f.Containers = s.joinContainers(w, f.Nodes.Runtimes)
	f.Volumes = slices.Clone(f.Volumes)
	for i := range f.Volumes {
		s.joinVolumes(w, &f.Volumes[i])
	}
	s.joinIdentity(w, &f)
	f.RuntimeClass = s.runtimeClass(w, &f)
	f.Network = s.network(w)
	f.Exposures = s.exposures(w)
	f.IngressController = s.ingressController(w)
	r := s.resource(facts.KindWorkload, w.ref, w.at, &f)
	r.Key = w.key
	s.workloadLinks(w, r)
	s.workloadMissing(w, &f, r)
	return r
}

// joinContainers puts in what the namespace's LimitRanges and the nodes' runtimes decide.
func (s *Set) joinContainers(w *work, runtimes []string) []facts.Container {
	whose := defaultAssumed
	switch {
	case len(runtimes) == 1:
		whose = runtimes[0]
	case len(runtimes) > 1:
		whose = defaultMixed
	}
	out := slices.Clone(w.facts.Containers)
	for i := range out {
		c := &out[i]
		c.Resources = applyLimits(c.Resources, s.limits[w.ref.namespace])
		if whose == defaultAssumed {
			continue
		}
		c.Effective.CapabilityDefault = whose
		if c.Effective.CapabilityBase == "default" {
			c.Effective.Capabilities, _ = effectiveCapabilities(false, c.CapabilitiesAdd, c.CapabilitiesDrop, facts.DefaultCapabilities(whose))
		}
	}
	return out
}

// joinIdentity puts in the service account and its rights.
func (s *Set) joinIdentity(w *work, f *facts.Workload) {
	n := name{w.ref.namespace, f.Identity.ServiceAccount}
	id := s.identities[n]
	if id == nil {
		id = &workIdentity{grants: s.access.closed(subjectKey{"ServiceAccount", n}, true)}
		id.facts.Exists, id.facts.AutomountFrom, id.facts.Automount = "unknown", "default", true
		if acc := s.accounts[n]; acc != nil {
			id.facts.Exists, id.facts.CloudIdentity = "true", acc.cloud
			if acc.automount != unset {
				id.facts.Automount, id.facts.AutomountFrom = acc.automount == "true", "service_account"
			}
		} else {
			_, miss := s.miss[ServiceAccounts]
			if s.opts.Live && !miss {
				id.facts.Exists = "false"
			} else {
				id.facts.AutomountFrom = "assumed"
			}
		}
		s.identities[n] = id
	}
	own := &f.Identity
	own.Exists, own.CloudIdentity = id.facts.Exists, id.facts.CloudIdentity
	if own.AutomountFrom != "pod" {
		own.Automount, own.AutomountFrom = id.facts.Automount, id.facts.AutomountFrom
	}
	own.Grants, own.Rights, own.Bound = id.list, id.rights, len(id.list) > 0
}

// runtimeClass joins the RuntimeClass and what the nodes say of its handler.
func (s *Set) runtimeClass(w *work, f *facts.Workload) facts.RuntimeClass {
	c := facts.RuntimeClass{Name: f.RuntimeClass.Name, Exists: "true", Available: "unknown", Handler: s.handlerOf(w)}
	if c.Name == "" {
		c.Available = "true"
		return c
	}
	if _, ok := s.classes[c.Name]; !ok {
		c.Exists = "unknown"
		if _, miss := s.miss[RuntimeClasses]; s.opts.Live && !miss {
			c.Exists = "false"
		}
	}
	for _, n := range s.nodesOf(w) {
		if len(n.facts.Handlers) == 0 {
			continue
		}
		has := slices.ContainsFunc(n.facts.Handlers, func(h facts.RuntimeHandler) bool { return h.Name == c.Handler })
		if has {
			c.Available = "true"
		} else if c.Available == "unknown" {
			c.Available = "false"
		}
	}
	return c
}

// workloadLinks leads from a workload to its nodes, identity, images and template.
func (s *Set) workloadLinks(w *work, r *facts.Resource) {
	link := func(kind, to, evidence string) {
		r.Links = append(r.Links, facts.Link{Type: kind, To: to, Evidence: evidence, Confidence: "certain"})
	}
	link("uses-identity", w.ref.namespace+"/ServiceAccount/"+w.facts.Identity.ServiceAccount, "serviceAccountName")
	for _, n := range w.nodes {
		link("runs-on", "Node/"+n, "spec.nodeName of its pods")
	}
	for _, d := range w.images {
		link("runs-image", d, "status.containerStatuses of its pods")
	}
	if w.drift != nil {
		link("instance-of", w.drift.ref.id(), "ownerReferences")
	}
}

// handlersUnseen says why it is not known whether a node has a runtime handler.
func (s *Set) handlersUnseen() facts.Missing {
	m, ok := s.miss[Nodes]
	switch {
	case ok:
	case s.opts.Live:
		m = facts.Missing{Status: facts.Unknown, Reason: "its nodes do not list their runtime handlers (they do since 1.30, with a runtime that tells them)"}
	default:
		m = notAssessed(needsCluster)
	}
	m.Partial = true // what the pod spec itself voids is seen all the same
	return m
}

// workloadMissing says what of a workload could not be seen.
func (s *Set) workloadMissing(w *work, f *facts.Workload, r *facts.Resource) {
	s.missNamespace(r, w.ref.namespace)
	s.missName(r, w.declared)
	if s.opts.Detect == nil {
		r.Missing["containers[].literal_secrets"] = notAssessed("this scan was given no detector for credentials")
	}
	if !f.HostNetwork { // no policy reaches that one
		s.lack(r, "network", NetworkPolicies)
	}
	s.lack(r, "exposures", Services, Ingresses)
	s.lack(r, "volumes[].token_secret", Secrets)
	if s.opts.Live && slices.ContainsFunc(f.Volumes, func(v facts.Volume) bool {
		return v.Type == "persistentVolumeClaim" && v.VolumeMode == "" && len(v.Mounts)+len(v.Devices) > 0
	}) { // its volume may be a path of the node
		s.lackPart(r, "volumes[].through", PersistentVolumes)
	}
	s.lack(r, "ingress_controller.snippet_users", Ingresses)
	if f.RuntimeClass.Exists == "unknown" {
		m, ok := s.miss[RuntimeClasses]
		if !ok {
			m = notAssessed("the files do not hold the RuntimeClass; add it, or scan the cluster")
		}
		m.Partial = true // what the pod spec itself voids is seen all the same
		r.Missing["runtime_class.exists"] = m
	}
	if f.RuntimeClass.Exists == "true" && f.RuntimeClass.Available == "unknown" {
		r.Missing["runtime_class.available"] = s.handlersUnseen()
	}
	if f.Identity.Exists == "unknown" {
		s.accountMissing(r)
	}
	s.lack(r, "nodes", Nodes)
	s.lack(r, "containers[].resources", LimitRanges)
	token := f.Identity.Automount || declaresToken(f) // without one no right of the account is the pod's
	for _, p := range []string{"grants", "rights", "bound"} {
		if token {
			s.lack(r, "identity."+p, Bindings, Roles)
		}
	}
	if f.Identity.AutomountFrom == "assumed" {
		s.lack(r, "identity.automount", ServiceAccounts)
	}
	s.lack(r, "running", Pods)
	s.networkGaps(f, r)
	if f.Placement.NodeName {
		s.lackPart(r, "placement.node_name", Nodes)
	}
	if s.opts.Live {
		s.nodeGaps(f, r)
		return
	}
	r.Missing["nodes"] = notAssessed(needsCluster)
	partial := func(reason string) facts.Missing {
		m := notAssessed(reason)
		m.Partial = true
		return m
	}
	m := partial("the cluster may hold more roles and bindings than these files; scan the cluster")
	for _, p := range []string{"grants", "rights", "bound"} {
		if token {
			r.Missing["identity."+p] = m
		}
	}
	if f.Placement.NodeName {
		r.Missing["placement.node_name"] = partial("the files do not show what the node that it is pinned to is; scan the cluster")
	}
	r.Missing["exposures"] = partial("the cluster may hold more services than these files; scan the cluster")
	if !f.HostNetwork && !slices.ContainsFunc(s.policies, func(p *netPolicy) bool { return p.namespaces != nil || p.ref.namespace == w.ref.namespace }) {
		r.Missing["network"] = notAssessed("the files hold no network policy for its namespace; add them, or scan the cluster")
	}
	if f.OS != "windows" && slices.ContainsFunc(f.Volumes, func(v facts.Volume) bool { return v.Type == "secret" && !v.TokenSecret }) {
		r.Missing["volumes[].token_secret"] = partial("the files do not hold every Secret that it mounts; scan the cluster")
	}
}

// nodeGaps says which facts of the nodes nobody looked at.
func (s *Set) nodeGaps(f *facts.Workload, r *facts.Resource) {
	gap := func(path, value, reason string) {
		if value == "unknown" {
			r.Missing["nodes."+path] = notAssessed(reason)
		}
	}
	const own = "needs the node's own files"
	const kubelet = "needs the kubelet's configuration; use --kubelet-config"
	gap("apparmor", f.Nodes.AppArmor, own)
	gap("selinux", f.Nodes.SELinux, own)
	gap("verified_boot", f.Nodes.VerifiedBoot, "needs the machine's own facts; scan it with postscan vm")
	gap("virtual_machine", f.Nodes.VirtualMachine, "needs the machine's own facts; scan it with postscan vm")
	gap("seccomp_default", f.Nodes.SeccompDefault, kubelet)
	gap("pid_limit", f.Nodes.PIDLimit, kubelet)
	gap("pull_verification", f.Nodes.PullVerification, kubelet)
	gap("user_namespaces", f.Nodes.UserNamespaces, "the nodes do not say whether their runtime supports user namespaces")
}
