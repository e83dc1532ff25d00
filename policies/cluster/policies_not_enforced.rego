# METADATA
# scope: package
# title: Network policies exist but nothing enforces them
# description: |
#   The cluster holds NetworkPolicies, and its network plugin has no engine for them: plain flannel, a bridge, an old kindnet, or a
#   managed cluster whose option for policies is off. The API takes such policies without a word; every connection they refuse is
#   made all the same.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/services-networking/network-policies/#prerequisites
#     description: Network policies, prerequisites
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-NET-005
#   severity: high
#   needs: [network.enforces, network.plugins, network.policies]
#   remediation: |
#     Install a network plugin with an engine (Calico, Cilium, Antrea, kube-router), add one beside the plugin (Calico or
#     kube-network-policies beside flannel), or switch the provider's option on. Then test a policy with a connection that it refuses.
#   references:
#     nist-800-190: ["4.3.3"]
#     cis-k8s: ["5.3.1"]
#     cis-eks: ["4.3.1", "5.4.4"]
#     cis-aks: ["5.4.4"]
#     cis-gke: ["4.3.1"]
#     attack-containers: [T1210]
#     owasp-k8s: [K05]
#     cwe: ["693"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.policies_not_enforced

applies if input.network.policies.kubernetes > 0

deny contains {
	"message": sprintf("%d network policies exist, and %s does not enforce them", [input.network.policies.kubernetes, plugins]),
	"path": "network.plugins",
	"value": input.network.plugins,
} if {
	applies
	input.network.enforces == "false"
}

unknown contains "what makes pod networking was not recognised, so whether it enforces policies is not known" if {
	applies
	input.network.enforces == "unknown"
}

default plugins := "the network plugin"

plugins := concat(", ", input.network.plugins) if count(input.network.plugins) > 0
