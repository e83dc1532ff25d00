package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The names of engines.
const (
	docker     = "docker"
	podman     = "podman"
	containerd = "containerd"
	crio       = "cri-o"
)

// place is where an engine is.
type place struct {
	ref   string // "unix:///run/docker.sock"
	kind  string // its name where the place tells, else ""
	path  string // of the socket; "" where it is none
	local bool   // the engine runs on this machine
	user  string // whose engine it is, where not root's
	usual bool   // the path is the engine's usual one
}

// parseHost reads --host.
func parseHost(h string) (place, error) {
	u, err := url.Parse(h)
	if err != nil {
		return place{}, fmt.Errorf("host %q is no address; use unix:///path, tcp://host:port or ssh://user@host", h)
	}
	switch {
	case u.Scheme == "unix" && strings.HasPrefix(u.Path, "/") && u.Host == "":
		return socketPlace(u.Path), nil
	case u.Scheme == "" && strings.HasPrefix(h, "/"):
		return socketPlace(h), nil
	case u.Scheme == "tcp" && u.Host != "" && (u.Path == "" || u.Path == "/"):
		if u.Port() == "" {
			return place{}, fmt.Errorf("host %q names no port; write tcp://%s:2376", h, u.Host)
		}
		return place{ref: "tcp://" + u.Host}, nil
	case u.Scheme == "ssh" && u.Host != "":
		if _, has := u.User.Password(); has {
			return place{}, errors.New("an ssh host with a password in it is not taken; use a key")
		}
		return place{ref: h}, nil
	default:
		return place{}, fmt.Errorf("host %q: use unix:///path, tcp://host:port or ssh://user@host", h)
	}
}

// socketPlace is the engine behind a socket.
func socketPlace(path string) place {
	path = filepath.Clean(path)
	p := place{ref: "unix://" + path, path: path, local: true, kind: kindOf(path)}
	normal := strings.Replace(path, "/var/run/", "/run/", 1)
	p.usual = slices.Contains(usualSockets(), normal)
	if uid, rest, ok := strings.Cut(strings.TrimPrefix(normal, "/run/user/"), "/"); ok && strings.HasPrefix(normal, "/run/user/") && rest != "" {
		p.user = "uid " + uid
	}
	return p
}

// kindOf knows a socket by its name; "" where that tells nothing.
func kindOf(path string) string {
	switch filepath.Base(path) {
	case "docker.sock":
		return docker
	case "podman.sock":
		return podman
	case "containerd.sock":
		return containerd
	case "crio.sock":
		return crio
	default:
		return ""
	}
}

// usualSockets are those of engines that run as root.
func usualSockets() []string {
	return []string{
		"/run/docker.sock", "/run/podman/podman.sock", "/run/containerd/containerd.sock", "/run/crio/crio.sock",
		"/run/k3s/containerd/containerd.sock", "/run/k0s/containerd.sock", "/var/snap/microk8s/common/run/containerd.sock",
	}
}

// find lists the engines of the machine, each once.
func (m *machine) find(getenv func(string) string) []place {
	var out []place
	seen := map[string]bool{}
	add := func(path string) {
		path = m.path(path)
		st, err := os.Stat(path)
		if err != nil || st.Mode()&os.ModeSocket == 0 {
			if !errors.Is(err, fs.ErrPermission) {
				return
			}
			// It may be there and not be ours to see: that is said, not left out.
			if _, lerr := os.Lstat(filepath.Dir(path)); lerr != nil {
				return
			}
		}
		target, err := filepath.EvalSymlinks(path)
		if err != nil {
			target = path
		}
		if seen[target] {
			return
		}
		seen[target] = true
		p := socketPlace(path)
		if k := kindOf(target); k != "" {
			p.kind = k // Podman puts a link to its socket where Docker's stands
		}
		out = append(out, p)
	}
	for _, h := range []string{getenv("DOCKER_HOST"), getenv("CONTAINER_HOST")} {
		p, err := parseHost(h)
		switch {
		case h == "" || err != nil:
		case p.path != "":
			add(p.path)
		default:
			out = append(out, p)
		}
	}
	for _, path := range usualSockets() {
		add(path)
	}
	if dir := getenv("XDG_RUNTIME_DIR"); dir != "" {
		add(filepath.Join(dir, "docker.sock"))
		add(filepath.Join(dir, "podman", "podman.sock"))
	}
	for _, pattern := range []string{"/run/user/*/docker.sock", "/run/user/*/podman/podman.sock"} {
		list, _ := filepath.Glob(m.path(pattern)) // the pattern is sound
		for _, path := range list {
			add(m.unrooted(path))
		}
	}
	for _, p := range m.engines() {
		for _, path := range p.sockets(m) {
			add(path)
		}
	}
	for _, path := range m.configuredSockets() {
		add(path)
	}
	slices.SortFunc(out, func(a, b place) int { return strings.Compare(a.ref, b.ref) })
	return out
}

// nothingFound says where was looked, and what to do.
func (m *machine) nothingFound() string {
	text := "no container engine was found: none of " + strings.Join(usualSockets()[:4], ", ") + ", of the sockets below /run/user, and of the engines that run answers; start one, or say where it is with --host"
	for name, file := range map[string]string{"Docker": "/etc/docker/daemon.json", "containerd": "/etc/containerd/config.toml", "CRI-O": "/etc/crio/crio.conf"} {
		if _, err := os.Stat(m.path(file)); err == nil {
			text += "; " + name + " is configured in " + file + " and does not run"
		}
	}
	return text
}

// configuredSockets are those that the configuration of root's engines names.
func (m *machine) configuredSockets() []string {
	var out []string
	if conf, err := m.daemonJSON("/etc/docker/daemon.json"); err == nil {
		for _, h := range conf.Hosts {
			if p, ok := strings.CutPrefix(h, "unix://"); ok {
				out = append(out, p)
			}
		}
	}
	if conf, err := m.containerdConfig("/etc/containerd/config.toml"); err == nil && conf.GRPC.Address != "" {
		out = append(out, conf.GRPC.Address)
	}
	if conf, err := m.crioConfig("/etc/crio/crio.conf"); err == nil && conf.Crio.API.Listen != "" {
		out = append(out, conf.Crio.API.Listen)
	}
	return out
}

// process is a running engine.
type process struct {
	pid  int
	name string // dockerd, podman, containerd, crio, k3s
	args []string
}

// flag returns the values of a flag in both of its forms, and whether it stands there at all.
func (p process) flag(names ...string) (values []string, set bool) {
	for i := 0; i < len(p.args); i++ {
		name, value, joined := strings.Cut(p.args[i], "=")
		if !slices.Contains(names, name) {
			continue
		}
		set = true
		switch {
		case joined:
			values = append(values, value)
		case i+1 < len(p.args) && !strings.HasPrefix(p.args[i+1], "-"):
			values = append(values, p.args[i+1])
			i++
		default:
			values = append(values, "")
		}
	}
	return values, set
}

// boolFlag reads a switch; given is false where it does not stand there.
func (p process) boolFlag(name string) (on, given bool) {
	for _, a := range p.args {
		if n, v, joined := strings.Cut(a, "="); n == name {
			on, given = true, true
			if joined {
				on, _ = strconv.ParseBool(v)
			}
		}
	}
	return on, given
}

// sockets are those that the process was told to listen on.
func (p process) sockets(m *machine) []string {
	var out []string
	add := func(list []string) {
		for _, v := range list {
			if path := strings.TrimPrefix(v, "unix://"); strings.HasPrefix(path, "/") {
				out = append(out, path)
			}
		}
	}
	switch p.name {
	case "dockerd":
		hosts, _ := p.flag("-H", "--host")
		add(hosts)
	case "podman":
		if i := slices.Index(p.args, "service"); i >= 0 {
			add(p.args[i+1:])
		}
	case "containerd":
		address, _ := p.flag("-a", "--address")
		add(address)
		if file, _ := p.flag("-c", "--config"); len(file) > 0 {
			if strings.Contains(file[0], "/docker/containerd/") {
				return nil // dockerd's own, which is seen through dockerd
			}
			if conf, err := m.containerdConfig(file[0]); err == nil {
				add([]string{conf.GRPC.Address})
			}
		}
	case "crio":
		listen, _ := p.flag("--listen")
		add(listen)
	}
	return out
}
