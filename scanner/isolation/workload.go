package isolation

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/postscan/postscan/scanner/facts"
)

// FromWorkload makes the Input of a Kubernetes workload. Its Missing map says
// what was not seen. handlers names further runtime handlers that are a sandbox.
// ok is false for a resource of another kind.
func FromWorkload(r *facts.Resource, handlers []string) (in *Input, ok bool) {
	w, ok := r.Facts.(*facts.Workload)
	if !ok {
		return nil, false
	}
	b := &workload{seen: seen{r}, w: w, in: &Input{Windows: w.OS == "windows"}}
	if m, missing := b.missing("containers"); missing || len(w.Containers) == 0 {
		b.in.Nothing = unseen("containers", cmp.Or(m.Reason, "it has no container"), m.Status)
		return b.in, true
	}
	b.boundary(handlers)
	b.namespaces()
	b.volumes()
	b.nodes()
	b.containers()
	b.in.Baseline, b.in.Restricted = podSecurity(w)
	return b.in, true
}

// workload is an Input on its way.
type workload struct {
	seen
	w  *facts.Workload
	in *Input
}

func unseen(path, reason string, gap facts.Gap) Fact {
	if gap != facts.NotAssessed {
		gap = facts.Unknown // whatever else it says, it was not seen
	}
	return Fact{State: Unseen, Path: path, Reason: reason, Gap: gap}
}

// gap is the kind of not seeing where the facts themselves say "unknown": a
// manifest does not tell, a cluster should have.
func (b *workload) gap() facts.Gap {
	if b.w.Live {
		return facts.Unknown
	}
	return facts.NotAssessed
}

// node makes a fact of an answer of the nodes: true, false, mixed or unknown.
func (b *workload) node(path, value, good, bad string) Fact {
	if m, missing := b.missing(path); missing {
		return unseen(path, m.Reason, m.Status)
	}
	switch value {
	case "true":
		return Fact{State: Yes, Path: path, Value: value, Reason: good}
	case "false":
		return Fact{Path: path, Value: value, Reason: bad}
	case "mixed":
		return Fact{Path: path, Value: value, Reason: bad + " on some of its nodes"}
	default:
		return unseen(path, "its nodes do not tell", b.gap())
	}
}

// boundary finds what stands between the workload and the kernel of its node.
func (b *workload) boundary(handlers []string) {
	in, w := b.in, b.w
	in.Boundary = boundaryOf(w.RuntimeClass.Handler, handlers)
	in.Holds = b.sandbox()
	if w.Nodes.PodPerMachine == "true" {
		if _, missing := b.missing("nodes.pod_per_machine"); !missing {
			in.Boundary = max(in.Boundary, PodVM)
			in.Holds = Fact{State: Yes, Path: "nodes.pod_per_machine", Value: "true", Reason: "its provider gives each pod a machine of its own"}
		}
	}
	in.Offered = b.node("nodes.user_namespaces", w.Nodes.UserNamespaces, "its nodes support user namespaces", "no support for user namespaces")
	if minor := w.Nodes.KubeletMinor; in.Offered.State == Yes && minor > 0 && minor < 33 {
		in.Offered = unseen("nodes.kubelet_minor", "kubelets before 1.33 have user namespaces behind a feature gate that cannot be seen", b.gap())
	}
	if in.Windows {
		in.Offered = Fact{Path: "os", Value: w.OS, Reason: "Windows has none"}
	}
	in.UserNamespace = b.of("host_users", false, w.HostUsers, "", "nothing: it runs on the kernel of its node, in the user namespace of its node")
	if w.HostUsers == "false" && in.UserNamespace.State == No {
		in.UserNamespace = in.Offered
		if in.Offered.State == Yes {
			in.UserNamespace.Path, in.UserNamespace.Value, in.UserNamespace.Reason = "host_users", w.HostUsers, "a user namespace: root in it is nobody on the node"
		}
	}
	in.Attested = unseen("", "no collector tells whether the machine was attested", facts.NotAssessed)
	in.HypervisorSound = unseen("", "no collector has looked at the hypervisor", facts.NotAssessed)
}

// sandbox says whether the runtime class is in force. A handler that the node
// does not have makes the pod fail; it never falls back to another.
func (b *workload) sandbox() Fact {
	c := &b.w.RuntimeClass
	f := Fact{State: Yes, Path: "runtime_class.handler", Value: c.Handler, Reason: "its runtime class puts another kernel between it and the node"}
	if m, missing := b.missing("runtime_class.exists"); missing && c.Name != "" {
		return unseen("runtime_class.exists", m.Reason, m.Status)
	}
	switch {
	case c.Name == "":
		f.State, f.Reason = No, "the node's default runtime"
	case c.Exists == "false":
		f.State, f.Path, f.Value, f.Reason = No, "runtime_class.exists", "false", "its runtime class "+c.Name+" does not exist"
	case c.Exists != "true":
		return unseen("runtime_class.exists", "whether the runtime class "+c.Name+" exists, and which handler it names, cannot be seen", b.gap())
	case c.Available == "false":
		f.State, f.Path, f.Value, f.Reason = No, "runtime_class.available", "false", "no node of it has the handler "+c.Handler
	}
	return f
}

// boundaryOf knows runtime handlers by their names, as policies/lib/sandbox.rego
// does; a handler that only the user knows counts as a kernel of its own.
func boundaryOf(handler string, further []string) Boundary {
	name := strings.TrimPrefix(strings.ToLower(handler), "io.containerd.")
	is := func(word string) bool { return name == word || strings.HasPrefix(name, word+"-") }
	confidential := strings.Contains(name, "-tdx") || strings.Contains(name, "-snp") || strings.Contains(name, "-sev") ||
		strings.HasSuffix(name, "-se") || strings.HasPrefix(name, "kata-cc")
	kata := name == "krun" || name == "cloud-hypervisor" || name == "remotehyp" || is("firecracker") || name == "runhcs-wcow-hypervisor" ||
		strings.HasPrefix(name, "kata-") || allLetters(name, "kata") || strings.HasPrefix(name, "kata") && name != strings.ToLower(handler)
	switch {
	case kata && confidential:
		return ConfidentialVM
	case kata:
		return PodVM
	case is("runsc"), is("gvisor"), strings.HasPrefix(name, "runsc") && name != strings.ToLower(handler):
		return SandboxKernel
	case handler != "" && slices.Contains(further, handler):
		return SandboxKernel
	default:
		return SharedKernel
	}
}

// allLetters: the prefix and then letters alone, as "katafc".
func allLetters(name, prefix string) bool {
	rest, ok := strings.CutPrefix(name, prefix)
	return ok && strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz") == ""
}

func (b *workload) namespaces() {
	in, w := b.in, b.w
	in.OwnPID = b.of("host_pid", !w.HostPID, strconv.FormatBool(w.HostPID), "it sees its own processes alone", "hostPID is true")
	in.OwnIPC = b.of("host_ipc", !w.HostIPC, strconv.FormatBool(w.HostIPC), "it has an IPC namespace of its own", "hostIPC is true")
	in.OwnNetwork = b.of("host_network", !w.HostNetwork, strconv.FormatBool(w.HostNetwork), "it has a network of its own", "hostNetwork is true")
	if w.SecurityContext.HostProcess == "true" || slices.ContainsFunc(w.Containers, func(c facts.Container) bool { return c.SecurityContext.HostProcess == "true" }) {
		in.Dangers = append(in.Dangers, Danger{Level: 0, What: "it is a HostProcess on Windows", Path: "security_context.host_process", Value: "true", Mend: "set windowsOptions.hostProcess to false"})
	}
}

// volumes finds the paths and devices of the node that the containers see.
func (b *workload) volumes() {
	in := b.in
	in.NoHostFiles = b.of("volumes", true, "", "no volume of it is a path of the node", "")
	for i := range b.w.Volumes {
		v := &b.w.Volumes[i]
		if v.HostPath == "" && v.Type != "hostPath" {
			continue
		}
		at := "volumes[" + strconv.Itoa(i) + "]"
		in.HostFiles = append(in.HostFiles, at)
		if in.NoHostFiles.State != No {
			in.NoHostFiles = Fact{Path: at + ".host_path", Value: v.HostPath, Reason: "a volume of it is a path of the node"}
		}
		for j := range v.Mounts {
			b.mount(at, v, &v.Mounts[j])
		}
		if len(v.Devices) > 0 {
			in.danger(at, at+".host_path", v.HostPath, 1, "a container has "+v.HostPath+" of the node as a raw block device")
		}
	}
}

// mount tells what a mount of a path of the node breaks.
func (b *workload) mount(at string, v *facts.Volume, m *facts.VolumeMount) {
	p := v.HostPath
	if p == "" {
		return
	}
	if m.SubPath != "" && !strings.Contains(m.SubPath, "$(") { // it narrows the path, unless only the start of the container can tell it
		p = strings.TrimRight(p, "/") + "/" + m.SubPath
	}
	b.in.dangers(at, at+".host_path", p, m.ReadOnly)
	if !isDevice(p) && (v.HostPathType == "BlockDevice" || v.HostPathType == "CharDevice") {
		b.in.danger(at, at+".host_path", p, 1, "a container has the device "+p+" of the node")
	}
}

// nodes takes what the nodes tell.
func (b *workload) nodes() {
	in, n := b.in, &b.w.Nodes
	in.AppArmor = b.node("nodes.apparmor", n.AppArmor, "AppArmor confines it with the runtime's profile, or its own", "its nodes have no AppArmor")
	in.SELinux = b.node("nodes.selinux", n.SELinux, "SELinux confines it", "its nodes have no SELinux that enforces")
	in.SeccompDefault = b.node("nodes.seccomp_default", n.SeccompDefault, "no profile is named, and the kubelet puts the runtime's in place", "no profile is named, and the kubelet puts none in place")
	in.PIDBound = b.node("nodes.pid_limit", n.PIDLimit, "its containers have a memory limit, and the kubelet bounds the processes of a pod", "the kubelet does not bound the processes of a pod")
	in.VirtualMachine = b.node("nodes.virtual_machine", n.VirtualMachine, "its nodes are virtual machines", "its nodes are no virtual machines")
	in.Sound = b.node("nodes.verified_boot", n.VerifiedBoot, "", "its nodes do not boot verified")
	if in.Sound.State == Yes { // verified boot is only the first half
		in.Sound = unseen("nodes.verified_boot", "whether its nodes are patched needs the machine's own facts", facts.NotAssessed)
	}
	in.OffControlPlane = b.of("nodes.control_plane", !n.ControlPlane, strconv.FormatBool(n.ControlPlane), "none of its nodes belongs to the control plane", "one of its nodes belongs to the control plane")
	if in.OffControlPlane.State != Unseen && n.KubeletMinor == 0 && len(n.Runtimes) == 0 {
		in.OffControlPlane = unseen("nodes.control_plane", "no node that it runs on was seen", b.gap())
	}
	b.reserved()
}

// reserved: nobody keeps a node for a workload of which nobody says whose it is.
func (b *workload) reserved() {
	in, w := b.in, b.w
	switch {
	case in.Boundary >= PodVM && in.Holds.Path == "nodes.pod_per_machine":
		in.Reserved = in.Holds
	case w.Class.Tenant == "" && w.Class.Sensitivity == "":
		in.Reserved = Fact{Path: "class.tenant", Reason: "no label says whose it is, so no node is kept for it"}
	default:
		in.Reserved = b.node("nodes.reserved", w.Nodes.Reserved, "its nodes are tainted and carry nobody else's workloads", "its nodes may carry the workloads of others")
	}
}

func (b *workload) containers() {
	b.in.Containers = make([]Container, len(b.w.Containers))
	for i := range b.w.Containers {
		b.in.Containers[i] = b.container(&b.w.Containers[i], "containers["+strconv.Itoa(i)+"]")
	}
}

func (b *workload) container(c *facts.Container, at string) Container {
	out := Container{
		Path: at, Privileged: c.Privileged, Seccomp: c.Effective.Seccomp,
		NoNewPrivileges: Fact{Path: at + ".allow_privilege_escalation", Value: c.AllowPrivilegeEscalation, Reason: "allowPrivilegeEscalation is not false"},
		ReadOnlyRoot:    Fact{Path: at + ".read_only_root_filesystem", Value: strconv.FormatBool(c.ReadOnlyRootFilesystem), Reason: "readOnlyRootFilesystem is not true"},
	}
	if c.Effective.NoNewPriv {
		out.NoNewPrivileges.State, out.NoNewPrivileges.Reason = Yes, "set-uid programs give it nothing"
	}
	if c.ReadOnlyRootFilesystem {
		out.ReadOnlyRoot.State, out.ReadOnlyRoot.Reason = Yes, "what runs in it cannot be replaced"
	}
	appArmor := c.Effective.AppArmor
	caps := c.Effective.Capabilities
	if c.Privileged { // what it would be without
		out.Seccomp = underlying(c.SecurityContext.Seccomp, b.w.SecurityContext.Seccomp)
		appArmor = underlying(c.SecurityContext.AppArmor, b.w.SecurityContext.AppArmor)
		caps = writtenSet(c.CapabilitiesAdd, c.CapabilitiesDrop)
	}
	out.AppArmorOff = appArmor == "Unconfined"
	out.SELinuxOff = selinuxOff(&b.w.SecurityContext.SELinux, &c.SecurityContext.SELinux)
	out.capabilities(c, caps)
	path := at + ".effective.root"
	switch c.Effective.Root {
	case "no":
		out.NonRoot = Fact{State: Yes, Path: path, Value: "no", Reason: "its user is not root"}
	case "yes":
		out.NonRoot = Fact{Path: path, Value: "yes", Reason: "it asks for user 0"}
	default:
		out.NonRoot = unseen(path, "the image decides which user it is; set runAsNonRoot", facts.NotAssessed)
	}
	limit := at + ".resources.memory_limit"
	out.MemoryBound = Fact{State: Yes, Path: limit, Value: c.Resources.MemoryLimit, Reason: "its memory is bounded"}
	if c.Resources.MemoryLimit == "unset" {
		out.MemoryBound.State, out.MemoryBound.Reason = No, "it has no memory limit"
		if m, missing := b.r.MissingAt("containers[].resources"); missing { // a default of the namespace may have been missed
			out.MemoryBound = unseen(limit, m.Reason, m.Status)
		}
	}
	return out
}

// underlying picks the container's profile, else the pod's, else the node's.
func underlying(own, pod string) string {
	if own == "unset" {
		own = pod
	}
	switch own {
	case "unset":
		return "node"
	case "RuntimeDefault", "Localhost":
		return own
	default:
		return "Unconfined"
	}
}

// selinuxOff is the option by which a container leaves the types that are made
// for containers; "" where it does not.
func selinuxOff(pod, own *facts.SELinux) string {
	if t := cmp.Or(own.Type, pod.Type); !slices.Contains(selinuxTypes(), t) {
		return t
	}
	return cmp.Or(own.User, pod.User, own.Role, pod.Role)
}

// runtimeDefault is the largest default set of a runtime.
func runtimeDefault() []string { return facts.DefaultCapabilities("containerd") }

// capabilities rates a set. Where the runtime's default was assumed, it may be a smaller one.
func (c *Container) capabilities(f *facts.Container, set []string) {
	c.rate(set)
	if c.Capabilities == pointsDefaultSet && f.Effective.CapabilityBase == "default" && f.Effective.CapabilityDefault == "assumed" && !slices.Contains(f.CapabilitiesAdd, "NET_RAW") {
		c.MayHave = pointsWithoutRaw // CRI-O and Podman give no NET_RAW
	}
}

// worth is the points for a set of capabilities.
func worth(set []string) int {
	beyond := func(allowed ...string) bool {
		return slices.ContainsFunc(set, func(n string) bool { return !slices.Contains(allowed, n) })
	}
	switch {
	case !beyond("NET_BIND_SERVICE"):
		return pointsDropped
	case beyond(runtimeDefault()...):
		return 0
	case slices.Contains(set, "NET_RAW"):
		return pointsDefaultSet
	default:
		return pointsWithoutRaw
	}
}
