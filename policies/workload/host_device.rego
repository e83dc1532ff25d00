# METADATA
# scope: package
# title: Host device or shared mount propagation
# description: |
#   A container has a device of its node, or shares its mounts with it. With a raw disk it reads and writes every file of the
#   node's file system, past all permissions; with Bidirectional propagation what it mounts appears on the node and in other
#   pods. A raw block volume counts where it is a disk of the node; one of a storage driver is the application's own. Devices
#   that give nothing away, as /dev/null, are left out.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
#     description: hostPath volumes
#   - ref: https://kubernetes.io/docs/concepts/storage/volumes/#mount-propagation
#     description: Mount propagation
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-027
#   severity: high
#   needs: [volumes]
#   remediation: |
#     Let a device plugin or dynamic resource allocation hand out just the device that is needed, and give storage as a
#     PersistentVolume with a file system. Only a storage driver needs Bidirectional; it belongs to the platform's own
#     namespace.
#   references:
#     nist-800-190: ["4.4.3"]
#     cis-docker: ["5.18", "5.20"]
#     attack-containers: [T1611]
#     owasp-k8s: [K01]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.host_device

import data.postscan.lib.host_paths

deny contains {
	"message": sprintf("container %s has the device %s of the node", [m.container, path]),
	"path": host_paths.where(v),
	"value": path,
	"key": host_paths.key(v, m),
} if {
	some v in input.volumes
	v.host_path != ""
	some m in v.mounts
	path := host_paths.seen(v.host_path, m.sub_path)
	device(v, path)
}

deny contains {
	"message": sprintf("container %s has %s of the node as a raw block device", [d.container, v.host_path]),
	"path": d.path,
	"value": v.host_path,
	"key": concat(" ", [d.container, v.name]),
} if {
	some v in input.volumes
	v.host_path != ""
	some d in v.devices
}

deny contains {
	"message": sprintf("what container %s mounts below %s appears on the node (mountPropagation is Bidirectional)", [
		m.container,
		m.mount_path,
	]),
	"path": concat("", [m.path, ".mountPropagation"]),
	"value": m.propagation,
	"key": concat(" ", ["propagation", m.container, v.name]),
} if {
	some v in input.volumes
	some m in v.mounts
	m.propagation == "Bidirectional"
}

device(_, path) if host_paths.is_device(path)

device(v, _) if v.host_path_type in {"BlockDevice", "CharDevice"}
