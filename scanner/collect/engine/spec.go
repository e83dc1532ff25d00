package engine

import (
	"slices"

	oci "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/postscan/postscan/scanner/facts"
)

// ociSpec is the OCI specification of a container.
type ociSpec struct{ oci.Spec }

// specFields are the facts that only the specification tells.
func specFields() []string {
	return []string{
		"privileged", "root", "capabilities", "seccomp", "apparmor", "selinux", "no_new_privileges", "masked_paths", "read_only_root",
		"devices", "limits", "namespaces", "literal_secrets",
	}
}

// containerFields are all facts of a container but its name.
func containerFields() []string {
	return append(specFields(),
		"mounts", "ports", "networks", "sysctls", "restart", "health", "device_rules", "cgroup_parent", "sandboxed", "rootless",
		"privileged_execs", "user", "capabilities_add", "capabilities_drop", "engine_remaps", "state", "image", "public_address", "iptables", "pod", "runtime")
}

// devices are the paths of the devices that were added.
func (o *ociSpec) devices() []string {
	if o.Linux == nil {
		return nil
	}
	var out []string
	for _, d := range o.Linux.Devices {
		if !slices.Contains([]string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/console", "/dev/ptmx"}, d.Path) {
			out = append(out, d.Path)
		}
	}
	return out
}

// spec adds what the OCI specification says, whichever engine wrote it.
func (s *session) spec(c *container, o *ociSpec) {
	d := &c.doc
	d.MaskedPaths, d.Seccomp = false, "Unconfined"
	if p := o.Process; p != nil {
		d.NoNewPrivileges = p.NoNewPrivileges
		d.Root = "no"
		if p.User.UID == 0 {
			d.Root = "yes"
		}
		if p.Capabilities != nil {
			d.Capabilities = whole(names(p.Capabilities.Bounding))
		}
		switch {
		case p.ApparmorProfile == "unconfined", p.ApparmorProfile == "" && s.facts.AppArmor == "enabled":
			d.AppArmor = "Unconfined"
		case p.ApparmorProfile != "":
			d.AppArmor = p.ApparmorProfile
		}
		switch t := selinuxType(p.SelinuxLabel); {
		case t != "":
			d.SELinux = t
		case s.facts.SELinux == "enabled":
			d.SELinux = "disabled"
		}
		d.LiteralSecrets = s.secrets("spec.process", p.Env, p.Args)
	}
	if d.Privileged {
		d.Capabilities = []string{"ALL"}
	}
	d.ReadOnlyRoot = o.Root != nil && o.Root.Readonly
	l := o.Linux
	if l == nil {
		return
	}
	d.CgroupParent = ""
	d.MaskedPaths = len(l.MaskedPaths) > 0
	if l.Seccomp != nil {
		d.Seccomp = "RuntimeDefault"
	}
	n := &d.Namespaces
	seen := map[oci.LinuxNamespaceType]bool{}
	for _, ns := range l.Namespaces {
		seen[ns.Type] = true
		if ns.Type == oci.UserNamespace {
			n.User = "private"
		}
	}
	for kind, to := range map[oci.LinuxNamespaceType]*string{
		oci.PIDNamespace: &n.PID, oci.NetworkNamespace: &n.Network, oci.IPCNamespace: &n.IPC, oci.UTSNamespace: &n.UTS, oci.CgroupNamespace: &n.Cgroup,
	} {
		if !seen[kind] {
			*to = "host"
		}
	}
	for name := range l.Sysctl {
		d.Sysctls = append(d.Sysctls, name)
	}
	slices.Sort(d.Sysctls)
	if r := l.Resources; r != nil {
		if r.Memory != nil && r.Memory.Limit != nil {
			d.Limits.Memory = max(*r.Memory.Limit, 0)
		}
		if r.Pids != nil && r.Pids.Limit != nil {
			d.Limits.PIDs = max(*r.Pids.Limit, 0)
		}
		d.Limits.CPU = r.CPU != nil && (r.CPU.Quota != nil && *r.CPU.Quota > 0 || r.CPU.Cpus != "")
	}
	for _, dev := range o.devices() {
		d.Devices = append(d.Devices, facts.ContainerDevice{Host: dev, Container: dev, Permissions: "rwm"})
	}
}
