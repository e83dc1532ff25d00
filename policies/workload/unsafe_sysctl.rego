# METADATA
# scope: package
# title: Unsafe sysctl
# description: |
#   The pod sets a kernel setting that is not known to stay within it. Such a setting may change the node for every pod on it,
#   or use up what they share. A value with a plus or equals sign is worse, whatever the name: with it an old CRI-O could be
#   made to run a program on the node (CVE-2022-0811).
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
#     description: Pod Security Standards
#   - ref: https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/
#     description: Using sysctls in a Kubernetes cluster
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-019
#   severities: [medium, high]
#   needs: [sysctls]
#   optional: [namespace.pod_security.enforce_minor]
#   params:
#     - name: pss_version
#       type: string
#       default: ""
#       description: Version of the Pod Security Standards, as "v1.34" or "latest"; empty is that of the namespace's enforce label
#   remediation: |
#     Remove the setting. Where an application really needs it, allow it on kubelets of nodes that run nothing else, and taint
#     them.
#   references:
#     pss-baseline: [sysctls]
#     nist-800-190: ["4.4.3"]
#     owasp-k8s: [K01]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.unsafe_sysctl

import data.postscan.lib.pod_security_controls

deny contains {
	"message": sprintf("the sysctl %s is not known to be safe", [s.name]),
	"path": concat("", [s.path, ".name"]),
	"value": s.name,
	"key": concat(" ", ["sysctl", s.name]),
	"severity": severity(s.value),
} if {
	some s in input.sysctls
	not pod_security_controls.safe_sysctl(s.name)
}

# The name may well be a safe one: what follows the sign is what is set.
deny contains {
	"message": sprintf("the value of the sysctl %s sets another one: it holds + or =", [s.name]),
	"path": concat("", [s.path, ".value"]),
	"value": s.value,
	"key": concat(" ", ["sysctl value", s.name]),
	"severity": "high",
} if {
	some s in input.sysctls
	pod_security_controls.safe_sysctl(s.name)
	smuggles(s.value)
}

severity(value) := "high" if {
	smuggles(value)
} else := "medium"

smuggles(value) if regex.match(`[+=]`, value)
