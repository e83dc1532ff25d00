package inventory

import (
	"bytes"
	"cmp"
	"context"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/postscan/postscan/scanner/facts"
)

// program is a tool that helps whoever breaks in.
type program struct {
	Path string `json:"path"`
	Kind string `json:"kind"`
	Perm uint32 `json:"perm"`
	UID  int    `json:"uid"`
	GID  int    `json:"gid"`
}

func itoa(n int) string { return strconv.Itoa(n) }

// binDir says whether programs stand in the directory (with "/" at its end).
func binDir(dir string) bool {
	return strings.HasSuffix(dir, "bin/") || strings.HasPrefix(dir, "usr/libexec/")
}

// addProgram notes a known tool by its name. A file must be executable; a name
// alone outside of a directory for programs is too little.
func (s *LayerScan) addProgram(e Entry) {
	if e.Mode.Perm()&0o111 == 0 {
		return
	}
	dir, base := path.Split(e.Path)
	if !binDir(dir) {
		return
	}
	if kind := toolKind(base); kind != "" {
		s.layer.Programs = append(s.layer.Programs, program{Path: e.Path, Kind: kind, Perm: uint32(e.Mode.Perm()), UID: e.UID, GID: e.GID})
		s.note(e.Path)
	}
}

// toolKind says what kind of tool a program is by its name, "" for none.
func toolKind(base string) string {
	name := strings.TrimSuffix(base, ".exe")
	if k := toolName(name); k != "" {
		return k
	}
	// Compilers carry their version, and their target in front.
	if i := strings.LastIndexByte(name, '-'); i > 0 && strings.Trim(name[i+1:], "0123456789.") == "" && len(name) > i+1 {
		name = name[:i]
	}
	if _, last, ok := cutLast(name, "-linux-gnu-"); ok {
		name = last
	} else if _, last, ok := cutLast(name, "-linux-musl-"); ok {
		name = last
	}
	if name != base && toolName(name) == "compiler" {
		return "compiler"
	}
	return ""
}

func toolName(name string) string {
	switch name {
	case "gcc", "g++", "cc", "c++", "clang", "clang++", "tcc", "cpp", "as", "ld", "make", "gmake", "go", "rustc", "cargo", "javac",
		"gfortran", "ghc", "nasm":
		return "compiler"
	case "apt", "apt-get", "aptitude", "dpkg", "apk", "rpm", "yum", "dnf", "dnf5", "microdnf", "tdnf", "zypper", "pacman", "opkg",
		"snap", "emerge", "nix-env", "brew":
		return "package-manager"
	case "sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "csh", "tcsh", "busybox", "pwsh", "rbash":
		return "shell"
	case "gdb", "gdbserver", "strace", "ltrace", "lldb", "lldb-server", "perf", "bpftrace", "dlv", "radare2", "r2", "sysdig":
		return "debugger"
	case "nmap", "masscan", "zmap", "ncat", "nc", "netcat", "nc.openbsd", "nc.traditional", "socat", "tcpdump", "tshark", "hping3",
		"arp-scan", "nikto", "sqlmap", "hydra", "john", "hashcat", "ettercap", "dsniff", "amass", "gobuster", "ffuf", "chisel":
		return "scanner"
	case "docker", "dockerd", "podman", "nerdctl", "ctr", "crictl", "containerd", "kubectl", "oc", "helm", "nsenter", "runc", "crun",
		"buildah", "skopeo", "amicontained", "peirates", "cdk":
		return "container-client"
	case "sshd", "dropbear", "tinysshd":
		return "ssh-server"
	case "sudo", "doas", "sudo-rs", "su-exec", "gosu":
		if name == "su-exec" || name == "gosu" {
			return "" // they only give rights away
		}
		return "sudo"
	default:
		return ""
	}
}

// mergeTools lists the tools, and which of them the runtime user may execute.
func (m *merger) mergeTools(context.Context) error {
	type found struct {
		program
		layer int
	}
	visible := map[string]found{}
	for i, l := range m.layers {
		for _, p := range l.Programs {
			if m.tree.visible(p.Path, i) {
				visible[p.Path] = found{p, i}
				m.inv.Tools = append(m.inv.Tools, facts.Tool{
					Name: path.Base(p.Path), Kind: p.Kind, Path: p.Path, Reachable: m.mayExecute(p), Layer: i,
				})
			}
		}
	}
	// A link under a tool's name is one too, whatever its target is called:
	// busybox is a shell as "sh", and gcc is gcc-12.
	for i, l := range m.layers {
		for link := range l.Symlinks {
			kind := toolKind(path.Base(link))
			dir, _ := path.Split(link)
			if kind == "" || !binDir(dir) || !m.tree.visible(link, i) {
				continue
			}
			target := m.follow(link)
			if target == link || !m.exists(target) {
				continue
			}
			reachable := true
			if f, ok := visible[target]; ok {
				reachable = m.mayExecute(f.program)
			}
			m.inv.Tools = append(m.inv.Tools, facts.Tool{
				Name: path.Base(link), Kind: kind, Path: link, Reachable: reachable && m.mayEnter(path.Dir(target)), Layer: i,
			})
		}
	}
	slices.SortFunc(m.inv.Tools, func(a, b facts.Tool) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Path, b.Path))
	})
	return nil
}

// mayExecute says whether the runtime user may run the program.
func (m *merger) mayExecute(p program) bool {
	if m.who.uid == 0 {
		return p.Perm&0o111 != 0
	}
	return m.mayEnter(path.Dir(p.Path)) && m.allowed(p.Perm, p.UID, p.GID)
}

// allowed says whether the runtime user has the right to execute or enter.
func (m *merger) allowed(perm uint32, uid, gid int) bool {
	switch {
	case uid == m.who.uid:
		return perm&0o100 != 0
	case m.who.groups[gid]:
		return perm&0o010 != 0
	default:
		return perm&0o001 != 0
	}
}

// mayEnter says whether the runtime user may enter the directory and all above it.
func (m *merger) mayEnter(dir string) bool {
	for ; dir != "."; dir = path.Dir(dir) {
		if r, ok := m.restrictedDir(dir); ok && m.who.uid != 0 && !m.allowed(r.Perm, r.UID, r.GID) {
			return false
		}
	}
	return true
}

// restrictedDir returns the mode of a directory that not everybody may enter, as
// the topmost layer that has the directory sets it.
func (m *merger) restrictedDir(dir string) (restricted, bool) {
	for i := len(m.layers) - 1; i >= 0; i-- {
		l := m.layers[i]
		if k, ok := slices.BinarySearchFunc(l.Restricted, dir, func(r restricted, p string) int { return cmp.Compare(r.Path, p) }); ok {
			return l.Restricted[k], true
		}
		if l.Directories.has(dir) {
			return restricted{}, false
		}
	}
	return restricted{}, false
}

// follow resolves symbolic links that layers recorded, of the path itself and of
// its directories.
func (m *merger) follow(p string) string {
	for range 40 {
		next := m.followOnce(p)
		if next == p {
			return p
		}
		p = next
	}
	return p
}

func (m *merger) followOnce(p string) string {
	for at := p; at != "."; at = path.Dir(at) {
		for i := len(m.layers) - 1; i >= 0; i-- {
			if target, ok := m.layers[i].Symlinks[at]; ok && m.tree.visible(at, i) {
				return path.Join(target, strings.TrimPrefix(p, at))
			}
		}
	}
	return p
}

// exists says whether a file that is no directory is visible at the path.
func (m *merger) exists(p string) bool {
	for i := len(m.layers) - 1; i >= 0; i-- {
		if m.layers[i].Files.has(p) {
			return m.tree.visible(p, i)
		}
	}
	return false
}

// sshFile is a file that starts an SSH daemon if it is run.
type sshFile struct {
	Path string `json:"path"`
	// Supervised is true where a process supervisor runs it.
	Supervised bool `json:"supervised,omitempty"`
}

// supervised says whether the file is one that a process supervisor reads.
func supervised(p string) bool {
	dir, base := path.Split(p)
	switch {
	case p == "etc/supervisord.conf", p == "etc/supervisor.conf", p == "etc/inittab", p == "etc/rc.local":
		return true
	case strings.HasPrefix(p, "etc/supervisor/"), strings.HasPrefix(p, "etc/supervisor.d/"), strings.HasPrefix(p, "etc/supervisord.d/"):
		return path.Ext(base) == ".conf" || path.Ext(base) == ".ini"
	case strings.HasPrefix(p, "etc/services.d/"), strings.HasPrefix(p, "etc/service/"), runitDefinition(p),
		strings.HasPrefix(p, "etc/s6/"), strings.HasPrefix(p, "etc/s6-overlay/s6-rc.d/"), strings.HasPrefix(p, "etc/runit/"):
		return base == "run" || base == "up"
	case dir == "etc/my_init.d/", dir == "etc/cont-init.d/", dir == "docker-entrypoint.d/", dir == "etc/s6-overlay/scripts/":
		return true
	default:
		return false
	}
}

// runitDefinition says whether the file defines a service that runit runs only
// where a link switches it on.
func runitDefinition(p string) bool { return strings.HasPrefix(p, "etc/sv/") }

// runitLink says whether a link switches a service on for runit.
func runitLink(p string) bool {
	return strings.HasPrefix(p, "etc/service/") || strings.HasPrefix(p, "var/service/") || strings.HasPrefix(p, "service/") ||
		strings.HasPrefix(p, "etc/runit/runsvdir/")
}

// switchedOn says whether a link switches on the runit service of a file.
func (m *merger) switchedOn(p string) bool {
	for i, l := range m.layers {
		for link, target := range l.Symlinks {
			if runitLink(link) && target == path.Dir(p) && m.tree.visible(link, i) {
				return true
			}
		}
	}
	return false
}

// sshUnit says whether a link switches an SSH service on for systemd or OpenRC.
func sshUnit(p string) bool {
	base := path.Base(p)
	switch {
	case strings.HasPrefix(p, "etc/systemd/") && strings.HasSuffix(path.Dir(p), ".wants"):
		return strings.HasPrefix(base, "ssh.") || strings.HasPrefix(base, "sshd.") || strings.HasPrefix(base, "dropbear.")
	case strings.HasPrefix(p, "etc/runlevels/"), strings.HasPrefix(p, "etc/rc2.d/S"), strings.HasPrefix(p, "etc/rc3.d/S"), strings.HasPrefix(p, "etc/rc5.d/S"):
		return strings.HasSuffix(base, "ssh") || strings.HasSuffix(base, "sshd") || strings.HasSuffix(base, "dropbear")
	default:
		return false
	}
}

// scriptSize is how much is read of a script. What lies behind is data.
const scriptSize = 1 << 20

// addScript notes a script or a supervisor's file that runs an SSH daemon.
func (s *LayerScan) addScript(p string, data []byte) {
	if startsSSH(data) {
		s.note(p)
		s.layer.SSH = append(s.layer.SSH, sshFile{Path: p, Supervised: supervised(p)})
	}
}

// startsSSH looks for a command that starts the daemon: its own name, or a service
// manager's word for it.
func startsSSH(data []byte) bool {
	if !bytes.Contains(data, []byte("ssh")) && !bytes.Contains(data, []byte("dropbear")) {
		return false
	}
	for line := range bytes.Lines(data) {
		text := strings.TrimSpace(string(line))
		if text == "" || text[0] == '#' || text[0] == ';' {
			continue
		}
		if name, command, ok := strings.Cut(text, "="); ok && strings.TrimSpace(name) == "command" {
			text = command // of a program of supervisord
		}
		if commandStartsSSH(text) {
			return true
		}
	}
	return false
}

// commandStartsSSH looks at the words of one command line.
func commandStartsSSH(text string) bool {
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t=;&|()\"'`,[]", r) })
	service := false
	for i, w := range words {
		switch base := path.Base(w); base {
		case "sshd", "dropbear", "tinysshd":
			if i > 0 && strings.HasPrefix(words[i-1], "-") && !strings.HasPrefix(w, "/") && !service {
				continue // an option's value, as in "pgrep -x sshd"
			}
			if i > 0 && quietCommand(words[0]) {
				continue
			}
			return true
		case "ssh":
			if service && (w == "ssh" || strings.HasSuffix(w, "init.d/ssh")) || strings.HasSuffix(w, "init.d/ssh") {
				return true
			}
		case "service", "systemctl", "rc-service", "invoke-rc.d":
			service = true
		}
	}
	return false
}

// quietCommand says whether a command that names the daemon does not run it.
func quietCommand(word string) bool {
	switch path.Base(word) {
	case "echo", "printf", "pgrep", "pkill", "killall", "pidof", "which", "command", "rm", "mkdir", "touch", "chmod", "chown", "test",
		"[", "grep", "sed", "cp", "mv", "ln", "useradd", "adduser", "apt-get", "apt", "apk", "yum", "dnf", "if", "kill", "stop", "cat":
		return true
	default:
		return false
	}
}

// mergeSSH lists what starts an SSH daemon in the container.
func (m *merger) mergeSSH(context.Context) error {
	add := func(where, p string, layer int) {
		m.inv.SSHStarters = append(m.inv.SSHStarters, facts.SSHStarter{Where: where, Path: p, Layer: layer})
	}
	if commandStartsSSH(strings.Join(m.rt.Entrypoint, " ")) {
		add("entrypoint", "", -1)
	}
	if commandStartsSSH(strings.Join(m.rt.Cmd, " ")) {
		add("cmd", "", -1)
	}
	run := map[string]bool{}
	full := false
	for _, p := range m.commandPaths() {
		run[p] = true
		full = full || path.Base(p) == "systemd" || p == "sbin/init" || p == "usr/sbin/init"
	}
	full = full || len(m.rt.Entrypoint)+len(m.rt.Cmd) == 0 && m.rt.Path == nil // a whole machine
	for i, l := range m.layers {
		for _, f := range l.SSH {
			name, ok := m.nameOf(f.Path, i)
			if !ok || runitDefinition(f.Path) && !m.switchedOn(f.Path) {
				continue
			}
			if f.Supervised || run[name] || run[f.Path] {
				add("file", name, i)
			}
		}
		for link := range l.Symlinks {
			if full && sshUnit(link) && m.tree.visible(link, i) {
				add("file", link, i)
			}
		}
	}
	slices.SortFunc(m.inv.SSHStarters, func(a, b facts.SSHStarter) int {
		return cmp.Or(cmp.Compare(a.Where, b.Where), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Layer, b.Layer))
	})
	return nil
}

// commandPaths returns the files that the entrypoint and the command name: the
// program itself, found in PATH or from the working directory, and scripts among
// the arguments. Links are followed; both ends are returned.
func (m *merger) commandPaths() []string {
	var out []string
	add := func(p string) {
		p = cleanPath(p)
		out = append(out, p)
		if target := m.follow(p); target != p {
			out = append(out, target)
		}
	}
	for _, args := range [][]string{m.rt.Entrypoint, m.rt.Cmd} {
		for i, arg := range args {
			words := []string{arg}
			if i > 0 && strings.ContainsAny(arg, " ;") { // sh -c "..."
				words = strings.FieldsFunc(arg, func(r rune) bool { return strings.ContainsRune(" \t;&|()\"'`", r) })
			}
			for _, w := range words {
				switch {
				case path.IsAbs(w):
					add(w)
				case strings.Contains(w, "/") && !strings.Contains(w, "://"):
					add(path.Join(m.rt.WorkingDir, w))
				case i == 0 || len(words) > 1:
					for _, dir := range m.rt.Path {
						add(path.Join(dir, w))
					}
				default:
					add(path.Join(m.rt.WorkingDir, w))
				}
			}
		}
	}
	return out
}

// mergeWritable lists what anybody may write and something trusts.
func (m *merger) mergeWritable(context.Context) error {
	command := map[string]bool{}
	for _, p := range m.commandPaths() {
		command[p] = true
	}
	paths := map[string]bool{}
	for _, dir := range m.rt.Path {
		dir = cleanPath(dir)
		paths[dir] = true
		paths[m.follow(dir)] = true
	}
	parents := map[string]bool{}
	for p := range command {
		if m.exists(p) {
			parents[path.Dir(p)] = true
		}
	}
	for i, l := range m.layers {
		for _, w := range l.Writable {
			if !m.writableVisible(w, i) {
				continue
			}
			why := trustedPlace(w.Path)
			switch {
			case !w.Directory && command[w.Path], w.Directory && parents[w.Path]:
				why = "entrypoint"
			case w.Directory && paths[w.Path], !w.Directory && w.Executable && paths[path.Dir(w.Path)]:
				why = "path"
			}
			if why == "" {
				continue
			}
			m.inv.WritableFiles = append(m.inv.WritableFiles, facts.WritableFile{
				Path: w.Path, Mode: w.Mode, Directory: w.Directory, Sticky: w.Sticky, Trusted: why, Layer: i,
			})
		}
	}
	slices.SortFunc(m.inv.WritableFiles, func(a, b facts.WritableFile) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Layer, b.Layer))
	})
	return nil
}

// writableVisible is like tree.visible, but a directory that a later layer has
// again is that layer's: its mode counts.
func (m *merger) writableVisible(w writable, layer int) bool {
	if w.Directory {
		return m.tree.visibleDir(w.Path, layer)
	}
	return m.tree.visible(w.Path, layer)
}

// mergePrivileged lists set-uid, set-gid and files with capabilities.
func (m *merger) mergePrivileged(context.Context) error {
	for i, l := range m.layers {
		for _, p := range l.Privileged {
			if m.tree.visible(p.Path, i) {
				m.inv.PrivilegedFiles = append(m.inv.PrivilegedFiles, facts.PrivilegedFile{
					Path: p.Path, Mode: p.Mode, UID: p.UID, GID: p.GID, SetUID: p.SetUID, SetGID: p.SetGID,
					Capabilities: p.Capabilities, Layer: i,
				})
			}
		}
	}
	slices.SortFunc(m.inv.PrivilegedFiles, func(a, b facts.PrivilegedFile) int { return cmp.Compare(a.Path, b.Path) })
	return nil
}
