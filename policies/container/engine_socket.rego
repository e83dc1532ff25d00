# METADATA
# scope: package
# title: Container holds an engine socket
# description: |
#   The container sees the socket of a container engine or of the kubelet, or a folder that holds one. Who talks to it
#   starts a privileged container and has the machine. Read-only mounts do not help: connecting is no write. The sockets
#   are those of PS-K8S-024. A rootless engine's own socket gives its user's rights.
# related_resources:
#   - ref: https://docs.docker.com/engine/security/protect-access/
#     description: Protect the Docker daemon socket
# schemas:
#   - input: schema["container"]
# custom:
#   id: PS-ENG-003
#   severities: [critical, high]
#   needs: [mounts, rootless]
#   remediation: |
#     Remove the mount. What needs to know about containers can go through a proxy that lets single calls pass; what
#     builds images can use a builder without a daemon.
#   references:
#     nist-800-190: ["4.4.3"]
#     cis-docker: ["5.32"]
#     attack-containers: [T1610, T1611]
#     cwe: ["250"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.container.engine_socket

import data.postscan.lib.host_paths

deny contains {
	"message": sprintf("%s of the machine, which is or holds the socket of an engine, is mounted at %s", [m.source, m.destination]),
	"path": sprintf("mounts[%d].source", [i]),
	"value": m.source,
	"key": m.destination,
	"severity": severity,
} if {
	some i, m in input.mounts
	m.type in {"bind", "npipe"}
	host_paths.reaches_socket(m.source)
}

default severity := "critical"

severity := "high" if input.rootless
