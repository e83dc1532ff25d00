# METADATA
# scope: package
# title: Write RBAC objects
# description: |
#   The identity can write roles or bindings, without bind or escalate. The API server lets through only what it holds itself: it
#   can hand on its rights to whom it likes, and delete those of others. What bind and escalate make of it is judged by
#   PS-RBAC-011 and PS-RBAC-012. What Kubernetes and the components of a cluster install for themselves, known by name and
#   content, is told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
#     description: Using RBAC authorization
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-013
#   severities: [medium, info]
#   needs: [rights, grants]
#   remediation: |
#     Leave the writing of roles and bindings to one GitOps or platform identity.
#   references:
#     nsa-cisa: [AUTH2]
#     attack-containers: [T1098.006]
#     owasp-k8s: [K02]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.writes_rbac

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
		"clusterroles.rbac.authorization.k8s.io",
		"roles.rbac.authorization.k8s.io",
		"clusterrolebindings.rbac.authorization.k8s.io",
		"rolebindings.rbac.authorization.k8s.io",
	}
}

mend := "leave it to the identity of the platform"

found := primitives.write_rbac(rights.held, input.grants)
