package kube

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
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

// Stages of policies: what an earlier one decides a later one does not see.
const (
	stageAdmin    = iota // AdminNetworkPolicy, ClusterNetworkPolicy of the tier Admin
	stageNormal          // NetworkPolicy, Cilium's, Calico's
	stageBaseline        // BaselineAdminNetworkPolicy, ClusterNetworkPolicy of the tier Baseline
)

// kubernetesOrder is the order that Calico gives to NetworkPolicies of Kubernetes.
const kubernetesOrder = 1000

// netPolicy is a network policy of any engine, on its way.
type netPolicy struct {
	ref      ref
	engine   string
	declared bool
	at       Place
	stage    int
	order    float64 // within the stage: the lowest is asked first
	// namespaces selects the namespaces of a cluster-wide policy; nil for one of a namespace.
	namespaces labels.Selector
	pods       labels.Selector
	ingress    bool // selected pods are closed in that direction but for its rules
	egress     bool
	// unsure: the selector was not read, so it may select any pod of its scope.
	// unreadIngress and unreadEgress: rules of that direction were left out.
	unsure, unreadIngress, unreadEgress bool
	rules                               []netRule
	path                                string    // of the selector
	matches                             int       // workloads that it selects
	byPod                               worksSeen // those of them that it selects by labels of single pods
	scope                               int       // workloads of the namespaces that it is for
}

// read: every part of the policy was interpreted.
func (p *netPolicy) read() bool { return !p.unsure && !p.unreadIngress && !p.unreadEgress }

// unread: rules of the direction were left out.
func (p *netPolicy) unread(ingress bool) bool {
	if ingress {
		return p.unreadIngress
	}
	return p.unreadEgress
}

// leaveOut books that rules of the direction were not read.
func (p *netPolicy) leaveOut(ingress bool) {
	p.unreadIngress = p.unreadIngress || ingress
	p.unreadEgress = p.unreadEgress || !ingress
}

// isolates: what no rule allows is refused in the direction.
func (p *netPolicy) isolates(ingress bool) bool {
	if ingress {
		return p.ingress
	}
	return p.egress
}

// isolate closes the direction.
func (p *netPolicy) isolate(ingress bool) {
	p.ingress = p.ingress || ingress
	p.egress = p.egress || !ingress
}

// What a rule does with what it matches. Kubernetes' own rules allow.
const (
	actionAllow = "allow"
	actionDeny  = "deny"
	actionPass  = "pass" // the next stage decides
)

// netRule is one rule.
type netRule struct {
	ingress  bool
	action   string
	allPeers bool
	ports    []netPort
	allPorts bool
	peers    []netPeer
	narrower bool // it has further conditions that are not interpreted, so it may match less
	path     string
}

// netPort is a port or range; named ports have no number.
type netPort struct {
	protocol string // TCP, UDP, SCTP
	all      bool   // every port of the protocol
	named    string // the name of a port
	from, to int
}

// netPeer is one peer. A nil selector is one that is not written.
type netPeer struct {
	namespaces, pods labels.Selector
	block            netip.Prefix
	except           []netip.Prefix
	cidr             string
	other            bool // something that is no selector and no block, or was not read
	noAddress        bool // something that no address of a metadata service is: nodes, entities of the cluster
	everything       bool
	mayBeAddress     bool // its selectors may also mean sets of addresses
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
		declared: o.Namespace != "", at: at, stage: stageNormal, order: kubernetesOrder, path: "spec.podSelector",
	}
	s.count(p.ref.namespace, "NetworkPolicy")
	var ok bool
	p.pods, ok = selector(&o.Spec.PodSelector)
	p.unsure = !ok
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
	r := netRule{ingress: ingress, action: actionAllow, allPeers: len(peers) == 0, allPorts: len(ports) == 0, path: path}
	for i := range ports {
		p := netPort{protocol: "TCP", all: ports[i].Port == nil}
		if ports[i].Protocol != nil {
			p.protocol = string(*ports[i].Protocol)
		}
		if n := ports[i].Port; n != nil {
			p.from, p.to = n.IntValue(), n.IntValue()
			if p.from == 0 {
				p.named = strings.Clone(n.StrVal)
			}
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
	return s.inScope(p, ns) && p.pods.Matches(pod)
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

// metadataAddresses are those that nodes of any cloud have: the common one,
// that of AWS in IPv6, and Azure's, which also hands out instructions.
var metadataAddresses = []netip.Addr{metadataAddress, netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("168.63.129.16")}

// network joins the policies that select a workload.
func (s *Set) network(w *work) facts.WorkloadNetwork {
	n := facts.WorkloadNetwork{Coverable: !w.facts.HostNetwork, Metadata: "allowed"}
	n.Ingress = facts.Direction{AllowsAll: true, AllowsOutside: true}
	n.Egress = n.Ingress
	var chosen []*netPolicy
	if n.Coverable {
		for _, p := range s.policies {
			if !s.selects(p, w.ref.namespace, w.labels) {
				continue
			}
			chosen = append(chosen, p)
			if !p.unsure {
				countPolicy(&n.Policies, p.engine)
			}
		}
	}
	sortPolicies(chosen)
	n.Ingress, n.Egress = direction(chosen, true), direction(chosen, false)
	for _, a := range metadataAddresses {
		r := reach(chosen, a, "TCP", 80)
		n.MetadataAddresses = append(n.MetadataAddresses, facts.MetadataAddress{Address: a.String(), Reach: r})
		if a == metadataAddress {
			n.Metadata = r
		}
	}
	return n
}

// networkGaps says what of a workload's network this scan does not show, where
// it matters for the workload.
func (s *Set) networkGaps(f *facts.Workload, r *facts.Resource) {
	if f.IngressController.SnippetsAllowed == "unknown" {
		m, ok := s.miss[ConfigMaps]
		if !ok {
			m = notAssessed("the files do not hold the controller's ConfigMap; add it, or scan the cluster")
		}
		m.Partial = true // what else is weak about it is seen all the same
		r.Missing["ingress_controller.snippets_allowed"] = m
	}
	if !s.opts.Live {
		r.Missing["running"] = notAssessed(needsCluster)
		return
	}
	reached := slices.ContainsFunc(f.Network.MetadataAddresses, func(a facts.MetadataAddress) bool { return a.Reach != "blocked" })
	if !reached || f.Nodes.MetadataGuard != "unknown" {
		return
	}
	switch f.Nodes.Provider {
	case "kind", "vsphere":
	case "", "mixed", "k3s":
		r.Missing["nodes.metadata_guard"] = notAssessed("the nodes do not say whether they are machines of a cloud; needs the machines' own facts")
	default:
		r.Missing["nodes.metadata_guard"] = notAssessed("needs the cloud's API")
	}
}

// sortPolicies puts policies in the order in which engines ask them.
func sortPolicies(list []*netPolicy) {
	slices.SortStableFunc(list, func(a, b *netPolicy) int {
		return cmp.Or(cmp.Compare(a.stage, b.stage), cmp.Compare(a.order, b.order), compareRefs(a.ref, b.ref))
	})
}

// answer is what can be said of a rule and some traffic.
type answer int

const (
	no answer = iota
	maybe
	yes
)

// reach says whether policies, in order, let a pod talk to an address: allowed,
// blocked, or unknown where that hangs on a part that was not read.
//
// The first rule that matches decides, as in Calico and for administrators'
// policies; for Kubernetes and Cilium, whose rules add up, the order of what
// allows does not matter, and Cilium's denials are asked before all others.
func reach(ordered []*netPolicy, to netip.Addr, protocol string, port int) string {
	var mayAllow, mayDeny bool // a part that was not read, or not wholly, may match
	isolated := false
	allowed := func() string {
		if mayDeny {
			return "unknown"
		}
		return "allowed"
	}
	blocked := func() string {
		if mayAllow {
			return "unknown"
		}
		return "blocked"
	}
	for _, p := range ordered {
		if p.unsure || p.unreadEgress {
			mayAllow, mayDeny = true, true
		}
		isolated = isolated || p.stage == stageNormal && !p.unsure && p.egress
		for i := range p.rules {
			if r := &p.rules[i]; p.engine == engineCilium && !p.unsure && !r.ingress && r.action == actionDeny {
				switch r.meets(to, protocol, port) {
				case yes:
					return "blocked"
				case maybe:
					mayDeny = true
				case no:
				}
			}
		}
	}
	passed := false // an administrator's policy leaves it to the others
	for _, p := range ordered {
		if p.unsure || passed && p.stage == stageAdmin || isolated && p.stage == stageBaseline {
			continue
		}
		for i := range p.rules {
			r := &p.rules[i]
			if r.ingress || p.engine == engineCilium && r.action == actionDeny {
				continue
			}
			m := r.meets(to, protocol, port)
			switch {
			case m == no:
				continue
			case r.action == actionAllow && m == yes:
				return allowed()
			case r.action == actionDeny && m == yes:
				return blocked()
			case r.action == actionPass && m == yes && p.stage == stageAdmin:
				passed = true
			}
			if passed {
				break
			}
			mayAllow = mayAllow || r.action != actionDeny // Calico's pass leaves it to a tier that is not read
			mayDeny = mayDeny || r.action != actionAllow
		}
	}
	if isolated {
		return blocked()
	}
	return allowed()
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

// direction puts the rules of all policies that select a pod together, in the
// order of [sortPolicies]: what they allow adds up until a rule refuses
// everything, and a pod that no policy isolates is open. Rules that refuse less
// than everything do not count here.
func direction(ordered []*netPolicy, ingress bool) facts.Direction {
	var d facts.Direction
	isolated, closed := false, false // by other than baseline policies; what comes later is refused
	for _, p := range ordered {
		d.Partial = d.Partial || p.unsure || p.unread(ingress)
		if p.unsure || isolated && p.stage == stageBaseline {
			continue
		}
		d.Isolated = d.Isolated || p.isolates(ingress)
		isolated = isolated || p.isolates(ingress) && p.stage != stageBaseline
		for i := range p.rules {
			r := &p.rules[i]
			if r.ingress != ingress {
				continue
			}
			everything := r.allPorts && r.everyAddress() && !r.narrower
			switch {
			case r.action == actionAllow && !closed:
				d.AllowsAll = d.AllowsAll || everything
				d.AllowsOutside = d.AllowsOutside || r.outside()
			case r.action == actionDeny && everything:
				closed = true
				if p.engine == engineCilium { // its denials come before whatever allows
					d.AllowsAll, d.AllowsOutside = false, false
				}
			}
		}
	}
	if !d.Isolated {
		return facts.Direction{AllowsAll: true, AllowsOutside: true, Partial: d.Partial}
	}
	d.AllowsOutside = d.AllowsOutside || d.AllowsAll
	return d
}

// everyAddress: the rule names no peer, or its blocks are all of IPv4 or IPv6.
func (r *netRule) everyAddress() bool {
	if r.allPeers || slices.ContainsFunc(r.peers, func(p netPeer) bool { return p.everything && p.namespaces == nil && p.pods == nil }) {
		return true
	}
	return r.coversBlock(netip.PrefixFrom(netip.IPv4Unspecified(), 0)) || r.coversBlock(netip.PrefixFrom(netip.IPv6Unspecified(), 0))
}

// coversBlock: the rule's blocks without exceptions make up the whole block, as
// 0.0.0.0/1 and 128.0.0.0/1 make up all of IPv4.
func (r *netRule) coversBlock(b netip.Prefix) bool {
	inside := false
	for i := range r.peers {
		p := &r.peers[i]
		if !p.block.IsValid() || len(p.except) > 0 || p.block.Addr().Is4() != b.Addr().Is4() {
			continue
		}
		if p.block.Bits() <= b.Bits() && p.block.Contains(b.Addr()) {
			return true
		}
		inside = inside || b.Contains(p.block.Addr())
	}
	if !inside || b.Bits() >= b.Addr().BitLen() {
		return false
	}
	upper := b.Addr().AsSlice()
	upper[b.Bits()/8] |= 0x80 >> (b.Bits() % 8)
	half, _ := netip.AddrFromSlice(upper)
	return r.coversBlock(netip.PrefixFrom(b.Addr(), b.Bits()+1)) && r.coversBlock(netip.PrefixFrom(half, b.Bits()+1))
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

// meets says whether the rule matches traffic from a pod to an address that is
// no pod. Named ports belong to pods and match no such address.
func (r *netRule) meets(to netip.Addr, protocol string, n int) answer {
	if !r.allPorts && !slices.ContainsFunc(r.ports, func(p netPort) bool {
		return p.protocol == protocol && (p.all || p.named == "" && p.from <= n && n <= p.to)
	}) {
		return no
	}
	peers := no
	if r.allPeers {
		peers = yes
	}
	for i := range r.peers {
		peers = max(peers, r.peers[i].holds(to))
	}
	if r.narrower {
		return min(peers, maybe)
	}
	return peers
}

// holds says whether an address that is no pod is meant by the peer.
func (p *netPeer) holds(a netip.Addr) answer {
	switch {
	case p.block.IsValid():
		if p.block.Contains(a) && !slices.ContainsFunc(p.except, func(e netip.Prefix) bool { return e.Contains(a) }) {
			return yes
		}
		return no
	case p.mayBeAddress:
		return maybe
	case p.namespaces != nil || p.pods != nil || p.noAddress:
		return no
	case p.everything:
		return yes
	default:
		return maybe
	}
}

// allowsAllPods: the rule lets every pod of the cluster in on every port.
func (r *netRule) allowsAllPods() bool {
	return r.action == actionAllow && !r.narrower && r.allPorts && (r.everyAddress() || slices.ContainsFunc(r.peers, func(p netPeer) bool { return p.everything }))
}

// namespacePolicies counts the policies of a namespace and tells whether every
// pod of it starts closed. unread counts those that were not read whole.
func (s *Set) namespacePolicies(ns *namespace) (n facts.PolicyCount, denyIngress, denyEgress bool, unread int) {
	var openIngress, openEgress bool
	for _, p := range s.policies {
		if p.namespaces == nil && p.ref.namespace != ns.name || p.namespaces != nil && !p.namespaces.Matches(labels.Set(ns.labels)) {
			continue
		}
		countPolicy(&n, p.engine)
		if !p.read() {
			unread++
		}
		if p.unsure || !p.pods.Empty() {
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
	return n, denyIngress && !openIngress, denyEgress && !openEgress, unread
}

// policyResources yields every network policy.
func (s *Set) policyResources(yield func(*facts.Resource) bool) bool {
	for _, p := range s.policies {
		if !s.keep(p.ref.namespace, p.ref.kind) {
			continue
		}
		f := &facts.NetworkPolicy{
			Engine: p.engine, Kind: p.ref.kind, Read: p.read(), SelectsAll: !p.unsure && p.pods.Empty(), Selector: selectorText(p.pods),
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
			if slices.ContainsFunc(f.Rules, func(rule facts.PolicyRule) bool {
				return slices.ContainsFunc(rule.Peers, func(q facts.Peer) bool { return !q.Matches })
			}) {
				r.Missing["rules[].peers[].matches"] = m
			}
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
	out := facts.PolicyRule{Direction: "egress", Action: r.action, AllPeers: r.allPeers, AllPorts: r.allPorts, Ports: len(r.ports), Path: r.path}
	if r.ingress {
		out.Direction = "ingress"
	}
	for i := range r.ports {
		out.PortList = append(out.PortList, r.ports[i].text())
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

// text is "TCP/80", "TCP/8000-9000", "TCP/http"; "TCP" for every port.
func (p *netPort) text() string {
	switch {
	case p.all:
		return p.protocol
	case p.named != "":
		return p.protocol + "/" + p.named
	case p.to > p.from:
		return p.protocol + "/" + strconv.Itoa(p.from) + "-" + strconv.Itoa(p.to)
	default:
		return p.protocol + "/" + strconv.Itoa(p.from)
	}
}

// openSelectors settles the peers that name namespaces alone, lists those that
// wait for a workload, and gathers the labels that selectors ask about.
func (s *Set) openSelectors() {
	s.asked = map[string]bool{}
	keys := func(sel labels.Selector) {
		if sel == nil {
			return
		}
		list, _ := sel.Requirements()
		for i := range list {
			s.asked[list[i].Key()] = true
		}
	}
	for _, svc := range s.services {
		keys(svc.compiled)
	}
	for _, p := range s.policies {
		keys(p.pods)
		for i := range p.rules {
			for j := range p.rules[i].peers {
				q := &p.rules[i].peers[j]
				switch {
				case q.pods != nil:
					keys(q.pods)
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

// inScope: the policy is for pods of the namespace.
func (s *Set) inScope(p *netPolicy, ns string) bool {
	if p.namespaces == nil {
		return ns == p.ref.namespace
	}
	return p.namespaces.Matches(labels.Set(s.namespaceLabels(ns)))
}

// bookPolicies counts a workload for the policies that select it or mean it as a peer.
func (s *Set) bookPolicies(w *work) {
	for _, p := range s.policies {
		if !s.inScope(p, w.ref.namespace) {
			continue
		}
		p.scope++
		if p.pods.Matches(w.labels) {
			p.matches++
		}
	}
	s.bookPeers(w.ref.namespace, w.labels)
}

// bookPeers settles the peers that mean pods with these labels.
func (s *Set) bookPeers(ns string, pod labels.Labels) {
	s.openPeers = slices.DeleteFunc(s.openPeers, func(o openPeer) bool {
		q := o.peer
		switch {
		case q.namespaces != nil && (s.namespaces[ns] == nil || !q.namespaces.Matches(labels.Set(s.namespaces[ns].labels))):
		case q.namespaces == nil && o.own != "" && o.own != ns:
		case q.pods.Matches(pod):
			q.matched = true
		}
		return q.matched
	})
}

// bookLabels counts a pod of a workload for the selectors that mean it by labels
// that its template does not have: the name that a StatefulSet gives each pod,
// or a label that somebody put on by hand.
func (s *Set) bookLabels(w *work, pod map[string]string) {
	own := false
	for k, v := range pod {
		own = own || s.asked[k] && w.labels.Get(k) != v
	}
	if !own {
		return
	}
	set := labels.Set(pod)
	for _, p := range s.policies {
		if s.inScope(p, w.ref.namespace) && p.pods.Matches(set) && !p.pods.Matches(w.labels) && p.byPod.first(w) {
			p.matches++
		}
	}
	for _, svc := range s.servicesIn[w.ref.namespace] {
		if svc.compiled.Matches(set) && !svc.compiled.Matches(w.labels) && svc.byPod.first(w) {
			svc.book(w)
		}
	}
	s.bookPeers(w.ref.namespace, set)
}

// worksSeen remembers workloads.
type worksSeen map[*work]bool

// first is true the first time that a workload is asked about.
func (m *worksSeen) first(w *work) bool {
	if (*m)[w] {
		return false
	}
	if *m == nil {
		*m = worksSeen{}
	}
	(*m)[w] = true
	return true
}
