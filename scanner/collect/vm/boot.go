package vm

import (
	"path"
	"strings"
)

// The name of the firmware's own variables has the id of the UEFI standard in it.
const (
	efiVars     = "sys/firmware/efi/efivars"
	efiStandard = "-8be4df61-93ca-11d2-aa0d-00e098032b8c"
)

// boot reads the firmware, Secure Boot, the TPM and measured boot.
func (s *scan) boot() {
	if s.diskCannot("boot") {
		return
	}
	b := &s.doc.Boot
	if !s.t.exists("sys/class") {
		s.unknown("boot", "/sys is not there or empty")
		return
	}
	b.TPM = s.tpm()
	b.MeasuredBoot = s.t.exists("sys/kernel/security/tpm0/binary_bios_measurements") || s.t.exists("sys/firmware/acpi/tables/data/CCEL")
	switch {
	case s.t.exists("sys/firmware/efi"):
		b.Firmware = "efi"
		s.at("boot.firmware", "sys/firmware/efi")
		s.secureBoot()
	case s.t.exists("sys/class/dmi/id") || s.t.exists("sys/firmware/edd") || s.t.exists("sys/firmware/qemu_fw_cfg"):
		b.Firmware, b.SecureBoot = "bios", "absent"
		s.at("boot.secure_boot", "sys/firmware")
		s.at("boot.firmware", "sys/firmware")
	default: // a microVM, a machine with a device tree, or one that shows nothing
		b.Firmware, b.SecureBoot = "direct", "absent"
		s.at("boot.secure_boot", "sys/firmware")
		s.at("boot.firmware", "sys/firmware")
	}
	if s.doc.Machine.Container != "" {
		s.unknown("boot", "this is a container, which may not see how its machine was started; run postscan vm on the machine")
	}
}

// secureBoot reads the firmware's variables: four bytes of attributes, then the value.
func (s *scan) secureBoot() {
	b := &s.doc.Boot
	name := path.Join(efiVars, "SecureBoot"+efiStandard)
	s.at("boot.secure_boot", name)
	data, err := s.t.readUpTo(name, 64)
	switch {
	case err == nil:
		b.SecureBoot = efiSwitch(data)
		if b.SecureBoot == "" {
			s.unknown("boot.secure_boot", absolute(name)+" is not five bytes long")
		}
	case !absent(err):
		s.unknown("boot.secure_boot", why(err))
	case len(s.t.below(efiVars, func(string) bool { return true })) == 0:
		s.unknown("boot.secure_boot", "/sys/firmware/efi/efivars is not mounted or empty; mount efivarfs there")
	default:
		b.SecureBoot = "absent"
	}
	if data, err := s.t.readUpTo(path.Join(efiVars, "SetupMode"+efiStandard), 64); err == nil {
		b.SetupMode = efiSwitch(data) == "enabled"
	}
}

// efiSwitch reads a variable of one byte; "" for one that is none.
func efiSwitch(data []byte) string {
	switch {
	case len(data) != 5:
		return ""
	case data[4] == 1:
		return "enabled"
	default:
		return "disabled"
	}
}

func (s *scan) tpm() string {
	s.at("boot.tpm", "sys/class/tpm")
	names, err := s.t.list("sys/class/tpm")
	if err != nil && !absent(err) {
		s.unknown("boot.tpm", why(err))
		return ""
	}
	if len(names) == 0 {
		return "none"
	}
	s.at("boot.tpm", path.Join("sys/class/tpm", names[0]))
	switch major := s.t.line(path.Join("sys/class/tpm", names[0], "tpm_version_major")); major {
	case "2":
		return "2.0"
	case "1":
		return "1.2"
	default:
		return "present"
	}
}

// confidential tells encrypted memory by the devices and folders that only the
// kernel of such a guest makes, and by the processor.
func (s *scan) confidential() {
	if s.diskCannot("confidential") {
		return
	}
	c := &s.doc.Confidential
	c.Technology = "none"
	found := func(technology, file string) {
		c.Technology = technology
		s.at("confidential.technology", file)
	}
	cpu := CPU{}
	if s.opts.CPU != nil {
		cpu = s.opts.CPU()
	}
	status := s.t.line("sys/devices/system/cpu/sev/status")
	switch {
	case cpu.TDX:
		found("tdx", "CPUID leaf 0x21")
	case s.t.exists("dev/tdx_guest") || s.t.exists("sys/class/misc/tdx_guest"):
		found("tdx", "dev/tdx_guest")
	case s.t.exists("dev/sev-guest") || s.t.exists("sys/class/misc/sev-guest"):
		found("sev-snp", "dev/sev-guest") // the driver binds to SNP guests only
	case strings.Contains(status, "SNP"):
		found("sev-snp", "sys/devices/system/cpu/sev/status")
	case s.t.exists("sys/devices/system/cpu/sev/vmpl"):
		found("sev-snp", "sys/devices/system/cpu/sev/vmpl")
	default:
		if technology := memoryEncryption(s.kernelLog()); technology != "" {
			found(technology, "var/log/dmesg")
		} else if info, err := s.t.read("proc/cpuinfo"); err == nil {
			if flags, _ := cpuInfo(string(info)); contains(flags, "tdx_guest") {
				found("tdx", "proc/cpuinfo")
			}
		}
	}
	c.Attestation = s.t.exists("dev/sev-guest") || s.t.exists("dev/tdx_guest") || s.t.exists("sys/kernel/config/tsm/report")
}

// kernelLog is what the kernel wrote at its start, where the system keeps it in a file.
func (s *scan) kernelLog() string {
	data, err := s.t.read("var/log/dmesg")
	if err != nil {
		return ""
	}
	return string(data)
}

// memoryEncryption finds the kernel's line about active features.
func memoryEncryption(log string) string {
	for line := range strings.Lines(log) {
		_, features, ok := strings.Cut(line, "Memory Encryption Features active:")
		switch {
		case !ok:
		case strings.Contains(features, "SEV-SNP"):
			return "sev-snp"
		case strings.Contains(features, "SEV-ES"):
			return "sev-es"
		case strings.Contains(features, "TDX"):
			return "tdx"
		case strings.Contains(features, "SEV"):
			return "sev"
		}
	}
	return ""
}

func contains(list []string, want string) bool {
	for _, e := range list {
		if e == want {
			return true
		}
	}
	return false
}
