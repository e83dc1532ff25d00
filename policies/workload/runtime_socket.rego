# METADATA
# scope: package
# title: Runtime or kubelet socket mounted
# description: |
#   A container sees the socket of a container runtime, of an image builder or of the kubelet on its node: the socket itself,
#   or a folder above it, as /run. Who talks to a runtime's socket starts a privileged container of his own and has the node;
#   read-only mounts do not help, for connecting is no write. Sockets are known by path and by name; a volume that is declared
#   and not mounted is left to PS-K8S-005.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
#     description: hostPath volumes
#   - ref: https://docs.docker.com/engine/security/protect-access/
#     description: Protect the socket of Docker
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-024
#   severity: critical
#   needs: [volumes]
#   remediation: |
#     Remove the mount. Build images with a builder that needs no daemon (BuildKit rootless, buildah) or outside the cluster;
#     ask the Kubernetes API, not the runtime, about containers. An agent of the node that cannot do without belongs to the
#     platform's own namespace, and there the finding can be waived by name.
#   references:
#     nist-800-190: ["4.4.3"]
#     nsa-cisa: [POD6]
#     cis-docker: ["5.32"]
#     attack-containers: [T1610, T1611]
#     owasp-k8s: [K01]
#     cwe: ["250"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.runtime_socket

import data.postscan.lib.host_paths

deny contains {
	"message": sprintf("container %s sees %s of the node%s, which is or holds the socket of a runtime or of the kubelet", [
		m.container, path,
		host_paths.through(v),
	]),
	"path": host_paths.where(v),
	"value": path,
	"key": host_paths.key(v, m),
} if {
	some v in input.volumes
	v.host_path != ""
	some m in v.mounts
	path := host_paths.seen(v.host_path, m.sub_path)
	host_paths.reaches_socket(path)
}
