# METADATA
# scope: package
# title: Managed nodes boot without verification
# description: |
#   Nodes of a pool start whatever kernel stands on the disk. Who was root once stays, below everything that looks for it.
#   Secure boot, integrity monitoring and a virtual TPM are switches of the node pool; for EKS they are a matter of the machine
#   image and are told as information. Only the cloud's API tells; without it a managed cluster is not assessed, and one that
#   you run yourself is not concerned.
# related_resources:
#   - ref: https://cloud.google.com/kubernetes-engine/docs/how-to/shielded-gke-nodes
#     description: Shielded nodes of GKE
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-036
#   severities: [medium, info]
#   needs: [managed, distribution, cloud.pools]
#   remediation: |
#     Turn on shielded nodes with secure boot and integrity monitoring (GKE), or secure boot and vTPM of the pool (AKS); use an
#     image that supports secure boot (EKS).
#   references:
#     nist-800-190: ["4.6"]
#     cis-gke: ["5.5.5", "5.5.6", "5.5.7"]
#     attack-containers: [T1542.003]
#     owasp-k8s: [K07]
#     isolation: [W2]
#   since: "0.1.0"
package postscan.cluster.managed_boot

applies if input.managed

deny contains {
	"message": sprintf("nodes of pool %s have no %s", [pool.name, what]),
	"path": sprintf("cloud.pools[%d].%s", [i, switch]),
	"value": "false",
	"key": concat("/", [pool.name, switch]),
	"severity": severity,
} if {
	applies
	some i, pool in input.cloud.pools
	some switch, what in {"secure_boot": "secure boot", "integrity": "integrity monitoring", "tpm": "TPM"}
	pool[switch] == "false"
}

default severity := "medium"

severity := "info" if input.distribution == "eks"
