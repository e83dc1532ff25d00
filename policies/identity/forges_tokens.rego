# METADATA
# scope: package
# title: Forge legacy tokens through secrets
# description: |
#   The identity can write Secrets and read them in the same place. A Secret of the type kubernetes.io/service-account-token that
#   names any service account is filled with a token by a controller, and that token does not expire: the same as to mint tokens,
#   and often missed. What Kubernetes and the components of a cluster install for themselves, known by name and content, is told
#   as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/service-accounts/
#     description: Service accounts
#   - ref: https://kubernetes.io/docs/concepts/security/secrets-good-practices/
#     description: Good practices for Secrets
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-016
#   severities: [high, info]
#   needs: [rights, grants]
#   remediation: |
#     Split writing from reading: give create to one identity and get on named Secrets to another.
#   references:
#     nsa-cisa: [POD5]
#     attack-containers: [T1528]
#     owasp-k8s: [K02]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.forges_tokens

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

mend := "split create from read"

found := primitives.forged_tokens(rights.held)
