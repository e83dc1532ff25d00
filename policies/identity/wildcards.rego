# METADATA
# scope: package
# title: Wildcard verb or wildcard resource
# description: |
#   A rule says "*" for verbs or for resources, or names a dangerous subresource of every kind ("*/exec"). The wildcard takes in
#   escalate, bind and impersonate, and every kind, subresource and verb that is added later. Forms that match nothing ("pods/*",
#   "*/*") do not count, and rules with "*" for verbs, resources and groups at once are judged by PS-RBAC-002. A role that
#   nothing in view binds is told as low. What Kubernetes and the components of a cluster install for themselves, known by name
#   and content, is told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
#     description: Using RBAC authorization
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-003
#   severities: [high, low, info]
#   needs: [grants]
#   remediation: |
#     Name the verbs and resources that are used.
#   references:
#     nist-800-190: ["4.3.1"]
#     nsa-cisa: [AUTH2]
#     cis-k8s: ["5.1.3"]
#     attack-containers: [T1078]
#     owasp-k8s: [K02]
#     cwe: ["250"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.wildcards

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

mend := "name the verbs and resources that are used"

found contains h if {
	some h in wildcards.others(input.grants, wildcards.found)
	not wildcards.administrator(input.grants[h.grant].role)
}
