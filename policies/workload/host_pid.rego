# METADATA
# scope: package
# title: Host PID namespace
# description: |
#   The pod shares the process table of its node. It sees every process with its arguments and environment, of other pods too,
#   and as root it may enter their namespaces, trace them, or read their files through /proc: a step from the container to the
#   node.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
#     description: Pod Security Standards
#   - ref: https://kubernetes.io/docs/concepts/workloads/pods/
#     description: Pods and what their containers share
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-002
#   severity: high
#   needs: [host_pid, pod_path]
#   remediation: |
#     Remove "hostPID: true". A debugger that needs it is an ephemeral container in a pod of its own, for as long as the session
#     lasts; an agent that reads metrics gets them from the kubelet.
#   references:
#     pss-baseline: [hostNamespaces]
#     nist-800-190: ["4.4.3"]
#     cis-k8s: ["5.2.3"]
#     attack-containers: [T1611]
#     owasp-k8s: [K01]
#     cwe: ["668"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.host_pid

deny contains {
	"message": "hostPID is true",
	"path": concat("", [input.pod_path, ".hostPID"]),
	"value": true,
} if input.host_pid
