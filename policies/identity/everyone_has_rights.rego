# METADATA
# scope: package
# title: Rights for every authenticated identity
# description: |
#   A binding gives rights to system:authenticated: every user and every service account has them. On GKE the group includes
#   everybody with a Google account, so it is critical there. The roles system:basic-user, system:discovery and
#   system:public-info-viewer are meant for it, as long as they hold what Kubernetes installs. What Kubernetes and the components
#   of a cluster install for themselves, known by name and content, is told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/authentication/
#     description: Authenticating
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
#     description: Using RBAC authorization
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-024
#   severities: [critical, high, info]
#   needs: [type, name, grants, cluster.distribution]
#   remediation: |
#     Bind the groups that need it by name, and delete this binding.
#   references:
#     nsa-cisa: [AUTH2]
#     cis-gke: ["4.1.10"]
#     attack-containers: [T1078]
#     owasp-k8s: [K02]
#     cwe: ["276"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.everyone_has_rights

import data.postscan.lib.rights

applies if {
	input.type == "Group"
	input.name == "system:authenticated"
}

deny contains rights.granted(grant, i, severity, "every user and service account has rights", mend) if {
	some i, grant in input.grants
	grant.via == ""
	applies
	not harmless(grant.role)
}

mend := "bind the groups that need it by name, and delete this binding"

default severity := "high"

severity := "critical" if input.cluster.distribution == "gke"

harmless(role) if {
	role.bootstrap
	role.kind == "ClusterRole"
	role.name in {"system:basic-user", "system:discovery", "system:public-info-viewer"}
}
