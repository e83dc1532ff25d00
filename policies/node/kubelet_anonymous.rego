# METADATA
# scope: package
# title: Kubelet accepts anonymous callers
# description: |
#   The kubelet lets in callers without credentials. Where it does not authorize either, whoever reaches port 10250 runs
#   commands in every pod of the node. A kubelet without a configuration file starts this way. The configuration is read from
#   the kubelet through the API with --kubelet-config, or from the node's own files; without either it is not assessed.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
#     description: Configuration of the kubelet
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/
#     description: Kubelet authentication and authorization
# schemas:
#   - input: schema["node"]
# custom:
#   id: PS-CP-020
#   severity: critical
#   needs: [kubelet.anonymous_auth, kubelet.authorization_mode]
#   remediation: |
#     Set authentication.anonymous.enabled: false in the kubelet's configuration.
#   references:
#     nist-800-190: ["4.3.5"]
#     nsa-cisa: [AUTH1]
#     cis-k8s: ["4.2.1"]
#     cis-eks: ["3.2.1"]
#     cis-aks: ["3.2.1"]
#     attack-containers: [T1133, T1609]
#     owasp-k8s: [K06]
#     cwe: ["306"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.node.kubelet_anonymous

deny contains {
	"message": sprintf("the kubelet lets in callers without credentials%s", [then]),
	"path": "kubelet.anonymous_auth",
	"value": true,
	"key": "anonymous",
} if {
	input.kubelet.anonymous_auth
}

default then := ""

then := ", and lets them do everything" if input.kubelet.authorization_mode == "AlwaysAllow"
