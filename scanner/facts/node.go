package facts

// Node is a node of a cluster. The API shows a part of it and the node's own
// files another: postscan cluster fills the one, postscan vm on the node the
// other. What neither of them saw is missing; see [NeedsAPI] and [NeedsNode].
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
	// KubeletCallers are the subjects beyond the administrators and the cluster's own components that may ask every kubelet for
	// more than health and metrics (nodes/proxy and nodes/log of the whole cluster), "User/x", "Group/x", "ServiceAccount/ns/x", sorted.
	KubeletCallers []string `json:"kubelet_callers"`
	// KubeletFlags is the command line of the kubelet; the API does not show it.
	KubeletFlags []Flag `json:"kubelet_flags"`
	// K3s are the flags and settings of k3s or RKE2: those recorded on the node by its annotations, or those of
	// /etc/rancher/k3s/config.yaml. Secrets are left out. Empty for other distributions.
	K3s []Flag `json:"k3s"`
	// Classes are the "tenant/sensitivity" of the workloads on it, system components left out, sorted; those
	// behind a sandbox runtime are left out too.
	Classes []string `json:"classes"`
	// RebootDue: a label or annotation of a known agent, or the system itself, says that a reboot is due.
	RebootDue     bool `json:"reboot_due"`
	RebootDueDays int  `json:"reboot_due_days"` // for how long; -1 where that is not told
	// MetadataGuard: something keeps pods from the node's own identity in the cloud: true, false, unknown (then
	// missing too, where the node stands in a cloud).
	MetadataGuard string `json:"metadata_guard"`

	// The rest only the node's own files tell.

	// Files are those of the cluster's components that are there, sorted by path.
	Files []NodeFile `json:"files"`
	// Certificates are those of the cluster's components, sorted by path.
	Certificates []NodeCertificate `json:"certificates"`
	// Software is what runs containers on the node, by name.
	Software []NodeSoftware `json:"software"`
	// Settings are the kernel settings that a kubelet with protectKernelDefaults asks for, by name:
	// vm.overcommit_memory, vm.panic_on_oom, kernel.panic, kernel.panic_on_oops, kernel.keys.root_maxkeys,
	// kernel.keys.root_maxbytes. One that the kernel does not have is left out.
	Settings []KernelSetting `json:"settings"`
	// DiskEncrypted: the file system that holds the kubelet's and the cluster's data lies on an encrypted device: true, false, unknown.
	DiskEncrypted string `json:"disk_encrypted"`
	SecureBoot    string `json:"secure_boot"` // true, false, unknown
	TPM           string `json:"tpm"`         // true, false, unknown
}

// Roles that a [NodeFile] or a [NodeCertificate] plays.
const (
	RoleManifest         = "manifest"           // a static pod's manifest: /etc/kubernetes/manifests/*.yaml
	RoleManifestDir      = "manifest-dir"       // the folder that holds them
	RolePKIDir           = "pki-dir"            // /etc/kubernetes/pki and folders below it
	RolePrivateKey       = "private-key"        // *.key there, and those that flags name
	RoleCertificate      = "certificate"        // *.crt there, and those that flags name
	RoleAdminKubeconfig  = "admin-kubeconfig"   // admin.conf, super-admin.conf, k3s.yaml, rke2.yaml
	RoleKubeconfig       = "kubeconfig"         // controller-manager.conf, scheduler.conf
	RoleKubeletConf      = "kubelet-kubeconfig" // kubelet.conf
	RoleBootstrapConf    = "bootstrap-kubeconfig"
	RoleKubeletConfig    = "kubelet-config" // /var/lib/kubelet/config.yaml and drop-ins
	RoleKubeletUnit      = "kubelet-unit"   // of systemd, with its drop-ins
	RoleKubeletCA        = "kubelet-ca"     // clientCAFile
	RoleProxyKubeconfig  = "proxy-kubeconfig"
	RoleCNIConfig        = "cni-config"    // /etc/cni/net.d/*
	RoleCNIDir           = "cni-dir"       // /etc/cni/net.d, /opt/cni/bin
	RoleEtcdData         = "etcd-data"     // the data folder
	RoleEtcdSnapshot     = "etcd-snapshot" // a backup of etcd
	RoleEncryptionConfig = "encryption-config"
	RoleTokenFile        = "token-file"     // --token-auth-file, --basic-auth-file
	RoleJoinToken        = "join-token"     // of k3s, RKE2, k0s: what a node joins with
	RoleK3sConfig        = "k3s-config"     // /etc/rancher/k3s/config.yaml
	RoleRuntimeConfig    = "runtime-config" // /etc/containerd/config.toml, /etc/crio/crio.conf
	RoleRuntimeSocket    = "runtime-socket" // containerd.sock, crio.sock
)

// NodeFile is a file or folder of a cluster's component. One that is not there
// is not listed.
type NodeFile struct {
	Path string `json:"path"` // absolute, links followed
	Role string `json:"role"` // manifest, private-key …: the constants Role… say which
	// Mode holds the permission bits with set-uid, set-gid and sticky (0 to 4095): 384 for 0600.
	Mode  int    `json:"mode"`
	Owner string `json:"owner"` // "root"; the number as text where no account has it
	Group string `json:"group"`
}

// NodeCertificate is an X.509 certificate on a node. Of a file with several only
// the first is listed.
type NodeCertificate struct {
	Path string `json:"path"`
	// Role is what it is for: ca, apiserver, apiserver-kubelet-client, apiserver-etcd-client, front-proxy-client,
	// etcd-ca, etcd-server, etcd-peer, etcd-client, kubelet-client, kubelet-serving, admin, other.
	Role       string `json:"role"`
	Subject    string `json:"subject"`   // "CN=kube-apiserver"
	Issuer     string `json:"issuer"`    // likewise
	NotAfter   string `json:"not_after"` // RFC 3339, UTC
	KeyKind    string `json:"key_kind"`  // rsa, ecdsa, ed25519, other
	KeyBits    int    `json:"key_bits"`  // of the modulus or curve
	SelfSigned bool   `json:"self_signed"`
	CA         bool   `json:"ca"`
}

// NodeSoftware is a program that runs containers, or that pods get at.
type NodeSoftware struct {
	Name    string `json:"name"` // runc, crun, containerd, cri-o, kubelet, kube-proxy, nvidia-container-toolkit, cni-plugins, k3s
	Version string `json:"version"`
	Path    string `json:"path"`
	// Packaged: it belongs to a package of the distribution, which mends flaws without a newer version; the
	// vulnerability database judges that one.
	Packaged bool `json:"packaged"`
}

// KernelSetting is one value below /proc/sys.
type KernelSetting struct {
	Name  string `json:"name"` // "kernel.panic"
	Value string `json:"value"`
}

// NeedsNode is what of a [KindNode] or [KindCluster] document only the node's own files
// tell, as entries of [Resource.Missing]. The collector of clusters books them all.
func NeedsNode(k Kind) map[string]Missing {
	const reason = "needs the node's own files: run postscan vm on the node"
	switch k {
	case KindNode:
		out := missing(reason, "files", "certificates", "settings", "disk_encrypted", "secure_boot", "tpm")
		// What the API shows of the same things is judged; it is not the whole.
		for _, p := range []string{"kubelet_flags", "software", "files"} {
			out[p] = Missing{Status: NotAssessed, Reason: reason, Partial: true}
		}
		return out
	case KindCluster:
		return map[string]Missing{}
	default:
		return nil
	}
}

// NeedsAPI is what of a [KindNode] or [KindCluster] document only the API of the cluster
// tells, as entries of [Resource.Missing]. Whoever reads a node's files books
// them all, and takes out what it has learned by another way.
func NeedsAPI(k Kind) map[string]Missing {
	const reason = "needs the API of the cluster: scan it with postscan cluster"
	switch k {
	case KindNode:
		return missing(reason, "cluster", "handlers", "control_plane", "tainted", "own_taint", "edge", "provider", "virtual", "pod_per_machine", "public",
			"apparmor", "ready", "single", "classes", "kubelet_callers", "metadata_guard")
	case KindCluster:
		return missing(reason, "version", "minor", "patch", "support_ends", "distribution", "managed", "edge", "provider", "kubelet_lowest", "kubelet_highest",
			"node_count", "anonymous", "endpoint", "kubelets", "network", "mesh", "verifiers", "token_secrets", "bootstrap_tokens", "certificates",
			"mappings", "openshift", "k3s_servers", "credential", "encryption", "etcd_guarded", "cloud")
	default:
		return nil
	}
}

func missing(reason string, paths ...string) map[string]Missing {
	out := make(map[string]Missing, len(paths))
	for _, p := range paths {
		out[p] = Missing{Status: NotAssessed, Reason: reason}
	}
	return out
}

// RuntimeHandler is one handler of a node's runtime.
type RuntimeHandler struct {
	Name              string `json:"name"` // "" is the default
	UserNamespaces    bool   `json:"user_namespaces"`
	RecursiveReadOnly bool   `json:"recursive_read_only"`
}

// Flag is a command-line flag of a component. Only flags from postscan's own
// list are kept: an unknown one might hold a secret.
type Flag struct {
	Name  string `json:"name"`  // without dashes
	Value string `json:"value"` // "true" for a switch without a value; of one given twice, joined by commas
	Path  string `json:"path"`  // of the argument: "spec.containers[0].command[3]"
}
