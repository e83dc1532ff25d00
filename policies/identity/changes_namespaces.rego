# METADATA
# scope: package
# title: Change namespaces
# description: |
#   The identity can rewrite the labels of namespaces: those by which Pod Security enforces a level, and those by which network
#   and admission policies select. Rights on namespaces that are named in resourceNames pass. What Kubernetes and the components
#   of a cluster install for themselves, known by name and content, is told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
#     description: Using RBAC authorization
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-021
#   severities: [high, info]
#   needs: [rights, grants]
#   remediation: |
#     Name the namespaces in resourceNames, or guard the labels by an admission policy.
#   references:
#     nsa-cisa: [NET1]
#     owasp-k8s: [K04, K02]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.changes_namespaces

import data.postscan.lib.primitives
import data.postscan.lib.rights

deny contains rights.finding(input.grants, i, of, mend) if {
	asked
	some i, of in rights.own(found)
}

# asked is the cheap question before the others: most identities have no such right.
asked if {
	some r in input.rights
	r.resource == "namespaces"
}

mend := "name the namespaces in resourceNames"

found := primitives.namespaces(rights.held)
