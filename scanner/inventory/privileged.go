package inventory

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// privileged is a file that gives rights to whoever runs it.
type privileged struct {
	Path         string   `json:"path"`
	Mode         string   `json:"mode"`
	UID          int      `json:"uid"`
	GID          int      `json:"gid"`
	SetUID       bool     `json:"setuid,omitempty"`
	SetGID       bool     `json:"setgid,omitempty"`
	Capabilities []string `json:"capabilities,omitempty"`
}

// writable is a file or directory that anybody may write.
type writable struct {
	Path       string `json:"path"`
	Mode       string `json:"mode"`
	Directory  bool   `json:"directory,omitempty"`
	Sticky     bool   `json:"sticky,omitempty"`
	Executable bool   `json:"executable,omitempty"`
}

// restricted is a directory that not everybody may enter, so that what lies in it
// is out of reach for others.
type restricted struct {
	Path string `json:"path"`
	Perm uint32 `json:"perm"`
	UID  int    `json:"uid"`
	GID  int    `json:"gid"`
}

// maxWritable bounds the list of one layer: some images open up everything.
const maxWritable = 20_000

// addDirectory looks at the mode of a directory.
func (s *LayerScan) addDirectory(e Entry) {
	perm := e.Mode.Perm()
	if perm&0o001 == 0 {
		s.layer.Restricted = append(s.layer.Restricted, restricted{Path: e.Path, Perm: uint32(perm), UID: e.UID, GID: e.GID})
	}
	if perm&0o002 != 0 {
		s.addWritable(e)
	}
}

// addFileMode looks at the mode of a file that is no link, and at its name.
func (s *LayerScan) addFileMode(e Entry) {
	setuid, setgid := e.Mode&fs.ModeSetuid != 0, e.Mode&fs.ModeSetgid != 0
	// Without a right to execute, set-gid once meant locking, and set-uid nothing.
	setuid = setuid && e.Mode.Perm()&0o111 != 0
	setgid = setgid && e.Mode.Perm()&0o010 != 0
	caps, err := decodeCapabilities(e.Capability)
	if err != nil {
		s.problem(e.Path, "privileged_files", err.Error())
	}
	if setuid || setgid || len(caps) > 0 {
		s.layer.Privileged = append(s.layer.Privileged, privileged{
			Path: e.Path, Mode: octal(e.Mode), UID: e.UID, GID: e.GID, SetUID: setuid, SetGID: setgid, Capabilities: caps,
		})
	}
	if e.Mode.Perm()&0o002 != 0 {
		s.addWritable(e)
	}
	s.addProgram(e)
}

// addWritable records what may matter once it is known what runs: directories,
// programs, and files where trusted ones stand.
func (s *LayerScan) addWritable(e Entry) {
	w := writable{
		Path: e.Path, Mode: octal(e.Mode), Directory: e.Mode.IsDir(), Sticky: e.Mode&fs.ModeSticky != 0,
		Executable: e.Mode.Perm()&0o111 != 0,
	}
	if !w.Directory && !w.Executable && trustedPlace(e.Path) == "" {
		return
	}
	if len(s.layer.Writable) == maxWritable {
		return // said below
	}
	s.layer.Writable = append(s.layer.Writable, w)
	if len(s.layer.Writable) == maxWritable {
		s.problem(e.Path, "writable_files", fmt.Sprintf("the layer has at least %d files and directories that anybody may write; no more are listed", maxWritable))
	}
}

// trustedPlace says why a file at this path is trusted whatever runs, "" if not:
// etc, library or interpreter.
func trustedPlace(p string) string {
	switch {
	case p == "etc" || strings.HasPrefix(p, "etc/"):
		return "etc"
	case interpreterDir(p):
		return "interpreter"
	case libraryDir(p):
		return "library"
	default:
		return ""
	}
}

func libraryDir(p string) bool {
	for _, dir := range []string{"lib", "lib32", "lib64", "libx32", "usr/lib", "usr/lib32", "usr/lib64", "usr/libexec", "usr/local/lib", "usr/local/lib64"} {
		if p == dir || strings.HasPrefix(p, dir+"/") {
			return true
		}
	}
	return false
}

// interpreterDir says whether an interpreter loads code from there by itself.
func interpreterDir(p string) bool {
	for part := range strings.SplitSeq(p, "/") {
		switch part {
		case "site-packages", "dist-packages", "site_ruby", "vendor_ruby", "gems", "perl5":
			return true
		}
	}
	return strings.HasSuffix(p, "lib/node_modules") || strings.Contains(p, "lib/node_modules/") ||
		strings.HasPrefix(p, "usr/share/perl") || strings.HasPrefix(p, "usr/share/php")
}

// octal writes the mode in four octal digits.
func octal(m fs.FileMode) string {
	n := uint32(m.Perm())
	if m&fs.ModeSetuid != 0 {
		n |= 0o4000
	}
	if m&fs.ModeSetgid != 0 {
		n |= 0o2000
	}
	if m&fs.ModeSticky != 0 {
		n |= 0o1000
	}
	return fmt.Sprintf("%04s", strconv.FormatUint(uint64(n), 8))
}

// decodeCapabilities reads the extended attribute security.capability: a word with
// the version, then the permitted and inheritable sets, which from version 2 on come
// as low halves and high halves. It returns every capability of either set.
func decodeCapabilities(b []byte) ([]string, error) {
	if len(b) == 0 {
		return nil, nil
	}
	if len(b) < 12 {
		return nil, fmt.Errorf("its file capabilities have only %d bytes", len(b))
	}
	var set uint64
	switch version := binary.LittleEndian.Uint32(b) >> 24; {
	case version == 1:
		set = uint64(binary.LittleEndian.Uint32(b[4:]) | binary.LittleEndian.Uint32(b[8:]))
	case (version == 2 || version == 3) && len(b) >= 20:
		set = uint64(binary.LittleEndian.Uint32(b[4:])|binary.LittleEndian.Uint32(b[8:])) |
			uint64(binary.LittleEndian.Uint32(b[12:])|binary.LittleEndian.Uint32(b[16:]))<<32
	default:
		return nil, fmt.Errorf("its file capabilities are of version %d, which is not known here", version)
	}
	var out []string
	for bit := range 64 {
		if set&(1<<bit) != 0 {
			out = append(out, capabilityName(bit))
		}
	}
	return out, nil
}

// capabilityName names a capability as capabilities(7) does.
func capabilityName(bit int) string {
	names := [...]string{
		"chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
		"linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
		"sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
		"sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
		"mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
		"checkpoint_restore",
	}
	if bit < len(names) {
		return "cap_" + names[bit]
	}
	return "cap_" + strconv.Itoa(bit)
}

// addSymlink records links whose name or place may matter: of programs, of
// directories at the root, and of the files that say what the system is.
func (s *LayerScan) addSymlink(e Entry) {
	dir, base := path.Split(e.Path)
	keep := dir == "" || dir == "usr/" || binDir(dir) || toolKind(base) != "" || strings.Contains(base, "os-release") ||
		strings.HasPrefix(dir, "etc/") && sshUnit(e.Path) || runitLink(e.Path) ||
		e.Path == "etc/passwd" || e.Path == "etc/shadow" || e.Path == "etc/group"
	if !keep {
		return
	}
	if s.layer.Symlinks == nil {
		s.layer.Symlinks = map[string]string{}
	}
	target := e.Link
	if !path.IsAbs(target) {
		target = path.Join(dir, target)
	}
	s.layer.Symlinks[e.Path] = cleanPath(target)
}
