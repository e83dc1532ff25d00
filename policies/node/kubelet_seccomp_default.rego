# METADATA
# scope: package
# title: Pods run without seccomp unless they ask for it
# description: |
#   seccompDefault is off, so every pod that says nothing of seccomp may make every system call, and has that much more of the
#   kernel to attack. The configuration is read from the kubelet through the API with --kubelet-config, or from the node's own
#   files; without either it is not assessed.
# related_resources:
#   - ref: https://kubernetes.io/docs/tutorials/security/seccomp/
#     description: Restrict a container's syscalls with seccomp
# schemas:
#   - input: schema["node"]
# custom:
#   id: PS-CP-024
#   severity: low
#   needs: [kubelet.seccomp_default, os]
#   remediation: |
#     Set seccompDefault: true in the kubelet's configuration.
#   references:
#     nist-800-190: ["4.4.3"]
#     nsa-cisa: [POD6]
#     cis-k8s: ["4.2.14"]
#     attack-containers: [T1611]
#     owasp-k8s: [K01]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.node.kubelet_seccomp_default

applies if input.os != "windows"

deny contains {
	"message": "pods that do not ask for seccomp run without it",
	"path": "kubelet.seccomp_default",
	"value": false,
	"key": "seccomp",
} if {
	applies
	not input.kubelet.seccomp_default
}
