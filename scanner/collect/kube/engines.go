package kube

import (
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
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
	p := &netPolicy{ref: ref{u.GetKind(), name{"", strings.Clone(u.GetName())}}, engine: engine, declared: true, at: at, read: true, pods: labels.Everything()}
	if clusterWide {
		p.namespaces = labels.Everything()
		return p
	}
	p.ref.namespace = s.intern(s.namespaceOf(metaOf(u)))
	p.declared = u.GetNamespace() != ""
	s.count(p.ref.namespace, u.GetKind())
	return p
}

// looseSelector compiles a selector of an unstructured object. trim is taken
// off the keys ("k8s:" of Cilium's). Parts that it cannot read make ok false.
func looseSelector(m map[string]any, trim func(string) (string, bool)) (sel labels.Selector, ok bool) {
	var l metav1.LabelSelector
	raw, err := json.Marshal(m)
	if err != nil || json.Unmarshal(raw, &l) != nil {
		return labels.Nothing(), false
	}
	ok = true
	out := metav1.LabelSelector{}
	for k, v := range l.MatchLabels {
		key, good := trim(k)
		ok = ok && good
		if good {
			metav1.AddLabelToSelector(&out, key, v)
		}
	}
	for _, e := range l.MatchExpressions {
		key, good := trim(e.Key)
		ok = ok && good
		if good {
			e.Key = key
			out.MatchExpressions = append(out.MatchExpressions, e)
		}
	}
	sel, good := selector(&out)
	return sel, ok && good
}

// ciliumKey reads a label key with Cilium's source before it. Keys of the
// namespace's labels are not of the pod.
func ciliumKey(k string) (string, bool) {
	for _, p := range []string{"k8s:", "any:", "k8s."} {
		k = strings.TrimPrefix(k, p)
	}
	return k, !strings.HasPrefix(k, "io.kubernetes.pod.") && !strings.HasPrefix(k, "io.cilium.") && !strings.HasPrefix(k, "reserved:") && !strings.HasPrefix(k, "reserved.")
}

// addCilium reads a Cilium policy. A section that is present, even if empty,
// closes that direction; an empty rule allows nothing.
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
		p := s.newPolicy(engineCilium, u, u.GetKind() != "CiliumNetworkPolicy", at)
		p.path = paths[i] + ".endpointSelector"
		p.pods, p.read = looseSelector(submap(spec, "endpointSelector"), ciliumKey)
		for _, dir := range []string{"ingress", "egress"} {
			rules, present := spec[dir].([]any)
			if _, deny := spec[dir+"Deny"].([]any); deny {
				present, p.read = true, false
			}
			if flag(spec, "enableDefaultDeny", dir) == "false" {
				present = false
			}
			if !present {
				continue
			}
			if dir == "ingress" {
				p.ingress = true
			} else {
				p.egress = true
			}
			for j := range rules {
				m, _ := rules[j].(map[string]any)
				if r, ok := ciliumRule(m, dir == "ingress", keyIndex(paths[i]+"."+dir, j)); ok {
					p.rules = append(p.rules, r)
				}
			}
		}
		s.policies = append(s.policies, p)
	}
}

// ciliumRule reads one allow rule; ok is false for an empty one, which allows nothing.
func ciliumRule(m map[string]any, ingress bool, path string) (netRule, bool) {
	field := "to"
	if ingress {
		field = "from"
	}
	r := netRule{ingress: ingress, path: path, allPorts: m["toPorts"] == nil && m["icmps"] == nil}
	named := false
	for _, kind := range []string{"Endpoints", "CIDR", "CIDRSet", "Entities", "Requires", "FQDNs", "Services", "Groups", "Nodes"} {
		v, ok := m[field+kind].([]any)
		if !ok {
			continue
		}
		named = true
		for i := range v {
			r.peers = append(r.peers, ciliumPeer(kind, v[i], keyIndex(path+"."+field+kind, i)))
		}
	}
	for _, tp := range maplist(m, "toPorts") {
		for _, pp := range maplist(tp, "ports") {
			n := leadingNumber(text(pp, "port"))
			r.ports = append(r.ports, netPort{protocol: text(pp, "protocol"), from: n, to: n, named: n == 0 && text(pp, "port") != "0", all: text(pp, "port") == "0"})
		}
	}
	for i := range r.ports {
		if p := r.ports[i].protocol; p == "" || p == "ANY" {
			r.ports[i].protocol = "TCP"
		}
	}
	r.allPeers = !named && !r.allPorts
	return r, named || !r.allPorts
}

func ciliumPeer(kind string, v any, path string) netPeer {
	p := netPeer{path: path}
	switch kind {
	case "Endpoints":
		m, _ := v.(map[string]any)
		sel, ok := looseSelector(m, ciliumKey)
		p.pods, p.other = sel, !ok
		if !ok {
			p.pods = nil
		}
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
		block, err := netip.ParsePrefix(p.cidr)
		p.block, p.other = block, err != nil
		p.everything = err == nil && block.Bits() == 0 && len(p.except) == 0
	case "Entities":
		e, _ := v.(string)
		p.other = true
		p.everything = e == "all" || e == "world"
	default:
		p.other = true
	}
	return p
}

// addCalico reads a Calico policy. Rules that deny or log are not put together,
// so a policy with any is marked as not fully read.
func (s *Set) addCalico(u *unstructured.Unstructured, at Place) {
	p := s.newPolicy(engineCalico, u, u.GetKind() == "GlobalNetworkPolicy", at)
	p.path = "spec.selector"
	var ok bool
	p.pods, ok = calicoSelector(text(u.Object, "spec", "selector"))
	p.read = ok
	if ns := text(u.Object, "spec", "namespaceSelector"); ns != "" && p.namespaces != nil {
		p.namespaces, ok = calicoSelector(ns)
		p.read = p.read && ok
	}
	types := texts(u.Object, "spec", "types")
	ingress, egress := maplist(u.Object, "spec", "ingress"), maplist(u.Object, "spec", "egress")
	p.ingress = slices.Contains(types, "Ingress") || len(types) == 0 && (len(ingress) > 0 || len(egress) == 0)
	p.egress = slices.Contains(types, "Egress") || len(types) == 0 && len(egress) > 0
	for dir, rules := range map[string][]map[string]any{"ingress": ingress, "egress": egress} {
		for i, m := range rules {
			if text(m, "action") != "Allow" {
				p.read = p.read && text(m, "action") == "Deny" && len(rules) == i+1
				continue
			}
			side := "destination"
			if dir == "ingress" {
				side = "source"
			}
			p.rules = append(p.rules, calicoRule(m, dir == "ingress", side, keyIndex("spec."+dir, i)))
		}
	}
	slices.SortStableFunc(p.rules, func(a, b netRule) int { return strings.Compare(a.path, b.path) })
	s.policies = append(s.policies, p)
}

func calicoRule(m map[string]any, ingress bool, side, path string) netRule {
	r := netRule{ingress: ingress, path: path, allPorts: len(list(m, "destination", "ports")) == 0 && m["protocol"] == nil}
	for _, v := range list(m, "destination", "ports") {
		port := netPort{protocol: strings.ToUpper(text(m, "protocol"))}
		switch n := v.(type) {
		case int64:
			port.from, port.to = int(n), int(n)
		case float64:
			port.from, port.to = int(n), int(n)
		case string:
			lo, hi, found := strings.Cut(n, ":")
			port.from, port.to = leadingNumber(lo), leadingNumber(lo)
			if found {
				port.to = leadingNumber(hi)
			}
			port.named = port.from == 0
		}
		r.ports = append(r.ports, port)
	}
	if len(r.ports) == 0 && !r.allPorts {
		r.ports = append(r.ports, netPort{protocol: strings.ToUpper(text(m, "protocol")), all: true})
	}
	peer := submap(m, side)
	for i, c := range texts(peer, "nets") {
		q := netPeer{cidr: c, path: keyIndex(path+"."+side+".nets", i)}
		block, err := netip.ParsePrefix(c)
		q.block, q.other = block, err != nil
		q.everything = err == nil && block.Bits() == 0
		r.peers = append(r.peers, q)
	}
	for _, key := range []string{"selector", "namespaceSelector", "serviceAccounts", "domains", "services", "notNets", "notSelector"} {
		if peer[key] != nil {
			r.peers = append(r.peers, netPeer{other: true, path: path + "." + side + "." + key})
		}
	}
	r.allPeers = len(r.peers) == 0
	return r
}

// calicoSelector compiles the common forms of Calico's selector language: all(),
// has(k), k == 'v', k != 'v', k in {…}, k not in {…}, joined by &&. Others make
// ok false and select everything, so that nothing is taken for uncovered.
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
	req, err := labels.NewRequirement(strings.TrimSpace(key), op, vals)
	return req, err == nil
}

// addAdminPolicy reads an AdminNetworkPolicy, BaselineAdminNetworkPolicy or
// ClusterNetworkPolicy. They do not close a direction by selecting pods; only a
// deny rule for everything does.
func (s *Set) addAdminPolicy(u *unstructured.Unstructured, at Place) {
	p := s.newPolicy(engineAdmin, u, true, at)
	p.path = "spec.subject"
	plain := func(k string) (string, bool) { return k, true }
	var ok bool
	if m, has := dig(u.Object, "spec", "subject", "namespaces").(map[string]any); has {
		p.namespaces, ok = looseSelector(m, plain)
		p.read = ok
	}
	if m, has := dig(u.Object, "spec", "subject", "pods").(map[string]any); has {
		p.namespaces, ok = looseSelector(submap(m, "namespaceSelector"), plain)
		p.read = ok
		p.pods, ok = looseSelector(submap(m, "podSelector"), plain)
		p.read = p.read && ok
	}
	for dir, field := range map[string]string{"ingress": "from", "egress": "to"} {
		for i, m := range maplist(u.Object, "spec", dir) {
			action := text(m, "action")
			r := adminRule(m, dir == "ingress", field, keyIndex("spec."+dir, i))
			switch {
			case action == "Deny" && r.allPorts && slices.ContainsFunc(r.peers, func(q netPeer) bool { return q.everything }):
				p.ingress = p.ingress || dir == "ingress"
				p.egress = p.egress || dir == "egress"
			case action == "Allow" || action == "Accept":
				p.rules = append(p.rules, r)
			default:
				p.read = false
			}
		}
	}
	slices.SortStableFunc(p.rules, func(a, b netRule) int { return strings.Compare(a.path, b.path) })
	s.policies = append(s.policies, p)
}

func adminRule(m map[string]any, ingress bool, field, path string) netRule {
	r := netRule{ingress: ingress, path: path, allPorts: len(list(m, "ports")) == 0 && len(list(m, "protocols")) == 0}
	plain := func(k string) (string, bool) { return k, true }
	for i, q := range maplist(m, field) {
		p := netPeer{path: keyIndex(path+"."+field, i)}
		for _, key := range slices.Sorted(maps.Keys(q)) {
			switch key {
			case "namespaces":
				p.namespaces, _ = looseSelector(submap(q, "namespaces"), plain)
				p.everything = p.namespaces.Empty()
			case "pods":
				p.namespaces, _ = looseSelector(submap(q, "pods", "namespaceSelector"), plain)
				p.pods, _ = looseSelector(submap(q, "pods", "podSelector"), plain)
			case "networks":
				for _, c := range texts(q, "networks") {
					block, err := netip.ParsePrefix(c)
					if err == nil && (!p.block.IsValid() || block.Bits() < p.block.Bits()) {
						p.block, p.cidr, p.everything = block, c, block.Bits() == 0
					}
				}
			default:
				p.other = true
			}
		}
		r.peers = append(r.peers, p)
	}
	r.allPeers = len(r.peers) == 0
	return r
}
