# METADATA
# scope: package
# title: Read-only mount of a sensitive host path
# description: |
#   A container reads a path of its node that holds credentials or shows what others do: tokens of other pods below
#   /var/lib/kubelet, keys and cloud credentials below /etc/kubernetes, password hashes, logs, memory. What it reads opens the
#   next door. Note that "readOnly" does not reach file systems that are mounted below the path unless recursiveReadOnly is
#   set: these stay writable. What gives nothing away is left out: certificate authorities, kernel modules, names.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
#     description: hostPath volumes
#   - ref: https://kubernetes.io/docs/concepts/storage/volumes/#recursive-read-only-mounts
#     description: Recursive read-only mounts
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-026
#   severity: high
#   needs: [volumes]
#   remediation: |
#     Mount only the file that is needed, with "recursiveReadOnly: Enabled". Give credentials through projected volumes and
#     logs through the platform's log agent.
#   references:
#     nist-800-190: ["4.5.5"]
#     attack-containers: [T1552.001, T1528]
#     owasp-k8s: [K01]
#     cwe: ["668"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.host_path_readable

import data.postscan.lib.host_paths

deny contains {
	"message": sprintf("container %s reads %s of the node%s%s", [
		m.container, path,
		host_paths.through(v), recursion(m),
	]),
	"path": m.path,
	"value": path,
	"key": host_paths.key(v, m),
} if {
	some v in input.volumes
	v.host_path != ""
	some m in v.mounts
	m.read_only
	path := host_paths.seen(v.host_path, m.sub_path)
	host_paths.is_sensitive(path)
	not host_paths.is_socket(path)
	not host_paths.is_public(path)
}

recursion(mount) := "" if {
	mount.recursive_read_only == "Enabled"
} else := "; what is mounted below it may stay writable"
