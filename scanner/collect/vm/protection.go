package vm

import (
	"strings"

	"github.com/postscan/postscan/scanner/facts"
)

const securityFS = "sys/kernel/security"

// protection reads mandatory access control, lockdown and module signing.
func (s *scan) protection() {
	p := &s.doc.Protection
	p.SELinux = selinuxWanted(s.t.line("etc/selinux/config"), s.selinuxConfig())
	if s.diskCannot("protection.lsms", "protection.apparmor", "protection.apparmor_enforced", "protection.apparmor_complain", "protection.lockdown", "protection.module_signatures", "protection.modules_disabled") {
		s.at("protection.selinux", "etc/selinux/config")
		return
	}
	if !s.t.exists("sys/module") && !s.t.exists("sys/kernel") {
		p.SELinux = ""
		s.unknown("protection", "/sys is not there or empty")
		return
	}
	lsms := s.t.line(securityFS + "/lsm")
	mounted := lsms != ""
	if mounted {
		p.LSMs = strings.Split(lsms, ",")
		s.at("protection.lsms", securityFS+"/lsm")
	} else {
		s.noSecurityFS()
	}
	s.appArmor()
	s.selinux()
	s.lockdown(mounted)
	p.ModuleSignatures = s.moduleSignatures()
	p.ModulesDisabled = s.t.line("proc/sys/kernel/modules_disabled") == "1" || s.option("CONFIG_MODULES") == "n"
}

// noSecurityFS: without securityfs the list of modules is hidden; what the kernel
// shows elsewhere stands for it where it can.
func (s *scan) noSecurityFS() {
	reason := "securityfs is not mounted at /sys/kernel/security, so active security modules are not shown; mount it there"
	if s.t.exists("sys/module/apparmor") || s.t.exists("sys/fs/selinux/enforce") {
		s.unknown("protection.lsms", reason)
		return
	}
	s.unknown("protection.lsms", reason)
}

func (s *scan) appArmor() {
	p := &s.doc.Protection
	switch s.t.line("sys/module/apparmor/parameters/enabled") {
	case "Y":
		p.AppArmor = "enabled"
	case "N":
		p.AppArmor = "disabled"
	default:
		p.AppArmor = "absent"
	}
	s.at("protection.apparmor", "sys/module/apparmor/parameters/enabled")
	if p.AppArmor != "enabled" {
		return
	}
	data, err := s.t.read(securityFS + "/apparmor/profiles")
	if err != nil {
		reason := why(err)
		if absent(err) {
			reason = "/sys/kernel/security/apparmor/profiles is not there; mount securityfs"
		}
		s.unknown("protection.apparmor_enforced", reason)
		s.unknown("protection.apparmor_complain", reason)
		return
	}
	for line := range strings.Lines(string(data)) {
		switch line = strings.TrimSpace(line); {
		case strings.HasSuffix(line, "(enforce)"), strings.HasSuffix(line, "(kill)"):
			p.AppArmorEnforced++
		case strings.HasSuffix(line, "(complain)"), strings.HasSuffix(line, "(unconfined)"):
			p.AppArmorComplain++
		}
	}
}

func (s *scan) selinux() {
	p := &s.doc.Protection
	switch s.t.line("sys/fs/selinux/enforce") {
	case "1":
		p.SELinux = "enforcing"
		s.at("protection.selinux", "sys/fs/selinux/enforce")
	case "0":
		p.SELinux = "permissive"
		s.at("protection.selinux", "sys/fs/selinux/enforce")
	default:
		if p.SELinux != "absent" {
			p.SELinux = "disabled" // configured, but the kernel does not run it
			s.at("protection.selinux", "etc/selinux/config")
		}
	}
}

// selinuxConfig is the mode that the configuration asks for.
func (s *scan) selinuxConfig() string {
	data, err := s.t.read("etc/selinux/config")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(data)) {
		if mode, ok := strings.CutPrefix(strings.TrimSpace(line), "SELINUX="); ok {
			return strings.ToLower(clean(mode))
		}
	}
	return ""
}

func selinuxWanted(file, mode string) string {
	switch {
	case file == "":
		return "absent"
	case mode == "enforcing", mode == "permissive":
		return mode
	default:
		return "disabled"
	}
}

// lockdown reads "none [integrity] confidentiality".
func (s *scan) lockdown(mounted bool) {
	p := &s.doc.Protection
	text := s.t.line(securityFS + "/lockdown")
	s.at("protection.lockdown", securityFS+"/lockdown")
	switch {
	case text != "":
		_, rest, _ := strings.Cut(text, "[")
		p.Lockdown, _, _ = strings.Cut(rest, "]")
		if p.Lockdown == "" {
			s.unknown("protection.lockdown", "/sys/kernel/security/lockdown names no mode")
		}
	case mounted:
		p.Lockdown = "absent"
	default:
		s.unknown("protection.lockdown", "securityfs is not mounted at /sys/kernel/security")
	}
}

func (s *scan) moduleSignatures() string {
	s.at("protection.module_signatures", "sys/module/module/parameters/sig_enforce")
	switch s.t.line("sys/module/module/parameters/sig_enforce") {
	case "Y":
		return "enforced"
	case "N":
		if l := s.doc.Protection.Lockdown; l == "integrity" || l == "confidentiality" {
			return "enforced" // lockdown asks for signatures
		}
		return "optional"
	default:
		return "absent"
	}
}

// option is the value of an option of the kernel's build, "" where it is not known.
func (s *scan) option(name string) string {
	for _, o := range s.doc.Kernel.Options {
		if o.Name == name {
			return o.Value
		}
	}
	return ""
}

// mitigations reads the kernel's word on the processor's flaws.
func (s *scan) mitigations() {
	if s.diskCannot("mitigations", "smt") {
		return
	}
	const dir = "sys/devices/system/cpu/vulnerabilities"
	names, err := s.t.list(dir)
	if err != nil {
		s.unknown("mitigations", why(err))
	}
	for _, name := range names {
		data, err := s.t.readUpTo(dir+"/"+name, 1<<16)
		if err != nil {
			s.unknown("mitigations", why(err))
			continue
		}
		s.doc.Mitigations = append(s.doc.Mitigations, mitigation(name, clean(string(data))))
	}
	s.at("mitigations", dir)
	if s.doc.SMT = s.t.line("sys/devices/system/cpu/smt/control"); s.doc.SMT == "" {
		s.unknown("smt", "/sys/devices/system/cpu/smt/control is not there")
	}
	s.at("smt", "sys/devices/system/cpu/smt/control")
}

func mitigation(name, status string) facts.Mitigation {
	return facts.Mitigation{
		Name: clean(name), Status: status,
		Vulnerable: strings.HasPrefix(status, "Vulnerable"),
		SMT:        strings.Contains(status, "SMT vulnerable"),
	}
}
