# METADATA
# scope: package
# title: Read secrets cluster-wide
# description: |
#   The identity can get, list or watch every Secret of the cluster, those of kube-system included. List and watch return the
#   whole content, so each of the three is enough for every token and key. Where a Secret is known to hold the token of an
#   account with takeover rights it is critical. What Kubernetes and the components of a cluster install for themselves, known by
#   name and content, is told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/secrets-good-practices/
#     description: Good practices for Secrets
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-004
#   severities: [critical, high, info]
#   needs: [rights, grants, live]
#   remediation: |
#     Give get on named Secrets (resourceNames) in a Role of each namespace. An operator that needs a Secret of its own gets a
#     Role in its own namespace.
#   references:
#     nist-800-190: ["4.3.2"]
#     nsa-cisa: [AUTH2]
#     cis-k8s: ["5.1.2"]
#     attack-containers: [T1552.007, T1528]
#     owasp-k8s: [K02]
#     cwe: ["522"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.reads_secrets_everywhere

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

mend := "give get on named Secrets in a Role"

found := primitives.secrets_everywhere(rights.held)

unknown contains "which Secrets hold tokens was not seen; where one is of an account with takeover rights, this is critical" if {
	asked
	input.live
	some h in found
	not input.grants[h.grant].bootstrap
	some r in rights.held.secrets
	r.cluster_wide
	r.privileged_token == "unknown"
}
