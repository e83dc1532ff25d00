package facts

// Words that many fields of the Kubernetes documents share:
//
//   - "unset" stands for a field that the object does not have. It differs from
//     "", which stands for a field that is there and empty; Pod Security treats
//     the two differently.
//   - A switch of three positions is a string: "unset", "true" or "false".
//   - A user or group number is -1 where the field is not set.
//   - Path is where a thing stands in the object as written or stored, in the
//     notation "spec.template.spec.containers[0]". A policy adds the field
//     ("….securityContext.privileged") and gives that as the path of its
//     finding; [Resource.Lines] is keyed by the same paths, so the report finds
//     the line of that very field, or of its nearest parent.

// Workload is what runs pods: the top controller (Deployment, StatefulSet,
// DaemonSet, ReplicaSet, ReplicationController, Job, CronJob, PodTemplate,
// OpenShift's DeploymentConfig), or a pod that nobody owns. A pod that differs
// from its controller's template (an ephemeral container, an injected sidecar)
// is a Workload of its own beside it.
//
// The document holds no name, hash or time of its own object, so that equal
// workloads are judged once; the resource's ID has the name. It is declared as
// written unless a field says "effective".
type Workload struct {
	Kind     string `json:"kind"`      // Deployment, …, Pod
	PodPath  string `json:"pod_path"`  // of the pod spec: "spec.template.spec"; "spec" for a Pod
	MetaPath string `json:"meta_path"` // of the pod's metadata: "spec.template.metadata"; "metadata" for a Pod
	// Live is true for an object of a running cluster, false for a manifest.
	Live bool `json:"live"`
	// Running is true where at least one pod of it exists and has not ended; always false for a manifest.
	Running bool `json:"running"`
	// Drifted is true for a pod that is told apart because it differs from its controller's template.
	Drifted bool `json:"drifted"`
	// Static is true for a pod that a kubelet runs from its own files (a mirror pod).
	Static bool `json:"static"`
	// Component is the well-known system component that this is, by namespace, name and image
	// together: "kube-proxy", "coredns", "kube-apiserver" …; "" where it is none.
	Component string         `json:"component"`
	Class     Classification `json:"class"`
	Cluster   ClusterSummary `json:"cluster"`
	Namespace NamespaceView  `json:"namespace"`

	OS                    string `json:"os"` // spec.os.name; "unset" where it is not written. Node selectors do not count
	HostPID               bool   `json:"host_pid"`
	HostIPC               bool   `json:"host_ipc"`
	HostNetwork           bool   `json:"host_network"`
	HostUsers             string `json:"host_users"` // unset (the host's user namespace), true, false
	ShareProcessNamespace bool   `json:"share_process_namespace"`

	SecurityContext    SecurityContext     `json:"security_context"`    // the pod's own, as written
	SupplementalGroups []int64             `json:"supplemental_groups"` // as written
	FSGroup            int64               `json:"fs_group"`            // -1 where unset
	Sysctls            []Sysctl            `json:"sysctls"`
	AppArmorNotes      []ProfileAnnotation `json:"apparmor_annotations"` // container.apparmor.security.beta.kubernetes.io/*, containers that do not exist included
	SeccompNotes       []ProfileAnnotation `json:"seccomp_annotations"`  // the two alpha annotations that Pod Security read up to version 1.18

	// Containers holds init containers, containers and ephemeral containers, in this order.
	Containers []Container `json:"containers"`
	// Volumes holds the pod's volumes, then the claim templates of a StatefulSet.
	Volumes []Volume `json:"volumes"`

	Identity     WorkloadIdentity `json:"identity"`
	RuntimeClass RuntimeClass     `json:"runtime_class"`
	Placement    Placement        `json:"placement"`
	Nodes        NodesView        `json:"nodes"` // missing for manifests
	Network      WorkloadNetwork  `json:"network"`
	Exposures    []Exposure       `json:"exposures"` // ways in from outside the pod network
	// IngressController is filled where this is an ingress controller that postscan knows.
	IngressController IngressController `json:"ingress_controller"`
}

// Classification is what people say of a workload by the labels or annotations
// postscan/trust, postscan/tenant, postscan/sensitivity and postscan/api-free,
// on the pod template, on the controller, or else on the namespace (the first
// that has it wins).
type Classification struct {
	Trust       string `json:"trust"`       // untrusted, tenant-shared, default … as written; "" where nobody says
	Tenant      string `json:"tenant"`      // "" where nobody says
	Sensitivity string `json:"sensitivity"` // "" where nobody says
	APIFree     bool   `json:"api_free"`    // postscan/api-free: "true": it never talks to the Kubernetes API
}

// ClusterSummary is the little that other documents need of their cluster. For
// manifests Minor is what --kubernetes-version says, 0 without it.
type ClusterSummary struct {
	Minor        int    `json:"minor"`        // 37 for v1.37; 0 where unknown
	Distribution string `json:"distribution"` // as in Cluster; "" where unknown
	// AlwaysPullImages and DenyExternalIPs: the API server has the admission plugin on: true, false, unknown.
	AlwaysPullImages string `json:"always_pull_images"`
	DenyExternalIPs  string `json:"deny_external_ips"`
}

// NamespaceView is what a workload or identity needs of its namespace.
type NamespaceView struct {
	Name string `json:"name"`
	// Declared is false for a manifest that names no namespace: Name is then
	// the one of --namespace, or "default".
	Declared    bool        `json:"declared"`
	System      bool        `json:"system"`       // kube-system, kube-public, kube-node-lease, or the distribution's own (openshift-*, gke-managed-* …)
	PodSecurity PodSecurity `json:"pod_security"` // missing where the namespace object was not seen
}

// PodSecurity is the reading of a namespace's pod-security.kubernetes.io labels
// as the admission plugin reads them: where a label is missing the level is
// that of the cluster (privileged and latest, unless configured), an invalid
// enforce level reads as restricted, an invalid audit or warn level as
// privileged.
type PodSecurity struct {
	Enforce        string `json:"enforce"`         // privileged, baseline or restricted
	EnforceLabel   string `json:"enforce_label"`   // as written; "unset" without the label
	EnforceVersion string `json:"enforce_version"` // as written; "latest" without the label
	EnforceMinor   int    `json:"enforce_minor"`   // 24 for v1.24; 999 for latest and for a version that cannot be read
	Audit          string `json:"audit"`
	AuditLabel     string `json:"audit_label"`
	AuditVersion   string `json:"audit_version"`
	AuditMinor     int    `json:"audit_minor"`
	Warn           string `json:"warn"`
	WarnLabel      string `json:"warn_label"`
	WarnVersion    string `json:"warn_version"`
	WarnMinor      int    `json:"warn_minor"`
	// Invalid lists the labels of the six whose value the API server would refuse.
	Invalid []string `json:"invalid"`
}

// SecurityContext holds the fields that pod and container both have, as written.
type SecurityContext struct {
	RunAsNonRoot string  `json:"run_as_non_root"` // unset, true, false
	RunAsUser    int64   `json:"run_as_user"`     // -1 where unset
	RunAsGroup   int64   `json:"run_as_group"`    // -1 where unset
	Seccomp      string  `json:"seccomp"`         // profile type; "unset" without a profile
	AppArmor     string  `json:"apparmor"`        // profile type; "unset" without a profile
	SELinux      SELinux `json:"selinux"`
	HostProcess  string  `json:"host_process"` // windowsOptions.hostProcess: unset, true, false
}

// SELinux are seLinuxOptions as written; "" where not set (the API makes no difference).
type SELinux struct {
	User  string `json:"user"`
	Role  string `json:"role"`
	Type  string `json:"type"`
	Level string `json:"level"`
}

// Sysctl is one of securityContext.sysctls.
type Sysctl struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Path  string `json:"path"`
}

// ProfileAnnotation is an annotation that names a profile for a container.
type ProfileAnnotation struct {
	Container string `json:"container"` // "" for the whole pod
	Exists    bool   `json:"exists"`    // the pod has a container of that name; true for the whole pod
	Value     string `json:"value"`
	Path      string `json:"path"` // "spec.template.metadata.annotations[KEY]"
}

// Container is one container of a pod.
type Container struct {
	Name string `json:"name"`
	Role string `json:"role"` // container, init, sidecar (a restartable init container) or ephemeral
	Path string `json:"path"` // "spec.template.spec.containers[0]"

	Image      ImageReference `json:"image"`
	PullPolicy string         `json:"pull_policy"` // effective: Always, IfNotPresent or Never

	// The fields below are the container's own, as written.
	Privileged               bool            `json:"privileged"`
	AllowPrivilegeEscalation string          `json:"allow_privilege_escalation"` // unset (allowed), true, false
	ReadOnlyRootFilesystem   bool            `json:"read_only_root_filesystem"`
	ProcMount                string          `json:"proc_mount"` // unset, Default, Unmasked
	CapabilitiesAdd          []string        `json:"capabilities_add"`
	CapabilitiesDrop         []string        `json:"capabilities_drop"`
	SecurityContext          SecurityContext `json:"security_context"`

	Effective Effective `json:"effective"`
	Resources Resources `json:"resources"`

	Ports          []ContainerPort `json:"ports"`
	HostProbes     []HostProbe     `json:"host_probes"`     // probes and hooks with a host of their own
	APIProxy       bool            `json:"api_proxy"`       // it runs kubectl proxy for others: beyond loopback, with its own rights
	LiteralSecrets []LiteralSecret `json:"literal_secrets"` // missing where no detector was given
	SecretEnv      []SecretEnv     `json:"secret_env"`
}

// ImageReference is an image as a workload names it.
type ImageReference struct {
	Reference  string `json:"reference"`  // as written
	Registry   string `json:"registry"`   // "docker.io" where none is written; "" where Reference cannot be read
	Repository string `json:"repository"` // "library/nginx"
	Tag        string `json:"tag"`        // "" where none is written
	Digest     string `json:"digest"`     // "sha256:…"; "" where none is written
}

// Effective is what a container runs with once pod and container settings and
// the defaults of Kubernetes are put together. Where only the node or the image
// can tell, it says so.
type Effective struct {
	User      int64  `json:"user"`        // -1 where the image decides
	Group     int64  `json:"group"`       // -1 where the image decides
	NonRoot   string `json:"non_root"`    // runAsNonRoot: unset, true, false
	Root      string `json:"root"`        // yes (uid 0 is asked for), no (another uid, or runAsNonRoot holds it off), image (the image decides)
	Seccomp   string `json:"seccomp"`     // Unconfined, RuntimeDefault, Localhost, or node: nothing is set, so the kubelet's seccompDefault decides
	AppArmor  string `json:"apparmor"`    // Unconfined, RuntimeDefault, Localhost, or node: the runtime's default where the node has AppArmor
	SELinux   string `json:"selinux"`     // the type; "" for the runtime's default
	NoNewPriv bool   `json:"no_new_priv"` // allowPrivilegeEscalation is false
	// Capabilities are without "CAP_"; ["ALL"] for the full set. Where the
	// container starts from the runtime's default, CapabilityBase says so and
	// the default of CapabilityDefault is in the list.
	Capabilities []string `json:"capabilities"`
	// CapabilityBase is full (privileged, or add ALL), default, or none (drop ALL).
	CapabilityBase string `json:"capability_base"`
	// CapabilityDefault says whose default set was used: containerd, docker, cri-o, podman; mixed where its
	// nodes differ, then the union; assumed where the node is unknown, then containerd's. It matters only
	// where CapabilityBase is default.
	CapabilityDefault string `json:"capability_default"`
}

// Resources say where a bound comes from: container, pod (pod-level resources),
// limit (a request that defaults to its limit), limit_range (the namespace's
// default), or unset.
type Resources struct {
	CPURequest    string `json:"cpu_request"`
	CPULimit      string `json:"cpu_limit"`
	MemoryRequest string `json:"memory_request"`
	MemoryLimit   string `json:"memory_limit"`
	StorageLimit  string `json:"ephemeral_storage_limit"`
}

// ContainerPort is a declared port.
type ContainerPort struct {
	Name     string `json:"name"`
	Port     int    `json:"port"`
	HostPort int    `json:"host_port"` // 0 where none
	Protocol string `json:"protocol"`  // TCP, UDP, SCTP
	Path     string `json:"path"`
}

// HostProbe is a probe or lifecycle hook that names a host.
type HostProbe struct {
	Hook string `json:"hook"` // livenessProbe, readinessProbe, startupProbe, postStart, preStop
	Host string `json:"host"`
	Path string `json:"path"` // of the host field
}

// LiteralSecret is a credential written into the pod spec. The value itself never enters a fact.
type LiteralSecret struct {
	Where    string `json:"where"` // env, command or args
	Name     string `json:"name"`  // of the variable; "" for a command or argument
	Rule     string `json:"rule"`
	Category string `json:"category"`
	Title    string `json:"title"`
	Severity string `json:"severity"` // critical, high, medium, low or unknown
	Length   int    `json:"length"`
	Path     string `json:"path"`
}

// SecretEnv is a Secret that becomes an environment variable.
type SecretEnv struct {
	Name   string `json:"name"`   // of the variable; "" for envFrom, which takes all keys
	Secret string `json:"secret"` // name of the Secret
	Path   string `json:"path"`
}

// Volume is one volume of the pod.
type Volume struct {
	Name string `json:"name"`
	Path string `json:"path"` // "spec.template.spec.volumes[0]"; "spec.volumeClaimTemplates[0]" for a claim template
	// Type is the name of the volume's source: hostPath, configMap, csi, … A
	// volume with no source is an emptyDir, as the API server makes it.
	Type string `json:"type"`
	// HostPath is the path on the node, cleaned; "" where the volume is none.
	// For a claim that is bound to a PersistentVolume on a node (hostPath or
	// local) it is that path, and Through is "persistentVolume".
	HostPath     string `json:"host_path"`
	HostPathType string `json:"host_path_type"` // as written: "", Directory, Socket, BlockDevice …
	Through      string `json:"through"`        // "" or persistentVolume
	// VolumeMode is Block or Filesystem for a claim whose PersistentVolume or template was seen, else "".
	VolumeMode string `json:"volume_mode"`
	// Driver is the CSI driver or flexVolume driver; "" elsewhere.
	Driver string `json:"driver"`
	// Image is the reference of an image volume.
	Image ImageReference `json:"image"`
	// TokenSecret: a Secret of type kubernetes.io/service-account-token, by a secret or projected source. Missing where the Secret's type was not seen.
	TokenSecret bool             `json:"token_secret"`
	Tokens      []ProjectedToken `json:"tokens"` // of a projected volume that the manifest declares; the automatic one is not in it
	Mounts      []VolumeMount    `json:"mounts"` // empty: declared, not mounted
	Devices     []VolumeDevice   `json:"devices"`
	// Object is the Secret, ConfigMap or claim that the volume names. Collectors join by it; policies do not
	// see it, for a claim's name differs from pod to pod.
	Object string `json:"-"`
}

// ProjectedToken is a service account token that the kubelet projects.
type ProjectedToken struct {
	Audience          string `json:"audience"`           // "" is the API server's own
	ExpirationSeconds int64  `json:"expiration_seconds"` // 3600 where not written
	Path              string `json:"path"`
}

// VolumeMount is the mount of a volume into a container.
type VolumeMount struct {
	Container         string `json:"container"`
	MountPath         string `json:"mount_path"`
	ReadOnly          bool   `json:"read_only"`
	RecursiveReadOnly string `json:"recursive_read_only"` // unset, Disabled, IfPossible, Enabled
	Propagation       string `json:"propagation"`         // None, HostToContainer, Bidirectional; None where not written
	SubPath           string `json:"sub_path"`            // subPath or subPathExpr as written
	Path              string `json:"path"`                // "spec.template.spec.containers[0].volumeMounts[1]"
}

// VolumeDevice is a raw block device in a container.
type VolumeDevice struct {
	Container  string `json:"container"`
	DevicePath string `json:"device_path"`
	Path       string `json:"path"`
}

// WorkloadIdentity is the service account of a pod and what it may do.
type WorkloadIdentity struct {
	ServiceAccount string `json:"service_account"` // "default" where none is written
	Declared       bool   `json:"declared"`        // the pod spec names one
	// Exists is true, false, or unknown (a set of manifests does not hold it).
	Exists string `json:"exists"`
	// Automount is effective: the pod's switch, else the service account's,
	// else true. AutomountFrom says which: pod, service_account or default;
	// assumed where the service account was not seen.
	Automount     bool   `json:"automount"`
	AutomountFrom string `json:"automount_from"`
	// Bound is true where the service account has any right beyond what every
	// authenticated identity and every service account has by the bootstrap
	// roles.
	Bound bool `json:"bound"`
	// Grants and Rights are those of the service account, groups included, with
	// the bootstrap ones left out of Grants; as in Identity. Missing where RBAC
	// objects were not seen.
	Grants []Grant `json:"grants"`
	Rights []Right `json:"rights"`
	// CloudIdentity is the cloud identity that the service account's annotations
	// map to (an IAM role, a Google service account, a client id); "" for none.
	CloudIdentity string `json:"cloud_identity"`
}

// RuntimeClass is the runtime class of a pod. Name "" is the node's default runtime.
type RuntimeClass struct {
	Name    string `json:"name"`
	Exists  string `json:"exists"`  // true, false, unknown; true for ""
	Handler string `json:"handler"` // of the RuntimeClass; Name's own where the RuntimeClass was not seen; "" for the default
	// Available says whether the nodes list the handler: true, false, unknown.
	Available string `json:"available"`
}

// Placement is what the pod spec says about where it may run.
type Placement struct {
	ToleratesControlPlane bool   `json:"tolerates_control_plane"` // by key node-role.kubernetes.io/control-plane or master
	ToleratesEverything   bool   `json:"tolerates_everything"`    // operator Exists with an empty key
	TolerationPath        string `json:"toleration_path"`         // of the first toleration that does either; ""
	NodeName              bool   `json:"node_name"`               // the template pins spec.nodeName (a live pod's does not count)
	NodeSelector          bool   `json:"node_selector"`           // nodeSelector or required node affinity
	DedicatedToleration   bool   `json:"dedicated_toleration"`    // tolerates a NoSchedule or NoExecute taint by a key that is not Kubernetes' own
}

// NodesView sums up the nodes of a workload: those that its pods run on; where
// it has none, those that it may be scheduled to. Each enum is "mixed" where
// the nodes differ and "unknown" where the API does not tell.
type NodesView struct {
	KubeletMinor   int      `json:"kubelet_minor"`   // the lowest; 0 where unknown
	Runtimes       []string `json:"runtimes"`        // containerd, cri-o, docker …
	Provider       string   `json:"provider"`        // aws, gce, azure, openstack, vsphere …; "" for none; mixed
	UserNamespaces string   `json:"user_namespaces"` // true, false, mixed, unknown: the runtime handler of the pod supports them
	AppArmor       string   `json:"apparmor"`        // true, false, mixed, unknown
	SELinux        string   `json:"selinux"`         // true (enforcing), false, mixed, unknown
	SeccompDefault string   `json:"seccomp_default"` // of the kubelet: true, false, mixed, unknown
	PIDLimit       string   `json:"pid_limit"`       // podPidsLimit is set: true, false, mixed, unknown
	// PullVerification is the kubelet's imagePullCredentialsVerificationPolicy; mixed, unknown.
	PullVerification string `json:"pull_verification"`
	VirtualMachine   string `json:"virtual_machine"` // true, false, mixed, unknown
	VerifiedBoot     string `json:"verified_boot"`   // true, false, mixed, unknown
	// PodPerMachine: each pod has a machine of its own by the provider's design (Fargate, virtual kubelet).
	PodPerMachine string `json:"pod_per_machine"`
	// MetadataGuard: something on the nodes keeps pods from the cloud's metadata service (GKE's metadata
	// server): true, false, mixed, unknown.
	MetadataGuard string `json:"metadata_guard"`
	ControlPlane  bool   `json:"control_plane"` // one of them is a control-plane node
	Public        bool   `json:"public"`        // one of them has a public address
	// Reserved: every one of them has a taint of its own that keeps others away, and runs no pod of another
	// tenant or sensitivity beside DaemonSets and system components: true, false, unknown.
	Reserved string `json:"reserved"`
	// OtherClasses are the "tenant/sensitivity" of other workloads seen on these nodes that differ from this
	// one's, system components left out, sorted. Empty where this one has no class itself; Node.Classes tells then.
	OtherClasses []string `json:"other_classes"`
}

// WorkloadNetwork is what network policies of every engine make of the pods.
type WorkloadNetwork struct {
	// Coverable is false for pods in the host's network: no policy reaches them.
	Coverable bool        `json:"coverable"`
	Policies  PolicyCount `json:"policies"` // those that select the pods
	Ingress   Direction   `json:"ingress"`
	Egress    Direction   `json:"egress"`
	// Metadata says whether the egress rules let the pods reach the cloud's
	// metadata addresses: allowed, blocked, or unknown (rules of an engine that
	// postscan does not read in full).
	Metadata string `json:"metadata"`
	// MetadataAddresses says the same of each address at which a cloud's nodes get metadata or instructions.
	MetadataAddresses []MetadataAddress `json:"metadata_addresses"`
}

// MetadataAddress is an address of a cloud's metadata service.
type MetadataAddress struct {
	Address string `json:"address"` // 169.254.169.254; fd00:ec2::254 (AWS); 168.63.129.16 (Azure)
	Reach   string `json:"reach"`   // allowed, blocked, unknown
}

// PolicyCount counts network policies by the engine whose objects they are.
type PolicyCount struct {
	Kubernetes int `json:"kubernetes"` // networking.k8s.io
	Cilium     int `json:"cilium"`     // CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy
	Calico     int `json:"calico"`     // NetworkPolicy and GlobalNetworkPolicy of projectcalico.org
	Admin      int `json:"admin"`      // AdminNetworkPolicy, BaselineAdminNetworkPolicy, ClusterNetworkPolicy
}

// Direction is one direction of a pod's traffic.
type Direction struct {
	Isolated bool `json:"isolated"` // some policy selects the pods in this direction, so what no rule allows is refused
	// AllowsAll: not isolated, or a rule allows every peer on every port.
	AllowsAll bool `json:"allows_all"`
	// AllowsOutside: some rule allows addresses outside the cluster's private
	// ranges; true where AllowsAll.
	AllowsOutside bool `json:"allows_outside"`
	// Partial: a policy with parts that postscan does not interpret may select the pods, or has rules that bear
	// on this direction. Then the three above hold for what was understood.
	Partial bool `json:"partial"`
}

// Exposure is one way to reach the workload from outside the pod network.
type Exposure struct {
	Kind string `json:"kind"` // LoadBalancer, NodePort, ExternalIP, Ingress, Gateway, Route, HostPort, HostNetwork
	Name string `json:"name"` // "Service/web", "Ingress/web" …; "" for HostPort and HostNetwork
	// Reach is outside (any address may be able to connect), restricted (named
	// source ranges only), internal (an internal load balancer), node (whoever
	// reaches the nodes).
	Reach string `json:"reach"`
	Ports []int  `json:"ports"` // container ports, sorted; empty where all or unknown
	Path  string `json:"path"`  // in the workload for HostPort and HostNetwork; "" elsewhere
}

// IngressController is what is known of an ingress controller.
type IngressController struct {
	Name            string   `json:"name"`             // ingress-nginx …; "" where the workload is none
	Version         string   `json:"version"`          // of its image's tag, without v; "" where unreadable
	SnippetsAllowed string   `json:"snippets_allowed"` // allow-snippet-annotations of its ConfigMap: true, false, unset; unknown where that was not seen
	SnippetUsers    []string `json:"snippet_users"`    // Ingresses with a snippet annotation: "shop/web"
	Path            string   `json:"path"`             // of its container: "spec.template.spec.containers[0]"; "" where the workload is none
}
