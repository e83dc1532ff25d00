package vm_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/collect/vm"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/regoeval"
	"github.com/postscan/postscan/scanner/vulndb"
)

// now is the time of every scan of these tests.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// files is a file system: by path its content; "-> target" makes a symbolic link,
// "dir" in place of a content a folder, "0600|content" sets the mode.
type files map[string]string

// with returns the files with some more or other ones; "" takes one away.
func (f files) with(more files) files {
	out := files{}
	for _, m := range []files{f, more} {
		for name, content := range m {
			if content == "" {
				delete(out, name)
				continue
			}
			out[name] = content
		}
	}
	return out
}

// write makes the files in a new folder.
func (f files) write(t testing.TB) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range f {
		full := filepath.Join(root, name)
		must(t, os.MkdirAll(filepath.Dir(full), 0o755))
		mode := os.FileMode(0o644)
		if head, rest, ok := strings.Cut(content, "|"); ok && len(head) == 4 && strings.Trim(head, "01234567") == "" {
			var bits uint32
			if _, err := fmt.Sscanf(head, "%o", &bits); err != nil {
				t.Fatal(err)
			}
			mode, content = os.FileMode(bits), rest
		}
		switch target, link := strings.CutPrefix(content, "-> "); {
		case link:
			must(t, os.Symlink(target, full))
			continue
		case content == "dir":
			must(t, os.MkdirAll(full, 0o755))
			if mode != 0o644 {
				must(t, os.Chmod(full, mode))
			}
			continue
		}
		must(t, os.WriteFile(full, []byte(content), 0o600))
		must(t, os.Chmod(full, mode))
		must(t, os.Chtimes(full, now, now.Add(-48*time.Hour)))
	}
	return root
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sink keeps what a collector sends.
type sink struct {
	mu        sync.Mutex
	targets   []facts.Target
	resources []*facts.Resource
}

func (s *sink) Target(t facts.Target) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.targets = append(s.targets, t)
	return nil
}

func (s *sink) Source(facts.Source) error { return nil }

func (s *sink) Resource(_ context.Context, r *facts.Resource) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Normalise()
	s.resources = append(s.resources, r)
	return nil
}

// collect runs the collector over a tree.
func collect(t testing.TB, o vm.Options) *sink {
	t.Helper()
	if o.Now.IsZero() {
		o.Now = now
	}
	if o.CPU == nil && o.Root != "" {
		o.CPU = kvm
	}
	if o.EndOfLife == nil {
		o.EndOfLife = vulndb.EndOfLife
	}
	s := &sink{}
	must(t, vm.New(o).Collect(t.Context(), s))
	return s
}

// machine returns the facts and the resource of the machine in a tree.
func machine(t testing.TB, o vm.Options) (*facts.VM, *facts.Resource) {
	t.Helper()
	s := collect(t, o)
	if len(s.resources) == 0 {
		t.Fatalf("no resource; targets: %+v", s.targets)
	}
	doc, ok := s.resources[0].Facts.(*facts.VM)
	if !ok {
		t.Fatalf("the first resource is a %T", s.resources[0].Facts)
	}
	return doc, s.resources[0]
}

func kvm() vm.CPU { return vm.CPU{Asked: true, Hypervisor: true, Vendor: "KVMKVMKVM"} }

func metal() vm.CPU { return vm.CPU{Asked: true} }

// verdicts judges resources with the built-in checks and returns findings as
// "PS-VM-002 kernel not booted", and what was not seen as "PS-VM-003 unknown",
// which may stand beside findings. Passes are left out.
func verdicts(t testing.TB, resources []*facts.Resource, patterns ...string) []string {
	t.Helper()
	var out []string
	for _, r := range resources {
		for _, o := range outcomes(t, r, patterns...) {
			for _, v := range o.Violations {
				out = append(out, strings.TrimSpace(o.Rule.ID+" "+v.Key))
			}
			if o.Gap != "" {
				out = append(out, o.Rule.ID+" "+string(o.Gap))
			}
		}
	}
	slices.Sort(out)
	return out
}

func outcomes(t testing.TB, r *facts.Resource, patterns ...string) []scanner.Outcome {
	t.Helper()
	catalogue, err := checks.Load(checks.BuiltIn())
	must(t, err)
	selected, err := catalogue.Select(patterns, nil)
	must(t, err)
	params := map[string]any{}
	for _, c := range selected {
		for _, p := range c.Params {
			params[p.Name] = p.Default
		}
	}
	eval, err := regoeval.New(t.Context(), catalogue, selected, regoeval.Options{Params: params, Now: now})
	must(t, err)
	out, err := eval.Evaluate(t.Context(), r)
	must(t, err)
	return out
}

// expect compares two lists and shows what differs.
func expect(t testing.TB, got, want []string) {
	t.Helper()
	for _, g := range got {
		if !slices.Contains(want, g) {
			t.Errorf("unexpected: %s", g)
		}
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("missing: %s", w)
		}
	}
}

// guest is a sound Debian guest that runs on KVM: the checks find nothing.
func guest() files {
	const cpu = "sys/devices/system/cpu/"
	return files{
		"etc/os-release":                     "-> ../usr/lib/os-release",
		"usr/lib/os-release":                 "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\n",
		"etc/debian_version":                 "12.5\n",
		"etc/hostname":                       "worker-1\n",
		"etc/machine-id":                     "0123456789abcdef0123456789abcdef\n",
		"etc/passwd":                         "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/usr/sbin:/usr/sbin/nologin\n",
		"etc/shadow":                         "0640|root:!:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\n",
		"etc/group":                          "root:x:0:\ndaemon:x:1:\n",
		"etc/fstab":                          "UUID=1 / ext4 defaults 0 1\n",
		"etc/crypttab":                       "root UUID=2 none luks\n",
		"etc/apt/apt.conf.d/20auto-upgrades": "APT::Periodic::Update-Package-Lists \"1\";\nAPT::Periodic::Unattended-Upgrade \"1\";\n",
		"usr/bin/unattended-upgrade":         "0755|#!/usr/bin/python3\n",
		"usr/lib/systemd/systemd":            "0755|systemd\n",
		"lib64/ld-linux-x86-64.so.2":         "0755|loader\n",
		"var/lib/dpkg/status":                dpkg("linux-image-6.1.0-20-amd64 6.1.85-1", "linux-image-6.1.0-18-amd64 6.1.76-1"),
		"boot/vmlinuz-6.1.0-18-amd64":        "kernel",
		"boot/vmlinuz-6.1.0-20-amd64":        "kernel",
		"boot/config-6.1.0-20-amd64":         "CONFIG_MODULE_SIG=y\n# CONFIG_MODULE_SIG_FORCE is not set\nCONFIG_USER_NS=y\nCONFIG_LSM=\"lockdown,yama\"\n",
		"proc/version":                       "Linux version 6.1.0-20-amd64 (a@b) (gcc) #1 SMP PREEMPT_DYNAMIC Debian 6.1.85-1 (2024-04-11)\n",
		"proc/cmdline":                       "BOOT_IMAGE=/boot/vmlinuz root=UUID=1 ro quiet token=hunter2 lockdown=integrity -- --password=hunter2\n",
		"proc/consoles":                      "tty0                 -WU (EC  p  )    4:1\n",
		"proc/cpuinfo":                       "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu tsc hypervisor\n",
		"proc/swaps":                         "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n",
		"proc/self/mountinfo":                "22 1 252:0 / / rw,relatime shared:1 - ext4 /dev/mapper/root rw\n23 22 0:5 / /proc rw - proc proc rw\n",
		"proc/self/ns/pid":                   "-> pid:[4026531836]",
		"proc/self/net/tcp":                  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 901 1 0 100 0 0 10 0\n",
		"proc/sys/kernel/arch":               "x86_64\n",
		"proc/sys/kernel/hostname":           "worker-1\n",
		"proc/sys/kernel/osrelease":          "6.1.0-20-amd64\n",
		"proc/sys/kernel/kptr_restrict":      "1\n", "proc/sys/kernel/dmesg_restrict": "1\n", "proc/sys/kernel/unprivileged_bpf_disabled": "2\n",
		"proc/sys/kernel/yama/ptrace_scope": "1\n", "proc/sys/kernel/kexec_load_disabled": "1\n", "proc/sys/kernel/perf_event_paranoid": "3\n",
		"proc/sys/kernel/randomize_va_space": "2\n", "proc/sys/kernel/sysrq": "0\n", "proc/sys/kernel/core_pattern": "core\n", "proc/sys/kernel/modules_disabled": "0\n",
		"proc/sys/fs/protected_symlinks": "1\n", "proc/sys/fs/protected_hardlinks": "1\n", "proc/sys/fs/suid_dumpable": "0\n", "proc/sys/net/ipv4/ip_forward": "0\n",
		"proc/sys/user/max_user_namespaces": "15000\n", "proc/sys/kernel/unprivileged_userns_clone": "0\n",
		"proc/1/comm": "systemd\n", "proc/200/comm": "chronyd\n",
		"sys/class/dmi/id/sys_vendor":                                              "QEMU\n",
		"sys/class/dmi/id/product_name":                                            "Standard PC (Q35 + ICH9, 2009)\n",
		"sys/class/dmi/id/product_uuid":                                            "11111111-2222-3333-4444-555555555555\n",
		"sys/class/tpm/tpm0/tpm_version_major":                                     "2\n",
		"sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c": "\x06\x00\x00\x00\x01",
		"sys/firmware/efi/efivars/SetupMode-8be4df61-93ca-11d2-aa0d-00e098032b8c":  "\x06\x00\x00\x00\x00",
		"sys/kernel/security/lsm":                                                  "lockdown,capability,landlock,yama,apparmor",
		"sys/kernel/security/lockdown":                                             "none [integrity] confidentiality\n",
		"sys/kernel/security/apparmor/profiles":                                    "/usr/bin/man (enforce)\ndocker-default (enforce)\nlsb_release (complain)\n",
		"sys/kernel/security/tpm0/binary_bios_measurements":                        "log",
		"sys/module/apparmor/parameters/enabled":                                   "Y\n",
		"sys/module/module/parameters/sig_enforce":                                 "N\n",
		cpu + "vulnerabilities/meltdown":                                           "Mitigation: PTI\n",
		cpu + "vulnerabilities/mds":                                                "Not affected\n",
		cpu + "smt/control":                                                        "off\n",
		"sys/bus/pci/devices/0000:00:01.0/vendor":                                  "0x1af4\n",
		"sys/bus/pci/devices/0000:00:01.0/device":                                  "0x1041\n",
		"sys/bus/pci/devices/0000:00:01.0/class":                                   "0x020000\n",
		"sys/bus/virtio/devices/virtio0/device":                                    "0x0001\n",
		"sys/bus/virtio/devices/virtio0/vendor":                                    "0x1af4\n",
		"sys/dev/block/252:0/dm/uuid":                                              "CRYPT-LUKS2-x\n",
		"sys/class/block/dm-0/dm/uuid":                                             "CRYPT-LUKS2-x\n",
		"sys/class/block/dm-0/dm/name":                                             "root\n",
	}
}

// dpkg is a database with these "name version" packages.
func dpkg(packages ...string) string {
	var b strings.Builder
	for _, p := range packages {
		name, version, _ := strings.Cut(p, " ")
		source := name
		if strings.HasPrefix(name, "linux-image-") {
			source = "linux"
		}
		fmt.Fprintf(&b, "Package: %s\nStatus: install ok installed\nMaintainer: Debian <a@debian.org>\nArchitecture: amd64\nSource: %s\nVersion: %s\nDescription: x\n\n", name, source, version)
	}
	return b.String()
}
