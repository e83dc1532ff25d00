package vm

import (
	"cmp"
	"encoding/hex"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/postscan/postscan/scanner/facts"
)

// listener is one listening socket.
type listener struct {
	addr  netip.AddrPort
	inode string
}

// ports lists the listening TCP ports and names those of engines, kubelet and etcd.
func (s *scan) ports() {
	if s.diskCannot("ports") {
		return
	}
	var all []listener
	seen := 0
	for _, name := range []string{"proc/self/net/tcp", "proc/self/net/tcp6"} {
		text, ok := s.text("ports", name)
		if ok {
			seen++
			all = append(all, parseListeners(text)...)
		}
	}
	if _, known := s.missing["ports"]; seen == 0 && !known {
		s.unknown("ports", "/proc/self/net/tcp is not there")
	}
	s.at("ports", "proc/self/net/tcp")
	owners := s.socketOwners(all)
	for _, l := range all {
		p := facts.ListeningPort{Address: l.addr.Addr().Unmap().String(), Port: int(l.addr.Port()), Reach: "address", Process: owners[l.inode]}
		switch a := l.addr.Addr().Unmap(); {
		case a.IsLoopback():
			p.Reach = "loopback"
		case a.IsUnspecified():
			p.Reach = "any"
		}
		p.Service = managementService(p.Process, p.Port)
		s.doc.Ports = append(s.doc.Ports, p)
	}
	slices.SortFunc(s.doc.Ports, func(a, b facts.ListeningPort) int {
		return cmp.Or(cmp.Compare(a.Port, b.Port), cmp.Compare(a.Address, b.Address), cmp.Compare(a.Process, b.Process))
	})
	s.doc.Ports = slices.Compact(s.doc.Ports)
}

// parseListeners reads /proc/net/tcp or tcp6: lines with the state 0A listen.
func parseListeners(text string) []listener {
	var out []listener
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 10 || f[3] != "0A" {
			continue
		}
		host, port, _ := strings.Cut(f[1], ":")
		raw, err := hex.DecodeString(host)
		number, err2 := strconv.ParseUint(port, 16, 16)
		if err != nil || err2 != nil || len(raw)%4 != 0 {
			continue
		}
		// Each word of four bytes is in the order of the machine: little-endian on all that matter.
		for i := 0; i+4 <= len(raw); i += 4 {
			raw[i], raw[i+1], raw[i+2], raw[i+3] = raw[i+3], raw[i+2], raw[i+1], raw[i]
		}
		if addr, ok := netip.AddrFromSlice(raw); ok {
			out = append(out, listener{addr: netip.AddrPortFrom(addr, uint16(number)), inode: f[9]})
		}
	}
	return out
}

// socketOwners finds the programs that hold the sockets, as far as rights show it.
func (s *scan) socketOwners(all []listener) map[string]string {
	const most = 20000 // open files that are looked at
	want := map[string]bool{}
	for _, l := range all {
		want["socket:["+l.inode+"]"] = true
	}
	owners := map[string]string{}
	looked := 0
	for _, pid := range s.processes() {
		if len(owners) == len(want) || looked > most {
			break
		}
		dir := path.Join("proc", pid, "fd")
		names, err := s.t.list(dir)
		if err != nil {
			continue
		}
		open, err := s.t.root.OpenRoot(dir) // once for all of them
		if err != nil {
			continue
		}
		for _, fd := range names {
			looked++
			target, err := open.Readlink(fd)
			if err != nil || !want[target] {
				continue
			}
			inode := strings.TrimSuffix(strings.TrimPrefix(target, "socket:["), "]")
			if owners[inode] == "" {
				owners[inode] = s.t.line(path.Join("proc", pid, "comm"))
			}
		}
		_ = open.Close() // it was only read
	}
	return owners
}

// managementService names a port through which containers or the cluster are
// ruled. Where the program is known it decides; else the number does.
func managementService(process string, port int) string {
	byPort := map[int]string{
		2375: "docker", 2376: "docker-tls", 2377: "swarm", 10250: "kubelet", 10255: "kubelet-readonly", 2379: "etcd", 2380: "etcd-peer",
		6443: "apiserver", 10010: "containerd-stream", 10257: "controller-manager", 10259: "scheduler",
	}
	if process == "" {
		return byPort[port]
	}
	for _, p := range []struct{ process, service string }{
		{"dockerd", "docker"}, {"kubelet", "kubelet"}, {"etcd", "etcd"}, {"kube-apiserver", "apiserver"}, {"containerd", "containerd-stream"},
		{"podman", "podman"}, {"crio", "crio-stream"}, {"kube-controller", "controller-manager"}, {"kube-scheduler", "scheduler"},
		{"k3s-server", byPort[port]}, {"k3s-agent", byPort[port]}, {"k3s", byPort[port]}, {"rke2", byPort[port]}, {"systemd", byPort[port]}, {"libvirtd", "libvirt"}, {"virtproxyd", "libvirt"},
	} {
		if process != p.process {
			continue
		}
		if s := byPort[port]; s != "" {
			return s // 2376 of dockerd, 10255 of the kubelet
		}
		if p.process == "kubelet" || p.process == "dockerd" && port == 7946 {
			return "" // health and gossip
		}
		return p.service
	}
	return ""
}
