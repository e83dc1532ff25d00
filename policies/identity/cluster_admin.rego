# METADATA
# scope: package
# title: cluster-admin held by a non-system subject
# description: |
#   Whoever has this identity can do everything with the whole cluster: cluster-admin, or a role with the same rules, is bound to
#   it. Through a RoleBinding it is everything in that namespace. For a service account whose token a workload mounts, one
#   exploited pod is the cluster: critical. The groups system:masters and kubeadm:cluster-admins are made for it and are told as
#   info. What Kubernetes and the components of a cluster install for themselves, known by name and content, is told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
#     description: Using RBAC authorization
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-001
#   severities: [critical, high, info]
#   needs: [grants, type, name, live]
#   optional: [used]
#   remediation: |
#     Replace it with a role that lists what this identity does. Keep cluster-admin for a break-glass group that people join for
#     a limited time.
#   references:
#     nist-800-190: ["4.3.1"]
#     nsa-cisa: [AUTH2]
#     cis-k8s: ["5.1.1"]
#     cis-eks: ["4.1.1"]
#     attack-containers: [T1078, T1098.006]
#     owasp-k8s: [K02]
#     cwe: ["250"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.cluster_admin

import data.postscan.lib.rights
import data.postscan.lib.wildcards

deny contains told(rights.finding(input.grants, i, of, mend)) if {
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

mend := "write a role with what this identity does"

found := wide | narrow

wide contains h if {
	some h in wildcards.cluster_admin(input.grants, wildcards.found, severity)
	h.cluster_wide
}

narrow contains h if {
	some h in wildcards.cluster_admin(input.grants, wildcards.found, "high")
	not h.cluster_wide
}

default severity := "high"

severity := "critical" if {
	input.type == "ServiceAccount"
	input.used == "true"
}

# told shows a group that is made for cluster-admin apart, whatever binding gives it once more.
told(finding) := object.union(finding, {"severity": "info", "value": {"system": true}}) if {
	input.type == "Group"
	input.name in {"system:masters", "kubeadm:cluster-admins"}
} else := finding

unknown contains "which workloads mount its token was not seen; where one does, this is critical" if {
	asked
	input.type == "ServiceAccount"
	input.used == "unknown"
	input.live
	count(found) > 0
}
