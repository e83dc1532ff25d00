# METADATA
# description: One hardened container, whole as the collector writes it, and ways to say what is different about another.
package postscan.container.fixture_test

# container is the hardened container with some fields replaced.
container(changes) := object.union(clean, changes)

# mounted is the hardened container with one mount, some fields of which are replaced.
mounted(changes) := container({"mounts": [object.union(mount, changes)]})

mount := {"type": "bind", "source": "/srv/data", "destination": "/data", "read_only": true, "propagation": "rprivate"}

clean := {
	"name": "web", "engine": "docker",
	"image": {"reference": "web:1", "registry": "docker.io", "repository": "library/web", "tag": "1", "digest": ""},
	"state": "running", "pod": {"namespace": "", "name": "", "container": ""}, "runtime": "runc", "sandboxed": false,
	"rootless": false, "privileged": false, "privileged_execs": 0, "user": "10001", "root": "no", "capabilities_add": [],
	"capabilities_drop": ["ALL"], "capabilities": [], "capabilities_from": "process",
	"namespaces": {
		"pid": "private", "network": "private", "ipc": "private", "uts": "private", "cgroup": "private", "user": "host",
		"pid_of": "", "network_of": "", "other_privileged": "false",
	},
	"engine_remaps": false, "seccomp": "RuntimeDefault", "apparmor": "none", "selinux": "none", "no_new_privileges": true,
	"masked_paths": true, "read_only_root": true, "cgroup_parent": "", "cgroup_namespace_asked": false, "mounts": [],
	"devices": [], "device_rules": [], "limits": {
		"memory": 33554432, "pids": 50, "cpu": true,
	},
	"ports": [], "networks": [],
	"sysctls": [], "restart": "no", "health": false, "literal_secrets": [], "public_address": false, "iptables": true,
}
