# METADATA
# scope: package
# title: Sensitive host path or device in a container
# description: |
#   The container sees a path of the machine that decides what the machine runs or knows (the paths of PS-K8S-025), has
#   one of its devices, or shares mounts with it. Written to, such a path runs code as root; read, it gives credentials; a
#   disk gives both, past all permissions. Sockets are told by PS-ENG-003, privileged containers by PS-ENG-004. Under a
#   rootless engine the user's rights bound it.
# related_resources:
#   - ref: https://docs.docker.com/engine/storage/bind-mounts/
#     description: Bind mounts
# schemas:
#   - input: schema["container"]
# custom:
#   id: PS-ENG-012
#   severities: [critical, high, medium, low]
#   needs: [mounts, devices, device_rules, rootless, privileged]
#   remediation: |
#     Mount only the file that is needed, read-only, or use a volume. Give the one device that is needed by --device, and
#     no rule for a class of them. Remove :shared and :rshared.
#   references:
#     nist-800-190: ["4.5.5"]
#     cis-docker: ["5.6", "5.18", "5.20"]
#     attack-containers: [T1611]
#     cwe: ["668"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.container.host_path

import data.postscan.lib.host_paths

deny contains {
	"message": sprintf("it %s %s of the machine at %s", [verb(m), m.source, m.destination]),
	"path": sprintf("mounts[%d].source", [i]),
	"value": m.source,
	"key": m.destination,
	"severity": bounded(weight(m)),
} if {
	some i, m in input.mounts
	m.type in {"bind", "npipe"}
	host_paths.is_sensitive(m.source)
	not host_paths.is_socket(m.source)
	not given(m)
}

deny contains {
	"message": sprintf("it has the device %s of the machine", [d.host]),
	"path": sprintf("devices[%d]", [i]),
	"value": d.host,
	"key": concat(" ", ["device", d.host]),
	"severity": bounded("high"),
} if {
	some i, d in input.devices
	not input.privileged
	host_paths.is_device(d.host)
}

deny contains {
	"message": sprintf("a rule lets it open devices of the machine: %s", [rule]),
	"path": sprintf("device_rules[%d]", [i]),
	"value": rule,
	"key": concat(" ", ["rule", rule]),
	"severity": bounded("high"),
} if {
	some i, rule in input.device_rules
	opens(rule)
}

deny contains {
	"message": sprintf("what it mounts below %s appears on the machine (propagation is %s)", [m.destination, m.propagation]),
	"path": sprintf("mounts[%d].propagation", [i]),
	"value": m.propagation,
	"key": concat(" ", ["propagation", m.destination]),
	"severity": bounded("high"),
} if {
	some i, m in input.mounts
	m.propagation in {"rshared", "shared"}
}

verb(m) := "reads" if {
	m.read_only
} else := "may write to"

# Some files give nothing away.
given(m) if {
	m.read_only
	host_paths.is_public(m.source)
}

weight(m) := "low" if {
	host_paths.is_harmless(m.source)
} else := "high" if {
	m.read_only
} else := "critical"

bounded(severity) := "medium" if {
	input.rootless
	severity in {"critical", "high"}
} else := severity

# All devices, all disks, memory (1:1, 1:2, 1:4), /dev/fuse and /dev/kvm.
opens(rule) if regex.match(`^\s*[ab]\b`, rule)

opens(rule) if regex.match(`^\s*c\s+(\*|1:(\*|1|2|4)|10:(\*|229|232))(\s|:|$)`, rule)
