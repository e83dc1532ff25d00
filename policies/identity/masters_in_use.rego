# METADATA
# scope: package
# title: system:masters in use
# description: |
#   The group system:masters passes every authorizer: no role takes its rights away, and a client certificate of it is good until
#   it expires. Here a binding names it, a cloud identity is mapped to it, or a certificate was issued for it. The binding that
#   Kubernetes installs itself is told as info. Certificates that were not requested through the cluster, such as the one of the
#   installer, are not in view.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/authentication/
#     description: Authenticating
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-026
#   severities: [high, info]
#   needs: [type, name, grants]
#   optional: [mapped, certificates]
#   remediation: |
#     Use a group of your own that a binding gives cluster-admin, as kubeadm does since 1.29 (kubeadm:cluster-admins), and keep
#     the one certificate of the installer sealed.
#   references:
#     nsa-cisa: [AUTH2]
#     cis-k8s: ["5.1.7"]
#     cis-gke: ["4.1.6"]
#     attack-containers: [T1078]
#     owasp-k8s: [K02]
#     cwe: ["250"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.masters_in_use

import data.postscan.lib.rights

applies if {
	input.type == "Group"
	input.name == "system:masters"
}

deny contains rights.granted(grant, i, "high", "a binding names the group that no role limits", mend) if {
	applies
	some i, grant in input.grants
	grant.via == ""
}

deny contains {
	"message": "a cloud identity is mapped to the group that no role limits",
	"path": "mapped",
	"value": {"system": false, "mend": mend},
	"key": "mapped",
	"severity": "high",
} if {
	applies
	input.mapped == "true"
}

deny contains {
	"message": sprintf("client certificates were issued for the group that no role limits: %d", [input.certificates]),
	"path": "certificates",
	"value": {"system": false, "mend": mend},
	"key": "certificates",
	"severity": "high",
} if {
	applies
	input.certificates > 0
}

mend := "use a group of your own that a binding gives cluster-admin"

unknown contains "whether aws-auth maps somebody to the group was not seen" if {
	applies
	input.mapped == "unknown"
}

unknown contains "for whom client certificates were issued was not seen" if {
	applies
	input.certificates < 0
}
