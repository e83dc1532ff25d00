# METADATA
# scope: package
# title: All verbs on all resources
# description: |
#   A role that is bound to this identity says "*" for verbs, resources and API groups: it is cluster-admin by another name, with
#   every kind of object that is added later. Bound in one namespace it is everything there (high). "*" for non-resource URLs
#   alone covers no object (medium). The role cluster-admin itself is judged by PS-RBAC-001. What Kubernetes and the components
#   of a cluster install for themselves, known by name and content, is told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
#     description: Using RBAC authorization
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-002
#   severities: [critical, high, medium, info]
#   needs: [grants]
#   remediation: |
#     List the resources and verbs that are used.
#   references:
#     nist-800-190: ["4.3.1"]
#     nsa-cisa: [AUTH2]
#     cis-k8s: ["5.1.3"]
#     attack-containers: [T1078]
#     owasp-k8s: [K02]
#     cwe: ["250"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.all_objects

import data.postscan.lib.rights
import data.postscan.lib.wildcards

deny contains rights.finding(input.grants, i, of, mend) if {
	asked
	some i, of in rights.own(found)
}

# asked is the cheap question before the others: most identities have no rule with a wildcard.
asked if {
	some grant in input.grants
	some rule in grant.rules
	"*" in rule.verbs
}

asked if {
	some grant in input.grants
	some rule in grant.rules
	some r in rule.resources
	r in {
		"*",
		"*/exec",
		"*/attach",
		"*/portforward",
		"*/proxy",
		"*/ephemeralcontainers",
		"*/token",
		"*/approval",
		"*/binding",
		"*/eviction",
	}
}

mend := "list the resources and verbs that are used"

found := wildcards.all_objects(input.grants, wildcards.found)
