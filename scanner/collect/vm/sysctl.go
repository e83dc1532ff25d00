package vm

import (
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/postscan/postscan/scanner/facts"
)

// sysctls reads the kernel settings that matter for isolation. For a disk they are
// unknown: what sysctl.d asks for is not what holds.
func (s *scan) sysctls() {
	c := &s.doc.Sysctls
	for _, n := range []*int{
		&c.KptrRestrict, &c.DmesgRestrict, &c.UnprivilegedBPFDisabled, &c.PtraceScope, &c.KexecLoadDisabled, &c.PerfEventParanoid, &c.RandomizeVASpace,
		&c.ProtectedSymlinks, &c.ProtectedHardlinks, &c.SysRq, &c.SUIDDumpable, &c.IPForward,
	} {
		*n = -1
	}
	if s.diskCannot("sysctls") {
		return
	}
	for _, e := range []struct {
		field string
		name  string
		to    *int
	}{
		{"kptr_restrict", "kernel/kptr_restrict", &c.KptrRestrict},
		{"dmesg_restrict", "kernel/dmesg_restrict", &c.DmesgRestrict},
		{"unprivileged_bpf_disabled", "kernel/unprivileged_bpf_disabled", &c.UnprivilegedBPFDisabled},
		{"ptrace_scope", "kernel/yama/ptrace_scope", &c.PtraceScope},
		{"kexec_load_disabled", "kernel/kexec_load_disabled", &c.KexecLoadDisabled},
		{"perf_event_paranoid", "kernel/perf_event_paranoid", &c.PerfEventParanoid},
		{"randomize_va_space", "kernel/randomize_va_space", &c.RandomizeVASpace},
		{"protected_symlinks", "fs/protected_symlinks", &c.ProtectedSymlinks},
		{"protected_hardlinks", "fs/protected_hardlinks", &c.ProtectedHardlinks},
		{"sysrq", "kernel/sysrq", &c.SysRq},
		{"suid_dumpable", "fs/suid_dumpable", &c.SUIDDumpable},
		{"ip_forward", "net/ipv4/ip_forward", &c.IPForward},
	} {
		s.sysctl("sysctls."+e.field, "proc/sys/"+e.name, e.to)
	}
	s.optionalSysctls()
	s.userNamespaces()
	s.corePattern()
}

// sysctl reads one number.
func (s *scan) sysctl(field, file string, to *int) {
	text, ok := s.text(field, file)
	if !ok {
		if _, known := s.missing[field]; !known {
			s.unknown(field, absolute(file)+" is not there")
		}
		return
	}
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		s.unknown(field, absolute(file)+" holds no number")
		return
	}
	*to = n
	s.at(field, file)
}

// optionalSysctls: a kernel that was built without a feature has no setting for it.
// The value that means the same stands for it.
func (s *scan) optionalSysctls() {
	c := &s.doc.Sysctls
	if !s.t.exists("proc/sys/kernel") {
		return
	}
	for _, e := range []struct {
		field, file string
		to          *int
		without     int
	}{
		{"sysctls.ptrace_scope", "proc/sys/kernel/yama/ptrace_scope", &c.PtraceScope, 0}, // nothing restricts,
		{"sysctls.kexec_load_disabled", "proc/sys/kernel/kexec_load_disabled", &c.KexecLoadDisabled, 1},
		{"sysctls.unprivileged_bpf_disabled", "proc/sys/kernel/unprivileged_bpf_disabled", &c.UnprivilegedBPFDisabled, 1},
	} {
		if _, err := s.t.stat(e.file); err != nil && absent(err) {
			*e.to = e.without
			s.at(e.field, e.file)
			delete(s.missing, e.field)
		}
	}
}

// userNamespaces tells whether any user may make a user namespace, and so reach
// parts of the kernel that are root's elsewhere.
func (s *scan) userNamespaces() {
	to := &s.doc.Sysctls.UserNamespaces
	*to = "open"
	for _, e := range []struct{ file, value, means string }{
		{"proc/sys/user/max_user_namespaces", "0", "off"},
		{"proc/sys/kernel/unprivileged_userns_clone", "0", "restricted"},
		{"proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "restricted"},
	} {
		if s.t.line(e.file) == e.value {
			*to = e.means
			s.at("sysctls.user_namespaces", e.file)
			return
		}
	}
	if !s.t.exists("proc/sys/user/max_user_namespaces") {
		if s.option("CONFIG_USER_NS") == "n" {
			*to = "off"
			return
		}
		*to = ""
		s.unknown("sysctls.user_namespaces", "/proc/sys/user/max_user_namespaces is not there")
		return
	}
	s.at("sysctls.user_namespaces", "proc/sys/user/max_user_namespaces")
}

// corePattern reads where core dumps go. The arguments of a program are left out.
func (s *scan) corePattern() {
	c := &s.doc.Sysctls
	text, ok := s.text("sysctls.core_pattern", "proc/sys/kernel/core_pattern")
	if !ok {
		if _, known := s.missing["sysctls.core_pattern"]; !known {
			s.unknown("sysctls.core_pattern", "/proc/sys/kernel/core_pattern is not there")
		}
		return
	}
	s.at("sysctls.core_pattern", "proc/sys/kernel/core_pattern")
	c.CorePattern = clean(text)
	program, piped := strings.CutPrefix(c.CorePattern, "|")
	if !piped {
		return
	}
	program, _, _ = strings.Cut(strings.TrimSpace(program), " ")
	c.CorePattern = "|" + program
	for p := program; p != "/" && p != "." && p != ""; p = path.Dir(p) {
		info, err := s.t.stat(p)
		if err != nil {
			if !absent(err) {
				s.unknown("sysctls.core_program_writable", why(err))
			}
			continue
		}
		uid, _, known := owner(info)
		// In a folder with the sticky bit nobody replaces the files of others.
		if info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 || known && uid != 0 {
			c.CoreProgramWritable = true
			s.at("sysctls.core_program_writable", p)
		}
	}
}

// nested tells whether the guest can run guests.
func (s *scan) nested() {
	if s.diskCannot("nested") {
		return
	}
	n := &s.doc.Nested
	if info, err := s.t.stat("dev/kvm"); err == nil {
		n.KVM, n.KVMMode = true, octal(info.Mode())
		s.at("nested.kvm", "dev/kvm")
	}
	for _, module := range []string{"kvm_intel", "kvm_amd", "kvm_pvm"} {
		if v := s.t.line("sys/module/" + module + "/parameters/nested"); v == "Y" || v == "1" {
			n.Enabled = true
			s.at("nested.enabled", "sys/module/"+module+"/parameters/nested")
		}
	}
	if s.opts.CPU != nil {
		n.Extension = s.opts.CPU().Virtualization
	}
	if info, err := s.t.read("proc/cpuinfo"); err == nil && n.Extension == "" {
		flags, _ := cpuInfo(string(info))
		switch {
		case contains(flags, "vmx"):
			n.Extension = "vmx"
		case contains(flags, "svm"):
			n.Extension = "svm"
		}
	}
}

// octal writes permissions with set-uid, set-gid and sticky as four digits.
func octal(m fs.FileMode) string {
	bits := uint64(m.Perm())
	for _, b := range []struct {
		flag fs.FileMode
		bit  uint64
	}{{fs.ModeSetuid, 0o4000}, {fs.ModeSetgid, 0o2000}, {fs.ModeSticky, 0o1000}} {
		if m&b.flag != 0 {
			bits |= b.bit
		}
	}
	text := strconv.FormatUint(bits, 8)
	return strings.Repeat("0", max(4-len(text), 0)) + text
}

// consoles lists the kernel's consoles and the logins that wait on terminals.
func (s *scan) consoles() {
	found := map[string]*facts.Console{}
	console := func(name string) *facts.Console {
		if found[name] == nil {
			found[name] = &facts.Console{Name: name, Serial: serial(name)}
		}
		return found[name]
	}
	if s.live {
		text, _ := s.text("consoles", "proc/consoles")
		for line := range strings.Lines(text) {
			if f := strings.Fields(line); len(f) > 0 {
				console(clean(f[0])).Kernel = true
			}
		}
		s.at("consoles", "proc/consoles")
	} else {
		s.unknown("consoles", "a disk does not tell the kernel's consoles; run postscan vm on the running machine")
	}
	for unit := range s.units {
		// getty@tty1.service, serial-getty@ttyS0.service, console-getty.service
		name, ok := strings.CutSuffix(unit, ".service")
		base, terminal, _ := strings.Cut(name, "@")
		if !ok || !strings.HasSuffix(base, "getty") {
			continue
		}
		if terminal == "" {
			terminal = "console"
		}
		c := console(clean(terminal))
		c.Getty = true
		if account := s.autologin(base, terminal); account != "" {
			c.AutoLogin = account
		}
	}
	s.inittab(console)
	// systemd's generator starts a login on the kernel's serial consoles by itself.
	for _, c := range found {
		if s.live && c.Kernel && c.Serial && s.systemd() {
			c.Getty = true
			if account := s.autologin("serial-getty", c.Name); account != "" {
				c.AutoLogin = account
			}
		}
	}
	for _, name := range sorted(found) {
		s.doc.Consoles = append(s.doc.Consoles, *found[name])
	}
}

func serial(name string) bool {
	for _, prefix := range []string{"ttyS", "ttyAMA", "hvc", "ttyUSB", "sclp", "ttysclp", "xvc"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// autologin finds the account that an override of a getty's unit logs in.
func (s *scan) autologin(base, terminal string) string {
	account := ""
	for _, dir := range []string{"usr/lib/systemd/system", "lib/systemd/system", "etc/systemd/system", "run/systemd/system"} {
		for _, unit := range []string{base + "@.service", base + "@" + terminal + ".service", base + ".service"} {
			files := append([]string{path.Join(dir, unit)}, s.t.below(path.Join(dir, unit+".d"), func(n string) bool { return strings.HasSuffix(n, ".conf") })...)
			for _, name := range files {
				data, err := s.t.read(name)
				if err != nil {
					continue
				}
				if a := autologinOf(string(data)); a != "" {
					account = a
					s.at("consoles", name)
				}
			}
		}
	}
	return account
}

// autologinOf finds --autologin (or -a) on the command lines of a unit.
func autologinOf(unit string) string {
	for line := range strings.Lines(unit) {
		command, ok := strings.CutPrefix(strings.TrimSpace(line), "ExecStart=")
		if !ok || !strings.Contains(command, "getty") {
			continue
		}
		words := strings.Fields(command)
		for i, w := range words {
			if v, ok := strings.CutPrefix(w, "--autologin="); ok {
				return clean(v)
			}
			if (w == "--autologin" || w == "-a") && i+1 < len(words) {
				return clean(words[i+1])
			}
		}
	}
	return ""
}

// inittab reads the terminals of sysvinit and busybox.
func (s *scan) inittab(console func(string) *facts.Console) {
	data, err := s.t.read("etc/inittab")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") || !strings.Contains(line, "getty") && !strings.Contains(line, "login") && !strings.Contains(line, "/sh") {
			continue
		}
		fields := strings.SplitN(line, ":", 4)
		if len(fields) < 4 || !strings.Contains(fields[2], "respawn") && !strings.Contains(fields[2], "askfirst") {
			continue
		}
		name := fields[0]
		for _, w := range strings.Fields(fields[3]) {
			if strings.HasPrefix(w, "tty") || strings.HasPrefix(w, "hvc") {
				name = w
			}
		}
		c := console(clean(name))
		c.Getty = true
		words := strings.Fields(fields[3])
		for i, w := range words {
			if (w == "-a" || w == "--autologin") && i+1 < len(words) {
				c.AutoLogin = clean(words[i+1])
			}
		}
		if len(words) > 0 && (strings.HasSuffix(words[0], "/sh") || strings.HasSuffix(words[0], "/ash")) {
			c.AutoLogin = "root"
		}
		s.at("consoles", "etc/inittab")
	}
}
