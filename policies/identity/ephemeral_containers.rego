# METADATA
# scope: package
# title: Add ephemeral containers
# description: |
#   The identity can put a container of its choice into a running pod. It shares the pod's network and may share its processes,
#   and with them the token and the mounted Secrets. What Kubernetes and the components of a cluster install for themselves,
#   known by name and content, is told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-008
#   severities: [high, info]
#   needs: [rights, grants]
#   remediation: |
#     Keep it in a break-glass role that people hold for a limited time.
#   references:
#     attack-containers: [T1609, T1610]
#     owasp-k8s: [K02]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.ephemeral_containers

import data.postscan.lib.primitives
import data.postscan.lib.rights

deny contains rights.finding(input.grants, i, of, mend) if {
	asked
	some i, of in rights.own(found)
}

# asked is the cheap question before the others: most identities have no such right.
asked if {
	some r in input.rights
	r.resource == "pods/ephemeralcontainers"
}

mend := "keep it in a break-glass role"

found := primitives.ephemeral_containers(rights.held)
