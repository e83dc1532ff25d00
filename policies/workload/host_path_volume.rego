# METADATA
# scope: package
# title: hostPath volume
# description: |
#   The pod declares a volume that is a path of its node. Whatever stands there, now or later, is reachable from the pod; the
#   usual steps from a container to its node begin with such a volume. It counts as soon as it is declared, mounted or not. What
#   the path is makes it worse: see PS-K8S-024 to 027.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
#     description: Pod Security Standards
#   - ref: https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
#     description: hostPath volumes
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-005
#   severity: medium
#   needs: [volumes]
#   remediation: |
#     Use a PersistentVolumeClaim for data, an emptyDir for scratch space, projected volumes for configuration, or a CSI driver
#     for what lives on the node. An agent that must read the node mounts one narrow path read-only and runs in the platform's
#     own namespace.
#   references:
#     pss-baseline: [hostPathVolumes]
#     nist-800-190: ["4.5.5"]
#     cis-k8s: ["5.2.11"]
#     attack-containers: [T1611]
#     owasp-k8s: [K01]
#     cwe: ["668"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.host_path_volume

deny contains {
	"message": sprintf("volume %s is the path %s of the node", [v.name, v.host_path]),
	"path": concat("", [v.path, ".hostPath"]),
	"value": v.host_path,
	"key": v.name,
} if {
	some v in input.volumes
	v.type == "hostPath"
}
