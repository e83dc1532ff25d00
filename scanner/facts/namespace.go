package facts

// Namespace is a namespace with what guards it. For manifests, a namespace that
// objects are put into without a Namespace object of its own is not a resource.
type Namespace struct {
	Name        string         `json:"name"`
	System      bool           `json:"system"`
	Class       Classification `json:"class"`
	Cluster     ClusterSummary `json:"cluster"`
	PodSecurity PodSecurity    `json:"pod_security"`
	// PodSecurityDefault is what holds without an enforce label: privileged (the API servers in view have no
	// configuration file for admission), assumed (no API server is in view; privileged is every known default) or
	// configured (they read such a file, which the API does not show).
	PodSecurityDefault string `json:"pod_security_default"`
	// Guards are the admission policies of other engines that cover pods of the namespace. Missing where they were not
	// seen and something hangs on them: no enforce label, and no namespace of the system.
	Guards []Guard `json:"guards"`
	// DenyIngress and DenyEgress: a policy selects every pod of the namespace
	// (podSelector {}) in that direction, and no policy that selects every pod
	// allows everything.
	DenyIngress bool        `json:"deny_ingress"`
	DenyEgress  bool        `json:"deny_egress"`
	Policies    PolicyCount `json:"policies"` // of the namespace and cluster-wide ones that select it
	// PoliciesUnread counts those among them that have parts that postscan does not interpret.
	PoliciesUnread int `json:"policies_unread"`
	// Quota: a ResourceQuota bounds cpu or memory; QuotaObjects: one bounds the number of pods or of other objects.
	Quota        bool `json:"quota"`
	QuotaObjects bool `json:"quota_objects"`
	LimitRange   bool `json:"limit_range"` // a LimitRange with defaults for containers
	// Workloads counts the top controllers and bare pods.
	Workloads int `json:"workloads"`
	// Objects counts the other objects in view by kind, the service "kubernetes" left out.
	Objects []ObjectCount `json:"objects"`
}

// ObjectCount counts the objects of a kind.
type ObjectCount struct {
	Kind  string `json:"kind"`
	Count int    `json:"count"`
}

// Guard is an admission policy that looks at the pods of a namespace.
type Guard struct {
	Engine   string `json:"engine"` // kyverno, gatekeeper, vap, scc, webhook
	Name     string `json:"name"`
	Enforces bool   `json:"enforces"` // it refuses; false: it only warns or records
	// Privileged: it is known to refuse privileged pods; false where its content was not understood.
	Privileged bool `json:"privileged"`
	// Understood: postscan knows what it refuses, so that Privileged false means that it does not refuse them.
	Understood bool `json:"understood"`
}

// NetworkPolicy is one networking.k8s.io NetworkPolicy. Policies of other
// engines have Engine and the fields that could be read.
type NetworkPolicy struct {
	Engine    string        `json:"engine"` // kubernetes, cilium, calico, admin
	Kind      string        `json:"kind"`
	Namespace NamespaceView `json:"namespace"` // Name is "" for a cluster-wide policy
	// Read is false where the policy has parts that postscan does not interpret; then Rules may lack some.
	Read bool `json:"read"`
	// SelectsAll: the pod selector is empty. Matches counts the workloads that it selects; missing where
	// workloads were not seen.
	SelectsAll bool `json:"selects_all"`
	Matches    int  `json:"matches"`
	// Others counts all workloads in its scope: 0 means that the namespace runs nothing.
	Others   int          `json:"others"`
	Selector string       `json:"selector"` // as kubectl prints it
	Ingress  bool         `json:"ingress"`  // it isolates that direction (policyTypes, or its default)
	Egress   bool         `json:"egress"`
	Rules    []PolicyRule `json:"rules"`
	Path     string       `json:"path"` // of the pod selector: "spec.podSelector"
}

// PolicyRule is one rule.
type PolicyRule struct {
	Action    string `json:"action"`    // allow; of other engines also deny and pass
	Direction string `json:"direction"` // ingress or egress
	AllPeers  bool   `json:"all_peers"` // from/to empty or missing
	AllPorts  bool   `json:"all_ports"` // ports empty or missing
	Ports     int    `json:"ports"`
	// PortList has them as "TCP/80", "TCP/8000-9000", "TCP/http"; "TCP" alone is every port of the protocol.
	PortList []string `json:"port_list"`
	Peers    []Peer   `json:"peers"`
	Path     string   `json:"path"` // "spec.ingress[0]"
}

// Peer is one peer of a rule.
type Peer struct {
	// Type is pods (a podSelector, in the policy's own namespace), namespaces
	// (a namespaceSelector alone), both (a namespaceSelector and a podSelector
	// together), block, or other.
	Type string `json:"type"`
	// Everything: the peer is every pod of the cluster (an empty
	// namespaceSelector alone or with an empty podSelector), or every address
	// (0.0.0.0/0 or ::/0 without except).
	Everything bool   `json:"everything"`
	CIDR       string `json:"cidr"`
	Except     int    `json:"except"` // number of excepted blocks
	Selector   string `json:"selector"`
	// Matches is false where the selectors match nothing in view: no namespace,
	// or no workload. True for blocks. Missing where workloads were not seen.
	Matches bool   `json:"matches"`
	Path    string `json:"path"`
}

// ConfigMap is a ConfigMap in which credentials were found or sought. What it
// holds is not in the facts.
type ConfigMap struct {
	Namespace NamespaceView `json:"namespace"`
	// System: Kubernetes or OpenShift puts it into every namespace.
	System bool `json:"system"`
	// Secrets are what the detector found. Missing where it did not look.
	Secrets []ConfigMapSecret `json:"secrets"`
}

// ConfigMapSecret is a credential in a ConfigMap.
type ConfigMapSecret struct {
	Key      string `json:"key"`
	Binary   bool   `json:"binary"` // under binaryData
	Line     int    `json:"line"`   // within the value, from 1
	Rule     string `json:"rule"`
	Category string `json:"category"`
	Title    string `json:"title"`
	Severity string `json:"severity"`
	Length   int    `json:"length"`
	Path     string `json:"path"` // "data[config.yaml]"
}
