# METADATA
# scope: package
# title: No default-deny ingress in the namespace
# description: |
#   No policy selects every pod of the namespace and closes its ingress, or one that does is undone by another that allows every pod
#   everything. A pod that is made tomorrow, and that nobody wrote a policy for, starts open. kube-public and kube-node-lease,
#   which run nothing, are left out.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/services-networking/network-policies/#default-deny-all-ingress-traffic
#     description: Default policy that denies all ingress traffic
# schemas:
#   - input: schema["namespace"]
# custom:
#   id: PS-NET-002
#   severity: medium
#   needs: [name, deny_ingress, policies_unread]
#   remediation: |
#     Add a NetworkPolicy with "podSelector: {}", "policyTypes: [Ingress]" and no ingress rules, and allow each connection in policies
#     of its own. Remove policies that select every pod and allow everything.
#   references:
#     nist-800-190: ["4.3.3"]
#     nsa-cisa: [NET2]
#     cis-k8s: ["5.3.2"]
#     attack-containers: [T1210]
#     owasp-k8s: [K05]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.namespace.no_default_deny_ingress

applies if not input.name in {"kube-public", "kube-node-lease"}

deny contains {
	"message": "no policy closes the ingress of every pod of the namespace",
	"path": "metadata.name",
	"value": false,
} if {
	open
	input.policies_unread == 0
}

unknown contains sprintf("%d policies of the namespace are not read in full; one of them may close it", [input.policies_unread]) if {
	open
	input.policies_unread > 0
}

open if {
	applies
	not input.deny_ingress
}
