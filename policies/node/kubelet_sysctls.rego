# METADATA
# scope: package
# title: Unsafe sysctls are allowed on a shared node
# description: |
#   The kubelet lets pods set kernel parameters that reach beyond the pod. On a node that keeps others away by a taint of its
#   own that is a choice; on one that everybody uses, pods tune the kernel of their neighbours. The configuration is read from
#   the kubelet through the API with --kubelet-config, or from the node's own files; without either it is not assessed.
# related_resources:
#   - ref: https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/
#     description: Using sysctls in a cluster
# schemas:
#   - input: schema["node"]
# custom:
#   id: PS-CP-026
#   severity: medium
#   needs: [kubelet.allowed_unsafe_sysctls, own_taint]
#   remediation: |
#     Allow these sysctls on a pool of nodes with a taint alone, and let only the workloads that need them tolerate it.
#   references:
#     nist-800-190: ["4.4.3"]
#     owasp-k8s: [K07]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.node.kubelet_sysctls

deny contains {
	"message": sprintf("any pod may set %s", [concat(", ", input.kubelet.allowed_unsafe_sysctls)]),
	"path": "kubelet.allowed_unsafe_sysctls",
	"value": input.kubelet.allowed_unsafe_sysctls,
	"key": "sysctls",
} if {
	count(input.kubelet.allowed_unsafe_sysctls) > 0
	not input.own_taint
}
