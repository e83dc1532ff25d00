# METADATA
# scope: package
# title: Change nodes
# description: |
#   The identity can change nodes or their status, or evict pods and bind them to nodes. Labels, taints and made-up capacity draw
#   the pods of others onto a node that it holds. What Kubernetes and the components of a cluster install for themselves, known
#   by name and content, is told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
#     description: Using RBAC authorization
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-020
#   severities: [medium, info]
#   needs: [rights, grants]
#   remediation: |
#     Leave it to the controllers of the node lifecycle.
#   references:
#     nist-800-190: ["4.3.5"]
#     owasp-k8s: [K02]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.changes_nodes

import data.postscan.lib.primitives
import data.postscan.lib.rights

deny contains rights.finding(input.grants, i, of, mend) if {
	asked
	some i, of in rights.own(found)
}

# asked is the cheap question before the others: most identities have no such right.
asked if {
	some r in input.rights
	r.resource in {"nodes", "nodes/status", "pods/eviction"}
}

mend := "leave it to the controllers of the node lifecycle"

found := primitives.nodes(rights.held)
