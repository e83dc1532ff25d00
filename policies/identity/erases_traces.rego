# METADATA
# scope: package
# title: Erase traces or mass-delete
# description: |
#   The identity can delete events, by which people see what happened, or delete whole collections of workloads, claims or
#   namespaces across the cluster with one request. A delete verb on pods/log gives nothing and does not count. What Kubernetes
#   and the components of a cluster install for themselves, known by name and content, is told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
#     description: Using RBAC authorization
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-028
#   severities: [medium, info]
#   needs: [rights, grants]
#   remediation: |
#     Remove delete and deletecollection.
#   references:
#     nsa-cisa: [LOG1]
#     attack-containers: [T1070, T1485]
#     owasp-k8s: [K02]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.erases_traces

import data.postscan.lib.primitives
import data.postscan.lib.rights

deny contains rights.finding(input.grants, i, of, mend) if {
	asked
	some i, of in rights.own(traces | masses)
}

# asked is the cheap question before the others: most identities have no such right.
asked if {
	some r in input.rights
	some verb in r.verbs
	verb in {"delete", "deletecollection"}
	r.resource in {
		"events",
		"events.events.k8s.io",
		"persistentvolumeclaims",
		"namespaces",
		"pods",
		"replicationcontrollers",
		"deployments.apps",
		"daemonsets.apps",
		"statefulsets.apps",
		"replicasets.apps",
		"jobs.batch",
		"cronjobs.batch",
	}
}

mend := "remove delete and deletecollection"

traces contains h if {
	some resource in ["events", "events.events.k8s.io"]
	some r in rights.held[resource]
	h := rights.hit(r, {"delete", "deletecollection"}, "medium", "can delete events")
}

masses contains h if {
	some resource in collections
	some r in rights.held[resource]
	r.cluster_wide
	h := rights.hit(r, {"deletecollection"}, "medium", "can delete whole collections")
}

collections := array.concat(["persistentvolumeclaims", "namespaces"], primitives.pods_and_owners)
