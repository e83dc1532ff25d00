# METADATA
# scope: package
# title: Read or manage secrets in a namespace
# description: |
#   Through a RoleBinding the identity can read or write every Secret of the namespace: the tokens, keys and passwords of all
#   that runs there. It is high in a system namespace and where a service account with rights over the whole cluster lives, for
#   the way leads on from there. What Kubernetes and the components of a cluster install for themselves, known by name and
#   content, is told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/secrets-good-practices/
#     description: Good practices for Secrets
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-005
#   severities: [high, medium, info]
#   needs: [rights, grants]
#   remediation: |
#     Name the Secrets in resourceNames, or mount them where they are needed, which takes no right at all.
#   references:
#     nsa-cisa: [AUTH2]
#     cis-k8s: ["5.1.2"]
#     attack-containers: [T1552.007]
#     owasp-k8s: [K02]
#     cwe: ["522"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.secrets_in_namespace

import data.postscan.lib.primitives
import data.postscan.lib.rights

deny contains rights.finding(input.grants, i, of, mend) if {
	asked
	some i, of in rights.own(found)
}

# asked is the cheap question before the others: most identities have no such right.
asked if {
	some r in input.rights
	r.resource == "secrets"
}

mend := "name the Secrets in resourceNames, or mount them"

found := primitives.secrets_in_namespace(rights.held)
