# METADATA
# scope: package
# title: seccomp profile not set
# description: |
#   Neither the pod nor a container names a seccomp profile. Kubernetes then runs the container without a filter, unless the
#   kubelet was told otherwise with seccompDefault: every system call of the shared kernel is within reach. Where all nodes of
#   the workload have that default the finding is information only.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
#     description: Pod Security Standards
#   - ref: https://kubernetes.io/docs/reference/node/seccomp/
#     description: seccomp and Kubernetes
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-015
#   severities: [medium, info]
#   needs: [containers, security_context, os, pod_path]
#   optional: [namespace.pod_security.enforce_minor, nodes.seccomp_default]
#   params:
#     - name: pss_version
#       type: string
#       default: ""
#       description: Version of the Pod Security Standards, as "v1.34" or "latest"; empty is that of the namespace's enforce label
#   remediation: |
#     Set "seccompProfile: {type: RuntimeDefault}" in the pod's securityContext; it holds for every container that names none.
#     As a second line set seccompDefault on the kubelets.
#   references:
#     pss-restricted: [seccompProfile_restricted]
#     nist-800-190: ["4.4.3"]
#     nsa-cisa: [POD6]
#     cis-k8s: ["5.6.2"]
#     owasp-k8s: [K01]
#     cwe: ["693"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.seccomp_not_set

import data.postscan.lib.pod_security

# The control came with version 1.19 of the standards.
applies if {
	pod_security.minor >= 19
	not pod_security.exempt_windows
}

deny contains {
	"message": sprintf("container %s has no seccomp profile%s", [c.name, note(rated)]),
	"path": concat("", [c.path, ".securityContext.seccompProfile"]),
	"value": c.security_context.seccomp,
	"key": c.name,
	"severity": rated,
} if {
	not input.security_context.seccomp in {"RuntimeDefault", "Localhost"}
	some c in input.containers
	c.security_context.seccomp == "unset"
	rated := severity(c)
}

# A profile that filters nothing fails this control too; PS-K8S-014 says so in full.
deny contains {
	"message": "the seccomp profile of the pod filters nothing",
	"path": concat("", [input.pod_path, ".securityContext.seccompProfile.type"]),
	"value": input.security_context.seccomp,
	"key": "pod",
	"severity": "medium",
} if {
	not input.security_context.seccomp in {"unset", "RuntimeDefault", "Localhost"}
}

deny contains {
	"message": sprintf("the seccomp profile of container %s filters nothing", [c.name]),
	"path": concat("", [c.path, ".securityContext.seccompProfile.type"]),
	"value": c.security_context.seccomp,
	"key": c.name,
	"severity": "medium",
} if {
	some c in input.containers
	not c.security_context.seccomp in {"unset", "RuntimeDefault", "Localhost"}
}

# The kubelets put the runtime's profile in place. No runtime does that for a privileged container.
severity(c) := "info" if {
	input.nodes.seccomp_default == "true"
	not c.privileged
} else := "medium"

note("medium") := ""

note("info") := "; the kubelets of its nodes put RuntimeDefault in place"
