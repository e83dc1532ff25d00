# METADATA
# scope: package
# title: /proc mask removed in the restricted level
# description: |
#   A container asks for /proc without the runtime's masks. The restricted level refuses that from version 1.35 on, in a user
#   namespace too, where the baseline level (PS-K8S-018) is content: the masks also hide what the kernel tells about the node.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
#     description: Pod Security Standards
#   - ref: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/#proc-access
#     description: The proc mount of a container
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-047
#   severities: [high, medium]
#   needs: [containers, host_users]
#   optional: [namespace.pod_security.enforce_minor]
#   params:
#     - name: pss_version
#       type: string
#       default: ""
#       description: Version of the Pod Security Standards, as "v1.34" or "latest"; empty is that of the namespace's enforce label
#   remediation: |
#     Remove procMount, or set it to Default. Only a program that builds or runs containers inside the pod needs more; give it
#     "hostUsers: false" and a namespace of its own.
#   references:
#     pss-restricted: [procMount_restricted]
#     nist-800-190: ["4.4.3"]
#     attack-containers: [T1611]
#     owasp-k8s: [K01]
#     cwe: ["668"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.proc_mount_restricted

import data.postscan.lib.pod_security

# The control came with version 1.35 of the standards.
applies if pod_security.minor >= 35

deny contains {
	"message": sprintf("the proc mount of container %s is %s", [c.name, pod_security.shown(c.proc_mount)]),
	"path": concat("", [c.path, ".securityContext.procMount"]),
	"value": c.proc_mount,
	"key": c.name,
	"severity": severity,
} if {
	some c in input.containers
	not c.proc_mount in {"unset", "Default"}
}

default severity := "high"

severity := "medium" if pod_security.user_namespace
