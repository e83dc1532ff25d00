# METADATA
# scope: package
# title: impersonate
# description: |
#   The identity can act as others: as any user, or as any group, system:masters too. Limited to names it is medium, unless a
#   name is system:masters. In one namespace it is each of its service accounts. The constrained verbs of Kubernetes 1.36
#   (impersonate:user-info and so on) need a second verb for each action and refuse system:masters: high. What Kubernetes and the
#   components of a cluster install for themselves, known by name and content, is told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/
#     description: User impersonation
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-014
#   severities: [critical, high, medium, info]
#   needs: [rights, grants, cluster.minor]
#   remediation: |
#     Name in resourceNames whom it may act as, or drop it.
#   references:
#     nsa-cisa: [AUTH2]
#     cis-k8s: ["5.1.8"]
#     attack-containers: [T1078]
#     owasp-k8s: [K02]
#     cwe: ["269"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.impersonate

import data.postscan.lib.primitives
import data.postscan.lib.rights

deny contains rights.finding(input.grants, i, of, mend) if {
	asked
	some i, of in rights.own(found)
}

# asked is the cheap question before the others: most identities have no such right.
asked if {
	some r in input.rights
	r.resource in {
		"users",
		"groups",
		"serviceaccounts",
		"uids.authentication.k8s.io",
		"userextras.authentication.k8s.io/*",
		"users.authentication.k8s.io",
		"groups.authentication.k8s.io",
		"serviceaccounts.authentication.k8s.io",
		"nodes.authentication.k8s.io",
	}
}

mend := "name in resourceNames whom it may act as"

found := primitives.impersonate(rights.held, input.grants, input.cluster.minor)
