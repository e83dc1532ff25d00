package kube

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/postscan/postscan/scanner/facts"
)

// namespace is a Namespace object on its way.
type namespace struct {
	name   string
	labels map[string]string
	class  facts.Classification
	psa    facts.PodSecurity
	at     Place
}

// limitDefaults are what a LimitRange puts into containers that set nothing.
type limitDefaults struct {
	cpuRequest, cpuLimit, memoryRequest, memoryLimit, storageLimit bool
}

// quota sums up the ResourceQuotas of a namespace.
type quota struct{ compute, objects bool }

// The labels of Pod Security admission.
const (
	psaPrefix  = "pod-security.kubernetes.io/"
	latest     = 999
	privileged = "privileged"
	restricted = "restricted"
)

var psaVersion = regexp.MustCompile(`^v1\.([0-9]|[1-9][0-9]*)$`)

func (s *Set) addNamespace(o *corev1.Namespace, at Place) {
	n := &namespace{
		name: strings.Clone(o.Name), labels: s.internMap(o.Labels), class: classify(o.Labels, o.Annotations),
		psa: podSecurity(o.Labels), at: at,
	}
	if n.labels == nil {
		n.labels = map[string]string{}
	}
	n.labels[corev1.LabelMetadataName] = n.name // the API server sets it on every namespace
	if !s.opts.Live && s.namespaces[n.name] != nil {
		return
	}
	s.namespaces[n.name] = n
	s.cluster.uidOf(o)
}

// podSecurity reads the labels as the admission plugin does: an invalid level
// reads as restricted for enforce and as privileged for audit and warn, an
// invalid version as latest, and warn follows a stricter enforce.
func podSecurity(l map[string]string) facts.PodSecurity {
	p := facts.PodSecurity{Invalid: []string{}}
	read := func(mode, onError string) (level, levelLabel, version string, minor int, ok bool) {
		level, levelLabel, version, minor = privileged, unset, "latest", latest
		if v, has := l[psaPrefix+mode]; has {
			levelLabel = strings.Clone(v)
			switch v {
			case privileged, "baseline", restricted:
				level, ok = levelLabel, true
			default:
				level = onError
				p.Invalid = append(p.Invalid, psaPrefix+mode)
			}
		}
		if v, has := l[psaPrefix+mode+"-version"]; has {
			version = strings.Clone(v)
			m := psaVersion.FindStringSubmatch(v)
			n, err := 0, error(nil)
			if m != nil {
				n, err = strconv.Atoi(m[1])
			}
			switch {
			case m != nil && err == nil:
				minor = n
			case v != "latest":
				p.Invalid = append(p.Invalid, psaPrefix+mode+"-version")
			}
		}
		return level, levelLabel, version, minor, ok
	}
	var enforced bool
	p.Enforce, p.EnforceLabel, p.EnforceVersion, p.EnforceMinor, enforced = read("enforce", restricted)
	p.Audit, p.AuditLabel, p.AuditVersion, p.AuditMinor, _ = read("audit", privileged)
	p.Warn, p.WarnLabel, p.WarnVersion, p.WarnMinor, _ = read("warn", privileged)
	if p.WarnLabel == unset && enforced && p.Enforce != privileged {
		p.Warn = p.Enforce
		if _, has := l[psaPrefix+"warn-version"]; !has {
			p.WarnVersion, p.WarnMinor = p.EnforceVersion, p.EnforceMinor
		}
	}
	return p
}

// levelRank orders the levels of Pod Security by strictness.
func levelRank(level string) int {
	switch level {
	case restricted:
		return 2
	case "baseline":
		return 1
	default:
		return 0
	}
}

// systemNamespace tells the namespaces of Kubernetes and of distributions.
func systemNamespace(n string) bool {
	switch n {
	case "kube-system", "kube-public", "kube-node-lease", "gmp-system", "gke-managed-system", "calico-system", "tigera-operator",
		"calico-apiserver", "kube-flannel", "cilium-secrets", "local-path-storage", "gatekeeper-system-addon", "aks-command",
		"amazon-cloudwatch", "amazon-guardduty", "openshift", "cattle-system", "cattle-fleet-system", "kubeedge", "node-feature-discovery-system":
		return true
	}
	for _, p := range []string{"openshift-", "kube-", "gke-managed-", "cattle-"} {
		if strings.HasPrefix(n, p) {
			return true
		}
	}
	return false
}

// namespaceView is what other documents carry of their namespace. declared is
// false where the object names none.
func (s *Set) namespaceView(n string, declared bool) facts.NamespaceView {
	v := facts.NamespaceView{Name: n, Declared: declared, System: systemNamespace(n), PodSecurity: podSecurity(nil)}
	if ns := s.namespaces[n]; ns != nil {
		v.PodSecurity = ns.psa
	}
	return v
}

// namespaceMissing says why a namespace's Pod Security levels are not known;
// ok is false where they are.
func (s *Set) namespaceMissing(n string) (facts.Missing, bool) {
	if s.namespaces[n] != nil {
		return facts.Missing{}, false
	}
	if m, ok := s.miss[Namespaces]; ok {
		return m, true
	}
	if s.opts.Live {
		return facts.Missing{Status: facts.Unknown, Reason: "the namespace was not in the list of namespaces; it may have been made or deleted during the scan"}, true
	}
	return notAssessed("the files hold no Namespace object for it; add the namespace's manifest, or scan the cluster"), true
}

// missName marks the name of a namespace that neither the manifest nor the user
// gives.
func (s *Set) missName(r *facts.Resource, declared bool) {
	if s.unnamed && !declared {
		r.Missing["namespace.name"] = notAssessed("the manifest names no namespace; name it, or say with --namespace where it goes")
	}
}

// notAssessed is a gap that nothing in this scan was meant to fill.
func notAssessed(reason string) facts.Missing {
	return facts.Missing{Status: facts.NotAssessed, Reason: reason}
}

func (s *Set) addQuota(o *corev1.ResourceQuota) {
	n := s.namespaceOf(&o.ObjectMeta)
	q := s.quotas[n]
	for r := range o.Spec.Hard {
		k := string(r)
		switch {
		case strings.HasPrefix(k, "limits.") || strings.HasPrefix(k, "requests.cpu") || strings.HasPrefix(k, "requests.memory") || k == "cpu" || k == "memory":
			q.compute = true
		case k == "pods" || strings.HasPrefix(k, "count/") || k == "services" || k == "secrets" || k == "configmaps" || k == "persistentvolumeclaims" || k == "replicationcontrollers":
			q.objects = true
		}
	}
	s.quotas[strings.Clone(n)] = q
}

// addLimitRange applies the API server's own defaulting of a LimitRange: default
// falls back to max, defaultRequest to default and then to min.
func (s *Set) addLimitRange(o *corev1.LimitRange) {
	n := strings.Clone(s.namespaceOf(&o.ObjectMeta))
	for i := range o.Spec.Limits {
		it := &o.Spec.Limits[i]
		if it.Type != corev1.LimitTypeContainer {
			continue
		}
		limit := func(k corev1.ResourceName) bool { return holds(it.Default, k) || holds(it.Max, k) }
		request := func(k corev1.ResourceName) bool {
			return holds(it.DefaultRequest, k) || limit(k) || holds(it.Min, k)
		}
		s.limits[n] = append(s.limits[n], limitDefaults{
			cpuRequest: request(corev1.ResourceCPU), cpuLimit: limit(corev1.ResourceCPU),
			memoryRequest: request(corev1.ResourceMemory), memoryLimit: limit(corev1.ResourceMemory),
			storageLimit: limit(corev1.ResourceEphemeralStorage),
		})
	}
}

// applyLimits puts a namespace's defaults into what a container leaves unset.
func applyLimits(r facts.Resources, ranges []limitDefaults) facts.Resources {
	for _, d := range ranges {
		set := func(field *string, given bool) {
			if *field == unset && given {
				*field = "limit_range"
			}
		}
		set(&r.CPULimit, d.cpuLimit)
		set(&r.MemoryLimit, d.memoryLimit)
		set(&r.StorageLimit, d.storageLimit)
		set(&r.CPURequest, d.cpuRequest)
		set(&r.MemoryRequest, d.memoryRequest)
	}
	return r
}

// namespaceResources yields every Namespace object as a resource.
func (s *Set) namespaceResources(yield func(*facts.Resource) bool) bool {
	for _, n := range slices.Sorted(maps.Keys(s.namespaces)) {
		ns := s.namespaces[n]
		if !s.keep(n, "Namespace") {
			continue
		}
		f := &facts.Namespace{
			Name: n, System: systemNamespace(n), Class: ns.class, Cluster: s.clusterSummary(), PodSecurity: ns.psa,
			Guards: s.guards(ns), Workloads: s.workloads[n],
		}
		f.Policies, f.DenyIngress, f.DenyEgress, f.PoliciesUnread = s.namespacePolicies(ns)
		f.PodSecurityDefault = s.podSecurityDefault()
		q := s.quotas[n]
		f.Quota, f.QuotaObjects, f.LimitRange = q.compute, q.objects, len(s.limits[n]) > 0
		for _, k := range slices.Sorted(maps.Keys(s.counts[n])) {
			f.Objects = append(f.Objects, facts.ObjectCount{Kind: k, Count: s.counts[n][k]})
		}
		r := s.resource(facts.KindNamespace, ref{"Namespace", name{"", n}}, ns.at, f)
		if f.PodSecurity.EnforceLabel == unset && !f.System { // elsewhere nothing hangs on them
			s.lack(r, "guards", AdmissionPolicies)
		}
		for _, p := range []string{"policies", "policies_unread", "deny_ingress", "deny_egress"} {
			s.lack(r, p, NetworkPolicies)
		}
		s.namespaceGaps(r, f)
		s.lack(r, "quota", Quotas)
		s.lack(r, "quota_objects", Quotas)
		s.lack(r, "limit_range", LimitRanges)
		s.lack(r, "workloads", Pods, Controllers)
		s.lack(r, "objects", Pods, Controllers, Services, ConfigMaps, Ingresses)
		if !yield(r) {
			return false
		}
	}
	return true
}

// podSecurityDefault says what the API servers in view do with a namespace
// without labels.
func (s *Set) podSecurityDefault() string {
	list := s.cluster.apiServers
	if len(list) == 0 {
		for _, n := range s.nodes {
			for _, f := range n.facts.K3s {
				if strings.Contains(f.Value, "admission-control-config-file") || f.Name == "profile" && f.Value != "" {
					return "configured"
				}
			}
		}
		return "assumed"
	}
	for i := range list {
		if v, ok := facts.FlagOf(list[i].Flags, "admission-control-config-file"); ok && v != "" || !ok && list[i].ConfigFile {
			return "configured"
		}
	}
	return privileged
}

// namespaceGaps says what a set of manifests does not show of a namespace:
// objects beside it that the cluster may hold.
func (s *Set) namespaceGaps(r *facts.Resource, f *facts.Namespace) {
	if f.PodSecurity.EnforceLabel == unset && f.PodSecurityDefault == "configured" {
		r.Missing["pod_security_default"] = notAssessed("the API server reads a configuration file for admission, which may set another default; needs the node's own files")
	}
	if s.opts.Live {
		return
	}
	if f.PodSecurity.EnforceLabel == unset && !f.System && !slices.ContainsFunc(f.Guards, func(g facts.Guard) bool { return g.Enforces }) {
		m := notAssessed("the cluster may hold admission policies that cover it; scan the cluster")
		m.Partial = true
		r.Missing["guards"] = m
	}
	if f.Cluster.Minor == 0 && f.PodSecurity.EnforceMinor != latest {
		m := notAssessed("the cluster's version is not known; give --kubernetes-version, or scan the cluster")
		m.Partial = true
		r.Missing["cluster.minor"] = m
	}
	if f.Policies == (facts.PolicyCount{}) {
		m := notAssessed("the files hold no network policy for it; add them, or scan the cluster")
		r.Missing["deny_ingress"], r.Missing["deny_egress"] = m, m
	}
	m := notAssessed("the files hold none for it; add it, or scan the cluster")
	for path, there := range map[string]bool{"quota": f.Quota, "quota_objects": f.QuotaObjects, "limit_range": f.LimitRange} {
		if !there {
			r.Missing[path] = m
		}
	}
}

// selectorText prints a selector as kubectl does.
func selectorText(sel labels.Selector) string { return cmp.Or(sel.String(), "<all>") }
