package kube

import (
	"cmp"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/postscan/postscan/scanner/facts"
)

// service is a Service on its way.
type service struct {
	ref      ref
	selector map[string]string
	facts    *facts.Service
	at       Place
	compiled labels.Selector
	matches  int             // workloads that it selects
	byPod    worksSeen       // those of them that it selects by labels of single pods
	images   map[string]bool // repositories that they run
	exposes  []facts.Exposure
	ips      []string // its own addresses
}

// internalAnnotations ask a provider for a load balancer without a public address.
var internalAnnotations = map[string][]string{
	"networking.gke.io/load-balancer-type":                               {"internal"},
	"cloud.google.com/load-balancer-type":                                {"internal"},
	"service.beta.kubernetes.io/azure-load-balancer-internal":            {"true"},
	"service.beta.kubernetes.io/aws-load-balancer-internal":              {"true", "0.0.0.0/0"},
	"service.beta.kubernetes.io/aws-load-balancer-scheme":                {"internal"},
	"service.beta.kubernetes.io/openstack-internal-load-balancer":        {"true"},
	"service.beta.kubernetes.io/oci-load-balancer-internal":              {"true"},
	"service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type": {"intranet"},
	"service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type":     {"private"},
	"service.kubernetes.io/qcloud-loadbalancer-internal-subnetid":        nil,
}

// sourceRangesAnnotation is the old form of spec.loadBalancerSourceRanges.
const sourceRangesAnnotation = "service.beta.kubernetes.io/load-balancer-source-ranges"

func (s *Set) addService(o *corev1.Service, at Place) {
	r := ref{"Service", name{s.intern(s.namespaceOf(&o.ObjectMeta)), strings.Clone(o.Name)}}
	f := &facts.Service{
		APIServer: r.name == name{"default", "kubernetes"}, Type: cmp.Or(string(o.Spec.Type), "ClusterIP"),
		AllocateNodePorts: o.Spec.AllocateLoadBalancerNodePorts == nil || *o.Spec.AllocateLoadBalancerNodePorts,
		ExternalIPs:       s.internAll(o.Spec.ExternalIPs), ExternalName: strings.Clone(o.Spec.ExternalName),
		SourceRanges: s.internAll(o.Spec.LoadBalancerSourceRanges), Selector: len(o.Spec.Selector) > 0, NodesPublic: "unknown",
	}
	if f.APIServer {
		s.cluster.apiAddresses = append(s.cluster.apiAddresses, s.internAll(o.Spec.ClusterIPs)...)
	} else {
		s.count(r.namespace, "Service")
	}
	f.AllocateNodePorts = f.AllocateNodePorts && f.Type == "LoadBalancer"
	if old := o.Annotations[sourceRangesAnnotation]; len(f.SourceRanges) == 0 && old != "" {
		for v := range strings.SplitSeq(old, ",") {
			f.SourceRanges = append(f.SourceRanges, strings.Clone(strings.TrimSpace(v)))
		}
	}
	f.OpenToAll = len(f.SourceRanges) == 0 || slices.ContainsFunc(f.SourceRanges, func(c string) bool {
		p, err := netip.ParsePrefix(strings.TrimSpace(c))
		return err == nil && p.Bits() == 0
	})
	for key, values := range internalAnnotations {
		v, ok := o.Annotations[key]
		if ok && (values == nil || slices.ContainsFunc(values, func(w string) bool { return strings.EqualFold(v, w) })) {
			f.Internal = true
		}
	}
	class := ""
	if o.Spec.LoadBalancerClass != nil {
		class = strings.ToLower(*o.Spec.LoadBalancerClass)
	}
	f.Internal = f.Internal || strings.Contains(class, "internal") || class == "tailscale"
	// AWS's own controller makes internal ones unless it is told otherwise.
	kind := o.Annotations["service.beta.kubernetes.io/aws-load-balancer-type"]
	if class == "service.k8s.aws/nlb" || class == "eks.amazonaws.com/nlb" || kind == "external" || kind == "nlb-ip" {
		f.Internal = o.Annotations["service.beta.kubernetes.io/aws-load-balancer-scheme"] != "internet-facing"
	}
	for i := range o.Spec.Ports {
		p := &o.Spec.Ports[i]
		target := p.TargetPort.String()
		if target == "0" {
			target = strconv.Itoa(int(p.Port))
		}
		f.Ports = append(f.Ports, facts.ServicePort{
			Name: s.intern(p.Name), Port: int(p.Port), Target: s.intern(target), NodePort: int(p.NodePort),
			Protocol: s.intern(cmp.Or(string(p.Protocol), "TCP")), Path: s.at("spec.ports", i),
		})
	}
	f.Namespace.Declared = o.Namespace != ""
	s.services = append(s.services, &service{ref: r, selector: s.internMap(o.Spec.Selector), facts: f, at: at, ips: s.internAll(o.Spec.ClusterIPs)})
}

// addEndpointSlice keeps the addresses of hand-made slices: those that no
// controller manages.
func (s *Set) addEndpointSlice(o *discoveryv1.EndpointSlice) {
	if by := o.Labels[discoveryv1.LabelManagedBy]; by == "endpointslice-controller.k8s.io" {
		return
	}
	n := name{s.intern(s.namespaceOf(&o.ObjectMeta)), s.intern(o.Labels[discoveryv1.LabelServiceName])}
	if n == (name{"default", "kubernetes"}) {
		for i := range o.Endpoints {
			s.cluster.apiAddresses = append(s.cluster.apiAddresses, s.internAll(o.Endpoints[i].Addresses)...)
		}
		return
	}
	for i := range o.Endpoints {
		s.endpoints[n] = append(s.endpoints[n], s.internAll(o.Endpoints[i].Addresses)...)
	}
}

// addEndpoints does the same for the older kind.
func (s *Set) addEndpoints(o *corev1.Endpoints) { //nolint:staticcheck // see Add
	n := name{s.intern(s.namespaceOf(&o.ObjectMeta)), s.intern(o.Name)}
	for i := range o.Subsets {
		for j := range o.Subsets[i].Addresses {
			s.endpoints[n] = append(s.endpoints[n], s.intern(o.Subsets[i].Addresses[j].IP))
		}
	}
}

// bindServices prepares services for the workloads that they select.
func (s *Set) bindServices() {
	s.byService, s.servicesIn = map[name]*service{}, map[string][]*service{}
	for _, svc := range s.services {
		s.byService[svc.ref.name] = svc
		svc.images = map[string]bool{}
		if len(svc.selector) > 0 {
			svc.compiled = labels.SelectorFromSet(svc.selector)
			s.servicesIn[svc.ref.namespace] = append(s.servicesIn[svc.ref.namespace], svc)
		}
	}
	s.bindExposures()
}

// bookServices counts a workload for the services that select it.
func (s *Set) bookServices(w *work) {
	for _, svc := range s.servicesIn[w.ref.namespace] {
		if svc.compiled.Matches(w.labels) {
			svc.book(w)
		}
	}
}

// book counts a workload that the service selects.
func (svc *service) book(w *work) {
	svc.matches++
	for i := range w.facts.Containers {
		if c := &w.facts.Containers[i]; c.Role == "container" || c.Role == "sidecar" {
			svc.images[c.Image.Repository] = true
		}
	}
}

// serviceResources yields every Service.
func (s *Set) serviceResources(yield func(*facts.Resource) bool) bool {
	public := s.nodesPublic()
	for _, svc := range s.services {
		if !s.keep(svc.ref.namespace, "Service") {
			continue
		}
		f := *svc.facts
		f.Namespace = s.namespaceView(svc.ref.namespace, svc.facts.Namespace.Declared)
		f.Cluster, f.NodesPublic, f.Matches = s.clusterSummary(), public, svc.matches
		f.Images = slices.Sorted(maps.Keys(svc.images))
		f.Targets = s.serviceTargets(svc)
		r := s.resource(facts.KindService, svc.ref, svc.at, &f)
		s.lack(r, "matches", Pods, Controllers)
		outside := f.Selector && (f.Type == "LoadBalancer" || f.Type == "NodePort" || len(f.ExternalIPs) > 0)
		if outside { // of others nothing hangs on them
			s.lack(r, "images", Pods, Controllers)
		}
		switch {
		case f.Type == "ExternalName":
			s.lack(r, "targets", Services, Nodes)
		case !f.Selector: // one with a selector has no targets of its own
			s.lack(r, "targets", EndpointSlices, Services, Nodes)
		}
		s.serviceGaps(r, svc, &f)
		if !s.opts.Live && f.Selector && f.Matches == 0 {
			m := notAssessed("the files hold no workload that it selects; scan the cluster")
			r.Missing["matches"] = m
			if outside {
				r.Missing["images"] = m
			}
		}
		s.missNamespace(r, svc.ref.namespace)
		s.missName(r, f.Namespace.Declared)
		if !yield(r) {
			return false
		}
	}
	return true
}

// serviceGaps says what of a Service hangs on what was not seen, where that
// matters for it.
func (s *Set) serviceGaps(r *facts.Resource, svc *service, f *facts.Service) {
	if f.Type == "NodePort" || f.Type == "LoadBalancer" && f.AllocateNodePorts {
		m := notAssessed("no node is in view; scan the cluster")
		m.Partial = true
		if f.NodesPublic == "unknown" {
			r.Missing["nodes_public"] = m
		}
		if m, ok := s.miss[Nodes]; ok {
			m.Partial = true
			r.Missing["nodes_public"] = m
		}
	}
	if len(f.ExternalIPs) > 0 && f.Cluster.DenyExternalIPs == "unknown" {
		reason := "whether the admission plugin DenyServiceExternalIPs is on is not visible through the API; needs the API server's own flags"
		if !s.opts.Live {
			reason = "whether the admission plugin DenyServiceExternalIPs is on is the cluster's own; scan the cluster"
		}
		r.Missing["cluster.deny_external_ips"] = notAssessed(reason)
	}
	if !s.opts.Live && !f.Selector && f.Type != "ExternalName" && !f.APIServer && len(s.endpoints[svc.ref.name]) == 0 {
		r.Missing["targets"] = notAssessed("the files hold no endpoints of it; add them, or scan the cluster")
	}
}

// nodesPublic: a node has a public address.
func (s *Set) nodesPublic() string {
	if len(s.nodes) == 0 {
		return "unknown"
	}
	for _, n := range s.nodes {
		if n.facts.Public {
			return "true"
		}
	}
	return "false"
}

// serviceTargets sorts where a Service without a selector leads.
func (s *Set) serviceTargets(svc *service) []facts.ServiceTarget {
	var out []facts.ServiceTarget
	if svc.facts.Type == "ExternalName" {
		return append(out, s.target(svc.facts.ExternalName, svc.ref.namespace, "spec.externalName"))
	}
	if svc.facts.Selector || svc.facts.APIServer {
		return nil
	}
	list := slices.Clone(s.endpoints[svc.ref.name])
	slices.Sort(list)
	for _, a := range slices.Compact(list) {
		out = append(out, s.target(a, svc.ref.namespace, "endpoints"))
	}
	return out
}

// target says what an address or name is, seen from a namespace.
func (s *Set) target(v, own, path string) facts.ServiceTarget {
	class, ns := s.addressClass(v, own)
	t := facts.ServiceTarget{Class: class, Value: v, Namespace: ns, Path: path}
	if a, b := s.namespaces[own], s.namespaces[ns]; a != nil && b != nil {
		t.SameTenant = a.class.Tenant != "" && a.class.Tenant == b.class.Tenant
	}
	return t
}

// metadataNames and metadataHosts are the names and further addresses of the
// clouds' metadata services and of what hands out credentials to pods.
var (
	metadataNames = []string{"metadata.google.internal", "metadata", "metadata.goog", "instance-data", "instance-data.ec2.internal", "metadata.tencentyun.com"}
	metadataHosts = []netip.Addr{
		netip.MustParseAddr("169.254.170.2"), netip.MustParseAddr("169.254.170.23"), netip.MustParseAddr("fd00:ec2::23"), // ECS, EKS Pod Identity
		netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("192.0.0.192"), // Alibaba, Oracle
	}
)

// addressClass says what an address or name is; ns is the namespace of the pod
// or Service behind it, "" where that is not known.
func (s *Set) addressClass(v, own string) (class, ns string) {
	host := strings.TrimSuffix(strings.ToLower(v), ".")
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return s.nameClass(host, own)
	}
	ip = ip.Unmap()
	switch {
	case slices.Contains(metadataAddresses, ip), slices.Contains(metadataHosts, ip):
		return "metadata", ""
	case ip.IsLoopback(), ip.IsUnspecified():
		return "loopback", ""
	case slices.Contains(s.cluster.apiAddresses, ip.String()):
		return "api-server", ""
	}
	for _, n := range s.nodes {
		if slices.Contains(n.addrs, ip.String()) {
			return "node", ""
		}
	}
	for _, svc := range s.services {
		if slices.Contains(svc.ips, ip.String()) {
			if svc.ref.namespace == own {
				return "private", ""
			}
			return "pod", svc.ref.namespace
		}
	}
	for _, n := range s.nodes {
		for _, c := range n.pods {
			if p, err := netip.ParsePrefix(c); err == nil && p.Contains(ip) {
				return "pod", ""
			}
		}
	}
	if private(netip.PrefixFrom(ip, ip.BitLen())) {
		return "private", ""
	}
	return "public", ""
}

// embeddedAddress finds an IPv4 address in a name of a service that answers with
// it, such as 169-254-169-254.nip.io.
var embeddedAddress = regexp.MustCompile(`(?:^|[.-])(\d{1,3})[.-](\d{1,3})[.-](\d{1,3})[.-](\d{1,3})\.(?:nip\.io|sslip\.io|xip\.io)$`)

// nameClass does the same for a name.
func (s *Set) nameClass(host, own string) (class, ns string) {
	switch {
	case host == "localhost", strings.HasSuffix(host, ".localhost"), host == "localhost.localdomain", host == "ip6-localhost":
		return "loopback", ""
	case slices.Contains(metadataNames, host):
		return "metadata", ""
	case host == "kubernetes", slices.Contains([]string{"kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}, host):
		return "api-server", ""
	}
	if m := embeddedAddress.FindStringSubmatch(host); m != nil {
		if class, ns := s.addressClass(strings.Join(m[1:], "."), own); class != "public" && class != "private" {
			return class, ns
		}
	}
	for n := range s.nodes {
		if host == strings.ToLower(n) {
			return "node", ""
		}
	}
	for _, suffix := range []string{".svc.cluster.local", ".svc"} {
		svc, ok := strings.CutSuffix(host, suffix)
		if !ok {
			continue
		}
		if ns := svc[strings.LastIndexByte(svc, '.')+1:]; ns != own {
			return "pod", ns
		}
	}
	return "name", ""
}

// exposures are the ways into a workload from outside the pod network.
func (s *Set) exposures(w *work) []facts.Exposure {
	var out []facts.Exposure
	if w.facts.HostNetwork {
		out = append(out, facts.Exposure{Kind: "HostNetwork", Reach: "node", Path: w.facts.PodPath + ".hostNetwork"})
	}
	for i := range w.facts.Containers {
		for j := range w.facts.Containers[i].Ports {
			p := &w.facts.Containers[i].Ports[j]
			if p.HostPort != 0 && !w.facts.HostNetwork {
				out = append(out, facts.Exposure{Kind: "HostPort", Reach: "node", Ports: []int{p.Port}, Path: p.Path + ".hostPort"})
			}
		}
	}
	for _, svc := range s.servicesIn[w.ref.namespace] {
		if len(svc.exposes) == 0 || !svc.compiled.Matches(w.labels) {
			continue
		}
		ports := targetPorts(svc, w)
		for _, e := range svc.exposes {
			e.Ports = ports
			out = append(out, e)
		}
	}
	return out
}

// bindExposures works out how each service is reached from outside: by itself,
// and by the Ingresses, Gateways and Routes before it.
func (s *Set) bindExposures() {
	for _, svc := range s.services {
		kind := svc.facts.Type
		var reach string
		switch {
		case kind == "LoadBalancer" && svc.facts.Internal:
			reach = "internal"
		case kind == "LoadBalancer" && !svc.facts.OpenToAll:
			reach = "restricted"
		case kind == "LoadBalancer":
			reach = "outside"
		case kind == "NodePort":
			reach = "node"
		case len(svc.facts.ExternalIPs) > 0:
			kind, reach = "ExternalIP", "outside"
		default:
			continue
		}
		svc.exposes = append(svc.exposes, facts.Exposure{Kind: kind, Name: "Service/" + svc.ref.name.name, Reach: reach})
	}
	for _, in := range s.ingresses {
		if in.facts.Kind == "Gateway" {
			continue
		}
		kind := in.facts.Kind
		if strings.HasSuffix(kind, "Route") && kind != "Route" {
			kind = "Gateway"
		}
		for _, b := range in.backends {
			if svc := s.byService[b]; svc != nil {
				reach := "outside"
				if in.facts.Internal {
					reach = "internal"
				}
				svc.exposes = append(svc.exposes, facts.Exposure{Kind: kind, Name: in.facts.Kind + "/" + in.ref.name.name, Reach: reach})
			}
		}
	}
}

// targetPorts finds the container ports that a service leads to.
func targetPorts(svc *service, w *work) []int {
	var out []int
	for _, p := range svc.facts.Ports {
		if n, err := strconv.Atoi(p.Target); err == nil {
			out = append(out, n)
			continue
		}
		for i := range w.facts.Containers {
			for _, cp := range w.facts.Containers[i].Ports {
				if cp.Name == p.Target {
					out = append(out, cp.Port)
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
