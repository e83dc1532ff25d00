# METADATA
# scope: package
# title: Control plane and workloads share a node, or a node is public
# description: |
#   A control-plane node without a NoSchedule taint takes any pod, which then runs beside etcd and the keys of the cluster. On
#   a single node and in k3s and its like that is how they are meant, and is told as information. A worker node with a public
#   address is reached from anywhere.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
#     description: Taints and tolerations
# schemas:
#   - input: schema["node"]
# custom:
#   id: PS-CP-033
#   severities: [medium, info]
#   needs: [control_plane, tainted, single, public, cluster.distribution]
#   remediation: |
#     Taint control-plane nodes with node-role.kubernetes.io/control-plane:NoSchedule. Give worker nodes private addresses and
#     let them out by NAT.
#   references:
#     nist-800-190: ["4.3.5"]
#     nsa-cisa: [NET5]
#     cis-eks: ["5.4.3"]
#     cis-gke: ["5.6.5"]
#     cis-aks: ["5.4.3"]
#     attack-containers: [T1133]
#     owasp-k8s: [K06]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.node.shared_or_public

deny contains {
	"message": "pods may be placed on this control-plane node",
	"path": "tainted",
	"value": false,
	"key": "taint",
	"severity": severity,
} if {
	input.control_plane
	not input.tainted
}

deny contains {
	"message": "the node has a public address",
	"path": "public",
	"value": true,
	"key": "address",
	"severity": "medium",
} if {
	input.public
	not input.control_plane
}

default severity := "medium"

severity := "info" if meant_so

meant_so if input.single

meant_so if input.cluster.distribution in {"k3s", "rke2", "k0s", "microk8s", "minikube", "kind"}
