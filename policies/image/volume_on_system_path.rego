# METADATA
# scope: package
# title: Volume or workdir on a system path
# description: |
#   The image declares a volume or its working directory on a path that belongs to the system: the root, /etc, /proc, /sys, /dev,
#   /boot, a directory of programs or libraries, or the socket of a container runtime. What the program writes, or what a volume
#   brings, then lies where the system reads its programs and settings, and a read-only root file system no longer protects it. A
#   volume for a runtime socket invites its mount, which hands the host to the container. An image that sets no WORKDIR is no
#   finding, although its processes start in the root.
# related_resources:
#   - ref: https://docs.docker.com/reference/dockerfile/#volume
#     description: The VOLUME instruction
#   - ref: https://docs.docker.com/reference/dockerfile/#workdir
#     description: The WORKDIR instruction
# schemas:
#   - input: schema["image"]
# custom:
#   id: PS-IMG-020
#   severity: low
#   needs: [os, config.volumes, config.working_dir]
#   remediation: |
#     Use a directory of the application's own, such as "WORKDIR /app" and "VOLUME /var/lib/app" or "VOLUME /data", owned by the user
#     that the image runs as.
#   references:
#     nist-800-190: ["4.1.2"]
#     cwe: ["732"]
#     isolation: [W5]
#   since: "0.1.0"
package postscan.image.volume_on_system_path

import data.postscan.lib.paths

applies if input.os == "linux"

# Only these paths themselves: applications have their place below them (/usr/src/app, /usr/share/x, /run/app).
system_paths := {
	"/",
	"/run",
	"/run/containerd/containerd.sock",
	"/run/crio/crio.sock",
	"/run/docker.sock",
	"/run/podman/podman.sock",
	"/usr",
	"/usr/local",
	"/var/run",
}

# These and everything below them.
system_trees := {
	"/bin",
	"/boot",
	"/dev",
	"/etc",
	"/lib",
	"/lib32",
	"/lib64",
	"/proc",
	"/sbin",
	"/sys",
	"/usr/bin",
	"/usr/lib",
	"/usr/lib32",
	"/usr/lib64",
	"/usr/libexec",
	"/usr/local/bin",
	"/usr/local/sbin",
	"/usr/sbin",
}

deny contains {
	"message": sprintf("the volume %s lies on a system path", [volume]),
	"path": sprintf("config.volumes[%d]", [index]),
	"value": volume,
	"key": concat(" ", ["volume", paths.clean(volume)]),
} if {
	some index, volume in input.config.volumes
	on_system_path(volume)
}

deny contains {
	"message": sprintf("the working directory %s is a system path", [input.config.working_dir]),
	"path": "config.working_dir",
	"value": input.config.working_dir,
	"key": "working directory",
} if {
	input.config.working_dir != ""
	on_system_path(input.config.working_dir)
}

# /var/run is a link to /run in every common distribution.
on_system_path(path) if regex.replace(paths.clean(path), `^/var/run/`, "/run/") in system_paths

on_system_path(path) if {
	parts := split(paths.clean(path), "/")
	some length in numbers.range(2, count(parts))
	concat("/", array.slice(parts, 0, length)) in system_trees
}
