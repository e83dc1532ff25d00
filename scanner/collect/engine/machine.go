package engine

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/postscan/postscan/scanner/facts"
)

// maxFile bounds what is read of one file of the machine.
const maxFile = 4 << 20

// machine is this machine, as far as engines need it.
type machine struct {
	root      string
	id        string // of /etc/machine-id; "" where there is none
	public    bool   // an interface has an address of the public Internet
	publicErr error
	users     []account
	groups    []group
}

type account struct {
	name, home string
	uid, gid   string
}

type group struct {
	name, gid string
	members   []string
}

// readMachine reads what all engines share.
func readMachine(root string) *machine {
	m := &machine{root: root}
	for _, f := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		if b, err := m.read(f); err == nil && m.id == "" {
			m.id = strings.TrimSpace(string(b))
		}
	}
	if b, err := m.read("/etc/passwd"); err == nil {
		for line := range strings.Lines(string(b)) {
			if p := strings.Split(strings.TrimSpace(line), ":"); len(p) >= 6 {
				m.users = append(m.users, account{name: p[0], uid: p[2], gid: p[3], home: p[5]})
			}
		}
	}
	if b, err := m.read("/etc/group"); err == nil {
		for line := range strings.Lines(string(b)) {
			if p := strings.Split(strings.TrimSpace(line), ":"); len(p) == 4 {
				m.groups = append(m.groups, group{name: p[0], gid: p[2], members: strings.FieldsFunc(p[3], func(r rune) bool { return r == ',' || r == ' ' })})
			}
		}
	}
	addrs, err := net.InterfaceAddrs()
	m.publicErr = err
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok && publicAddress(ip.Unmap()) {
				m.public = true
			}
		}
	}
	return m
}

// publicAddress says whether an address belongs to the public Internet.
func publicAddress(ip netip.Addr) bool {
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	for _, shared := range []string{"100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "2001:db8::/32"} {
		if netip.MustParsePrefix(shared).Contains(ip) {
			return false
		}
	}
	return true
}

// path is a file of the machine.
func (m *machine) path(name string) string { return filepath.Join(m.root, name) }

// unrooted is the way back.
func (m *machine) unrooted(path string) string {
	if m.root == "/" {
		return path
	}
	return strings.TrimPrefix(path, filepath.Clean(m.root))
}

// read reads a small regular file of the machine.
func (m *machine) read(name string) ([]byte, error) {
	// The path is the machine's own or one that its configuration names. Should a FIFO stand there, opening it does not wait.
	f, err := os.OpenFile(m.path(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", name)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%s is larger than %d MiB", name, maxFile>>20)
	}
	return b, err
}

// file describes a file where it exists.
func (m *machine) file(name, role string, rootless bool) (facts.EngineFile, bool) {
	st, err := os.Stat(m.path(name))
	if err != nil {
		return facts.EngineFile{}, false
	}
	uid, gid, ok := owner(st)
	perm := st.Mode().Perm()
	f := facts.EngineFile{
		Path: name, Role: role, Mode: fmt.Sprintf("%04o", perm), Owner: m.userName(uid), Group: m.groupName(gid),
		OwnerRoot: uid == "0", GroupRoot: gid == "0",
		GroupRead: perm&0o040 != 0, GroupWrite: perm&0o020 != 0, OtherRead: perm&0o004 != 0, OtherWrite: perm&0o002 != 0,
		Sticky: st.Mode()&os.ModeSticky != 0, Rootless: rootless, ParentPrivate: m.parentPrivate(name),
	}
	if role == "socket" {
		f.GroupMembers = m.members(gid)
	}
	return f, ok
}

// parentPrivate says whether a folder above the file lets only its owner through.
func (m *machine) parentPrivate(name string) bool {
	for dir := filepath.Dir(name); dir != "/" && dir != "."; dir = filepath.Dir(dir) {
		if st, err := os.Stat(m.path(dir)); err == nil && st.Mode().Perm()&0o011 == 0 {
			return true
		}
	}
	return false
}

func (m *machine) userName(uid string) string {
	for _, u := range m.users {
		if u.uid == uid {
			return u.name
		}
	}
	return uid
}

func (m *machine) groupName(gid string) string {
	for _, g := range m.groups {
		if g.gid == gid {
			return g.name
		}
	}
	return gid
}

// members are the users of a group other than root, sorted.
func (m *machine) members(gid string) []string {
	var out []string
	for _, g := range m.groups {
		if g.gid == gid {
			out = append(out, g.members...)
		}
	}
	for _, u := range m.users {
		if u.gid == gid {
			out = append(out, u.name)
		}
	}
	out = slices.DeleteFunc(out, func(n string) bool { return n == "root" })
	slices.Sort(out)
	return slices.Compact(out)
}

// engines are the engines that run.
func (m *machine) engines() []process {
	list, err := os.ReadDir(m.path("/proc"))
	if err != nil {
		return nil
	}
	var out []process
	for _, e := range list {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if p := m.process(pid); slices.Contains([]string{"dockerd", "podman", "containerd", "crio"}, p.name) {
			out = append(out, p)
		}
	}
	return out
}

// process reads one process; the zero value where there is none.
func (m *machine) process(pid int) process {
	b, err := m.procFile(pid, "cmdline")
	if err != nil || len(b) == 0 {
		return process{}
	}
	args := strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
	return process{pid: pid, name: filepath.Base(args[0]), args: args[1:]}
}

// procFile reads a file below /proc/<pid>. They have no size, so that read's check does not fit.
func (m *machine) procFile(pid int, name string) ([]byte, error) {
	f, err := os.Open(m.path(fmt.Sprintf("/proc/%d/%s", pid, name)))
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	return io.ReadAll(io.LimitReader(f, maxFile))
}

// peer is the engine behind a socket: who listens there, or, where that is the
// service manager, the engine whose command line names it.
func (m *machine) peer(ctx context.Context, socket string) process {
	if pid := socketOwner(ctx, socket); pid > 0 && m.root == "/" {
		if p := m.process(pid); p.name != "systemd" && p.name != "init" && p.pid != 0 {
			return p
		}
	}
	if m.root != "/" {
		return process{}
	}
	want := map[string]string{docker: "dockerd", podman: "podman", containerd: "containerd", crio: "crio"}[kindOf(socket)]
	var one process
	for _, p := range m.engines() {
		if p.name != want {
			continue
		}
		if one.pid != 0 {
			return process{} // several: nobody knows which
		}
		one = p
	}
	return one
}

// lsm tells of AppArmor and SELinux, once the engine has said what it uses.
func (m *machine) lsm(s *session) {
	state := func(current *string, file, on string) {
		if *current == "enabled" {
			return
		}
		if _, err := os.Stat(m.path("/sys/kernel")); err != nil {
			*current = "unknown"
			return
		}
		b, err := m.read(file)
		switch {
		case err != nil:
			*current = "absent"
		case strings.HasPrefix(strings.TrimSpace(string(b)), on):
			*current = "disabled"
		default:
			*current = "absent"
		}
	}
	state(&s.facts.AppArmor, "/sys/module/apparmor/parameters/enabled", "Y")
	state(&s.facts.SELinux, "/sys/fs/selinux/enforce", "1")
	for path, v := range map[string]string{"apparmor": s.facts.AppArmor, "selinux": s.facts.SELinux} {
		if v == "unknown" {
			s.gap(facts.Unknown, "/sys cannot be read here, so that nobody knows what the kernel offers", false, path)
		}
	}
}

// audit reads the rules of the audit daemon.
func (m *machine) audit(s *session) {
	files, err := filepath.Glob(m.path("/etc/audit/rules.d/*.rules"))
	if err != nil {
		files = nil
	}
	for i := range files {
		files[i] = m.unrooted(files[i])
	}
	files = append(files, "/etc/audit/audit.rules")
	for _, f := range files {
		b, err := m.read(f)
		if os.IsPermission(err) {
			s.gap(facts.Unknown, "the audit rules cannot be read: run postscan as root", true, "audit")
		}
		if err != nil {
			continue
		}
		s.facts.Audit.Configured = true
		lines := bufio.NewScanner(bytes.NewReader(b))
		for lines.Scan() {
			words := strings.Fields(lines.Text())
			for i, w := range words {
				if w == "-w" && i+1 < len(words) {
					s.facts.Audit.Paths = append(s.facts.Audit.Paths, filepath.Clean(words[i+1]))
				}
				for _, prefix := range []string{"path=", "dir="} {
					if p, ok := strings.CutPrefix(w, prefix); ok {
						s.facts.Audit.Paths = append(s.facts.Audit.Paths, filepath.Clean(p))
					}
				}
			}
		}
	}
	slices.Sort(s.facts.Audit.Paths)
	s.facts.Audit.Paths = slices.Compact(s.facts.Audit.Paths)
}

// appArmor says that the kernel has AppArmor, so that attributes of processes are its own and not SELinux's.
func (m *machine) appArmor() bool {
	b, err := m.read("/sys/module/apparmor/parameters/enabled")
	return err == nil && strings.HasPrefix(string(b), "Y")
}

// procStatus is what /proc says of the first process of a container.
type procStatus struct {
	noNewPrivs bool
	seccomp    int    // 0 off, 2 a filter
	bounding   uint64 // capabilities
	uid        int    // on the machine
	remapped   bool   // it is in a user namespace with a range of its own
	// apparmor is the profile that confines it: "unconfined", a name; "" where the kernel does not tell.
	apparmor string
}

// status reads /proc of a process, if it is the container's: its control group
// must carry the container's id.
func (m *machine) status(pid int, id string) (procStatus, bool) {
	group, err := m.procFile(pid, "cgroup")
	if err != nil || !bytes.Contains(group, []byte(id)) {
		return procStatus{}, false
	}
	b, err := m.procFile(pid, "status")
	if err != nil {
		return procStatus{}, false
	}
	var st procStatus
	var seen int
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(line, ":")
		fields := strings.Fields(value)
		if len(fields) == 0 {
			continue
		}
		var perr error
		switch name {
		case "NoNewPrivs":
			st.noNewPrivs = fields[0] == "1"
		case "Seccomp":
			st.seccomp, perr = strconv.Atoi(fields[0])
		case "CapBnd":
			st.bounding, perr = strconv.ParseUint(fields[0], 16, 64)
		case "Uid":
			st.uid, perr = strconv.Atoi(fields[0])
		default:
			continue
		}
		if perr == nil {
			seen++
		}
	}
	for _, file := range []string{"attr/apparmor/current", "attr/current"} {
		if b, err := m.procFile(pid, file); err == nil && st.apparmor == "" && m.appArmor() {
			profile, _, _ := strings.Cut(strings.TrimSpace(string(b)), " (")
			st.apparmor = strings.Trim(profile, "\x00\n")
		}
	}
	if maps, err := m.procFile(pid, "uid_map"); err == nil {
		f := strings.Fields(string(maps))
		st.remapped = len(f) >= 3 && (f[0] != "0" || f[1] != "0")
	}
	return st, seen == 4
}

// sameNamespace says whether two processes share a namespace; false where that cannot be seen.
func (m *machine) sameNamespace(one, other int, name string) bool {
	if one == 0 || other == 0 {
		return false
	}
	a, errA := os.Readlink(m.path(fmt.Sprintf("/proc/%d/ns/%s", one, name)))
	b, errB := os.Readlink(m.path(fmt.Sprintf("/proc/%d/ns/%s", other, name)))
	return errA == nil && errB == nil && a == b
}

// capabilityNames are the names of a set as /proc writes it.
func capabilityNames(set uint64) []string {
	order := []string{
		"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE",
		"NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT",
		"SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE",
		"AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ",
		"PERFMON", "BPF", "CHECKPOINT_RESTORE",
	}
	var out []string
	for i, n := range order {
		if set&(1<<i) != 0 {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

// processListeners adds TCP ports that the engine's process really listens on.
func (s *session) processListeners() {
	if s.peer.pid == 0 {
		return
	}
	for _, l := range s.machine.listening(s.peer.pid) {
		known := slices.ContainsFunc(s.facts.Listeners, func(f facts.Listener) bool {
			return f.Network == "tcp" && portOf(f.Address) == portOf(l)
		})
		if known {
			continue
		}
		purpose := "other"
		switch {
		case portOf(l) == "2377" || portOf(l) == "7946":
			purpose = "swarm"
		case s.facts.CRI.Served:
			purpose = "stream"
		}
		s.facts.Listeners = append(s.facts.Listeners, facts.Listener{
			Purpose: purpose, Network: "tcp", Address: l, Loopback: loopback(l), TLS: purpose == "swarm", ClientVerification: purpose == "swarm", Source: "/proc/net",
		})
	}
}

func portOf(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

// loopback says whether only this machine reaches the address. A name that is no
// address counts as reachable, but for localhost.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// listening are the TCP addresses that a process listens on, by the sockets that it holds open.
func (m *machine) listening(pid int) []string {
	inodes := map[string]bool{}
	fds, err := os.ReadDir(m.path(fmt.Sprintf("/proc/%d/fd", pid)))
	if err != nil {
		return nil
	}
	for _, fd := range fds {
		target, err := os.Readlink(m.path(fmt.Sprintf("/proc/%d/fd/%s", pid, fd.Name())))
		if inode, ok := strings.CutPrefix(target, "socket:["); err == nil && ok {
			inodes[strings.TrimSuffix(inode, "]")] = true
		}
	}
	var out []string
	for _, table := range []string{"net/tcp", "net/tcp6"} {
		b, err := m.procFile(pid, table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if len(f) < 10 || f[3] != "0A" || !inodes[f[9]] {
				continue
			}
			if a, ok := procAddress(f[1]); ok {
				out = append(out, a)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// procAddress reads "0100007F:0949", whose words are little-endian.
func procAddress(text string) (string, bool) {
	host, port, ok := strings.Cut(text, ":")
	n, err := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil || len(host)%8 != 0 {
		return "", false
	}
	var raw []byte
	for i := 0; i < len(host); i += 8 {
		word, err := strconv.ParseUint(host[i:i+8], 16, 32)
		if err != nil {
			return "", false
		}
		raw = binary.LittleEndian.AppendUint32(raw, uint32(word)) // it was read as 32 bits
	}
	ip, ok := netip.AddrFromSlice(raw)
	return net.JoinHostPort(ip.String(), strconv.FormatUint(n, 10)), ok
}
