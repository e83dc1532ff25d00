package vm

import (
	"path"
	"slices"
	"strings"

	"github.com/postscan/postscan/scanner/facts"
)

// devices lists the PCI and virtio buses.
func (s *scan) devices() {
	if s.diskCannot("devices") {
		return
	}
	if !s.t.exists("sys/bus") {
		s.unknown("devices", "/sys/bus is not there")
		return
	}
	guest := s.doc.Machine.Hypervisor != "none" && s.doc.Machine.Hypervisor != "unknown"
	for _, dir := range s.t.below("sys/bus/pci/devices", func(string) bool { return true }) {
		d := facts.Device{
			Bus: "pci", Address: clean(path.Base(dir)), Vendor: hexID(s.t.line(dir + "/vendor")), ID: hexID(s.t.line(dir + "/device")),
			Class: hexID(s.t.line(dir + "/class")), Driver: path.Base(s.t.readlink(dir + "/driver")),
		}
		if d.Driver == "." {
			d.Driver = ""
		}
		d.What = deviceKind(d.Class)
		d.Passthrough = guest && d.What != "" && !emulated(d.Vendor, d.ID, s.t.line(dir+"/subsystem_vendor"))
		if !d.Passthrough {
			d.What = ""
		}
		s.doc.Devices = append(s.doc.Devices, d)
	}
	for _, dir := range s.t.below("sys/bus/virtio/devices", func(string) bool { return true }) {
		d := facts.Device{
			Bus: "virtio", Address: clean(path.Base(dir)), Vendor: hexID(s.t.line(dir + "/vendor")), ID: hexID(s.t.line(dir + "/device")),
			Driver: path.Base(s.t.readlink(dir + "/driver")),
		}
		if d.Driver == "." {
			d.Driver = ""
		}
		d.Class = virtioKind(d.ID)
		s.doc.Devices = append(s.doc.Devices, d)
	}
	s.at("devices", "sys/bus")
}

func hexID(v string) string { return strings.ToLower(strings.TrimPrefix(clean(v), "0x")) }

// deviceKind tells what a real device of a PCI class would be; "" for the parts of
// every machine (bridges, timers), which nobody passes through.
func deviceKind(class string) string {
	if len(class) < 4 {
		return ""
	}
	switch class[:2] {
	case "03":
		return "gpu"
	case "12", "0b":
		return "other" // an accelerator
	case "02":
		return "network"
	case "01":
		return "storage"
	}
	if class[:4] == "0c03" {
		return "other" // USB
	}
	return ""
}

// emulated says that a device is one of a hypervisor's own making: by its vendor, or
// because it is one of the old real devices that hypervisors imitate.
func emulated(vendor, id, subsystem string) bool {
	switch vendor {
	case "1af4", "1b36", "1234", // virtio, QEMU
		"15ad",                 // VMware
		"80ee",                 // VirtualBox
		"1414",                 // Microsoft
		"5853",                 // Xen
		"1ab8",                 // Parallels
		"1d0f",                 // Amazon: ENA, NVMe of EBS, made for guests
		"1ae0",                 // Google: gVNIC, NVMe of its disks
		"fb5d", "1b73", "108e": // bhyve; Fresco and Sun, imitated by it
		return true
	}
	switch vendor + ":" + id {
	case "8086:7010", "8086:7111", "8086:7020", "8086:100e", "8086:100f", "8086:10d3", "8086:1209", "8086:2922", "8086:2829", "8086:24cd", "8086:265c", "8086:2934",
		"8086:293a", "8086:1e31", "8086:5845", "1013:00b8", "10ec:8139", "1022:2000", "1000:0030", "1000:0012", "1000:0054", "1000:0060", "1022:2020", "106b:003f", "106b:2005", "1033:0194":
		return true
	}
	// QEMU marks what it imitates by its own subsystem.
	return hexID(subsystem) == "1af4"
}

// virtioKind names a virtio device by the number of the standard.
func virtioKind(id string) string {
	kinds := map[string]string{
		"0001": "net", "0002": "block", "0003": "console", "0004": "rng", "0005": "balloon", "0008": "scsi", "0009": "9p", "0010": "gpu",
		"0012": "input", "0013": "vsock", "0014": "crypto", "0018": "memory", "001a": "fs", "001b": "pmem",
	}
	return kinds[id]
}

// agentKind is a guest agent and what gives it away.
type agentKind struct {
	name     string
	packages []string
	units    []string
	programs []string // names of running programs
	files    []string
	exec     bool // it lets the host run programs unless it is told not to
	access   bool // it lets the host read and write files unless it is told not to
}

func agentKinds() []agentKind {
	return []agentKind{
		{name: "qemu-guest-agent", packages: []string{"qemu-guest-agent"}, units: []string{"qemu-guest-agent.service"}, programs: []string{"qemu-ga"}, files: []string{"usr/sbin/qemu-ga", "usr/bin/qemu-ga"}, exec: true, access: true},
		{name: "open-vm-tools", packages: []string{"open-vm-tools"}, units: []string{"open-vm-tools.service", "vmtoolsd.service", "vmware-tools.service"}, programs: []string{"vmtoolsd"}, files: []string{"usr/bin/vmtoolsd", "usr/sbin/vmtoolsd"}, exec: true, access: true},
		{name: "hyper-v", packages: []string{"hyperv-daemons", "hypervkvpd", "linux-cloud-tools-common"}, units: []string{"hv-kvp-daemon.service", "hypervkvpd.service", "hv-fcopy-daemon.service", "hypervfcopyd.service"}, programs: []string{"hv_kvp_daemon", "hv_fcopy_daemon", "hv_vss_daemon", "hypervkvpd"}, files: []string{"usr/sbin/hv_kvp_daemon", "usr/sbin/hypervkvpd"}},
		{name: "xe-guest-utilities", packages: []string{"xe-guest-utilities", "xe-guest-utilities-latest"}, units: []string{"xe-linux-distribution.service", "xe-daemon.service"}, programs: []string{"xe-daemon"}, files: []string{"usr/sbin/xe-daemon"}},
		{name: "virtualbox", packages: []string{"virtualbox-guest-utils", "virtualbox-guest-additions"}, units: []string{"vboxadd-service.service", "vboxservice.service", "virtualbox-guest-utils.service"}, programs: []string{"VBoxService"}, files: []string{"usr/sbin/VBoxService", "usr/bin/VBoxService"}, exec: true, access: true},
		{name: "spice-vdagent", packages: []string{"spice-vdagent"}, units: []string{"spice-vdagentd.service"}, programs: []string{"spice-vdagentd"}, files: []string{"usr/sbin/spice-vdagentd"}},
		{name: "amazon-ssm-agent", packages: []string{"amazon-ssm-agent"}, units: []string{"amazon-ssm-agent.service", "snap.amazon-ssm-agent.amazon-ssm-agent.service"}, programs: []string{"amazon-ssm-agent", "ssm-agent-worker"}, files: []string{"usr/bin/amazon-ssm-agent"}, exec: true, access: true},
		{name: "google-guest-agent", packages: []string{"google-guest-agent", "google-osconfig-agent"}, units: []string{"google-guest-agent.service", "google-osconfig-agent.service"}, programs: []string{"google_guest_agent"}, files: []string{"usr/bin/google_guest_agent"}, exec: true},
		{name: "walinuxagent", packages: []string{"walinuxagent", "WALinuxAgent"}, units: []string{"walinuxagent.service", "waagent.service"}, files: []string{"usr/sbin/waagent", "usr/bin/waagent"}, exec: true},
		{name: "cloud-init", packages: []string{"cloud-init"}, units: []string{"cloud-init.service", "cloud-config.service"}, files: []string{"usr/bin/cloud-init"}},
	}
}

// agents finds the programs of the hypervisor's in the guest. It runs when
// packages are known, for their versions.
func (s *scan) agents() {
	for _, k := range agentKinds() {
		a := facts.GuestAgent{Name: k.name, Running: s.runs(k.programs...)}
		link, enabled := s.enabled(k.units...)
		a.Enabled, a.Path = enabled, absolute(link)
		for _, file := range k.files {
			if s.t.exists(file) {
				a.Path = absolute(file)
				break
			}
		}
		for _, p := range s.doc.Packages {
			if p.Class == "os" && slices.Contains(k.packages, p.Name) {
				a.Version = fullVersion(&p)
				if a.Path == "/" {
					a.Path = absolute(p.Path)
				}
			}
		}
		if a.Path == "/" && !a.Running {
			continue
		}
		a.Enabled = a.Enabled || a.Running
		a.Exec, a.Files = k.exec, k.access
		s.agentLimits(&a)
		s.doc.Agents = append(s.doc.Agents, a)
	}
	if s.opts.NoPackages && len(s.doc.Agents) > 0 {
		s.notAssessed("agents[].version", noPackages)
	}
}

// agentLimits reads what an agent's configuration forbids.
func (s *scan) agentLimits(a *facts.GuestAgent) {
	switch a.Name {
	case "qemu-guest-agent":
		allow, block := s.qemuRPCs(a)
		permitted := func(rpc string) bool {
			return !slices.Contains(block, rpc) && (len(allow) == 0 || slices.Contains(allow, rpc))
		}
		a.Exec = permitted("guest-exec")
		a.Files = permitted("guest-file-open")
		a.Limits = slices.Concat(allow, block)
	case "open-vm-tools":
		data, err := s.t.read("etc/vmware-tools/tools.conf")
		if err != nil {
			return
		}
		a.Path = "/etc/vmware-tools/tools.conf"
		if ini(string(data))["guestoperations.disabled"] == "true" {
			a.Exec, a.Files = false, false
			a.Limits = append(a.Limits, "guestoperations.disabled")
		}
	}
}

// qemuRPCs collects the lists of calls that the agent allows and blocks, from its
// configuration files and its command line.
func (s *scan) qemuRPCs(a *facts.GuestAgent) (allow, block []string) {
	add := func(key, value string) {
		names := strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' || r == '"' || r == '\'' })
		switch strings.ReplaceAll(key, "_", "-") {
		case "allow-rpcs", "allowrpcs", "a":
			allow = append(allow, names...)
		case "block-rpcs", "blacklist", "blacklist-rpc", "b":
			block = append(block, names...)
		}
	}
	for _, name := range []string{"etc/qemu/qemu-ga.conf", "etc/qemu-ga/qemu-ga.conf"} {
		data, err := s.t.read(name)
		if err != nil {
			continue
		}
		a.Path = absolute(name)
		for key, value := range ini(string(data)) {
			_, key, _ = strings.Cut(key, ".")
			add(key, value)
		}
	}
	// Red Hat's unit takes lists from here: BLACKLIST_RPC=, FILTER_RPC_ARGS="--allow-rpcs=…"
	for _, name := range []string{"etc/sysconfig/qemu-ga", "etc/default/qemu-guest-agent"} {
		data, err := s.t.read(name)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(data)) {
			line = strings.TrimSpace(line)
			key, value, ok := strings.Cut(line, "=")
			if !ok || strings.HasPrefix(line, "#") {
				continue
			}
			add(strings.ToLower(key), value)
			for word := range strings.FieldsSeq(strings.Trim(value, `"'`)) {
				if flag, list, ok := strings.Cut(strings.TrimLeft(word, "-"), "="); ok {
					add(flag, list)
				}
			}
			a.Path = absolute(name)
		}
	}
	slices.Sort(allow)
	slices.Sort(block)
	return slices.Compact(allow), slices.Compact(block)
}

// ini reads "[section]" and "key = value" into "section.key".
func ini(text string) map[string]string {
	out := map[string]string{}
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			continue
		}
		if name, ok := strings.CutPrefix(line, "["); ok {
			section = strings.ToLower(strings.TrimSuffix(name, "]"))
			continue
		}
		if key, value, ok := strings.Cut(line, "="); ok {
			out[section+"."+strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(value)
		}
	}
	return out
}
