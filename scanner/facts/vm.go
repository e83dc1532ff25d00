package facts

// VM is what policies see of one machine: the guest that postscan runs on, or a
// disk of one. Where each field was read stands in the resource's Places, by the
// field's path. What only a running machine knows is missing for a disk. A field
// that was not seen is empty or -1, and never a value that reading it could give.
type VM struct {
	Hostname     string `json:"hostname"`
	Live         bool   `json:"live"` // the running machine; false for a disk
	Architecture string `json:"architecture"`

	Machine      Machine         `json:"machine"`
	Kernel       Kernel          `json:"kernel"`
	Boot         Boot            `json:"boot"`
	Confidential Confidential    `json:"confidential"`
	Protection   Protection      `json:"protection"`
	Sysctls      Sysctls         `json:"sysctls"`
	Mitigations  []Mitigation    `json:"mitigations"` // of /sys/devices/system/cpu/vulnerabilities
	SMT          string          `json:"smt"`         // on, off, forceoff, notsupported, notimplemented
	Shares       []Share         `json:"shares"`      // folders of the host that are mounted
	Devices      []Device        `json:"devices"`     // on the PCI and virtio buses
	Nested       Nested          `json:"nested"`
	Agents       []GuestAgent    `json:"agents"`
	Consoles     []Console       `json:"consoles"`
	Users        []User          `json:"users"`
	SSH          SSHServer       `json:"ssh"`
	Ports        []ListeningPort `json:"ports"` // every listening TCP port
	Disk         DiskEncryption  `json:"disk"`
	Bootstrap    []BootstrapFile `json:"bootstrap"` // files of cloud-init that hold user data
	Metadata     Metadata        `json:"metadata"`
	Role         MachineRole     `json:"role"`
	Updates      Updates         `json:"updates"`

	Distribution    Distribution    `json:"distribution"`
	Packages        []Package       `json:"packages"`
	Vulnerabilities []Vulnerability `json:"vulnerabilities"`
}

// Machine says what the system runs on.
type Machine struct {
	// Kind is vm, container (in whatever: see Hypervisor), bare-metal or unknown.
	Kind string `json:"kind"`
	// Hypervisor is kvm, firecracker, qemu, vmware, hyper-v, xen, virtualbox, parallels, bhyve, acrn, apple, zvm,
	// powervm, amazon (Nitro), google, … ; none on bare metal, unknown where only that there is one is known.
	Hypervisor string `json:"hypervisor"`
	// Container is docker, podman, lxc, systemd-nspawn, kubernetes … ; empty where the system is not in one.
	Container string `json:"container"`
	// Confidence is certain, likely or guessed: see Evidence.
	Confidence string `json:"confidence"`
	// Provider is the cloud that the machine's tables name, as the machine itself claims: aws, gce, azure, openstack,
	// digitalocean, oracle, alibaba …; empty for none.
	Provider string     `json:"provider"`
	Evidence []Evidence `json:"evidence"`
}

// Evidence is one sign of what a machine is.
type Evidence struct {
	Source string `json:"source"` // "CPUID leaf 0x40000000", "ACPI table FACP", a path
	Value  string `json:"value"`
	Says   string `json:"says"` // the hypervisor, container or cloud that it stands for; "" where it only says that there is one
}

// Kernel is the kernel that runs, and those that are installed.
type Kernel struct {
	Release   string   `json:"release"`   // of the running kernel, as uname -r; missing for a disk
	Version   string   `json:"version"`   // the package version that the running kernel names of itself; empty where it names none
	Installed []string `json:"installed"` // releases below /boot and /lib/modules, oldest first
	// Newest is the newest installed release of the running one's flavour (for a disk: of any); empty where none is.
	Newest string `json:"newest"`
	// Outdated: the running kernel is not the newest installed one, or its package was replaced since it started.
	Outdated bool `json:"outdated"`
	// InstalledVersion is the version of the package that holds the running release; empty where none does.
	InstalledVersion string `json:"installed_version"`
	// Vulnerable are ids of known vulnerabilities of the running kernel's package that a newer package mends.
	Vulnerable []string `json:"vulnerable"`
	// RebootRequired: the distribution's own mark says that a restart is due.
	RebootRequired bool `json:"reboot_required"`
	// Parameters of the command line that matter for isolation; names and values. Others are left out: they may be secrets.
	Parameters []KernelParameter `json:"parameters"`
	// Options are those of the kernel's build that matter for isolation; missing where no configuration is found.
	Options []KernelOption `json:"options"`
}

// KernelParameter is one parameter of the kernel's command line.
type KernelParameter struct {
	Name  string `json:"name"`
	Value string `json:"value"` // empty for a switch
}

// KernelOption is one option of the kernel's build.
type KernelOption struct {
	Name  string `json:"name"`  // CONFIG_MODULE_SIG
	Value string `json:"value"` // y, m, n (not set) or a text
}

// Boot is how the machine starts.
type Boot struct {
	Firmware string `json:"firmware"` // efi, bios, direct (no firmware: a kernel that the hypervisor loaded) or unknown
	// SecureBoot is enabled, disabled or absent (the firmware knows no such thing).
	SecureBoot   string `json:"secure_boot"`
	SetupMode    bool   `json:"setup_mode"`    // keys may be replaced by anybody
	TPM          string `json:"tpm"`           // none, 1.2, 2.0 or present (of unknown version)
	MeasuredBoot bool   `json:"measured_boot"` // the firmware or a confidential guest kept a log of its measurements
}

// Confidential is the memory encryption of the guest.
type Confidential struct {
	Technology  string `json:"technology"`  // none, sev, sev-es, sev-snp, tdx or unknown
	Attestation bool   `json:"attestation"` // the device for attestation reports is there
}

// Protection is mandatory access control, lockdown and module signing.
type Protection struct {
	LSMs []string `json:"lsms"` // active security modules in their order
	// AppArmor is enabled, disabled or absent; the numbers count its profiles by mode, and are missing without root.
	AppArmor         string `json:"apparmor"`
	AppArmorEnforced int    `json:"apparmor_enforced"`
	AppArmorComplain int    `json:"apparmor_complain"`
	// SELinux is enforcing, permissive, disabled or absent; of a disk, what its configuration asks for.
	SELinux string `json:"selinux"`
	// Lockdown is none, integrity, confidentiality or absent.
	Lockdown string `json:"lockdown"`
	// ModuleSignatures is enforced, optional or absent.
	ModuleSignatures string `json:"module_signatures"`
	ModulesDisabled  bool   `json:"modules_disabled"` // no module can be loaded any more
}

// Sysctls are the kernel settings that matter for isolation. One that was not seen
// is -1, and missing.
type Sysctls struct {
	KptrRestrict            int    `json:"kptr_restrict"`
	DmesgRestrict           int    `json:"dmesg_restrict"`
	UnprivilegedBPFDisabled int    `json:"unprivileged_bpf_disabled"`
	PtraceScope             int    `json:"ptrace_scope"` // 0 too where the kernel is built without Yama
	KexecLoadDisabled       int    `json:"kexec_load_disabled"`
	PerfEventParanoid       int    `json:"perf_event_paranoid"`
	RandomizeVASpace        int    `json:"randomize_va_space"`
	ProtectedSymlinks       int    `json:"protected_symlinks"`
	ProtectedHardlinks      int    `json:"protected_hardlinks"`
	SysRq                   int    `json:"sysrq"`
	SUIDDumpable            int    `json:"suid_dumpable"`
	UserNamespaces          string `json:"user_namespaces"` // open (any user may make one), restricted or off
	CorePattern             string `json:"core_pattern"`    // the program's path alone where it is a pipe ("|/usr/lib/x"), else as set
	// CoreProgramWritable: others than root may replace the program that core_pattern names.
	CoreProgramWritable bool `json:"core_program_writable"`
	IPForward           int  `json:"ip_forward"`
}

// Mitigation is the kernel's word on one flaw of the processor.
type Mitigation struct {
	Name       string `json:"name"`
	Status     string `json:"status"`     // the kernel's own words
	Vulnerable bool   `json:"vulnerable"` // they begin with Vulnerable
	SMT        bool   `json:"smt"`        // they say that SMT is vulnerable
}

// Share is a folder of the host in the guest.
type Share struct {
	Path     string `json:"path"` // mount point
	Type     string `json:"type"` // virtiofs, 9p, vboxsf, vmhgfs, fuse.vmhgfs-fuse, prl_fs
	Source   string `json:"source"`
	ReadOnly bool   `json:"read_only"`
	Mounted  bool   `json:"mounted"` // false: fstab asks for it
}

// Device is one device of the guest.
type Device struct {
	Bus         string `json:"bus"`     // pci or virtio
	Address     string `json:"address"` // 0000:00:05.0
	Vendor      string `json:"vendor"`  // four hex digits
	ID          string `json:"id"`      // four hex digits
	Class       string `json:"class"`   // six hex digits of a PCI device; of virtio: net, block, fs, vsock …
	Driver      string `json:"driver"`
	Passthrough bool   `json:"passthrough"` // a real device, or a part of one: not one that a hypervisor emulates
	What        string `json:"what"`        // gpu, network, storage or other, of a passthrough device
}

// Nested is virtualisation inside the guest.
type Nested struct {
	KVM       bool   `json:"kvm"`       // /dev/kvm is there
	KVMMode   string `json:"kvm_mode"`  // four octal digits; empty where there is none
	Enabled   bool   `json:"enabled"`   // a KVM module lets guests of this guest nest again
	Extension string `json:"extension"` // vmx, svm or empty: what the processor shows
}

// GuestAgent is a program of the hypervisor's that runs in the guest.
type GuestAgent struct {
	Name    string `json:"name"`    // qemu-guest-agent, open-vm-tools, hyper-v, xe-guest-utilities, virtualbox, spice-vdagent, amazon-ssm-agent, google-guest-agent, walinuxagent, cloud-init
	Version string `json:"version"` // of its package; empty where unknown
	Running bool   `json:"running"`
	// Enabled: the machine starts it.
	Enabled bool `json:"enabled"`
	// Exec: the host may run programs in the guest through it. Files: it may read or write its files.
	Exec   bool     `json:"exec"`
	Files  bool     `json:"files"`
	Path   string   `json:"path"` // of what it was recognised by, or of its configuration
	Limits []string `json:"limits"`
}

// Console is a console or a terminal that waits for a login.
type Console struct {
	Name      string `json:"name"`      // ttyS0, hvc0
	Kernel    bool   `json:"kernel"`    // the kernel writes there
	Getty     bool   `json:"getty"`     // a login waits there
	AutoLogin string `json:"autologin"` // the account that it logs in without a password; empty for none
	Serial    bool   `json:"serial"`
}

// SSHServer is the effective configuration of sshd, its own defaults filled in.
type SSHServer struct {
	Installed bool `json:"installed"`
	Enabled   bool `json:"enabled"` // started, or its unit is
	// The settings below are missing where sshd is not installed or its configuration cannot be read.
	PasswordAuthentication  bool   `json:"password_authentication"`
	KeyboardInteractive     bool   `json:"keyboard_interactive"`
	PermitRootLogin         string `json:"permit_root_login"` // yes, no, prohibit-password, forced-commands-only
	PermitEmptyPasswords    bool   `json:"permit_empty_passwords"`
	PubkeyAuthentication    bool   `json:"pubkey_authentication"`
	HostbasedAuthentication bool   `json:"hostbased_authentication"`
	RootKeys                int    `json:"root_keys"`              // lines of root's authorized_keys
	RootKeysUnrestricted    int    `json:"root_keys_unrestricted"` // of them without from=, command= or restrict
	MatchBlocks             int    `json:"match_blocks"`           // blocks of the configuration that depend on who logs in; they are not judged
	MatchWeakens            bool   `json:"match_weakens"`          // one of them allows passwords or root
	AuthenticationMethods   string `json:"authentication_methods"` // any, or the lists that all must pass
}

// ListeningPort is a TCP port that something listens on.
type ListeningPort struct {
	Address string `json:"address"` // IP address as the kernel has it
	Port    int    `json:"port"`
	// Reach is loopback, any (all addresses) or address (one that is not loopback).
	Reach   string `json:"reach"`
	Service string `json:"service"` // docker, docker-tls, kubelet, kubelet-readonly, etcd, apiserver, containerd-stream …; empty for others
	Process string `json:"process"` // name of the program; empty where rights do not show it
}

// DiskEncryption is whether what the machine stores is encrypted by itself. What
// the hypervisor or a cloud encrypts below it is not seen from here.
type DiskEncryption struct {
	Root      string   `json:"root"`      // encrypted, plain, or unknown
	Encrypted []string `json:"encrypted"` // names of the open dm-crypt volumes, or of those that crypttab asks for
	Swap      string   `json:"swap"`      // none, encrypted or plain
}

// BootstrapFile is a file of cloud-init with user data or what was made of it.
type BootstrapFile struct {
	Path     string `json:"path"`
	Mode     string `json:"mode"`     // four octal digits
	Readable bool   `json:"readable"` // every user of the machine can read it, directories above included
	// Secrets names the rules that found a credential in it; never the credential.
	Secrets []string `json:"secrets"`
}

// Metadata is the metadata service of a cloud, as this machine reaches it. All
// of it is missing (not assessed) without --imds.
type Metadata struct {
	Provider string `json:"provider"` // aws, gce, azure, openstack; none where nothing answers
	// Tokenless: it answers without a session token (AWS: IMDSv1; OpenStack and others have no token at all).
	Tokenless bool `json:"tokenless"`
	// Token: it hands out session tokens (AWS IMDSv2).
	Token bool `json:"token"`
	// Header: it wants a header that a plain redirect cannot send (GCE, Azure).
	Header bool `json:"header"`
	// Unprivileged is yes where an account other than root reaches it, no where the machine keeps it from that, and
	// empty where nobody tried.
	Unprivileged string `json:"unprivileged"`
	// HopLimit is the number of hops that its answers travel; 0 where it does not say.
	HopLimit int    `json:"hop_limit"`
	Instance string `json:"instance"` // claimed
	Account  string `json:"account"`  // claimed; account, project or subscription
	Region   string `json:"region"`   // claimed
}

// MachineRole is what the machine is there for.
type MachineRole struct {
	ContainerHost  bool     `json:"container_host"`
	Engines        []string `json:"engines"`         // docker, containerd, cri-o, podman
	KubernetesNode bool     `json:"kubernetes_node"` // a kubelet is installed or runs
	// Services are other services that start or run here: databases, web, mail and file servers.
	Services      []MachineService `json:"services"`
	Audit         bool             `json:"audit"`
	LogForwarding bool             `json:"log_forwarding"`
	TimeSync      bool             `json:"time_sync"`
}

// MachineService is a service beside the containers.
type MachineService struct {
	Name string `json:"name"` // postgresql
	Kind string `json:"kind"` // database, web, mail, file, directory, desktop, build, queue
	Path string `json:"path"` // of what it was recognised by
}

// Updates is how the machine is kept up to date.
type Updates struct {
	Agent string `json:"agent"` // what installs updates by itself: unattended-upgrades, dnf-automatic …; empty for none
	// LastDays is the number of whole days since a package was last changed; missing where nothing tells.
	LastDays int `json:"last_days"`
}
