# METADATA
# scope: package
# title: Exec or attach to pods
# description: |
#   The identity can run commands in containers, and so act with their service accounts, Secrets and network. Before Kubernetes
#   1.35 get is enough, for a WebSocket is opened with it; from 1.35 on create is asked for as well, and get alone is low. Where
#   the version is not known the worse is assumed. What Kubernetes and the components of a cluster install for themselves, known
#   by name and content, is told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
#     description: Using RBAC authorization
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-007
#   severities: [high, low, info]
#   needs: [rights, grants, cluster.minor]
#   remediation: |
#     Keep it in a break-glass role that people hold for a limited time.
#   references:
#     nist-800-190: ["4.3.2"]
#     nsa-cisa: [AUTH2]
#     attack-containers: [T1609]
#     owasp-k8s: [K02]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.exec

import data.postscan.lib.primitives
import data.postscan.lib.rights

deny contains rights.finding(input.grants, i, of, mend) if {
	asked
	some i, of in rights.own(found)
}

# asked is the cheap question before the others: most identities have no such right.
asked if {
	some r in input.rights
	r.resource in {"pods/exec", "pods/attach"}
}

mend := "keep it in a break-glass role"

found := primitives.exec(rights.held, input.cluster.minor)
