# METADATA
# scope: package
# title: Workload carries takeover rights
# description: |
#   The pod mounts the token of a service account that holds a right by which the cluster, a node or another identity is taken:
#   one of those that PS-RBAC-001 to PS-RBAC-021 tell as critical or high. Who breaks into one container has it. Rights of the
#   groups that every service account is in count. Components that come with the cluster, known by namespace, name and image
#   together, are told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
#   - ref: https://kubernetes.io/docs/concepts/security/service-accounts/
#     description: Service accounts
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-RBAC-031
#   severities: [high, info]
#   needs: [identity.automount, volumes, identity.service_account, identity.rights, identity.grants, component, cluster.minor, pod_path]
#   remediation: |
#     Split the workload, so that the part that faces others does not hold the right; narrow the right as the check that is named
#     says; put what must keep it on nodes of its own. Where the API is not needed set "automountServiceAccountToken: false".
#   references:
#     nist-800-190: ["4.3.1"]
#     nsa-cisa: [POD5]
#     attack-containers: [T1528]
#     owasp-k8s: [K02]
#     cwe: ["250"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.workload.takeover_rights

import data.postscan.lib.primitives
import data.postscan.lib.rights
import data.postscan.lib.tokens
import data.postscan.lib.wildcards

applies if tokens.mounted

deny contains {
	"message": sprintf("%sthe token of the service account %s is mounted, which %s (%s), by %s", [
		mark(i),
		input.identity.service_account,
		what(of),
		concat(", ", first(of)),
		way(i),
	]),
	"path": concat("", [input.pod_path, ".serviceAccountName"]),
	"value": {
		"system": mark(i) != "",
		"service_account": input.identity.service_account,
		"path": way(i),
		"rights": rights.texts(of),
		"checks": sort({h.check | some h in of}),
		"mend": "split the workload, narrow the right, or mount no token",
	},
	"key": key(i),
	"severity": severity(i),
} if {
	tokens.mounted
	count(input.identity.rights) > 0
	grants := input.identity.grants
	hits := primitives.takeovers(rights.index(input.identity.rights), grants, wildcards.of(grants), input.cluster.minor)
	some i in {h.grant | some h in hits}
	of := {h | some h in hits; h.grant == i}
}

# Where everything is granted, that says it all.
everything := {"PS-RBAC-001", "PS-RBAC-002"}

what(of) := min(whole) if {
	whole := {h.what | some h in of; h.check in everything}
	count(whole) > 0
} else := rights.what(of)

first(of) := sort(whole) if {
	whole := {h.check | some h in of; h.check in everything}
	count(whole) > 0
} else := sort({h.check | some h in of})

# A right that has no grant here comes with the cluster.
mark(i) := "system: " if {
	i < 0
} else := "system: " if {
	input.component != ""
} else := ""

severity(i) := "info" if {
	mark(i) != ""
} else := "high"

way(i) := sprintf("%s%s", [rights.link(input.identity.grants[i]), through(input.identity.grants[i])]) if {
	i >= 0
} else := "a role that comes with the cluster"

through(grant) := "" if {
	grant.via == ""
} else := sprintf(", as a member of %s", [grant.via])

key(i) := rights.role(input.identity.grants[i].role) if {
	i >= 0
} else := "system"
