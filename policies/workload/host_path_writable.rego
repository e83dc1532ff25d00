# METADATA
# scope: package
# title: Writable mount of a sensitive host path
# description: |
#   A container may write to a path of its node that decides what the node runs: the root, /etc, the folders of programs, of
#   the kubelet, of the runtimes and of etcd, logs, /proc, /sys, /dev, or a folder above or below one of them. A file put there
#   is run by the node: a cron job, a static pod, a plugin, a library. A single file that is known to be harmless is low.
#   Sockets are told by PS-K8S-024.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
#     description: hostPath volumes
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-025
#   severities: [critical, low]
#   needs: [volumes]
#   remediation: |
#     Remove the mount, or mount only the leaf that is needed, with "readOnly: true" and "recursiveReadOnly: Enabled". Data of
#     an application belongs on a PersistentVolume.
#   references:
#     nist-800-190: ["4.5.5", "4.4.3"]
#     cis-k8s: ["5.2.11"]
#     cis-docker: ["5.6"]
#     attack-containers: [T1611]
#     owasp-k8s: [K01]
#     cwe: ["668"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.host_path_writable

import data.postscan.lib.host_paths

deny contains {
	"message": sprintf("container %s may write to %s of the node%s", [m.container, path, host_paths.through(v)]),
	"path": m.path,
	"value": path,
	"key": host_paths.key(v, m),
	"severity": severity(path),
} if {
	some v in input.volumes
	v.host_path != ""
	some m in v.mounts
	not m.read_only
	path := host_paths.seen(v.host_path, m.sub_path)
	host_paths.is_sensitive(path)
	not host_paths.is_socket(path)
}

severity(path) := "low" if {
	host_paths.is_harmless(path)
} else := "critical"
