package kube

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/postscan/postscan/scanner/facts"
)

// node is a Node on its way.
type node struct {
	name     string
	facts    *facts.Node
	labels   map[string]string
	taints   []corev1.Taint
	uuid     []facts.Alias
	missing  map[string]facts.Missing
	addrs    []string
	pods     []string        // the blocks of addresses that its pods have
	classes  map[string]bool // "tenant/sensitivity" of the workloads on it
	sharable map[string]bool // those that are not behind a sandbox runtime
	kubelet  bool            // its configuration was read
	guard    string          // a metadata guard: true, unknown
	at       Place
}

// Labels that say what a node is.
const (
	labelRole         = "node-role.kubernetes.io/"
	labelInstanceType = "node.kubernetes.io/instance-type"
)

func (s *Set) addNode(o *corev1.Node, at Place) {
	info := &o.Status.NodeInfo
	f := &facts.Node{
		OS: s.intern(info.OperatingSystem), OSImage: s.intern(info.OSImage), Kernel: s.intern(info.KernelVersion), Architecture: s.intern(info.Architecture),
		RebootDueDays: -1, MetadataGuard: "unknown", AppArmor: "unknown", Virtual: "unknown", DiskEncrypted: "unknown", SecureBoot: "unknown", TPM: "unknown",
	}
	n := &node{name: strings.Clone(o.Name), facts: f, labels: s.internMap(o.Labels), guard: "unknown", missing: facts.NeedsNode(facts.KindNode), at: at,
		classes: map[string]bool{}, sharable: map[string]bool{}}
	f.KubeletMinor, f.KubeletPatch = minorPatch(info.KubeletVersion)
	runtime, version, _ := strings.Cut(info.ContainerRuntimeVersion, "://")
	f.Runtime, f.RuntimeVer = s.intern(runtime), s.intern(version)
	for i := range o.Status.RuntimeHandlers {
		h := &o.Status.RuntimeHandlers[i]
		fh := facts.RuntimeHandler{Name: s.intern(h.Name)}
		if h.Features != nil {
			fh.UserNamespaces = h.Features.UserNamespaces != nil && *h.Features.UserNamespaces
			fh.RecursiveReadOnly = h.Features.RecursiveReadOnlyMounts != nil && *h.Features.RecursiveReadOnlyMounts
		}
		f.Handlers = append(f.Handlers, fh)
	}
	if len(o.Status.RuntimeHandlers) == 0 {
		n.missing["handlers"] = facts.Missing{Status: facts.Unknown, Reason: "the kubelet does not list its runtime handlers (it does since 1.30, with a runtime that tells them)"}
	}
	for k := range o.Labels {
		if k == labelRole+"control-plane" || k == labelRole+"master" || k == labelRole+"controlplane" || k == labelRole+"etcd" {
			f.ControlPlane = true
		}
		if k == labelRole+"edge" || k == labelRole+"agent" && o.Labels["apps.openyurt.io/nodepool"] != "" || strings.HasPrefix(k, "openyurt.io/is-edge-worker") {
			f.Edge = true
		}
	}
	n.taints = slices.Clone(o.Spec.Taints)
	for i := range n.taints {
		t := &n.taints[i]
		t.Key, t.Value = s.intern(t.Key), s.intern(t.Value)
		keeps := t.Effect == corev1.TaintEffectNoSchedule || t.Effect == corev1.TaintEffectNoExecute
		f.Tainted = f.Tainted || keeps && f.ControlPlane && (controlPlaneTaint(t.Key) || ownTaint(t.Key))
		f.OwnTaint = f.OwnTaint || keeps && ownTaint(t.Key)
	}
	s.nodeProvider(n, o)
	n.pods = s.internAll(o.Spec.PodCIDRs)
	for _, a := range o.Status.Addresses {
		n.addrs = append(n.addrs, s.intern(a.Address))
		ip, err := netip.ParseAddr(a.Address)
		if err == nil && a.Type == corev1.NodeExternalIP && !private(netip.PrefixFrom(ip, ip.BitLen())) {
			f.Public = true
		}
		if err == nil && a.Type == corev1.NodeInternalIP && ip.IsGlobalUnicast() && !private(netip.PrefixFrom(ip, ip.BitLen())) {
			f.Public = true
		}
	}
	for _, c := range o.Status.Conditions {
		if c.Type != corev1.NodeReady {
			continue
		}
		f.Ready = c.Status == corev1.ConditionTrue
		if strings.Contains(c.Message, "AppArmor enabled") { // the kubelet says so where it is on
			f.AppArmor = "true"
		}
	}
	s.reboot(f, o)
	f.K3s = k3sFlags(o.Annotations)
	for _, alias := range []facts.Alias{
		{Type: "provider-id", Value: o.Spec.ProviderID}, {Type: "machine-id", Value: info.MachineID}, {Type: "system-uuid", Value: info.SystemUUID},
	} {
		if alias.Value != "" {
			alias.Value = strings.Clone(alias.Value)
			n.uuid = append(n.uuid, alias)
		}
	}
	n.missing["kubelet"] = notAssessed("the kubelet's configuration was not asked for; use --kubelet-config (needs the right nodes/proxy)")
	s.nodes[n.name] = n
}

// reboot reads what kured and the like say of a reboot that is due.
func (s *Set) reboot(f *facts.Node, o *corev1.Node) {
	f.RebootDue = o.Labels["reboot-required"] == "true"
	for _, k := range []string{"weave.works/kured-most-recent-reboot-needed", "kured.dev/reboot-required"} {
		v := o.Annotations[k]
		if v == "" || v == "false" {
			continue
		}
		f.RebootDue = true
		if t, err := time.Parse(time.RFC3339, v); err == nil && !s.opts.Now.IsZero() {
			f.RebootDueDays = max(f.RebootDueDays, int(s.opts.Now.Sub(t).Hours()/24))
		}
	}
}

// minorPatch reads "v1.37.2-gke.100".
func minorPatch(version string) (minor, patch int) {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(parts) < 2 || parts[0] != "1" {
		return 0, 0
	}
	minor = leadingNumber(parts[1])
	if len(parts) == 3 {
		patch = leadingNumber(parts[2])
	}
	return minor, patch
}

func leadingNumber(v string) int {
	end := 0
	for end < len(v) && v[end] >= '0' && v[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(v[:end])
	if err != nil {
		return 0
	}
	return n
}

// nodeProvider reads whose machine the node is, and whether it is a virtual one.
func (s *Set) nodeProvider(n *node, o *corev1.Node) {
	f := n.facts
	scheme, _, found := strings.Cut(o.Spec.ProviderID, "://")
	if found {
		f.Provider = s.intern(scheme)
	}
	instance := o.Labels[labelInstanceType]
	switch f.Provider {
	case "aws":
		f.Virtual = strconv.FormatBool(!strings.Contains(instance, "metal"))
	case "gce", "azure", "openstack", "vsphere", "digitalocean", "linode", "hcloud", "ibm", "alicloud", "oci":
		if !strings.Contains(instance, "metal") && !strings.HasPrefix(instance, "BM.") {
			f.Virtual = "true"
		} else {
			f.Virtual = "false"
		}
	}
	if o.Labels["eks.amazonaws.com/compute-type"] == "fargate" || o.Labels["type"] == "virtual-kubelet" {
		f.PodPerMachine, f.Virtual = true, "true"
	}
	switch {
	case o.Labels["iam.gke.io/gke-metadata-server-enabled"] == "true", o.Labels["cloud.google.com/metadata-proxy-ready"] == "true":
		n.guard = "true"
	case o.Labels["cloud.google.com/gke-nodepool"] != "":
		n.guard = "false" // GKE labels every node that has one
	}
}

// k3sFlags reads the flags that k3s and RKE2 record on their nodes. Values of
// secret ones are dropped, whether or not k3s masked them.
func k3sFlags(annotations map[string]string) []facts.Flag {
	raw := annotations["k3s.io/node-args"]
	if raw == "" {
		raw = annotations["rke2.io/node-args"]
	}
	var args []string
	if raw == "" || json.Unmarshal([]byte(raw), &args) != nil {
		return nil
	}
	flags := facts.ParseFlags("k3s", args, "metadata.annotations[k3s.io/node-args]")
	var env map[string]string
	if json.Unmarshal([]byte(cmp.Or(annotations["k3s.io/node-env"], annotations["rke2.io/node-env"])), &env) != nil {
		return flags
	}
	for _, v := range slices.Sorted(maps.Keys(env)) {
		_, name, found := strings.Cut(v, "_") // K3S_TOKEN, RKE2_TOKEN
		if name = k3sVariables[name]; !found || name == "" {
			continue
		}
		if _, given := facts.FlagOf(flags, name); !given {
			flags = facts.AddFlag(flags, facts.Flag{Name: name, Value: env[v], Path: "metadata.annotations[k3s.io/node-env]"})
		}
	}
	return flags
}

// k3sVariables are variables that stand for flags, without their prefix.
var k3sVariables = map[string]string{
	"TOKEN": "token", "AGENT_TOKEN": "agent-token", "KUBECONFIG_MODE": "write-kubeconfig-mode", "SELINUX": "selinux", "DATASTORE_ENDPOINT": "datastore-endpoint",
}

// NodeNames lists the nodes that were added, in order.
func (s *Set) NodeNames() []string { return slices.Sorted(maps.Keys(s.nodes)) }

// AddKubelet books a kubelet's configuration, read through configz.
func (s *Set) AddKubelet(nodeName string, k facts.Kubelet) {
	if n := s.nodes[nodeName]; n != nil {
		n.facts.Kubelet, n.kubelet = k, true
		delete(n.missing, "kubelet")
	}
}

// MissKubelet says why one node's configuration could not be read.
func (s *Set) MissKubelet(nodeName string, m facts.Missing) {
	if n := s.nodes[nodeName]; n != nil && !n.kubelet {
		n.missing["kubelet"] = m
	}
}

// bookClasses tells every node whose workloads it carries.
func (s *Set) bookClasses() {
	for _, w := range s.works {
		if w.component != "" || systemNamespace(w.ref.namespace) {
			continue
		}
		c := s.classOf(w)
		if c.Tenant == "" && c.Sensitivity == "" {
			continue
		}
		key := c.Tenant + "/" + c.Sensitivity
		for _, n := range w.nodes {
			if nd := s.nodes[n]; nd != nil {
				nd.classes[key] = true
				if !sandboxHandler(s.handlerOf(w)) {
					nd.sharable[key] = true
				}
			}
		}
	}
}

// sandboxHandler recognises runtimes with a kernel of their own.
func sandboxHandler(h string) bool {
	h = strings.ToLower(h)
	return slices.ContainsFunc([]string{"runsc", "gvisor", "kata", "firecracker", "fc-", "cloud-hypervisor", "clh", "qemu", "aci", "fargate"},
		func(p string) bool { return strings.HasPrefix(h, p) || strings.Contains(h, "-"+p) })
}

// handlerOf is the runtime handler of a workload, "" for the default.
func (s *Set) handlerOf(w *work) string {
	if w.facts.RuntimeClass.Name == "" {
		return ""
	}
	if h, ok := s.classes[w.facts.RuntimeClass.Name]; ok {
		return h
	}
	return w.facts.RuntimeClass.Name
}

// classOf is a workload's classification, its namespace's included.
func (s *Set) classOf(w *work) facts.Classification {
	if ns := s.namespaces[w.ref.namespace]; ns != nil {
		return inherit(w.facts.Class, ns.class)
	}
	return w.facts.Class
}

// nodesOf are the nodes that a workload runs on; where it runs on none, those
// that its tolerations and node selector let it on.
func (s *Set) nodesOf(w *work) []*node {
	var out []*node
	for _, n := range w.nodes {
		if nd := s.nodes[n]; nd != nil {
			out = append(out, nd)
		}
	}
	if len(w.nodes) > 0 {
		return out
	}
	if s.nodeOrder == nil {
		s.nodeOrder = s.NodeNames()
	}
	for _, n := range s.nodeOrder {
		nd := s.nodes[n]
		p := &w.facts.Placement
		kept := nd.facts.Tainted && !p.ToleratesControlPlane && !p.ToleratesEverything ||
			nd.facts.OwnTaint && !p.DedicatedToleration && !p.ToleratesEverything
		if !kept {
			out = append(out, nd)
		}
	}
	return out
}

// vote puts the answers of several nodes together.
func vote(nodes []*node, ask func(*node) string) string {
	answer := ""
	for _, n := range nodes {
		v := ask(n)
		switch {
		case answer == "":
			answer = v
		case answer != v:
			return "mixed"
		}
	}
	if answer == "" {
		return "unknown"
	}
	return answer
}

// nodesView sums up the nodes of a workload.
func (s *Set) nodesView(w *work) facts.NodesView {
	nodes := s.nodesOf(w)
	class := s.classOf(w)
	handler := s.handlerOf(w)
	bool3 := func(known, v bool) string {
		if !known {
			return "unknown"
		}
		return strconv.FormatBool(v)
	}
	v := facts.NodesView{
		UserNamespaces: vote(nodes, func(n *node) string {
			for _, h := range n.facts.Handlers {
				if h.Name == handler {
					return strconv.FormatBool(h.UserNamespaces)
				}
			}
			return "unknown"
		}),
		AppArmor:         vote(nodes, func(n *node) string { return n.facts.AppArmor }),
		SELinux:          "unknown",
		SeccompDefault:   vote(nodes, func(n *node) string { return bool3(n.kubelet, n.facts.Kubelet.SeccompDefault) }),
		PIDLimit:         vote(nodes, func(n *node) string { return bool3(n.kubelet, n.facts.Kubelet.PodPidsLimit > 0) }),
		PullVerification: vote(nodes, pullVerification),
		VirtualMachine:   vote(nodes, func(n *node) string { return n.facts.Virtual }),
		VerifiedBoot:     "unknown",
		PodPerMachine:    vote(nodes, func(n *node) string { return strconv.FormatBool(n.facts.PodPerMachine) }),
		MetadataGuard:    vote(nodes, func(n *node) string { return n.guard }),
		Reserved:         s.reserved(w, nodes, class),
	}
	if v.Provider = vote(nodes, func(n *node) string { return n.facts.Provider }); v.Provider == "unknown" {
		v.Provider = ""
	}
	runtimes, others := map[string]bool{}, map[string]bool{}
	for _, n := range nodes {
		if m := n.facts.KubeletMinor; m > 0 && (v.KubeletMinor == 0 || m < v.KubeletMinor) {
			v.KubeletMinor = m
		}
		if n.facts.Runtime != "" {
			runtimes[n.facts.Runtime] = true
		}
		v.ControlPlane = v.ControlPlane || n.facts.ControlPlane
		v.Public = v.Public || n.facts.Public
		if len(w.nodes) == 0 || class.Tenant == "" && class.Sensitivity == "" {
			continue
		}
		for c := range n.classes {
			if c != class.Tenant+"/"+class.Sensitivity {
				others[c] = true
			}
		}
	}
	v.Runtimes = slices.Sorted(maps.Keys(runtimes))
	v.OtherClasses = slices.Sorted(maps.Keys(others))
	return v
}

func pullVerification(n *node) string {
	if !n.kubelet {
		return "unknown"
	}
	return n.facts.Kubelet.PullVerification
}

// reserved: every node keeps others away by a taint of its own and carries
// nobody else's workloads.
func (s *Set) reserved(w *work, nodes []*node, class facts.Classification) string {
	if len(nodes) == 0 {
		return "unknown"
	}
	if class.Tenant == "" && class.Sensitivity == "" || len(w.nodes) == 0 {
		return "false" // nobody says whose it is, so no node is kept for it
	}
	own := class.Tenant + "/" + class.Sensitivity
	for _, n := range nodes {
		if !n.facts.OwnTaint || len(n.classes) != 1 || !n.classes[own] {
			return "false"
		}
	}
	return "true"
}

// nodeResources yields every node.
func (s *Set) nodeResources(yield func(*facts.Resource) bool) bool {
	callers := s.kubeletCallers()
	for _, k := range slices.Sorted(maps.Keys(s.nodes)) {
		n := s.nodes[k]
		if !s.keep("", "Node") {
			continue
		}
		f := *n.facts
		f.Cluster = s.clusterSummary()
		f.Single = len(s.nodes) == 1
		f.Edge = f.Edge || s.cluster.edge
		f.Classes = slices.Sorted(maps.Keys(n.sharable))
		r := s.resource(facts.KindNode, ref{"Node", name{"", k}}, n.at, &f)
		r.Aliases = append(r.Aliases, n.uuid...)
		maps.Copy(r.Missing, n.missing)
		f.KubeletCallers = callers
		s.lack(r, "kubelet_callers", Bindings, Roles)
		s.bookNodeGaps(&f, r)
		s.lack(r, "classes", Pods, Namespaces)
		if !yield(r) {
			return false
		}
	}
	return true
}

// bookNodeGaps fills in and books what depends on the kind of node.
func (s *Set) bookNodeGaps(f *facts.Node, r *facts.Resource) {
	n := s.nodes[strings.TrimPrefix(r.ID, "Node/")]
	f.MetadataGuard = n.guard
	if f.Cluster.Distribution == "gke" && n.guard != "true" {
		f.MetadataGuard = "false" // GKE labels every node whose metadata server is on
	}
	if cloud := f.Provider == "aws" || f.Provider == "gce" || f.Provider == "azure"; cloud && f.MetadataGuard == "unknown" {
		r.Missing["metadata_guard"] = facts.Missing{Status: facts.NotAssessed, Partial: true, Reason: "needs the cloud's API: the role of the node and its metadata options"}
	}
	if !f.Edge { // who holds such a node in hand is not asked
		for _, p := range []string{"disk_encrypted", "secure_boot", "tpm"} {
			delete(r.Missing, p)
		}
	}
	d := f.Cluster.Distribution
	if (d == "k3s" || d == "rke2") && len(f.K3s) == 0 {
		r.Missing["k3s"] = notAssessed("the node does not record the flags that it was started with; " + facts.NeedsNode(facts.KindNode)["files"].Reason)
	}
}

// kubeletCallers are who may ask all kubelets for more than health and metrics,
// beyond administrators and the cluster's own components.
func (s *Set) kubeletCallers() []string {
	var out []string
	for k, bindings := range s.access.bySubject {
		own := k.kind == "ServiceAccount" && systemNamespace(k.namespace) || k.kind == "Group" && ownGroup(k.name.name) ||
			k.kind == "User" && strings.HasPrefix(k.name.name, "system:") && k.name.name != "system:anonymous"
		if !own && slices.ContainsFunc(bindings, s.asksKubelets) {
			out = append(out, callerID(k))
		}
	}
	slices.Sort(out)
	return out
}

// callerID writes "ServiceAccount/ns/x", "Group/x".
func callerID(k subjectKey) string {
	if k.namespace != "" {
		return k.kind + "/" + k.namespace + "/" + k.name.name
	}
	return k.kind + "/" + k.name.name
}

// asksKubelets: a binding gives nodes/proxy or nodes/log of every node.
func (s *Set) asksKubelets(b *binding) bool {
	if b.ref.kind != "ClusterRoleBinding" || b.bootstrap || b.role.name.name == "cluster-admin" {
		return false
	}
	rules, _, _ := s.rulesOf(b.role)
	return slices.ContainsFunc(rules, func(r facts.Rule) bool {
		return slices.ContainsFunc([]string{"proxy", "log"}, func(sub string) bool {
			a := asked{resource: "nodes", sub: sub, verbs: []string{"create", "get"}, name: "nodes/" + sub}
			_, ok := grantedVerbs(&r, &a)
			return ok && len(r.ResourceNames) == 0
		})
	})
}
