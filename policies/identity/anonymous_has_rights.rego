# METADATA
# scope: package
# title: Rights for anonymous callers
# description: |
#   A binding gives rights to system:anonymous or system:unauthenticated: whoever reaches the API server has them, without a
#   login. The role system:public-info-viewer and the cluster-info that kubeadm publishes for joining nodes are meant to be
#   public, as long as they hold nothing else.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/authentication/
#     description: Authenticating
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
#     description: Using RBAC authorization
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-023
#   severities: [critical, info]
#   needs: [type, name, grants]
#   remediation: |
#     Delete the binding.
#   references:
#     nsa-cisa: [AUTH1]
#     cis-k8s: ["1.2.1"]
#     cis-gke: ["4.1.8", "4.1.9"]
#     attack-containers: [T1078.001, T1133]
#     owasp-k8s: [K09]
#     cwe: ["306"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.anonymous_has_rights

import data.postscan.lib.rights

applies if {
	input.type == "User"
	input.name == "system:anonymous"
}

applies if {
	input.type == "Group"
	input.name == "system:unauthenticated"
}

deny contains rights.granted(grant, i, "critical", "whoever reaches the API server has rights", "delete the binding") if {
	applies
	some i, grant in input.grants
	grant.via == ""
	not harmless(grant.role)
}

harmless(role) if {
	role.bootstrap
	role.kind == "ClusterRole"
	role.name == "system:public-info-viewer"
}

harmless(role) if {
	role.bootstrap
	role.namespace == "kube-public"
	role.name == "kubeadm:bootstrap-signer-clusterinfo"
}
