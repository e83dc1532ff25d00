package facts

// EngineContainer is one container of an engine, running or not, with its effective settings.
type EngineContainer struct {
	Name   string         `json:"name"`
	Engine string         `json:"engine"` // docker, podman, containerd, cri-o
	Image  ImageReference `json:"image"`
	State  string         `json:"state"` // created, running, paused, exited, unknown
	// Pod is the Kubernetes pod (or Podman's); empty where the container is in none.
	Pod ContainerPod `json:"pod"`
	// Runtime is the OCI runtime or handler: runc, crun, runsc, kata …; "" for the engine's default.
	Runtime   string `json:"runtime"`
	Sandboxed bool   `json:"sandboxed"` // the runtime puts a kernel or a virtual machine between container and host

	// Rootless: the engine has no rights of root itself, which bounds everything below.
	Rootless   bool `json:"rootless"`
	Privileged bool `json:"privileged"`
	// PrivilegedExecs counts the exec sessions that were started as privileged.
	PrivilegedExecs int `json:"privileged_execs"`

	User string `json:"user"` // as configured: "", "app", "1000:1000"
	// Root is yes (uid 0 in the container), no, or unknown (a name that the image resolves).
	Root string `json:"root"`

	CapabilitiesAdd  []string `json:"capabilities_add"`  // without "CAP_", sorted
	CapabilitiesDrop []string `json:"capabilities_drop"` // without "CAP_", sorted
	// Capabilities is the bounding set, without "CAP_", sorted; ["ALL"] for the full set.
	Capabilities []string `json:"capabilities"`
	// CapabilitiesFrom says how they are known: process (/proc), engine (it says
	// so), spec (OCI), or computed (its default set, additions and drops).
	CapabilitiesFrom string `json:"capabilities_from"`

	Namespaces ContainerNamespaces `json:"namespaces"`
	// EngineRemaps: the engine has containers in a range of users of their own unless they opt out.
	EngineRemaps bool `json:"engine_remaps"`

	Seccomp string `json:"seccomp"` // Unconfined, RuntimeDefault, Localhost
	// AppArmor is Unconfined, the name of a profile, or none: neither the container nor the engine sets one.
	AppArmor string `json:"apparmor"`
	// SELinux is disabled, unconfined (spc_t), the type of its label, or none.
	SELinux         string `json:"selinux"`
	NoNewPrivileges bool   `json:"no_new_privileges"` // by the container, the engine, or as /proc shows it
	// MaskedPaths: the paths of /proc and /sys that engines hide are hidden.
	MaskedPaths  bool   `json:"masked_paths"`
	ReadOnlyRoot bool   `json:"read_only_root"`
	CgroupParent string `json:"cgroup_parent"` // as asked for; "" for the engine's own
	// CgroupNamespaceAsked: the machine's control groups were asked for; else they are the engine's default.
	CgroupNamespaceAsked bool              `json:"cgroup_namespace_asked"`
	Mounts               []ContainerMount  `json:"mounts"`
	Devices              []ContainerDevice `json:"devices"`
	// DeviceRules are further rules of the device cgroup: "c 1:1 rwm".
	DeviceRules []string        `json:"device_rules"`
	Limits      ContainerLimits `json:"limits"`

	Ports    []PublishedPort    `json:"ports"`
	Networks []ContainerNetwork `json:"networks"`
	Sysctls  []string           `json:"sysctls"` // names that are set, sorted
	Restart  string             `json:"restart"` // no, on-failure, unless-stopped, always; "" where the engine has no such thing
	Health   bool               `json:"health"`  // a health check is configured, by the container or its image
	// LiteralSecrets are credentials in the environment or command; missing where no detector was given.
	LiteralSecrets []LiteralSecret `json:"literal_secrets"`
	// PublicAddress is the machine's: one of its interfaces has an address of the public Internet.
	PublicAddress bool `json:"public_address"`
	// IPTables is the engine's: it keeps rules of the packet filter.
	IPTables bool `json:"iptables"`
}

// ContainerPod is the pod of a container.
type ContainerPod struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Container string `json:"container"` // the container's name in the pod
}

// ContainerNamespaces says whose namespaces a container uses: private, host,
// pod (shared within its pod), container (another container's), shareable, none.
type ContainerNamespaces struct {
	PID     string `json:"pid"`
	Network string `json:"network"`
	IPC     string `json:"ipc"`
	UTS     string `json:"uts"`
	Cgroup  string `json:"cgroup"`
	User    string `json:"user"`
	// PIDOf and NetworkOf name the other container, and the Of…Privileged say
	// that it is privileged or in the host's own namespace; unknown, true, false.
	PIDOf           string `json:"pid_of"`
	NetworkOf       string `json:"network_of"`
	OtherPrivileged string `json:"other_privileged"`
}

// ContainerMount is a mount of a container.
type ContainerMount struct {
	Type        string `json:"type"`        // bind, volume, tmpfs, image, npipe
	Source      string `json:"source"`      // on the machine, links resolved where it is this one; "" for tmpfs
	Destination string `json:"destination"` // in the container
	ReadOnly    bool   `json:"read_only"`
	Propagation string `json:"propagation"` // rprivate, private, rslave, slave, rshared, shared; "" where the engine does not say
}

// ContainerDevice is a device of the machine in a container.
type ContainerDevice struct {
	Host        string `json:"host"`
	Container   string `json:"container"`
	Permissions string `json:"permissions"` // "rwm"
}

// ContainerLimits are its bounds; 0 is none.
type ContainerLimits struct {
	Memory int64 `json:"memory"` // bytes
	PIDs   int64 `json:"pids"`
	// CPU is true where a quota or a set of processors bounds it; shares do not.
	CPU bool `json:"cpu"`
}

// PublishedPort is a port of the machine that leads into the container.
type PublishedPort struct {
	Port     int    `json:"port"` // of the container
	Protocol string `json:"protocol"`
	HostIP   string `json:"host_ip"` // as configured; "" is every address
	HostPort int    `json:"host_port"`
	// Reach is all (every address of the machine), loopback, or address (one that is named).
	Reach string `json:"reach"`
}

// ContainerNetwork is a network that the container is in.
type ContainerNetwork struct {
	Name    string `json:"name"`
	Driver  string `json:"driver"`
	Default bool   `json:"default"` // the bridge of those who name none
	ICC     bool   `json:"icc"`     // containers in it reach each other
}
