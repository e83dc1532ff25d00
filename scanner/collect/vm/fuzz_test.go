//go:build linux

package vm

import (
	"errors"
	"strings"
	"testing"
)

// FuzzParsers gives every parser of this package what no machine writes: none may
// panic, and what they keep is one line of text.
func FuzzParsers(f *testing.F) {
	for _, seed := range []string{
		"", "root=UUID=1 quiet mitigations=off -- secret", "22 1 252:0 / / rw - ext4 /dev/sda1 rw", ".host:/ /mnt fuse.vmhgfs-fuse ro 0 0",
		"   0: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 0 0 55 1", "CONFIG_MODULE_SIG=y\n# CONFIG_KEXEC is not set", "flags : fpu hypervisor\nvendor_id : x",
		"PermitRootLogin yes\nMatch User a\nInclude x", "[guestoperations]\ndisabled=true", "ExecStart=/sbin/agetty --autologin root", "\x06\x00\x00\x00\x01",
		"FACP\x14\x01\x00\x00\x06\x00FIRECKFCVMFADT" + strings.Repeat("\x00", 12), "*.* @@host", "APT::Periodic::Unattended-Upgrade \"1\";", "6.1.0-18-amd64",
		"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "[    0.1] Memory Encryption Features active: AMD SEV",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, p := range parseCmdline(text) {
			plainText(t, p.Name, p.Value)
		}
		for _, o := range parseKernelConfig([]byte(text)) {
			plainText(t, o.Name, o.Value)
		}
		parseMountInfo(text)
		parseFstab(text)
		parseListeners(text)
		parseDirents([]byte(text), nil)
		cpuInfo(text)
		ini(text)
		unitLines(text)
		countKeys(text)
		forwards(text)
		memoryEncryption(text)
		_, _ = aptPeriodic(text)
		_, _ = gunzip([]byte(text))
		_, _ = parseCertificate([]byte(text))
		plainText(t, autologinOf(text), kernelVersion(text, text), efiSwitch([]byte(text)))
		if oem, table, ok := acpiOEM([]byte(text)); ok {
			plainText(t, oem, table)
			plainText(t, acpiVendor(oem, table))
		}
		dmiSign("sys_vendor", text)
		c := newSSHDConfig(func(string) ([]byte, error) { return []byte(text), nil }, func(p string) []string { return []string{p} })
		c.options(commandLine{args: strings.Fields(text)})
		coversEveryone(text)
		if !strings.Contains(strings.ToLower(text), "include") { // it would include itself, as often as sshd goes deep
			c.file("x", 0, always)
		}
		for _, v := range c.values {
			plainText(t, v)
		}
	})
}

func plainText(t *testing.T, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if strings.ContainsAny(s, "\n\r\x1b") {
			t.Errorf("%q is not one line of text", s)
		}
	}
}

// FuzzCompareReleases holds the order of kernels to what an order is.
func FuzzCompareReleases(f *testing.F) {
	f.Add("6.1.0-18-amd64", "6.1.0-20-amd64", "6.1")
	f.Add("3.10.0-1160.el7", "3.10.0-1160.119.1.el7", "")
	f.Add("6.1-rc1", "6.1", "6.1.0")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if compareReleases(a, b) != -compareReleases(b, a) {
			t.Errorf("%q and %q have no order", a, b)
		}
		if compareReleases(a, b) <= 0 && compareReleases(b, c) <= 0 && compareReleases(a, c) > 0 && !strings.Contains(a+b+c, "rc") {
			t.Errorf("%q, %q, %q go in a circle", a, b, c)
		}
		flavour(a)
	})
}

// FuzzResolve looks for a path that leads out of the tree.
func FuzzResolve(f *testing.F) {
	f.Add("../../etc/passwd", "/../../x")
	f.Add("a/b/../../..", "a")
	f.Fuzz(func(t *testing.T, name, link string) {
		if strings.ContainsRune(name+link, 0) || len(name)+len(link) > 300 {
			return
		}
		dir := t.TempDir()
		tr, err := openTree(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer tr.close()
		if err := tr.root.Symlink(link, "a"); err != nil {
			return // no name for a link
		}
		resolved, err := tr.resolve(name)
		if err == nil && (strings.HasPrefix(resolved, "/") || strings.HasPrefix(resolved, "..")) {
			t.Errorf("%q with a -> %q leads to %q", name, link, resolved)
		}
		if _, err := tr.read(name); err == nil {
			t.Errorf("%q with a -> %q was read, and no file is there", name, link)
		} else if errors.Is(err, errTooLong) {
			t.Errorf("%q: %v", name, err)
		}
	})
}
