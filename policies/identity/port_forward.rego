# METADATA
# scope: package
# title: Port-forward
# description: |
#   The identity reaches ports of pods and services through the API server: no NetworkPolicy stands in the way, and what listens
#   for the cluster alone gets visitors from outside. Before Kubernetes 1.35 get is enough to forward a port. What Kubernetes and
#   the components of a cluster install for themselves, known by name and content, is told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
#     description: Using RBAC authorization
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-009
#   severities: [medium, info]
#   needs: [rights, grants, cluster.minor]
#   remediation: |
#     Give it to the people who debug, in the namespaces where they do.
#   references:
#     owasp-k8s: [K05, K02]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.port_forward

import data.postscan.lib.primitives
import data.postscan.lib.rights

deny contains rights.finding(input.grants, i, of, mend) if {
	asked
	some i, of in rights.own(found)
}

# asked is the cheap question before the others: most identities have no such right.
asked if {
	some r in input.rights
	r.resource in {"pods/portforward", "pods/proxy", "services/proxy"}
}

mend := "give it to those who debug"

found := primitives.forward(rights.held, input.cluster.minor)
