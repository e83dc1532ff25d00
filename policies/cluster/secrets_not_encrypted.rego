# METADATA
# scope: package
# title: Secrets are not encrypted at rest
# description: |
#   Secrets stand in etcd as they are. A copy of its disk, a backup or a read of its port gives all of them. AES-CBC and
#   AES-GCM with keys in a file on the same machine, and the first version of the KMS interface, are weak and reported as low;
#   secretbox and KMS version 2 pass. The flag of the API server, OpenShift's APIServer object or the flags of k3s tell whether
#   it is on; which provider comes first stands in a file on the control-plane node. On managed control planes the cloud's API
#   tells, and the check is not assessed.
# related_resources:
#   - ref: https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/
#     description: Encrypting confidential data at rest
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-011
#   severities: [medium, low]
#   needs: [encryption]
#   remediation: |
#     Write an EncryptionConfiguration whose first provider for secrets is KMS version 2 (or secretbox), set
#     --encryption-provider-config, and write every Secret again.
#   references:
#     nsa-cisa: [NET7, NET4]
#     cis-k8s: ["1.2.27", "1.2.28"]
#     cis-eks: ["5.3.1"]
#     cis-gke: ["5.3.1"]
#     cis-aks: ["5.3.1"]
#     cis-openshift: ["1.2.29"]
#     aws-fsbp: [EKS.3]
#     attack-containers: [T1552]
#     owasp-k8s: [K03]
#     cwe: ["311"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.secrets_not_encrypted

deny contains {
	"message": "Secrets are stored without encryption",
	"path": input.encryption.path,
	"value": "off",
	"key": "encryption",
	"severity": "medium",
} if {
	not input.encryption.configured
}

deny contains {
	"message": sprintf("new Secrets are written by the provider %s", [input.encryption.provider]),
	"path": input.encryption.path,
	"value": input.encryption.provider,
	"key": "provider",
	"severity": weak[input.encryption.provider],
} if {
	input.encryption.configured
}

weak := {"identity": "medium", "aescbc": "low", "aesgcm": "low", "kms-v1": "low"}
