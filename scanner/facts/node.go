package facts

// Node is a node of a cluster as its API shows it. What only the node's own
// files tell is missing (not_assessed).
type Node struct {
	Cluster      ClusterSummary `json:"cluster"`
	KubeletMinor int            `json:"kubelet_minor"` // 0 where unreadable
	KubeletPatch int            `json:"kubelet_patch"`
	OS           string         `json:"os"`       // linux, windows
	OSImage      string         `json:"os_image"` // "Debian GNU/Linux 12 (bookworm)"
	Kernel       string         `json:"kernel"`
	Architecture string         `json:"architecture"`
	Runtime      string         `json:"runtime"` // containerd, cri-o, docker …
	RuntimeVer   string         `json:"runtime_version"`
	// Handlers are the runtime handlers that the node offers; missing where the kubelet is too old to say.
	Handlers     []RuntimeHandler `json:"handlers"`
	ControlPlane bool             `json:"control_plane"` // by its role label
	// Tainted: a control-plane node keeps workloads off by NoSchedule or NoExecute.
	Tainted       bool   `json:"tainted"`
	OwnTaint      bool   `json:"own_taint"`       // any node: a NoSchedule or NoExecute taint that is not Kubernetes' own
	Edge          bool   `json:"edge"`            // a label or the distribution marks it as edge or remote
	Provider      string `json:"provider"`        // of providerID: aws, gce, azure, openstack, vsphere, k3s, kind …
	Virtual       string `json:"virtual"`         // true, false (bare metal by instance type), unknown
	PodPerMachine bool   `json:"pod_per_machine"` // Fargate, virtual kubelet
	Public        bool   `json:"public"`          // it has a public address
	AppArmor      string `json:"apparmor"`        // true, unknown: the Ready condition names it where it is on
	Ready         bool   `json:"ready"`
	Single        bool   `json:"single"` // the cluster has no other node
	// Kubelet is its configuration; missing where --kubelet-config was not given, or configz cannot be read.
	Kubelet Kubelet `json:"kubelet"`
	// K3s are the flags that k3s or RKE2 recorded on the node, secrets masked by k3s itself and left out here;
	// empty for other distributions.
	K3s []Flag `json:"k3s"`
	// Classes are the "tenant/sensitivity" of the workloads on it, system components left out, sorted; those
	// behind a sandbox runtime are left out too.
	Classes []string `json:"classes"`
	// RebootDue: a label or annotation of a known agent says that a reboot is due.
	RebootDue bool `json:"reboot_due"`
}

// RuntimeHandler is one handler of a node's runtime.
type RuntimeHandler struct {
	Name              string `json:"name"` // "" is the default
	UserNamespaces    bool   `json:"user_namespaces"`
	RecursiveReadOnly bool   `json:"recursive_read_only"`
}

// Kubelet is the configuration of a kubelet, as configz gives it with its defaults filled in.
type Kubelet struct {
	AnonymousAuth     bool   `json:"anonymous_auth"`
	AuthorizationMode string `json:"authorization_mode"`
	ReadOnlyPort      int    `json:"read_only_port"`
	ClientCAFile      string `json:"client_ca_file"`
	// ServerTLSBootstrap, and the files of a serving certificate that was given.
	ServerTLSBootstrap bool     `json:"server_tls_bootstrap"`
	TLSCertFile        string   `json:"tls_cert_file"`
	TLSMinVersion      string   `json:"tls_min_version"`
	TLSCipherSuites    []string `json:"tls_cipher_suites"`
	RotateCertificates bool     `json:"rotate_certificates"`
	// RotateServerGate is the feature gate RotateKubeletServerCertificate: unset, true, false.
	RotateServerGate      string   `json:"rotate_server_gate"`
	SeccompDefault        bool     `json:"seccomp_default"`
	PodPidsLimit          int64    `json:"pod_pids_limit"` // -1 for none
	AllowedUnsafeSysctls  []string `json:"allowed_unsafe_sysctls"`
	ProtectKernelDefaults bool     `json:"protect_kernel_defaults"`
	IPTablesUtilChains    bool     `json:"iptables_util_chains"`
	// StreamingIdleSeconds is streamingConnectionIdleTimeout; 0 is never.
	StreamingIdleSeconds int    `json:"streaming_idle_seconds"`
	EventRecordQPS       int    `json:"event_record_qps"` // 0 is no bound
	DebuggingHandlers    bool   `json:"debugging_handlers"`
	SystemLogQuery       bool   `json:"system_log_query"`
	StaticPodURL         string `json:"static_pod_url"` // scheme and host only
	PullVerification     string `json:"pull_verification"`
	FailCgroupV1         bool   `json:"fail_cgroup_v1"`
}

// Flag is a command-line flag of a component. Only flags from postscan's own
// list are kept: an unknown one might hold a secret.
type Flag struct {
	Name  string `json:"name"`  // without dashes
	Value string `json:"value"` // "true" for a switch without a value; of one given twice, joined by commas
	Path  string `json:"path"`  // of the argument: "spec.containers[0].command[3]"
}
