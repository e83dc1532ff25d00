# METADATA
# scope: package
# title: seccomp off
# description: |
#   No filter of system calls stands before the kernel: the container was started with seccomp=unconfined, or the engine
#   gives none by default, or has none. All of the kernel's 400 calls are open to what runs in it. Privileged containers
#   are told by PS-ENG-004. Where an engine of Kubernetes gives none to pods that say nothing, the kubelet's
#   seccompDefault may still do so.
# related_resources:
#   - ref: https://docs.docker.com/engine/security/seccomp/
#     description: Seccomp profiles of Docker
# schemas:
#   - input: schema["container"]
# custom:
#   id: PS-ENG-009
#   severities: [high, medium]
#   needs: [seccomp, privileged, sandboxed]
#   remediation: |
#     Remove --security-opt seccomp=unconfined and the engine's seccomp-profile. Where one call is missing, write a
#     profile that allows it. For pods set seccompDefault on the kubelet and seccompProfile in the pod.
#   references:
#     nist-800-190: ["4.4.3"]
#     nsa-cisa: [POD6]
#     cis-docker: ["5.22", "2.17"]
#     attack-containers: [T1611]
#     cwe: ["693"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.container.seccomp_off

deny contains {
	"message": "no seccomp profile filters its system calls",
	"path": "seccomp",
	"value": input.seccomp,
	"key": "seccomp",
	"severity": "high",
} if {
	input.seccomp == "Unconfined"
	not input.privileged
	not input.sandboxed
}
