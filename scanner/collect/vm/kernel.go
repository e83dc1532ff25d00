package vm

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/postscan/postscan/scanner/facts"
)

// architecture is what the machine's programs are built for, as uname -m says it.
func (s *scan) architecture() string {
	arch := ""
	if s.live {
		arch = s.t.line("proc/sys/kernel/arch")
	}
	if arch == "" { // the dynamic loader's name tells, also on a disk
		for _, l := range []struct{ loader, arch string }{
			{"lib64/ld-linux-x86-64.so.2", "x86_64"}, {"lib/ld-linux-aarch64.so.1", "aarch64"}, {"lib/ld-musl-x86_64.so.1", "x86_64"},
			{"lib/ld-musl-aarch64.so.1", "aarch64"}, {"lib/ld64.so.1", "s390x"}, {"lib64/ld64.so.2", "ppc64le"},
			{"lib/ld-linux-armhf.so.3", "armv7l"}, {"lib/ld-linux-riscv64-lp64d.so.1", "riscv64"},
		} {
			if s.t.exists(l.loader) {
				arch = l.arch
				break
			}
		}
	}
	if arch == "" {
		s.unknown("architecture", "neither the kernel nor the dynamic loader tells it")
	}
	return arch
}

// kernel reads the running kernel, its command line and its configuration.
func (s *scan) kernel() {
	k := &s.doc.Kernel
	if !s.diskCannot("kernel.release", "kernel.version", "kernel.outdated", "kernel.vulnerable", "kernel.installed_version", "kernel.parameters") {
		if k.Release = s.t.line("proc/sys/kernel/osrelease"); k.Release == "" {
			s.unknown("kernel.release", "/proc/sys/kernel/osrelease cannot be read")
			s.unknown("kernel.outdated", "the running kernel is not known")
			s.unknown("kernel.vulnerable", "the running kernel is not known")
		}
		s.at("kernel.release", "proc/sys/kernel/osrelease")
		k.Version = kernelVersion(s.t.line("proc/version"), s.t.line("proc/version_signature"))
		if line, ok := s.text("kernel.parameters", "proc/cmdline"); ok {
			k.Parameters = parseCmdline(line)
			s.at("kernel.parameters", "proc/cmdline")
		} else if _, known := s.missing["kernel.parameters"]; !known {
			s.unknown("kernel.parameters", "there is no /proc/cmdline")
		}
	}
	k.Installed = s.installedReleases()
	for _, mark := range []string{"run/reboot-required", "var/run/reboot-required"} {
		if s.live && s.t.exists(mark) {
			k.RebootRequired = true
			s.at("kernel.reboot_required", mark)
			break
		}
	}
	s.diskCannot("kernel.reboot_required")
	s.kernelOptions()
}

// kernelVersion finds the package version in what the kernel says of itself:
// Debian writes it into /proc/version, Ubuntu into /proc/version_signature.
func kernelVersion(version, signature string) string {
	if f := strings.Fields(signature); len(f) == 3 && f[0] == "Ubuntu" {
		// "5.15.0-91.101-generic": the flavour is no part of the package's version.
		parts := strings.SplitN(f[1], "-", 3)
		if len(parts) == 3 {
			return parts[0] + "-" + parts[1]
		}
	}
	if _, rest, ok := strings.Cut(version, " Debian "); ok {
		v, _, _ := strings.Cut(rest, " ")
		return v
	}
	return ""
}

// parameters of the command line that matter for isolation.
func keptParameters() []string {
	return []string{
		"mitigations", "nosmt", "spectre_v2", "spectre_v2_user", "spec_store_bypass_disable", "l1tf", "mds", "tsx_async_abort",
		"mmio_stale_data", "retbleed", "srbds", "gather_data_sampling", "spec_rstack_overflow", "reg_file_data_sampling", "kvm-intel.vmentry_l1d_flush",
		"nospectre_v1", "nospectre_v2", "nopti", "pti", "kpti", "lockdown", "lsm", "security", "apparmor", "selinux", "enforcing", "module.sig_enforce",
		"slab_nomerge", "init_on_alloc", "init_on_free", "page_alloc.shuffle", "vsyscall", "debugfs", "iommu", "intel_iommu", "amd_iommu",
		"iommu.passthrough", "efi", "audit", "user_namespace.enable", "systemd.unified_cgroup_hierarchy", "console", "kvm.nested", "kvm-intel.nested", "kvm-amd.nested", "nokaslr",
	}
}

// parseCmdline keeps the parameters that matter. What stands behind "--" is for
// init; what is not on the list may be a secret and is left out.
func parseCmdline(line string) []facts.KernelParameter {
	var out []facts.KernelParameter
	for _, word := range splitQuoted(line) {
		if word == "--" {
			break
		}
		name, value, _ := strings.Cut(word, "=")
		// The kernel takes - and _ in names for the same.
		if slices.Contains(keptParameters(), name) || slices.Contains(keptParameters(), strings.ReplaceAll(name, "_", "-")) {
			out = append(out, facts.KernelParameter{Name: name, Value: clean(value)})
		}
	}
	return out
}

// splitQuoted splits at spaces outside of double quotes.
func splitQuoted(line string) []string {
	quoted := false
	words := strings.FieldsFunc(line, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return !quoted && (r == ' ' || r == '\t' || r == '\n')
	})
	for i := range words {
		words[i] = strings.ReplaceAll(words[i], `"`, "")
	}
	return words
}

// keptOptions are those of the kernel's build that matter for isolation.
func keptOptions() []string {
	return []string{
		"CONFIG_MODULES", "CONFIG_MODULE_SIG", "CONFIG_MODULE_SIG_FORCE", "CONFIG_SECURITY", "CONFIG_SECURITY_APPARMOR", "CONFIG_SECURITY_SELINUX",
		"CONFIG_SECURITY_YAMA", "CONFIG_SECURITY_LOCKDOWN_LSM", "CONFIG_SECURITY_LANDLOCK", "CONFIG_BPF_UNPRIV_DEFAULT_OFF", "CONFIG_HARDENED_USERCOPY",
		"CONFIG_STRICT_KERNEL_RWX", "CONFIG_STRICT_MODULE_RWX", "CONFIG_RANDOMIZE_BASE", "CONFIG_SECCOMP", "CONFIG_SECCOMP_FILTER", "CONFIG_USER_NS",
		"CONFIG_PAGE_TABLE_ISOLATION", "CONFIG_MITIGATION_PAGE_TABLE_ISOLATION", "CONFIG_RETPOLINE", "CONFIG_MITIGATION_RETPOLINE", "CONFIG_KEXEC",
		"CONFIG_DEVMEM", "CONFIG_STRICT_DEVMEM", "CONFIG_DEBUG_FS", "CONFIG_IO_STRICT_DEVMEM", "CONFIG_AMD_MEM_ENCRYPT", "CONFIG_INTEL_TDX_GUEST",
		"CONFIG_INIT_ON_ALLOC_DEFAULT_ON", "CONFIG_SLAB_FREELIST_HARDENED", "CONFIG_STACKPROTECTOR_STRONG", "CONFIG_VMAP_STACK", "CONFIG_LSM",
	}
}

// kernelOptions reads the configuration that the kernel was built with.
func (s *scan) kernelOptions() {
	release := s.doc.Kernel.Release
	if release == "" && len(s.doc.Kernel.Installed) > 0 {
		release = s.doc.Kernel.Installed[len(s.doc.Kernel.Installed)-1]
	}
	files := []string{"boot/config-" + release, "lib/modules/" + release + "/config", "usr/lib/modules/" + release + "/config"}
	if s.live {
		files = append([]string{"proc/config.gz"}, files...)
	}
	for _, name := range files {
		if release == "" && name != "proc/config.gz" || strings.Contains(release, "/") {
			continue
		}
		data, err := s.t.read(name)
		if err == nil && strings.HasSuffix(name, ".gz") {
			data, err = gunzip(data)
		}
		if err != nil {
			continue
		}
		s.doc.Kernel.Options = parseKernelConfig(data)
		s.at("kernel.options", name)
		return
	}
	s.unknown("kernel.options", "the kernel's configuration is neither in /proc/config.gz nor in /boot")
}

// gunzip unpacks a small file.
func gunzip(data []byte) ([]byte, error) {
	zr, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(zr, maxText+1))
	if err == nil && len(out) > maxText {
		err = errors.New("it unpacks to too much")
	}
	return out, err
}

// parseKernelConfig keeps the options that matter; one that the file says is not
// set is n.
func parseKernelConfig(data []byte) []facts.KernelOption {
	kept := map[string]bool{}
	for _, name := range keptOptions() {
		kept[name] = true
	}
	var out []facts.KernelOption
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		line := lines.Text()
		name, value, ok := strings.Cut(line, "=")
		if rest, off := strings.CutPrefix(line, "# "); off {
			name, ok = strings.CutSuffix(rest, " is not set")
			value = "n"
		}
		if ok && kept[name] {
			out = append(out, facts.KernelOption{Name: name, Value: strings.Trim(clean(value), `"`)})
		}
	}
	slices.SortFunc(out, func(a, b facts.KernelOption) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// installedReleases are the kernels below /boot and /lib/modules, oldest first.
func (s *scan) installedReleases() []string {
	found := map[string]bool{}
	for _, dir := range []string{"boot", "usr/lib/kernel"} {
		names, err := s.t.list(dir)
		if err != nil {
			if !absent(err) {
				s.unknown("kernel.installed", why(err))
			}
			continue
		}
		for _, name := range names {
			for _, prefix := range []string{"vmlinuz-", "vmlinux-"} {
				if release, ok := strings.CutPrefix(name, prefix); ok && isRelease(release) {
					found[release] = true
				}
			}
		}
	}
	for _, dir := range []string{"lib/modules", "usr/lib/modules"} {
		names, err := s.t.list(dir)
		if err != nil {
			continue
		}
		for _, name := range names {
			// A folder that a removed kernel left behind has no list of modules.
			if isRelease(name) && (s.t.exists(path.Join(dir, name, "vmlinuz")) || s.t.exists(path.Join(dir, name, "modules.dep"))) {
				found[name] = true
			}
		}
	}
	var out []string
	for release := range found {
		out = append(out, clean(release))
	}
	slices.SortFunc(out, compareReleases)
	if len(out) > 0 {
		s.at("kernel.installed", "boot")
	}
	return out
}

// isRelease is true for "6.1.0-18-amd64", and not for "rescue-3d12" or "old".
func isRelease(s string) bool {
	return s != "" && s[0] >= '0' && s[0] <= '9' && strings.Contains(s, ".") && !strings.HasSuffix(s, ".old") && !strings.HasSuffix(s, ".bak")
}

// installedKernel compares the running kernel with what is installed. It runs
// when packages are known.
func (s *scan) installedKernel() {
	k := &s.doc.Kernel
	for _, p := range s.doc.Packages { // a kernel without /boot on this file system
		if r, ok := strings.CutPrefix(p.Name, "linux-image-"); ok && p.Class == "os" {
			r = strings.TrimPrefix(r, "unsigned-")
			if isRelease(r) && !slices.Contains(k.Installed, r) {
				k.Installed = append(k.Installed, r)
			}
		}
	}
	slices.SortFunc(k.Installed, compareReleases)
	for _, r := range slices.Backward(k.Installed) {
		if !s.live || flavour(r) == flavour(k.Release) {
			k.Newest = r
			break
		}
	}
	if !s.live || k.Release == "" {
		return
	}
	if len(k.Installed) == 0 {
		// A microVM's kernel comes from the hypervisor, a container's from its host.
		s.notAssessed("kernel.outdated", "no kernel is installed here: it comes from the hypervisor or the host, and only there can it be compared")
	}
	k.Outdated = k.Newest != "" && compareReleases(k.Newest, k.Release) > 0
	if k.Outdated {
		s.at("kernel.outdated", "boot/vmlinuz-"+k.Newest)
	}
	held := kernelPackage(s.doc.Packages, k.Release)
	if held == nil {
		if s.opts.NoPackages {
			s.notAssessed("kernel.installed_version", noPackages)
			s.notAssessed("kernel.vulnerable", noPackages)
		} else {
			s.notAssessed("kernel.vulnerable", "no installed package holds the running kernel, so no advisory can be compared with it")
		}
		return
	}
	k.InstalledVersion = fullVersion(held)
	if k.Version != "" && k.Version != k.InstalledVersion {
		k.Outdated = true // the package was replaced under the same release
		s.at("kernel.outdated", held.Path)
	}
	if m, ok := s.missing["vulnerabilities"]; ok {
		m.Partial = true
		s.gap("kernel.vulnerable", m)
	}
	for _, v := range s.doc.Vulnerabilities {
		if v.Package == held.Name && v.FixedVersion != "" && !slices.Contains(k.Vulnerable, v.ID) {
			k.Vulnerable = append(k.Vulnerable, v.ID)
		}
	}
	slices.Sort(k.Vulnerable)
}

// kernelPackage finds the package that holds a kernel.
func kernelPackage(list []facts.Package, release string) *facts.Package {
	for i := range list {
		p := &list[i]
		if p.Class != "os" {
			continue
		}
		switch p.Name {
		case "linux-image-" + release, "linux-image-unsigned-" + release:
			return p
		case "kernel-core", "kernel", "kernel-uek-core", "kernel-uek", "kernel-rt-core", "kernel-default", "kernel-lt", "kernel-ml":
			if base := p.Version + "-" + p.Release; release == base || release == base+"."+p.Arch || strings.HasPrefix(release, base+"-") {
				return p
			}
		}
	}
	return nil
}

// fullVersion is the version as the package manager shows it, without epoch.
func fullVersion(p *facts.Package) string {
	if p.Release == "" {
		return p.Version
	}
	return p.Version + "-" + p.Release
}
