package facts

// Cluster is a cluster and its control plane as the API shows it. For manifests,
// and for the files of a node, there is one only where they hold static pods of a
// control plane; then it has those components and the rest is missing.
type Cluster struct {
	Version string `json:"version"` // "v1.37.2"
	Minor   int    `json:"minor"`   // 37; 0 where unreadable
	Patch   int    `json:"patch"`
	// Distribution is kubernetes, eks, gke, aks, openshift, k3s, rke2, k0s,
	// microk8s, minikube, kind, kubeadm, talos, kubeedge, openyurt, superedge.
	Distribution string `json:"distribution"`
	Edge         bool   `json:"edge"`     // an edge distribution (k3s, KubeEdge …)
	Managed      bool   `json:"managed"`  // the provider runs the control plane and hides it
	Provider     string `json:"provider"` // of the nodes, as in Node; "" for none or mixed
	// SupportEnds is the day (2006-01-02) on which upstream support of the minor version ends; missing for
	// versions that this release does not know.
	SupportEnds string `json:"support_ends"`
	// Kubelets of the nodes: lowest and highest minor; 0 where unknown.
	KubeletLowest  int `json:"kubelet_lowest"`
	KubeletHighest int `json:"kubelet_highest"`
	NodeCount      int `json:"node_count"`

	Anonymous  AnonymousAccess `json:"anonymous"`
	Endpoint   Endpoint        `json:"endpoint"`
	Credential Credential      `json:"credential"`
	// Encryption is that of Secrets in the store; missing where nothing tells of it.
	Encryption Encryption `json:"encryption"`
	// EtcdGuarded: a firewall keeps all but the API servers and other members from etcd's ports: true, false,
	// unknown. Missing where an etcd listens beyond loopback and nobody looked.
	EtcdGuarded string `json:"etcd_guarded"`
	// Cloud is what the API of a cloud says of a managed cluster; missing where there is one and it was not
	// asked, empty where the control plane is not managed.
	Cloud CloudCluster `json:"cloud"`

	// The instances of each component whose static pod (or manifest) is in view. Missing where none is: a
	// managed control plane, or one that runs outside pods.
	APIServers         []Component `json:"api_servers"`
	ControllerManagers []Component `json:"controller_managers"`
	Schedulers         []Component `json:"schedulers"`
	Etcds              []Component `json:"etcds"`
	// KubeProxies: flags, and metricsBindAddress of its ConfigMap as the flag metrics-bind-address.
	KubeProxies []Component `json:"kube_proxies"`

	// Kubelets are the distinct kubelet configurations; missing as Node.kubelet is.
	Kubelets []KubeletGroup `json:"kubelets"`

	// PodSecurityExemptions are what the API servers' configuration file for admission exempts from Pod Security, as
	// "namespace NAME", "user NAME" or "runtime class NAME". Missing where they read such a file, which the API does
	// not show, and where no API server is in view.
	PodSecurityExemptions []string `json:"pod_security_exemptions"`

	Network NetworkEngine `json:"network"`
	Mesh    Mesh          `json:"mesh"`
	// Verifiers are the means found that verify images or restrict registries at admission.
	Verifiers []Verifier `json:"verifiers"`
	// TokenSecrets are the legacy Secrets of type kubernetes.io/service-account-token. Missing where Secrets were not listed.
	TokenSecrets []TokenSecret `json:"token_secrets"`
	// BootstrapTokens are the Secrets of type bootstrap.kubernetes.io/token. Missing likewise.
	BootstrapTokens []BootstrapToken `json:"bootstrap_tokens"`
	// Certificates are the CertificateSigningRequests that were approved for client certificates.
	Certificates []ClientCertificate `json:"certificates"`
	// Mappings are the entries of aws-auth that lead to Kubernetes users and groups.
	Mappings []IdentityMapping `json:"mappings"`

	OpenShift OpenShift `json:"openshift"`
	// K3sServers are the flags of the k3s or RKE2 servers, one per node; empty for other distributions.
	K3sServers []Component `json:"k3s_servers"`
}

// AnonymousAccess is what the API server answered to requests without credentials.
type AnonymousAccess struct {
	Enabled string   `json:"enabled"` // true (some request was let through or refused as system:anonymous), false (401), unknown
	Paths   []string `json:"paths"`   // those that answered 200, of /healthz, /livez, /readyz, /version, /api, /apis
	// Bindings counts the bindings to system:anonymous or system:unauthenticated beyond the bootstrap ones.
	// That of kubeadm, which lets join candidates read one ConfigMap, is one of them. -1 where RBAC was not seen.
	Bindings int `json:"bindings"`
	// Limited: only the health endpoints take a caller without credentials; everything else asks for them.
	Limited bool `json:"limited"`
}

// Endpoint is where the API server was reached.
type Endpoint struct {
	Host   string `json:"host"`   // host and port as in the kubeconfig
	Public string `json:"public"` // true, false, unknown (a name that does not resolve here)
	Port   int    `json:"port"`
	Plain  bool   `json:"plain"` // reached over http beyond loopback: without TLS, and so without a caller's name
	// Restricted: only some addresses may reach a public endpoint: true, false, unknown. Missing where it is public,
	// or managed (which may have a second, public one), and nobody looked.
	Restricted string `json:"restricted"`
}

// Credential is what the scan itself was let in with; nothing of it is kept.
type Credential struct {
	Kind    string `json:"kind"`    // certificate, token, token-file (a pod's own), exec, provider, password, none
	Expires string `json:"expires"` // of a token: true (it says when), false, unknown (it cannot be read)
}

// Encryption is that of Secrets in the store of the cluster.
type Encryption struct {
	Configured bool   `json:"configured"` // every API server was told to
	Provider   string `json:"provider"`   // of new Secrets, as in ComponentConfig; "aesgcm", "KMS" … of OpenShift
	Path       string `json:"path"`       // where it is told or should be: "api_servers[0].flags[12]"
}

// CloudCluster is what the API of a cloud says of a managed cluster. A switch
// that the cloud does not have is "unknown".
type CloudCluster struct {
	// Logs are the control plane's logs that are on, in the cloud's words: api, audit, authenticator … (EKS),
	// kube-audit, kube-audit-admin … (AKS), APISERVER, SCHEDULER … (GKE).
	Logs []string `json:"logs"`
	// AuthenticationMode of EKS: CONFIG_MAP, API_AND_CONFIG_MAP, API; "" elsewhere.
	AuthenticationMode string `json:"authentication_mode"`
	// BroadAdmins are principals that many share (an account's root, a role that anybody assumes) with the rights of an administrator.
	BroadAdmins       []string `json:"broad_admins"`
	LocalAccounts     string   `json:"local_accounts"`     // AKS: accounts beside the directory: true, false, unknown
	DirectoryRBAC     string   `json:"directory_rbac"`     // AKS: identities of the directory with Kubernetes or Azure RBAC
	LegacyABAC        string   `json:"legacy_abac"`        // GKE
	BasicAuth         string   `json:"basic_auth"`         // GKE
	ClientCertificate string   `json:"client_certificate"` // GKE: one is issued
	// Pools are the node pools.
	Pools []CloudPool `json:"pools"`
}

// CloudPool is a node pool of a managed cluster: true, false, unknown each.
type CloudPool struct {
	Name       string `json:"name"`
	SecureBoot string `json:"secure_boot"`
	Integrity  string `json:"integrity"` // integrity monitoring, shielded nodes
	TPM        string `json:"tpm"`
}

// Component is one instance of a control-plane component.
type Component struct {
	Name    string `json:"name"`    // kube-apiserver …
	Where   string `json:"where"`   // node or file
	Version string `json:"version"` // of its image's tag
	Flags   []Flag `json:"flags"`
	// ConfigFile is true where a flag that is absent may be set elsewhere: the flags name a configuration file that
	// was not read, the command is a script, or variables come from an object that was not read.
	ConfigFile bool            `json:"config_file"`
	Config     ComponentConfig `json:"config"`
	// HostPaths are the node paths that the pod mounts.
	HostPaths []string `json:"host_paths"`
	Path      string   `json:"path"` // "api_servers[0]"
}

// ComponentConfig is what files say that flags of the API server name. It is
// missing (as "api_servers[].config.audit_drops") where a flag names one that was not read.
type ComponentConfig struct {
	Read           bool     `json:"read"`            // the files were read
	Anonymous      string   `json:"anonymous"`       // AuthenticationConfiguration, anonymous.enabled: unset, true, false
	AnonymousPaths []string `json:"anonymous_paths"` // of its conditions
	Authorizers    []string `json:"authorizers"`     // AuthorizationConfiguration: the types in order
	// SecretsProvider is the first provider for secrets of the EncryptionConfiguration: identity, aescbc, aesgcm,
	// secretbox, kms-v1, kms-v2; "" where no rule is for them.
	SecretsProvider string `json:"secrets_provider"`
	// AuditDrops are those of secrets, exec, rbac-writes and token-requests that the audit policy does not record.
	AuditDrops []string `json:"audit_drops"`
}

// KubeletGroup is one kubelet configuration and the nodes that share it.
type KubeletGroup struct {
	Nodes   int     `json:"nodes"`
	Example string  `json:"example"` // one of the nodes
	Kubelet Kubelet `json:"kubelet"`
}

// NetworkEngine is what makes pod networking and policies.
type NetworkEngine struct {
	// Plugins are the network plugins found, sorted: calico, cilium, flannel, kindnet, weave, antrea, aws-vpc-cni,
	// azure-cni, gke-dataplane-v2, ovn-kubernetes, openshift-sdn, kube-router, k3s …
	Plugins []string `json:"plugins"`
	// Enforces: one of them enforces NetworkPolicy: true, false, unknown.
	Enforces string      `json:"enforces"`
	Policies PolicyCount `json:"policies"`
}

// Mesh is the service mesh, if there is one.
type Mesh struct {
	Name string `json:"name"` // istio, linkerd; "" for none
	// Mode is the mesh-wide mutual TLS mode: STRICT, PERMISSIVE, DISABLE, unset (no PeerAuthentication at mesh
	// scope) for Istio; the default inbound policy for Linkerd.
	Mode string `json:"mode"`
	// Weaker are namespaces or workloads whose own mode is weaker than STRICT: "shop/default".
	Weaker []string `json:"weaker"`
}

// Verifier is a means of image verification at admission.
type Verifier struct {
	Engine   string `json:"engine"` // kyverno, sigstore-policy-controller, ratify, gatekeeper, image-policy-webhook, binary-authorization, openshift, connaisseur, portieris, vap
	Name     string `json:"name"`
	Kind     string `json:"kind"` // signature or registry
	Enforces bool   `json:"enforces"`
}

// TokenSecret is a legacy service account token Secret. The token is never read.
type TokenSecret struct {
	Namespace      string `json:"namespace"`
	ServiceAccount string `json:"service_account"`
	AgeDays        int    `json:"age_days"`
	// LastUsedDays counts the days since the label kubernetes.io/legacy-token-last-used; -1 without it.
	LastUsedDays int  `json:"last_used_days"`
	Mounted      bool `json:"mounted"` // a workload in view mounts it
}

// BootstrapToken is a join token; its secret half is never read.
type BootstrapToken struct {
	Name          string `json:"name"`          // of the Secret
	Expires       bool   `json:"expires"`       // it has an expiration
	HoursLeft     int    `json:"hours_left"`    // at the time of collection; negative where it is past; 0 where it does not expire
	LifeHours     int    `json:"life_hours"`    // from creation to expiration; 0 where it does not expire
	Authenticates bool   `json:"authenticates"` // usage-bootstrap-authentication
}

// ClientCertificate is an approved request for a client certificate.
type ClientCertificate struct {
	Signer    string   `json:"signer"`
	User      string   `json:"user"`       // common name of the request
	Groups    []string `json:"groups"`     // organisations of the request
	LifeHours int      `json:"life_hours"` // asked for; 0 where the signer decides
	Issued    bool     `json:"issued"`
	Requester string   `json:"requester"`
}

// IdentityMapping maps a cloud identity into the cluster.
type IdentityMapping struct {
	From   string   `json:"from"` // the ARN
	User   string   `json:"user"`
	Groups []string `json:"groups"`
	Path   string   `json:"path"` // "mappings[0]"
}

// OpenShift holds OpenShift's own settings; empty on other distributions.
type OpenShift struct {
	Present             bool                 `json:"present"`
	Version             string               `json:"version"`
	Kubeadmin           string               `json:"kubeadmin"`  // the Secret kube-system/kubeadmin exists: true, false, unknown
	Encryption          string               `json:"encryption"` // apiserver.spec.encryption.type: "", identity, aescbc, aesgcm, KMS; missing where not readable
	AuditProfile        string               `json:"audit_profile"`
	AllowedRegistries   bool                 `json:"allowed_registries"`
	InsecureRegistries  bool                 `json:"insecure_registries"`
	UnsupportedOverride bool                 `json:"unsupported_overrides"`
	IdentityProviders   int                  `json:"identity_providers"`
	SCCs                []SecurityConstraint `json:"sccs"`
}

// SecurityConstraint is a SecurityContextConstraints object and who may use it.
type SecurityConstraint struct {
	Name        string `json:"name"`
	Privileged  bool   `json:"privileged"`
	HostDir     bool   `json:"host_dir"`
	HostNetwork bool   `json:"host_network"`
	HostPID     bool   `json:"host_pid"`
	HostIPC     bool   `json:"host_ipc"`
	RunAsAny    bool   `json:"run_as_any"` // runAsUser is RunAsAny
	// Users are the subjects that may use it, by the object's own lists or by
	// RBAC verb use, "User/x", "Group/x", "ServiceAccount/ns/x", sorted, those
	// of openshift-* and kube-* namespaces left out.
	Users []string `json:"users"`
	Path  string   `json:"path"` // "openshift.sccs[0]"
}

// AdmissionPolicy is an object that decides at admission: a Kyverno policy, a
// Gatekeeper constraint, a ValidatingAdmissionPolicy with its bindings, or a
// webhook of a webhook configuration.
type AdmissionPolicy struct {
	Engine string `json:"engine"` // kyverno, gatekeeper, vap, validating-webhook, mutating-webhook
	Kind   string `json:"kind"`
	// Action is Enforce, Audit, deny, dryrun, warn … as the object says; for a
	// ValidatingAdmissionPolicy the strongest validation action of its bindings, or
	// "none" without a binding; for a webhook "".
	Action string `json:"action"`
	// Validates: it objects to things; false for one that only changes, makes or deletes objects.
	Validates bool `json:"validates"`
	// Blocks: what it objects to is refused, by every part of it.
	Blocks        bool   `json:"blocks"`
	FailurePolicy string `json:"failure_policy"` // Fail or Ignore, defaults filled in; "" where there is none
	// SkipsUserNamespaces: its namespace selector or exclusions leave out namespaces that are not system ones.
	SkipsUserNamespaces bool `json:"skips_user_namespaces"`
	// Pods: it looks at pods or at what makes them.
	Pods bool `json:"pods"`
	// System: it belongs to the distribution or to a well-known controller, by name and content.
	System string `json:"system"`
	// Webhook is the name of the webhook within its configuration; "" elsewhere.
	Webhook string `json:"webhook"`
	Path    string `json:"path"` // "webhooks[0]"; "spec" elsewhere
}
