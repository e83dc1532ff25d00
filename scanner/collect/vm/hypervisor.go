package vm

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"github.com/postscan/postscan/scanner/facts"
)

// sign is what one place says of the machine.
type sign struct {
	source, value string
	hypervisor    string // "" where it only says that there is one, or nothing
	container     string
	provider      string
	bare          bool // it says bare metal
	weight        int  // 3 certain, 2 likely, 1 a hint
}

// machine finds out what the system runs on.
func (s *scan) machine() {
	if s.diskCannot("machine") {
		return
	}
	signs := slices.Concat(s.cpuSigns(), s.dmiSigns(), s.acpiSigns(), s.xenSigns(), s.deviceTreeSigns(), s.containerSigns())
	m := decide(signs)
	if m.Container == "" && m.Kind == "vm" {
		// The flag of a processor alone is not a hypervisor's name.
		s.at("machine.hypervisor", source(signs, m.Hypervisor))
	}
	for _, g := range signs {
		m.Evidence = append(m.Evidence, facts.Evidence{Source: g.source, Value: g.value, Says: says(g)})
	}
	if m.Kind == "unknown" {
		s.unknown("machine.kind", "nothing tells whether this is a virtual machine: neither the processor nor /sys could be asked")
		s.unknown("machine.hypervisor", "nothing tells whether this is a virtual machine")
	}
	s.doc.Machine = m
}

func says(g sign) string {
	switch {
	case g.container != "":
		return g.container
	case g.bare:
		return "bare-metal"
	case g.hypervisor != "" && g.provider != "":
		return g.hypervisor + " " + g.provider
	case g.provider != "":
		return g.provider
	default:
		return g.hypervisor
	}
}

func source(signs []sign, hypervisor string) string {
	for _, g := range signs {
		if g.hypervisor == hypervisor {
			return g.source
		}
	}
	return "CPUID leaf 1"
}

// decide weighs the signs.
func decide(signs []sign) facts.Machine {
	m := facts.Machine{Kind: "unknown", Hypervisor: "unknown", Confidence: "guessed"}
	best, virtual, bare := 0, 0, 0
	for _, g := range signs {
		if g.provider != "" && m.Provider == "" {
			m.Provider = g.provider
		}
		switch {
		case g.bare:
			bare = max(bare, g.weight)
		case g.container != "":
		case g.hypervisor != "":
			virtual = max(virtual, g.weight)
			if g.weight > best || g.weight == best && refines(g.hypervisor, m.Hypervisor) {
				best, m.Hypervisor = max(best, g.weight), g.hypervisor
			} else if refines(g.hypervisor, m.Hypervisor) {
				m.Hypervisor = g.hypervisor
			}
		case g.weight > 0 && g.provider == "":
			virtual = max(virtual, g.weight)
		}
	}
	switch {
	case bare > 0 && bare >= virtual:
		m.Kind, m.Hypervisor, m.Confidence = "bare-metal", "none", confidence(bare)
	case virtual > 0:
		m.Kind, m.Confidence = "vm", confidence(virtual)
	}
	strong, weak := container(signs)
	switch {
	case strong != "":
		m.Kind, m.Container = "container", strong
	case weak != "" && confined(signs):
		m.Kind, m.Container, m.Confidence = "container", weak, "likely"
	}
	return m
}

func confidence(weight int) string {
	return []string{"guessed", "guessed", "likely", "certain"}[weight]
}

// refines says that a name is a closer one for the same hypervisor: several
// monitors run on KVM, and QEMU may use it.
func refines(name, known string) bool {
	switch known {
	case "unknown":
		return true
	case "kvm":
		return name == "firecracker" || name == "cloud-hypervisor"
	case "hyper-v":
		// QEMU and VirtualBox can pretend to be Hyper-V for Windows' sake.
		return name == "qemu" || name == "kvm" || name == "virtualbox"
	case "qemu":
		return name == "kvm"
	default:
		return false
	}
}

// container returns the engine that strong and weak signs name.
func container(signs []sign) (strong, weak string) {
	for _, g := range signs {
		switch {
		case g.container == "":
		case g.weight >= 2 && strong == "":
			strong = g.container
		case g.weight < 2 && weak == "":
			weak = g.container
		}
	}
	return strong, weak
}

// confined says that this process is not in the namespaces that the kernel
// started with.
func confined(signs []sign) bool {
	return slices.ContainsFunc(signs, func(g sign) bool { return g.source == pidNamespace || g.source == "/proc/self/mountinfo" })
}

// vendors are the names in CPUID leaf 0x40000000.
func vendors() map[string]string {
	return map[string]string{
		"KVMKVMKVM": "kvm", "Linux KVM Hv": "kvm", "TCGTCGTCGTCG": "qemu", "VMwareVMware": "vmware", "Microsoft Hv": "hyper-v",
		"XenVMMXenVMM": "xen", "VBoxVBoxVBox": "virtualbox", "bhyve bhyve": "bhyve", "ACRNACRNACRN": "acrn",
		"prl hyperv": "parallels", "lrpepyh vr": "parallels", "Jailhouse": "jailhouse", "QNXQVMBSQG": "qnx",
		"SRESRESRESRE": "lmhs", "EVMMEVMMEVMM": "intel-evmm", "VirtualApple": "apple", "NutanixAHV": "kvm",
	}
}

func (s *scan) cpuSigns() []sign {
	var cpu CPU
	if s.opts.CPU != nil {
		cpu = s.opts.CPU()
	}
	switch {
	case cpu.Vendor != "":
		return []sign{{source: "CPUID leaf 0x40000000", value: clean(cpu.Vendor), hypervisor: vendors()[strings.TrimSpace(cpu.Vendor)], weight: 3}}
	case cpu.Hypervisor:
		return []sign{{source: "CPUID leaf 1", value: "hypervisor", weight: 3}}
	case cpu.Asked:
		return []sign{{source: "CPUID leaf 1", value: "no hypervisor", bare: true, weight: 3}}
	}
	info, err := s.t.read("proc/cpuinfo")
	if err != nil {
		return nil
	}
	flags, vendor := cpuInfo(string(info))
	switch {
	case vendor == "User Mode Linux":
		return []sign{{source: "/proc/cpuinfo", value: vendor, hypervisor: "uml", weight: 3}}
	case slices.Contains(flags, "hypervisor"):
		return []sign{{source: "/proc/cpuinfo", value: "flag hypervisor", weight: 2}}
	case len(flags) > 20 && slices.Contains(flags, "tsc"): // x86, where a hypervisor would show
		return []sign{{source: "/proc/cpuinfo", value: "no flag hypervisor", bare: true, weight: 2}}
	}
	return nil
}

// cpuInfo returns flags and vendor of the first processor in /proc/cpuinfo.
func cpuInfo(text string) (flags []string, vendor string) {
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(name) {
		case "flags", "Features":
			if flags == nil {
				flags = strings.Fields(value)
			}
		case "vendor_id":
			if vendor == "" {
				vendor = clean(value)
			}
		}
	}
	return flags, vendor
}

// azureTag is the asset tag of every chassis in Azure.
const azureTag = "7783-7084-3265-9085-8269-3286-77"

func (s *scan) dmiSigns() []sign {
	var out []sign
	for _, field := range []string{"sys_vendor", "product_name", "product_version", "board_vendor", "bios_vendor", "bios_version", "chassis_asset_tag"} {
		name := "sys/class/dmi/id/" + field
		value := s.t.line(name)
		if value == "" {
			continue
		}
		if g, ok := dmiSign(field, value); ok {
			g.source, g.value = absolute(name), value
			out = append(out, g)
		}
	}
	return out
}

// dmiSign reads one field of the DMI tables.
func dmiSign(field, value string) (sign, bool) {
	if field == "chassis_asset_tag" {
		switch {
		case value == azureTag:
			return sign{hypervisor: "hyper-v", provider: "azure", weight: 2}, true
		case strings.Contains(value, "OracleCloud"):
			return sign{provider: "oracle"}, true
		case strings.Contains(value, "Amazon EC2"):
			return sign{provider: "aws"}, true
		case strings.Contains(value, "OpenTelekomCloud"), strings.Contains(value, "OpenStack"):
			return sign{provider: "openstack"}, true
		}
		return sign{}, false
	}
	if strings.HasSuffix(field, "_version") { // only Xen's of AWS says whose it is: 4.2.amazon
		return sign{hypervisor: "xen", provider: "aws", weight: 2}, strings.HasSuffix(value, ".amazon")
	}
	if field == "product_name" && strings.HasSuffix(value, ".metal") {
		return sign{bare: true, weight: 2}, true
	}
	for _, d := range []struct{ word, hypervisor, provider string }{
		{"Amazon EC2", "kvm", "aws"}, {"Google Compute Engine", "kvm", "gce"}, {"OpenStack", "kvm", "openstack"},
		{"DigitalOcean", "kvm", "digitalocean"}, {"Alibaba Cloud", "kvm", "alibaba"}, {"Hetzner", "kvm", "hetzner"},
		{"Firecracker", "firecracker", ""}, {"KubeVirt", "kvm", ""}, {"oVirt", "kvm", ""}, {"RHEV", "kvm", ""}, {"KVM", "kvm", ""},
		{"VMware", "vmware", ""}, {"VMW", "vmware", ""}, {"VirtualBox", "virtualbox", ""}, {"innotek GmbH", "virtualbox", ""},
		{"Parallels", "parallels", ""}, {"BHYVE", "bhyve", ""}, {"Apple Virtualization", "apple", ""}, {"Hyper-V", "hyper-v", ""},
		{"HVM domU", "xen", ""}, {"Xen", "xen", ""}, {"Bochs", "qemu", ""}, {"QEMU", "qemu", ""}, {"Cloud Hypervisor", "cloud-hypervisor", ""},
	} {
		if strings.Contains(value, d.word) {
			return sign{hypervisor: d.hypervisor, provider: d.provider, weight: 2}, true
		}
	}
	if field == "product_name" && value == "Virtual Machine" { // of Microsoft Corporation
		return sign{hypervisor: "hyper-v", weight: 2}, true
	}
	return sign{}, false
}

func (s *scan) acpiSigns() []sign {
	const dir = "sys/firmware/acpi/tables"
	for _, name := range []string{"FACP", "DSDT", "APIC"} {
		data, err := s.t.readUpTo(path.Join(dir, name), 1<<20)
		if err != nil {
			if !absent(err) {
				s.unknown("machine.evidence", why(err))
			}
			continue
		}
		oem, table, ok := acpiOEM(data)
		if !ok {
			continue
		}
		hypervisor := acpiVendor(oem, table)
		if hypervisor == "" {
			return nil
		}
		return []sign{{source: "ACPI table " + name, value: "OEM id " + oem + ", table " + table, hypervisor: hypervisor, weight: 2}}
	}
	return nil
}

// acpiOEM reads the OEM id and table id of an ACPI table's header.
func acpiOEM(data []byte) (oem, table string, ok bool) {
	if len(data) < 36 {
		return "", "", false
	}
	text := func(b []byte) string { return clean(string(bytes.TrimRight(b, "\x00 "))) }
	return text(data[10:16]), text(data[16:24]), true
}

func acpiVendor(oem, table string) string {
	switch oem {
	case "FIRECK":
		return "firecracker"
	case "CLOUDH":
		return "cloud-hypervisor"
	case "BOCHS":
		return "qemu"
	case "VBOX":
		return "virtualbox"
	case "VMWARE":
		return "vmware"
	case "Xen", "XEN":
		return "xen"
	case "BHYVE":
		return "bhyve"
	case "ACRN", "ACRNPR":
		return "acrn"
	case "AMAZON", "Google", "GOOGLE":
		return "kvm"
	case "VRTUAL", "MSFTVM":
		return "hyper-v"
	}
	if strings.HasPrefix(table, "MICROSFT") && oem == "VRTUAL" {
		return "hyper-v"
	}
	return ""
}

func (s *scan) xenSigns() []sign {
	kind := s.t.line("sys/hypervisor/type")
	if kind == "" {
		if kind = s.t.line("proc/xen/capabilities"); kind == "" {
			return nil
		}
		kind = "xen"
	}
	if strings.Contains(s.t.line("proc/xen/capabilities"), "control_d") {
		return []sign{{source: "/proc/xen/capabilities", value: "control_d", bare: true, weight: 3}} // the host's own domain
	}
	return []sign{{source: "/sys/hypervisor/type", value: kind, hypervisor: map[string]string{"xen": "xen"}[kind], weight: 3}}
}

func (s *scan) deviceTreeSigns() []sign {
	if v := s.t.line("proc/device-tree/hypervisor/compatible"); v != "" {
		hypervisor := ""
		switch {
		case strings.Contains(v, "linux,kvm"):
			hypervisor = "kvm"
		case strings.Contains(v, "xen"):
			hypervisor = "xen"
		case strings.Contains(v, "vmware"):
			hypervisor = "vmware"
		}
		return []sign{{source: "/proc/device-tree/hypervisor/compatible", value: v, hypervisor: hypervisor, weight: 3}}
	}
	if names, err := s.t.list("proc/device-tree"); err == nil {
		for _, name := range names {
			if strings.HasPrefix(name, "fw-cfg") {
				return []sign{{source: "/proc/device-tree", value: name, hypervisor: "qemu", weight: 2}}
			}
		}
		if v := s.t.line("proc/device-tree/compatible"); strings.Contains(v, "qemu,pseries") {
			return []sign{{source: "/proc/device-tree/compatible", value: v, hypervisor: "qemu", weight: 2}}
		}
	}
	if v := s.t.line("proc/sysinfo"); strings.Contains(v, "VM00 Control Program") { // s390x
		if strings.Contains(v, "KVM") {
			return []sign{{source: "/proc/sysinfo", value: "KVM", hypervisor: "kvm", weight: 3}}
		}
		return []sign{{source: "/proc/sysinfo", value: "z/VM", hypervisor: "zvm", weight: 3}}
	}
	return nil
}

const (
	pidNamespace = "/proc/self/ns/pid"
	// firstPID is the kernel's own PID namespace: its number is a constant of Linux.
	firstPID = "pid:[4026531836]"
)

func (s *scan) containerSigns() []sign {
	var out []sign
	if v := s.t.line("run/systemd/container"); v != "" {
		out = append(out, sign{source: "/run/systemd/container", value: v, container: v, weight: 3})
	}
	if data, err := s.t.read("proc/1/environ"); err == nil {
		for pair := range strings.SplitSeq(string(data), "\x00") {
			if v, ok := strings.CutPrefix(pair, "container="); ok && v != "" {
				out = append(out, sign{source: "/proc/1/environ", value: "container", container: clean(v), weight: 3})
			}
		}
	}
	if data, err := s.t.read("proc/1/cgroup"); err == nil {
		if engine := cgroupEngine(string(data)); engine != "" {
			out = append(out, sign{source: "/proc/1/cgroup", value: engine, container: engine, weight: 3})
		}
	}
	if s.t.exists("run/secrets/kubernetes.io/serviceaccount") || s.t.exists("var/run/secrets/kubernetes.io/serviceaccount") {
		out = append(out, sign{source: "/var/run/secrets/kubernetes.io", value: "there", container: "kubernetes", weight: 1})
	}
	if s.t.exists("run/.containerenv") {
		out = append(out, sign{source: "/run/.containerenv", value: "there", container: "podman", weight: 1})
	}
	// An image that was made from a container keeps this file, so alone it means nothing.
	if s.t.exists(".dockerenv") {
		out = append(out, sign{source: "/.dockerenv", value: "there", container: "docker", weight: 1})
	}
	if v := s.t.readlink("proc/self/ns/pid"); v != "" && v != firstPID {
		out = append(out, sign{source: pidNamespace, value: "not the first PID namespace"})
	}
	if data, err := s.t.read("proc/self/mountinfo"); err == nil {
		for _, m := range parseMountInfo(string(data)) {
			if m.point == "/" && m.fstype == "overlay" {
				out = append(out, sign{source: "/proc/self/mountinfo", value: "overlay at /"})
			}
		}
	}
	return out
}

// cgroupEngine names the engine in whose control group a process is.
func cgroupEngine(text string) string {
	for _, e := range []struct{ part, engine string }{
		{"kubepods", "kubernetes"}, {"/docker/", "docker"}, {"docker-", "docker"}, {"libpod", "podman"}, {"/lxc/", "lxc"},
		{"lxc.payload", "lxc"}, {"cri-containerd", "containerd"}, {"machine.slice/machine-", "systemd-nspawn"}, {"/ecs/", "ecs"},
	} {
		if strings.Contains(text, e.part) {
			return e.engine
		}
	}
	return ""
}
