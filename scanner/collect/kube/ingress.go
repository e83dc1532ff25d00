package kube

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	netv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/postscan/postscan/scanner/facts"
)

// ingress is an Ingress, Gateway, route of the Gateway API or OpenShift Route on its way.
type ingress struct {
	ref      ref
	declared bool
	facts    *facts.Ingress
	backends []name
	parents  []parentRef // Gateways of a route
	mesh     bool        // a route that is attached to a Service
	at       Place
}

// parentRef is a Gateway, or one listener of it.
type parentRef struct {
	name
	listener string
}

// gateway holds what routes ask of their Gateway.
type gateway struct {
	class     string
	listeners []listener
}

type listener struct {
	name, host, protocol, tls string
	otherNamespaces           bool
	routes, redirects         int // routes that are attached, and those among them that only redirect
}

// Annotations by which well-known controllers send plain HTTP to HTTPS whether or
// not the Ingress has certificates of its own. That ingress-nginx and others
// redirect where there are, their ssl-redirect, is no such thing.
var redirectAnnotations = map[string]string{
	"nginx.ingress.kubernetes.io/force-ssl-redirect":     "true",
	"nginx.org/redirect-to-https":                        "true",
	"ingress.kubernetes.io/force-ssl-redirect":           "true",
	"haproxy.org/ssl-redirect":                           "true",
	"haproxy-ingress.github.io/ssl-redirect":             "true",
	"traefik.ingress.kubernetes.io/redirect-entry-point": "https",
	"traefik.ingress.kubernetes.io/router.entrypoints":   "websecure",
	"kubernetes.io/ingress.allow-http":                   "false",
	"alb.ingress.kubernetes.io/ssl-redirect":             "443",
	"alb.ingress.kubernetes.io/actions.ssl-redirect":     "",
	"projectcontour.io/force-ssl-redirect":               "true",
	"konghq.com/protocols":                               "https",
	"ingress.cilium.io/force-https":                      "enabled",
}

// Annotations that switch the redirect off that a controller makes by default.
var redirectOffAnnotations = map[string]string{
	"nginx.ingress.kubernetes.io/ssl-redirect": "false",
	"nginx.org/redirect-to-https":              "false",
	"ingress.kubernetes.io/ssl-redirect":       "false",
	"haproxy.org/ssl-redirect":                 "false",
	"haproxy-ingress.github.io/ssl-redirect":   "false",
	"appgw.ingress.kubernetes.io/ssl-redirect": "false",
	"ingress.cilium.io/force-https":            "disabled",
}

// Annotations that give a controller a certificate for every host; "" is any value.
var certificateAnnotations = map[string]string{
	"alb.ingress.kubernetes.io/certificate-arn":            "",
	"ingress.gcp.kubernetes.io/pre-shared-cert":            "",
	"networking.gke.io/managed-certificates":               "",
	"networking.gke.io/certmap":                            "",
	"appgw.ingress.kubernetes.io/appgw-ssl-certificate":    "",
	"traefik.ingress.kubernetes.io/router.tls":             "true",
	"nginx.ingress.kubernetes.io/ssl-passthrough":          "true",
	"haproxy.org/ssl-passthrough":                          "true",
	"service.beta.kubernetes.io/do-loadbalancer-tls-ports": "",
}

// has says whether an annotation of the list is there with its value.
func has(annotations, list map[string]string) bool {
	for k, want := range list {
		if v, ok := annotations[k]; ok && v != "" && (want == "" || strings.EqualFold(want, v)) {
			return true
		}
	}
	return false
}

// internalIngress: an annotation or the class asks for an address inside the private network.
func internalIngress(annotations map[string]string, class string) bool {
	class = strings.ToLower(class)
	if class == "alb" || annotations["alb.ingress.kubernetes.io/scheme"] != "" {
		return annotations["alb.ingress.kubernetes.io/scheme"] != "internet-facing" // internal is the controller's default
	}
	return strings.Contains(class, "internal") || strings.Contains(class, "private") || strings.Contains(class, "-rilb") || class == "tailscale" ||
		annotations["appgw.ingress.kubernetes.io/use-private-ip"] == "true"
}

// ingressClassAnnotation named the class before spec.ingressClassName.
const ingressClassAnnotation = "kubernetes.io/ingress.class"

func (s *Set) addIngress(o *netv1.Ingress, at Place) {
	in := s.newIngress("Ingress", &o.ObjectMeta, at)
	f := in.facts
	f.Class = s.intern(o.Annotations[ingressClassAnnotation])
	if o.Spec.IngressClassName != nil {
		f.Class = s.intern(*o.Spec.IngressClassName)
	}
	f.Internal = internalIngress(o.Annotations, f.Class)
	backend := func(b *netv1.IngressBackend) {
		if b != nil && b.Service != nil {
			in.backend(name{in.ref.namespace, s.intern(b.Service.Name)})
		}
	}
	if o.Spec.DefaultBackend != nil {
		f.DefaultBackend, f.DefaultBackendPath = true, "spec.defaultBackend"
		backend(o.Spec.DefaultBackend)
	}
	covered := map[string]bool{"*": has(o.Annotations, certificateAnnotations)}
	for i := range o.Spec.TLS {
		if len(o.Spec.TLS[i].Hosts) == 0 {
			covered["*"] = true // the controller takes the hosts of the certificate
		}
		for _, h := range o.Spec.TLS[i].Hosts {
			covered[strings.ToLower(h)] = true
		}
	}
	if f.DefaultBackend {
		f.DefaultBackendTLS = "none"
		if covered["*"] || len(o.Spec.TLS) > 0 {
			f.DefaultBackendTLS = "terminate"
		}
	}
	for i := range o.Spec.Rules {
		r := &o.Spec.Rules[i]
		h := facts.IngressHost{Host: s.intern(r.Host), Wildcard: wildcard(r.Host), TLS: "none", Path: s.at("spec.rules", i)}
		if coveredHost(covered, r.Host) {
			h.TLS = "terminate"
		}
		f.Hosts = append(f.Hosts, h)
		if r.HTTP == nil {
			continue
		}
		for j := range r.HTTP.Paths {
			backend(&r.HTTP.Paths[j].Backend)
		}
	}
	s.ingresses = append(s.ingresses, in)
}

// coveredHost: a certificate names the host, or a wildcard one level above it.
func coveredHost(covered map[string]bool, host string) bool {
	host = strings.ToLower(host)
	_, parent, found := strings.Cut(host, ".")
	return covered["*"] || covered[host] || found && covered["*."+parent]
}

func wildcard(host string) bool { return host == "" || host == "*" || strings.HasPrefix(host, "*.") }

// newIngress starts an ingress of any kind with what its annotations say.
func (s *Set) newIngress(kind string, meta *metav1.ObjectMeta, at Place) *ingress {
	in := &ingress{ref: ref{kind, name{s.intern(s.namespaceOf(meta)), strings.Clone(meta.Name)}}, declared: meta.Namespace != "", facts: &facts.Ingress{Kind: kind}, at: at}
	s.count(in.ref.namespace, kind)
	in.facts.Redirects, in.facts.RedirectOff = has(meta.Annotations, redirectAnnotations), has(meta.Annotations, redirectOffAnnotations)
	for _, k := range slices.Sorted(maps.Keys(meta.Annotations)) {
		if strings.Contains(k, "ingress.kubernetes.io/") && strings.HasSuffix(k, "-snippet") || strings.HasPrefix(k, "nginx.org/") && strings.HasSuffix(k, "-snippets") {
			in.facts.Snippets = append(in.facts.Snippets, strings.Clone(k))
		}
	}
	return in
}

// backend adds a service that the ingress leads to, once.
func (in *ingress) backend(n name) {
	if n.name != "" && !slices.Contains(in.backends, n) {
		in.backends = append(in.backends, n)
	}
}

// addGateway reads a Gateway with its listeners.
func (s *Set) addGateway(u *unstructured.Unstructured, at Place) {
	in := s.newIngress("Gateway", metaOf(u), at)
	in.facts.Class = s.intern(text(u.Object, "spec", "gatewayClassName"))
	in.facts.Internal = internalIngress(u.GetAnnotations(), in.facts.Class)
	g := &gateway{class: in.facts.Class}
	for i, l := range maplist(u.Object, "spec", "listeners") {
		li := listener{name: s.intern(text(l, "name")), host: s.intern(text(l, "hostname")), protocol: s.intern(text(l, "protocol")), tls: "none"}
		if li.protocol == "HTTPS" || li.protocol == "TLS" {
			li.tls = "terminate"
			if text(l, "tls", "mode") == "Passthrough" {
				li.tls = "passthrough"
			}
		}
		from := text(l, "allowedRoutes", "namespaces", "from")
		li.otherNamespaces = from == "All" || from == "Selector"
		g.listeners = append(g.listeners, li)
		in.facts.Hosts = append(in.facts.Hosts, facts.IngressHost{
			Host: li.host, Wildcard: wildcard(li.host), Protocol: li.protocol, TLS: li.tls, OtherNamespaces: li.otherNamespaces, Path: s.at("spec.listeners", i),
		})
	}
	s.gateways[in.ref.name] = g
	s.ingresses = append(s.ingresses, in)
}

// addGatewayRoute reads an HTTPRoute, GRPCRoute, TLSRoute, TCPRoute or UDPRoute.
func (s *Set) addGatewayRoute(u *unstructured.Unstructured, at Place) {
	in := s.newIngress(u.GetKind(), metaOf(u), at)
	hosts, _, _ := unstructured.NestedStringSlice(u.Object, "spec", "hostnames")
	for i, h := range hosts {
		in.facts.Hosts = append(in.facts.Hosts, facts.IngressHost{Host: s.intern(h), Wildcard: wildcard(h), Path: s.at("spec.hostnames", i)})
	}
	if len(hosts) == 0 {
		in.facts.Hosts = append(in.facts.Hosts, facts.IngressHost{Wildcard: true, Path: "spec"})
	}
	for _, p := range maplist(u.Object, "spec", "parentRefs") {
		if text(p, "kind") == "Service" { // traffic inside a mesh
			in.mesh = true
			continue
		}
		in.parents = append(in.parents, parentRef{name{s.intern(cmp.Or(text(p, "namespace"), in.ref.namespace)), s.intern(text(p, "name"))}, s.intern(text(p, "sectionName"))})
	}
	plain := len(maplist(u.Object, "spec", "rules")) == 0 // a rule answers without a redirect
	for _, r := range maplist(u.Object, "spec", "rules") {
		redirects := false
		for _, b := range maplist(r, "backendRefs") {
			if k := text(b, "kind"); k == "" || k == "Service" {
				in.backend(name{s.intern(cmp.Or(text(b, "namespace"), in.ref.namespace)), s.intern(text(b, "name"))})
			}
		}
		for _, f := range maplist(r, "filters") {
			redirects = redirects || text(f, "type") == "RequestRedirect" && text(f, "requestRedirect", "scheme") == "https"
		}
		plain = plain || !redirects
	}
	in.facts.Redirects = in.facts.Redirects || !plain
	s.ingresses = append(s.ingresses, in)
}

// addOpenShiftRoute reads a Route.
func (s *Set) addOpenShiftRoute(u *unstructured.Unstructured, at Place) {
	in := s.newIngress("Route", metaOf(u), at)
	host := text(u.Object, "spec", "host")
	h := facts.IngressHost{Host: s.intern(host), Wildcard: text(u.Object, "spec", "wildcardPolicy") == "Subdomain", TLS: "none", Path: "spec"}
	switch text(u.Object, "spec", "tls", "termination") {
	case "edge":
		h.TLS = "terminate"
	case "passthrough":
		h.TLS = "passthrough"
	case "reencrypt":
		h.TLS = "reencrypt"
	}
	switch text(u.Object, "spec", "tls", "insecureEdgeTerminationPolicy") {
	case "Allow":
		h.Insecure = true
	case "Redirect":
		in.facts.Redirects = true
	}
	in.facts.Hosts = append(in.facts.Hosts, h)
	in.backend(name{in.ref.namespace, s.intern(text(u.Object, "spec", "to", "name"))})
	for _, b := range maplist(u.Object, "spec", "alternateBackends") {
		in.backend(name{in.ref.namespace, s.intern(text(b, "name"))})
	}
	s.ingresses = append(s.ingresses, in)
}

// settleRoutes gives routes the TLS of the listeners that they attach to, and
// tells listeners whether all that is attached to them redirects.
func (s *Set) settleRoutes() {
	for _, in := range s.ingresses {
		in.facts.Internal = in.facts.Internal || in.mesh && in.parents == nil
		if in.parents == nil {
			continue
		}
		s.settleParents(in)
		for i := range in.facts.Hosts {
			h := &in.facts.Hosts[i]
			h.TLS = "unknown"
			unbounded := h.Host == ""
			if unbounded {
				h.Wildcard = false
			}
			for _, l := range s.listenersOf(in, h.Host) {
				if h.TLS == "unknown" || l.tls == "none" { // the weakest counts
					h.TLS, h.Protocol = l.tls, l.protocol
				}
				h.OtherNamespaces = h.OtherNamespaces || l.otherNamespaces
				h.Wildcard = h.Wildcard || unbounded && wildcard(l.host)
				h.OpenListener = h.OpenListener || unbounded && l.host == "" && l.otherNamespaces
				l.routes++
				if in.facts.Redirects {
					l.redirects++
				}
			}
			h.Wildcard = h.Wildcard || unbounded && h.TLS == "unknown"
		}
	}
	for _, in := range s.ingresses {
		if in.facts.Kind != "Gateway" {
			continue
		}
		for i, l := range s.gateways[in.ref.name].listeners {
			if i < len(in.facts.Hosts) {
				in.facts.Hosts[i].Redirects = l.routes > 0 && l.redirects == l.routes
			}
		}
	}
}

// settleParents: a route is internal where all Gateways that it attaches to are.
func (s *Set) settleParents(in *ingress) {
	in.facts.Internal = !slices.ContainsFunc(in.parents, func(p parentRef) bool {
		g := s.gateways[p.name]
		return g == nil || !internalIngress(nil, g.class)
	})
}

// listenersOf are the listeners that a route's host attaches to.
func (s *Set) listenersOf(in *ingress, host string) []*listener {
	var out []*listener
	for _, p := range in.parents {
		g := s.gateways[p.name]
		if g == nil {
			continue
		}
		for i := range g.listeners {
			l := &g.listeners[i]
			if p.listener != "" && p.listener != l.name || !l.otherNamespaces && p.namespace != in.ref.namespace {
				continue
			}
			suffix, wild := strings.CutPrefix(l.host, "*")
			if host == "" || l.host == "" || l.host == host || wild && strings.HasSuffix(host, suffix) || strings.HasPrefix(host, "*") {
				out = append(out, l)
			}
		}
	}
	return out
}

// ingressResources yields everything that brings requests in.
func (s *Set) ingressResources(yield func(*facts.Resource) bool) bool {
	classes := map[string]map[string]bool{}
	for _, in := range s.ingresses {
		if in.facts.Kind == "Ingress" {
			m := classes[in.facts.Class]
			if m == nil {
				m = map[string]bool{}
				classes[in.facts.Class] = m
			}
			m[in.ref.namespace] = true
		}
	}
	for _, in := range s.ingresses {
		if !s.keep(in.ref.namespace, in.ref.kind) {
			continue
		}
		f := *in.facts
		f.Namespace = s.namespaceView(in.ref.namespace, in.declared)
		f.SharedController = "unknown"
		if f.Kind == "Ingress" && s.opts.Live {
			f.SharedController = "false"
			if len(classes[f.Class]) > 1 {
				f.SharedController = "true"
			}
		}
		works := 0
		for _, b := range in.backends {
			f.Backends = append(f.Backends, b.namespace+"/"+b.name)
			if svc := s.byService[b]; svc != nil {
				works += svc.matches
				f.Images = slices.AppendSeq(f.Images, maps.Keys(svc.images))
			}
		}
		slices.Sort(f.Backends)
		slices.Sort(f.Images)
		f.Images = slices.Compact(f.Images)
		r := s.resource(facts.KindIngress, in.ref, in.at, &f)
		if len(in.backends) > 0 {
			s.lack(r, "images", Pods, Controllers, Services)
		}
		if !s.opts.Live && works == 0 && len(in.backends) > 0 {
			r.Missing["images"] = notAssessed("the files hold no workload behind it; scan the cluster")
		}
		s.ingressGaps(r, in)
		s.missNamespace(r, in.ref.namespace)
		s.missName(r, in.declared)
		if !yield(r) {
			return false
		}
	}
	return true
}

// ingressGaps says what of an ingress hangs on objects that were not seen.
func (s *Set) ingressGaps(r *facts.Resource, in *ingress) {
	if in.parents == nil || !slices.ContainsFunc(in.facts.Hosts, func(h facts.IngressHost) bool { return h.TLS == "unknown" }) {
		return
	}
	m := facts.Missing{Status: facts.Unknown, Reason: "the Gateway or listener that it is attached to was not found"}
	if !s.opts.Live {
		m = notAssessed("the files do not hold the Gateway that it is attached to; add it, or scan the cluster")
	}
	for _, path := range []string{"hosts[].tls", "hosts[].open_listener", "hosts[].other_namespaces"} {
		r.Missing[path] = m
	}
}
