# METADATA
# scope: package
# title: Engine files, audit and daemon options
# description: |
#   A file that decides what the engine does (unit, configuration, certificate, key, a folder of them) may be changed, or
#   a key be read, by others than root: who changes it runs code as root. Beside that, as information: no audit rule
#   watches the engine, an engine that several people use has no authorization plugin, experimental features are on,
#   control groups are of version 1.
# related_resources:
#   - ref: https://docs.docker.com/engine/security/
#     description: Docker Engine security
# schemas:
#   - input: schema["engine"]
# custom:
#   id: PS-ENG-018
#   severities: [medium, info]
#   needs: [files, certificates]
#   optional: [audit, local, name, authorization_plugins, experimental, cgroup_version]
#   remediation: |
#     chown root:root and chmod 0644 units and configuration, 0600 keys, 0755 folders. Add audit rules (-w
#     /usr/bin/dockerd, /etc/docker, the socket). Renew certificates before they expire. Give people who share an engine
#     a plugin that decides who may do what, or an engine each.
#   references:
#     nist-800-190: ["4.5.5"]
#     cis-docker: [
#       "1.1.3", "1.1.4", "1.1.5", "1.1.6", "1.1.7", "1.1.8", "1.1.9", "1.1.10", "1.1.11", "1.1.12", "1.1.13", "1.1.14",
#       "1.1.15", "1.1.16", "1.1.17", "1.1.18", "2.12", "3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7",
#       "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.17", "3.18", "3.19", "3.20", "3.21",
#       "3.22",
#     ]
#     attack-containers: [T1543.005]
#     cwe: ["732"]
#     isolation: [W5]
#   since: "0.1.0"
package postscan.engine.engine_files

import data.postscan.lib.paths

deny contains {
	"message": sprintf("%s may be changed by %s (owner %s, group %s, mode %s)", [f.path, who, f.owner, f.group, f.mode]),
	"path": sprintf("files[%d]", [i]),
	"value": f.mode,
	"key": concat(" ", ["write", f.path]),
	"severity": "medium",
} if {
	some i, f in input.files
	f.role in {"certificate", "config", "folder", "hooks", "key", "unit"}
	who := writers(f)
}

deny contains {
	"message": sprintf("the key %s may be read by others than its owner (mode %s)", [f.path, f.mode]),
	"path": sprintf("files[%d]", [i]),
	"value": f.mode,
	"key": concat(" ", ["read", f.path]),
	"severity": "medium",
} if {
	some i, f in input.files
	f.role == "key"
	readable(f)
}

deny contains {
	"message": sprintf("the certificate %s (%s) %s", [c.path, c.subject, words]),
	"path": sprintf("certificates[%d].not_after", [i]),
	"value": c.not_after,
	"key": concat(" ", ["certificate", c.path]),
	"severity": severity,
} if {
	some i, c in input.certificates
	left := (time.parse_rfc3339_ns(c.not_after) - time.parse_rfc3339_ns(data.params.now)) / day
	[severity, words] := expiry(c.role, left)
}

deny contains {
	"message": message,
	"path": path,
	"value": value,
	"key": path,
	"severity": "info",
} if {
	some [path, value, message] in notes
}

day := ((24 * 60) * 60) * 1000000000

expiry(_, left) := ["medium", "has expired"] if left <= 0

expiry(role, left) := ["info", sprintf("expires in %d days", [floor(left)])] if {
	left > 0
	left < 30
	role != "swarm"
}

writers(f) := "everybody" if {
	f.other_write
	not f.sticky
} else := "its owner, who is not root" if {
	not f.owner_root
	not f.rootless
} else := "its group" if {
	f.group_write
	not f.group_root
	not f.rootless
}

readable(f) if f.other_read

readable(f) if {
	f.group_read
	not f.group_root
}

notes contains ["audit", input.audit.paths, "no audit rule watches the files of the engine"] if {
	input.local
	not watched
}

notes contains [
	"authorization_plugins", [], "several people use the engine, and no authorization plugin tells them apart",
] if {
	input.name == "docker"
	count(input.authorization_plugins) == 0
	some f in input.files
	f.role == "socket"
	f.group_write
	count(f.group_members) > 1
}

notes contains ["experimental", true, "experimental features are on"] if input.experimental

notes contains ["cgroup_version", "1", "the machine has control groups of version 1, which hide and bound less"] if {
	input.cgroup_version == "1"
}

watched if {
	some f in input.files
	some path in input.audit.paths
	paths.under(f.path, path)
}
