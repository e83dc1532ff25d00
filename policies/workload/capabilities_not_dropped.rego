# METADATA
# scope: package
# title: Capabilities not dropped
# description: |
#   A container does not drop ALL capabilities, or adds one other than NET_BIND_SERVICE. It then keeps what the runtime gives by
#   default: ten or so rights of root that nearly no service uses, among them to change file owners, to set user ids and, with
#   containerd and Docker, to forge packets.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
#     description: Pod Security Standards
#   - ref: https://man7.org/linux/man-pages/man7/capabilities.7.html
#     description: Linux capabilities
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-008
#   severity: medium
#   needs: [containers, os]
#   optional: [namespace.pod_security.enforce_minor]
#   params:
#     - name: pss_version
#       type: string
#       default: ""
#       description: Version of the Pod Security Standards, as "v1.34" or "latest"; empty is that of the namespace's enforce label
#   remediation: |
#     Set "capabilities: {drop: [ALL]}" on every container, init containers too. Add NET_BIND_SERVICE back only where the
#     program listens below port 1024 and cannot be moved.
#   references:
#     pss-restricted: [capabilities_restricted]
#     nist-800-190: ["4.4.3"]
#     nsa-cisa: [POD6]
#     cis-k8s: ["5.2.9"]
#     owasp-k8s: [K01]
#     cwe: ["250"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.capabilities_not_dropped

import data.postscan.lib.pod_security

# The control came with version 1.22 of the standards.
applies if {
	pod_security.minor >= 22
	not pod_security.exempt_windows
}

deny contains {
	"message": sprintf("container %s does not drop ALL capabilities", [c.name]),
	"path": concat("", [c.path, ".securityContext.capabilities.drop"]),
	"value": c.capabilities_drop,
	"key": c.name,
} if {
	some c in input.containers
	not "ALL" in c.capabilities_drop
}

deny contains {
	"message": sprintf("container %s adds the capability %s", [c.name, name]),
	"path": concat("", [c.path, ".securityContext.capabilities.add"]),
	"value": name,
	"key": concat(" ", [c.name, name]),
} if {
	some c in input.containers
	some name in c.capabilities_add
	name != "NET_BIND_SERVICE"
}
