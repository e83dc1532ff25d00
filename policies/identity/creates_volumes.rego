# METADATA
# scope: package
# title: Create persistent volumes
# description: |
#   The identity can write PersistentVolumes and use a claim. A volume of type hostPath or local names any path of a node, and
#   Pod Security does not look at claims: the file system of the node is mounted past it. What Kubernetes and the components of a
#   cluster install for themselves, known by name and content, is told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
#     description: Using RBAC authorization
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-019
#   severities: [high, info]
#   needs: [rights, grants]
#   remediation: |
#     Use dynamic provisioning, and leave PersistentVolumes to the provisioner.
#   references:
#     cis-k8s: ["5.1.9"]
#     cis-eks: ["4.1.9"]
#     attack-containers: [T1611]
#     owasp-k8s: [K02]
#     cwe: ["269"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.identity.creates_volumes

import data.postscan.lib.primitives
import data.postscan.lib.rights

deny contains rights.finding(input.grants, i, of, mend) if {
	asked
	some i, of in rights.own(found)
}

# asked is the cheap question before the others: most identities have no such right.
asked if {
	some r in input.rights
	r.resource == "persistentvolumes"
}

mend := "leave it to the provisioner"

found := primitives.volumes(rights.held)
