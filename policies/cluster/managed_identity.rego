# METADATA
# scope: package
# title: Managed cluster lets in by legacy or local identity
# description: |
#   Ways in that the directory of the organisation does not know: EKS's ConfigMap aws-auth alone, an access entry that makes
#   many people administrators, local accounts of AKS, or GKE's legacy rights, passwords and client certificates. Such
#   credentials are hard to see and harder to take back. Only the cloud's API tells; without it a managed cluster is not
#   assessed, and one that you run yourself is not concerned.
# related_resources:
#   - ref: https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html
#     description: Access entries of EKS
#   - ref: https://learn.microsoft.com/azure/aks/manage-local-accounts-managed-azure-ad
#     description: Local accounts of AKS
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-035
#   severity: high
#   needs: [managed, cloud]
#   remediation: |
#     Use access entries of EKS with narrow principals; disable local accounts of AKS and use Entra ID with Azure or Kubernetes
#     RBAC; turn legacy ABAC, basic authentication and client certificates of GKE off.
#   references:
#     nsa-cisa: [AUTH1]
#     cis-eks: ["4.1.7", "5.5.1"]
#     cis-aks: ["5.5.1", "5.5.2"]
#     cis-gke: ["5.8.1", "5.8.3"]
#     attack-containers: [T1078.004]
#     owasp-k8s: [K09]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.managed_identity

applies if input.managed

deny contains {
	"message": "only the ConfigMap aws-auth says who is let in",
	"path": "cloud.authentication_mode",
	"value": "CONFIG_MAP",
	"key": "aws-auth",
} if {
	applies
	input.cloud.authentication_mode == "CONFIG_MAP"
}

deny contains {
	"message": sprintf("%s, which many share, administers the cluster", [principal]),
	"path": sprintf("cloud.broad_admins[%d]", [i]),
	"value": principal,
	"key": principal,
} if {
	applies
	some i, principal in input.cloud.broad_admins
}

deny contains {"message": message, "path": concat("", ["cloud.", switch]), "value": "true", "key": switch} if {
	applies
	some switch, message in {
		"local_accounts": "accounts beside the directory are let in",
		"legacy_abac": "legacy authorization gives rights beside RBAC",
		"basic_auth": "a password lets in",
		"client_certificate": "a client certificate was issued, which nobody can take back",
	}
	input.cloud[switch] == "true"
}

deny contains {
	"message": "identities of the directory have no roles in the cluster",
	"path": "cloud.directory_rbac",
	"value": "false",
	"key": "directory_rbac",
} if {
	applies
	input.cloud.directory_rbac == "false"
}
