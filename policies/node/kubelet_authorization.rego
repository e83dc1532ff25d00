# METADATA
# scope: package
# title: Kubelet authorizes everything
# description: |
#   With AlwaysAllow every certificate that the cluster's authority signed, and every token, runs commands in all pods of the
#   node. A kubelet without a configuration file starts this way. The configuration is read from the kubelet through the API
#   with --kubelet-config, or from the node's own files; without either it is not assessed.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/
#     description: Kubelet authentication and authorization
# schemas:
#   - input: schema["node"]
# custom:
#   id: PS-CP-021
#   severity: critical
#   needs: [kubelet.authorization_mode]
#   remediation: |
#     Set authorization.mode: Webhook in the kubelet's configuration.
#   references:
#     nist-800-190: ["4.3.5"]
#     nsa-cisa: [AUTH2]
#     cis-k8s: ["4.2.2"]
#     cis-eks: ["3.2.2"]
#     cis-aks: ["3.2.2"]
#     attack-containers: [T1609]
#     owasp-k8s: [K06]
#     cwe: ["862"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.node.kubelet_authorization

deny contains {
	"message": "the kubelet lets every caller do everything",
	"path": "kubelet.authorization_mode",
	"value": input.kubelet.authorization_mode,
	"key": "authorization",
} if {
	input.kubelet.authorization_mode == "AlwaysAllow"
}

unknown contains sprintf("the kubelet's authorization mode is %q, which postscan does not know", [input.kubelet.authorization_mode]) if {
	not input.kubelet.authorization_mode in {"AlwaysAllow", "Webhook"}
}
