package vm

import (
	"slices"
	"strings"

	"github.com/postscan/postscan/scanner/facts"
)

// mount is one line of mountinfo or fstab.
type mount struct {
	point, fstype, source string
	device                string // major:minor; empty in fstab
	root                  string // the part of the file system that is mounted; empty in fstab
	readOnly              bool
}

// parseMountInfo reads /proc/self/mountinfo. Lines that are not in its form are
// left out.
func parseMountInfo(text string) []mount {
	var out []mount
	for line := range strings.Lines(text) {
		before, after, ok := strings.Cut(line, " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if !ok || len(left) < 6 || len(right) < 2 {
			continue
		}
		m := mount{
			device: left[2], root: unescape(left[3]), point: unescape(left[4]), fstype: right[0], source: unescape(right[1]),
			readOnly: slices.Contains(strings.Split(left[5], ","), "ro"),
		}
		if len(right) > 2 && slices.Contains(strings.Split(right[2], ","), "ro") {
			m.readOnly = true
		}
		out = append(out, m)
	}
	return out
}

// parseFstab reads /etc/fstab.
func parseFstab(text string) []mount {
	var out []mount
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 3 || strings.HasPrefix(f[0], "#") {
			continue
		}
		m := mount{source: unescape(f[0]), point: unescape(f[1]), fstype: f[2]}
		if len(f) > 3 {
			m.readOnly = slices.Contains(strings.Split(f[3], ","), "ro")
		}
		out = append(out, m)
	}
	return out
}

// unescape undoes the octal escapes of spaces and the like.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`, `\043`, "#").Replace(s)
}

// shared are the types of file systems whose content is the host's.
func shared(fstype string) bool {
	switch fstype {
	case "virtiofs", "9p", "vboxsf", "vmhgfs", "fuse.vmhgfs-fuse", "prl_fs", "fuse.prl_fsd", "fuse.spice-webdavd", "drvfs":
		return true
	default:
		return false
	}
}

// shares lists the host's folders that are mounted, or that fstab asks for.
func (s *scan) shares() {
	seen := map[string]bool{}
	add := func(m mount, mounted bool) {
		if !shared(m.fstype) || seen[m.point] {
			return
		}
		seen[m.point] = true
		s.doc.Shares = append(s.doc.Shares, facts.Share{
			Path: clean(m.point), Type: m.fstype, Source: clean(m.source), ReadOnly: m.readOnly, Mounted: mounted,
		})
	}
	if s.live {
		text, ok := s.text("shares", "proc/self/mountinfo")
		if _, known := s.missing["shares"]; !ok && !known {
			s.unknown("shares", "/proc/self/mountinfo is not there")
		}
		for _, m := range parseMountInfo(text) {
			add(m, true)
		}
		s.at("shares", "proc/self/mountinfo")
	} else {
		s.unknown("shares", "a disk tells what fstab asks for, not what is mounted; run postscan vm on the running machine")
	}
	if data, err := s.t.read("etc/fstab"); err == nil {
		for _, m := range parseFstab(string(data)) {
			add(m, false)
		}
	} else if !absent(err) {
		s.unknown("shares", why(err))
	}
}

// disk tells whether root and swap lie on devices that the machine encrypts.
func (s *scan) disk() {
	d := &s.doc.Disk
	if data, err := s.t.read("etc/crypttab"); err == nil {
		for line := range strings.Lines(string(data)) {
			if f := strings.Fields(line); len(f) > 1 && !strings.HasPrefix(f[0], "#") {
				d.Encrypted = append(d.Encrypted, clean(f[0]))
			}
		}
		s.at("disk.encrypted", "etc/crypttab")
	} else if !absent(err) {
		s.unknown("disk.encrypted", why(err))
	}
	if !s.live {
		// What lies below this folder is readable here: opened, or never encrypted.
		s.diskCannot("disk.root", "disk.swap")
		return
	}
	open := s.cryptDevices()
	for _, name := range open {
		if !slices.Contains(d.Encrypted, name) {
			d.Encrypted = append(d.Encrypted, name)
		}
	}
	slices.Sort(d.Encrypted)
	s.diskRoot()
	s.diskSwap()
}

// cryptDevices are the names of open dm-crypt volumes.
func (s *scan) cryptDevices() []string {
	var out []string
	for _, dir := range s.t.below("sys/class/block", func(n string) bool { return strings.HasPrefix(n, "dm-") }) {
		if strings.HasPrefix(s.t.line(dir+"/dm/uuid"), "CRYPT-") {
			out = append(out, s.t.line(dir+"/dm/name"))
		}
	}
	return out
}

func (s *scan) diskRoot() {
	d := &s.doc.Disk
	text, ok := s.text("disk.root", "proc/self/mountinfo")
	if !ok {
		if _, known := s.missing["disk.root"]; !known {
			s.unknown("disk.root", "/proc/self/mountinfo is not there")
		}
		return
	}
	for _, m := range parseMountInfo(text) {
		if m.point != "/" {
			continue
		}
		s.at("disk.root", "proc/self/mountinfo")
		d.Root = "plain"
		dev := s.blockOf(m.device)
		switch {
		case m.fstype == "overlay" || m.fstype == "tmpfs" || m.fstype == "rootfs":
			d.Root = "unknown"
			s.unknown("disk.root", "the root is of type "+m.fstype+", which does not tell its disk")
		case dev == "":
			s.unknown("disk.root", "/sys does not show the device of the root")
		case s.encrypted(dev, 0):
			d.Root = "encrypted"
		}
	}
	if d.Root == "" {
		s.unknown("disk.root", "/proc/self/mountinfo names no root")
	}
}

func (s *scan) diskSwap() {
	d := &s.doc.Disk
	text, _ := s.text("disk.swap", "proc/swaps")
	d.Swap = "none"
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] == "Filename" || strings.HasPrefix(f[0], "/dev/zram") {
			continue
		}
		name := strings.TrimPrefix(f[0], "/dev/")
		if target := s.t.readlink(f[0]); target != "" { // /dev/mapper/x
			name = target[strings.LastIndexByte(target, '/')+1:]
		}
		if f[1] != "partition" || !s.encrypted("sys/class/block/"+name, 0) {
			d.Swap = "plain"
			break
		}
		d.Swap = "encrypted"
	}
	s.at("disk.swap", "proc/swaps")
}

// blockOf finds the folder of a device by its number.
func (s *scan) blockOf(device string) string {
	if dir := "sys/dev/block/" + device; device != "" && s.t.exists(dir) {
		return dir
	}
	return ""
}

// encrypted follows a device to those that it lies on.
func (s *scan) encrypted(dev string, depth int) bool {
	if depth > 8 {
		return false
	}
	if strings.HasPrefix(s.t.line(dev+"/dm/uuid"), "CRYPT-") {
		return true
	}
	below := s.t.below(dev+"/slaves", func(string) bool { return true })
	for _, b := range below {
		if !s.encrypted(b, depth+1) {
			return false
		}
	}
	return len(below) > 0
}
