# METADATA
# scope: package
# title: Root in the host user namespace
# description: |
#   A container may be root, or has capabilities, in the user namespace of its node, although the nodes could give it one of
#   its own. Who breaks out of it is then root on the node; with a user namespace he would be a user without any rights there.
#   The cluster must be of version 1.33 or later, and the runtime of the nodes must support it.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/
#     description: User namespaces
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-041
#   severity: low
#   needs: [host_users, os, containers, nodes.user_namespaces, nodes.kubelet_minor, pod_path]
#   remediation: |
#     Set "hostUsers: false". It does not go with hostNetwork, hostPID or hostIPC, nor with raw block volumes.
#   references:
#     nist-800-190: ["4.5.2"]
#     attack-containers: [T1611]
#     owasp-k8s: [K01]
#     isolation: [W1, W4]
#   since: "0.1.0"
package postscan.workload.no_user_namespace

applies if input.os != "windows"

deny contains {
	"message": sprintf("%s in the user namespace of the node", [concat(", ", {text | some text in mighty})]),
	"path": concat("", [input.pod_path, ".hostUsers"]),
	"value": input.host_users,
} if {
	possible
	input.nodes.user_namespaces == "true"
}

unknown contains "only some of its nodes support user namespaces, or it cannot be seen" if {
	possible
	input.nodes.user_namespaces in {"mixed", "unknown"}
}

unknown contains "the version of its nodes was not seen, so whether they support user namespaces is not known" if {
	wanted
	input.nodes.kubelet_minor == 0
	input.nodes.user_namespaces != "false"
}

possible if {
	wanted
	input.nodes.kubelet_minor >= 33
}

wanted if {
	input.host_users != "false"
	count(mighty) > 0
}

mighty contains sprintf("container %s may be root", [c.name]) if {
	some c in input.containers
	c.effective.root != "no"
}

mighty contains sprintf("container %s has added capabilities", [c.name]) if {
	some c in input.containers
	c.effective.root == "no"
	count(c.capabilities_add) > 0
}
