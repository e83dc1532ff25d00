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

deny contains {
	"message": "the pod is a HostProcess",
	"path": concat("", [input.pod_path, ".securityContext.windowsOptions.hostProcess"]),
	"value": "true",
	"key": "pod",
} if {
	input.security_context.host_process == "true"
}

deny contains {
	"message": sprintf("container %s is a HostProcess", [c.name]),
	"path": concat("", [c.path, ".securityContext.windowsOptions.hostProcess"]),
	"value": "true",
	"key": c.name,
} if {
	some c in input.containers
	c.security_context.host_process == "true"
}
