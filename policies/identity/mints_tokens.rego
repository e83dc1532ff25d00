# METADATA
# scope: package
# title: Mint service-account tokens
# description: |
#   The identity can ask the API server for a token of any service account in reach and becomes it. For the whole cluster or in a
#   system namespace it is critical. Limited to named accounts in a namespace of people's own, it is what the right is for and
#   passes. What Kubernetes and the components of a cluster install for themselves, known by name and content, is told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/service-accounts/
#     description: Service accounts
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-015
#   severities: [critical, high, info]
#   needs: [rights, grants]
#   remediation: |
#     Name the one service account in resourceNames, in a Role.
#   references:
#     nsa-cisa: [AUTH2]
#     cis-k8s: ["5.1.13"]
#     cis-eks: ["4.1.12"]
#     attack-containers: [T1528]
#     owasp-k8s: [K02]
#     cwe: ["269"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.mints_tokens

import data.postscan.lib.primitives
import data.postscan.lib.rights

deny contains rights.finding(input.grants, i, of, mend) if {
	asked
	some i, of in rights.own(found)
}

# asked is the cheap question before the others: most identities have no such right.
asked if {
	some r in input.rights
	r.resource == "serviceaccounts/token"
}

mend := "name the one service account in resourceNames, in a Role"

found := primitives.tokens(rights.held)
