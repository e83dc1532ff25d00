# METADATA
# scope: package
# title: Pods can use the node's cloud identity
# description: |
#   The metadata service of a cloud gives whoever asks from the node a credential of the node's own role, service account or
#   managed identity. Where nothing keeps pods from it, one pod has the rights of the node in the cloud. GKE labels nodes whose
#   metadata server guards it, so its absence is a finding. What the role may do, and the hop limit of EKS or the add-on of
#   AKS, only the cloud's API tells: there the check is not assessed.
# related_resources:
#   - ref: https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity
#     description: Workload Identity of GKE
#   - ref: https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html
#     description: Identity in EKS
# schemas:
#   - input: schema["node"]
# custom:
#   id: PS-CP-032
#   severity: high
#   needs: [provider, pod_per_machine, metadata_guard]
#   remediation: |
#     Turn workload identity on (GKE_METADATA, IRSA or EKS Pod Identity with a hop limit of 1, Entra Workload ID), and give
#     nodes an identity that may pull images and write logs only.
#   references:
#     nsa-cisa: [NET8]
#     cis-eks: ["5.2.1"]
#     cis-gke: ["5.2.1", "5.2.2", "5.4.1"]
#     cis-aks: ["5.2.1"]
#     attack-containers: [T1552.005, T1078.004]
#     owasp-k8s: [K08]
#     cwe: ["250"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.node.node_cloud_identity

applies if {
	input.provider in {"aws", "gce", "azure"}
	not input.pod_per_machine
}

deny contains {
	"message": "pods on the node get credentials of its own identity in the cloud",
	"path": "metadata_guard",
	"value": input.provider,
	"key": "identity",
} if {
	applies
	input.metadata_guard == "false"
}
