# METADATA
# scope: package
# title: nodes/proxy
# description: |
#   The identity talks to the kubelets through the API server. Get alone is enough to run commands in every container of every
#   node, through the kubelet's WebSocket endpoint, and the audit log of the API server shows no exec. "*/proxy" and resources
#   "*" give it too; the literal nodes/* gives nothing. What Kubernetes and the components of a cluster install for themselves,
#   known by name and content, is told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/
#     description: Kubelet authentication and authorization
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-010
#   severities: [critical, info]
#   needs: [rights, grants]
#   remediation: |
#     Grant what is read and no more: nodes/metrics, nodes/stats, nodes/log, and since Kubernetes 1.33 nodes/healthz, nodes/pods
#     and nodes/configz.
#   references:
#     nist-800-190: ["4.3.5"]
#     nsa-cisa: [AUTH2]
#     cis-k8s: ["5.1.10"]
#     cis-eks: ["4.1.10"]
#     attack-containers: [T1609]
#     owasp-k8s: [K02]
#     cwe: ["269"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.node_proxy

import data.postscan.lib.primitives
import data.postscan.lib.rights

deny contains rights.finding(input.grants, i, of, mend) if {
	asked
	some i, of in rights.own(found)
}

# asked is the cheap question before the others: most identities have no such right.
asked if {
	some r in input.rights
	r.resource == "nodes/proxy"
}

mend := "grant the fine-grained resource of the kubelet"

found := primitives.node_proxy(rights.held)
