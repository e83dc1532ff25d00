# METADATA
# scope: package
# title: Runs as user 0
# description: |
#   The pod or a container asks for user 0 by name of its number. That overrides the USER of the image: the process is root,
#   whatever the image says. A 0 on the pod counts even where each container sets another user, for the next container that is
#   added inherits it.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
#     description: Pod Security Standards
#   - ref: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
#     description: Configure a security context for a pod or container
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-013
#   severity: medium
#   needs: [containers, security_context, host_users, pod_path]
#   optional: [namespace.pod_security.enforce_minor]
#   params:
#     - name: pss_version
#       type: string
#       default: ""
#       description: Version of the Pod Security Standards, as "v1.34" or "latest"; empty is that of the namespace's enforce label
#   remediation: |
#     Set runAsUser to a number above 0 (10000 or more keeps clear of the node's own accounts), or remove it and let the image's
#     numeric USER stand. A user namespace ("hostUsers: false") satisfies version 1.35 and later.
#   references:
#     pss-restricted: [runAsUser]
#     nist-800-190: ["4.4.3"]
#     nsa-cisa: [POD1]
#     owasp-k8s: [K01]
#     cwe: ["250"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.runs_as_uid_zero

import data.postscan.lib.pod_security

# The control came with version 1.23.
applies if pod_security.minor >= 23

# With a user namespace version 1.35 and later are content: a workload that has one passes.
deny contains {
	"message": "the pod asks for user 0",
	"path": concat("", [input.pod_path, ".securityContext.runAsUser"]),
	"value": 0,
	"key": "pod",
} if {
	not pod_security.relaxed
	input.security_context.run_as_user == 0
}

deny contains {
	"message": sprintf("container %s asks for user 0", [c.name]),
	"path": concat("", [c.path, ".securityContext.runAsUser"]),
	"value": 0,
	"key": c.name,
} if {
	not pod_security.relaxed
	some c in input.containers
	c.security_context.run_as_user == 0
}
