package vm_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/collect/vm"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/vulndb"
	"github.com/postscan/postscan/scanner/vulndb/dbfile"
)

// notAsked are the outcomes of a scan without a metadata service and without a
// vulnerability database.
func notAsked(more ...string) []string {
	return append([]string{"PS-VM-008 not_assessed", "PS-VM-002 unknown", "PS-VM-006 unknown", "PS-VM-011 unknown", "PS-VM-013 unknown"}, more...)
}

// database opens a vulnerability database that knows flaws of linux and openssl.
func database(t testing.TB) *vulndb.DB {
	t.Helper()
	fixture, err := dbfile.Parse([]byte(`
updated: 2026-02-28T06:00:00Z
next_update: 2026-03-02T06:00:00Z
sources:
  debian 12: {id: debian, name: Debian Security Tracker, url: https://salsa.debian.org/}
advisories:
  debian 12:
    linux:
      CVE-2024-1086: {fixed: 6.1.76-1}
      CVE-2024-26925: {fixed: 6.1.90-1}
      CVE-2013-7445: {fixed: ""}
    openssl:
      CVE-2023-5363: {fixed: 3.0.11-1~deb12u2}
vulnerabilities:
  CVE-2024-1086: {title: a, severity: {debian: high}}
  CVE-2024-26925: {title: b, severity: {debian: high}}
  CVE-2013-7445: {title: c, severity: {debian: high}}
  CVE-2023-5363: {title: d, severity: {debian: high}}
`))
	must(t, err)
	dir := t.TempDir()
	must(t, fixture.Write(dir))
	db, err := vulndb.Open(t.Context(), vulndb.Options{Dir: dir, Offline: true, Now: func() time.Time { return now }})
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestSoundGuest(t *testing.T) {
	doc, r := machine(t, vm.Options{Root: guest().write(t), Matcher: database(t)})
	expect(t, verdicts(t, []*facts.Resource{r}, "PS-VM-*"), []string{
		"PS-VM-008 not_assessed", "PS-VM-013 not_assessed", // there are no lists of exploited ones
		"PS-VM-002 kernel vulnerable", "PS-VM-011 CVE-2024-26925 pkg:deb/debian/linux-image-6.1.0-20-amd64 var/lib/dpkg/status",
		"PS-VM-011 CVE-2024-26925 pkg:deb/debian/linux-image-6.1.0-18-amd64 var/lib/dpkg/status",
		"PS-VM-011 CVE-2013-7445 pkg:deb/debian/linux-image-6.1.0-20-amd64 var/lib/dpkg/status",
		"PS-VM-011 CVE-2013-7445 pkg:deb/debian/linux-image-6.1.0-18-amd64 var/lib/dpkg/status",
	})
	if m := doc.Machine; m.Kind != "vm" || m.Hypervisor != "kvm" || m.Confidence != "certain" {
		t.Errorf("machine %+v", m)
	}
	if d := doc.Disk; d.Root != "encrypted" || d.Swap != "none" || len(d.Encrypted) != 1 {
		t.Errorf("disk %+v", d)
	}
	if p := doc.Protection; p.AppArmorEnforced != 2 || p.AppArmorComplain != 1 || p.ModuleSignatures != "enforced" {
		t.Errorf("protection %+v", p)
	}
	if k := doc.Kernel; k.Version != "6.1.85-1" || k.InstalledVersion != "6.1.85-1" || strings.Join(k.Vulnerable, " ") != "CVE-2024-26925" || len(k.Installed) != 2 {
		t.Errorf("kernel %+v", k)
	}
	if p := r.Place("kernel.release"); p.Origin.File != "/proc/sys/kernel/osrelease" {
		t.Errorf("the running kernel was read at %+v", p)
	}
	aliases := map[string]string{}
	for _, a := range r.Aliases {
		aliases[a.Type] = a.Value
	}
	if aliases["machine-id"] != "0123456789abcdef0123456789abcdef" || aliases["system-uuid"] != "11111111-2222-3333-4444-555555555555" {
		t.Errorf("aliases %v", aliases)
	}
}

// A secret on the command line of kernel or init is in no fact.
func TestCommandLineKeepsNoSecret(t *testing.T) {
	doc, _ := machine(t, vm.Options{Root: guest().write(t), NoPackages: true})
	for _, p := range doc.Kernel.Parameters {
		if p.Name == "token" || strings.Contains(p.Value, "hunter2") {
			t.Errorf("parameter %+v", p)
		}
	}
	if len(doc.Kernel.Parameters) != 1 || doc.Kernel.Parameters[0].Name != "lockdown" {
		t.Errorf("parameters %+v", doc.Kernel.Parameters)
	}
}

func TestDebianWithAnOldKernelBooted(t *testing.T) {
	root := guest().with(files{
		"proc/sys/kernel/osrelease": "6.1.0-18-amd64\n",
		"proc/version":              "Linux version 6.1.0-18-amd64 (a@b) (gcc) #1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)\n",
		"run/reboot-required":       "*** System restart required ***\n",
	}).write(t)
	doc, r := machine(t, vm.Options{Root: root})
	expect(t, verdicts(t, []*facts.Resource{r}, "PS-VM-*"), notAsked("PS-VM-002 kernel not booted"))
	if k := doc.Kernel; !k.Outdated || k.Newest != "6.1.0-20-amd64" || !k.RebootRequired {
		t.Errorf("kernel %+v", k)
	}
	if p := r.Place("kernel.outdated"); p.Origin.File != "/boot/vmlinuz-6.1.0-20-amd64" {
		t.Errorf("the newer kernel was seen at %+v", p)
	}

	// The package was replaced under the same release.
	root = guest().with(files{"proc/version": "Linux version 6.1.0-20-amd64 (a@b) (gcc) #1 SMP Debian 6.1.82-1 (2024-03-28)\n"}).write(t)
	_, r = machine(t, vm.Options{Root: root})
	expect(t, verdicts(t, []*facts.Resource{r}, "PS-VM-*"), notAsked("PS-VM-002 kernel not booted"))

	// Without packages the folder of kernels tells it all the same.
	root = guest().with(files{"proc/sys/kernel/osrelease": "6.1.0-18-amd64\n"}).write(t)
	_, r = machine(t, vm.Options{Root: root, NoPackages: true})
	expect(t, verdicts(t, []*facts.Resource{r}, "PS-VM-*"), []string{
		"PS-VM-002 kernel not booted", "PS-VM-002 not_assessed", "PS-VM-006 not_assessed", "PS-VM-008 not_assessed", "PS-VM-011 not_assessed", "PS-VM-013 not_assessed",
	})
}

// A guest of the family of rpm, with SELinux permissive, an old release and weak
// settings. [TestRedHatPackages] has one with packages.
func TestRedHatFamily(t *testing.T) {
	root := guest().with(files{
		"usr/lib/os-release": "ID=\"centos\"\nVERSION_ID=\"7\"\nNAME=\"CentOS Linux\"\nPRETTY_NAME=\"CentOS Linux 7 (Core)\"\n",
		"etc/centos-release": "CentOS Linux release 7.9.2009 (Core)\n",
		"etc/debian_version": "", "var/lib/dpkg/status": "", "boot/vmlinuz-6.1.0-18-amd64": "", "boot/vmlinuz-6.1.0-20-amd64": "", "usr/bin/unattended-upgrade": "",
		"boot/config-6.1.0-20-amd64": "", "sys/module/apparmor/parameters/enabled": "",
		"boot/vmlinuz-3.10.0-1160.el7.x86_64":                     "kernel",
		"boot/vmlinuz-3.10.0-1160.119.1.el7.x86_64":               "kernel",
		"boot/vmlinuz-0-rescue-0123":                              "kernel",
		"proc/sys/kernel/osrelease":                               "3.10.0-1160.el7.x86_64\n",
		"proc/version":                                            "Linux version 3.10.0-1160.el7.x86_64 (a@b) #1 SMP\n",
		"etc/selinux/config":                                      "# mode\nSELINUX=enforcing\nSELINUXTYPE=targeted\n",
		"sys/fs/selinux/enforce":                                  "0",
		"sys/kernel/security/lsm":                                 "capability,yama,selinux",
		"etc/ssh/sshd_config":                                     "PermitRootLogin yes\nPasswordAuthentication yes\nPasswordAuthentication no\n",
		"usr/sbin/sshd":                                           "0755|sshd",
		"etc/systemd/system/multi-user.target.wants/sshd.service": "-> /usr/lib/systemd/system/sshd.service",
		"sys/devices/system/cpu/vulnerabilities/mds":              "Vulnerable: Clear CPU buffers attempted, no microcode; SMT vulnerable\n",
	}).write(t)
	doc, r := machine(t, vm.Options{Root: root})
	expect(t, verdicts(t, []*facts.Resource{r}, "PS-VM-*"), notAsked(
		"PS-VM-002 end of life", "PS-VM-002 kernel not booted", "PS-VM-003 mds", "PS-VM-004 permissive", "PS-VM-009 password", "PS-VM-009 root",
	))
	if doc.Distribution.Family != "centos" || doc.Protection.SELinux != "permissive" {
		t.Errorf("distribution %+v, SELinux %s", doc.Distribution, doc.Protection.SELinux)
	}
	if p := r.Place("ssh.permit_root_login"); p.Origin.File != "/etc/ssh/sshd_config" || p.Origin.Line != 1 {
		t.Errorf("PermitRootLogin was read at %+v", p)
	}
}

func TestGuestWithSecureBootOff(t *testing.T) {
	const variable = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
	doc, r := machine(t, vm.Options{Root: guest().with(files{
		variable: "\x06\x00\x00\x00\x00", "sys/class/tpm/tpm0/tpm_version_major": "", "sys/kernel/security/tpm0/binary_bios_measurements": "",
	}).write(t)})
	expect(t, verdicts(t, []*facts.Resource{r}, "PS-VM-*"), notAsked("PS-VM-001 secure boot", "PS-VM-001 tpm"))
	if b := doc.Boot; b.Firmware != "efi" || b.SecureBoot != "disabled" || b.TPM != "none" {
		t.Errorf("boot %+v", b)
	}
	// A variable that is cut short says nothing.
	_, r = machine(t, vm.Options{Root: guest().with(files{variable: "\x06\x00"}).write(t)})
	expect(t, verdicts(t, []*facts.Resource{r}, "PS-VM-*"), notAsked("PS-VM-001 unknown", "PS-VM-004 unknown"))
}

func TestConfidentialGuest(t *testing.T) {
	microVM := guest().with(files{
		"sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c": "", "sys/firmware/efi/efivars/SetupMode-8be4df61-93ca-11d2-aa0d-00e098032b8c": "",
		"sys/class/dmi/id/sys_vendor": "", "sys/class/dmi/id/product_name": "", "sys/class/dmi/id/product_uuid": "",
		"sys/class/tpm/tpm0/tpm_version_major": "", "sys/kernel/security/tpm0/binary_bios_measurements": "", "sys/class/net/lo/type": "772\n",
	})
	doc, r := machine(t, vm.Options{Root: microVM.with(files{"sys/class/misc/sev-guest/dev": "10:123\n", "dev/sev-guest": "device"}).write(t)})
	expect(t, verdicts(t, []*facts.Resource{r}, "PS-VM-*"), notAsked())
	if c := doc.Confidential; c.Technology != "sev-snp" || !c.Attestation || doc.Boot.Firmware != "direct" {
		t.Errorf("confidential %+v, boot %+v", c, doc.Boot)
	}
	_, r = machine(t, vm.Options{Root: microVM.write(t)})
	expect(t, verdicts(t, []*facts.Resource{r}, "PS-VM-001"), []string{"PS-VM-001 secure boot", "PS-VM-001 tpm"})
	doc, _ = machine(t, vm.Options{Root: microVM.write(t), CPU: func() vm.CPU { return vm.CPU{Asked: true, Hypervisor: true, TDX: true} }, NoPackages: true})
	if doc.Confidential.Technology != "tdx" {
		t.Errorf("confidential %+v", doc.Confidential)
	}
	doc, _ = machine(t, vm.Options{Root: microVM.with(files{"var/log/dmesg": "[    0.1] Memory Encryption Features active: AMD SEV SEV-ES\n"}).write(t), NoPackages: true})
	if doc.Confidential.Technology != "sev-es" {
		t.Errorf("confidential %+v", doc.Confidential)
	}
}

func TestVMwareGuestWithSharedFolders(t *testing.T) {
	root := guest().with(files{
		"sys/class/dmi/id/sys_vendor": "VMware, Inc.\n", "sys/class/dmi/id/product_name": "VMware Virtual Platform\n",
		"proc/self/mountinfo": "22 1 252:0 / / rw,relatime shared:1 - ext4 /dev/mapper/root rw\n" +
			"40 22 0:50 / /mnt/hgfs rw,nosuid - fuse.vmhgfs-fuse vmhgfs-fuse rw\n" +
			"41 22 0:51 / /mnt/with\\040space ro,nosuid - vmhgfs .host:/docs rw\n",
		"etc/fstab":           "UUID=1 / ext4 defaults 0 1\n.host:/later /mnt/later fuse.vmhgfs-fuse defaults,ro 0 0\n",
		"var/lib/dpkg/status": dpkg("open-vm-tools 2:12.2.0-1", "linux-image-6.1.0-20-amd64 6.1.85-1"),
		"usr/bin/vmtoolsd":    "0755|vmtoolsd",
		"proc/300/comm":       "vmtoolsd\n",
		"sys/bus/pci/devices/0000:03:00.0/vendor": "0x10de\n", "sys/bus/pci/devices/0000:03:00.0/device": "0x20b5\n", "sys/bus/pci/devices/0000:03:00.0/class": "0x030200\n",
		"sys/bus/pci/devices/0000:00:0f.0/vendor": "0x15ad\n", "sys/bus/pci/devices/0000:00:0f.0/device": "0x0405\n", "sys/bus/pci/devices/0000:00:0f.0/class": "0x030000\n",
	}).write(t)
	cpu := func() vm.CPU { return vm.CPU{Asked: true, Hypervisor: true, Vendor: "VMwareVMware"} }
	doc, r := machine(t, vm.Options{Root: root, CPU: cpu})
	expect(t, verdicts(t, []*facts.Resource{r}, "PS-VM-*"), notAsked(
		"PS-VM-006 open-vm-tools", "PS-VM-007 share /mnt/hgfs", "PS-VM-007 share /mnt/with space", "PS-VM-007 share /mnt/later", "PS-VM-007 device 10de 20b5",
	))
	if doc.Machine.Hypervisor != "vmware" || len(doc.Agents) != 1 || doc.Agents[0].Version != "12.2.0-1" {
		t.Errorf("machine %+v, agents %+v", doc.Machine, doc.Agents)
	}
	limited := files{"etc/vmware-tools/tools.conf": "[logging]\nlog=true\n[guestoperations]\ndisabled=true\n", "usr/bin/vmtoolsd": "0755|x", "proc/300/comm": "vmtoolsd\n"}
	doc, _ = machine(t, vm.Options{Root: guest().with(limited).write(t), CPU: cpu, NoPackages: true})
	if a := doc.Agents[0]; a.Exec || a.Files {
		t.Errorf("agent %+v", a)
	}
}

// A container host with everything wrong.
func TestCarelessContainerHost(t *testing.T) {
	root := guest().with(files{
		"run/docker.sock": "socket", "proc/400/comm": "dockerd\n", "proc/400/fd/3": "-> socket:[777]",
		"proc/self/net/tcp": "  sl  local_address rem_address   st\n" +
			"   0: 00000000:0947 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 777 1 0\n" +
			"   1: 0100007F:094B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 778 1 0\n",
		"etc/systemd/system/multi-user.target.wants/postgresql.service":    "-> /lib/systemd/system/postgresql.service",
		"etc/systemd/system/getty.target.wants/serial-getty@ttyS0.service": "-> /lib/systemd/system/serial-getty@.service",
		"etc/systemd/system/serial-getty@ttyS0.service.d/autologin.conf":   "[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin root -o '-p -- \\u' 115200 %I $TERM\n",
		"etc/shadow":                                "0640|root::19000:0:99999:7:::\n",
		"proc/sys/kernel/kptr_restrict":             "0\n",
		"proc/sys/kernel/core_pattern":              "|/opt/crash/handler %p secret\n",
		"opt/crash":                                 "0777|dir",
		"opt/crash/handler":                         "0755|x",
		"proc/sys/kernel/unprivileged_userns_clone": "1\n",
		"proc/cmdline":                              "mitigations=off\n",
		"dev/kvm":                                   "0666|device",
		"proc/200/comm":                             "",
		"usr/bin/unattended-upgrade":                "",
		"var/lib/cloud/instances/i-1/user-data.txt": "0644|#cloud-config\nkey: AKIA" + "IOSFODNN7EXAMPLQ\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzzzzz\n",
	}).write(t)
	doc, r := machine(t, vm.Options{Root: root})
	expect(t, verdicts(t, []*facts.Resource{r}, "PS-VM-*"), notAsked(
		"PS-VM-003 mitigations=off", "PS-VM-005 kptr_restrict", "PS-VM-005 core_pattern", "PS-VM-005 user_namespaces", "PS-VM-007 nested",
		"PS-VM-008 /var/lib/cloud/instances/i-1/user-data.txt", "PS-VM-009 account root", "PS-VM-009 console ttyS0",
		"PS-VM-010 postgresql", "PS-VM-010 audit", "PS-VM-010 log_forwarding", "PS-VM-010 time_sync", "PS-VM-012 docker 2375",
	))
	if doc.Sysctls.CorePattern != "|/opt/crash/handler" {
		t.Errorf("core pattern %q: arguments do not belong into facts", doc.Sysctls.CorePattern)
	}
	if b := doc.Bootstrap; len(b) != 1 || !b[0].Readable || len(b[0].Secrets) == 0 {
		t.Errorf("bootstrap %+v", b)
	}
	if p := doc.Ports; len(p) != 2 || p[0].Process != "dockerd" || p[0].Service != "docker" || p[1].Reach != "loopback" {
		t.Errorf("ports %+v", p)
	}
}

func TestWhereTheSystemRuns(t *testing.T) {
	acpi := func(oem string) string {
		return "FACP\x14\x01\x00\x00\x06\x00" + oem + "FCVMFADT" + strings.Repeat("\x00", 12)
	}
	for name, tt := range map[string]struct {
		more                        files
		cpu                         func() vm.CPU
		kind, hypervisor, container string
		provider, confidence        string
	}{
		"firecracker": {more: files{"sys/firmware/acpi/tables/FACP": acpi("FIRECK")}, cpu: kvm, kind: "vm", hypervisor: "firecracker", confidence: "certain"},
		"firecracker without CPUID": {
			more: files{"sys/firmware/acpi/tables/FACP": acpi("FIRECK"), "proc/cpuinfo": "vendor_id : x\nflags : fpu hypervisor\n"},
			cpu:  func() vm.CPU { return vm.CPU{} }, kind: "vm", hypervisor: "firecracker", confidence: "likely",
		},
		"docker file alone": {more: files{".dockerenv": "x"}, cpu: kvm, kind: "vm", hypervisor: "kvm", confidence: "certain"},
		"container in a VM": {
			more: files{".dockerenv": "x", "proc/1/cgroup": "0::/docker/0123\n"}, cpu: kvm, kind: "container", hypervisor: "kvm", container: "docker", confidence: "certain",
		},
		"container by its namespace": {
			more: files{"run/.containerenv": "x", "proc/self/ns/pid": "-> pid:[4026532000]"}, cpu: metal, kind: "container", hypervisor: "none", container: "podman", confidence: "likely",
		},
		"aws":                       {more: files{"sys/class/dmi/id/sys_vendor": "Amazon EC2\n"}, cpu: kvm, kind: "vm", hypervisor: "kvm", provider: "aws", confidence: "certain"},
		"azure":                     {more: files{"sys/class/dmi/id/chassis_asset_tag": "7783-7084-3265-9085-8269-3286-77\n"}, cpu: func() vm.CPU { return vm.CPU{Asked: true, Hypervisor: true, Vendor: "Microsoft Hv"} }, kind: "vm", hypervisor: "hyper-v", provider: "azure", confidence: "certain"},
		"QEMU that pretends":        {more: files{"sys/class/dmi/id/sys_vendor": "QEMU\n"}, cpu: func() vm.CPU { return vm.CPU{Asked: true, Hypervisor: true, Vendor: "Microsoft Hv"} }, kind: "vm", hypervisor: "qemu", confidence: "certain"},
		"metal":                     {cpu: metal, kind: "bare-metal", hypervisor: "none", confidence: "certain"},
		"xen":                       {more: files{"sys/hypervisor/type": "xen\n"}, cpu: func() vm.CPU { return vm.CPU{} }, kind: "vm", hypervisor: "xen", confidence: "certain"},
		"xen's own domain":          {more: files{"sys/hypervisor/type": "xen\n", "proc/xen/capabilities": "control_d\n"}, cpu: func() vm.CPU { return vm.CPU{Asked: true, Hypervisor: true, Vendor: "XenVMMXenVMM"} }, kind: "bare-metal", hypervisor: "none", confidence: "certain"},
		"arm":                       {more: files{"proc/device-tree/hypervisor/compatible": "linux,kvm\x00", "proc/cpuinfo": "Features : fp asimd\n"}, cpu: func() vm.CPU { return vm.CPU{} }, kind: "vm", hypervisor: "kvm", confidence: "certain"},
		"nothing":                   {more: files{"proc/cpuinfo": "Features : fp asimd\n"}, cpu: func() vm.CPU { return vm.CPU{} }, kind: "unknown", hypervisor: "unknown", confidence: "guessed"},
		"hypervisor without a name": {cpu: func() vm.CPU { return vm.CPU{Asked: true, Hypervisor: true} }, kind: "vm", hypervisor: "unknown", confidence: "certain"},
	} {
		t.Run(name, func(t *testing.T) {
			plain := guest().with(files{"sys/class/dmi/id/sys_vendor": "", "sys/class/dmi/id/product_name": ""})
			doc, _ := machine(t, vm.Options{Root: plain.with(tt.more).write(t), CPU: tt.cpu, NoPackages: true})
			m := doc.Machine
			if m.Kind != tt.kind || m.Hypervisor != tt.hypervisor || m.Container != tt.container || m.Provider != tt.provider || m.Confidence != tt.confidence {
				t.Errorf("got %+v", m)
			}
		})
	}
}

func TestWindowsIsNotSupported(t *testing.T) {
	root := files{"Windows/System32/ntoskrnl.exe": "x", "Users/a/x": "y"}.write(t)
	s := collect(t, vm.Options{Root: root, Disk: true})
	if len(s.resources) != 0 || len(s.targets) != 1 || !strings.Contains(s.targets[0].Error, "Windows") {
		t.Errorf("targets %+v, %d resources", s.targets, len(s.resources))
	}
	s = collect(t, vm.Options{Root: filepath.Join(root, "none"), Disk: true})
	if len(s.resources) != 0 || !strings.Contains(s.targets[0].Error, "no such file") {
		t.Errorf("targets %+v", s.targets)
	}
	s = collect(t, vm.Options{Root: filepath.Join(root, "Users"), Disk: true})
	if len(s.resources) != 0 || !strings.Contains(s.targets[0].Error, "not the root of a system") {
		t.Errorf("targets %+v", s.targets)
	}
}

// Of a disk, /proc and /sys are not believed, and what only a running machine
// knows is unknown: no check passes that needs it.
func TestDisk(t *testing.T) {
	root := guest().with(files{"proc/sys/kernel/osrelease": "1.0-lie\n"}).write(t)
	doc, r := machine(t, vm.Options{Root: root, Disk: true, Matcher: database(t)})
	if doc.Live || doc.Kernel.Release != "" || doc.Machine.Kind != "" || doc.Kernel.Newest != "6.1.0-20-amd64" || doc.Sysctls.KptrRestrict != -1 {
		t.Errorf("live %t, kernel %+v, machine %+v", doc.Live, doc.Kernel, doc.Machine)
	}
	got := verdicts(t, []*facts.Resource{r}, "PS-VM-*")
	for _, id := range []string{"001", "002", "003", "004", "005", "007", "009", "010", "012"} {
		want := "PS-VM-" + id + " unknown"
		if id == "005" || id == "010" {
			continue // it is no container host
		}
		expect(t, append([]string{want}, got...), got)
	}
	if len(doc.Packages) != 2 || len(doc.Vulnerabilities) == 0 {
		t.Errorf("%d packages, %d vulnerabilities", len(doc.Packages), len(doc.Vulnerabilities))
	}
}

// Nothing of a running machine is there, or it lies: unknown, and no panic.
func TestProcAndSysAbsentOrLying(t *testing.T) {
	bare := files{}
	for name, content := range guest() {
		if !strings.HasPrefix(name, "proc/") && !strings.HasPrefix(name, "sys/") {
			bare[name] = content
		}
	}
	_, r := machine(t, vm.Options{Root: bare.write(t), CPU: func() vm.CPU { return vm.CPU{} }})
	got := verdicts(t, []*facts.Resource{r}, "PS-VM-001", "PS-VM-002", "PS-VM-003", "PS-VM-004", "PS-VM-007", "PS-VM-012")
	expect(t, got, []string{"PS-VM-001 unknown", "PS-VM-002 unknown", "PS-VM-003 unknown", "PS-VM-004 unknown", "PS-VM-007 unknown", "PS-VM-012 unknown"})

	lying := guest()
	for name := range lying {
		if (strings.HasPrefix(name, "proc/") || strings.HasPrefix(name, "sys/")) && !strings.HasPrefix(lying[name], "-> ") {
			lying[name] = strings.Repeat("\xff\x00[: ", 300)
		}
	}
	machine(t, vm.Options{Root: lying.write(t), NoPackages: true})
}

func TestHostileTree(t *testing.T) {
	outside := files{"secret": "outside\n", "etc/passwd": "evil::0:0::/root:/bin/sh\n"}.write(t)
	root := guest().with(files{
		"etc/hostname":             "-> " + filepath.Join(outside, "secret"),
		"proc/sys/kernel/hostname": "",
		"etc/machine-id":           "-> ../../../../../../../../" + filepath.Join(outside, "secret"),
		"etc/ssh/sshd_config":      "-> sshd_config",
		"usr/sbin/sshd":            "0755|x",
		"etc/crypttab":             "-> /etc/real-crypttab", // absolute, and inside of the tree
		"etc/real-crypttab":        "data UUID=3 none luks\n",
		"opt/loop":                 "-> /opt",
		"opt/out":                  "-> " + outside,
	}).write(t)
	must(t, syscall.Mkfifo(filepath.Join(root, "etc/inittab"), 0o644))
	must(t, syscall.Mkfifo(filepath.Join(root, "usr/bin/tool"), 0o755))
	must(t, os.Remove(filepath.Join(root, "etc/group")))
	must(t, syscall.Mkfifo(filepath.Join(root, "etc/group"), 0o644))
	must(t, os.Truncate(filepath.Join(root, "etc/fstab"), 1<<40)) // sparse
	doc, r := machine(t, vm.Options{Root: root})
	if doc.Hostname != "localhost" {
		t.Errorf("host name %q came from outside", doc.Hostname)
	}
	if !strings.Contains(strings.Join(doc.Disk.Encrypted, " "), "data") {
		t.Errorf("an absolute link inside of the tree was not followed: %+v", doc.Disk)
	}
	for _, p := range doc.Packages {
		if strings.Contains(p.Path, "out") {
			t.Errorf("package %+v", p)
		}
	}
	for _, where := range []string{"ssh", "shares"} {
		if m, ok := r.MissingAt(where); !ok || m.Status != facts.Unknown {
			t.Errorf("%s is not missing: %+v", where, r.Missing)
		}
	}
	for _, u := range doc.Users {
		if u.Name == "evil" {
			t.Error("accounts came from outside")
		}
	}
}

// What an ordinary user cannot read is unknown, with what to do.
func TestWithoutRoot(t *testing.T) {
	root := guest().with(files{"root/x": "y", "usr/bin/hidden": "0000|\x7fELF", "srv/closed/package.json": "{}", "etc/crypttab": "0000|x"}).write(t)
	must(t, os.Chmod(filepath.Dir(root), 0o755))
	must(t, os.Chmod(root, 0o755))
	must(t, os.Chmod(filepath.Join(root, "srv/closed"), 0))
	must(t, os.Chmod(filepath.Join(root, "etc/shadow"), 0))
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(root, "srv/closed"), 0o755) })
	asOrdinaryUser(t, func() {
		_, r := machine(t, vm.Options{Root: root})
		for _, where := range []string{"packages", "vulnerabilities", "users", "disk.encrypted"} {
			if m, ok := r.MissingAt(where); !ok || m.Status != facts.Unknown || !strings.Contains(m.Reason, "permission denied") {
				t.Errorf("%s: %+v", where, m)
			}
		}
	})
}

func TestKubernetesNode(t *testing.T) {
	root := guest().with(node(t)).write(t)
	must(t, os.Chmod(filepath.Join(root, "etc/kubernetes/pki/apiserver.key"), 0o644))
	s := collect(t, vm.Options{Root: root})
	if len(s.resources) != 2 || s.resources[1].Kind != facts.KindNode || s.resources[1].ID != "Node/worker-1" {
		t.Fatalf("resources %+v", s.resources)
	}
	r := s.resources[1]
	n, ok := r.Facts.(*facts.Node)
	if !ok {
		t.Fatalf("facts %T", r.Facts)
	}
	if k := n.Kubelet; !k.AnonymousAuth || k.AuthorizationMode != "AlwaysAllow" || k.ReadOnlyPort != 10255 || k.ClientCAFile != "/etc/kubernetes/pki/ca.crt" {
		t.Errorf("kubelet %+v", k)
	}
	roles := map[string]facts.NodeFile{}
	for _, f := range n.Files {
		roles[f.Role+" "+f.Path] = f
	}
	if f := roles["private-key /etc/kubernetes/pki/apiserver.key"]; f.Mode != 0o644 || f.Owner == "" {
		t.Errorf("files %+v", n.Files)
	}
	if _, ok := roles["kubelet-config /var/lib/kubelet/config.yaml"]; !ok {
		t.Errorf("files %+v", n.Files)
	}
	if len(n.Certificates) != 1 || n.Certificates[0].Role != "apiserver" || n.Certificates[0].KeyKind != "ecdsa" || n.Certificates[0].NotAfter != "2026-04-01T00:00:00Z" {
		t.Errorf("certificates %+v", n.Certificates)
	}
	if n.SecureBoot != "true" || n.TPM != "true" || n.DiskEncrypted != "true" || n.Virtual != "true" || n.Runtime != "containerd" || len(n.Settings) != 2 {
		t.Errorf("node %+v", n)
	}
	if m, ok := r.MissingAt("classes"); !ok || m.Status != facts.NotAssessed {
		t.Errorf("what only the API tells: %+v", m)
	}
	if len(r.Links) != 1 || r.Links[0].To != "vm/worker-1" {
		t.Errorf("links %+v", r.Links)
	}
	// The checks of nodes judge it as they do one that the API shows.
	failed := map[string]bool{}
	for _, o := range outcomes(t, r, "PS-CP-*") {
		failed[o.Rule.ID] = o.Status == scanner.Fail
	}
	for _, id := range []string{"PS-CP-020", "PS-CP-021", "PS-CP-022", "PS-CP-025", "PS-CP-027", "PS-CP-028"} {
		if !failed[id] {
			t.Errorf("%s does not fail: %v", id, failed)
		}
	}
}

func TestThisMachine(t *testing.T) {
	doc, r := machine(t, vm.Options{NoPackages: true})
	if !doc.Live || doc.Kernel.Release == "" || doc.Hostname == "" {
		t.Errorf("facts %+v", doc)
	}
	if m, gone := r.MissingAt("kernel.release"); gone {
		t.Errorf("the running kernel is missing: %+v", m)
	}
	for _, o := range outcomes(t, r, "PS-VM-*") {
		for _, reason := range o.Reasons {
			if strings.Contains(reason, "error") {
				t.Errorf("%s: %v", o.Rule.ID, o.Reasons)
			}
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := vm.New(vm.Options{Root: guest().write(t), Now: now}).Collect(ctx, &sink{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
