package isolation

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/postscan/postscan/scanner/facts"
)

// FromContainer makes the Input of a container of an engine. What Pod Security
// asks of a pod is asked of it by what it means for a container. ok is false for
// a resource of another kind.
func FromContainer(r *facts.Resource, handlers []string) (in *Input, ok bool) {
	c, ok := r.Facts.(*facts.EngineContainer)
	if !ok {
		return nil, false
	}
	b := &engineContainer{seen{r}, c, &Input{Engine: true}}
	if m, missing := b.missing("capabilities"); missing {
		b.in.Nothing = unseen("capabilities", m.Reason, m.Status)
		return b.in, true
	}
	b.boundary(handlers)
	b.namespaces()
	b.mounts()
	b.machine()
	b.container()
	b.controls()
	return b.in, true
}

// engineContainer is an Input on its way.
type engineContainer struct {
	seen
	c  *facts.EngineContainer
	in *Input
}

func (b *engineContainer) boundary(handlers []string) {
	in, c := b.in, b.c
	in.Boundary = boundaryOf(c.Runtime, handlers)
	if c.Sandboxed {
		in.Boundary = max(in.Boundary, SandboxKernel)
	}
	in.Holds = b.of("sandboxed", in.Boundary != SharedKernel, strconv.FormatBool(c.Sandboxed), "its runtime puts another kernel between it and the machine", "the engine's default runtime")
	in.UserNamespace = b.of("namespaces.user", c.Namespaces.User == "private", c.Namespaces.User,
		"a user namespace: root in it is nobody on the machine", "nothing: it runs on the kernel of its machine, in the user namespace of its machine")
	if c.Rootless {
		in.UserNamespace = b.of("rootless", true, "true", "the engine itself has no rights of root", "")
	}
	in.Offered = b.of("engine_remaps", c.EngineRemaps, strconv.FormatBool(c.EngineRemaps), "the engine gives user namespaces", "the engine gives no user namespaces")
	in.Attested = unseen("", "no collector tells whether the machine was attested", facts.NotAssessed)
	in.HypervisorSound = unseen("", "no collector has looked at the hypervisor", facts.NotAssessed)
}

// namespaces: one that is shared with another container is its own unless that
// one is in the machine's.
func (b *engineContainer) namespaces() {
	n := &b.c.Namespaces
	own := func(path, mode, good, bad string) Fact {
		f := b.of(path, mode != "host", mode, good, bad)
		if mode != "container" || f.State != Yes {
			return f
		}
		switch n.OtherPrivileged {
		case "true":
			f.State, f.Reason = No, "it is that of a container which is privileged or in the machine's own"
		case "false":
		default:
			f = unseen(path, "whose it shares was not seen", facts.Unknown)
		}
		return f
	}
	b.in.OwnPID = own("namespaces.pid", n.PID, "it sees its own processes alone", "it shares the processes of its machine")
	b.in.OwnIPC = own("namespaces.ipc", n.IPC, "it has an IPC namespace of its own", "it shares the IPC namespace of its machine")
	b.in.OwnNetwork = own("namespaces.network", n.Network, "it has a network of its own", "it shares the network of its machine")
}

// mounts finds the paths and devices of the machine that it sees.
func (b *engineContainer) mounts() {
	in, c := b.in, b.c
	in.NoHostFiles = b.of("mounts", true, "", "it sees no path of the machine", "")
	for i := range c.Mounts {
		m := &c.Mounts[i]
		if m.Type != "bind" && m.Type != "npipe" {
			continue
		}
		at := "mounts[" + strconv.Itoa(i) + "]"
		b.hostFile(at, at+".source", m.Source, "a path of the machine is mounted")
		in.dangers(at, at+".source", m.Source, m.ReadOnly)
	}
	for i := range c.Devices {
		at := "devices[" + strconv.Itoa(i) + "]"
		b.hostFile(at, at+".host", c.Devices[i].Host, "it has a device of the machine")
		if !isHarmless(c.Devices[i].Host) {
			in.danger(at, at+".host", c.Devices[i].Host, 1, "a container has the device "+c.Devices[i].Host+" of the node")
		}
	}
	for i, rule := range c.DeviceRules {
		at := "device_rules[" + strconv.Itoa(i) + "]"
		b.hostFile(at, at, rule, "it may have a device of the machine")
		in.danger(at, at, rule, 1, "a container may have devices of the node ("+rule+")")
	}
	if c.PrivilegedExecs > 0 {
		in.Dangers = append(in.Dangers, Danger{
			Level: 0, What: "a privileged session runs in it", Path: "privileged_execs", Value: strconv.Itoa(c.PrivilegedExecs), Mend: "end the privileged session",
		})
	}
}

func (b *engineContainer) hostFile(at, path, value, reason string) {
	b.in.HostFiles = append(b.in.HostFiles, at)
	if b.in.NoHostFiles.State != No {
		b.in.NoHostFiles = Fact{Path: path, Value: value, Reason: reason}
	}
}

// machine is what the machine below the engine decides. Who scans it with
// postscan vm learns more of it.
func (b *engineContainer) machine() {
	in, c := b.in, b.c
	const own = "needs the machine's own facts; scan it with postscan vm"
	in.VirtualMachine = unseen("", own, facts.NotAssessed)
	in.Sound = unseen("", own, facts.NotAssessed)
	in.Reserved = Fact{Path: "name", Value: c.Name, Reason: "nothing says whose it is, so no machine is kept for it"}
	in.OffControlPlane = Fact{State: Yes, Path: "pod.name", Reason: "it is no part of a cluster"}
	if c.Pod.Name != "" {
		in.OffControlPlane = unseen("pod.name", "whether the machine belongs to a control plane is the cluster's to tell", facts.NotAssessed)
	}
	in.PIDBound = b.of("limits.pids", c.Limits.PIDs > 0, strconv.FormatInt(c.Limits.PIDs, 10), "its memory and its processes are bounded", "nothing bounds its processes")
	in.AppArmor = b.of("apparmor", c.AppArmor != "none" && c.AppArmor != "Unconfined", c.AppArmor, "an AppArmor profile confines it", "no AppArmor profile confines it")
	in.SELinux = b.of("selinux", !slices.Contains([]string{"", "none", "disabled", "unconfined"}, c.SELinux), c.SELinux, "SELinux confines it", "SELinux does not confine it")
	in.SeccompDefault = Fact{Path: "seccomp", Value: c.Seccomp, Reason: "nothing filters its system calls"}
}

func (b *engineContainer) container() {
	c := b.c
	out := Container{
		Privileged: c.Privileged, Seccomp: c.Seccomp,
		NoNewPrivileges: b.of("no_new_privileges", c.NoNewPrivileges, strconv.FormatBool(c.NoNewPrivileges), "set-uid programs give it nothing", "set-uid programs may give it more rights"),
		ReadOnlyRoot:    b.of("read_only_root", c.ReadOnlyRoot, strconv.FormatBool(c.ReadOnlyRoot), "what runs in it cannot be replaced", "what runs in it can be replaced"),
	}
	if m, missing := b.missing("seccomp"); missing {
		out.Seccomp, b.in.SeccompDefault = "node", unseen("seccomp", m.Reason, m.Status)
	}
	set := c.Capabilities
	if c.Privileged { // what it would be without
		set = writtenSet(c.CapabilitiesAdd, c.CapabilitiesDrop)
		out.Seccomp = "RuntimeDefault"
	}
	out.rate(set)
	switch c.Root {
	case "no":
		out.NonRoot = b.of("root", true, c.Root, "its user is not root", "")
	case "yes":
		out.NonRoot = b.of("root", false, c.Root, "", "it runs as user 0")
	default:
		out.NonRoot = unseen("root", "the image decides which user it is", facts.NotAssessed)
	}
	out.MemoryBound = b.of("limits.memory", c.Limits.Memory > 0, strconv.FormatInt(c.Limits.Memory, 10), "its memory is bounded", "it has no memory limit")
	b.in.Containers = []Container{out}
}

// controls says which controls of Pod Security its settings would fail.
func (b *engineContainer) controls() {
	in, c := b.in, b.c
	p := podControls{}
	fails := func(add func(string), id string, when bool) {
		if when {
			add(id)
		}
	}
	box := &in.Containers[0]
	fails(p.baseline, "privileged", c.Privileged)
	fails(p.baseline, "hostNamespaces", c.Namespaces.PID == "host" || c.Namespaces.IPC == "host" || c.Namespaces.Network == "host")
	fails(p.baseline, "hostPathVolumes", len(in.HostFiles) > 0)
	fails(p.restricted, "restrictedVolumes", len(in.HostFiles) > 0)
	fails(p.baseline, "capabilities_baseline", box.Capabilities == 0)
	fails(p.restricted, "capabilities_restricted", box.Capabilities < pointsDropped)
	fails(p.baseline, "appArmorProfile", c.AppArmor == "Unconfined")
	fails(p.baseline, "seLinuxOptions", c.SELinux == "unconfined")
	fails(p.baseline, "procMount", !c.MaskedPaths)
	fails(p.restricted, "procMount_restricted", !c.MaskedPaths)
	fails(p.baseline, "seccompProfile_baseline", c.Seccomp == "Unconfined")
	fails(p.restricted, "seccompProfile_restricted", c.Seccomp == "Unconfined")
	fails(p.restricted, "allowPrivilegeEscalation", box.NoNewPrivileges.State != Yes)
	fails(p.restricted, "runAsNonRoot", box.NonRoot.State != Yes && in.UserNamespace.State != Yes)
	in.Baseline, in.Restricted = sorted(p.low), sorted(p.high)
}

// seen is what makers of Inputs share: a resource and what of it is missing.
type seen struct{ r *facts.Resource }

// missing says whether nothing is known of a path.
func (b seen) missing(path string) (facts.Missing, bool) {
	m, ok := b.r.MissingAt(path)
	return m, ok && !m.Partial
}

// of makes a fact of one that is always seen unless it is missing.
func (b seen) of(path string, yes bool, value, good, bad string) Fact {
	if m, missing := b.missing(path); missing {
		return unseen(path, m.Reason, m.Status)
	}
	if yes {
		return Fact{State: Yes, Path: path, Value: value, Reason: good}
	}
	return Fact{Path: path, Value: value, Reason: bad}
}

// dangers are what the mount of a path of the machine breaks; volume is the one
// of HostFiles that brings it.
func (in *Input) dangers(volume, fact, p string, readOnly bool) {
	if p == "" {
		return
	}
	open := isSensitive(p) && !isSocket(p)
	if reachesSocket(p) {
		in.danger(volume, fact, p, 0, "a container sees "+p+" of the node, which is or holds the socket of a runtime or of the kubelet")
	}
	if open && !readOnly && !isHarmless(p) {
		in.danger(volume, fact, p, 0, "a container may write to "+p+" of the node")
	}
	if open && readOnly && !isPublic(p) {
		in.danger(volume, fact, p, 1, "a container reads "+p+" of the node")
	}
	if isDevice(p) {
		in.danger(volume, fact, p, 1, "a container has the device "+p+" of the node")
	}
}

func (in *Input) danger(volume, fact, value string, level int, what string) {
	d := Danger{Level: level, What: what, Path: fact, Value: value, Mend: "do not mount " + value + " of the node", Volume: volume}
	if !slices.Contains(in.Dangers, d) {
		in.Dangers = append(in.Dangers, d)
	}
}

// writtenSet is the set of a container that is no longer privileged.
func writtenSet(add, drop []string) []string {
	set := []string{}
	upper := func(name string) string { return strings.TrimPrefix(strings.ToUpper(name), "CAP_") }
	holds := func(list []string, name string) bool {
		return slices.ContainsFunc(list, func(v string) bool { return upper(v) == name })
	}
	switch {
	case holds(drop, "ALL"):
	case holds(add, "ALL"):
		set = append(set, "ALL")
	default:
		set = append(set, runtimeDefault()...)
	}
	for _, name := range add {
		if n := upper(name); n != "ALL" && !slices.Contains(set, n) {
			set = append(set, n)
		}
	}
	set = slices.DeleteFunc(set, func(n string) bool { return holds(drop, n) })
	slices.Sort(set)
	return set
}

// rate gives a set of capabilities its points.
func (c *Container) rate(set []string) {
	for _, name := range set {
		if slices.Contains(takeoverCapabilities(), name) {
			c.Takeover = append(c.Takeover, name)
		}
	}
	slices.Sort(c.Takeover)
	c.Capabilities, c.Capable = worth(set), cmp.Or(strings.Join(set, ", "), "none")
	c.MayHave = c.Capabilities
	c.Spared = worth(slices.DeleteFunc(slices.Clone(set), func(n string) bool { return slices.Contains(c.Takeover, n) }))
}
