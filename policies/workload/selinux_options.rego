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

import data.postscan.lib.pod_security_controls

deny contains {
	"message": sprintf("the pod has the SELinux type %s", [input.security_context.selinux.type]),
	"path": concat("", [input.pod_path, ".securityContext.seLinuxOptions.type"]),
	"value": input.security_context.selinux.type,
	"key": "pod type",
	"severity": severity(input.security_context.selinux.type),
} if {
	not input.security_context.selinux.type in pod_security_controls.selinux_types
}

deny contains {
	"message": sprintf("container %s has the SELinux type %s", [c.name, c.security_context.selinux.type]),
	"path": concat("", [c.path, ".securityContext.seLinuxOptions.type"]),
	"value": c.security_context.selinux.type,
	"key": concat(" ", [c.name, "type"]),
	"severity": severity(c.security_context.selinux.type),
} if {
	some c in input.containers
	not c.security_context.selinux.type in pod_security_controls.selinux_types
}

deny contains {
	"message": sprintf("the pod sets the SELinux %s %s", [field, value]),
	"path": concat("", [input.pod_path, ".securityContext.seLinuxOptions.", field]),
	"value": value,
	"key": concat(" ", ["pod", field]),
	"severity": "medium",
} if {
	some field in ["user", "role"]
	value := input.security_context.selinux[field]
	value != ""
}

deny contains {
	"message": sprintf("container %s sets the SELinux %s %s", [c.name, field, value]),
	"path": concat("", [c.path, ".securityContext.seLinuxOptions.", field]),
	"value": value,
	"key": concat(" ", [c.name, field]),
	"severity": "medium",
} if {
	some c in input.containers
	some field in ["user", "role"]
	value := c.security_context.selinux[field]
	value != ""
}

severity("spc_t") := "high"

severity(type) := "medium" if type != "spc_t"
