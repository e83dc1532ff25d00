# METADATA
# scope: package
# title: Windows HostProcess
# description: |
#   A HostProcess container runs on the Windows node itself, not in a container: it has the node's file system, network and, as
#   LocalSystem, all rights.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
#     description: Pod Security Standards
#   - ref: https://kubernetes.io/docs/tasks/configure-pod-container/create-hostprocess-pod/
#     description: HostProcess pods
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-021
#   severity: critical
#   needs: [containers, security_context, pod_path]
#   remediation: |
#     Remove windowsOptions.hostProcess. What must manage Windows nodes belongs to the platform's own namespace, where nobody
#     else may create pods.
#   references:
#     pss-baseline: [windowsHostProcess]
#     nist-800-190: ["4.4.3"]
#     cis-k8s: ["5.2.10"]
#     attack-containers: [T1611]
#     owasp-k8s: [K01]
#     cwe: ["250"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.windows_host_process

import data.postscan.lib.pod_security

deny contains {
	"message": sprintf("%s is a HostProcess", [place.what]),
	"path": concat("", [place.path, ".securityContext.windowsOptions.hostProcess"]),
	"value": "true",
	"key": place.key,
} if {
	some place in pod_security.places
	place.context.host_process == "true"
}
