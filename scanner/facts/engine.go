package facts

// Engine is what runs the containers of a machine: Docker, Podman, containerd or CRI-O.
type Engine struct {
	Name     string `json:"name"`     // docker, podman, containerd, cri-o
	Version  string `json:"version"`  // as the engine says it: "20.10.24+dfsg1"
	API      string `json:"api"`      // version of its API that was spoken: "1.41", "v1"
	Endpoint string `json:"endpoint"` // where it was reached: "unix:///run/docker.sock"
	// Local: the engine runs on this machine, so that its files and processes can be read.
	Local    bool   `json:"local"`
	OS       string `json:"os"` // linux, windows
	Rootless bool   `json:"rootless"`
	// Command is the engine's process: dockerd, podman …; empty where it was not found.
	Command       string            `json:"command"`
	CgroupVersion string            `json:"cgroup_version"` // 1, 2; "" where the engine has none
	Components    []EngineComponent `json:"components"`     // the engine itself and what it starts, sorted by name
	// Vulnerabilities are the known ones of Components; missing where no database was given.
	Vulnerabilities []ComponentVulnerability `json:"vulnerabilities"`

	Listeners []Listener   `json:"listeners"` // sockets that the engine answers on, its API first
	Files     []EngineFile `json:"files"`     // sockets, configuration, units, certificates that exist

	// UserNamespaces is remap (containers get a range of their own), rootless
	// (the engine itself has no rights of root), or none.
	UserNamespaces string `json:"user_namespaces"`
	// Seccomp is default, unconfined, a path of a profile, or unsupported (the
	// engine is built without, or the kernel has none). For CRI engines it is
	// what a pod gets that says nothing.
	Seccomp string `json:"seccomp"`
	// AppArmor and SELinux: enabled, disabled (the host has it, the engine does
	// not use it), absent (the host has none), unknown.
	AppArmor string `json:"apparmor"`
	SELinux  string `json:"selinux"`

	NoNewPrivileges      bool     `json:"no_new_privileges"` // daemon-wide, for every container
	LiveRestore          bool     `json:"live_restore"`
	UserlandProxy        bool     `json:"userland_proxy"`
	IPTables             bool     `json:"iptables"` // the engine keeps rules of the packet filter
	Experimental         bool     `json:"experimental"`
	AuthorizationPlugins []string `json:"authorization_plugins"`
	// DefaultCapabilities is what a container gets that asks for nothing, without "CAP_", sorted.
	DefaultCapabilities []string `json:"default_capabilities"`
	LogDriver           string   `json:"log_driver"`
	// PublicAddress: an interface of the machine has an address of the public Internet.
	PublicAddress bool `json:"public_address"`

	InsecureRegistries []InsecureRegistry `json:"insecure_registries"`
	SignaturePolicy    SignaturePolicy    `json:"signature_policy"`
	Networks           []EngineNetwork    `json:"networks"`
	Swarm              Swarm              `json:"swarm"`
	CRI                CRIConfig          `json:"cri"`
	Audit              AuditRules         `json:"audit"`
	// Certificates are those that the engine shows or believes: of its API, of registries, of its swarm; sorted by path.
	Certificates []EngineCertificate `json:"certificates"`
}

// EngineComponent is a program with its version.
type EngineComponent struct {
	Name    string `json:"name"`    // docker, containerd, runc, crun, podman, buildah, conmon, cri-o …
	Version string `json:"version"` // as the engine says it
	// Module is the Go module whose advisories tell of it; "" for none.
	Module string `json:"module"`
	// Packaged: the version says that a distribution built it, which mends
	// old versions without changing the number.
	Packaged bool `json:"packaged"`
}

// ComponentVulnerability is a known vulnerability of a component.
type ComponentVulnerability struct {
	Component string `json:"component"`
	Version   string `json:"version"`
	ID        string `json:"id"`
	Severity  string `json:"severity"` // unknown, low, medium, high, critical
	Fixed     string `json:"fixed"`    // "" where no version mends it
}

// Listener is one address that the engine answers on.
type Listener struct {
	Purpose  string `json:"purpose"`  // api, stream (exec and attach of pods), metrics, swarm
	Network  string `json:"network"`  // unix, tcp, npipe
	Address  string `json:"address"`  // a path, or "0.0.0.0:2375"
	Loopback bool   `json:"loopback"` // reachable from this machine alone; true for unix and npipe
	TLS      bool   `json:"tls"`
	// ClientVerification: who connects must have a certificate of a named authority.
	ClientVerification bool   `json:"client_verification"`
	Source             string `json:"source"` // where it was read: "daemon.json", "command line", "/proc/net" …
}

// EngineFile is a file or folder that decides what the engine does.
type EngineFile struct {
	Path string `json:"path"`
	// Role is socket, config, unit, certificate, key, folder (of configuration
	// or state), hooks (a folder of OCI hooks).
	Role          string `json:"role"`
	Mode          string `json:"mode"` // permission bits in octal: "0660"
	Owner         string `json:"owner"`
	Group         string `json:"group"` // names; numbers where they have none
	OwnerRoot     bool   `json:"owner_root"`
	GroupRoot     bool   `json:"group_root"`
	GroupRead     bool   `json:"group_read"`
	GroupWrite    bool   `json:"group_write"`
	OtherRead     bool   `json:"other_read"`
	OtherWrite    bool   `json:"other_write"`
	Sticky        bool   `json:"sticky"`
	Rootless      bool   `json:"rootless"`       // it belongs to an engine of a user, so that the user owns it
	ParentPrivate bool   `json:"parent_private"` // a folder above it lets nobody but its owner through
	// GroupMembers are the users of the file's group other than root, sorted; for sockets only.
	GroupMembers []string `json:"group_members"`
}

// EngineCertificate is a certificate among the engine's files.
type EngineCertificate struct {
	Path string `json:"path"`
	// Role is api (of the engine and of authorities for its API), registry, or swarm, whose nodes renew theirs by themselves.
	Role     string `json:"role"`
	Subject  string `json:"subject"`
	NotAfter string `json:"not_after"` // RFC 3339
}

// InsecureRegistry is a registry that the engine talks to without TLS, or without verifying it.
type InsecureRegistry struct {
	Registry string `json:"registry"` // host, host:port or CIDR
	Loopback bool   `json:"loopback"`
	Source   string `json:"source"` // where it is configured
}

// SignaturePolicy is what the engine asks of images' signatures.
type SignaturePolicy struct {
	// Default is insecureAcceptAnything, reject, signedBy, sigstoreSigned, or
	// none: the engine has no such policy (Docker without content trust, containerd).
	Default string `json:"default"`
	File    string `json:"file"` // "" where none
}

// EngineNetwork is a network of the engine.
type EngineNetwork struct {
	Name     string `json:"name"`
	Driver   string `json:"driver"` // bridge, overlay, macvlan, ipvlan, host, none …
	Scope    string `json:"scope"`  // local, swarm, global
	Internal bool   `json:"internal"`
	// Default: the bridge that containers get which name none.
	Default bool `json:"default"`
	// ICC: containers of the network reach each other.
	ICC       bool `json:"icc"`
	Encrypted bool `json:"encrypted"` // overlay: its data is encrypted between machines
	Ingress   bool `json:"ingress"`   // Swarm's routing mesh
}

// Swarm is Docker's cluster.
type Swarm struct {
	State   string `json:"state"`   // inactive, pending, active, error, locked; inactive where the engine knows none
	Manager bool   `json:"manager"` // this engine is one; the rest below is known to managers only
	// Managers and Workers count the nodes.
	Managers int `json:"managers"`
	Workers  int `json:"workers"`
	// ActiveManagers counts the managers that run tasks (availability active).
	ActiveManagers  int     `json:"active_managers"`
	AutoLock        bool    `json:"autolock"`
	CertificateDays float64 `json:"certificate_days"` // validity of the nodes' certificates
	RootRotating    bool    `json:"root_rotating"`
	Secrets         int     `json:"secrets"` // number of them
	// Services are those of the cluster, sorted by name.
	Services []SwarmService `json:"services"`
	// Configs are its configs that hold a credential in clear, by name.
	Configs []SwarmConfig `json:"configs"`
}

// SwarmService is a service of the cluster.
type SwarmService struct {
	Name           string          `json:"name"`
	Image          string          `json:"image"`
	Secrets        int             `json:"secrets"` // that it uses
	LiteralSecrets []LiteralSecret `json:"literal_secrets"`
	Capabilities   []string        `json:"capabilities"` // added, without "CAP_", sorted
	Mounts         []string        `json:"mounts"`       // sources of its bind mounts, sorted
	Published      []int           `json:"published"`    // ports, sorted
}

// SwarmConfig is a config with credentials in it.
type SwarmConfig struct {
	Name           string          `json:"name"`
	LiteralSecrets []LiteralSecret `json:"literal_secrets"`
}

// CRIConfig is the configuration of an engine that serves Kubernetes.
type CRIConfig struct {
	Served bool `json:"served"` // the engine speaks CRI; the rest is empty where not
	// AddedCapabilities are those of the default set that the engine's makers do not give, sorted.
	AddedCapabilities []string `json:"added_capabilities"`
	// UnprivilegedPorts and UnprivilegedICMP: every pod may bind low ports and send echo requests.
	UnprivilegedPorts bool         `json:"unprivileged_ports"`
	UnprivilegedICMP  bool         `json:"unprivileged_icmp"`
	Runtimes          []CRIRuntime `json:"runtimes"` // handlers, sorted by name
	// AllowedDevices are host devices that any pod may ask for by annotation (CRI-O).
	AllowedDevices []string `json:"allowed_devices"`
	// InheritableCapabilities: containers get their capabilities as inheritable too (CRI-O's add_inheritable_capabilities).
	InheritableCapabilities bool     `json:"inheritable_capabilities"`
	NRI                     bool     `json:"nri"` // plugins may change containers
	NRIPlugins              []string `json:"nri_plugins"`
}

// CRIRuntime is one handler.
type CRIRuntime struct {
	Name    string `json:"name"` // runc, kata …
	Type    string `json:"type"` // "io.containerd.runc.v2", "oci", "vm"
	Default bool   `json:"default"`
	// Sandboxed: it puts a kernel or a virtual machine between container and host, known by its type (kata, gVisor).
	Sandboxed bool `json:"sandboxed"`
	// HostDevices: a privileged container gets every device of the host.
	HostDevices bool `json:"host_devices"`
	// AllowedAnnotations are those of pods that the handler obeys, sorted.
	AllowedAnnotations []string `json:"allowed_annotations"`
}

// AuditRules is what the audit daemon of the machine watches.
type AuditRules struct {
	Configured bool     `json:"configured"` // there are rules of some kind
	Paths      []string `json:"paths"`      // that are watched, sorted
}
