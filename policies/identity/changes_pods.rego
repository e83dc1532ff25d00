# METADATA
# scope: package
# title: Create or change pods or pod owners
# description: |
#   Who can create a pod, or write any object that makes pods, runs code as any service account of the namespace and reads every
#   Secret that a pod there can mount. Where Pod Security enforces less than baseline, the pod may be privileged and the node is
#   taken: critical. Update or patch of pods alone only swaps the image of a running one, which then has that pod's own account:
#   medium. What Kubernetes and the components of a cluster install for themselves, known by name and content, is told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
#     description: Using RBAC authorization
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-006
#   severities: [critical, high, medium, info]
#   needs: [rights, grants, live]
#   remediation: |
#     Leave it to one deployer, a pipeline or GitOps controller, in the namespaces that it deploys to, and enforce baseline
#     there.
#   references:
#     nist-800-190: ["4.3.1"]
#     nsa-cisa: [AUTH2]
#     cis-k8s: ["5.1.4"]
#     attack-containers: [T1610, T1053.007]
#     owasp-k8s: [K02]
#     cwe: ["269"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.changes_pods

import data.postscan.lib.primitives
import data.postscan.lib.rights

deny contains rights.finding(input.grants, i, of, mend) if {
	asked
	some i, of in rights.own(found)
}

# asked is the cheap question before the others: most identities have no such right.
asked if {
	some r in input.rights
	some verb in r.verbs
	verb in {"create", "update", "patch"}
	r.resource in {
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

mend := "leave it to the deployer of the namespace"

found := primitives.pods(rights.held)

unknown contains "what Pod Security enforces there was not seen; where it is less than baseline, this is critical" if {
	asked
	input.live
	some h in found
	not input.grants[h.grant].bootstrap
	some r in input.rights
	r.grant == h.grant
	r.weakest == "unknown"
}
