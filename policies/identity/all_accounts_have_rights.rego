# METADATA
# scope: package
# title: Rights for all service accounts
# description: |
#   A binding gives all service accounts, of the cluster or of a namespace, a right that leads to the cluster, to a node or to
#   Secrets. One weak pod is then enough. What Kubernetes and the components of a cluster install for themselves, known by name
#   and content, is told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/service-accounts/
#     description: Service accounts
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
#     description: Using RBAC authorization
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-025
#   severities: [high, info]
#   needs: [type, name, rights, grants, cluster.minor]
#   remediation: |
#     Bind the service accounts that need it one by one, and delete this binding.
#   references:
#     nsa-cisa: [AUTH2]
#     attack-containers: [T1078]
#     owasp-k8s: [K02]
#     cwe: ["276"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.all_accounts_have_rights

import data.postscan.lib.primitives
import data.postscan.lib.rights
import data.postscan.lib.wildcards

applies if {
	input.type == "Group"
	input.name == "system:serviceaccounts"
}

applies if {
	input.type == "Group"
	startswith(input.name, "system:serviceaccounts:")
}

deny contains rights.finding(input.grants, i, of, mend) if {
	applies
	count(found) > 0
	some i, of in rights.own(found)
}

mend := "bind the service accounts that need it one by one"

found contains object.union(h, {"severity": "high", "what": concat("", ["every service account ", h.what])}) if {
	of_all := primitives.takeovers(rights.held, input.grants, wildcards.found, input.cluster.minor)
	some h in (of_all | primitives.secrets_in_namespace(rights.held))
}
