package isolation

import (
	"slices"
	"strings"

	"github.com/postscan/postscan/scanner/facts"
)

// podSecurity returns the controls of the baseline and of the restricted level
// of Pod Security that a workload fails, each once, sorted, by the ids of the
// admission plugin. The version is always the latest: the level of isolation of
// a workload does not depend on a label of its namespace. What is decided is
// what policies/lib/pod_security_controls.rego says, which a test holds it to.
func podSecurity(w *facts.Workload) (baseline, restricted []string) {
	p := podControls{w: w, windows: w.OS == "windows", relaxed: w.HostUsers == "false"}
	p.namespaces()
	for i := range w.Containers {
		p.container(&w.Containers[i])
	}
	p.place(&w.SecurityContext)
	for i := range w.Containers {
		p.place(&w.Containers[i].SecurityContext)
	}
	for i := range w.AppArmorNotes {
		if v := w.AppArmorNotes[i].Value; v != "" && v != "runtime/default" && !strings.HasPrefix(v, "localhost/") {
			p.baseline("appArmorProfile")
		}
	}
	for i := range w.Volumes {
		if w.Volumes[i].Type == "hostPath" {
			p.baseline("hostPathVolumes")
		}
		if !slices.Contains(restrictedVolumes(), w.Volumes[i].Type) {
			p.restricted("restrictedVolumes")
		}
	}
	for i := range w.Sysctls {
		if !slices.Contains(safeSysctls(), w.Sysctls[i].Name) {
			p.baseline("sysctls")
		}
	}
	return sorted(p.low), sorted(p.high)
}

// podControls gathers what fails.
type podControls struct {
	w         *facts.Workload
	windows   bool
	relaxed   bool // a user namespace: some controls are then content
	low, high []string
}

// overridden are controls of baseline in whose place one of restricted stands.
func overridden() []string {
	return []string{"hostPathVolumes", "seccompProfile_baseline", "capabilities_baseline", "procMount"}
}

func (p *podControls) baseline(id string) {
	p.low = append(p.low, id)
	if !slices.Contains(overridden(), id) {
		p.high = append(p.high, id)
	}
}

func (p *podControls) restricted(id string) { p.high = append(p.high, id) }

func (p *podControls) namespaces() {
	if p.w.HostPID || p.w.HostIPC || p.w.HostNetwork {
		p.baseline("hostNamespaces")
	}
}

func (p *podControls) container(c *facts.Container) {
	if c.Privileged {
		p.baseline("privileged")
	}
	for i := range c.Ports {
		if c.Ports[i].HostPort != 0 {
			p.baseline("hostPorts")
		}
	}
	for _, name := range c.CapabilitiesAdd {
		if !slices.Contains(baselineCapabilities(), name) {
			p.baseline("capabilities_baseline")
		}
		if name != "NET_BIND_SERVICE" && !p.windows {
			p.restricted("capabilities_restricted")
		}
	}
	if c.ProcMount != "unset" && c.ProcMount != "Default" {
		p.restricted("procMount_restricted")
		if !p.relaxed {
			p.baseline("procMount")
		}
	}
	for i := range c.HostProbes {
		if c.HostProbes[i].Host != "" {
			p.baseline("hostProbesAndHostLifecycle")
		}
	}
	pod := &p.w.SecurityContext
	if !p.relaxed && pod.RunAsNonRoot != "true" && c.SecurityContext.RunAsNonRoot == "unset" {
		p.restricted("runAsNonRoot")
	}
	if p.windows {
		return
	}
	if c.AllowPrivilegeEscalation != "false" {
		p.restricted("allowPrivilegeEscalation")
	}
	if !slices.Contains(c.CapabilitiesDrop, "ALL") {
		p.restricted("capabilities_restricted")
	}
	if pod.Seccomp != "RuntimeDefault" && pod.Seccomp != "Localhost" && c.SecurityContext.Seccomp == "unset" {
		p.restricted("seccompProfile_restricted")
	}
}

// place looks at what the pod and its containers both have.
func (p *podControls) place(c *facts.SecurityContext) {
	if !slices.Contains(profiles(), c.AppArmor) {
		p.baseline("appArmorProfile")
	}
	if !slices.Contains(selinuxTypes(), c.SELinux.Type) || c.SELinux.User != "" || c.SELinux.Role != "" {
		p.baseline("seLinuxOptions")
	}
	if !slices.Contains(profiles(), c.Seccomp) {
		p.baseline("seccompProfile_baseline")
		if !p.windows {
			p.restricted("seccompProfile_restricted")
		}
	}
	if c.HostProcess == "true" {
		p.baseline("windowsHostProcess")
	}
	if !p.relaxed && c.RunAsNonRoot == "false" {
		p.restricted("runAsNonRoot")
	}
	if !p.relaxed && c.RunAsUser == 0 {
		p.restricted("runAsUser")
	}
}

func sorted(ids []string) []string {
	slices.Sort(ids)
	return slices.Compact(ids)
}
