# METADATA
# scope: package
# title: May run as root
# description: |
#   Nothing in the pod spec keeps a container from running as root: runAsNonRoot is false somewhere, or set neither on the
#   container nor on the pod. The image decides then, and most images start as root. Root in the container is the kernel's root
#   unless the pod has a user namespace.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
#     description: Pod Security Standards
#   - ref: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
#     description: Configure a security context for a pod or container
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-012
#   severity: medium
#   needs: [containers, security_context, host_users, pod_path]
#   optional: [namespace.pod_security.enforce_minor]
#   params:
#     - name: pss_version
#       type: string
#       default: ""
#       description: Version of the Pod Security Standards, as "v1.34" or "latest"; empty is that of the namespace's enforce label
#   remediation: |
#     Set "runAsNonRoot: true" on the pod and remove overrides from containers; give the image a numeric USER, or set runAsUser.
#     A user namespace ("hostUsers: false") makes root in the pod an ordinary user of the node and satisfies version 1.35 and
#     later.
#   references:
#     pss-restricted: [runAsNonRoot]
#     nist-800-190: ["4.4.3"]
#     nsa-cisa: [POD1]
#     cis-k8s: ["5.2.7"]
#     attack-containers: [T1611]
#     owasp-k8s: [K01]
#     cwe: ["250"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.may_run_as_root

import data.postscan.lib.pod_security

# With a user namespace version 1.35 and later are content: a workload that has one passes.
deny contains {
	"message": "runAsNonRoot of the pod is false",
	"path": concat("", [input.pod_path, ".securityContext.runAsNonRoot"]),
	"value": "false",
	"key": "pod",
} if {
	not pod_security.relaxed
	input.security_context.run_as_non_root == "false"
}

deny contains {
	"message": sprintf("runAsNonRoot of container %s is false", [c.name]),
	"path": concat("", [c.path, ".securityContext.runAsNonRoot"]),
	"value": "false",
	"key": c.name,
} if {
	not pod_security.relaxed
	some c in input.containers
	c.security_context.run_as_non_root == "false"
}

deny contains {
	"message": sprintf("container %s may run as root: runAsNonRoot is set neither on it nor on the pod", [c.name]),
	"path": concat("", [c.path, ".securityContext.runAsNonRoot"]),
	"value": "unset",
	"key": c.name,
} if {
	not pod_security.relaxed
	input.security_context.run_as_non_root != "true"
	some c in input.containers
	c.security_context.run_as_non_root == "unset"
}
