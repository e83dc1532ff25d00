# METADATA
# scope: package
# title: SELinux custom options
# description: |
#   The pod or a container sets an SELinux user or role, or a type other than those made for containers. Such a process may
#   leave the domain in which SELinux keeps containers; with spc_t it is not confined at all.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
#     description: Pod Security Standards
#   - ref: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
#     description: Configure a security context for a pod or container
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-017
#   severities: [medium, high]
#   needs: [containers, security_context, pod_path]
#   optional: [namespace.pod_security.enforce_minor]
#   params:
#     - name: pss_version
#       type: string
#       default: ""
#       description: Version of the Pod Security Standards, as "v1.34" or "latest"; empty is that of the namespace's enforce label
#   remediation: |
#     Remove seLinuxOptions, or keep to the container types and set the level alone. A policy for one application is better
#     written as a type that builds on container_t, with a tool such as udica.
#   references:
#     pss-baseline: [seLinuxOptions]
#     nist-800-190: ["4.4.3"]
#     nsa-cisa: [POD6]
#     attack-containers: [T1611]
#     owasp-k8s: [K01]
#     cwe: ["693"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.selinux_options

import data.postscan.lib.pod_security
import data.postscan.lib.pod_security_controls

deny contains {
	"message": sprintf("%s has the SELinux type %s", [place.what, place.context.selinux.type]),
	"path": concat("", [place.path, ".securityContext.seLinuxOptions.type"]),
	"value": place.context.selinux.type,
	"key": concat(" ", [place.key, "type"]),
	"severity": severity(place.context.selinux.type),
} if {
	some place in pod_security.places
	not place.context.selinux.type in pod_security_controls.selinux_types
}

deny contains {
	"message": sprintf("%s sets the SELinux %s %s", [place.what, field, value]),
	"path": concat("", [place.path, ".securityContext.seLinuxOptions.", field]),
	"value": value,
	"key": concat(" ", [place.key, field]),
	"severity": "medium",
} if {
	some place in pod_security.places
	some field in ["user", "role"]
	value := place.context.selinux[field]
	value != ""
}

severity("spc_t") := "high"

severity(type) := "medium" if type != "spc_t"
