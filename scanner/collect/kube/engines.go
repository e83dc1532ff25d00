package kube

import (
	"cmp"
	"encoding/json"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"

	"github.com/postscan/postscan/scanner/facts"
)

// addDeploymentConfig reads OpenShift's older Deployment; its template is the same.
func (s *Set) addDeploymentConfig(u *unstructured.Unstructured, at Place) bool {
	var d appsv1.Deployment
	raw, err := json.Marshal(map[string]any{"metadata": u.Object["metadata"], "spec": map[string]any{"template": dig(u.Object, "spec", "template")}})
	if err != nil || json.Unmarshal(raw, &d) != nil {
		return false
	}
	s.addTemplate("DeploymentConfig", &d.ObjectMeta, &d.Spec.Template, "spec.template", nil, at)
	return true
}

// newPolicy starts a policy of another engine; one of a namespace has no
// namespace selector.
func (s *Set) newPolicy(engine string, u *unstructured.Unstructured, clusterWide bool, at Place) *netPolicy {
	p := &netPolicy{ref: ref{u.GetKind(), name{"", strings.Clone(u.GetName())}}, engine: engine, declared: true, at: at, stage: stageNormal, order: kubernetesOrder, pods: labels.Everything()}
	if clusterWide {
		p.namespaces = labels.Everything()
		return p
	}
	p.ref.namespace = s.intern(s.namespaceOf(metaOf(u)))
	p.declared = u.GetNamespace() != ""
	s.count(p.ref.namespace, u.GetKind())
	return p
}

// looseSelector compiles a selector of an unstructured object; one that cannot
// be read selects nothing, and ok is false.
func looseSelector(m map[string]any) (sel labels.Selector, ok bool) {
	var l metav1.LabelSelector
	raw, err := json.Marshal(m)
	if err != nil || json.Unmarshal(raw, &l) != nil {
		return labels.Nothing(), false
	}
	return selector(&l)
}

// ciliumSelector reads a selector of endpoints: labels of pods, and through keys
// of Cilium's own those of their namespaces. namespaces is nil where it names
// none. Parts that it cannot read (reserved identities) make ok false.
func ciliumSelector(m map[string]any) (namespaces, pods labels.Selector, ok bool) {
	var l metav1.LabelSelector
	raw, err := json.Marshal(m)
	if err != nil || json.Unmarshal(raw, &l) != nil {
		return nil, labels.Nothing(), false
	}
	var ofPods, ofNamespaces metav1.LabelSelector
	ok = true
	add := func(key string, put func(sel *metav1.LabelSelector, key string)) {
		for _, p := range []string{"k8s:", "any:", "k8s."} {
			key = strings.TrimPrefix(key, p)
		}
		label, ofNamespace := strings.CutPrefix(key, "io.cilium.k8s.namespace.labels.")
		switch {
		case ofNamespace:
			put(&ofNamespaces, label)
		case key == "io.kubernetes.pod.namespace":
			put(&ofNamespaces, corev1.LabelMetadataName)
		case strings.HasPrefix(key, "io.kubernetes.pod.") || strings.HasPrefix(key, "io.cilium.") || strings.HasPrefix(key, "reserved"):
			ok = false
		default:
			put(&ofPods, key)
		}
	}
	for k, v := range l.MatchLabels {
		add(k, func(sel *metav1.LabelSelector, key string) { metav1.AddLabelToSelector(sel, key, v) })
	}
	for _, e := range l.MatchExpressions {
		add(e.Key, func(sel *metav1.LabelSelector, key string) {
			if e.Operator == metav1.LabelSelectorOpExists && key == corev1.LabelMetadataName {
				key = "" // every namespace has a name
			}
			sel.MatchExpressions = append(sel.MatchExpressions, metav1.LabelSelectorRequirement{Key: key, Operator: e.Operator, Values: e.Values})
		})
	}
	named := len(ofNamespaces.MatchLabels)+len(ofNamespaces.MatchExpressions) > 0
	ofNamespaces.MatchExpressions = slices.DeleteFunc(ofNamespaces.MatchExpressions, func(r metav1.LabelSelectorRequirement) bool { return r.Key == "" })
	pods, good := selector(&ofPods)
	ok = ok && good
	if named {
		namespaces, good = selector(&ofNamespaces)
		ok = ok && good
	}
	return namespaces, pods, ok
}

// addCilium reads a Cilium policy. A list of rules with something in it closes
// that direction unless enableDefaultDeny says otherwise; an empty rule allows
// nothing.
func (s *Set) addCilium(u *unstructured.Unstructured, at Place) {
	specs := maplist(u.Object, "specs")
	var paths []string
	for i := range specs {
		paths = append(paths, s.at("specs", i))
	}
	if spec := submap(u.Object, "spec"); spec != nil {
		specs, paths = append(specs, spec), append(paths, "spec")
	}
	for i, spec := range specs {
		if spec["nodeSelector"] != nil {
			continue // a policy for nodes
		}
		clusterWide := u.GetKind() != "CiliumNetworkPolicy"
		p := s.newPolicy(engineCilium, u, clusterWide, at)
		p.path = paths[i] + ".endpointSelector"
		namespaces, pods, ok := ciliumSelector(submap(spec, "endpointSelector"))
		p.pods, p.unsure = pods, !ok
		if clusterWide && namespaces != nil {
			p.namespaces = namespaces
		}
		for _, dir := range []string{"ingress", "egress"} {
			for _, field := range []string{dir, dir + "Deny"} {
				rules := list(spec, field)
				if len(rules) > 0 && flag(spec, "enableDefaultDeny", dir) != "false" {
					p.isolate(dir == "ingress")
				}
				for j := range rules {
					m, _ := rules[j].(map[string]any)
					r, ok := ciliumRule(m, dir == "ingress", clusterWide, keyIndex(paths[i]+"."+field, j))
					if !ok {
						continue
					}
					if field != dir {
						r.action = actionDeny
					}
					p.rules = append(p.rules, r)
				}
			}
		}
		s.policies = append(s.policies, p)
	}
}

// ciliumRule reads one rule; ok is false for an empty one, which matches nothing.
func ciliumRule(m map[string]any, ingress, clusterWide bool, path string) (netRule, bool) {
	field := "to"
	if ingress {
		field = "from"
	}
	r := netRule{ingress: ingress, action: actionAllow, path: path, allPorts: m["toPorts"] == nil && m["icmps"] == nil}
	r.narrower = m[field+"Requires"] != nil || m["authentication"] != nil
	named := false
	for _, kind := range []string{"Endpoints", "CIDR", "CIDRSet", "Entities", "FQDNs", "Services", "Groups", "Nodes"} {
		v, ok := m[field+kind].([]any)
		if !ok {
			continue
		}
		named = true
		for i := range v {
			r.peers = append(r.peers, ciliumPeer(kind, v[i], clusterWide, keyIndex(path+"."+field+kind, i)))
		}
	}
	for _, tp := range maplist(m, "toPorts") {
		r.narrower = r.narrower || tp["rules"] != nil // requests are filtered too
		for _, pp := range maplist(tp, "ports") {
			r.ports = append(r.ports, ciliumPorts(pp)...)
		}
	}
	r.allPeers = !named && !r.allPorts
	return r, named || !r.allPorts
}

// ciliumPorts reads a port, for each protocol that it means.
func ciliumPorts(m map[string]any) []netPort {
	port := text(m, "port")
	p := netPort{from: leadingNumber(port), all: port == "0" || port == ""}
	p.to = max(p.from, integer(m["endPort"]))
	if p.from == 0 && !p.all {
		p.named = port
	}
	switch protocol := strings.ToUpper(text(m, "protocol")); protocol {
	case "", "ANY":
		var out []netPort
		for _, protocol := range []string{"TCP", "UDP", "SCTP"} {
			p.protocol = protocol
			out = append(out, p)
		}
		return out
	default:
		p.protocol = protocol
		return []netPort{p}
	}
}

// integer reads a number of an unstructured object; 0 where there is none.
func integer(v any) int {
	switch n := v.(type) {
	case int64:
		return int(n)
	case float64:
		return int(n)
	default:
		return 0
	}
}

func ciliumPeer(kind string, v any, clusterWide bool, path string) netPeer {
	p := netPeer{path: path}
	switch kind {
	case "Endpoints":
		m, _ := v.(map[string]any)
		namespaces, pods, ok := ciliumSelector(m)
		if !ok {
			p.other, p.noAddress = true, true // reserved identities of the cluster, such as the health checks
			return p
		}
		p.namespaces, p.pods = namespaces, pods
		if namespaces == nil && clusterWide {
			p.namespaces = labels.Everything()
		}
		p.everything = p.namespaces != nil && p.namespaces.Empty() && pods.Empty()
	case "CIDR", "CIDRSet":
		p.cidr, _ = v.(string)
		if m, ok := v.(map[string]any); ok {
			p.cidr = text(m, "cidr")
			for _, e := range texts(m, "except") {
				if x, err := netip.ParsePrefix(e); err == nil {
					p.except = append(p.except, x)
				}
			}
		}
		p.block, p.other = block(p.cidr)
		p.everything = p.block.IsValid() && p.block.Bits() == 0 && len(p.except) == 0
	case "Entities":
		e, _ := v.(string)
		p.other = true
		p.everything = e == "all" || e == "world"
		p.noAddress = !p.everything && !strings.HasPrefix(e, "world")
	case "Nodes":
		p.other, p.noAddress = true, true
	default:
		p.other = true
	}
	return p
}

// block reads a CIDR or a bare address; other is true for what is neither.
func block(v string) (b netip.Prefix, other bool) {
	if b, err := netip.ParsePrefix(v); err == nil {
		return b.Masked(), false
	}
	if a, err := netip.ParseAddr(v); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), false
	}
	return netip.Prefix{}, true
}

// addCalico reads a Calico policy. Its rules are asked in the order of the
// policies; tiers other than the default one are not put together.
func (s *Set) addCalico(u *unstructured.Unstructured, at Place) {
	p := s.newPolicy(engineCalico, u, u.GetKind() == "GlobalNetworkPolicy", at)
	p.path = "spec.selector"
	p.order = math.MaxFloat64 // without an order it comes last
	switch o := dig(u.Object, "spec", "order").(type) {
	case int64:
		p.order = float64(o)
	case float64:
		p.order = o
	}
	var ok bool
	selector, ns := text(u.Object, "spec", "selector"), text(u.Object, "spec", "namespaceSelector")
	if p.namespaces != nil {
		var own string
		if selector, own = calicoOwnNamespace(selector); own != "" {
			ns = strings.TrimPrefix(ns+" && "+own, " && ")
		}
	}
	p.pods, ok = calicoSelector(selector)
	p.unsure = !ok || text(u.Object, "spec", "serviceAccountSelector") != ""
	if ns != "" && p.namespaces != nil {
		p.namespaces, ok = calicoSelector(calicoNamespace(ns))
		p.unsure = p.unsure || !ok
	}
	types := texts(u.Object, "spec", "types")
	ingress, egress := maplist(u.Object, "spec", "ingress"), maplist(u.Object, "spec", "egress")
	p.ingress = slices.Contains(types, "Ingress") || len(types) == 0 && (len(ingress) > 0 || len(egress) == 0)
	p.egress = slices.Contains(types, "Egress") || len(types) == 0 && len(egress) > 0
	if tier := text(u.Object, "spec", "tier"); tier != "" && tier != "default" {
		p.unreadIngress, p.unreadEgress = p.ingress, p.egress
	}
	for i, m := range ingress {
		p.calicoRule(m, true, "source", "destination", keyIndex("spec.ingress", i))
	}
	for i, m := range egress {
		p.calicoRule(m, false, "destination", "source", keyIndex("spec.egress", i))
	}
	s.policies = append(s.policies, p)
}

// calicoNamespace writes the name of a namespace as the label that every
// namespace has: Calico has a key of its own for it.
func calicoNamespace(expr string) string {
	return strings.ReplaceAll(expr, "projectcalico.org/name", corev1.LabelMetadataName)
}

// calicoOwnNamespace takes out of a selector of pods what it says of the label
// by which Calico itself marks a pod's namespace, and returns both parts: the
// rest, and those terms as a selector of namespaces.
func calicoOwnNamespace(expr string) (pods, namespaces string) {
	const own = "projectcalico.org/namespace"
	var rest, terms []string
	for part := range strings.SplitSeq(expr, "&&") {
		if strings.Contains(part, own) {
			terms = append(terms, strings.ReplaceAll(part, own, corev1.LabelMetadataName))
		} else {
			rest = append(rest, part)
		}
	}
	return strings.Join(rest, "&&"), strings.Join(terms, "&&")
}

// calicoRule reads a rule; side holds the peer, far the selected pods' own end.
func (p *netPolicy) calicoRule(m map[string]any, ingress bool, side, far, path string) {
	r := netRule{ingress: ingress, path: path, allPorts: len(list(m, "destination", "ports")) == 0 && m["protocol"] == nil}
	switch text(m, "action") {
	case "Allow":
		r.action = actionAllow
	case "Deny":
		r.action = actionDeny
	case "Pass":
		r.action = actionPass
	case "Log":
		return // it decides nothing
	default:
		p.leaveOut(ingress)
		return
	}
	for _, key := range []string{"notProtocol", "icmp", "notICMP", "ipVersion", "http"} {
		r.narrower = r.narrower || m[key] != nil
	}
	own := submap(m, far)
	for key := range own {
		r.narrower = r.narrower || key != "ports" || far == "source"
	}
	peer := submap(m, side)
	r.narrower = r.narrower || side == "source" && peer["ports"] != nil || peer["notPorts"] != nil
	protocols := []string{"TCP", "UDP", "SCTP"} // ports without a protocol cannot be; a number is not read
	if protocol := text(m, "protocol"); protocol != "" {
		protocols = []string{strings.ToUpper(protocol)}
	}
	for _, protocol := range protocols {
		for _, v := range list(m, "destination", "ports") {
			r.ports = append(r.ports, calicoPort(v, protocol))
		}
		if len(list(m, "destination", "ports")) == 0 && !r.allPorts {
			r.ports = append(r.ports, netPort{protocol: protocol, all: true})
		}
	}
	var not []netip.Prefix
	for _, c := range texts(peer, "notNets") {
		b, other := block(c)
		if other {
			r.narrower = true
			continue
		}
		not = append(not, b)
	}
	nets := texts(peer, "nets")
	for i, c := range nets {
		q := netPeer{cidr: c, except: not, path: keyIndex(path+"."+side+".nets", i)}
		q.block, q.other = block(c)
		q.everything = q.block.IsValid() && q.block.Bits() == 0 && len(not) == 0
		r.peers = append(r.peers, q)
	}
	if len(not) > 0 && len(nets) == 0 {
		for _, c := range []string{"0.0.0.0/0", "::/0"} {
			b, _ := block(c)
			r.peers = append(r.peers, netPeer{cidr: c, block: b, except: not, path: path + "." + side + ".notNets"})
		}
	}
	p.calicoPeer(&r, peer, path+"."+side)
	r.allPeers = len(r.peers) == 0
	p.rules = append(p.rules, r)
}

// calicoPeer reads the selectors of a peer. A selector may also mean a set of
// addresses, so for an address it is not certain that it does not match.
func (p *netPolicy) calicoPeer(r *netRule, peer map[string]any, path string) {
	further := 0
	for _, key := range []string{"serviceAccounts", "domains", "services", "notSelector"} {
		if peer[key] != nil {
			further++
			r.peers = append(r.peers, netPeer{other: true, noAddress: key == "serviceAccounts", path: path + "." + key})
		}
	}
	sel, ns := text(peer, "selector"), text(peer, "namespaceSelector")
	if sel == "" && ns == "" {
		return
	}
	further++
	q := netPeer{other: true, path: path}
	if ns != "" {
		n, ok := calicoSelector(calicoNamespace(ns))
		pods, good := calicoSelector(sel)
		if ok && good && ns != "global()" {
			q = netPeer{namespaces: n, pods: pods, path: path, everything: n.Empty() && pods.Empty()}
		}
	} else if pods, ok := calicoSelector(sel); ok && p.namespaces == nil {
		q = netPeer{pods: pods, path: path}
	}
	q.mayBeAddress = true
	r.peers = append(r.peers, q)
	// All parts of a peer have to hold together.
	r.narrower = r.narrower || further > 1 || peer["nets"] != nil || peer["notNets"] != nil
}

// calicoPort reads 80, "80", "8000:9000" or a name.
func calicoPort(v any, protocol string) netPort {
	p := netPort{protocol: protocol, from: integer(v)}
	p.to = p.from
	if n, ok := v.(string); ok {
		lo, hi, found := strings.Cut(n, ":")
		p.from, p.to = leadingNumber(lo), leadingNumber(lo)
		if found {
			p.to = leadingNumber(hi)
		}
		if p.from == 0 {
			p.named = n
		}
	}
	return p
}

// calicoSelector compiles the common forms of Calico's selector language: all(),
// has(k), k == 'v', k != 'v', k in {…}, k not in {…}, joined by &&. Others, and
// labels that Calico itself gives pods, make ok false and select everything, so
// that nothing is taken for uncovered.
func calicoSelector(expr string) (labels.Selector, bool) {
	sel := labels.NewSelector()
	for part := range strings.SplitSeq(expr, "&&") {
		part = strings.TrimSpace(part)
		if part == "" || part == "all()" {
			continue
		}
		req, ok := calicoTerm(part)
		if !ok {
			return labels.Everything(), false
		}
		sel = sel.Add(*req)
	}
	return sel, true
}

func calicoTerm(t string) (*labels.Requirement, bool) {
	unquote := func(v string) string { return strings.Trim(strings.TrimSpace(v), `'"`) }
	values := func(v string) []string {
		var out []string
		for x := range strings.SplitSeq(strings.Trim(strings.TrimSpace(v), "{}"), ",") {
			out = append(out, unquote(x))
		}
		return out
	}
	var key string
	var op selection.Operator
	var vals []string
	switch {
	case strings.ContainsAny(t, "|()") && !strings.HasPrefix(t, "has("), strings.HasPrefix(t, "!"):
		return nil, false
	case strings.HasPrefix(t, "has(") && strings.HasSuffix(t, ")"):
		key, op = t[4:len(t)-1], selection.Exists
	case strings.Contains(t, "=="):
		k, v, _ := strings.Cut(t, "==")
		key, op, vals = k, selection.Equals, []string{unquote(v)}
	case strings.Contains(t, "!="):
		k, v, _ := strings.Cut(t, "!=")
		key, op, vals = k, selection.NotEquals, []string{unquote(v)}
	case strings.Contains(t, " not in "):
		k, v, _ := strings.Cut(t, " not in ")
		key, op, vals = k, selection.NotIn, values(v)
	case strings.Contains(t, " in "):
		k, v, _ := strings.Cut(t, " in ")
		key, op, vals = k, selection.In, values(v)
	default:
		return nil, false
	}
	key = strings.TrimSpace(key)
	if strings.HasPrefix(key, "projectcalico.org/") { // no pod has it by its own manifest
		return nil, false
	}
	req, err := labels.NewRequirement(key, op, vals)
	return req, err == nil
}

// addAdminPolicy reads an AdminNetworkPolicy, BaselineAdminNetworkPolicy or
// ClusterNetworkPolicy. They do not close a direction by selecting pods; only a
// deny rule for everything does.
func (s *Set) addAdminPolicy(u *unstructured.Unstructured, at Place) {
	p := s.newPolicy(engineAdmin, u, true, at)
	p.path, p.stage = "spec.subject", stageAdmin
	if u.GetKind() == "BaselineAdminNetworkPolicy" || text(u.Object, "spec", "tier") == "Baseline" {
		p.stage = stageBaseline
	}
	p.order = float64(integer(dig(u.Object, "spec", "priority")))
	var ok bool
	if m := submap(u.Object, "spec", "subject", "namespaces"); m != nil {
		p.namespaces, ok = looseSelector(m)
	}
	if m := submap(u.Object, "spec", "subject", "pods"); m != nil {
		p.namespaces, ok = looseSelector(submap(m, "namespaceSelector"))
		var good bool
		p.pods, good = looseSelector(submap(m, "podSelector"))
		ok = ok && good
	}
	p.unsure = !ok
	for _, dir := range []string{"ingress", "egress"} {
		field := "to"
		if dir == "ingress" {
			field = "from"
		}
		for i, m := range maplist(u.Object, "spec", dir) {
			r := adminRule(m, dir == "ingress", field, keyIndex("spec."+dir, i))
			switch text(m, "action") {
			case "Allow", "Accept":
				r.action = actionAllow
			case "Deny":
				r.action = actionDeny
				if r.allPorts && slices.ContainsFunc(r.peers, func(q netPeer) bool { return q.everything }) {
					p.isolate(dir == "ingress")
				}
			case "Pass":
				r.action = actionPass
			default:
				p.leaveOut(dir == "ingress")
				continue
			}
			p.rules = append(p.rules, r)
		}
	}
	s.policies = append(s.policies, p)
}

func adminRule(m map[string]any, ingress bool, field, path string) netRule {
	ports, protocols := maplist(m, "ports"), maplist(m, "protocols")
	r := netRule{ingress: ingress, path: path, allPorts: len(ports)+len(protocols) == 0}
	for _, port := range ports {
		r.adminPort(port)
	}
	for _, protocol := range protocols {
		r.protocol(protocol)
	}
	for i, q := range maplist(m, field) {
		r.adminPeer(q, keyIndex(path+"."+field, i))
	}
	r.allPeers = len(r.peers) == 0
	return r
}

// adminPort reads a port of an AdminNetworkPolicy.
func (r *netRule) adminPort(m map[string]any) {
	p := netPort{protocol: "TCP"}
	switch {
	case m["portNumber"] != nil:
		p.protocol = cmp.Or(text(m, "portNumber", "protocol"), "TCP")
		p.from = integer(dig(m, "portNumber", "port"))
		p.to = p.from
	case m["portRange"] != nil:
		p.protocol = cmp.Or(text(m, "portRange", "protocol"), "TCP")
		p.from, p.to = integer(dig(m, "portRange", "start")), integer(dig(m, "portRange", "end"))
	default:
		p.named = cmp.Or(text(m, "namedPort"), "?")
	}
	r.ports = append(r.ports, p)
}

// protocol reads a protocol of a ClusterNetworkPolicy.
func (r *netRule) protocol(m map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		p := netPort{protocol: strings.ToUpper(name)}
		to := submap(m, name, "destinationPort")
		switch {
		case name == "destinationNamedPort":
			p.protocol, p.named = "TCP", text(m, name)
		case to == nil:
			p.all = true
		case to["range"] != nil:
			p.from, p.to = integer(dig(to, "range", "start")), integer(dig(to, "range", "end"))
		default:
			p.from = integer(to["number"])
			p.to = p.from
		}
		r.ports = append(r.ports, p)
	}
}

// adminPeer reads a peer, each network as one of its own.
func (r *netRule) adminPeer(q map[string]any, path string) {
	p := netPeer{path: path}
	for _, key := range slices.Sorted(maps.Keys(q)) {
		var ok bool
		switch key {
		case "namespaces":
			p.namespaces, ok = looseSelector(submap(q, key))
			p.everything = ok && p.namespaces.Empty()
		case "pods":
			var good bool
			p.namespaces, ok = looseSelector(submap(q, key, "namespaceSelector"))
			p.pods, good = looseSelector(submap(q, key, "podSelector"))
			ok = ok && good
			p.everything = ok && p.namespaces.Empty() && p.pods.Empty()
		case "networks":
			for i, c := range texts(q, key) {
				b, other := block(c)
				r.peers = append(r.peers, netPeer{
					cidr: c, block: b, other: other, everything: b.IsValid() && b.Bits() == 0, path: keyIndex(path+"."+key, i),
				})
			}
			return
		case "nodes":
			p.other, p.noAddress, ok = true, true, true
		}
		if !ok { // names of domains, or a kind that is newer than this reader
			p = netPeer{other: true, path: path}
		}
	}
	r.peers = append(r.peers, p)
}

// policyOptionOff: the provider's engines for policies run as DaemonSets that
// can be seen, and none is there, so the option is off.
func policyOptionOff(distribution string, plugins []string) bool {
	switch distribution {
	case "gke":
		return true // Calico's agent or Dataplane V2's
	case "aks":
		return slices.Contains(plugins, "azure-cni") // Azure's policy manager, Calico's or Cilium's
	default:
		return false
	}
}

// clusterGaps says what of policies, mesh and image verification the API does
// not show, where nothing else decides.
func (s *Set) clusterGaps(f *facts.Cluster, r *facts.Resource) {
	switch s.podSecurityDefault() {
	case "configured":
		s.gap(r, "pod_security_exemptions", notAssessed("the API server reads a configuration file for admission; what it exempts needs the node's own files"))
	case "assumed":
		m := notAssessed("no API server is in view; what it exempts needs the node's own files")
		if f.Managed {
			m = notAssessed("the provider runs the control plane and hides it; needs the cloud's API")
		}
		s.lack(r, "pod_security_exemptions", Pods)
		s.gap(r, "pod_security_exemptions", m)
	}
	_, miss := r.Missing["network.enforces"]
	if f.Network.Enforces == "unknown" && f.Network.Policies.Kubernetes > 0 && !miss {
		r.Missing["network.enforces"] = notAssessed("no network plugin that postscan knows was found among the DaemonSets; needs the node's own files")
		if f.Managed {
			r.Missing["network.enforces"] = notAssessed("no network plugin that postscan knows was found among the DaemonSets; needs the cloud's API")
		}
	}
	if f.Mesh.Name == "linkerd" {
		s.lack(r, "mesh.mode", ConfigMaps)
	}
	if slices.ContainsFunc(f.Verifiers, func(v facts.Verifier) bool { return v.Enforces }) {
		return
	}
	switch {
	case f.Distribution == "gke":
		s.gap(r, "verifiers", notAssessed("whether Binary Authorization is on needs the cloud's API"))
	case f.Managed, len(f.APIServers) > 0:
	case len(f.K3sServers) == 0:
		s.gap(r, "verifiers", notAssessed("whether the API server asks an ImagePolicyWebhook is not visible through the API; needs its own flags"))
	}
}

// gap marks a path as missing where nothing else did.
func (s *Set) gap(r *facts.Resource, path string, m facts.Missing) {
	if _, has := r.Missing[path]; !has {
		r.Missing[path] = m
	}
}
