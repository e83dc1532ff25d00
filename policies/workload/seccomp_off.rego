# METADATA
# scope: package
# title: seccomp switched off
# description: |
#   The pod or a container asks for a seccomp profile that filters nothing. Every system call of the shared kernel is then
#   within reach, among them the old and rarely used ones in which most escapes of the last years begin.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
#     description: Pod Security Standards
#   - ref: https://kubernetes.io/docs/reference/node/seccomp/
#     description: seccomp and Kubernetes
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-014
#   severity: high
#   needs: [containers, security_context, seccomp_annotations, pod_path]
#   optional: [namespace.pod_security.enforce_minor]
#   params:
#     - name: pss_version
#       type: string
#       default: ""
#       description: Version of the Pod Security Standards, as "v1.34" or "latest"; empty is that of the namespace's enforce label
#   remediation: |
#     Use "seccompProfile: {type: RuntimeDefault}" on the pod and remove Unconfined. A program that needs a call which the
#     default refuses gets a profile of its own, type Localhost, that adds that call alone.
#   references:
#     pss-baseline: [seccompProfile_baseline]
#     nist-800-190: ["4.4.3"]
#     nsa-cisa: [POD6]
#     cis-k8s: ["5.6.2"]
#     attack-containers: [T1611]
#     owasp-k8s: [K01]
#     cwe: ["693"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.seccomp_off

import data.postscan.lib.pod_security

# From version 1.19 the field counts.
deny contains {
	"message": sprintf("the seccomp profile of the pod is %s", [pod_security.shown(input.security_context.seccomp)]),
	"path": concat("", [input.pod_path, ".securityContext.seccompProfile.type"]),
	"value": input.security_context.seccomp,
	"key": "pod",
} if {
	pod_security.minor >= 19
	not input.security_context.seccomp in {"unset", "RuntimeDefault", "Localhost"}
}

deny contains {
	"message": sprintf("the seccomp profile of container %s is %s", [c.name, pod_security.shown(c.security_context.seccomp)]),
	"path": concat("", [c.path, ".securityContext.seccompProfile.type"]),
	"value": c.security_context.seccomp,
	"key": c.name,
} if {
	pod_security.minor >= 19
	some c in input.containers
	not c.security_context.seccomp in {"unset", "RuntimeDefault", "Localhost"}
}

# Before, two annotations did.
deny contains {
	"message": sprintf("the seccomp annotation of %s is %q", [name(note), note.value]),
	"path": note.path,
	"value": note.value,
	"key": name(note),
} if {
	pod_security.minor < 19
	some note in input.seccomp_annotations
	note.exists
	not note.value in {"runtime/default", "docker/default"}
	not startswith(note.value, "localhost/")
}

name(note) := "pod" if note.container == ""

name(note) := note.container if note.container != ""
