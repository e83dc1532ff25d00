# METADATA
# scope: package
# title: No limit of processes per pod
# description: |
#   A pod may start as many processes as the node has room for. One that starts itself again and again takes the whole node,
#   with everybody else on it. A limit that the container runtime or the system sets is not seen here. The configuration is
#   read from the kubelet through the API with --kubelet-config, or from the node's own files; without either it is not
#   assessed.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/policy/pid-limiting/
#     description: Process ID limits and reservations
# schemas:
#   - input: schema["node"]
# custom:
#   id: PS-CP-025
#   severity: low
#   needs: [kubelet.pod_pids_limit, os]
#   remediation: |
#     Set podPidsLimit in the kubelet's configuration, to 4096 for example.
#   references:
#     nsa-cisa: [NET3]
#     cis-k8s: ["4.2.13"]
#     attack-containers: [T1499]
#     cwe: ["770"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.node.kubelet_pids

applies if input.os != "windows"

deny contains {
	"message": "a pod may start any number of processes",
	"path": "kubelet.pod_pids_limit",
	"value": input.kubelet.pod_pids_limit,
	"key": "pids",
} if {
	applies
	input.kubelet.pod_pids_limit <= 0
}
