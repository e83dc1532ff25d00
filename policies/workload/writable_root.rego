# METADATA
# scope: package
# title: Writable root filesystem
# description: |
#   A container may write to the file system that its image brought. Whoever breaks in can leave tools there, change programs
#   and configuration, and hide what was done. Windows does not have the switch.
# related_resources:
#   - ref: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
#     description: Configure a security context for a pod or container
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-028
#   severity: low
#   needs: [containers, os]
#   remediation: |
#     Set "readOnlyRootFilesystem: true" and mount an emptyDir where the program writes, as /tmp or its cache.
#   references:
#     nist-800-190: ["4.4.3"]
#     nsa-cisa: [POD2]
#     cis-k8s: ["5.6.3"]
#     cis-docker: ["5.13"]
#     owasp-k8s: [K01]
#     isolation: [W5]
#   since: "0.1.0"
package postscan.workload.writable_root

applies if input.os != "windows"

deny contains {
	"message": sprintf("container %s may write to its root file system", [c.name]),
	"path": concat("", [c.path, ".securityContext.readOnlyRootFilesystem"]),
	"value": false,
	"key": c.name,
} if {
	some c in input.containers
	not c.read_only_root_filesystem
}
