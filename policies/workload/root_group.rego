# METADATA
# scope: package
# title: Root group or low UID/GID
# description: |
#   A container runs with group 0, or with a user or group number that may be somebody's on the node. Group 0 owns many files
#   of images and nodes and may write some of them. Where runAsGroup is not set the image decides, and group 0 is what most
#   images give. Group 0 among the supplemental groups or as fsGroup is medium: it is asked for. A number below 10000 is
#   information: it may meet an account of the node where isolation breaks. User 0 is told by PS-K8S-012 and 013.
# related_resources:
#   - ref: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
#     description: Configure a security context for a pod or container
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-040
#   severities: [medium, low, info]
#   needs: [containers, supplemental_groups, fs_group, os, pod_path]
#   remediation: |
#     Set runAsUser and runAsGroup to numbers of 10000 or more that no account of the nodes has, and take 0 out of
#     supplementalGroups and fsGroup.
#   references:
#     nist-800-190: ["4.4.3"]
#     nsa-cisa: [POD1]
#     cwe: ["250"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.root_group

applies if input.os != "windows"

deny contains {
	"message": "the supplemental groups hold 0, the group of root",
	"path": concat("", [input.pod_path, ".securityContext.supplementalGroups"]),
	"value": 0,
	"key": "pod supplementalGroups",
	"severity": "medium",
} if {
	0 in input.supplemental_groups
}

deny contains {
	"message": "fsGroup is 0, the group of root",
	"path": concat("", [input.pod_path, ".securityContext.fsGroup"]),
	"value": 0,
	"key": "pod fsGroup",
	"severity": "medium",
} if {
	input.fs_group == 0
}

deny contains {
	"message": sprintf("container %s %s", [c.name, groups[c.effective.group]]),
	"path": concat("", [c.path, ".securityContext.runAsGroup"]),
	"value": c.effective.group,
	"key": concat(" ", [c.name, "group"]),
	"severity": "low",
} if {
	some c in input.containers
	c.effective.group in {-1, 0}
}

deny contains {
	"message": sprintf("container %s runs with %s %d, which may be an account of the node", [c.name, name, number]),
	"path": concat("", [c.path, ".securityContext.", field]),
	"value": number,
	"key": concat(" ", [c.name, name]),
	"severity": "info",
} if {
	some c in input.containers
	some [name, field, number] in [["user", "runAsUser", c.effective.user], ["group", "runAsGroup", c.effective.group]]
	number > 0
	number < 10000
}

groups := {
	-1: "names no group: the image decides, else it is 0",
	0: "runs with group 0",
}
