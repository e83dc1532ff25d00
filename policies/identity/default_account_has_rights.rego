# METADATA
# scope: package
# title: Default service account has rights
# description: |
#   A binding names the service account "default" of a namespace. Every pod that names no account runs with it, so each of them
#   has the right, also those that nobody thought of. What Kubernetes and the components of a cluster install for themselves,
#   known by name and content, is told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/service-accounts/
#     description: Service accounts
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-022
#   severities: [high, info]
#   needs: [type, default, grants]
#   remediation: |
#     Make a service account for the workload that needs the right, bind that one, and delete this binding.
#   references:
#     nsa-cisa: [POD5]
#     cis-k8s: ["5.1.5"]
#     attack-containers: [T1078.001]
#     owasp-k8s: [K02]
#     cwe: ["276"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.default_account_has_rights

import data.postscan.lib.rights

applies if {
	input.type == "ServiceAccount"
	input.default
}

deny contains rights.granted(grant, i, "high", "the default service account has rights", mend) if {
	applies
	some i, grant in input.grants
	grant.via == ""
}

mend := "bind a service account of the workload that needs it, and delete this binding"
