# METADATA
# scope: package
# title: Uses the default service account
# description: |
#   The pod has the token of its namespace's default service account. Every pod that names no account shares it, so a right
#   that is given to one of them is given to all, and logs cannot tell them apart.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/service-accounts/
#     description: Service accounts
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-030
#   severity: low
#   needs: [identity.automount, identity.service_account, volumes, pod_path]
#   remediation: |
#     Make a service account for the workload and name it in serviceAccountName. Where it does not talk to the API set
#     "automountServiceAccountToken: false".
#   references:
#     nsa-cisa: [POD5]
#     cis-k8s: ["5.1.5"]
#     attack-containers: [T1078.001]
#     owasp-k8s: [K02]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.workload.default_service_account

import data.postscan.lib.tokens

deny contains {
	"message": "the token of the default service account is mounted",
	"path": concat("", [input.pod_path, ".serviceAccountName"]),
	"value": input.identity.service_account,
} if {
	input.identity.service_account == "default"
	tokens.mounted
}
