# METADATA
# scope: package
# title: bind on roles
# description: |
#   With the verb bind on roles of any name and the right to write bindings, the identity binds itself any role, cluster-admin
#   too. With RoleBindings alone it is all of the namespace: high, and critical where a system namespace is among them. What
#   Kubernetes and the components of a cluster install for themselves, known by name and content, is told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
#     description: Using RBAC authorization
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-012
#   severities: [critical, high, info]
#   needs: [rights, grants]
#   remediation: |
#     Name harmless roles in resourceNames of the rule with bind.
#   references:
#     nsa-cisa: [AUTH2]
#     cis-k8s: ["5.1.8"]
#     attack-containers: [T1098.006]
#     owasp-k8s: [K02]
#     cwe: ["269"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.bind

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

mend := "name harmless roles in resourceNames, never cluster-admin"

found := primitives.bind(rights.held)
