package kube

import (
	"net/netip"
	"slices"
	"strings"

	netv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/postscan/postscan/scanner/facts"
)

// Engines of network policies, as facts name them.
const (
	engineKubernetes = "kubernetes"
	engineCilium     = "cilium"
	engineCalico     = "calico"
	engineAdmin      = "admin"
)

// netPolicy is a network policy of any engine, on its way.
type netPolicy struct {
	ref      ref
	engine   string
	declared bool
	at       Place
	// namespaces selects the namespaces of a cluster-wide policy; nil for one of a namespace.
	namespaces labels.Selector
	pods       labels.Selector
	ingress    bool // selected pods are closed in that direction but for its rules
	egress     bool
	read       bool // every part of it was interpreted
	rules      []netRule
	path       string // of the selector
	matches    int    // workloads that it selects
	scope      int    // workloads of the namespaces that it is for
}

// netRule is one allow rule.
type netRule struct {
	ingress  bool
	allPeers bool
	ports    []netPort
	allPorts bool
	peers    []netPeer
	path     string
}

// netPort is a port or range; named ports have no number.
type netPort struct {
	protocol string // TCP, UDP, SCTP
	all      bool   // every port of the protocol
	named    bool
	from, to int
}

// netPeer is one peer. A nil selector is one that is not written.
type netPeer struct {
	namespaces, pods labels.Selector
	block            netip.Prefix
	except           []netip.Prefix
	cidr             string
	other            bool // entities, names, services of another engine
	everything       bool
	matched          bool // a namespace or workload in view is meant
	path             string
}

// openPeer is a peer with selectors that nothing in view matched yet. own is the
// namespace of its policy; "" for a cluster-wide one.
type openPeer struct {
	own  string
	peer *netPeer
}

// addNetworkPolicy reduces a NetworkPolicy. Its semantics, as the Kubernetes
// documentation has them: policyTypes defaults to Ingress, with Egress where
// egress rules exist; an empty pod selector selects every pod of the
// namespace; a rule without peers allows every peer, one without ports every
// port; an empty list of rules allows nothing.
func (s *Set) addNetworkPolicy(o *netv1.NetworkPolicy, at Place) {
	p := &netPolicy{
		ref: ref{"NetworkPolicy", name{s.intern(s.namespaceOf(&o.ObjectMeta)), strings.Clone(o.Name)}}, engine: engineKubernetes,
		declared: o.Namespace != "", at: at, read: true, path: "spec.podSelector",
	}
	s.count(p.ref.namespace, "NetworkPolicy")
	p.pods, p.read = selector(&o.Spec.PodSelector)
	for _, t := range o.Spec.PolicyTypes {
		p.ingress = p.ingress || t == netv1.PolicyTypeIngress
		p.egress = p.egress || t == netv1.PolicyTypeEgress
	}
	if len(o.Spec.PolicyTypes) == 0 {
		p.ingress, p.egress = true, len(o.Spec.Egress) > 0
	}
	if p.ingress {
		for i := range o.Spec.Ingress {
			r := &o.Spec.Ingress[i]
			p.rules = append(p.rules, kubernetesRule(true, r.From, r.Ports, s.at("spec.ingress", i), "from"))
		}
	}
	if p.egress {
		for i := range o.Spec.Egress {
			r := &o.Spec.Egress[i]
			p.rules = append(p.rules, kubernetesRule(false, r.To, r.Ports, s.at("spec.egress", i), "to"))
		}
	}
	s.policies = append(s.policies, p)
}

// kubernetesRule reduces an ingress or egress rule; field is from or to.
func kubernetesRule(ingress bool, peers []netv1.NetworkPolicyPeer, ports []netv1.NetworkPolicyPort, path, field string) netRule {
	r := netRule{ingress: ingress, allPeers: len(peers) == 0, allPorts: len(ports) == 0, path: path}
	for i := range ports {
		p := netPort{protocol: "TCP", all: ports[i].Port == nil}
		if ports[i].Protocol != nil {
			p.protocol = string(*ports[i].Protocol)
		}
		if n := ports[i].Port; n != nil {
			p.from, p.to = n.IntValue(), n.IntValue()
			p.named = n.StrVal != "" && p.from == 0
			if ports[i].EndPort != nil {
				p.to = int(*ports[i].EndPort)
			}
		}
		r.ports = append(r.ports, p)
	}
	for i := range peers {
		r.peers = append(r.peers, kubernetesPeer(&peers[i], keyIndex(path+"."+field, i)))
	}
	return r
}

// kubernetesPeer reduces a peer. A namespaceSelector and a podSelector in one
// peer are both to hold.
func kubernetesPeer(p *netv1.NetworkPolicyPeer, path string) netPeer {
	out := netPeer{path: path}
	if p.IPBlock != nil {
		out.cidr = strings.Clone(p.IPBlock.CIDR)
		block, err := netip.ParsePrefix(p.IPBlock.CIDR)
		if err != nil {
			out.other = true
			return out
		}
		out.block = block
		for _, e := range p.IPBlock.Except {
			if x, err := netip.ParsePrefix(e); err == nil {
				out.except = append(out.except, x)
			}
		}
		out.everything = block.Bits() == 0 && len(p.IPBlock.Except) == 0
		return out
	}
	if p.NamespaceSelector != nil {
		out.namespaces, _ = selector(p.NamespaceSelector)
	}
	if p.PodSelector != nil {
		out.pods, _ = selector(p.PodSelector)
	}
	if out.namespaces == nil && out.pods == nil {
		out.other = true // an empty peer: the API server refuses it
		return out
	}
	out.everything = out.namespaces != nil && out.namespaces.Empty() && (out.pods == nil || out.pods.Empty())
	return out
}

// selector compiles a label selector; one that cannot be read selects nothing,
// and ok is false.
func selector(l *metav1.LabelSelector) (sel labels.Selector, ok bool) {
	sel, err := metav1.LabelSelectorAsSelector(l)
	if err != nil {
		return labels.Nothing(), false
	}
	return sel, true
}

// selects says whether a policy applies to pods with these labels in this namespace.
func (s *Set) selects(p *netPolicy, ns string, pod labels.Labels) bool {
	if p.namespaces == nil {
		if p.ref.namespace != ns {
			return false
		}
	} else if !p.namespaces.Matches(labels.Set(s.namespaceLabels(ns))) {
		return false
	}
	return p.pods.Matches(pod)
}

// namespaceLabels are those of the Namespace object, with the name that every namespace has.
func (s *Set) namespaceLabels(ns string) map[string]string {
	if n := s.namespaces[ns]; n != nil {
		return n.labels
	}
	return map[string]string{"kubernetes.io/metadata.name": ns}
}

// metadataAddress is where the clouds' metadata services listen.
var metadataAddress = netip.AddrFrom4([4]byte{169, 254, 169, 254})

// network joins the policies that select a workload.
func (s *Set) network(w *work) facts.WorkloadNetwork {
	n := facts.WorkloadNetwork{Coverable: !w.facts.HostNetwork, Metadata: "allowed"}
	n.Ingress = facts.Direction{AllowsAll: true, AllowsOutside: true}
	n.Egress = n.Ingress
	if w.facts.HostNetwork {
		return n
	}
	var chosen []*netPolicy
	unread := false
	for _, p := range s.policies {
		if !s.selects(p, w.ref.namespace, w.labels) {
			continue
		}
		chosen = append(chosen, p)
		countPolicy(&n.Policies, p.engine)
		unread = unread || !p.read && p.egress
	}
	n.Ingress = direction(chosen, true)
	n.Egress = direction(chosen, false)
	switch {
	case !n.Egress.Isolated:
	case slices.ContainsFunc(chosen, func(p *netPolicy) bool { return p.allowsMetadata() }):
	case unread:
		n.Metadata = "unknown"
	default:
		n.Metadata = "blocked"
	}
	return n
}

// countPolicy books a policy under its engine.
func countPolicy(c *facts.PolicyCount, engine string) {
	switch engine {
	case engineCilium:
		c.Cilium++
	case engineCalico:
		c.Calico++
	case engineAdmin:
		c.Admin++
	default:
		c.Kubernetes++
	}
}

// direction puts the rules of all policies that select a pod together: they add
// up, and a pod that no policy isolates is open.
func direction(chosen []*netPolicy, ingress bool) facts.Direction {
	var d facts.Direction
	for _, p := range chosen {
		if ingress && !p.ingress || !ingress && !p.egress {
			continue
		}
		d.Isolated = true
		for i := range p.rules {
			r := &p.rules[i]
			if r.ingress != ingress {
				continue
			}
			d.AllowsAll = d.AllowsAll || r.allPorts && r.everyAddress()
			d.AllowsOutside = d.AllowsOutside || r.outside()
		}
	}
	if !d.Isolated {
		return facts.Direction{AllowsAll: true, AllowsOutside: true}
	}
	d.AllowsOutside = d.AllowsOutside || d.AllowsAll
	return d
}

// everyAddress: the rule names no peer, or all of IPv4 or IPv6.
func (r *netRule) everyAddress() bool {
	return r.allPeers || slices.ContainsFunc(r.peers, func(p netPeer) bool { return p.everything && p.namespaces == nil && p.pods == nil })
}

// outside: a peer may be an address outside private ranges.
func (r *netRule) outside() bool {
	return r.allPeers || slices.ContainsFunc(r.peers, func(p netPeer) bool {
		if p.everything && p.namespaces == nil && p.pods == nil {
			return true
		}
		return p.block.IsValid() && !private(p.block)
	})
}

// privateRanges never lead out to the Internet.
var privateRanges = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10"), netip.MustParsePrefix("::1/128"),
}

// private says whether a block lies wholly in a private range.
func private(p netip.Prefix) bool {
	return slices.ContainsFunc(privateRanges, func(r netip.Prefix) bool { return r.Bits() <= p.Bits() && r.Contains(p.Addr()) })
}

// allowsMetadata: a rule lets a pod reach the metadata address on TCP port 80.
func (p *netPolicy) allowsMetadata() bool {
	return p.egress && slices.ContainsFunc(p.rules, func(r netRule) bool {
		if r.ingress || !r.port("TCP", 80) {
			return false
		}
		return r.allPeers || slices.ContainsFunc(r.peers, func(q netPeer) bool { return q.contains(metadataAddress) })
	})
}

// port says whether the rule takes a port; named ports belong to pods and match no outside address.
func (r *netRule) port(protocol string, n int) bool {
	return r.allPorts || slices.ContainsFunc(r.ports, func(p netPort) bool {
		return p.protocol == protocol && (p.all || !p.named && p.from <= n && n <= p.to)
	})
}

// contains says whether an address is in the peer's block and in none of its exceptions.
func (p *netPeer) contains(a netip.Addr) bool {
	if p.everything && p.namespaces == nil && p.pods == nil && !p.block.IsValid() {
		return true
	}
	return p.block.IsValid() && p.block.Contains(a) && !slices.ContainsFunc(p.except, func(e netip.Prefix) bool { return e.Contains(a) })
}

// allowsAllPods: the rule lets every pod of the cluster in on every port.
func (r *netRule) allowsAllPods() bool {
	return r.allPorts && (r.allPeers || slices.ContainsFunc(r.peers, func(p netPeer) bool { return p.everything }))
}

// namespacePolicies counts the policies of a namespace and tells whether every
// pod of it starts closed.
func (s *Set) namespacePolicies(ns *namespace) (n facts.PolicyCount, denyIngress, denyEgress bool) {
	var openIngress, openEgress bool
	for _, p := range s.policies {
		if p.namespaces == nil && p.ref.namespace != ns.name || p.namespaces != nil && !p.namespaces.Matches(labels.Set(ns.labels)) {
			continue
		}
		countPolicy(&n, p.engine)
		if !p.pods.Empty() {
			continue
		}
		denyIngress = denyIngress || p.ingress
		denyEgress = denyEgress || p.egress
		for i := range p.rules {
			if p.rules[i].allowsAllPods() {
				openIngress = openIngress || p.rules[i].ingress
				openEgress = openEgress || !p.rules[i].ingress
			}
		}
	}
	return n, denyIngress && !openIngress, denyEgress && !openEgress
}

// policyResources yields every network policy.
func (s *Set) policyResources(yield func(*facts.Resource) bool) bool {
	for _, p := range s.policies {
		if !s.keep(p.ref.namespace, p.ref.kind) {
			continue
		}
		f := &facts.NetworkPolicy{
			Engine: p.engine, Kind: p.ref.kind, Read: p.read, SelectsAll: p.pods.Empty(), Selector: selectorText(p.pods),
			Ingress: p.ingress, Egress: p.egress, Path: p.path,
		}
		if p.ref.namespace != "" {
			f.Namespace = s.namespaceView(p.ref.namespace, p.declared)
		} else {
			f.Namespace.PodSecurity = podSecurity(nil)
		}
		f.Matches, f.Others = p.matches, p.scope
		for i := range p.rules {
			f.Rules = append(f.Rules, ruleFacts(&p.rules[i]))
		}
		r := s.resource(facts.KindNetworkPolicy, p.ref, p.at, f)
		for _, path := range []string{"matches", "others"} {
			s.lack(r, path, Pods, Controllers)
		}
		s.lack(r, "rules[].peers[].matches", Pods, Controllers, Namespaces)
		if !s.opts.Live {
			m := notAssessed("a set of manifests does not show everything that runs; scan the cluster")
			if f.Matches == 0 {
				r.Missing["matches"], r.Missing["others"] = m, m
			}
			r.Missing["rules[].peers[].matches"] = m
		}
		s.missNamespace(r, p.ref.namespace)
		if !yield(r) {
			return false
		}
	}
	return true
}

// ruleFacts describes one rule.
func ruleFacts(r *netRule) facts.PolicyRule {
	out := facts.PolicyRule{Direction: "egress", AllPeers: r.allPeers, AllPorts: r.allPorts, Ports: len(r.ports), Path: r.path}
	if r.ingress {
		out.Direction = "ingress"
	}
	for i := range r.peers {
		q := &r.peers[i]
		fp := facts.Peer{Type: "other", Everything: q.everything, CIDR: q.cidr, Except: len(q.except), Matches: true, Path: q.path}
		switch {
		case q.block.IsValid():
			fp.Type = "block"
		case q.namespaces != nil && q.pods != nil:
			fp.Type, fp.Selector = "both", "namespaces "+selectorText(q.namespaces)+", pods "+selectorText(q.pods)
		case q.namespaces != nil:
			fp.Type, fp.Selector = "namespaces", selectorText(q.namespaces)
		case q.pods != nil:
			fp.Type, fp.Selector = "pods", selectorText(q.pods)
		}
		if fp.Selector != "" {
			fp.Matches = q.matched
		}
		out.Peers = append(out.Peers, fp)
	}
	return out
}

// openSelectors settles the peers that name namespaces alone, and lists those
// that wait for a workload.
func (s *Set) openSelectors() {
	for _, p := range s.policies {
		for i := range p.rules {
			for j := range p.rules[i].peers {
				q := &p.rules[i].peers[j]
				switch {
				case q.pods != nil:
					s.openPeers = append(s.openPeers, openPeer{p.ref.namespace, q})
				case q.namespaces != nil:
					for _, ns := range s.namespaces {
						q.matched = q.matched || q.namespaces.Matches(labels.Set(ns.labels))
					}
				}
			}
		}
	}
}

// bookPolicies counts a workload for the policies that select it or mean it as a peer.
func (s *Set) bookPolicies(w *work) {
	for _, p := range s.policies {
		if p.namespaces == nil && w.ref.namespace != p.ref.namespace || p.namespaces != nil && !p.namespaces.Matches(labels.Set(s.namespaceLabels(w.ref.namespace))) {
			continue
		}
		p.scope++
		if p.pods.Matches(w.labels) {
			p.matches++
		}
	}
	s.openPeers = slices.DeleteFunc(s.openPeers, func(o openPeer) bool {
		q := o.peer
		switch {
		case q.namespaces != nil && (s.namespaces[w.ref.namespace] == nil || !q.namespaces.Matches(labels.Set(s.namespaces[w.ref.namespace].labels))):
		case q.namespaces == nil && o.own != "" && o.own != w.ref.namespace:
		case q.pods.Matches(w.labels):
			q.matched = true
		}
		return q.matched
	})
}
