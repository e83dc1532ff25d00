# METADATA
# scope: package
# title: Write identity or DNS ConfigMaps
# description: |
#   The identity can write ConfigMaps of kube-system that decide who is who and where names lead: aws-auth maps cloud identities
#   to cluster-admin, coredns redirects every name, kube-proxy and extension-apiserver-authentication hold what components trust.
#   Rights on other ConfigMaps by name pass. What Kubernetes and the components of a cluster install for themselves, known by
#   name and content, is told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-027
#   severities: [high, info]
#   needs: [rights, grants]
#   remediation: |
#     Name in resourceNames the ConfigMaps that it is for, in a Role.
#   references:
#     attack-containers: [T1098, T1557]
#     owasp-k8s: [K02, K08]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.writes_identity_config

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
	r.resource == "configmaps"
}

mend := "name in resourceNames the ConfigMaps that it is for"

found contains h if {
	some r in rights.held.configmaps
	reaches(r)
	unsafe(r)
	h := rights.hit(r, primitives.changing, "high", "can write the ConfigMaps that decide who is who and where names lead")
}

reaches(r) if r.cluster_wide

reaches(r) if "kube-system" in r.namespaces

unsafe(r) if rights.any_name(r)

unsafe(r) if {
	some name in r.names
	name in {"aws-auth", "coredns", "coredns-custom", "kube-proxy", "extension-apiserver-authentication"}
}
