# METADATA
# scope: package
# title: Host IPC namespace
# description: |
#   The pod shares System V IPC and POSIX message queues with the node and with every other pod that does. It may read and
#   change the shared memory of their processes, which databases and GPU runtimes use.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
#     description: Pod Security Standards
#   - ref: https://kubernetes.io/docs/concepts/workloads/pods/
#     description: Pods and what their containers share
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-003
#   severity: medium
#   needs: [host_ipc, pod_path]
#   remediation: |
#     Remove "hostIPC: true". Containers of one pod share an IPC namespace already; a larger /dev/shm is an emptyDir with
#     "medium: Memory".
#   references:
#     pss-baseline: [hostNamespaces]
#     nist-800-190: ["4.4.3"]
#     cis-k8s: ["5.2.4"]
#     attack-containers: [T1611]
#     owasp-k8s: [K01]
#     cwe: ["668"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.host_ipc

deny contains {
	"message": "hostIPC is true",
	"path": concat("", [input.pod_path, ".hostIPC"]),
	"value": true,
} if input.host_ipc
