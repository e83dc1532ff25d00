# METADATA
# scope: package
# title: Write admission control
# description: |
#   The identity can change webhook configurations or admission policies. A webhook of its own sees every object, Secrets too,
#   and puts containers into every pod; a deleted one no longer refuses anything. What Kubernetes and the components of a cluster
#   install for themselves, known by name and content, is told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
#     description: Using RBAC authorization
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-018
#   severities: [critical, info]
#   needs: [rights, grants]
#   remediation: |
#     Keep it with the platform team. A controller that renews its own certificate gets patch on its one configuration by name.
#   references:
#     nsa-cisa: [AUTH2]
#     cis-k8s: ["5.1.12"]
#     cis-eks: ["4.1.11"]
#     owasp-k8s: [K02]
#     cwe: ["269"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.writes_admission

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
		"mutatingwebhookconfigurations.admissionregistration.k8s.io",
		"validatingwebhookconfigurations.admissionregistration.k8s.io",
		"validatingadmissionpolicies.admissionregistration.k8s.io",
		"validatingadmissionpolicybindings.admissionregistration.k8s.io",
		"mutatingadmissionpolicies.admissionregistration.k8s.io",
		"mutatingadmissionpolicybindings.admissionregistration.k8s.io",
	}
}

mend := "keep it with the platform team"

found := primitives.admission(rights.held)
