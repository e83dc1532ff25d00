# METADATA
# scope: package
# title: AppArmor override
# description: |
#   The pod or a container switches AppArmor off, or names a profile that Kubernetes does not know. The runtime's own profile,
#   which keeps a container from mounting file systems and from writing to /proc and /sys, is then not in its way.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
#     description: Pod Security Standards
#   - ref: https://kubernetes.io/docs/tutorials/security/apparmor/
#     description: Restrict a container with AppArmor
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-016
#   severity: high
#   needs: [containers, security_context, apparmor_annotations, pod_path]
#   remediation: |
#     Remove the override, so that the runtime's profile holds, or name a profile of your own with type Localhost.
#   references:
#     pss-baseline: [appArmorProfile]
#     nist-800-190: ["4.4.3"]
#     nsa-cisa: [POD6]
#     attack-containers: [T1611]
#     owasp-k8s: [K01]
#     cwe: ["693"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.apparmor_off

import data.postscan.lib.pod_security

deny contains {
	"message": sprintf("the AppArmor profile of the pod is %s", [pod_security.shown(input.security_context.apparmor)]),
	"path": concat("", [input.pod_path, ".securityContext.appArmorProfile.type"]),
	"value": input.security_context.apparmor,
	"key": "pod",
} if {
	not input.security_context.apparmor in {"unset", "RuntimeDefault", "Localhost"}
}

deny contains {
	"message": sprintf("the AppArmor profile of container %s is %s", [c.name, pod_security.shown(c.security_context.apparmor)]),
	"path": concat("", [c.path, ".securityContext.appArmorProfile.type"]),
	"value": c.security_context.apparmor,
	"key": c.name,
} if {
	some c in input.containers
	not c.security_context.apparmor in {"unset", "RuntimeDefault", "Localhost"}
}

# The annotation counts even for a container that does not exist.
deny contains {
	"message": sprintf("the AppArmor annotation of container %s is %q", [note.container, note.value]),
	"path": note.path,
	"value": note.value,
	"key": sprintf("annotation %s", [note.container]),
} if {
	some note in input.apparmor_annotations
	not note.value in {"", "runtime/default"}
	not startswith(note.value, "localhost/")
}
