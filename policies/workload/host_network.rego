# METADATA
# scope: package
# title: Host network namespace
# description: |
#   The pod has the network of its node: no network policy reaches it, it talks to services that listen on the node's loopback,
#   to the cloud's metadata service as the node, and with NET_RAW it reads the node's traffic.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
#     description: Pod Security Standards
#   - ref: https://kubernetes.io/docs/concepts/workloads/pods/
#     description: Pods and what their containers share
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-004
#   severity: high
#   needs: [host_network, pod_path]
#   remediation: |
#     Remove "hostNetwork: true" and publish ports with a Service. What must see the node's network (a CNI agent, a node
#     exporter) belongs to the platform's own namespace.
#   references:
#     pss-baseline: [hostNamespaces]
#     nist-800-190: ["4.4.2", "4.4.3"]
#     cis-k8s: ["5.2.5"]
#     attack-containers: [T1552.005, T1040]
#     owasp-k8s: [K05]
#     cwe: ["668"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.host_network

deny contains {
	"message": "hostNetwork is true",
	"path": concat("", [input.pod_path, ".hostNetwork"]),
	"value": true,
} if input.host_network
