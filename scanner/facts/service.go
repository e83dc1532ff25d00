package facts

// Service is a Service with what it leads to.
type Service struct {
	Namespace NamespaceView  `json:"namespace"`
	Cluster   ClusterSummary `json:"cluster"`
	// APIServer: it is default/kubernetes.
	APIServer bool   `json:"api_server"`
	Type      string `json:"type"` // ClusterIP, NodePort, LoadBalancer, ExternalName
	// Internal: an annotation of a known provider asks for an internal load balancer, or loadBalancerClass is an internal one.
	Internal     bool     `json:"internal"`
	SourceRanges []string `json:"source_ranges"` // loadBalancerSourceRanges, or the old annotation
	OpenToAll    bool     `json:"open_to_all"`   // no source range, or one that is 0.0.0.0/0 or ::/0
	// AllocateNodePorts: a LoadBalancer opens node ports too (allocateLoadBalancerNodePorts is not false).
	AllocateNodePorts bool          `json:"allocate_node_ports"`
	ExternalIPs       []string      `json:"external_ips"`
	ExternalName      string        `json:"external_name"`
	Ports             []ServicePort `json:"ports"`
	Selector          bool          `json:"selector"` // it selects pods
	Matches           int           `json:"matches"`  // workloads that it selects; missing where workloads were not seen
	// Targets sorts the addresses of its hand-made endpoints and the ExternalName: metadata, loopback, node,
	// api-server, pod (of another namespace, or in the nodes' pod network), private, public, name (a DNS name that
	// is none of these), sorted.
	// Missing where EndpointSlices were not seen.
	Targets []ServiceTarget `json:"targets"`
	// NodesPublic: a node has a public address: true, false, unknown.
	NodesPublic string `json:"nodes_public"`
	// Images are the repositories that the selected workloads run, sorted: "library/nginx". Missing where workloads were
	// not seen and the Service can be reached from outside the cluster.
	Images []string `json:"images"`
}

// ServicePort is one port of a Service.
type ServicePort struct {
	Name     string `json:"name"`
	Port     int    `json:"port"`
	Target   string `json:"target"` // targetPort as written, a number or a name
	NodePort int    `json:"node_port"`
	Protocol string `json:"protocol"`
	Path     string `json:"path"`
}

// Ingress is what brings outside requests in by host and path: an Ingress, a
// Gateway with its listeners, an HTTPRoute (GRPCRoute, TLSRoute …) or an
// OpenShift Route.
type Ingress struct {
	Kind      string        `json:"kind"` // Ingress, Gateway, HTTPRoute, GRPCRoute, TLSRoute, TCPRoute, UDPRoute, Route
	Namespace NamespaceView `json:"namespace"`
	Class     string        `json:"class"` // of the Ingress or Gateway; "" for the default
	Hosts     []IngressHost `json:"hosts"`
	// DefaultBackend: an Ingress-level defaultBackend.
	DefaultBackend     bool   `json:"default_backend"`
	DefaultBackendPath string `json:"default_backend_path"`
	DefaultBackendTLS  string `json:"default_backend_tls"` // none or terminate; "" without a default backend
	// Internal: its class or an annotation asks for an address inside the private network, or (a route of a mesh)
	// it is attached to Services only.
	Internal bool `json:"internal"`
	// Redirects: an annotation of a known controller (or a redirect filter, or a Route's policy) sends plain HTTP to HTTPS.
	Redirects bool `json:"redirects"`
	// RedirectOff: an annotation switches such a redirect off, so that plain HTTP is served beside TLS.
	RedirectOff bool `json:"redirect_off"`
	// Snippets are annotations that put configuration into the controller.
	Snippets []string `json:"snippets"`
	// Backends are the Services that it leads to, "shop/web", sorted.
	Backends []string `json:"backends"`
	// Images are the repositories that the workloads behind it run, sorted.
	Images []string `json:"images"`
	// SharedController: Ingresses of more than one namespace use the same class: true, false, unknown.
	SharedController string `json:"shared_controller"`
}

// IngressHost is a host, listener or rule.
type IngressHost struct {
	Host string `json:"host"` // "" for every host
	// Wildcard: Host is "" or starts with "*.".
	Wildcard bool   `json:"wildcard"`
	Protocol string `json:"protocol"` // of a listener: HTTP, HTTPS, TLS, TCP …; "" elsewhere
	// TLS is none, terminate, passthrough, reencrypt. For a route of the Gateway API it is that of the listeners
	// that it attaches to; unknown where none was seen.
	TLS string `json:"tls"`
	// Insecure: a Route's insecureEdgeTerminationPolicy is Allow.
	Insecure bool `json:"insecure"`
	// OtherNamespaces: a listener that takes routes of other namespaces.
	OtherNamespaces bool `json:"other_namespaces"`
	// Redirects, of a Gateway's listener: routes are attached to it, and every one sends plain HTTP to HTTPS.
	Redirects bool `json:"redirects"`
	// OpenListener, of a route without hostnames: it is attached to a listener that has none either and takes
	// routes of other namespaces.
	OpenListener bool   `json:"open_listener"`
	Path         string `json:"path"` // "spec.rules[0]"
}

// ServiceTarget is where a Service without a selector leads.
type ServiceTarget struct {
	Class string `json:"class"` // metadata, loopback, node, api-server, pod, private, public, name
	Value string `json:"value"` // the address or name
	// Namespace is that of the pod or Service behind it, for class pod; "" where it is not known. SameTenant:
	// that namespace and the Service's own say the same postscan/tenant.
	Namespace  string `json:"namespace"`
	SameTenant bool   `json:"same_tenant"`
	Path       string `json:"path"` // "spec.externalName"; "endpoints" for an EndpointSlice's address
}
