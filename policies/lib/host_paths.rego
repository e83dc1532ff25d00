# METADATA
# description: |
#   Paths of a node that are worth taking: sockets of its runtimes and of the kubelet, folders whose content is the node, devices.
#   Paths of Windows are read too: with a drive, in any case, with either slash.
package postscan.lib.host_paths

import data.postscan.lib.paths

# sockets are those of container runtimes and builders, and the kubelet's own. Whoever talks to
# one starts containers as root or has devices handed out.
sockets := {
	"/run/buildkit/buildkitd.sock",
	"/run/containerd/containerd.sock",
	"/run/cri-dockerd.sock",
	"/run/crio/crio.sock",
	"/run/docker.sock",
	"/run/dockershim.sock",
	"/run/k0s/containerd.sock",
	"/run/k3s/containerd/containerd.sock",
	"/run/podman/podman.sock",
	"/var/lib/kubelet/device-plugins",
	"/var/lib/kubelet/pod-resources",
	"/var/snap/microk8s/common/run/containerd.sock",
	"//./pipe/containerd-containerd",
	"//./pipe/docker_engine",
}

# socket_names are sockets that are known by their name, wherever they stand (rootless engines).
socket_names := {
	"buildkitd.sock", "containerd.sock", "cri-dockerd.sock", "crio.sock", "docker.sock", "dockershim.sock", "podman.sock",
}

# sensitive are the folders of a node whose content decides what the node runs or knows.
sensitive := {
	"/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/opt/cni", "/proc", "/root", "/run", "/sbin", "/sys", "/usr",
	"/var/lib/containerd", "/var/lib/docker", "/var/lib/etcd", "/var/lib/kubelet", "/var/lib/rancher", "/var/log",
	"c:/etc", "c:/programdata", "c:/users", "c:/var", "c:/windows",
}

# harmless are files, and folders with what stands below them, that give nothing away and are not run or believed: whoever writes
# them gains nothing.
harmless := {
	"/dev/full", "/dev/null", "/dev/random", "/dev/shm", "/dev/urandom", "/dev/zero",
	"/etc/localtime", "/etc/machine-id", "/etc/os-release", "/etc/timezone",
	"/run/xtables.lock", "/usr/lib/os-release", "/usr/share/zoneinfo",
}

# public are those that give nothing away, but that the node runs or believes: kernel modules, certificate authorities, names.
public := {
	"/etc/group", "/etc/hostname", "/etc/hosts", "/etc/nsswitch.conf", "/etc/passwd", "/etc/resolv.conf",
	"/etc/ca-certificates", "/etc/pki/ca-trust", "/etc/pki/tls/certs", "/etc/ssl/certs", "/usr/local/share/ca-certificates",
	"/usr/share/ca-certificates",
	"/lib/modules", "/usr/lib/modules", "/usr/src",
}

# not_devices stand below /dev and are none.
not_devices := {"/dev/hugepages", "/dev/log", "/dev/mqueue", "/dev/shm"}

# normal is the path as the lists have it: /var/run is /run, and Windows has one way to write a path.
normal(path) := concat("", ["//./pipe/", lower(regex.replace(path, `^[\\/]{2}\.[\\/](?i:pipe)[\\/]`, ""))]) if {
	regex.match(`^[\\/]{2}\.[\\/](?i:pipe)[\\/]`, path)
} else := trim_prefix(paths.clean(lower(replace(path, `\`, "/"))), "/") if {
	regex.match(`^[A-Za-z]:`, path)
} else := paths.clean(regex.replace(paths.clean(path), `^/var/run(/|$)`, "/run$1"))

# covers is true where one of two normal paths is the other, or holds it.
covers(above, path) if above == path

covers(above, path) if startswith(path, concat("", [trim_right(above, "/"), "/"]))

# reaches_socket is true where a mount of the path holds such a socket.
reaches_socket(path) if {
	some socket in sockets
	covers(normal(path), socket)
}

reaches_socket(path) if is_socket(path)

# is_socket is true where the path is one, or stands in the kubelet's folder for them.
is_socket(path) if {
	some socket in sockets
	covers(socket, normal(path))
}

is_socket(path) if paths.base(normal(path)) in socket_names

# is_sensitive is true where the path is one of the folders, or above or below one.
is_sensitive(path) if {
	some folder in sensitive
	related(normal(path), folder)
}

related(one, other) if covers(one, other)

related(one, other) if {
	other != "/"
	covers(other, one)
}

# is_harmless is true for what may be read and written.
is_harmless(path) if {
	some leaf in harmless
	covers(leaf, normal(path))
}

# is_public is true for what may be read.
is_public(path) if {
	some leaf in (harmless | public)
	covers(leaf, normal(path))
}

# is_device is true for /dev and what stands below it, but for what is no device or a harmless one.
is_device(path) if {
	covers("/dev", normal(path))
	not is_harmless(path)
	not _other(normal(path))
}

_other(path) if {
	some folder in not_devices
	covers(folder, path)
}

# seen is the path of the node that a mount shows. A subPath narrows the path of the volume, unless only the start of the
# container can tell it.
seen(host_path, sub_path) := concat("/", [trim_right(host_path, "/"), sub_path]) if {
	sub_path != ""
	not contains(sub_path, "$(")
} else := host_path

# key tells the mounts of a volume apart: a container may mount several parts of it.
key(volume, mount) := concat(" ", [mount.container, volume.name]) if {
	mount.sub_path == ""
} else := concat(" ", [mount.container, volume.name, mount.sub_path])

# where is the field that names the path.
where(volume) := concat("", [volume.path, ".hostPath.path"]) if {
	volume.type == "hostPath"
} else := volume.path

# through says how the workload comes to the path.
through(volume) := " through a PersistentVolume" if {
	volume.through != ""
} else := ""
