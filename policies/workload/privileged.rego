# METADATA
# scope: package
# title: Privileged container
# description: |
#   A privileged container has every capability, every device of the node, and neither seccomp nor AppArmor nor SELinux in its
#   way. What breaks out of its program is root on the node in one step: it mounts the node's disk or loads a kernel module.
#   Nothing of the isolation of a container is left.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
#     description: Pod Security Standards
#   - ref: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
#     description: Configure a security context for a pod or container
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-001
#   severity: critical
#   needs: [containers, security_context]
#   remediation: |
#     Remove "privileged: true". Find the one thing that it was set for and grant that alone: a single capability, a device
#     plugin for a device, or a CSI driver for a mount. What really has to manage the node belongs into a DaemonSet of its own,
#     in a namespace that only the platform may deploy to.
#   references:
#     pss-baseline: [privileged]
#     nist-800-190: ["4.4.3"]
#     nsa-cisa: [POD4]
#     cis-k8s: ["5.2.2"]
#     attack-containers: [T1611]
#     owasp-k8s: [K01]
#     cwe: ["250"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.privileged

deny contains {
	"message": sprintf("container %s is privileged%s", [c.name, voided(c)]),
	"path": concat("", [c.path, ".securityContext.privileged"]),
	"value": true,
	"key": c.name,
} if {
	some c in input.containers
	c.privileged
}

# A profile that the manifest names is not put in place: runtimes leave a privileged container without a filter.
voided(c) := sprintf(", so the seccomp profile %s that is named has no effect on it", [profile(c)]) if {
	profile(c) in {"RuntimeDefault", "Localhost"}
} else := ""

profile(c) := input.security_context.seccomp if {
	c.security_context.seccomp == "unset"
} else := c.security_context.seccomp
