# METADATA
# scope: package
# title: Issue client certificates
# description: |
#   The identity can create and approve certificate requests of a signer for API clients, or sign in its name. It issues itself
#   certificates for any user or node, and nothing revokes them before they expire. The group system:masters is refused by the
#   API server. Signers that make no API clients do not count. What Kubernetes and the components of a cluster install for
#   themselves, known by name and content, is told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
#     description: Certificates and certificate signing requests
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-017
#   severities: [critical, info]
#   needs: [rights, grants]
#   remediation: |
#     Name in resourceNames of signers those that it is for, and keep approval apart from creation.
#   references:
#     nsa-cisa: [AUTH1]
#     cis-k8s: ["5.1.11"]
#     attack-containers: [T1649]
#     owasp-k8s: [K02]
#     cwe: ["269"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.issues_certificates

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
		"certificatesigningrequests.certificates.k8s.io/approval",
		"certificatesigningrequests.certificates.k8s.io/status",
	}
}

mend := "name the signers in resourceNames"

found := primitives.certificates(rights.held)
