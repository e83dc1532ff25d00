# METADATA
# scope: package
# title: Privilege escalation allowed
# description: |
#   A container does not say allowPrivilegeEscalation: false, so the no_new_privs flag of the kernel is not set. A process that
#   starts as an ordinary user may then become root through a set-uid program or a file capability of the image, and USER in the
#   image is worth little.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
#     description: Pod Security Standards
#   - ref: https://docs.kernel.org/userspace-api/no_new_privs.html
#     description: The no_new_privs flag
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-011
#   severity: medium
#   needs: [containers, os]
#   optional: [namespace.pod_security.enforce_minor]
#   params:
#     - name: pss_version
#       type: string
#       default: ""
#       description: Version of the Pod Security Standards, as "v1.34" or "latest"; empty is that of the namespace's enforce label
#   remediation: |
#     Set "allowPrivilegeEscalation: false" on every container, init containers too. A program that needs sudo or ping's set-uid
#     bit at run time needs another design.
#   references:
#     pss-restricted: [allowPrivilegeEscalation]
#     nist-800-190: ["4.4.3"]
#     nsa-cisa: [POD4]
#     cis-k8s: ["5.2.6"]
#     attack-containers: [T1548.001]
#     owasp-k8s: [K01]
#     cwe: ["269"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.privilege_escalation

import data.postscan.lib.pod_security

# The control came with version 1.8 of the standards.
applies if {
	pod_security.minor >= 8
	not pod_security.exempt_windows
}

deny contains {
	"message": sprintf("container %s may gain privileges (allowPrivilegeEscalation is %s)", [c.name, c.allow_privilege_escalation]),
	"path": concat("", [c.path, ".securityContext.allowPrivilegeEscalation"]),
	"value": c.allow_privilege_escalation,
	"key": c.name,
} if {
	some c in input.containers
	c.allow_privilege_escalation != "false"
}
