# METADATA
# description: One hardened engine, whole as the collector writes it, and ways to say what is different about another.
package postscan.engine.fixture_test

# engine is the hardened engine with some fields replaced.
engine(changes) := object.union(clean, changes)

listener := {
	"purpose": "api", "network": "tcp", "address": "127.0.0.1:2375", "loopback": false, "tls": true,
	"client_verification": true, "source": "/proc/net",
}

socket := object.union(config, {
	"path": "/run/docker.sock", "role": "socket", "mode": "0660", "group": "docker", "group_root": false,
	"group_write": true,
})

config := {
	"path": "/etc/docker/daemon.json", "role": "config", "mode": "0644", "owner": "root", "group": "root", "owner_root": true,
	"group_root": true, "group_read": true, "group_write": false, "other_read": true, "other_write": false, "sticky": false,
	"rootless": false, "parent_private": false, "group_members": [],
}

overlay := {
	"name": "data", "driver": "overlay", "scope": "swarm", "internal": false, "default": false, "icc": true,
	"encrypted": true, "ingress": false,
}

service := {
	"name": "web", "image": "web:1", "secrets": 1, "literal_secrets": [], "capabilities": [], "mounts": [],
	"published": [],
}

# swarm is an engine that manages a hardened swarm.
swarm := engine({"networks": [overlay], "swarm": {
	"state": "active", "manager": true, "managers": 3, "workers": 2, "active_managers": 0, "autolock": true, "certificate_days": 90,
	"root_rotating": false, "secrets": 1, "services": [service], "configs": [],
}})

clean := {
	"name": "docker", "version": "28.2.2", "api": "1.50", "endpoint": "unix:///run/docker.sock", "local": true, "os": "linux",
	"rootless": false, "command": "dockerd", "cgroup_version": "2", "components": [], "vulnerabilities": [], "listeners": [],
	"files": [config, socket], "user_namespaces": "remap", "seccomp": "default", "apparmor": "enabled", "selinux": "absent",
	"no_new_privileges": true, "live_restore": true, "userland_proxy": false, "iptables": true, "experimental": false,
	"authorization_plugins": [], "default_capabilities": ["CHOWN"], "log_driver": "journald", "public_address": false,
	"insecure_registries": [], "signature_policy": {"default": "none", "file": ""}, "networks": [],
	"swarm": {
		"state": "inactive", "manager": false, "managers": 0, "workers": 0, "active_managers": 0, "autolock": false,
		"certificate_days": 0, "root_rotating": false, "secrets": 0, "services": [], "configs": [],
	},
	"cri": {
		"served": false, "added_capabilities": [], "unprivileged_ports": false, "unprivileged_icmp": false, "runtimes": [],
		"allowed_devices": [], "inheritable_capabilities": false, "nri": false, "nri_plugins": [],
	},
	"audit": {"configured": true, "paths": ["/etc/docker"]}, "certificates": [],
}
