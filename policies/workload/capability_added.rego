# METADATA
# scope: package
# title: Capability added beyond the baseline set
# description: |
#   A container adds a capability that the baseline level does not allow. Each one is a right of root over the kernel that the
#   node's other pods share. NET_RAW lets it forge packets, SYS_ADMIN is most of root, ALL is all of it. Names are compared as
#   Kubernetes does: in upper case and without CAP_.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
#     description: Pod Security Standards
#   - ref: https://man7.org/linux/man-pages/man7/capabilities.7.html
#     description: Linux capabilities
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-007
#   severity: high
#   needs: [containers]
#   remediation: |
#     Remove the capability from capabilities.add. Most programs that ask for one want a port below 1024 (NET_BIND_SERVICE,
#     which is allowed, or a higher port) or a set-up step that an init container or the platform can do.
#   references:
#     pss-baseline: [capabilities_baseline]
#     nist-800-190: ["4.4.3"]
#     attack-containers: [T1611]
#     owasp-k8s: [K01]
#     cwe: ["250"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.capability_added

import data.postscan.lib.pod_security_controls

deny contains {
	"message": sprintf("container %s adds the capability %s", [c.name, name]),
	"path": concat("", [c.path, ".securityContext.capabilities.add"]),
	"value": name,
	"key": concat(" ", [c.name, name]),
} if {
	some c in input.containers
	some name in c.capabilities_add
	not name in pod_security_controls.capabilities
}
