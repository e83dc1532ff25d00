# METADATA
# scope: package
# title: escalate on roles
# description: |
#   With the verb escalate and the right to change roles, the identity writes itself any right. To create a role is enough where
#   it can bind it as well, or holds a role that takes others in by label. On ClusterRoles and in system namespaces it is
#   critical. What Kubernetes and the components of a cluster install for themselves, known by name and content, is told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
#     description: Using RBAC authorization
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-011
#   severities: [critical, high, info]
#   needs: [rights, grants]
#   remediation: |
#     Remove escalate. A controller that makes roles holds the rights that it gives, or binds named roles.
#   references:
#     nsa-cisa: [AUTH2]
#     cis-k8s: ["5.1.8"]
#     attack-containers: [T1098.006]
#     owasp-k8s: [K02]
#     cwe: ["269"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.escalate

import data.postscan.lib.primitives
import data.postscan.lib.rights

deny contains rights.finding(input.grants, i, of, mend) if {
	asked
	some i, of in rights.own(found)
}

# asked is the cheap question before the others: most identities have no such right.
asked if {
	some r in input.rights
	r.resource in {"clusterroles.rbac.authorization.k8s.io", "roles.rbac.authorization.k8s.io"}
}

mend := "remove escalate"

found := primitives.escalate(rights.held, input.grants)
