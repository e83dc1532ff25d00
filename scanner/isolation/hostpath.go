package isolation

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// What paths of a node are worth taking is told by policies/lib/host_paths.rego.
// The same in Go stands here, because the score needs it for every workload; a
// test asks both the same questions.

// hostSockets are those of runtimes, builders and the kubelet.
func hostSockets() []string {
	return []string{
		"/run/buildkit/buildkitd.sock", "/run/containerd/containerd.sock", "/run/cri-dockerd.sock", "/run/crio/crio.sock", "/run/docker.sock",
		"/run/dockershim.sock", "/run/k0s/containerd.sock", "/run/k3s/containerd/containerd.sock", "/run/podman/podman.sock",
		"/var/lib/kubelet/device-plugins", "/var/lib/kubelet/pod-resources", "/var/snap/microk8s/common/run/containerd.sock",
		"//./pipe/containerd-containerd", "//./pipe/docker_engine",
	}
}

// socketNames are sockets that are known wherever they stand.
func socketNames() []string {
	return []string{"buildkitd.sock", "containerd.sock", "cri-dockerd.sock", "crio.sock", "docker.sock", "dockershim.sock", "podman.sock"}
}

// sensitiveFolders decide what the node runs or knows.
func sensitiveFolders() []string {
	return []string{
		"/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/opt/cni", "/proc", "/root", "/run", "/sbin", "/sys", "/usr",
		"/var/lib/containerd", "/var/lib/docker", "/var/lib/etcd", "/var/lib/kubelet", "/var/lib/rancher", "/var/log",
		"c:/etc", "c:/programdata", "c:/users", "c:/var", "c:/windows",
	}
}

// harmlessPaths give nothing away and are not run.
func harmlessPaths() []string {
	return []string{
		"/dev/full", "/dev/null", "/dev/random", "/dev/shm", "/dev/urandom", "/dev/zero",
		"/etc/localtime", "/etc/machine-id", "/etc/os-release", "/etc/timezone",
		"/etc/pki/ca-trust", "/etc/pki/tls/certs", "/etc/ssl/certs", "/usr/lib/os-release", "/usr/share/ca-certificates", "/usr/share/zoneinfo",
	}
}

// notDevices stand below /dev and are none.
func notDevices() []string { return []string{"/dev/hugepages", "/dev/log", "/dev/mqueue", "/dev/shm"} }

var (
	windowsPipe = regexp.MustCompile(`^[\\/]{2}\.[\\/](?i:pipe)[\\/]`)
	drive       = regexp.MustCompile(`^[A-Za-z]:`)
)

// normalPath writes a path as the lists above do: /var/run is /run, and Windows
// has one way to write a path.
func normalPath(p string) string {
	switch {
	case windowsPipe.MatchString(p):
		return "//./pipe/" + strings.ToLower(windowsPipe.ReplaceAllString(p, ""))
	case drive.MatchString(p):
		return strings.TrimPrefix(cleanPath(strings.ToLower(strings.ReplaceAll(p, `\`, "/"))), "/")
	}
	p = cleanPath(p)
	if rest, ok := strings.CutPrefix(p, "/var/run"); ok && (rest == "" || rest[0] == '/') {
		p = cleanPath("/run" + rest)
	}
	return p
}

// cleanPath is absolute, without doubled or trailing slashes; a fact holds no "..".
func cleanPath(p string) string {
	parts := slices.DeleteFunc(strings.Split(p, "/"), func(s string) bool { return s == "" || s == "." })
	return "/" + strings.Join(parts, "/")
}

// covers is true where above is the path or holds it; both are normal.
func covers(above, p string) bool {
	return p == above || strings.HasPrefix(p, strings.TrimRight(above, "/")+"/")
}

// reachesSocket: a mount of the path holds a socket, or is one.
func reachesSocket(p string) bool {
	return slices.ContainsFunc(hostSockets(), func(s string) bool { return covers(normalPath(p), s) }) || isSocket(p)
}

func isSocket(p string) bool {
	n := normalPath(p)
	return slices.ContainsFunc(hostSockets(), func(s string) bool { return covers(s, n) }) || slices.Contains(socketNames(), path.Base(cleanPath(n)))
}

// isSensitive: the path is one of the folders, or above or below one.
func isSensitive(p string) bool {
	n := normalPath(p)
	return slices.ContainsFunc(sensitiveFolders(), func(f string) bool { return covers(n, f) || f != "/" && covers(f, n) })
}

func isHarmless(p string) bool {
	n := normalPath(p)
	return slices.ContainsFunc(harmlessPaths(), func(leaf string) bool { return covers(leaf, n) })
}

// isDevice: /dev or below, but for what is no device or a harmless one.
func isDevice(p string) bool {
	n := normalPath(p)
	return covers("/dev", n) && !isHarmless(p) && !slices.ContainsFunc(notDevices(), func(f string) bool { return covers(f, n) })
}
